package api

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// Patience bounds how long one request that was not processed is sent again.
// It belongs to one goroutine.
type Patience struct {
	client       *Client
	method, path string
	tries        int       // in a row that were of the same class
	class        Class     // of those
	since        time.Time // when the first of them failed
	began        time.Time // when the first of all failed
}

// Patience returns the patience for one request.
func (c *Client) Patience(method, path string) *Patience {
	return &Patience{client: c, method: method, path: path}
}

// Again waits until the request whose attempt ended in o may be sent again,
// or returns why it may not: ctx has ended, or a *GaveUpError. It is called for
// NotSent and NotProcessed only.
func (p *Patience) Again(ctx context.Context, o Outcome) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	now := p.client.now()
	if p.began.IsZero() {
		p.began = now
	}
	if p.tries == 0 || p.class != o.Class {
		p.tries, p.class, p.since = 0, o.Class, now
	}
	p.tries++
	if err := p.spent(o, now); err != nil {
		return err
	}
	wait := backoff(p.tries)
	if o.Wait > 0 {
		wait = o.Wait + rand.N(o.Wait/10+firstBackoff)
	}
	p.client.log.Warn("request not processed, trying again", "method", p.method, "path", p.path,
		"outcome", o.Class.String(), "status", o.Status, "cause", o.Err, "wait", wait.Round(time.Millisecond))
	return sleep(ctx, wait)
}

// spent returns the error to give up with, or nil.
func (p *Patience) spent(o Outcome, now time.Time) error {
	limit, busy := p.client.config.GiveUpAfter, false
	if o.Class == NotProcessed {
		limit, busy = p.client.config.BusyAfter, true
	}
	after := now.Sub(p.since)
	if total := now.Sub(p.began); total >= p.client.config.GiveUpAfter+p.client.config.BusyAfter {
		after = total // whatever the class: they may take turns for ever
	}
	if hopeless := hopeless(o.Err) && !p.client.reached.Load(); !hopeless && after < limit {
		return nil
	}
	return &GaveUpError{Method: p.method, Path: p.path, After: after, Busy: busy, Err: o.Err}
}

// backoff returns how long to wait before the n-th repetition: doubling, and
// anywhere in the upper half of that.
func backoff(n int) time.Duration {
	d := min(firstBackoff<<min(n-1, 10), maxBackoff)
	return d/2 + rand.N(d/2)
}

// sleep waits for d, or until ctx ends, and then returns why.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pause is a time before which nothing is sent, for all requests of a client:
// an API that says later to one says it to all.
type pause struct {
	mu    sync.Mutex
	until time.Time
}

func (p *pause) extend(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.until) {
		p.until = until
	}
}

func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(now)
}
