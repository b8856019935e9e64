package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Undo is a sink that takes back what a run did, and keeps to these terms:
//
//   - A record that the run made is deleted, and one that it changed gets back what
//     it held before in the fields that the run changed.
//   - A record that holds something else now in a field that the run wrote was
//     changed since: it is left alone, and its row Rejected. So is one that the run
//     made and that holds a text now in a field that the row left empty, for that is
//     gone for good with the record.
//   - What the run left in doubt is left alone: its rows are InDoubt.
//   - The journal of the undo has it that a record is about to be deleted or
//     restored before that is sent. Both can be done twice: what became of a
//     request without an answer is seen from the record.
//
// A row whose record was deleted is Written, one whose record was restored
// Updated, one with nothing left to take back Unchanged, and one that the run did
// not write Skipped.
type Undo struct {
	*Import
	past Past
	open func([]byte) ([]byte, error)
}

var _ pipeline.Sink = (*Undo)(nil)

// NewUndo returns a sink that takes back what the run with the journal past did to
// the rows of schema. The options are those of the run, but for Journal, which is
// that of the undo. Open decrypts what records held before they were changed; nil:
// what is sealed cannot be restored.
func NewUndo(client *api.Client, schema *pipeline.Schema, past Past, open func([]byte) ([]byte, error), o Options) (*Undo, error) {
	s, err := NewImport(client, schema, o)
	if err != nil {
		return nil, err
	}
	return &Undo{s, past, open}, nil
}

// Encoder returns an encoder of rows in the form in which they were sent.
func (u *Undo) Encoder() pipeline.Encoder { return pastEncoder{u.Import.Encoder()} }

// Write takes back what became of the rows of c.
func (u *Undo) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := u.writes.Get().(*write)
	w.begin(c)
	err := u.recall(w)
	if err == nil && w.unsettled() {
		err = u.undo(ctx, w)
		if failed := w.settle(); err == nil {
			err = failed
		}
	}
	w.giveIDs()
	w.end()
	u.writes.Put(w)
	return err
}

// Recall settles those rows of c that earlier passes of the undo did. Of a chunk that
// was not read to its end nothing is recalled.
func (u *Undo) Recall(c *pipeline.Chunk) error {
	w := u.writes.Get().(*write)
	w.begin(c)
	err := u.regard(w)
	if err == nil {
		err = w.remember()
	}
	w.giveIDs()
	w.end()
	u.writes.Put(w)
	if _, cut := errors.AsType[*changedInputError](err); cut {
		return nil
	}
	return err
}

// reversal is a record that is to be deleted, or to be restored.
type reversal struct {
	row     int32
	id      string
	restore []byte // what it is to hold again; nil: it is to be deleted
}

// recall finds out what is to be taken back: what the run wrote, but for what an
// earlier pass of the undo has settled.
func (u *Undo) recall(w *write) error {
	if err := u.regard(w); err != nil {
		return err
	}
	return w.recall()
}

// regard marks the rows that the run wrote Pending.
func (u *Undo) regard(w *write) error {
	if err := w.lookBack(u.past); err != nil {
		return err
	}
	w.was = append(w.was[:0], w.chunk.Fates...)
	for i, fate := range w.was {
		switch fate {
		case pipeline.Written, pipeline.Updated:
			w.chunk.Fates[i] = pipeline.Pending
		case pipeline.InDoubt:
			w.closed[i] = true
		default:
			w.chunk.Fates[i] = pipeline.Skipped
		}
	}
	return nil
}

// undo takes back what is to be taken back.
func (u *Undo) undo(ctx context.Context, w *write) error {
	tried := make([]bool, w.chunk.Len())
	for _, row := range w.doubtful { // the record tells
		w.chunk.Fates[row], tried[row] = pipeline.Pending, true
	}
	todo, err := u.reversals(ctx, w, tried)
	if err == nil {
		err = w.reverse(ctx, todo)
	}
	for row, fate := range w.chunk.Fates { // as it was: the next pass has to know that it was tried
		if tried[row] && fate == pipeline.Pending {
			w.chunk.Fates[row] = pipeline.InDoubt
		}
	}
	return err
}

// reversals settles the pending rows by their records and returns what is to be
// done about the others. Tried has the rows for which it may have been done.
func (u *Undo) reversals(ctx context.Context, w *write, tried []bool) ([]reversal, error) {
	rows := slices.Clone(w.pending())
	now, err := w.readCurrent(ctx, rows, false)
	if err != nil {
		return nil, err
	}
	before, err := u.before(w, rows)
	if err != nil {
		return nil, err
	}
	var todo []reversal
	for _, row := range rows {
		r := reversal{row: row, id: now[row].id}
		var needed bool
		if w.was[row] == pipeline.Written {
			needed = w.undoesCreate(row, now[row], tried[row])
		} else {
			r.restore, needed = w.undoesChange(row, now[row], before[row], tried[row])
		}
		if needed {
			todo = append(todo, r)
		}
	}
	return todo, nil
}

// before returns what the records of those of rows held that were changed.
func (u *Undo) before(w *write, rows []int32) (map[int32][]byte, error) {
	changed := func(row int32) bool { return w.was[row] == pipeline.Updated }
	if !slices.ContainsFunc(rows, changed) {
		return nil, nil
	}
	images, err := u.past.BeforeImages(w.chunk.Seq)
	if err != nil {
		return nil, err
	}
	out := map[int32][]byte{}
	for _, image := range images {
		list, err := ReadImage(image.Data, u.open)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			if out[b.Row] == nil { // the first is the oldest
				out[b.Row] = b.Record
			}
		}
	}
	return out, nil
}

// undoesCreate reports whether the record that row made is to be deleted; if not
// row is settled.
func (w *write) undoesCreate(row int32, now current, tried bool) bool {
	switch {
	case now.unread: // neither gone nor impossible to tell: the next pass may read it
		w.doubt([]int32{row}, "it has no id, and the list by key cannot be read", 0, nil)
		w.bulk.resolvable.Store(true)
	case now.blind && tried: // it was found by its key before that
		w.chunk.Fates[row] = pipeline.Written
	case now.blind, now.many:
		w.note(row, w.bulk.field(w.bulk.options.Key), codeNotTold, "")
	case now.record == nil && tried:
		w.chunk.Fates[row] = pipeline.Written
	case now.record == nil:
		w.chunk.Fates[row] = pipeline.Unchanged
	default:
		since := against(w.patchSince(row, now.record), now.record)
		w.noteFields(row, since, codeChangedSince)
		return since == nil && !w.filledSince(row, now.record)
	}
	return false
}

// filledSince reports whether record, which row made, holds a text now in a field
// that row left empty; then row is rejected for it.
func (w *write) filledSince(row int32, record []byte) (filled bool) {
	item := w.item(row)
	for _, name := range w.bulk.options.Texts {
		got := jsonscan.Member(record, name)
		if !nothing(jsonscan.Member(item, name)) || nothing(got) || w.storedSo(row, name, nil, got) {
			continue
		}
		field := w.bulk.field(name)
		w.chunk.Note(pipeline.Problem{
			Row: row, Field: field, Column: w.bulk.column(field), Stage: pipeline.Write, Code: codeChangedSince,
			Shape: "the row leaves " + name + " empty",
		})
		filled = true
	}
	return filled
}

// undoesChange returns what the record that row changed is to hold again, if
// anything; if not row is settled.
func (w *write) undoesChange(row int32, now current, before []byte, tried bool) (restore []byte, needed bool) {
	if before == nil {
		w.note(row, pipeline.None, codeNotKept, "")
		return nil, false
	}
	patch := w.patchSince(row, before)
	restore, unknown := restoration(patch, before)
	switch {
	case now.record == nil:
		w.note(row, w.bulk.field(idField), codeNotFound, "")
	case unknown != "":
		w.note(row, w.bulk.field(unknown), codeNotKept, "")
	case patch == nil, w.bulk.holds(restore, now.record):
		w.setID(row, []byte(now.id))
		w.chunk.Fates[row] = pipeline.Unchanged
		if tried {
			w.chunk.Fates[row] = pipeline.Updated
		}
	default:
		since := against(differences(patch, now.record, w.sameSince(row)), now.record)
		w.noteFields(row, since, codeChangedSince)
		return restore, since == nil
	}
	return nil, false
}

// reverse does what todo says, once the journal has it.
func (w *write) reverse(ctx context.Context, todo []reversal) error {
	if len(todo) == 0 {
		return nil
	}
	rows := make([]int32, len(todo))
	for i := range todo {
		rows[i] = todo[i].row
	}
	if err := w.announce(rows, nil); err != nil {
		return err
	}
	return w.sendEach(ctx, rows, func(i int, alone bool) ([]api.Refusal, error) {
		return w.reverseOne(ctx, &todo[i], alone)
	})
}

// reverseTries is how often a request of an undo is made that ends without a clear
// answer: deleting and restoring can be done twice.
const reverseTries = 3

// reverseOne does what r says and settles its row, unless another write kept it out:
// then it returns what was said.
func (w *write) reverseOne(ctx context.Context, r *reversal, alone bool) (kept []api.Refusal, err error) {
	var last api.Outcome
	for try := range reverseTries {
		if err := w.bulk.options.Drain.Sleep(ctx, visible[try]); err != nil {
			return nil, err
		}
		o, kept, err := w.request(ctx, r, alone)
		if err != nil || kept != nil {
			return kept, err
		}
		done, err := w.reversed(ctx, r, o)
		if done || err != nil {
			return nil, err
		}
		last = o
	}
	w.doubt([]int32{r.row}, "no clear answer to what takes it back", last.Status, last.Err)
	w.bulk.resolvable.Store(true)
	return nil, w.doubted(r.method(), w.bulk.options.Records, last.Err)
}

func (r *reversal) method() string {
	if r.restore == nil {
		return http.MethodDelete
	}
	return http.MethodPatch
}

// request makes attempts until one may have been processed. Kept is what was said if
// another write kept it out.
func (w *write) request(ctx context.Context, r *reversal, alone bool) (o api.Outcome, kept []api.Refusal, err error) {
	path := w.bulk.options.Records
	return w.deliverOne(r.restore, alone, func(via sender) (api.Outcome, error) {
		return w.bulk.client.Deliver(ctx, r.method(), path, func() api.Outcome {
			if r.restore == nil {
				return via.Delete(ctx, path, r.id)
			}
			o := via.Update(ctx, path, r.id, r.restore, w.reply)
			w.keepReply(o)
			return o
		})
	})
}

// reversed settles the row of r by what became of its request. It reports false
// if that is not known.
func (w *write) reversed(ctx context.Context, r *reversal, o api.Outcome) (done bool, err error) {
	switch {
	case o.Status == http.StatusNoContent && r.restore == nil: // anything else may be a page of a proxy
		return w.reversedAs(r, pipeline.Written), nil
	case o.OK() || o.Class == api.InDoubt, o.Status == http.StatusNotFound, o.Status == http.StatusGone:
		return w.seeReversed(ctx, r, o)
	}
	w.bulk.doubts.Store(0)
	if api.IsRefusal(o.Status) {
		w.rejectOne(r.row, refusalsOfOne(o.Body, r.restore))
		return true, nil
	}
	return true, &api.StatusError{Method: r.method(), Path: w.bulk.options.Records, Status: o.Status}
}

// seeReversed settles the row of r, whose request had no clear answer, by its
// record.
func (w *write) seeReversed(ctx context.Context, r *reversal, o api.Outcome) (done bool, err error) {
	record, err := w.bulk.get(ctx, r.id)
	switch {
	case err != nil:
		w.doubt([]int32{r.row}, "what took it back had no clear answer, and it cannot be read", o.Status, err)
		return true, err
	case record == nil && r.restore == nil:
		return w.reversedAs(r, pipeline.Written), nil
	case record == nil:
		w.note(r.row, w.bulk.field(idField), codeNotFound, "")
		return true, nil
	case r.restore != nil && w.bulk.holds(r.restore, record):
		return w.reversedAs(r, pipeline.Updated), nil
	case o.Class == api.Answered && !o.OK(): // it is there, and cannot be found to be changed: another address
		return true, &api.StatusError{Method: r.method(), Path: w.bulk.options.Records, Status: o.Status}
	case o.OK() && r.restore != nil && recordOf(o.Body, r.id) != nil:
		w.noteFields(r.row, differences(r.restore, record, w.bulk.comparesAlike), codeStoresElse)
		return true, nil
	}
	return false, nil
}

// reversedAs settles the row of r.
func (w *write) reversedAs(r *reversal, fate pipeline.Fate) bool {
	w.bulk.doubts.Store(0)
	w.chunk.Fates[r.row] = fate
	w.setID(r.row, []byte(r.id))
	return true
}
