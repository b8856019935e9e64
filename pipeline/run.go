package pipeline

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// What ends a run before its input does, other than a failure of the source or
// the sink.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrMaxRejects  = errors.New("more rows rejected than allowed")
)

// Run is one execution: rows from Source, through Steps, to Sink. Source and
// Schema are needed; the zero value of everything else works.
type Run struct {
	Source   Source
	Schema   *Schema       // of the fields that the steps make
	Steps    func() []Step // makes the steps of one worker; nil: none
	Sink     Sink          // nil: a dry run, every valid row stays where it is
	Recorder Recorder      // nil: rejects are counted only
	Workers  int           // goroutines that decode, map, validate and encode; 0: one for each processor
	Chunks   ChunkLimits
	Limit    RejectLimit
	Drain    <-chan struct{} // when closed, nothing more is read, and no chunk is begun: see ChunkLimits
	Progress func(Progress)  // called in input order, from one goroutine at a time; once a second at least while a chunk is written
}

// ChunkLimits says how rows are gathered for the sink. With InFlight zero each
// block is a chunk and is written in input order.
type ChunkLimits struct {
	InFlight int // chunks written at once
	Rows     int // rows sent in a chunk; needed with InFlight
	Bytes    int // encoded bytes in a chunk, exceeded only by a single row; 0: 8 MiB

	// Whole keeps a chunk that the end of the run cut short from being written: a
	// journal is to meet the same chunks when the run is gone on with.
	Whole bool

	// Recall settles those rows of a chunk that earlier passes over the input did,
	// where the chunk, or what was read of it, is not to be written any more because
	// the run is stopped; the others stay Pending. It is called concurrently. Nil:
	// there were no earlier passes.
	Recall func(c *Chunk) error
}

// RejectLimit stops a run that rejects too much. The zero value never does.
type RejectLimit struct {
	Set     bool
	Rows    int64   // more rejected rows than this stop the run
	Percent float64 // if not 0, in place of Rows: more than this share of the rows read, after the first 1,000
}

// percentFrom is how many rows are read before a percentage is looked at.
const percentFrom = 1000

func (l RejectLimit) exceeded(rejected, read int64) bool {
	switch {
	case !l.Set:
		return false
	case l.Percent != 0:
		return read >= percentFrom && float64(rejected)*100 > l.Percent*float64(read)
	}
	return rejected > l.Rows
}

// Progress is how far a run has come: rows accounted for, and the bytes of the input
// that they took, of a block that became several chunks in proportion.
type Progress struct {
	Rows  Counts
	Bytes int64
}

// Window returns the largest number of blocks in memory at once: one in each
// worker's hands, one waiting for each, one being cut and one being written.
func (r *Run) Window() int { return 2*r.workers() + 2 }

// chunked reports whether rows are gathered into chunks that are written
// concurrently.
func (r *Run) chunked() bool { return r.Sink != nil && r.Chunks.InFlight > 0 }

func (r *Run) workers() int {
	if r.Workers > 0 {
		return r.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// unit is a block on its way through, with everything made of it. Units are
// made once and go round.
type unit struct {
	block Block
	chunk Chunk
	rec   Record
	valid int64         // rows that passed every rule
	end   int64         // bytes of input read, up to and with this unit
	err   error         // why it could not be processed
	void  bool          // left alone, because the run had stopped
	hold  bool          // not to be written
	done  chan struct{} // one token when a worker, or a writer, is through with it
}

func newUnit() *unit { return &unit{done: make(chan struct{}, 1)} }

// engine is the state of one Do.
type engine struct {
	*Run
	ctx     context.Context    // ends with the caller's: everything stops
	reading context.Context    // ends also when the run is to stop
	cutting context.Context    // ends also when the run is to be drained
	stop    context.CancelFunc // ends reading
	failed  atomic.Bool        // nothing more is to be written
	unbegun atomic.Bool        // chunks were not begun, because the run was to be drained

	free    chan *unit // cap Window: never blocks a sender
	work    chan *unit
	ordered chan *unit

	readErr     error // of the cutter; read once it is done
	interrupted bool

	account account
	errOnce sync.Once
	err     error // the first failure of a sink, a recorder or a limit
}

// Do runs the run and reports what it did. The report is whole and balanced
// also when an error is returned: ErrInterrupted, ErrMaxRejects, or what the
// source, a step, the sink or the recorder said. Do returns when every
// goroutine it started has ended. It closes neither source nor recorder; it
// commits or aborts the sink.
//
// After a read error the rows read before it are finished. After a drain files
// get what was read; of the chunks for an API those under way are finished, and
// the rows of the others are NotSent. After a write error nothing more is sent,
// but what is under way may finish. When ctx ends, everything stops at once.
func (r *Run) Do(ctx context.Context) (*Report, error) {
	e := &engine{Run: r, ctx: ctx}
	e.reading, e.stop = context.WithCancel(ctx)
	defer e.stop()
	var drain context.CancelFunc
	e.cutting, drain = context.WithCancel(e.reading)
	defer drain()
	e.account.init(r)
	e.free = make(chan *unit, r.Window())
	e.work = make(chan *unit, r.Window())
	e.ordered = make(chan *unit, r.Window())
	for range r.Window() {
		e.free <- newUnit()
	}

	workers := e.hire()
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer drain()
		e.cut()
	})
	wg.Go(func() { // a source that waits for its input has to be told
		select {
		case <-e.Drain:
			drain()
		case <-over:
		}
	})
	for _, w := range workers {
		wg.Go(func() { e.process(w) })
	}
	e.deliver()
	close(over)
	wg.Wait()
	return e.finish()
}

// cut fills units from the source until the input, or the run, ends.
func (e *engine) cut() {
	defer close(e.ordered)
	defer close(e.work)
	for seq := int64(0); ; seq++ {
		var u *unit
		select {
		case u = <-e.free:
		case <-e.cutting.Done():
		}
		if e.cutting.Err() != nil || e.draining() {
			e.interrupted = e.draining()
			return
		}
		err := e.Source.Next(e.cutting, &u.block)
		switch {
		case err == io.EOF:
			return
		case err != nil && e.reading.Err() != nil:
			return
		case err != nil && e.draining():
			e.interrupted = true
			return
		case err != nil:
			e.readErr = err
			return
		}
		u.chunk.Seq = seq
		e.ordered <- u
		e.work <- u
	}
}

func (e *engine) draining() bool {
	select {
	case <-e.Drain:
		return true
	default:
		return false
	}
}

// hire makes the workers, one after another: what makes their steps need not
// be safe for concurrent use.
func (e *engine) hire() []*worker {
	workers := make([]*worker, e.workers())
	for i := range workers {
		w := &worker{run: e.Run, decoder: e.Source.Decoder()}
		if e.Steps != nil {
			w.steps = e.Steps()
		}
		if e.Sink != nil {
			w.encoder = e.Sink.Encoder()
		}
		w.render = e.Recorder != nil && !e.chunked()
		workers[i] = w
	}
	return workers
}

// process is one worker at work: it takes units as they come and makes chunks
// of them.
func (e *engine) process(w *worker) {
	for u := range e.work {
		u.void, u.err = e.reading.Err() != nil, nil
		if !u.void {
			u.err = w.do(u)
		}
		u.done <- struct{}{}
	}
}

type worker struct {
	run     *Run
	decoder Decoder
	steps   []Step
	encoder Encoder
	render  bool
}

func (w *worker) do(u *unit) error {
	c := &u.chunk
	c.Batch.Reset(len(w.run.Source.Columns()))
	c.Encoded.Reset()
	c.IDs.Reset()
	u.rec.reset()
	u.end = u.block.End
	if err := w.decoder.Decode(&u.block, &c.Batch); err != nil {
		return err
	}
	for _, s := range w.steps {
		if err := s.Apply(&c.Batch); err != nil {
			return err
		}
	}
	if w.encoder != nil {
		if err := w.encoder.Encode(&c.Batch, &c.Encoded); err != nil {
			return err
		}
	}
	rejectBroken(&c.Batch)
	u.valid = int64(c.Pending())
	if err := w.fill(&c.Batch); err != nil {
		return err
	}
	if w.render {
		render(w.run.Recorder, u)
	}
	return nil
}

// fill makes the input columns whole if somebody is going to look at them.
func (w *worker) fill(b *Batch) error {
	if b.Fill == nil || !w.run.chunked() && !slices.Contains(b.Fates, Rejected) {
		return nil
	}
	fill := b.Fill
	b.Fill = nil
	return fill(b)
}

// rejectBroken ends what only steps need to know: which rejected rows could
// not be decoded.
func rejectBroken(b *Batch) {
	if len(b.Problems) == 0 {
		return
	}
	for i, f := range b.Fates {
		if f == Broken {
			b.Fates[i] = Rejected
		}
	}
}

// render puts the problems in row order and has them written down.
func render(r Recorder, u *unit) {
	sortProblems(u.chunk.Problems)
	r.Render(&u.chunk, &u.rec)
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return int(a.Row) - int(b.Row) })
}

// deliver takes the units in input order and gives them to the sink.
func (e *engine) deliver() {
	var next interface {
		add(*unit) bool // false: later units are not wanted
		close()
	} = (*direct)(e)
	if e.chunked() {
		next = newChunker(e)
	}
	ended := false // what comes later counts as not read
	for u := range e.ordered {
		<-u.done
		switch {
		case u.void: // the run stopped before it was decoded; the account has no gaps
			ended = true
		case u.err != nil:
			e.halt(u.err)
			ended = true
		case !ended:
			ended = !next.add(u)
		}
		e.free <- u
	}
	next.close()
}

// halt ends the reading with err, unless the run has ended already. What was
// cut into chunks to be written still is.
func (e *engine) halt(err error) {
	e.errOnce.Do(func() { e.err = err })
	e.stop()
}

// fail ends the run with err: nothing more is written.
func (e *engine) fail(err error) {
	e.failed.Store(true)
	e.halt(err)
}

// stopped reports whether nothing more is to be written.
func (e *engine) stopped() bool { return e.failed.Load() || e.ctx.Err() != nil }

// direct writes each unit as it comes: files.
type direct engine

func (d *direct) add(u *unit) bool {
	e := (*engine)(d)
	if e.Sink != nil && !e.stopped() {
		if err := e.Sink.Write(e.ctx, &u.chunk); err != nil {
			e.fail(err)
		}
		e.amend(u)
	}
	e.take(u)
	if e.Limit.exceeded(e.account.counts.Rejected, e.account.counts.Read) {
		e.fail(ErrMaxRejects)
		return false
	}
	return true
}

func (d *direct) close() {}

// amend renders u again if its write said what no worker could know. Files say
// nothing of single rows.
func (e *engine) amend(u *unit) {
	named := u.chunk.IDs.Len() > 0
	if e.Recorder == nil || !named && refused(u) == 0 && !slices.Contains(u.chunk.Fates, InDoubt) {
		return
	}
	u.rec.reset()
	render(e.Recorder, u)
	if !named {
		u.rec.Written = u.rec.Written[:0] // as in the units that were not rendered again
	}
}

// take accounts for a unit whose fates are known as far as they ever will be.
func (e *engine) take(u *unit) {
	if e.Sink != nil {
		u.chunk.Settle(NotSent)
	}
	if err := e.account.add(u); err != nil {
		e.fail(err)
	}
}

// finish commits or aborts and adds everything up.
func (e *engine) finish() (*Report, error) {
	err := e.outcome()
	if e.Sink != nil {
		err = e.closeSink(err)
	}
	return e.account.report(e.Sink == nil), err
}

func (e *engine) outcome() error {
	switch {
	case e.ctx.Err() != nil:
		return ErrInterrupted
	case e.err != nil:
		return e.err
	case e.readErr != nil:
		return e.readErr
	case e.interrupted, e.unbegun.Load():
		return ErrInterrupted
	}
	return nil
}

func (e *engine) closeSink(err error) error {
	if err == nil {
		if err = e.Sink.Commit(e.ctx); err == nil {
			return nil
		}
	}
	undone, abortErr := e.Sink.Abort()
	if undone {
		e.account.undo()
	}
	return errors.Join(err, abortErr)
}
