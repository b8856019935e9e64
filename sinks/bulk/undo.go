package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Undo is a sink that reverts what a run did. It follows these rules:
//
//   - A record that the run created is deleted. In a record that the run changed, the
//     previous values of the changed fields are restored.
//   - If a record now holds something else in a field that the run wrote, somebody has
//     changed it since: it is left alone, and its row is Rejected. The same is true of a
//     record that the run created and that now holds a text in a field that the row left
//     empty, because deleting the record would lose this text.
//   - What the run left in doubt is left alone: its rows are InDoubt.
//   - Before the request is sent, the journal of the undo records that a record is about
//     to be deleted or restored. Both can be done twice: if a request got no answer, the
//     record shows what became of it.
//
// A row whose record was deleted is Written, one whose record was restored is Updated, one
// with nothing left to undo is Unchanged, and one that the run did not write is Skipped.
type Undo struct {
	engine    *engine
	reversers sync.Pool // *reverser
}

// reversal is a record that is to be deleted, or to be restored.
type reversal struct {
	row     int32
	id      string
	restore []byte // the previous values to restore; nil: the record is deleted
}

// reverser reverts what the run did with the rows of one chunk at a time.
type reverser struct {
	engine     *engine
	delivery   *delivery
	state      *chunkState
	prior      PriorRun
	open       func([]byte) ([]byte, error)
	rejections *rejections
	reply      *replyBuffer

	was []pipeline.Fate // of the rows when the run ended
}

func newReverser(e *engine, d *delivery, prior PriorRun, open func([]byte) ([]byte, error)) *reverser {
	s := newChunkState(e)
	return &reverser{
		engine: e, delivery: d, state: s, prior: prior, open: open,
		rejections: &rejections{engine: e, rows: s.rows}, reply: &replyBuffer{},
	}
}

func (rv *reverser) begin(c *pipeline.Chunk) {
	rv.state.begin(c)
	rv.rejections.begin()
}

// write undoes what the run did to the rows of c, but for what an earlier pass of the
// undo has settled.
func (rv *reverser) write(ctx context.Context, c *pipeline.Chunk) error {
	rv.begin(c)
	defer rv.state.end()
	err := rv.loadPrior()
	if err == nil {
		err = rv.state.replayer.replay()
	}
	if err == nil && rv.state.unsettled() {
		err = rv.undo(ctx)
		if failed := rv.state.journal.recordOutcome(); err == nil {
			err = failed
		}
	}
	rv.state.rows.giveIDs()
	return err
}

// recall settles the rows of c by what earlier passes of the undo did.
func (rv *reverser) recall(c *pipeline.Chunk) error {
	rv.begin(c)
	defer rv.state.end()
	err := rv.loadPrior()
	if err == nil {
		err = rv.state.replayer.replayPart()
	}
	rv.state.rows.giveIDs()
	return err
}

// loadPrior marks the rows that the run wrote Pending.
func (rv *reverser) loadPrior() error {
	if err := rv.state.replayer.loadPrior(rv.prior); err != nil {
		return err
	}
	rv.was = append(rv.was[:0], rv.state.rows.chunk.Fates...)
	for i, fate := range rv.was {
		switch fate {
		case pipeline.Written, pipeline.Updated:
			rv.state.rows.chunk.Fates[i] = pipeline.Pending
		case pipeline.InDoubt:
			rv.state.journal.unresolvable[i] = true
		default:
			rv.state.rows.chunk.Fates[i] = pipeline.Skipped
		}
	}
	return nil
}

// undo deletes or restores the records of the pending rows.
func (rv *reverser) undo(ctx context.Context) error {
	tried := make([]bool, rv.state.rows.chunk.Len())
	for _, row := range rv.state.journal.doubtful { // the record tells
		rv.state.rows.chunk.Fates[row], tried[row] = pipeline.Pending, true
	}
	todo, err := rv.reversals(ctx, tried)
	if err == nil {
		err = rv.reverse(ctx, todo)
	}
	for row, fate := range rv.state.rows.chunk.Fates { // as it was: the next pass has to know that it was tried
		if tried[row] && fate == pipeline.Pending {
			rv.state.rows.chunk.Fates[row] = pipeline.InDoubt
		}
	}
	return err
}

// reversals settles the pending rows by their records and returns what is to be
// done about the others. Tried has the rows for which it may have been done.
func (rv *reverser) reversals(ctx context.Context, tried []bool) ([]reversal, error) {
	rows := slices.Clone(rv.state.rows.pending())
	now, err := rv.state.readCurrent(ctx, rows, false)
	if err != nil {
		return nil, err
	}
	before, err := rv.before(rows)
	if err != nil {
		return nil, err
	}
	var todo []reversal
	for _, row := range rows {
		r := reversal{row: row, id: now[row].id}
		var needed bool
		if rv.was[row] == pipeline.Written {
			needed = rv.undoesCreate(row, now[row], tried[row])
		} else {
			r.restore, needed = rv.undoesChange(row, now[row], before[row], tried[row])
		}
		if needed {
			todo = append(todo, r)
		}
	}
	return todo, nil
}

// before returns what the records of those of rows held that were changed.
func (rv *reverser) before(rows []int32) (map[int32][]byte, error) {
	changed := func(row int32) bool { return rv.was[row] == pipeline.Updated }
	if !slices.ContainsFunc(rows, changed) {
		return nil, nil
	}
	out := map[int32][]byte{}
	err := eachBefore(rv.prior, rv.state.rows.chunk.Seq, rv.open, func(b Before) {
		if out[b.Row] == nil { // the first is the oldest
			out[b.Row] = b.Record
		}
	})
	return out, err
}

var _ pipeline.Sink = (*Undo)(nil)

// NewUndo returns a sink that reverts what the run with the journal prior did with the
// rows of schema.
func NewUndo(client *api.Client, schema *pipeline.Schema, prior PriorRun, o UndoOptions) (*Undo, error) {
	e, err := newEngine(client, schema, settings{o.Target, o.Comparison, o.Journal, o.Journal, o.Drain, o.Log})
	if err != nil {
		return nil, err
	}
	u, d := &Undo{engine: e}, newDelivery(client, &e.options, o.Limits.withDefaults())
	u.reversers.New = func() any { return newReverser(e, d, prior, o.Open) }
	return u, nil
}

// Encoder returns an encoder of rows in the form in which they were sent.
func (u *Undo) Encoder() pipeline.Encoder { return priorEncoder{u.engine.encoder()} }

// Commit does nothing: what was undone is final.
func (u *Undo) Commit(context.Context) error { return nil }

// Abort reports that what was undone stays undone.
func (u *Undo) Abort() (undone bool, err error) { return false, nil }

// Resolvable reports whether another pass may settle rows that are in doubt.
func (u *Undo) Resolvable() bool { return u.engine.resolvable.Load() }

// Settles reports whether rows in doubt can be settled at all: see Import.Settles.
func (u *Undo) Settles() bool { return u.engine.settles() }

// Write reverts what the run did with the rows of c.
func (u *Undo) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := u.reversers.Get().(*reverser)
	defer u.reversers.Put(w)
	return w.write(ctx, c)
}

// Recall settles those rows of c that earlier passes of the undo did. Of a chunk that
// was not read to its end nothing is recalled.
func (u *Undo) Recall(c *pipeline.Chunk) error {
	w := u.reversers.Get().(*reverser)
	defer u.reversers.Put(w)
	err := w.recall(c)
	if errors.Is(err, errChangedInput) {
		return nil
	}
	return err
}

// undoesCreate reports whether the record that row made is to be deleted; if not
// row is settled.
func (rv *reverser) undoesCreate(row int32, now current, tried bool) bool {
	switch {
	case now.unread: // neither gone nor impossible to tell: the next pass may read it
		rv.state.rows.putInDoubt([]int32{row}, "it has no id, and the list by key cannot be read", 0, nil)
		rv.engine.resolvable.Store(true)
	case now.blind && tried: // it was found by its key before that
		rv.state.rows.chunk.Fates[row] = pipeline.Written
	case now.blind, now.many:
		rv.state.rows.note(row, rv.engine.field(rv.engine.options.Key), codeNotTold, "")
	case now.record == nil && tried:
		rv.state.rows.chunk.Fates[row] = pipeline.Written
	case now.record == nil:
		rv.state.rows.chunk.Fates[row] = pipeline.Unchanged
	default:
		since := contradicted(rv.state.matcher.patchSince(row, now.record), now.record)
		rv.state.rows.noteFields(row, since, codeChangedSince)
		return since == nil && !rv.filledSince(row, now.record)
	}
	return false
}

// filledSince reports whether record, which row made, holds a text now in a field
// that row left empty; then row is rejected for it.
func (rv *reverser) filledSince(row int32, record []byte) (filled bool) {
	item := rv.state.rows.item(row)
	for _, name := range rv.engine.options.Texts {
		got := jsonscan.Member(record, name)
		if !isNoValue(jsonscan.Member(item, name)) || isNoValue(got) || rv.state.storage.storedSo(row, name, nil, got) {
			continue
		}
		field := rv.engine.field(name)
		rv.state.rows.chunk.Note(pipeline.Problem{
			Row: row, Field: field, Column: rv.engine.column(field), Stage: pipeline.Write, Code: codeChangedSince,
			Shape: "the row leaves " + name + " empty",
		})
		filled = true
	}
	return filled
}

// undoesChange returns what the record that row changed is to hold again, if
// anything; if not row is settled.
func (rv *reverser) undoesChange(row int32, now current, before []byte, tried bool) (restore []byte, needed bool) {
	if before == nil {
		rv.state.rows.note(row, pipeline.None, codeNotKept, "")
		return nil, false
	}
	patch := rv.state.matcher.patchSince(row, before)
	restore, unknown := restoration(patch, before)
	switch {
	case now.record == nil:
		rv.state.rows.note(row, rv.engine.field(idField), codeNotFound, "")
	case unknown != "":
		rv.state.rows.note(row, rv.engine.field(unknown), codeNotKept, "")
	case patch == nil, rv.engine.holds(restore, now.record):
		rv.state.rows.setID(row, []byte(now.id))
		rv.state.rows.chunk.Fates[row] = pipeline.Unchanged
		if tried {
			rv.state.rows.chunk.Fates[row] = pipeline.Updated
		}
	default:
		since := contradicted(differences(patch, now.record, rv.state.matcher.sameSince(row)), now.record)
		rv.state.rows.noteFields(row, since, codeChangedSince)
		return restore, since == nil
	}
	return nil, false
}

// reverse does what todo says, once the journal has it.
func (rv *reverser) reverse(ctx context.Context, todo []reversal) error {
	if len(todo) == 0 {
		return nil
	}
	rows := make([]int32, len(todo))
	for i := range todo {
		rows[i] = todo[i].row
	}
	if err := rv.state.journal.announce(rows, nil); err != nil {
		return err
	}
	return rv.rejections.sendEach(ctx, rows, func(i int, alone bool) ([]api.Refusal, error) {
		return rv.reverseOne(ctx, &todo[i], alone)
	})
}

// reverseTries is how often a request of an undo is made that ends without a clear
// answer: deleting and restoring can be done twice.
const reverseTries = 3

// reverseOne does what r says and settles its row, unless another write kept it out:
// then it returns what was said.
func (rv *reverser) reverseOne(ctx context.Context, r *reversal, alone bool) (kept []api.Refusal, err error) {
	var last api.Outcome
	for try := range reverseTries {
		if err := rv.engine.options.Drain.Sleep(ctx, visible[try]); err != nil {
			return nil, err
		}
		o, kept, err := rv.request(ctx, r, alone)
		if err != nil || kept != nil {
			return kept, err
		}
		done, err := rv.reversed(ctx, r, o)
		if done || err != nil {
			return nil, err
		}
		last = o
	}
	rv.state.rows.putInDoubt([]int32{r.row}, "no clear answer to what takes it back", last.Status, last.Err)
	rv.engine.resolvable.Store(true)
	return nil, rv.delivery.noteDoubt(r.method(), rv.engine.options.Records, last.Err)
}

func (r *reversal) method() string {
	if r.restore == nil {
		return http.MethodDelete
	}
	return http.MethodPatch
}

// request makes attempts until one may have been processed. Kept is what was said if
// another write kept it out.
func (rv *reverser) request(ctx context.Context, r *reversal, alone bool) (o api.Outcome, kept []api.Refusal, err error) {
	path := rv.engine.options.Records
	return rv.delivery.deliverOne(r.restore, alone, func(via Writer) (api.Outcome, error) {
		return rv.delivery.client.Deliver(ctx, r.method(), path, func() api.Outcome {
			if r.restore == nil {
				return via.Delete(ctx, path, r.id)
			}
			o := via.Update(ctx, path, r.id, r.restore, rv.reply.bytes)
			rv.reply.keep(o)
			return o
		})
	})
}

// reversed settles the row of r by what became of its request. It reports false
// if that is not known.
func (rv *reverser) reversed(ctx context.Context, r *reversal, o api.Outcome) (done bool, err error) {
	switch {
	case o.Status == http.StatusNoContent && r.restore == nil: // anything else may be a page of a proxy
		return rv.reversedAs(r, pipeline.Written), nil
	case o.OK() || o.Class == api.InDoubt, o.Status == http.StatusNotFound, o.Status == http.StatusGone:
		return rv.seeReversed(ctx, r, o)
	}
	rv.delivery.doubts.Store(0)
	if api.IsRefusal(o.Status) {
		rv.rejections.rejectOne(r.row, refusalsOfOne(o.Body, r.restore))
		return true, nil
	}
	return true, &api.StatusError{Method: r.method(), Path: rv.engine.options.Records, Status: o.Status}
}

// seeReversed settles the row of r, whose request had no clear answer, by its
// record.
func (rv *reverser) seeReversed(ctx context.Context, r *reversal, o api.Outcome) (done bool, err error) {
	record, err := rv.engine.get(ctx, r.id)
	switch {
	case err != nil:
		rv.state.rows.putInDoubt([]int32{r.row}, "what took it back had no clear answer, and it cannot be read", o.Status, err)
		return true, err
	case record == nil && r.restore == nil:
		return rv.reversedAs(r, pipeline.Written), nil
	case record == nil:
		rv.state.rows.note(r.row, rv.engine.field(idField), codeNotFound, "")
		return true, nil
	case r.restore != nil && rv.engine.holds(r.restore, record):
		return rv.reversedAs(r, pipeline.Updated), nil
	case o.Class == api.Answered && !o.OK(): // it is there, and cannot be found to be changed: another address
		return true, &api.StatusError{Method: r.method(), Path: rv.engine.options.Records, Status: o.Status}
	case o.OK() && r.restore != nil && recordOf(o.Body, r.id) != nil:
		rv.state.rows.noteFields(r.row, differences(r.restore, record, rv.engine.comparesAlike), codeStoresElse)
		return true, nil
	}
	return false, nil
}

func (rv *reverser) reversedAs(r *reversal, fate pipeline.Fate) bool {
	rv.delivery.doubts.Store(0)
	rv.state.rows.chunk.Fates[r.row] = fate
	rv.state.rows.setID(r.row, []byte(r.id))
	return true
}

// restoration returns the members of patch with what before, a record, holds of
// them, as an object; nil if there are none. A member of which the record does
// not tell what it was, a reference that the API does not show, is unknown then.
func restoration(patch, before []byte) (out []byte, unknown string) {
	for name, value := range jsonscan.Members(patch) {
		plain := string(jsonscan.Unquote(name))
		was := jsonscan.Member(before, plain)
		if isHiddenReference(value, was) {
			return nil, plain
		}
		out = appendMember(out, name, settable(was))
	}
	return closed(out), ""
}

// settable returns what sets a member to was, which a record shows: of a record
// that is referred to its id, and null where there was nothing.
func settable(was jsontext.Value) jsontext.Value {
	switch {
	case len(was) == 0:
		return jsontext.Value("null")
	case was.Kind() != '{':
		return was
	}
	id := jsonscan.Member(was, idField)
	if id == nil {
		return was
	}
	return append(append(jsontext.Value(`{"id":`), id...), '}')
}
