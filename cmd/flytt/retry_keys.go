package main

import (
	"errors"
	"path/filepath"

	"flytt/pipeline"
)

// noteClashes notes the rows of a retry that would make a second record with a key
// that f wrote already: of two rows with one key the run may have sent one and
// rejected the other, which is then alone in the file. Rows that find their record,
// by key or by id, are none of them.
func (j *job) noteClashes(f family, record *retryRecord) error {
	if j.change.finds() {
		return nil
	}
	keys, err := j.keysOfFile(record.sent())
	if err != nil || len(keys) == 0 {
		return err
	}
	for i, r := range f {
		if i > 0 && r.retry == nil {
			continue
		}
		err := eachKey(filepath.Join(r.path, "written.csv"), func(_ int64, key []byte) error {
			if rows := keys[string(key)]; len(rows) > 0 {
				record.Clash = append(record.Clash, rows...)
				delete(keys, string(key))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOfFile returns the keys of the rows sent that would become new records, and
// which rows have each. They are kept in memory alone.
func (j *job) keysOfFile(sent map[int64]bool) (map[string][]int64, error) {
	s, _, _, err := j.flags.inputOptions.open(j.input, j.mapping, nil)
	if err != nil {
		return nil, err
	}
	keys, step := map[string][]int64{}, j.plan.Step()
	id := j.plan.Schema().Index("id")
	err = decodeAll(s, func(b *pipeline.Batch) error {
		if err := step.Apply(b); err != nil {
			return err
		}
		for i, row := range b.Rows {
			known := id >= 0 && len(b.Fields[id].Value(i)) > 0
			if key := keyOf(b, i); sent[row] && len(key) > 0 && !known {
				keys[string(key)] = append(keys[string(key)], row)
			}
		}
		return nil
	})
	return keys, errors.Join(err, s.Close())
}

// keyOf returns the key of row i, if it has one.
func keyOf(b *pipeline.Batch, i int) []byte {
	if i >= b.Keys.Len() {
		return nil
	}
	return b.Keys.Value(i)
}
