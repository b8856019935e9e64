package api

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/drain"
)

var errDrained = errors.New("drained")

// writeOnce makes one attempt of a write and returns why it was not sent.
func writeOnce(ctx context.Context, c *Client) error {
	o := c.BulkWrite(ctx, listPath, []byte("[]"), nil)
	if o.Class != NotSent {
		return errors.New("the write is " + o.Class.String())
	}
	return o.Err
}

func deliverOnce(ctx context.Context, c *Client) error { return deliverAll(ctx, c, 1, 1) }

func readOnce(ctx context.Context, c *Client) error {
	_, err := c.Get(ctx, "/organization/x/", "6f9a3c1e-0000-4000-8000-000000000001", nil)
	return err
}

// TestADrainEndsEveryWait has a caller wait for each thing that can be waited for, for a
// minute until the gate is closed: it returns at once, with what the gate was closed
// with, and nothing was sent in its name.
func TestADrainEndsEveryWait(t *testing.T) {
	later := func() *http.Response { return respond(429, "later", "Retry-After", "3600") }
	fine := func() *http.Response { return respond(200, "[]") }
	down := func() *http.Response { return respond(502, "down") }
	outage := func(_ context.Context, c *Client) error {
		c.breaker.recordFailure(Outcome{Class: InDoubt, Err: errIdle}, true, c.now())
		return nil
	}
	tests := []struct {
		name   string
		config Config
		serve  func() *http.Response
		before func(ctx context.Context, c *Client) error // makes the caller wait; nil: it does itself
		call   func(ctx context.Context, c *Client) error
	}{
		{"a write for the time the API asks for", Config{}, later,
			func(ctx context.Context, c *Client) error { c.BulkWrite(ctx, listPath, []byte("[]"), nil); return nil }, writeOnce},
		{"a write to be repeated", Config{}, later, nil, deliverOnce},
		{"a write for the rate", Config{Rate: 0.001}, fine, deliverOnce, writeOnce},
		{"a write for an API that is down", Config{}, down, outage, writeOnce},
		{"a read for an API that is down", Config{}, down, outage, readOnce},
		{"a read to be repeated", Config{}, later, nil, readOnce},
		{"a read for the rate", Config{Rate: 0.001}, fine, deliverOnce, readOnce},
		{"whoever asks whether the API is up", Config{}, down, nil, func(ctx context.Context, c *Client) error { return c.WaitUntilUp(ctx, listPath) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := drain.New()
				test.config.Drain, test.config.GiveUpAfter = gate, time.Hour
				b := &weary{serve: func(*http.Request) *http.Response { return test.serve() }}
				c := b.client(t, test.config)
				if test.before != nil {
					if err := test.before(t.Context(), c); err != nil {
						t.Fatal(err)
					}
				}
				began := time.Now()
				time.AfterFunc(time.Minute, func() { gate.Close(errDrained) })
				err := test.call(t.Context(), c)
				if waited := time.Since(began); !errors.Is(err, errDrained) || waited != time.Minute {
					t.Errorf("it ended after %v with %v", waited, err)
				}
				sent := b.requests
				if err := test.call(t.Context(), c); !errors.Is(err, errDrained) || time.Since(began) != time.Minute {
					t.Errorf("the next ended after %v with %v", time.Since(began), err)
				}
				if b.requests > sent+1 { // an attempt that has to wait for nothing is made
					t.Errorf("%d requests after the drain", b.requests-sent)
				}
			})
		})
	}
}

// TestADrainFinishesWhatIsUnderWay has one write under way and others wait for its slot:
// the first is finished, the others are not sent.
func TestADrainFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := drain.New()
		b := &weary{takes: 2 * time.Minute, serve: func(*http.Request) *http.Response { return respond(200, "[]") }}
		c := b.client(t, Config{Concurrency: 1, Drain: gate})
		time.AfterFunc(time.Minute, func() { gate.Close(errDrained) })
		began := time.Now()
		waiting := make(chan error, 3)
		first := make(chan Outcome, 1)
		go func() { first <- c.BulkWrite(t.Context(), listPath, []byte("[]"), nil) }()
		synctest.Wait()
		for range cap(waiting) {
			go func() { waiting <- writeOnce(t.Context(), c) }()
		}
		for range cap(waiting) {
			if err := <-waiting; !errors.Is(err, errDrained) || time.Since(began) != time.Minute {
				t.Errorf("a write that waited ended after %v with %v", time.Since(began), err)
			}
		}
		if o := <-first; !o.OK() || time.Since(began) != 2*time.Minute {
			t.Errorf("the write under way ended after %v: %v, %v", time.Since(began), o.Class, o.Err)
		}
		if b.requests != 1 {
			t.Errorf("%d requests, want 1", b.requests)
		}
	})
}

// TestADrainEndsTheWaitForTheProber has callers wait for an API that is down while one of
// them probes it: they leave at once, and the probe, which is under way, is finished.
func TestADrainEndsTheWaitForTheProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const drained = 10 * time.Second
		gate := drain.New()
		b := &weary{takes: time.Hour, serve: func(*http.Request) *http.Response { return respond(502, "down") }}
		c := b.client(t, Config{Drain: gate, GiveUpAfter: time.Hour})
		c.breaker.recordFailure(Outcome{Class: InDoubt, Err: errIdle}, true, c.now())
		time.AfterFunc(drained, func() { gate.Close(errDrained) })
		began := time.Now()
		waiting := make(chan error, 4)
		for range cap(waiting) {
			go func() { waiting <- writeOnce(t.Context(), c) }()
		}
		for n := range cap(waiting) {
			err, waited := <-waiting, time.Since(began)
			prober := n == cap(waiting)-1
			if !errors.Is(err, errDrained) || !prober && waited != drained || prober && (waited <= drained || waited > drained+probeTimeout) {
				t.Errorf("caller %d waited %v and got %v", n, waited, err)
			}
		}
		if b.requests != 1 || b.gets != 1 {
			t.Errorf("%d requests, %d of them reads; want the probe alone", b.requests, b.gets)
		}
	})
}
