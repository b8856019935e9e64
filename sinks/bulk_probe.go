package sinks

import (
	"context"

	"flytt/pipeline"
)

// Where rows are told to be new by a look-up that does not find their keys (with upsert
// and with SkipExisting), that is a proof only for keys of a form that the API keeps. As
// long as that is not known of a form, one row of it is sent alone: its answer tells. Once
// the API was seen to change a key, no row is made whose key it may change, too: the next
// run would not find it and make another.

// provable returns those of rows, which are to be created, whose keys are of a form that
// the API keeps. Others it sends alone, or rejects.
func (w *write) provable(ctx context.Context, rows []int32) ([]int32, error) {
	s := w.bulk
	if !s.byKey {
		return rows, nil
	}
	for {
		unknown := w.sortByForm(rows)
		if rows = w.stillPending(rows); unknown < 0 {
			return rows, nil
		}
		if err := w.probe(ctx, unknown); err != nil {
			return rows, err
		}
	}
}

// sortByForm rejects those of rows whose keys the API may change, and returns a row of
// which it is not known whether the API does; -1 if there is none.
func (w *write) sortByForm(rows []int32) (unknown int32) {
	f := &w.bulk.forms
	unknown = -1
	for _, row := range rows {
		switch key := w.key(row); {
		case w.chunk.Fates[row] != pipeline.Pending, len(key) == 0, f.expects(key):
		case f.alters():
			w.note(row, w.bulk.field(w.bulk.options.Key), codeKeyNotKept, "")
		case unknown < 0 && !f.untold.Load():
			unknown = row
		}
	}
	return unknown
}

// probe sends row alone, one row at a time in the whole run, unless the answer to another
// has told meanwhile what is to be known.
func (w *write) probe(ctx context.Context, row int32) error {
	f := &w.bulk.forms
	f.probing.Lock()
	defer f.probing.Unlock()
	if f.expects(w.key(row)) || f.alters() || f.untold.Load() {
		return nil
	}
	if err := w.send(ctx, []int32{row}); err != nil {
		return err
	}
	if err := w.readUnshown(ctx); err != nil {
		return err
	}
	if w.chunk.Fates[row] == pipeline.Written && !f.expects(w.key(row)) && !f.alters() {
		f.untold.Store(true) // the API does not show what it stores
	}
	return nil
}
