package dedup

// Known is in place of the row of a record that is known already: others are matched with it.
const Known = 0

// Match compares the records in s with those among them that are Known. It calls row with
// each of the other records, in the order of their digests, and with whether a known record
// has the same digest. It calls known, unless that is nil, with the first known record of
// each digest, and with whether another record has that digest. A record is valid until the
// call returns. An error of a call ends Match.
func Match(s *Sorter, known, row func(r *Record, matched bool) error) error {
	var current Record // the known record that others are being matched with
	open, matched := false, false
	report := func() error {
		if !open || known == nil {
			return nil
		}
		return known(&current, matched)
	}
	err := s.Sorted(func(r *Record) (err error) {
		same := open && r.Hi == current.Hi && r.Lo == current.Lo
		switch {
		case r.Row != Known:
			matched = matched || same
			err = row(r, same)
		case !same:
			err = report()
			current, open, matched = *r, true, false
		}
		return err
	})
	if err != nil {
		return err
	}
	return report()
}
