package journal

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// row is a record in the form of the database.
type row struct {
	seq  int64
	body []byte
	mac  []byte
}

// check returns the checksum of the row, or ErrDamaged if it is wrong.
func (s *store) check(kind byte, r *row) (digest, error) {
	sum := s.macs.of(kind, r.seq, r.body)
	if string(r.mac) != string(sum[:]) {
		return sum, damaged(fmt.Sprintf("the record of chunk %d is not as it was written", r.seq))
	}
	return sum, nil
}

// read returns the row of a chunk, nil if there is none.
func (s *store) read(seq int64) (*row, error) {
	r := &row{seq: seq}
	err := s.getChunk.QueryRowContext(background, seq).Scan(&r.body, &r.mac)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// page returns up to limit rows of chunks from seq on.
func (s *store) page(seq int64, limit int) (rows []row, err error) {
	found, err := s.pageOfChunks.QueryContext(background, seq, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var r row
		if err := found.Scan(&r.seq, &r.body, &r.mac); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// record checks a row and decodes it.
func (s *store) record(r *row) (*record, error) {
	if _, err := s.check(chunkKind, r); err != nil {
		return nil, err
	}
	rec, err := decodeRecord(r.seq, r.body)
	if err != nil {
		return nil, damaged(fmt.Sprintf("the record of chunk %d cannot be read", r.seq))
	}
	return rec, nil
}

// entry checks a row and decodes all of it.
func (s *store) entry(r *row) (*Entry, error) {
	rec, err := s.record(r)
	if err != nil {
		return nil, err
	}
	e := &Entry{Chunk: rec.Chunk, State: rec.state, Sent: rec.sent}
	if len(rec.settled) == 0 {
		return e, nil
	}
	settlement, notes, err := decodeSettlement(rec.settled, rec.Rows)
	if err == nil && len(notes) > 0 {
		settlement.Notes, err = s.unseal(notesKind, r.seq, notes)
	}
	if err != nil {
		return nil, damaged(fmt.Sprintf("the record of chunk %d cannot be read", r.seq))
	}
	e.Settlement = settlement
	return e, nil
}

// change reads the record of a chunk, nil if there is none, and writes what f makes of
// it; nothing if f returns nil.
func (s *store) change(seq int64, f func(*record) (*record, error)) error {
	r, err := s.read(seq)
	if err != nil {
		return err
	}
	var was *record
	if r != nil {
		if was, err = s.record(r); err != nil {
			return err
		}
	}
	is, err := f(was)
	if err != nil || is == nil {
		return err
	}
	body := is.encode()
	mac := s.macs.of(chunkKind, seq, body)
	if _, err := s.putChunk.ExecContext(background, seq, body, mac[:]); err != nil {
		return err
	}
	if r != nil {
		s.ledger.Total.toggle(digest(r.mac))
	} else {
		s.ledger.Chunks++
	}
	s.ledger.Total.toggle(mac)
	s.ledger.Outcome = ""
	return nil
}

// plan records a chunk. One that is already known stays as it is.
func (s *store) plan(c *Chunk) error {
	return s.change(c.Seq, func(was *record) (*record, error) {
		is := &record{Chunk: *c, state: Planned}
		if was == nil {
			return is, nil
		}
		same := was.First == c.First && was.Last == c.Last && was.Rows == c.Rows && bytes.Equal(was.Digest, c.Digest)
		switch {
		case same:
			return nil, nil
		case was.state == Planned:
			return is, nil
		}
		return nil, fmt.Errorf("other rows, or other content, of it (rows %d to %d) were sent before", was.First, was.Last)
	})
}

// sending records that rows of a chunk are about to be sent, and the encrypted image of
// what they change.
func (s *store) sending(seq int64, rows []int32, image []byte) error {
	return s.change(seq, func(r *record) (*record, error) {
		if r == nil {
			return nil, errors.New("it was not planned")
		}
		if n := len(rows); n > 0 && (rows[0] < 0 || int(rows[n-1]) >= r.Rows) {
			return nil, fmt.Errorf("it has %d rows, and not those", r.Rows)
		}
		r.state = Sending
		r.sent = merge(r.sent, rows)
		if image == nil {
			return r, nil
		}
		mac := s.imageMAC(seq, int64(r.images), image)
		if _, err := s.putImage.ExecContext(background, seq, int64(r.images), image); err != nil {
			return nil, err
		}
		r.images++
		r.imaged.toggle(mac)
		return r, nil
	})
}

// merge returns the union of two ascending lists as a new list.
func merge(a, b []int32) []int32 {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// settle records what became of the rows of a chunk.
func (s *store) settle(seq int64, settled []byte, rows int) error {
	return s.change(seq, func(r *record) (*record, error) {
		switch {
		case r == nil:
			return nil, errors.New("it was not planned")
		case rows != r.Rows:
			return nil, fmt.Errorf("it has %d rows, and fates of %d", r.Rows, rows)
		}
		r.state, r.sent, r.settled = Settled, nil, settled
		return r, nil
	})
}

func (s *store) imageMAC(seq, n int64, body []byte) digest {
	return s.macs.of(imageKind, seq, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body)
}

// images returns the decrypted before images of a chunk.
func (s *store) images(seq int64) ([]BeforeImage, error) {
	r, err := s.read(seq)
	if r == nil || err != nil {
		return nil, err
	}
	rec, err := s.record(r)
	if err != nil || rec.images == 0 {
		return nil, err
	}
	rows, sum, err := s.imageRows(seq)
	if err != nil {
		return nil, err
	}
	if uint64(len(rows)) != rec.images || sum != rec.imaged {
		return nil, damaged(fmt.Sprintf("images of chunk %d are not as they were written", seq))
	}
	images := make([]BeforeImage, len(rows))
	for i, r := range rows {
		images[i].Seq = seq
		if images[i].Data, err = s.unseal(imageKind, seq, r.body); err != nil {
			return nil, damaged(fmt.Sprintf("image %d of chunk %d cannot be read", i, seq))
		}
	}
	return images, nil
}

// imageRows returns the before images of a chunk in the form of the database, and the
// XOR of their checksums.
func (s *store) imageRows(seq int64) (rows []row, sum digest, err error) {
	found, err := s.imagesOf.QueryContext(background, seq)
	if err != nil {
		return nil, sum, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var n int64
		r := row{seq: seq}
		if err := found.Scan(&n, &r.body); err != nil {
			return nil, sum, err
		}
		sum.toggle(s.imageMAC(seq, n, r.body))
		rows = append(rows, r)
	}
	return rows, sum, found.Err()
}
