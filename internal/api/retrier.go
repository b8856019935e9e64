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

// Retrier decides how long one request that was not processed is sent again. It belongs
// to one goroutine.
type Retrier struct {
	client       *Client
	method, path string
	attempts     int       // in a row that ended in the same class
	class        Class     // of those attempts
	since        time.Time // when the first of those attempts failed
	firstFailure time.Time // when the first attempt of all failed
	lastCost     int       // tokens of the retry budget that the last retry cost
}

// Deliver repeats a write until an attempt may have been processed. send makes one
// attempt, by BulkWrite, Create, Update or Delete with the same method and path. A
// write that was not sent is repeated within the retry budget that all writes of the
// client share; one that was not processed is repeated when the API allows it. A write
// in doubt is never repeated: its outcome is returned like an answer. The error says
// why there is no such outcome: ctx has ended, or a *GaveUpError.
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

// Retrier returns a retrier for one request.
func (c *Client) Retrier(method, path string) *Retrier {
	return &Retrier{client: c, method: method, path: path}
}

// Wait waits until the request whose attempt ended in o may be sent again. It returns
// why it may not: ctx has ended, or a *GaveUpError. Call it for NotSent and
// NotProcessed only.
func (p *Retrier) Wait(ctx context.Context, o Outcome) error {
	if err := p.client.config.Drain.Err(ctx); err != nil {
		return err
	}
	if gaveUp, ok := errors.AsType[*GaveUpError](o.Err); ok {
		return gaveUp // the circuit breaker gave up on all requests
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

// spendBudget pays for another attempt after one that ended in o. If the retry budget
// is empty, the circuit breaker opens: all requests wait until a probe is answered.
func (p *Retrier) spendBudget(o Outcome) {
	if p.lastCost = p.client.writeBudget.spend(o.Err); p.lastCost == 0 {
		p.client.breaker.recordFailure(o, true, p.client.now())
	}
}

// finish ends the retries with the attempt that ended in o. An answer, which has earned
// one token, refunds the rest of what the last retry cost.
func (p *Retrier) finish(o Outcome) {
	if o.Class == Answered && p.lastCost > 1 {
		p.client.writeBudget.refund(p.lastCost - 1)
	}
	p.lastCost = 0
}

// recordFailure records that an attempt ended in o. It returns the error to give up
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

// delay returns how long to wait before the next attempt: somewhat longer than the API
// asks for, or else longer each time, but never beyond the time limit.
func (p *Retrier) delay(o Outcome) time.Duration {
	if o.Wait > 0 {
		return o.Wait + rand.N(o.Wait/10+firstBackoff)
	}
	left := p.since.Add(p.timeLimit(o)).Sub(p.client.now())
	return min(backoff(p.attempts), max(left, 0))
}

// timeLimit returns how long to retry while attempts end like o.
func (p *Retrier) timeLimit(o Outcome) time.Duration {
	if o.Class == NotProcessed {
		return p.client.config.BusyAfter
	}
	return p.client.config.GiveUpAfter
}

// warnAfter is the shortest wait that is logged as a warning.
const warnAfter = 2 * time.Second

// log logs that there will be another attempt; as a warning only if the wait is long.
// While the API asks all requests to wait, one line every few seconds stands for all of
// them.
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

// giveUpError returns the error to give up with, or nil if there can be another
// attempt.
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

// backoff returns how long to wait before the n-th retry: a random part of a time that
// doubles, so that callers that failed together do not come back together.
func backoff(n int) time.Duration {
	return rand.N(min(firstBackoff<<min(n-1, 10), maxBackoff))
}

// pause is a time until which no request of a client is sent: when the API asks one
// request to wait, all of them wait.
type pause struct {
	mu     sync.Mutex
	until  time.Time
	logged time.Time // when it was last logged
}

// pauseLogInterval is the shortest time between two log lines about a busy API.
const pauseLogInterval = 5 * time.Second

// shouldLog reports whether it is time for another log line about the pause; if so, it
// counts as logged.
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
