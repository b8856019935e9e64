package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/pipeline"
)

// write is one call of Write: the chunk, and buffers that are kept for the next.
type write struct {
	engine     *engine
	rows       *chunkRows
	storage    *storage
	matcher    *matcher
	journal    *chunkJournal
	plan       *planCheck
	replay     *replayer
	rejections *rejections
	own        *ownRecords

	body  []byte // of the request
	reply []byte // body of the answer

	answer *api.Answer

	extra int             // requests left to find out which rows are refused
	todo  []change        // records to be changed
	was   []pipeline.Fate // of the rows when the run ended that is being undone

	locked    []lockedRow // rows that other writes keep out, to be sent again
	holdsTurn bool        // to search while others wait: see outlook

}

func newWrite(e *engine) *write {
	rows := &chunkRows{engine: e}
	storage := &storage{engine: e, rows: rows}
	matcher := &matcher{engine: e, rows: rows, storage: storage}
	journal := &chunkJournal{engine: e, rows: rows, storage: storage}
	own := &ownRecords{engine: e, rows: rows, storage: storage, matcher: matcher}
	replay := &replayer{engine: e, rows: rows, storage: storage, journal: journal}
	plan := &planCheck{engine: e, rows: rows, journal: journal}
	rejections := &rejections{engine: e, rows: rows}
	return &write{rejections: rejections, plan: plan, replay: replay, own: own, engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, answer: api.NewAnswer(e.options.Key, e.options.KeyDigits)}
}

func (w *write) begin(c *pipeline.Chunk) {
	w.rows.begin(c)
	w.extra = w.engine.options.MaxExtra
	w.rejections.refused, w.rejections.lockedOut, w.locked, w.storage.prior = 0, 0, nil, nil
	w.todo = w.todo[:0]
	w.journal.begin()
}

// end lets go of the chunk.
func (w *write) end() {
	w.engine.strays.held.release(w.rows)
	w.rows.end()
	w.journal.entry = nil
	clear(w.todo[:cap(w.todo)])
}

// unsettled reports whether there are rows to send or to look up, or records to be read.
func (w *write) unsettled() bool {
	return len(w.journal.doubtful) > 0 || w.rows.chunk.Pending() > 0 || w.storage.unread()
}

// carryOut settles the rows that earlier passes left in doubt and sends those that
// are pending, then. What is sent may prove what could not be believed before. In the
// end the journal has what became of the rows.
func (w *write) carryOut(ctx context.Context) error {
	left, err := w.reconcile(ctx, w.journal.doubtful, true)
	w.engine.sending.RLock()
	defer w.engine.sending.RUnlock()
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
	w.rows.giveIDs()
	if failed := w.journal.recordOutcome(); err == nil {
		err = failed
	}
	return err
}

// sendPending changes, or makes, the records of the pending rows.
func (w *write) sendPending(ctx context.Context) error {
	rows := w.rows.pending()
	if len(rows) == 0 {
		return nil
	}
	rows, err := w.change(ctx, rows)
	if err == nil {
		rows, err = w.lookFirst(ctx, rows)
	}
	if err == nil {
		rows, err = w.provable(ctx, w.plan.creates(rows))
	}
	if err == nil {
		rows, err = w.engine.learn(ctx, w, rows)
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
	o := &w.engine.options
	if o.Atomicity == AllOrNothing || !slices.Contains(w.journal.again, true) {
		return w.send(ctx, rows)
	}
	var rest, unproven []int32
	for _, row := range rows {
		if w.journal.again[row] && !w.engine.forms.trusts(w.rows.key(row)) {
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

// fit returns how many of rows one request has room for: at least one.
func (w *write) fit(rows []int32) int {
	room := int(w.engine.limit.Load()) - len("[]")
	for n, row := range rows {
		room -= len(w.rows.item(row)) + len(",")
		if room < 0 && n > 0 {
			return n
		}
	}
	return len(rows)
}

// post sends rows in one request and settles them, but for those that the verdict
// leaves. Alone, nothing else is in flight at the same time.
func (w *write) post(ctx context.Context, rows []int32, alone bool) (verdict, error) {
	o, err := w.deliver(ctx, rows, w.engine.writer(alone))
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
	w.engine.doubts.Store(0)
	if o.Status == http.StatusRequestEntityTooLarge {
		w.tooLarge(rows)
		return verdict{ending: wasTooLarge}, nil
	}
	return verdict{}, &api.StatusError{Method: http.MethodPost, Path: w.engine.options.Path, Status: o.Status}
}

// confirmed returns how a request with rows ended that was answered with success.
func (w *write) confirmed(rows []int32) ending {
	if len(w.rows.inDoubt(rows)) > 0 {
		return cameInDoubt
	}
	return wentThrough
}

// deliver makes attempts by via until one may have been processed. Before the first
// the journal has it that they are made.
func (w *write) deliver(ctx context.Context, rows []int32, via Writer) (api.Outcome, error) {
	s, path := w.engine, w.engine.options.Path
	if err := s.outlook.stopped(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.alive(ctx); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.journal.checkpoint(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := w.journal.announce(rows, nil); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	w.body = append(w.body[:0], '[')
	for i, row := range rows {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		w.body = append(w.body, w.rows.item(row)...)
	}
	w.body = append(w.body, ']')
	s.created.Store(true)
	for _, row := range rows {
		w.rows.claimCreated(row) // before another chunk can see its record
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
	sent := w.rows.sent(rows)
	if err := w.engine.numbering.match(w.answer, o.Body, sent); err != nil {
		w.rows.putInDoubt(rows, "answer not readable", o.Status, err)
		return verdict{ending: cameInDoubt}, w.doubted(http.MethodPost, w.engine.options.Path, err)
	}
	if w.answer.Refused() {
		refusals := slices.Clone(w.answer.Refusals())
		return w.refusedFor(ctx, rows, &o, refusals, w.engine.contention(&o, sent, refusals))
	}
	for i, row := range rows {
		switch record := w.answer.Object(i); {
		case !w.answer.Written(i):
		case w.answer.MatchedBy(i) != api.ByKey && w.engine.existed(record): // it is somebody else's
			w.journal.unmatchedIDs = append(w.journal.unmatchedIDs, string(w.answer.ID(i)))
		default:
			w.own.written(row, w.answer.ID(i))
			w.own.takeCreated(row, record)
		}
	}
	refusals := w.answer.Refusals()
	others, locked := w.rejections.rejectNamed(rows, refusals, w.engine.contention(&o, sent, refusals).Items)
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
		w.engine.doubts.Store(0)
		return nil
	}
	for _, row := range unshown {
		w.rows.chunk.Fates[row] = pipeline.InDoubt
	}
	for _, id := range w.answer.UnmatchedIDs() {
		w.journal.unmatchedIDs = append(w.journal.unmatchedIDs, string(id))
	}
	w.engine.options.Log.Warn("rows in doubt", "cause", "the answer does not show them",
		"chunk", w.rows.chunk.Seq, "rows", len(unshown), "of", len(rows))
	if len(unshown) == len(rows) {
		return w.doubted(http.MethodPost, w.engine.options.Path, errShowsNone)
	}
	w.engine.doubts.Store(0)
	return nil
}

// noteLatest makes the last of rows that was written the control.
func (w *write) noteLatest(rows []int32) {
	for _, row := range slices.Backward(rows) {
		if key := w.rows.key(row); w.rows.chunk.Fates[row] == pipeline.Written && w.engine.forms.trusts(key) && !w.storage.rekeyed(row) {
			w.engine.control.wrote(key)
			return
		}
	}
}

// lost puts the rows of a request without an answer in doubt.
func (w *write) lost(rows []int32, o api.Outcome) error {
	w.rows.putInDoubt(rows, "no clear answer", o.Status, o.Err)
	return w.doubted(http.MethodPost, w.engine.options.Path, o.Err)
}

// doubted counts a request to path that proved nothing, because of cause. After many
// such requests in a row it stops the run, so that a dead API, or a login page
// in its place, does not leave a whole register in doubt.
func (w *write) doubted(method, path string, cause error) error {
	if n := w.engine.doubts.Add(1); n >= int64(w.engine.options.MaxDoubts) {
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
		w.rows.note(rows[0], pipeline.None, codeItemTooLarge, "")
		return
	}
	half := int64(len(w.body) / 2)
	for limit := w.engine.limit.Load(); half < limit; limit = w.engine.limit.Load() {
		if w.engine.limit.CompareAndSwap(limit, half) {
			w.engine.options.Log.Warn("request too large for the API, sending less at a time", "bytes", half)
		}
	}
}

// column returns the index of the input column that field comes from.
func (e *engine) column(field int16) int16 {
	if field >= 0 && int(field) < len(e.options.Columns) {
		return e.options.Columns[field]
	}
	return pipeline.None
}

// interrupted reports whether err says that ctx has ended, or that nothing is to be
// waited for any more.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, pipeline.ErrInterrupted) || ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
