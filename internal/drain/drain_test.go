package drain_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/drain"
)

var (
	errDrained = errors.New("drained")
	errEnded   = errors.New("ended")
)

func TestSleep(t *testing.T) {
	const long = time.Hour
	tests := []struct {
		name   string
		before func(g *drain.Gate, cancel func(error)) // the sleep begins
		after  func(g *drain.Gate, cancel func(error)) // a minute of it
		slept  time.Duration
		err    error
	}{
		{name: "whole", slept: long},
		{name: "the gate closes", after: func(g *drain.Gate, _ func(error)) { g.Close(errDrained) }, slept: time.Minute, err: errDrained},
		{name: "the context ends", after: func(_ *drain.Gate, cancel func(error)) { cancel(errEnded) }, slept: time.Minute, err: errEnded},
		{name: "a closed gate", before: func(g *drain.Gate, _ func(error)) { g.Close(errDrained) }, err: errDrained},
		{name: "an ended context", before: func(_ *drain.Gate, cancel func(error)) { cancel(errEnded) }, err: errEnded},
		{name: "both: the context counts", before: func(g *drain.Gate, cancel func(error)) { g.Close(errDrained); cancel(errEnded) }, err: errEnded},
		{name: "closed twice: the first counts", before: func(g *drain.Gate, _ func(error)) { g.Close(errDrained); g.Close(errEnded) }, err: errDrained},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := drain.New()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.before != nil {
					test.before(gate, cancel)
				}
				if test.after != nil {
					time.AfterFunc(time.Minute, func() { test.after(gate, cancel) })
				}
				began := time.Now()
				err := gate.Sleep(ctx, long)
				if slept := time.Since(began); slept != test.slept || !errors.Is(err, test.err) {
					t.Errorf("slept %v, error %v; want %v, %v", slept, err, test.slept, test.err)
				}
				if got := gate.Err(ctx); !errors.Is(got, test.err) {
					t.Errorf("after it the gate says %v, want %v", got, test.err)
				}
			})
		})
	}
}

// TestNilGateStaysOpen has nobody who could drain the run: only time and the context
// end a sleep.
func TestNilGateStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate *drain.Gate
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := gate.Sleep(ctx, time.Minute); err != nil {
			t.Errorf("sleep: %v", err)
		}
		if gate.Done() != nil || gate.Err(ctx) != nil {
			t.Errorf("it is closed: %v", gate.Err(ctx))
		}
		cancel(errEnded)
		if err := gate.Sleep(ctx, time.Minute); !errors.Is(err, errEnded) {
			t.Errorf("sleep after the end of the context: %v", err)
		}
	})
}

func TestAGateIsClosedWithACause(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a gate was closed without a cause: nobody could say why the waiting ended")
		}
	}()
	drain.New().Close(nil)
}
