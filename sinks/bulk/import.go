// Package bulk writes rows to the API, each exactly once, and says what became of
// it: Import makes and changes records, Plan finds out what an Import would do, Verify
// compares a run's rows with the API, and Undo takes back what a run did.
//
// # Terms
//
// An import keeps to these terms:
//
//   - A row is Written when the API's answer, or a later read, shows it.
//   - A row is sent again only if what it was sent in is known not to have been
//     processed, or known to have left no trace of it.
//   - What a 2xx shows is never sent again: if an answer shows as many distinct new ids
//     as rows were sent, each row of that request was created, and no row of it is ever
//     sent again, whatever the items look like. A row and an item are matched by the key,
//     else by the values that are equal, where one row and one item fit each other only,
//     else by what is left and by position. What is stored in another form than it was
//     sent is a warning. Where an answer shows fewer ids, a row that cannot be matched is
//     InDoubt, and looked up by the ids that are left.
//   - A key that is not found proves that its row was not written only if the API was
//     seen to keep keys of that form unchanged. Otherwise the row is compared with the
//     records that were made since the run began.
//   - A record that was made since the run began and that has the key of a row which was
//     sent is the row's own, whatever its other values are.
//   - A row that may have been written is InDoubt, and stays so.
//   - A row is Rejected for what the API says of it, never for what the API
//     says of the credentials, the address or the time.
package bulk

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"flytt/internal/api"
	"flytt/internal/drain"
	"flytt/pipeline"
)

// Atomicity is what is known of a bulk request that is refused because of some
// of its rows.
type Atomicity uint8

const (
	UnknownAtomicity Atomicity = iota // the others may have been written or not
	AllOrNothing                      // none was written
	PartialWrites                     // the others were written
)

// ParseAtomicity returns the Atomicity that settings call all, partial or
// unknown.
func ParseAtomicity(s string) (Atomicity, error) {
	switch s {
	case "all":
		return AllOrNothing, nil
	case "partial":
		return PartialWrites, nil
	case "unknown", "":
		return UnknownAtomicity, nil
	}
	return 0, errors.New("atomicity: not one of all, partial, unknown")
}

// Cell says which input column is named after a field.
type Cell struct {
	Column int
	Field  string
}

// Options says how rows are written in bulk.
type Options struct {
	Path        string    // of the list: starts and ends with a slash
	Records     string    // of the collection, for single records, likewise; empty: Path without its list/
	Mode        Mode      // what a row does: make a record or change one
	Nulls       []string  // fields that a row without a value clears in the record it changes; nil: they stay as they are
	Key         string    // the field that identifies a row; empty, or not among those sent: none
	KeyLookup   bool      // the list can be filtered by keys, and they may stand in a URL
	KeyContains bool      // the list can be filtered by a part of a key, without regard to case
	KeyDigits   bool      // keys are compared by their digits: ssn, org_no
	Texts       []string  // fields of text that a record made without them has empty until somebody fills them in: see Undo
	ReadOnly    []Cell    // input columns of fields that only the API sets: a warning where they differ from the record
	Atomicity   Atomicity // of a refused request
	Columns     []int16   // for each field the input column it comes from, for problems and AsStored; nil: none
	AsStored    bool      // a cell that is the very text its record holds is no change, whatever the mapping made of it

	Began   time.Time // of the run, or of the one whose rows it retries, by this machine's clock; zero: records are not told apart by their age
	Created string    // member of a record in which the API says when it was made; empty: it does not

	LookFirst    func(row int64) bool // the row with this number is to make no second record with its key; nil: none is
	SkipExisting bool                 // rows that would make a record are left out where their key is there already

	MaxBytes  int // of one request; 8 MiB
	MaxExtra  int // requests that one chunk may cost once it was refused, to find the rows that are; 256
	MaxDoubts int // requests in a row that end in doubt before the run is stopped; 20

	Journal Journal // where what is sent, and what became of it, is on record; nil: nowhere
	// Strays reads the records that were made since the run began, by the server's clock,
	// and that no row of the run is known to have made, whole objects. With an error there
	// may be more of them. Nothing is sent while it reads. Nil: it cannot be told.
	Strays func(ctx context.Context) ([][]byte, error)

	// Sought says that an earlier pass has looked all rows in doubt up by their keys. Before
	// that a record that has another key than a row may yet be found to be that of the row
	// that has it.
	Sought bool

	Settle    time.Duration                // after which the API is not working on a request any more: rows in doubt are looked up then
	Shared    func(row int64) bool         // the key of the row with this number is that of other rows, too: it cannot be looked up; nil: none is
	Planned   Planned                      // what each row is to do; one that would do something else is rejected; nil: whatever applies
	Undoable  bool                         // keep what records held before they were changed
	SealImage func([]byte) ([]byte, error) // encrypts what is kept of them; nil: the journal's own encryption is enough

	// Compare says of fields, by their names, in which form their texts are compared:
	// a record that holds another form of the same value holds the value.
	Compare map[string]func(string) string

	// Like has the StoredPairs of an earlier run: what the API made then of a value is no
	// difference to that value now. It needs a Journal with the key of that run's. Its
	// error stops the run. Nil: there is no such run.
	Like interface {
		Has(pair uint64) (bool, error)
	}

	// Drain is closed with pipeline.ErrInterrupted when the run is drained: then nothing is
	// waited for any more, and Write returns that. The client has to have the same. Nil: it
	// stays open.
	Drain *drain.Gate

	Log *slog.Logger // nil: none
}

func (o Options) withDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, 8<<20)
	o.MaxExtra = cmp.Or(o.MaxExtra, 256)
	o.MaxDoubts = cmp.Or(o.MaxDoubts, 20)
	if o.Records == "" {
		o.Records = strings.TrimSuffix(o.Path, "list/")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Import writes rows to the API: new ones in bulk requests, one or more for each
// chunk; those that change a record one by one. It takes concurrent writes. The
// rows it has written stay: there is nothing to commit and nothing to take back.
type Import struct {
	engine   *engine
	delivery *delivery
	writers  sync.Pool // *chunkWriter
}

var _ pipeline.Sink = (*Import)(nil)

// NewImport returns a sink that writes rows of schema through client.
func NewImport(client *api.Client, schema *pipeline.Schema, o Options) (*Import, error) {
	e, err := newEngine(client, schema, o)
	if err != nil {
		return nil, err
	}
	s := &Import{engine: e, delivery: newDelivery(client, &e.options)}
	s.writers.New = func() any { return newChunkWriter(e, s.delivery) }
	return s, nil
}

// Encoder returns an encoder of rows as JSON objects, behind the id of each row
// that is told by it.
func (s *Import) Encoder() pipeline.Encoder {
	return s.engine.encoder()
}

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
	return s.engine.options.KeyLookup && !s.engine.changes && !s.engine.options.SkipExisting
}

// Commit does nothing: what was written is final.
func (s *Import) Commit(context.Context) error { return nil }

// Abort reports that the rows written stand.
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

// Rows that are about records which exist keep to these terms, besides those of
// the bulk sink:
//
//   - A record is found by id, or by a key that only one record has. A row whose
//     record is not found, or not told apart, is Rejected; nothing is guessed.
//   - A row is compared with its record first. If the record holds all of it the
//     row is Unchanged; otherwise the fields that differ, and no others, are sent.
//   - What one read does not show is not taken for absent: an id that the list
//     leaves out is asked for by itself, and a key is absent only if the same
//     answer shows a record that is known to be there.
//   - A change without a clear answer is never sent again. It is read back: if
//     the record holds it the row is Updated, otherwise InDoubt.
//   - A row with an id that breaks a rule is compared before it is turned away: see
//     update_flaws.go.

// Mode says what a row does: make a record or change one.
type Mode uint8

const (
	ByID       Mode = iota // a row with an id changes the record that has it, one without makes a new one
	CreateOnly             // every row makes a new record
	UpdateOnly             // every row changes a record
	Upsert                 // a row changes the record it is about, or makes it if there is none
)

// ParseMode returns the Mode that settings call create, update or upsert;
// nothing is ByID.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "":
		return ByID, nil
	case "create":
		return CreateOnly, nil
	case "update":
		return UpdateOnly, nil
	case "upsert":
		return Upsert, nil
	}
	return 0, errors.New("mode: not one of create, update, upsert")
}

// checkMode works out by what rows are told to be about records that exist. It
// is a *pipeline.UsageError if there is nothing to tell them by.
func (e *engine) checkMode() error {
	o := &e.options
	e.byID = o.Mode != CreateOnly && e.schema.Index(idField) >= 0
	e.changes = e.byID || o.Mode == UpdateOnly || o.Mode == Upsert
	e.byKey = (o.Mode == UpdateOnly || o.Mode == Upsert || o.SkipExisting) && o.KeyLookup && o.Key != idField
	if e.changes && !e.byID && !e.byKey {
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
