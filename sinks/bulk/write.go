package bulk

import (
	"context"
	"errors"

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
	single     *singleWriter
	search     *search
	sender     *sender
	reply      *replyBuffer
	refusal    *refusal
	readback   *readback
	reconciler *reconciler
	plan       *planCheck
	replay     *replayer
	rejections *rejections
	own        *ownRecords

	answer *api.Answer

	todo []change        // records to be changed
	was  []pipeline.Fate // of the rows when the run ended that is being undone

}

func newWrite(e *engine) *write {
	answer := api.NewAnswer(e.options.Key, e.options.KeyDigits)
	rows := &chunkRows{engine: e}
	storage := &storage{engine: e, rows: rows}
	matcher := &matcher{engine: e, rows: rows, storage: storage}
	journal := &chunkJournal{engine: e, rows: rows, storage: storage}
	own := &ownRecords{engine: e, rows: rows, storage: storage, matcher: matcher}
	replay := &replayer{engine: e, rows: rows, storage: storage, journal: journal}
	plan := &planCheck{engine: e, rows: rows, journal: journal}
	rejections := &rejections{engine: e, rows: rows}
	reconciler := &reconciler{engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, own: own}
	readback := &readback{engine: e, rows: rows, storage: storage, own: own, answer: answer}
	refusal := &refusal{engine: e, rows: rows, storage: storage, own: own, rejections: rejections}
	reply := &replyBuffer{}
	sender := &sender{engine: e, rows: rows, storage: storage, journal: journal, own: own, rejections: rejections, refusal: refusal, reconciler: reconciler, answer: answer, reply: reply}
	search := &search{engine: e, rows: rows, journal: journal, rejections: rejections, sender: sender}
	single := &singleWriter{engine: e, rejections: rejections}
	return &write{single: single, search: search, sender: sender, reply: reply, refusal: refusal, readback: readback, reconciler: reconciler, rejections: rejections, plan: plan, replay: replay, own: own, engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, answer: answer}
}

func (w *write) begin(c *pipeline.Chunk) {
	w.rows.begin(c)
	w.search.extra = w.engine.options.MaxExtra
	w.rejections.refused, w.rejections.lockedOut, w.search.locked, w.storage.prior = 0, 0, nil, nil
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
	left, err := w.reconciler.reconcile(ctx, w.journal.doubtful, true)
	w.engine.sending.RLock()
	defer w.engine.sending.RUnlock()
	if err == nil {
		err = w.sendPending(ctx)
	}
	if err == nil && len(left) > 0 {
		if _, err = w.reconciler.reconcile(ctx, left, false); err == nil {
			err = w.sendPending(ctx)
		}
	}
	if unread := w.readback.read(ctx); err == nil {
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
		rows, err = w.reconciler.lookFirst(ctx, rows)
	}
	if err == nil {
		rows, err = w.provable(ctx, w.plan.creates(rows))
	}
	if err == nil {
		rows, err = w.engine.learn(ctx, w, rows)
	}
	if err == nil {
		err = w.search.sendUnproven(ctx, rows)
	}
	return err
}

var errShowsNone = errors.New("the answer shows none of the rows")

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
