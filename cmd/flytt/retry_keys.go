package main

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"path/filepath"

	"flytt/internal/dedup"
	"flytt/mappings"
	"flytt/pipeline"
)

// noteClashes notes the rows of a retry that would make a second record with a key
// that f wrote already: of two rows with one key the run may have sent one and
// rejected the other, which is then alone in the file. Rows that find their record,
// by key or by id, are none of them.
func (j *job) noteClashes(f family, record *retryRecord) (err error) {
	if j.change.finds() {
		return nil
	}
	c := keyClashes{sorter: dedup.NewSorter(j.dir.Path, dedupRecords)}
	defer func() { err = errors.Join(err, c.sorter.Close()) }()
	rand.Read(c.key[:]) // never fails
	if err := j.eachNewKey(record.sent(), c.add); err != nil || c.n == 0 {
		return err
	}
	for i, r := range f {
		if i > 0 && r.retry == nil {
			continue
		}
		err := eachKey(filepath.Join(r.path, "written.csv"), func(_ int64, key []byte) error { return c.add(keyArrived, key) })
		if err != nil {
			return err
		}
	}
	record.Clash, err = c.find()
	return err
}

// keyClashes finds the rows whose keys were written, in bounded memory: by digests
// with a key that nobody keeps.
type keyClashes struct {
	key    [sha256.Size]byte
	sorter *dedup.Sorter
	n      int
	text   []byte // buffer
}

// keyArrived is in place of the number of a row whose key was written. It comes
// before all rows.
const keyArrived = 0

// add adds the key of row.
func (c *keyClashes) add(row int64, key []byte) error {
	if len(key) == 0 {
		return nil
	}
	c.n++
	r := dedup.Record{Row: row}
	r.Hi, r.Lo, c.text = digest(c.text, &c.key, byte(mappings.Key), key)
	return c.sorter.Add([]dedup.Record{r})
}

// find returns the rows whose keys were written.
func (c *keyClashes) find() (rowSet, error) {
	rows := rowSet{}
	var last dedup.Record
	err := c.sorter.Sorted(func(r *dedup.Record) error {
		switch {
		case r.Row == keyArrived:
			last = *r
		case r.Hi == last.Hi && r.Lo == last.Lo:
			rows.add(r.Row)
		}
		return nil
	})
	return rows, err
}

// eachNewKey calls visit with the key of every row sent that would become a new
// record, if it has one.
func (j *job) eachNewKey(sent rowSet, visit func(row int64, key []byte) error) error {
	s, _, _, err := j.flags.inputOptions.open(j.input, j.mapping, nil)
	if err != nil {
		return err
	}
	step, id := j.plan.Step(), j.plan.Schema().Index("id")
	err = decodeAll(s, func(b *pipeline.Batch) error {
		if err := step.Apply(b); err != nil {
			return err
		}
		for i, row := range b.Rows {
			if known := id >= 0 && len(b.Fields[id].Value(i)) > 0; known || !sent.has(row) {
				continue
			}
			if err := visit(row, keyOf(b, i)); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, s.Close())
}

// keyOf returns the key of row i, if it has one.
func keyOf(b *pipeline.Batch, i int) []byte {
	if i >= b.Keys.Len() {
		return nil
	}
	return b.Keys.Value(i)
}
