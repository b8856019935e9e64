package bulk

import (
	"context"
	"errors"

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
func (e *engine) checkSkipExisting() error {
	o := &e.options
	switch {
	case !o.SkipExisting:
		return nil
	case o.Mode == UpdateOnly || o.Mode == Upsert:
		return &pipeline.UsageError{Place: "import", Cause: "rows are to change the records that are there, and to be left out where there is one",
			Hint: "leave one of --mode and --skip-existing out"}
	case !e.byKey:
		return &pipeline.UsageError{Place: "import", Cause: "which rows are there already cannot be told: there is no key that the list can be filtered by",
			Hint: "name a field that is mapped with --key, such as custom_id"}
	}
	return nil
}

// leaveOut settles those of rows, which would make records, whose keys are there.
// It returns the others.
func (w *write) leaveOut(ctx context.Context, rows []int32) ([]int32, error) {
	if !w.engine.options.SkipExisting {
		return rows, nil
	}
	rows = w.keyed(rows)
	for len(rows) > 0 {
		known, err := w.engine.anchored(ctx)
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
func (e *engine) anchored(ctx context.Context) (*anchor, error) {
	if known := e.anchor.Load(); known != nil {
		return known, nil
	}
	key, err := e.client.AnyKey(ctx, e.options.Path, e.options.Key)
	switch {
	case errors.Is(err, api.ErrCanaryMissing):
		return nil, nil
	case interrupted(ctx, err) || stops(ctx, err):
		return nil, err
	case err != nil:
		return nil, &lookupError{path: e.options.Path, err: err}
	}
	e.shown(key)
	return e.anchor.Load(), nil
}

// exists settles row, whose key records have.
func (w *write) exists(row int32, records []api.Record) error {
	if len(records) > 1 {
		w.rows.note(row, w.engine.field(w.engine.options.Key), CodeKeyNotUnique, "")
		return nil
	}
	patch, err := w.matcher.lacks(row, w.rows.item(row), records[0].Object)
	if err != nil {
		return err
	}
	if patch == nil {
		w.rows.chunk.Fates[row] = pipeline.Unchanged
		w.rows.setID(row, []byte(records[0].ID))
		return nil
	}
	w.rows.chunk.Fates[row] = pipeline.Existing
	for name := range jsonscan.Members(patch) {
		w.rows.warn(row, w.engine.field(string(jsonscan.Unquote(name))), codeExistsOtherwise)
	}
	return nil
}

var errShowsNoRecord = errors.New("the list shows no record at all, and records had the keys of some rows before")
