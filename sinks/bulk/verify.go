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
	*Import
	past Past
}

var _ pipeline.Sink = (*Verify)(nil)

// NewVerify returns a sink for the rows of schema that the run with the journal
// past wrote. The options are those of the run; only Journal is of no account.
func NewVerify(client *api.Client, schema *pipeline.Schema, past interface {
	Past
	Journal
}, o Options) (*Verify, error) {
	o.Journal = past
	s, err := NewImport(client, schema, o)
	if err != nil {
		return nil, err
	}
	return &Verify{s, past}, nil
}

// Encoder returns an encoder of rows in the form in which they were sent.
func (v *Verify) Encoder() pipeline.Encoder { return pastEncoder{v.Import.Encoder()} }

// Write compares the rows of c with their records.
func (v *Verify) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := v.writes.Get().(*write)
	w.begin(c)
	err := v.verify(ctx, w)
	w.end()
	v.writes.Put(w)
	return err
}

func (v *Verify) verify(ctx context.Context, w *write) error {
	if err := w.lookBack(v.past); err != nil {
		return err
	}
	fates := w.chunk.Fates
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
	now, err := w.readCurrent(ctx, rows, true)
	if err != nil {
		for _, row := range rows {
			fates[row] = pipeline.Pending // not looked at
		}
		return err
	}
	for _, row := range rows {
		w.verifyRow(row, was[row], now[row])
	}
	return nil
}

// verifyRow settles row by its record.
func (w *write) verifyRow(row int32, was pipeline.Fate, now current) {
	o := &w.bulk.options
	switch {
	case now.unread:
		w.doubt([]int32{row}, "the API gave it no id, and the list by key cannot be read", 0, nil)
	case now.blind:
		w.doubt([]int32{row}, "the API gave it no id, and it is not found by a key", 0, nil)
	case now.record == nil:
		w.note(row, w.bulk.field(o.Key), codeMissing, "")
	case now.many && was == pipeline.Written:
		w.note(row, w.bulk.field(o.Key), CodeKeyNotUnique, "")
	default:
		lacks := w.patchSince(row, now.record)
		if differs := against(lacks, now.record); differs != nil {
			w.noteFields(row, differs, codeDiffers)
			return
		}
		w.noteUnshown(row, lacks)
		w.noteStored(row, now.record)
		w.chunk.Fates[row] = pipeline.Unchanged
	}
}

// noteUnshown warns of the references of row, the members of lacks, of which the API
// does not tell where they lead.
func (w *write) noteUnshown(row int32, lacks []byte) {
	for name := range jsonscan.Members(lacks) {
		w.warn(row, w.bulk.field(string(jsonscan.Unquote(name))), codeNotShown)
	}
}

// noteStored warns of the members of record that hold what the API made of row when the
// run wrote it, where that is not what was sent.
func (w *write) noteStored(row int32, record []byte) {
	object := bytes.Clone(w.wanted(row))
	filled := false
	for _, d := range w.past[row] {
		want := jsonscan.Member(object, d.name)
		switch {
		case !w.storedSo(row, d.name, want, jsonscan.Member(record, d.name)):
		case want == nil:
			filled = true
		default:
			w.warn(row, w.bulk.field(d.name), codeStoredOtherwise)
		}
	}
	if filled {
		w.warn(row, pipeline.None, codeFilledIn)
	}
}
