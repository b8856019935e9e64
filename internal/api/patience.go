package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
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
	if err := p.note(o); err != nil {
		return err
	}
	wait := p.wait(o)
	p.warn(o, wait)
	return sleep(ctx, wait)
}

// note takes in that an attempt ended in o, and returns the error to give up
// with, or nil.
func (p *Patience) note(o Outcome) error {
	now := p.client.now()
	if p.began.IsZero() {
		p.began = now
	}
	if p.tries == 0 || p.class != o.Class {
		p.tries, p.class, p.since = 0, o.Class, now
	}
	p.tries++
	return p.spent(o, now)
}

// wait returns how long to wait before the next attempt: somewhat longer than
// the API asks for, or else longer each time.
func (p *Patience) wait(o Outcome) time.Duration {
	if o.Wait > 0 {
		return o.Wait + rand.N(o.Wait/10+firstBackoff)
	}
	return backoff(p.tries)
}

// warn logs that there will be another attempt. While the API says later, to
// all requests at once, one line in a while stands for all of them.
func (p *Patience) warn(o Outcome, wait time.Duration) {
	if o.Class == NotProcessed && !p.client.pause.speak(p.client.now()) {
		return
	}
	text := "request not processed, trying again"
	attributes := []any{"method", p.method, "path", p.path}
	if p.method == http.MethodGet {
		text = "no usable answer, trying again" // whether a read was processed does not matter
	} else {
		attributes = append(attributes, "outcome", o.Class.String())
	}
	if o.Status != 0 {
		attributes = append(attributes, "status", o.Status)
	}
	if o.Err != nil {
		attributes = append(attributes, "cause", o.Err)
	}
	p.client.log.Warn(text, append(attributes, "wait", wait.Round(time.Millisecond))...)
}

// spent returns the error to give up with, or nil.
func (p *Patience) spent(o Outcome, now time.Time) error {
	limit := p.client.config.GiveUpAfter
	if o.Class == NotProcessed {
		limit = p.client.config.BusyAfter
	}
	after := now.Sub(p.since)
	if total := now.Sub(p.began); total >= p.client.config.GiveUpAfter+p.client.config.BusyAfter {
		after = total // whatever the class: they may take turns for ever
	}
	if pointless := hopeless(o.Err) && !p.client.reached.Load() || errors.Is(o.Err, errBadID); !pointless && after < limit {
		return nil
	}
	return &GaveUpError{Method: p.method, Path: p.path, After: after, Busy: o.Class == NotProcessed, Unanswered: o.Class == InDoubt, Err: o.Err}
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
	spoke time.Time // when it was last logged
}

// speakEvery is the shortest time between two lines about a busy API.
const speakEvery = 5 * time.Second

// speak reports whether it is time to log once more that the API says later,
// and takes note that it was.
func (p *pause) speak(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.spoke.IsZero() && now.Sub(p.spoke) < speakEvery {
		return false
	}
	p.spoke = now
	return true
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
