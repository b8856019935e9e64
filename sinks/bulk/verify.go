package bulk

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Verify is a sink that only reads: it compares the rows that a run wrote with the records
// that the API has now. If the record holds the values of the row, the row is Unchanged. It
// gets a warning for a reference that the API does not show, and for a value that the API
// still holds in the other form in which it stored it then. If the record holds something
// else, does not exist, or exists more than once, the row is Rejected with that reason. A
// row that the run left in doubt stays InDoubt, and one that it did not write is Skipped.
type Verify struct {
	engine    *engine
	verifiers sync.Pool // *verifier
}

var _ pipeline.Sink = (*Verify)(nil)

// NewVerify returns a sink for the rows of schema that the run with the journal prior
// wrote.
func NewVerify(records Reader, schema *pipeline.Schema, prior interface {
	PriorRun
	Digester
}, o Options) (*Verify, error) {
	e, err := newEngine(records, schema, settings{o.Target, o.Comparison, nil, prior, o.Drain, o.Log})
	if err != nil {
		return nil, err
	}
	v := &Verify{engine: e}
	v.verifiers.New = func() any { return &verifier{engine: e, state: newChunkState(e), prior: prior} }
	return v, nil
}

// Encoder returns an encoder of rows in the form in which they were sent.
func (v *Verify) Encoder() pipeline.Encoder { return priorEncoder{v.engine.encoder()} }

// Commit does nothing: nothing was sent.
func (v *Verify) Commit(context.Context) error { return nil }

// Abort reports that there is nothing to undo.
func (v *Verify) Abort() (undone bool, err error) { return false, nil }

// Resolvable reports that no other pass of a Verify will settle more.
func (v *Verify) Resolvable() bool { return false }

// Settles reports whether an import can settle rows in doubt at all: see Import.Settles.
func (v *Verify) Settles() bool { return v.engine.settles() }

// Write compares the rows of c with their records.
func (v *Verify) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := v.verifiers.Get().(*verifier)
	defer v.verifiers.Put(w)
	w.state.begin(c)
	defer w.state.end()
	return w.verify(ctx)
}

// verifier settles the rows of one chunk at a time by comparing them with their records.
type verifier struct {
	engine *engine
	state  *chunkState
	prior  PriorRun
}

// verify settles the rows of the chunk that the run wrote.
func (w *verifier) verify(ctx context.Context) error {
	if err := w.state.replayer.loadPrior(w.prior); err != nil {
		return err
	}
	fates := w.state.rows.chunk.Fates
	was := slices.Clone(fates)
	var rows []int32
	for i, fate := range fates {
		switch {
		case hasRecord(fate):
			rows = append(rows, int32(i))
		case fate != pipeline.InDoubt:
			fates[i] = pipeline.Skipped
		}
	}
	now, err := w.state.readCurrent(ctx, rows, true)
	if err != nil {
		for _, row := range rows {
			fates[row] = pipeline.Pending // not looked at
		}
		return err
	}
	for _, row := range rows {
		w.settle(row, was[row], now[row])
	}
	return nil
}

func (w *verifier) settle(row int32, was pipeline.Fate, now current) {
	o := &w.engine.options
	switch {
	case now.unread:
		w.state.rows.putInDoubt([]int32{row}, "the API gave it no id, and the list by key cannot be read", 0, nil)
	case now.blind:
		w.state.rows.putInDoubt([]int32{row}, "the API gave it no id, and it is not found by a key", 0, nil)
	case now.record == nil:
		w.state.rows.note(row, w.engine.field(o.Key), codeMissing, "")
	case now.many && was == pipeline.Written:
		w.state.rows.note(row, w.engine.field(o.Key), CodeKeyNotUnique, "")
	default:
		lacks := w.state.matcher.patchSince(row, now.record)
		if differs := contradicted(lacks, now.record); differs != nil {
			w.state.rows.noteFields(row, differs, codeDiffers)
			return
		}
		w.state.rows.warnFields(row, lacks, codeNotShown) // references that the API does not show
		w.noteStored(row, now.record)
		w.state.rows.chunk.Fates[row] = pipeline.Unchanged
	}
}

// noteStored warns of the members of record that hold what the API made of row when the
// run wrote it, where that is not what was sent.
func (w *verifier) noteStored(row int32, record []byte) {
	object := bytes.Clone(w.state.rows.wanted(row))
	filled := false
	for _, d := range w.state.storage.prior[row] {
		want := jsonscan.Member(object, d.name)
		switch {
		case !w.state.storage.storedSo(row, d.name, want, jsonscan.Member(record, d.name)):
		case want == nil:
			filled = true
		default:
			w.state.rows.warn(row, w.engine.field(d.name), codeStoredOtherwise)
		}
	}
	if filled {
		w.state.rows.warn(row, pipeline.None, codeFilledIn)
	}
}
