package dedup

// Known is in place of the row of a record that is known already: others are matched with it.
const Known = 0

// Match compares the records in s with those among them that are Known. It calls row with
// each of the other records, in the order of their digests, and with whether a known record
// has the same digest. It calls known, unless that is nil, with the first known record of
// each digest, and with whether another record has that digest. A record is valid until the
// call returns. An error of a call ends Match.
func Match(s *Sorter, known, row func(r *Record, matched bool) error) error {
	m := matcher{known: known}
	err := s.Sorted(func(r *Record) error {
		same := m.open && r.Hi == m.current.Hi && r.Lo == m.current.Lo
		switch {
		case r.Row == Known && !same:
			return m.next(r)
		case r.Row == Known:
			return nil
		}
		m.matched = m.matched || same
		return row(r, same)
	})
	if err != nil {
		return err
	}
	return m.report()
}

// matcher is the known record that others are being matched with.
type matcher struct {
	known   func(r *Record, matched bool) error
	current Record
	open    bool // there is one
	matched bool
}

// next makes r the known record, once the one before has been reported.
func (m *matcher) next(r *Record) error {
	err := m.report()
	m.current, m.open, m.matched = *r, true, false
	return err
}

func (m *matcher) report() error {
	if !m.open || m.known == nil {
		return nil
	}
	return m.known(&m.current, m.matched)
}
