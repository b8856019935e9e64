package bulk

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"flytt/internal/drain"
)

// Target says where rows go, and by what their records are found.
type Target struct {
	Path    string // of the list: starts and ends with a slash
	Records string // of the collection, for single records, likewise; empty: Path without its list/
	Mode    Mode   // what a row does: make a record or change one
	Created string // member of a record in which the API says when it was made; empty: it does not

	Key          string               // the field that identifies a row; empty, or not among those sent: none
	KeyLookup    bool                 // the list can be filtered by keys, and they may stand in a URL
	KeyContains  bool                 // the list can be filtered by a part of a key, without regard to case
	KeyDigits    bool                 // keys are compared by their digits: ssn, org_no
	Shared       func(row int64) bool // the key of the row with this number is that of other rows, too: it cannot be looked up; nil: none is
	SkipExisting bool                 // rows that would make a record are left out where their key is there already
}

// Comparison says how rows are compared with records.
type Comparison struct {
	Columns  []int16  // for each field the input column it comes from, for problems and AsStored; nil: none
	AsStored bool     // a cell that is the very text its record holds is no change, whatever the mapping made of it
	Nulls    []string // fields that a row without a value clears in the record it changes; nil: they stay as they are
	Texts    []string // fields of text that a record made without them has empty until somebody fills them in: see Undo
	ReadOnly []Cell   // input columns of fields that only the API sets: a warning where they differ from the record

	// Compare says of fields, by their names, in which form their texts are compared:
	// a record that holds another form of the same value holds the value.
	Compare map[string]func(string) string

	// Like has the StoredPairs of an earlier run: what the API made then of a value is no
	// difference to that value now. It needs a Journal with the key of that run's. Its
	// error stops the run. Nil: there is no such run.
	Like interface {
		Has(pair uint64) (bool, error)
	}
}

// Cell says which input column is named after a field.
type Cell struct {
	Column int
	Field  string
}

// Limits bounds what is sent.
type Limits struct {
	MaxBytes  int // of one request; 8 MiB
	MaxExtra  int // requests that one chunk may cost once it was refused, to find the rows that are; 256
	MaxDoubts int // requests in a row that end in doubt before the run is stopped; 20
}

func (l Limits) withDefaults() Limits {
	return Limits{cmp.Or(l.MaxBytes, 8<<20), cmp.Or(l.MaxExtra, 256), cmp.Or(l.MaxDoubts, 20)}
}

// ImportOptions says how rows are written in bulk.
type ImportOptions struct {
	Target
	Comparison
	Limits

	Atomicity Atomicity            // of a refused request
	Began     time.Time            // of the run, or of the one whose rows it retries, by this machine's clock; zero: records are not told apart by their age
	Settle    time.Duration        // after which the API is not working on a request any more: rows in doubt are looked up then
	LookFirst func(row int64) bool // the row with this number is to make no second record with its key; nil: none is
	Planned   Planned              // what each row is to do; one that would do something else is rejected; nil: whatever applies

	// Unmatched reads the records that were made since the run began, by the server's clock,
	// and that no row of the run is known to have made, whole objects. With an error there
	// may be more of them. Nothing is sent while it reads. Nil: it cannot be told.
	Unmatched func(ctx context.Context) ([][]byte, error)

	// KeysLookedUp says that an earlier pass has looked all rows in doubt up by their keys. Before
	// that a record that has another key than a row may yet be found to be that of the row
	// that has it.
	KeysLookedUp bool

	Journal   Journal                      // where what is sent, and what became of it, is on record; nil: nowhere
	Undoable  bool                         // keep what records held before they were changed
	SealImage func([]byte) ([]byte, error) // encrypts what is kept of them; nil: the journal's own encryption is enough

	// Drain is closed with pipeline.ErrInterrupted when the run is drained: then nothing is
	// waited for any more, and Write returns that. The client has to have the same. Nil: it
	// stays open.
	Drain *drain.Gate
	Log   *slog.Logger // nil: none
}

// Options says how rows are compared with records, where nothing is sent. They are those
// of the import that is planned, or of the run that wrote the rows.
type Options struct {
	Target
	Comparison

	Drain *drain.Gate
	Log   *slog.Logger
}

// UndoOptions says how rows are undone. They are those of the run that wrote the rows.
type UndoOptions struct {
	Target
	Comparison
	Limits

	// Open decrypts what records held before they were changed; nil: what is sealed cannot
	// be restored.
	Open func([]byte) ([]byte, error)

	Journal Journal // that of the undo
	Drain   *drain.Gate
	Log     *slog.Logger
}

// settings are the options that Import, Plan, Verify and Undo have in common.
type settings struct {
	Target
	Comparison

	Journal  Journal  // nil: nothing is noted
	Digester Digester // of the journal, or of that of the earlier run; nil: there is none
	Drain    *drain.Gate
	Log      *slog.Logger
}

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
	named := map[string]Atomicity{"": UnknownAtomicity, "unknown": UnknownAtomicity, "all": AllOrNothing, "partial": PartialWrites}
	if a, ok := named[s]; ok {
		return a, nil
	}
	return 0, errors.New("atomicity: not one of all, partial, unknown")
}

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
	named := map[string]Mode{"": ByID, "create": CreateOnly, "update": UpdateOnly, "upsert": Upsert}
	if m, ok := named[s]; ok {
		return m, nil
	}
	return 0, errors.New("mode: not one of create, update, upsert")
}
