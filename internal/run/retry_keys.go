package run

import (
	"errors"

	"flytt/internal/dedup"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// RowsOfWrittenKeys returns those of the rows sent that would make a second record with a
// key that the first run of g or a retry of it wrote: of two rows with one key the run may
// have sent one and rejected the other, which is then alone in the file. It reads the rows
// from s, through plan, and keeps digests of keys in dir.
func RowsOfWrittenKeys(g runs.Group, dir string, s pipeline.Source, plan *mappings.Plan, sent runs.RowSet) (_ runs.RowSet, err error) {
	k := keyMatcher{hasher: dedup.NewHasher(), sorter: dedup.NewSorter(dir, dedup.MemoryRecords)}
	defer func() { err = errors.Join(err, k.sorter.Close()) }()
	if err := eachNewKey(s, plan, sent, k.add); err != nil || k.n == 0 {
		return nil, err
	}
	for _, r := range g.Senders() {
		err := r.EachWritten(func(w runs.WrittenRow) error { return k.add(dedup.Known, []byte(w.Key)) })
		if err != nil {
			return nil, err
		}
	}
	rows := runs.RowSet{}
	err = dedup.Match(k.sorter, nil, func(r *dedup.Record, written bool) error {
		if written {
			rows.Add(r.Row)
		}
		return nil
	})
	return rows, err
}

// keyMatcher matches the keys of rows with those that were written.
type keyMatcher struct {
	hasher *dedup.Hasher
	sorter *dedup.Sorter
	n      int
}

// add adds the key of row.
func (k *keyMatcher) add(row int64, key []byte) error {
	if len(key) == 0 {
		return nil
	}
	k.n++
	r := k.hasher.Record(uint8(mappings.MatchKey), key)
	r.Row = row
	return k.sorter.Add([]dedup.Record{r})
}

// eachNewKey calls visit with the key of every row sent that would become a new
// record, if it has one.
func eachNewKey(s pipeline.Source, plan *mappings.Plan, sent runs.RowSet, visit func(row int64, key []byte) error) error {
	step, id := plan.Step(), plan.Schema().Index("id")
	return sources.Each(s, func(b *pipeline.Batch) error {
		if err := step.Apply(b); err != nil {
			return err
		}
		for i, row := range b.Rows {
			if known := id >= 0 && len(b.Fields[id].Value(i)) > 0; known || !sent.Has(row) {
				continue
			}
			if err := visit(row, keyOf(b, i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// keyOf returns the key of row i, if it has one.
func keyOf(b *pipeline.Batch, i int) []byte {
	if i >= b.Keys.Len() {
		return nil
	}
	return b.Keys.Value(i)
}
