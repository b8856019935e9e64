package bulk

import (
	"context"
	"errors"

	"flytt/internal/api"
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

// anchored returns a key that the list has shown in this run, or shows now; nil if
// it shows none.
func (e *engine) anchored(ctx context.Context) (*anchor, error) {
	if known := e.anchor.Load(); known != nil {
		return known, nil
	}
	key, err := e.reader.AnyKey(ctx, e.options.Path, e.options.Key)
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

var errShowsNoRecord = errors.New("the list shows no record at all, and records had the keys of some rows before")
