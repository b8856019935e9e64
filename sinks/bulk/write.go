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
	lookup     *lookup
	canary     *canaryFinder
	changer    *changer
	prober     *prober
	current    *currentReader
	verifier   *verifier
	reverser   *reverser
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
	changer := &changer{engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, rejections: rejections, plan: plan, single: single, answer: answer, reply: reply}
	lookup := &lookup{engine: e, rows: rows, matcher: matcher}
	prober := &prober{engine: e, rows: rows, matcher: matcher}
	current := &currentReader{engine: e, rows: rows}
	verifier := &verifier{engine: e, rows: rows, storage: storage, matcher: matcher}
	reverser := &reverser{engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, rejections: rejections, single: single, reply: reply}
	canary := &canaryFinder{engine: e, rows: rows, storage: storage, search: search, readback: readback}
	w := &write{canary: canary, changer: changer, lookup: lookup, prober: prober, current: current, verifier: verifier, reverser: reverser, single: single, search: search, sender: sender, reply: reply, refusal: refusal, readback: readback, reconciler: reconciler, rejections: rejections, plan: plan, replay: replay, own: own, engine: e, rows: rows, storage: storage, matcher: matcher, journal: journal, answer: answer}
	w.act(w)
	return w
}

func (w *write) begin(c *pipeline.Chunk) {
	w.rows.begin(c)
	w.search.extra = w.engine.options.MaxExtra
	w.rejections.refused, w.rejections.lockedOut, w.search.locked, w.storage.prior = 0, 0, nil, nil
	w.lookup.todo = w.lookup.todo[:0]
	w.journal.begin()
}

// end lets go of the chunk.
func (w *write) end() {
	w.engine.strays.held.release(w.rows)
	w.rows.end()
	w.journal.entry = nil
	clear(w.lookup.todo[:cap(w.lookup.todo)])
}

// act has a carry out what look-ups find to be necessary.
func (w *write) act(a actions) { w.lookup.actions, w.prober.actions = a, a }

// actions carries out what a look-up has found to be necessary. An Import sends it, a Plan
// notes it.
type actions interface {
	// changeRecords makes changes of records, and settles their rows.
	changeRecords(ctx context.Context, changes []change) error

	// makeFirst makes records of rows until the list is known to show one of them. It
	// returns the rows that are still to be settled.
	makeFirst(ctx context.Context, rows []int32) ([]int32, error)

	// tryKey finds out whether the API keeps keys of the form of that of row, by making
	// its record. If first, the record may become the canary.
	tryKey(ctx context.Context, row int32, first bool) error
}

func (w *write) changeRecords(ctx context.Context, changes []change) error {
	return w.changer.apply(ctx, changes)
}

func (w *write) makeFirst(ctx context.Context, rows []int32) ([]int32, error) {
	return w.canary.find(ctx, rows)
}

func (w *write) tryKey(ctx context.Context, row int32, first bool) error {
	if err := w.search.send(ctx, []int32{row}); err != nil {
		return err
	}
	if first {
		if err := w.canary.tried(ctx, row); err != nil {
			return err
		}
	}
	if err := w.readback.read(ctx); err != nil {
		return err
	}
	f := &w.engine.forms
	if w.rows.chunk.Fates[row] == pipeline.Written && !f.told(w.rows.key(row)) {
		f.untold.Store(true) // the API does not show what it stores
	}
	return nil
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
	rows, err := w.lookup.settle(ctx, rows)
	if err == nil {
		rows, err = w.reconciler.lookFirst(ctx, rows)
	}
	if err == nil {
		rows, err = w.prober.provable(ctx, w.plan.creates(rows))
	}
	if err == nil {
		rows, err = w.canary.find(ctx, rows)
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
