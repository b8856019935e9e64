package bulk

import (
	"context"

	"flytt/internal/api"
	"flytt/pipeline"
)

// chunkState is what all phases share of the chunk that is being written.
type chunkState struct {
	engine   *engine
	rows     *chunkRows
	storage  *storage
	matcher  *matcher
	journal  *chunkJournal
	replayer *replayer
}

func newChunkState(e *engine) *chunkState {
	rows := &chunkRows{engine: e}
	storage := &storage{engine: e, rows: rows}
	journal := &chunkJournal{engine: e, rows: rows, storage: storage}
	return &chunkState{
		engine: e, rows: rows, storage: storage, journal: journal,
		matcher:  &matcher{engine: e, rows: rows, storage: storage},
		replayer: &replayer{engine: e, rows: rows, storage: storage, journal: journal},
	}
}

func (s *chunkState) begin(c *pipeline.Chunk) {
	s.rows.begin(c)
	s.storage.prior = nil
	s.journal.begin()
}

// unsettled reports whether there are rows to send or to look up, or records to read.
func (s *chunkState) unsettled() bool {
	return len(s.journal.doubtful) > 0 || s.rows.chunk.Pending() > 0 || s.storage.unread()
}

// end releases the chunk.
func (s *chunkState) end() {
	s.engine.unmatched.owned.release(s.rows)
	s.rows.end()
	s.journal.entry = nil
}

// chunkWriter writes the rows of one chunk at a time. A chunk goes through the phases in
// this order:
//
//	replayer    takes from the journal what earlier passes did, and what they left in doubt
//	reconciler  looks up the rows in doubt: either the API has them, or they are sent again
//	lookup      finds the existing records of rows; changer changes those that differ
//	prober      makes sure that a row is new if its key is not found
//	canary      sends the first row of a run alone, to have a record that every list must show
//	search      sends the other rows in bulk requests, and finds the rows that are refused
//	readback    reads the records that the answers did not show completely
//	journal     records what became of the rows
//
// The requests of search go through sender, which settles rows by the answer. If the API
// refused the request, refusal settles them; if the answer was not clear, the reconciler does.
type chunkWriter struct {
	engine   *engine
	delivery *delivery
	state    *chunkState

	plan       *planCheck
	reconciler *reconciler
	lookup     *lookup
	changer    *changer
	prober     *prober
	canary     *canaryFinder
	search     *search
	readback   *readback
	rejections *rejections
}

func newChunkWriter(e *engine, d *delivery, o *ImportOptions) *chunkWriter {
	s := newChunkState(e)
	answer, reply := api.NewAnswer(e.options.Key, e.options.KeyDigits), &replyBuffer{}
	ages := &ages{clock: d.client, began: o.Began, member: e.options.Created}
	own := &ownRecords{engine: e, rows: s.rows, storage: s.storage, matcher: s.matcher, ages: ages, unmatched: o.Unmatched != nil}
	w := &chunkWriter{
		engine: e, delivery: d, state: s,
		plan:       &planCheck{engine: e, source: o.Planned, rows: s.rows, journal: s.journal},
		reconciler: &reconciler{engine: e, options: o, delivery: d, rows: s.rows, storage: s.storage, matcher: s.matcher, journal: s.journal, own: own},
		readback:   &readback{engine: e, rows: s.rows, storage: s.storage, own: own, answer: answer},
		rejections: &rejections{engine: e, rows: s.rows},
	}
	w.changer = &changer{
		engine: e, options: o, delivery: d, rows: s.rows, storage: s.storage, matcher: s.matcher, journal: s.journal, plan: w.plan,
		rejections: w.rejections, answer: answer, reply: reply,
	}
	sender := &sender{
		engine: e, delivery: d, rows: s.rows, storage: s.storage, journal: s.journal, own: own, rejections: w.rejections,
		refusal:    &refusal{engine: e, options: o, delivery: d, rows: s.rows, storage: s.storage, own: own, rejections: w.rejections},
		reconciler: w.reconciler, answer: answer, reply: reply,
	}
	w.search = &search{engine: e, options: o, delivery: d, rows: s.rows, journal: s.journal, rejections: w.rejections, sender: sender}
	w.canary = &canaryFinder{engine: e, delivery: d, rows: s.rows, storage: s.storage, search: w.search, readback: w.readback}
	w.lookup = &lookup{engine: e, actions: w, rows: s.rows, matcher: s.matcher}
	w.prober = &prober{engine: e, actions: w, rows: s.rows, matcher: s.matcher}
	return w
}

func (w *chunkWriter) begin(c *pipeline.Chunk) {
	w.state.begin(c)
	w.search.begin()
	w.rejections.begin()
}

func (w *chunkWriter) end() {
	w.state.end()
	w.lookup.end()
}

// write takes the rows of c through all phases.
func (w *chunkWriter) write(ctx context.Context, c *pipeline.Chunk) error {
	w.begin(c)
	defer w.end()
	err := w.plan.load()
	if err == nil {
		err = w.state.replayer.replay()
	}
	if err == nil && w.state.unsettled() {
		err = w.carryOut(ctx)
	} else {
		w.state.rows.giveIDs()
	}
	if err == nil {
		err = w.delivery.breaker.noteChunk(c.Fates, w.rejections.refused, w.search.mostlyLocked())
	}
	return err
}

// recall settles the rows of c by what the journal has recorded of them.
func (w *chunkWriter) recall(c *pipeline.Chunk) error {
	w.begin(c)
	defer w.end()
	err := w.state.replayer.replayPart()
	w.state.rows.giveIDs()
	return err
}

// carryOut settles the rows that earlier passes left in doubt, then sends the pending
// rows. The answers may settle rows that could not be settled before, so these are
// reconciled once more. At the end the journal records what became of the rows.
func (w *chunkWriter) carryOut(ctx context.Context) error {
	left, err := w.reconciler.reconcile(ctx, w.state.journal.doubtful, true)
	w.delivery.sending.RLock()
	defer w.delivery.sending.RUnlock()
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
	w.state.rows.giveIDs()
	if failed := w.state.journal.recordOutcome(); err == nil {
		err = failed
	}
	return err
}

// sendPending changes or creates the records of the pending rows.
func (w *chunkWriter) sendPending(ctx context.Context) error {
	rows := w.state.rows.pending()
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

// actions carries out what a lookup has found to be necessary. An Import sends requests; a
// Plan only notes them.
type actions interface {
	// changeRecords applies changes to records, and settles their rows.
	changeRecords(ctx context.Context, changes []change) error

	// makeFirst creates records of rows until the list is known to show one of them. It
	// returns the rows that are not yet settled.
	makeFirst(ctx context.Context, rows []int32) ([]int32, error)

	// tryKey creates the record of row, to find out whether the API keeps keys of this
	// form unchanged. If first, the record may become the canary.
	tryKey(ctx context.Context, row int32, first bool) error
}

func (w *chunkWriter) changeRecords(ctx context.Context, changes []change) error {
	return w.changer.apply(ctx, changes)
}

func (w *chunkWriter) makeFirst(ctx context.Context, rows []int32) ([]int32, error) {
	if w.reconciler.looksFirst(rows) { // there were records with the keys of these rows
		return nil, w.engine.cannotFind(errShowsNoRecord)
	}
	return w.canary.find(ctx, rows)
}

func (w *chunkWriter) tryKey(ctx context.Context, row int32, first bool) error {
	if err := w.search.send(ctx, []int32{row}); err != nil {
		return err
	}
	if first {
		if err := w.canary.noteTried(ctx, row); err != nil {
			return err
		}
	}
	if err := w.readback.read(ctx); err != nil {
		return err
	}
	f := &w.engine.forms
	if w.state.rows.chunk.Fates[row] == pipeline.Written && !f.isKnown(w.state.rows.key(row)) {
		f.answersHideKeys.Store(true) // the API does not show what it stores
	}
	return nil
}
