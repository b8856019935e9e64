package bulk

import (
	"bytes"
	"context"
	"slices"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Verify is a sink that sends nothing: it compares the rows that a run wrote with
// the records that the API has now. A row that its record holds is Unchanged, with
// a warning for a reference of which the API does not tell where it leads, and for a
// value that the API still holds in the form in which it stored it then; one
// whose record holds something else, is not there, or is there more than once is
// Rejected for that. A row that the run left in doubt is InDoubt still, and one
// that it did not write is Skipped.
type Verify struct {
	engine *engine
	past   Past
}

var _ pipeline.Sink = (*Verify)(nil)

// NewVerify returns a sink for the rows of schema that the run with the journal
// past wrote. The options are those of the run; only Journal is of no account.
func NewVerify(client *api.Client, schema *pipeline.Schema, past interface {
	Past
	Journal
}, o Options) (*Verify, error) {
	o.Journal = past
	e, err := newEngine(client, client, schema, o)
	if err != nil {
		return nil, err
	}
	return &Verify{e, past}, nil
}

// Encoder returns an encoder of rows in the form in which they were sent.
func (v *Verify) Encoder() pipeline.Encoder { return pastEncoder{v.engine.encoder()} }

// Commit does nothing: nothing was sent.
func (v *Verify) Commit(context.Context) error { return nil }

// Abort reports that there is nothing to take back.
func (v *Verify) Abort() (undone bool, err error) { return false, nil }

// Resolvable reports that no other pass of a Verify will settle more.
func (v *Verify) Resolvable() bool { return false }

// Settles reports whether an import can settle rows in doubt at all: see Import.Settles.
func (v *Verify) Settles() bool { return v.engine.settles() }

// Write compares the rows of c with their records.
func (v *Verify) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := v.engine.writes.Get().(*write)
	w.begin(c)
	err := v.verify(ctx, w)
	w.end()
	v.engine.writes.Put(w)
	return err
}

func (v *Verify) verify(ctx context.Context, w *write) error {
	if err := w.replay.loadPrior(v.past); err != nil {
		return err
	}
	fates := w.rows.chunk.Fates
	was := slices.Clone(fates)
	var rows []int32
	for i, fate := range fates {
		switch {
		case wrote(fate):
			rows = append(rows, int32(i))
		case fate != pipeline.InDoubt:
			fates[i] = pipeline.Skipped
		}
	}
	now, err := w.current.read(ctx, rows, true)
	if err != nil {
		for _, row := range rows {
			fates[row] = pipeline.Pending // not looked at
		}
		return err
	}
	for _, row := range rows {
		w.verifier.settle(row, was[row], now[row])
	}
	return nil
}

// settle settles row by its record.
func (vf *verifier) settle(row int32, was pipeline.Fate, now current) {
	o := &vf.engine.options
	switch {
	case now.unread:
		vf.rows.putInDoubt([]int32{row}, "the API gave it no id, and the list by key cannot be read", 0, nil)
	case now.blind:
		vf.rows.putInDoubt([]int32{row}, "the API gave it no id, and it is not found by a key", 0, nil)
	case now.record == nil:
		vf.rows.note(row, vf.engine.field(o.Key), codeMissing, "")
	case now.many && was == pipeline.Written:
		vf.rows.note(row, vf.engine.field(o.Key), CodeKeyNotUnique, "")
	default:
		lacks := vf.matcher.patchSince(row, now.record)
		if differs := against(lacks, now.record); differs != nil {
			vf.rows.noteFields(row, differs, codeDiffers)
			return
		}
		vf.noteUnshown(row, lacks)
		vf.noteStored(row, now.record)
		vf.rows.chunk.Fates[row] = pipeline.Unchanged
	}
}

// noteUnshown warns of the references of row, the members of lacks, of which the API
// does not tell where they lead.
func (vf *verifier) noteUnshown(row int32, lacks []byte) {
	for name := range jsonscan.Members(lacks) {
		vf.rows.warn(row, vf.engine.field(string(jsonscan.Unquote(name))), codeNotShown)
	}
}

// noteStored warns of the members of record that hold what the API made of row when the
// run wrote it, where that is not what was sent.
func (vf *verifier) noteStored(row int32, record []byte) {
	object := bytes.Clone(vf.rows.wanted(row))
	filled := false
	for _, d := range vf.storage.prior[row] {
		want := jsonscan.Member(object, d.name)
		switch {
		case !vf.storage.storedSo(row, d.name, want, jsonscan.Member(record, d.name)):
		case want == nil:
			filled = true
		default:
			vf.rows.warn(row, vf.engine.field(d.name), codeStoredOtherwise)
		}
	}
	if filled {
		vf.rows.warn(row, pipeline.None, codeFilledIn)
	}
}

// verifier settles rows by comparing them with their records.
type verifier struct {
	engine  *engine
	rows    *chunkRows
	storage *storage
	matcher *matcher
}
