// Package bulk writes rows to the API, each exactly once, and says what became of each:
// Import creates and changes records, Plan finds out what an Import would do, Verify
// compares a run's rows with the API, and Undo reverts what a run did.
//
// # Rules
//
// An import follows these rules:
//
//   - A row is Written when the API's answer, or a later read, shows its record.
//   - A row is sent again only if the request that it was sent in is known not to have
//     been processed, or known not to have created or changed the row's record.
//   - Rows that a 2xx answer shows are never sent again: if the answer shows as many
//     distinct new ids as rows were sent, each row of that request was created, whatever
//     the items of the answer look like. A row and an item are matched by the key; else by
//     equal values, if one row and one item fit only each other; else the remaining rows
//     and items are matched by position. A value that is stored in another form than it
//     was sent is a warning. If an answer shows fewer ids, a row that cannot be matched is
//     InDoubt, and looked up by the remaining ids.
//   - If a key is not found, this proves that its row was not written only if the API is
//     known to keep keys of that form unchanged. Otherwise the row is compared with the
//     records that were created since the run began.
//   - If a record was created since the run began and has the key of a row that was sent,
//     it is the record of that row, whatever its other values are.
//   - A row that may have been written is InDoubt, and stays InDoubt unless a lookup or the
//     journal settles it.
//   - A row is Rejected only for what the API says about the row, never for what the API
//     says about the credentials, the address or the time.
package bulk

import (
	"context"
	"sync"

	"flytt/internal/api"
	"flytt/pipeline"
)

// Import writes rows to the API: new rows in bulk requests, one or more for each chunk;
// rows that change a record one by one. Its methods can be called concurrently. Commit and
// Abort do not affect the rows that it has written.
type Import struct {
	engine   *engine
	delivery *delivery
	writers  sync.Pool // *chunkWriter
}

var _ pipeline.Sink = (*Import)(nil)

// NewImport returns a sink that writes rows of schema through client.
func NewImport(client *api.Client, schema *pipeline.Schema, o ImportOptions) (*Import, error) {
	e, err := newEngine(client, schema, settings{o.Target, o.Comparison, o.Journal, o.Journal, o.Drain, o.Log})
	if err != nil {
		return nil, err
	}
	o.Limits = o.Limits.withDefaults()
	if t := &e.options; t.KeyLookup && (o.Atomicity == UnknownAtomicity || t.Mode == Upsert || t.SkipExisting || o.Journal != nil) {
		e.canary.open()
	}
	s := &Import{engine: e, delivery: newDelivery(client, &e.options, o.Limits)}
	s.writers.New = func() any { return newChunkWriter(e, s.delivery, &o) }
	return s, nil
}

// Encoder returns an encoder of rows as JSON objects, behind the id of each row
// that is identified by it.
func (s *Import) Encoder() pipeline.Encoder { return s.engine.encoder() }

// Write sends the pending rows of c. Rows it leaves Pending, together with an
// error, were not sent or are known not to have been written. With a journal it
// sends those of which the journal does not know more, and has it note what became
// of them.
func (s *Import) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := s.writers.Get().(*chunkWriter)
	defer s.writers.Put(w)
	return w.write(ctx, c)
}

// Ahead reports whether a chunk may be put on record before its turn to be sent comes:
// if the process ends then its rows are in doubt, which a lookup settles, and nothing
// has to be read about them first.
func (s *Import) Ahead() bool {
	return s.engine.options.KeyLookup && !s.engine.changesRecords && !s.engine.options.SkipExisting
}

// Commit does nothing: what was written is final.
func (s *Import) Commit(context.Context) error { return nil }

// Abort reports that the rows written stay written.
func (s *Import) Abort() (undone bool, err error) { return false, nil }

// Recall settles those rows of c that earlier passes did, and those that they left in
// doubt. It sends nothing and looks nothing up. Of the chunk that the journal knows
// there may be the first rows only: the run was stopped before the others were read.
func (s *Import) Recall(c *pipeline.Chunk) error {
	if s.engine.options.Journal == nil {
		return nil
	}
	w := s.writers.Get().(*chunkWriter)
	defer s.writers.Put(w)
	return w.recall(c)
}

// downgrade turns the faults of row into warnings.
func (r *chunkRows) downgrade(row int32) {
	r.downgraded[row] = true
	for _, at := range r.errorsOf(row) {
		r.chunk.Problems[at].Severity = pipeline.Warning
	}
}

// These rules, in addition to those of the package, hold for rows that change existing
// records:
//
//   - A record is found by its id, or by a key that only one record has. If no record is
//     found, or more than one, the row is Rejected; nothing is guessed.
//   - A row is compared with its record first. If the record holds all values of the row,
//     the row is Unchanged; otherwise the fields that differ, and no others, are sent.
//   - A record does not count as absent because one read does not show it: an id that the
//     list does not show is read by itself, and a key is absent only if the same answer
//     shows the canary.
//   - A change without a clear answer is never sent again. The record is read back: if it
//     holds the change the row is Updated, otherwise InDoubt.
//   - A row with an id that breaks a rule is compared before it is rejected: see
//     downgrade.go.

// checkMode works out what shows that a row is about a record that exists. It
// is a *pipeline.UsageError if there is nothing to tell them by.
func (e *engine) checkMode() error {
	o := &e.options
	e.byID = o.Mode != CreateOnly && e.schema.Index(idField) >= 0
	e.changesRecords = e.byID || o.Mode == UpdateOnly || o.Mode == Upsert
	e.byKey = (o.Mode == UpdateOnly || o.Mode == Upsert || o.SkipExisting) && o.KeyLookup && o.Key != idField
	if e.changesRecords && !e.byID && !e.byKey {
		return &pipeline.UsageError{Place: "import", Cause: "rows are to change records, and neither an id nor a key that the list can be filtered by is mapped",
			Hint: "map the column that has the API's id to id, or name a key with --key"}
	}
	return e.checkSkipExisting()
}

// Repeatable reports whether the same rows may be imported in the same way again
// without a record being made twice: nothing was sent to be created, or a row
// finds the record it has made.
func (s *Import) Repeatable() bool {
	o := &s.engine.options
	return o.Mode == UpdateOnly || o.Mode == Upsert || o.SkipExisting || !s.delivery.created.Load()
}

// With SkipExisting no row creates a record whose key the API has already: keys are
// looked up in batches before rows are sent, and an answer counts only if it shows the
// canary. If the record holds all values of the row, the row is Unchanged; if not, it is
// Existing, with a warning for each field that differs. A row without a key that can be
// looked up is Rejected.

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
		return &pipeline.UsageError{Place: "import", Cause: "existing records cannot be found: the list cannot be filtered by any key",
			Hint: "name a field that is mapped with --key, such as custom_id"}
	}
	return nil
}

// Resolvable reports whether rows that are in doubt could be settled by another
// pass over the input: they have a key that can be looked up, which is not that
// of other rows, or change records that can be read.
func (s *Import) Resolvable() bool { return s.engine.resolvable.Load() }

// Settles reports whether rows in doubt can be settled at all: they have a key that
// can be looked up, or change records that can be read.
func (s *Import) Settles() bool { return s.engine.settles() }
