package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/pipeline"
)

// write is one call of Write: the chunk, and buffers that are kept for the next.
type write struct {
	bulk     *Import
	chunk    *pipeline.Chunk
	rows     []int32  // the rows to send
	body     []byte   // of the request
	reply    []byte   // body of the answer
	full     []byte   // of the row being compared: its object, with nulls
	items    [][]byte // of the rows in the request
	keys     [][]byte // likewise
	answer   *api.Answer
	ids      []idSpan // by row: where its id lies in idText
	idText   []byte
	extra    int             // requests left to find out which rows are refused
	todo     []change        // records to be changed
	was      []pipeline.Fate // of the rows when the run ended that is being undone
	otherKey string          // of the record that was last shown with another key than was sent
	past     deviations      // how the API stored the rows of the run that is looked back at
	planned  *journal.Entry  // what was planned of the rows; nil: nothing was

	turnedAway int         // rows that the API has refused
	lockedOut  int         // of those, rows that other writes kept out
	locked     []lockedRow // rows that other writes keep out, to be sent again
	holdsTurn  bool        // to search while others wait: see outlook

	journaled
}

type idSpan struct{ start, end int32 }

func (w *write) begin(c *pipeline.Chunk) {
	w.chunk, w.extra = c, w.bulk.options.MaxExtra
	w.turnedAway, w.lockedOut, w.locked, w.past = 0, 0, nil, nil
	w.ids, w.idText, w.todo = w.ids[:0], w.idText[:0], w.todo[:0]
	for i := range c.Fates {
		w.ids = append(w.ids, idSpan{})
		if c.IDs.Len() == c.Len() {
			w.setID(int32(i), c.IDs.Value(i)) // of a row that was settled before
		}
	}
	w.journaled.begin(c.Len(), len(c.Problems))
}

// end lets go of the chunk.
func (w *write) end() {
	w.bulk.strays.held.release(w)
	w.chunk, w.entry = nil, nil
	clear(w.items[:cap(w.items)])
	clear(w.keys[:cap(w.keys)])
	clear(w.todo[:cap(w.todo)])
}

// giveIDs gives the ids to the chunk.
func (w *write) giveIDs() {
	c := w.chunk
	if len(w.idText) == 0 {
		return
	}
	c.IDs.Reset()
	for _, id := range w.ids {
		if id.start == id.end {
			c.IDs.AppendNull()
		} else {
			c.IDs.Append(w.idText[id.start:id.end])
		}
	}
}

func (w *write) setID(row int32, id []byte) {
	start := int32(len(w.idText))
	w.idText = append(w.idText, id...)
	w.ids[row] = idSpan{start, int32(len(w.idText))}
}

// unsettled reports whether there are rows to send or to look up, or records to be read.
func (w *write) unsettled() bool {
	return len(w.doubtful) > 0 || w.chunk.Pending() > 0 || w.unread()
}

// carryOut settles the rows that earlier passes left in doubt and sends those that
// are pending, then. What is sent may prove what could not be believed before. In the
// end the journal has what became of the rows.
func (w *write) carryOut(ctx context.Context) error {
	left, err := w.reconcile(ctx, w.doubtful, true)
	w.bulk.sending.RLock()
	defer w.bulk.sending.RUnlock()
	if err == nil {
		err = w.sendPending(ctx)
	}
	if err == nil && len(left) > 0 {
		if _, err = w.reconcile(ctx, left, false); err == nil {
			err = w.sendPending(ctx)
		}
	}
	if unread := w.readUnshown(ctx); err == nil {
		err = unread
	}
	w.giveIDs()
	if failed := w.settle(); err == nil {
		err = failed
	}
	return err
}

// sendPending changes, or makes, the records of the pending rows.
func (w *write) sendPending(ctx context.Context) error {
	rows := w.pending()
	if len(rows) == 0 {
		return nil
	}
	rows, err := w.change(ctx, rows)
	if err == nil {
		rows, err = w.lookFirst(ctx, rows)
	}
	if err == nil {
		rows, err = w.provable(ctx, w.asPlanned(rows))
	}
	if err == nil {
		rows, err = w.bulk.learn(ctx, w, rows)
	}
	if err == nil {
		err = w.sendUnproven(ctx, rows)
	}
	return err
}

// sendUnproven sends rows, and behind the others those that were in doubt and whose keys
// a look-up does not find: one by one, as far as MaxExtra goes. If one request with all of
// them is refused because of one, all are in doubt again.
func (w *write) sendUnproven(ctx context.Context, rows []int32) error {
	o := &w.bulk.options
	if o.Atomicity == AllOrNothing || !slices.Contains(w.again, true) {
		return w.send(ctx, rows)
	}
	var rest, unproven []int32
	for _, row := range rows {
		if w.again[row] && !w.bulk.forms.trusts(w.key(row)) {
			unproven = append(unproven, row)
		} else {
			rest = append(rest, row)
		}
	}
	if err := w.send(ctx, rest); err != nil {
		return err
	}
	size := (len(unproven) + o.MaxExtra - 1) / o.MaxExtra
	for len(unproven) > 0 {
		n := min(size, len(unproven))
		if err := w.send(ctx, unproven[:n:n]); err != nil {
			return err
		}
		unproven = unproven[n:]
	}
	return nil
}

// pending returns the rows to send.
func (w *write) pending() []int32 {
	w.rows = w.rows[:0]
	for i, fate := range w.chunk.Fates {
		if fate == pipeline.Pending {
			w.rows = append(w.rows, int32(i))
		}
	}
	return w.rows
}

// key returns what identifies row, or nil.
func (w *write) key(row int32) []byte {
	c := w.chunk
	if w.bulk.options.Key == "" || c.Keys.Len() != c.Len() {
		return nil
	}
	return c.Keys.Value(int(row))
}

// sent returns what a request with rows carries. It is good until the next call.
func (w *write) sent(rows []int32) api.Sent {
	w.items, w.keys = w.items[:0], w.keys[:0]
	for _, row := range rows {
		w.items = append(w.items, w.item(row))
		w.keys = append(w.keys, w.key(row))
	}
	return api.Sent{Items: w.items, Keys: w.keys}
}

// fit returns how many of rows one request has room for: at least one.
func (w *write) fit(rows []int32) int {
	room := int(w.bulk.limit.Load()) - len("[]")
	for n, row := range rows {
		room -= len(w.item(row)) + len(",")
		if room < 0 && n > 0 {
			return n
		}
	}
	return len(rows)
}

// post sends rows in one request and settles them, but for those that the verdict
// leaves. Alone, nothing else is in flight at the same time.
func (w *write) post(ctx context.Context, rows []int32, alone bool) (verdict, error) {
	o, err := w.deliver(ctx, rows, w.bulk.sender(alone))
	if err != nil {
		return verdict{}, err
	}
	if o.Class == api.InDoubt {
		err := w.lost(rows, o)
		w.seekOnce(ctx, rows)
		return verdict{ending: cameInDoubt}, err
	}
	if o.OK() {
		r, err := w.confirm(ctx, rows, o)
		if r.ending == cameInDoubt {
			w.seekOnce(ctx, rows)
			r.ending = w.confirmed(rows)
		}
		return r, err
	}
	if api.IsRefusal(o.Status) {
		return w.refused(ctx, rows, o)
	}
	w.bulk.doubts.Store(0)
	if o.Status == http.StatusRequestEntityTooLarge {
		w.tooLarge(rows)
		return verdict{ending: wasTooLarge}, nil
	}
	return verdict{}, &api.StatusError{Method: http.MethodPost, Path: w.bulk.options.Path, Status: o.Status}
}

// confirmed returns how a request with rows ended that was answered with success.
func (w *write) confirmed(rows []int32) ending {
	if len(w.inDoubt(rows)) > 0 {
		return cameInDoubt
	}
	return wentThrough
}

// deliver makes attempts by via until one may have been processed. Before the first
// the journal has it that they are made.
func (w *write) deliver(ctx context.Context, rows []int32, via sender) (api.Outcome, error) {
	s, path := w.bulk, w.bulk.options.Path
	if err := s.outlook.stopped(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.alive(ctx); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.checkpoint(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.announce(rows, nil); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	w.body = append(w.body[:0], '[')
	for i, row := range rows {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		w.body = append(w.body, w.item(row)...)
	}
	w.body = append(w.body, ']')
	s.created.Store(true)
	for _, row := range rows {
		w.claimCreated(row) // before another chunk can see its record
	}
	return s.client.Deliver(ctx, http.MethodPost, path, func() api.Outcome {
		o := via.BulkWrite(ctx, path, w.body, w.reply)
		w.keepReply(o)
		return o
	})
}

// keepReply keeps the buffer of the answer for the next one.
func (w *write) keepReply(o api.Outcome) {
	if cap(o.Body) > cap(w.reply) {
		w.reply = o.Body[:0]
	}
}

var errShowsNone = errors.New("the answer shows none of the rows")

// confirm settles rows by an answer with a status of success. Rows that it shows are
// written; those that it says failed are rejected. What it says nothing of is in doubt,
// with the ids of the records that it shows beside; an answer that shows nothing is as
// good as none. One that is a refusal, for all its status, is taken for that.
func (w *write) confirm(ctx context.Context, rows []int32, o api.Outcome) (verdict, error) {
	sent := w.sent(rows)
	if err := w.bulk.numbering.match(w.answer, o.Body, sent); err != nil {
		w.doubt(rows, "answer not readable", o.Status, err)
		return verdict{ending: cameInDoubt}, w.doubted(http.MethodPost, w.bulk.options.Path, err)
	}
	if w.answer.Refused() {
		refusals := slices.Clone(w.answer.Refusals())
		return w.refusedFor(ctx, rows, &o, refusals, w.bulk.contention(&o, sent, refusals))
	}
	for i, row := range rows {
		switch record := w.answer.Object(i); {
		case !w.answer.Written(i):
		case w.answer.MatchedBy(i) != api.ByKey && w.bulk.existed(record): // it is somebody else's
			w.loose = append(w.loose, string(w.answer.ID(i)))
		default:
			w.written(row, w.answer.ID(i))
			w.takeCreated(row, record)
		}
	}
	refusals := w.answer.Refusals()
	others, locked := w.rejectNamed(rows, refusals, w.bulk.contention(&o, sent, refusals).Items)
	if err := w.doubtUnshown(rows, others); err != nil {
		return verdict{ending: cameInDoubt}, err
	}
	w.noteLatest(rows)
	return verdict{ending: w.confirmed(rows), locked: locked}, nil
}

// doubtUnshown puts those of the rows of a request in doubt of which its answer said
// nothing.
func (w *write) doubtUnshown(rows, unshown []int32) error {
	if len(unshown) == 0 {
		w.bulk.doubts.Store(0)
		return nil
	}
	for _, row := range unshown {
		w.chunk.Fates[row] = pipeline.InDoubt
	}
	for _, id := range w.answer.UnmatchedIDs() {
		w.loose = append(w.loose, string(id))
	}
	w.bulk.options.Log.Warn("rows in doubt", "cause", "the answer does not show them",
		"chunk", w.chunk.Seq, "rows", len(unshown), "of", len(rows))
	if len(unshown) == len(rows) {
		return w.doubted(http.MethodPost, w.bulk.options.Path, errShowsNone)
	}
	w.bulk.doubts.Store(0)
	return nil
}

// noteLatest makes the last of rows that was written the control.
func (w *write) noteLatest(rows []int32) {
	for _, row := range slices.Backward(rows) {
		if key := w.key(row); w.chunk.Fates[row] == pipeline.Written && w.bulk.forms.trusts(key) && !w.rekeyed(row) {
			w.bulk.control.wrote(key)
			return
		}
	}
}

func (w *write) written(row int32, id []byte) {
	w.chunk.Fates[row] = pipeline.Written
	w.setID(row, id)
	w.claimCreated(row)
}

// doubt puts rows in doubt and says why.
func (w *write) doubt(rows []int32, why string, status int, err error) {
	for _, row := range rows {
		w.chunk.Fates[row] = pipeline.InDoubt
	}
	about := []any{"cause", why, "chunk", w.chunk.Seq, "rows", len(rows)}
	if status != 0 {
		about = append(about, "status", status)
	}
	if err != nil {
		about = append(about, "error", err)
	}
	w.bulk.options.Log.Warn("rows in doubt", about...)
}

// lost puts the rows of a request without an answer in doubt.
func (w *write) lost(rows []int32, o api.Outcome) error {
	w.doubt(rows, "no clear answer", o.Status, o.Err)
	return w.doubted(http.MethodPost, w.bulk.options.Path, o.Err)
}

// doubted counts a request to path that proved nothing, because of cause. After many
// such requests in a row it stops the run, so that a dead API, or a login page
// in its place, does not leave a whole register in doubt.
func (w *write) doubted(method, path string, cause error) error {
	if n := w.bulk.doubts.Add(1); n >= int64(w.bulk.options.MaxDoubts) {
		return &doubtsError{method: method, path: path, err: cause}
	}
	return nil
}

// doubtsError stops a run whose requests all end in doubt.
type doubtsError struct {
	method, path string
	err          error
}

func (e *doubtsError) Error() string {
	return e.method + " " + e.path + ": no clear answer to any of the last requests: " + e.err.Error()
}

func (e *doubtsError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *doubtsError) Hint() string {
	return "see whether the API is well before going on; the rows in doubt are listed and were not sent again"
}

// tooLarge remembers that a request with rows is too large: half as much is sent
// at a time from now on. A row that is too large on its own is rejected.
func (w *write) tooLarge(rows []int32) {
	if len(rows) == 1 {
		w.note(rows[0], pipeline.None, codeItemTooLarge, "")
		return
	}
	half := int64(len(w.body) / 2)
	for limit := w.bulk.limit.Load(); half < limit; limit = w.bulk.limit.Load() {
		if w.bulk.limit.CompareAndSwap(limit, half) {
			w.bulk.options.Log.Warn("request too large for the API, sending less at a time", "bytes", half)
		}
	}
}

// note rejects row.
func (w *write) note(row int32, field int16, code pipeline.Code, private string) {
	w.chunk.Note(pipeline.Problem{
		Row: row, Field: field, Column: w.bulk.column(field),
		Stage: pipeline.Write, Code: code, Private: private,
	})
}

// column returns the index of the input column that field comes from.
func (s *Import) column(field int16) int16 {
	if field >= 0 && int(field) < len(s.options.Columns) {
		return s.options.Columns[field]
	}
	return pipeline.None
}

// interrupted reports whether err says that ctx has ended, or that nothing is to be
// waited for any more.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, pipeline.ErrInterrupted) || ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
