package bulk

import (
	"context"
	"errors"
	"slices"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// With SkipExisting no row makes a record whose key is there already: keys are
// looked up before rows are sent, in batches, and each answer has to show a record
// that is known to be there to be believed. A row whose record holds all of it is
// Unchanged, one whose record does not is Existing with a warning for each field
// that differs. A row that has no key that can be looked up is Rejected.

// checkSkipExisting returns a *pipeline.UsageError if rows cannot be skipped for their keys.
func (s *Import) checkSkipExisting() error {
	o := &s.options
	switch {
	case !o.SkipExisting:
		return nil
	case o.Mode == UpdateOnly || o.Mode == Upsert:
		return &pipeline.UsageError{Place: "import", Cause: "rows are to change the records that are there, and to be left out where there is one",
			Hint: "leave one of --mode and --skip-existing out"}
	case !s.byKey:
		return &pipeline.UsageError{Place: "import", Cause: "which rows are there already cannot be told: there is no key that the list can be filtered by",
			Hint: "name a field that is mapped with --key, such as custom_id"}
	}
	return nil
}

// leaveOut settles those of rows, which would make records, whose keys are there.
// It returns the others.
func (w *write) leaveOut(ctx context.Context, rows []int32) ([]int32, error) {
	if !w.bulk.options.SkipExisting {
		return rows, nil
	}
	rows = w.keyed(rows)
	for len(rows) > 0 {
		known, err := w.bulk.anchored(ctx)
		if err != nil {
			return nil, err
		}
		if known != nil {
			return w.findKeys(ctx, rows, known)
		}
		// The list is empty: the first row that is written will be there.
		if rows, err = w.firstOf(ctx, rows); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// anchored returns a key that the list has shown in this run, or shows now; nil if
// it shows none.
func (s *Import) anchored(ctx context.Context) (*anchor, error) {
	if known := s.anchor.Load(); known != nil {
		return known, nil
	}
	key, err := s.client.AnyKey(ctx, s.options.Path, s.options.Key)
	switch {
	case errors.Is(err, api.ErrCanaryMissing):
		return nil, nil
	case interrupted(ctx, err) || stops(ctx, err):
		return nil, err
	case err != nil:
		return nil, &lookupError{path: s.options.Path, err: err}
	}
	s.shown(key)
	return s.anchor.Load(), nil
}

// exists settles row, whose key records have.
func (w *write) exists(row int32, records []api.Record) error {
	if len(records) > 1 {
		w.note(row, w.bulk.field(w.bulk.options.Key), CodeKeyNotUnique, "")
		return nil
	}
	patch, err := w.lacks(row, w.item(row), records[0].Object)
	if err != nil {
		return err
	}
	if patch == nil {
		w.chunk.Fates[row] = pipeline.Unchanged
		w.setID(row, []byte(records[0].ID))
		return nil
	}
	w.chunk.Fates[row] = pipeline.Existing
	for name := range jsonscan.Members(patch) {
		w.warn(row, w.bulk.field(string(jsonscan.Unquote(name))), codeExistsOtherwise)
	}
	return nil
}

// looksFirst reports whether row is to make no second record with its key.
func (w *write) looksFirst(row int32) bool {
	f := w.bulk.options.LookFirst
	return f != nil && f(w.chunk.Rows[row])
}

var errShowsNoRecord = errors.New("the list shows no record at all, and records had the keys of some rows before")

// lookFirst settles those of rows that are to make no second record with their key and
// whose key is there. It returns the others.
func (w *write) lookFirst(ctx context.Context, rows []int32) ([]int32, error) {
	o := &w.bulk.options
	if o.LookFirst == nil || !o.KeyLookup {
		return rows, nil
	}
	var asked, rest []int32
	for _, row := range rows {
		if w.looksFirst(row) && api.Lookupable(w.key(row)) {
			asked = append(asked, row)
		} else {
			rest = append(rest, row)
		}
	}
	if len(asked) == 0 {
		return rows, nil
	}
	known, err := w.bulk.anchored(ctx)
	switch {
	case err != nil:
		return nil, err
	case known == nil: // records had the keys of these rows: a list that is empty now is not believed
		return nil, &lookupError{path: o.Path, err: errShowsNoRecord}
	}
	l := api.Lookup{Path: o.Path, Field: o.Key, Keys: w.keysOf(asked), Canary: known.key}
	found, err := w.bulk.client.FindByKeys(ctx, l)
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return nil, err
		}
		return nil, &lookupError{path: o.Path, err: err}
	}
	for _, row := range asked {
		owner, record := w.ownerOf(row, found[string(w.key(row))].Records, wasEnded)
		if !w.settleBy(row, owner, record) {
			rest = append(rest, row)
		}
	}
	slices.Sort(rest)
	return rest, nil
}
