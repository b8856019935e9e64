package api

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 20 * time.Second
)

// Retrier bounds how long one request that was not processed is sent again.
// It belongs to one goroutine.
type Retrier struct {
	client       *Client
	method, path string
	attempts     int       // in a row that were of the same class
	class        Class     // of those
	since        time.Time // when the first of them failed
	firstFailure time.Time // when the first of all failed
	lastCost     int       // tokens that the last repetition cost
}

// Deliver has a write made until an attempt may have been processed: send makes
// one attempt, by BulkWrite, Create, Update or Delete with the same method and
// path. What was not sent is sent again within the budget that all writes of the
// client share, what was not processed as the API says. What is in doubt is not
// repeated: that outcome is returned as an answer is. The error says why there
// is no such outcome: ctx has ended, or a *GaveUpError.
func (c *Client) Deliver(ctx context.Context, method, path string, send func() Outcome) (Outcome, error) {
	p := c.Retrier(method, path)
	for {
		o := send()
		if o.Class == Answered || o.Class == InDoubt {
			p.finish(o)
			return o, nil
		}
		if err := p.Wait(ctx, o); err != nil {
			return o, err
		}
	}
}

// Retrier returns the patience for one request.
func (c *Client) Retrier(method, path string) *Retrier {
	return &Retrier{client: c, method: method, path: path}
}

// Wait waits until the request whose attempt ended in o may be sent again,
// or returns why it may not: ctx has ended, or a *GaveUpError. It is called for
// NotSent and NotProcessed only.
func (p *Retrier) Wait(ctx context.Context, o Outcome) error {
	if err := p.client.config.Drain.Err(ctx); err != nil {
		return err
	}
	if gaveUp, ok := errors.AsType[*GaveUpError](o.Err); ok {
		return gaveUp // as the client does on all requests at once
	}
	if err := p.recordFailure(o); err != nil {
		return err
	}
	if o.Class == NotSent {
		p.spendBudget(o)
	}
	wait := p.delay(o)
	p.log(o, wait)
	return p.client.config.Drain.Sleep(ctx, wait)
}

// spendBudget takes what another attempt costs after one that ended in o. Where that is
// not there, all requests wait for a sign of life first.
func (p *Retrier) spendBudget(o Outcome) {
	if p.lastCost = p.client.writeBudget.spend(o.Err); p.lastCost == 0 {
		p.client.breaker.recordFailure(o, true, p.client.now())
	}
}

// finish takes in that the last attempt ended in o. An answer, which has earned one
// token, gives the rest of what the last repetition cost back.
func (p *Retrier) finish(o Outcome) {
	if o.Class == Answered && p.lastCost > 1 {
		p.client.writeBudget.refund(p.lastCost - 1)
	}
	p.lastCost = 0
}

// recordFailure takes in that an attempt ended in o, and returns the error to give up
// with, or nil.
func (p *Retrier) recordFailure(o Outcome) error {
	now := p.client.now()
	if p.firstFailure.IsZero() {
		p.firstFailure = now
	}
	if p.attempts == 0 || p.class != o.Class {
		p.attempts, p.class, p.since = 0, o.Class, now
	}
	p.attempts++
	return p.giveUpError(o, now)
}

// delay returns how long to wait before the next attempt: somewhat longer than
// the API asks for, or else longer each time, but not beyond the end of the
// patience.
func (p *Retrier) delay(o Outcome) time.Duration {
	if o.Wait > 0 {
		return o.Wait + rand.N(o.Wait/10+firstBackoff)
	}
	left := p.since.Add(p.timeLimit(o)).Sub(p.client.now())
	return min(backoff(p.attempts), max(left, 0))
}

// timeLimit returns how long to go on while attempts end like o.
func (p *Retrier) timeLimit(o Outcome) time.Duration {
	if o.Class == NotProcessed {
		return p.client.config.BusyAfter
	}
	return p.client.config.GiveUpAfter
}

// warnAfter is how long a wait is that a person may wonder about.
const warnAfter = 2 * time.Second

// log logs that there will be another attempt: aloud only if it will not be soon.
// While the API says later, to all requests at once, one line in a while stands for
// all of them.
func (p *Retrier) log(o Outcome, wait time.Duration) {
	if o.Class == NotProcessed && !p.client.pause.shouldLog(p.client.now()) {
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
	level := slog.LevelInfo
	if wait >= warnAfter {
		level = slog.LevelWarn
	}
	p.client.log.Log(context.Background(), level, text, append(attributes, "wait", wait.Round(time.Millisecond))...)
}

// giveUpError returns the error to give up with, or nil.
func (p *Retrier) giveUpError(o Outcome, now time.Time) error {
	after := now.Sub(p.since)
	if total := now.Sub(p.firstFailure); total >= p.client.config.GiveUpAfter+p.client.config.BusyAfter {
		after = total // whatever the class: they may take turns for ever
	}
	if pointless := hopeless(o.Err) && !p.client.reached.Load() || errors.Is(o.Err, errBadID); !pointless && after < p.timeLimit(o) {
		return nil
	}
	return &GaveUpError{Method: p.method, Path: p.path, After: after, Busy: o.Class == NotProcessed, Unanswered: o.Class == InDoubt, Err: o.Err}
}

// backoff returns how long to wait before the n-th repetition: anywhere within
// a time that doubles, so that callers that failed together do not come back
// together.
func backoff(n int) time.Duration {
	return rand.N(min(firstBackoff<<min(n-1, 10), maxBackoff))
}

// pause is a time before which nothing is sent, for all requests of a client:
// an API that says later to one says it to all.
type pause struct {
	mu     sync.Mutex
	until  time.Time
	logged time.Time // when it was last logged
}

// pauseLogInterval is the shortest time between two lines about a busy API.
const pauseLogInterval = 5 * time.Second

// shouldLog reports whether it is time to log once more that the API says later,
// and takes note that it was.
func (p *pause) shouldLog(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.logged.IsZero() && now.Sub(p.logged) < pauseLogInterval {
		return false
	}
	p.logged = now
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
