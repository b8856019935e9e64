package pipeline

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// unit is a block in the course of its processing, with everything made from it. Units
// are reused.
type unit struct {
	block    Block
	chunk    Chunk
	rec      Record
	valid    int64         // rows that passed every rule
	end      int64         // bytes of input read, up to and with this unit
	err      error         // why it could not be processed
	unread   bool          // not processed, because the run had stopped
	withheld bool          // must not be written, because the run stops
	done     chan struct{} // one token when its worker, or its write, is done
}

// reset empties u for a chunk with so many input columns, and keeps its buffers.
func (u *unit) reset(columns int) {
	u.chunk.Batch.Reset(columns)
	u.chunk.Encoded.Reset()
	u.chunk.IDs.Reset()
	u.rec.reset()
}

// units returns a channel with n units in it. It has room for them all, so putting
// one back never blocks.
func units(n int) chan *unit {
	free := make(chan *unit, n)
	for range n {
		free <- &unit{done: make(chan struct{}, 1)}
	}
	return free
}

// engine is the state of one Do. Its goroutines belong to an errgroup, which waits
// for them, but the errgroup's context is not used: a write that is under way must
// not be cut off because another failed. Writes end only with the caller's context.
// What else stops, and why, is said by three contexts, each the parent of the next;
// the cause of reading is the first failure.
type engine struct {
	spec *Run

	ctx         context.Context // the caller's: when it ends, everything stops
	writing     context.Context // ends when nothing more is to be written
	stopWriting context.CancelCauseFunc
	reading     context.Context // ends when nothing more is to be read
	stopReading context.CancelCauseFunc
	cutting     context.Context // ends also when the run is drained, or the input has ended
	stopCutting context.CancelFunc

	unstarted atomic.Bool // a chunk was not started, because the run was drained
	account   account

	free    chan *unit // to be filled
	blocks  chan *unit // to be processed
	ordered chan *unit // the same units in input order, whether processed or not
}

func newEngine(ctx context.Context, r *Run) *engine {
	e := &engine{spec: r, ctx: ctx, account: newAccount(r)}
	e.writing, e.stopWriting = context.WithCancelCause(ctx)
	e.reading, e.stopReading = context.WithCancelCause(e.writing)
	e.cutting, e.stopCutting = context.WithCancel(e.reading)
	e.free = units(r.MaxBlocks())
	e.blocks = make(chan *unit, r.MaxBlocks())
	e.ordered = make(chan *unit, r.MaxBlocks())
	return e
}

// close releases the contexts.
func (e *engine) close() { e.stopWriting(nil) }

// run moves the rows. It returns why the input was not read to its end: the error of
// the source, or ErrInterrupted after a drain. It is nil if another failure, which is
// the cause of reading, stopped it.
func (e *engine) run() error {
	// What makes their steps need not be safe for concurrent use.
	workers := make([]*worker, e.spec.workers())
	for i := range workers {
		workers[i] = newWorker(e.spec)
	}
	var readers errgroup.Group
	readers.Go(e.cut)
	readers.Go(e.watchDrain)
	for _, w := range workers {
		readers.Go(func() error { e.process(w); return nil })
	}
	out := e.output()
	e.deliver(out)
	err := readers.Wait()
	out.finish(err != nil || e.reading.Err() != nil)
	return err
}

// cut fills units from the source until the input, or the run, ends.
func (e *engine) cut() error {
	defer e.stopCutting()
	defer close(e.ordered)
	defer close(e.blocks)
	for seq := int64(0); ; seq++ {
		var u *unit
		select {
		case u = <-e.free:
		case <-e.cutting.Done():
		}
		if e.cutting.Err() != nil || e.drained() {
			return e.readError(nil)
		}
		err := e.spec.Source.Next(e.cutting, &u.block)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return e.readError(err)
		}
		u.chunk.Seq = seq
		e.ordered <- u
		e.blocks <- u
	}
}

// readError returns the error of the cutter when it stops early, because of err or
// because cutting has ended. If reading has ended, its cause is the error instead.
func (e *engine) readError(err error) error {
	switch {
	case e.reading.Err() != nil:
		return nil
	case e.drained():
		return ErrInterrupted
	}
	return err
}

func (e *engine) drained() bool {
	select {
	case <-e.spec.Drain:
		return true
	default:
		return false
	}
}

// watchDrain ends cutting when the run is drained: a source that waits for its input
// has to be told.
func (e *engine) watchDrain() error {
	select {
	case <-e.spec.Drain:
		e.stopCutting()
	case <-e.cutting.Done():
	}
	return nil
}

// process has w process units as they come.
func (e *engine) process(w *worker) {
	for u := range e.blocks {
		u.unread, u.err = e.reading.Err() != nil, nil
		if !u.unread {
			u.err = w.process(u)
		}
		u.done <- struct{}{}
	}
}

// output takes processed units in input order.
type output interface {
	// add takes the rows of u, and reports whether more are wanted.
	add(u *unit) bool

	// finish waits until all rows are written and accounted for. The input was read
	// to its end unless it is partial.
	finish(partial bool)
}

func (e *engine) output() output {
	if e.spec.chunked() {
		return newChunker(e)
	}
	return direct{e}
}

// deliver passes the units to out in input order, up to the first that was not
// processed, so that the account has no gaps. Later ones count as not read.
func (e *engine) deliver(out output) {
	ended := false
	for u := range e.ordered {
		<-u.done
		switch {
		case u.unread:
			ended = true
		case u.err != nil:
			e.halt(u.err)
			ended = true
		case !ended:
			ended = !out.add(u)
		}
		e.free <- u
	}
}

// halt stops the reading because of err. What was read is still written.
func (e *engine) halt(err error) { e.stopReading(err) }

// fail stops the reading because of err, and nothing more is written.
func (e *engine) fail(err error) { e.stopWriting(err) }

// stopped reports whether nothing more is to be written.
func (e *engine) stopped() bool { return e.writing.Err() != nil }

// record accounts for a unit whose fates are final.
func (e *engine) record(u *unit) {
	if e.spec.Sink != nil {
		u.chunk.SetPending(NotSent)
	}
	if err := e.account.add(u); err != nil {
		e.fail(err)
	}
}

// tooManyRejects reports whether the rows accounted for exceed the limit.
func (e *engine) tooManyRejects() bool {
	return e.spec.Limit.exceeded(e.account.counts.Rejected, e.account.counts.Read)
}

// finish commits or aborts the sink and adds everything up.
func (e *engine) finish(readErr error) (*Report, error) {
	err := e.outcome(readErr)
	if e.spec.Sink != nil {
		err = e.closeSink(err)
	}
	return e.account.report(e.spec.Sink == nil), err
}

func (e *engine) outcome(readErr error) error {
	switch {
	case e.ctx.Err() != nil:
		return ErrInterrupted
	case e.reading.Err() != nil:
		return context.Cause(e.reading)
	case readErr != nil:
		return readErr
	case e.unstarted.Load():
		return ErrInterrupted
	}
	return nil
}

func (e *engine) closeSink(err error) error {
	if err == nil {
		if err = e.spec.Sink.Commit(e.ctx); err == nil {
			return nil
		}
	}
	undone, abortErr := e.spec.Sink.Abort()
	if undone {
		e.account.undo()
	}
	return errors.Join(err, abortErr)
}
