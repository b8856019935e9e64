// Package drain stops a run in an orderly way. When a run is drained (the first
// Ctrl-C), nothing new begins, what is under way is finished, and whoever only waits
// stops waiting: for a turn, for the time that an API asks for, for an API that is
// down.
//
// A Gate tells everybody who waits. The program makes one for each run, closes it at
// the signal, and passes it to all who work on the run:
//
//	gate := drain.New()
//	client, err := api.New(api.Config{…, Drain: gate})
//	run := pipeline.Run{…, Drain: gate.Done()}
//	…
//	gate.Close(pipeline.ErrInterrupted)
//
// It is not a context on purpose: a request that is under way must be finished, so the
// context it is made with must not end. Where a context ends as well, everything stops
// at once.
package drain

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Gate is open until the run is drained, and closed from then on. A nil *Gate stays
// open. It is for concurrent use.
type Gate struct {
	once  sync.Once
	done  chan struct{}
	cause error // set before done is closed
}

// New returns a gate that is open.
func New() *Gate { return &Gate{done: make(chan struct{})} }

// Close closes the gate because of cause, which is what everybody who waits returns.
// Only the first call counts.
func (g *Gate) Close(cause error) {
	if cause == nil {
		panic("drain: a gate closed without a cause")
	}
	g.once.Do(func() {
		g.cause = cause
		close(g.done)
	})
}

// Done returns a channel that is closed when the gate is.
func (g *Gate) Done() <-chan struct{} {
	if g == nil {
		return nil
	}
	return g.done
}

// Err returns why a caller with ctx must not wait: the cause of the end of ctx, or else
// that of the gate. It is nil while the caller may wait.
func (g *Gate) Err(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case <-g.Done():
		return g.cause
	default:
		return nil
	}
}

// Sleep waits for d. If ctx ends or the gate is closed first it returns why, as Err does.
func (g *Gate) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
	case <-g.Done():
	}
	return g.Err(ctx)
}

// Context returns a context that ends with ctx, or when the gate is closed: for what can
// be dropped as it is. Stop gives its resources back.
func (g *Gate) Context(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		select {
		case <-g.Done():
			cancel()
		case <-ctx.Done():
		}
		return nil
	})
	return ctx, func() {
		cancel()
		_ = group.Wait() // it returns no error
	}
}
