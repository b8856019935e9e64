package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// unreadableTries is how often a read is made whose answers say success and
// cannot be read: a program that is broken stays so.
const unreadableTries = 4

// read makes the read r, again as long as that can help: when it was not sent,
// turned away for later, met a failure of the server or a broken connection, or
// brought an answer that cannot be read. A read changes nothing, so repeating
// one is safe; how long and how often is bounded by GiveUpAfter and BusyAfter
// and by a budget that all reads of the client share. The outcome is an answer,
// of whatever status, if the error is nil.
func (c *Client) read(ctx context.Context, r *request) (Outcome, error) {
	g := &reading{client: c, request: r, retrier: c.Retrier(r.method, r.path)}
	for {
		again, err := g.try(ctx)
		if err != nil || !again {
			return g.outcome, err
		}
		delay := g.retrier.delay(g.outcome)
		g.retrier.log(g.outcome, delay)
		if err := c.config.Drain.Sleep(ctx, delay); err != nil {
			return g.outcome, err
		}
	}
}

// reading is one read and how it goes.
type reading struct {
	client     *Client
	request    *request
	retrier    *Retrier
	unreadable int // answers of success that could not be read
	outcome    Outcome
}

// try makes one attempt, when the API is up, and reports whether another can help. An
// error says why there is no answer.
func (r *reading) try(ctx context.Context) (again bool, err error) {
	if err := r.client.waitForBreaker(ctx, r.request.method, r.request.path); err != nil {
		return false, err
	}
	r.outcome = r.client.attempt(ctx, r.request)
	o := &r.outcome
	if o.Status == http.StatusLocked { // a read can wait until the lock is gone
		o.Class, o.Err = InDoubt, fmt.Errorf("the API answered %d %s", o.Status, http.StatusText(o.Status))
	}
	switch {
	case o.Class == Answered:
		r.client.readBudget.earn()
		return false, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case isPermanent(o.Err):
		return false, inPath(r.request.path, o.Err)
	}
	err = r.giveUp()
	return err == nil, err
}

// giveUp returns why there is no other attempt, or nil.
func (r *reading) giveUp() error {
	o := &r.outcome
	if o.Class == InDoubt && o.Status/100 == 2 {
		if r.unreadable++; r.unreadable == unreadableTries {
			return inPath(r.request.path, o.Err)
		}
	}
	if err := r.retrier.recordFailure(*o); err != nil {
		return err
	}
	// Waiting as long as the API says costs nothing: it is in control.
	if o.Class != NotProcessed && r.client.readBudget.spend(o.Err) == 0 {
		return &GaveUpError{Method: r.request.method, Path: r.request.path, Unanswered: o.Class == InDoubt,
			Err: fmt.Errorf("too many requests fail: %w", o.Err)}
	}
	return nil
}

// retryBudget bounds how many requests are repeated: each repetition costs tokens,
// which answers earn back. There is one for all reads of a client and one for
// all its writes; each is as large, and a repetition costs as much, as in the
// standard retry mode of the AWS SDKs
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
//
// Of a read, each answer earns one token: a server that fails one request in six
// can be read on and on; one that fails more is left alone before it breaks
// down. Of a write, there is that mode's rule: what goes through at once earns
// one token, and what goes through when repeated gives back what its last
// repetition cost; what earlier ones cost stays spent. Writes that find the
// budget empty wait until a probe shows that the API is up.
type retryBudget struct {
	mu    sync.Mutex
	spent int
}

const (
	budgetSize  = 500
	retryCost   = 5
	timeoutCost = 10
)

// spend takes what a repetition after err costs, and returns it; 0 if that is
// not there.
func (b *retryBudget) spend(err error) (cost int) {
	cost = retryCost
	if timedOut(err) {
		cost = timeoutCost
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+cost > budgetSize {
		return 0
	}
	b.spent += cost
	return cost
}

func (b *retryBudget) earn() { b.refund(1) }

func (b *retryBudget) refund(tokens int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(b.spent-tokens, 0)
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, errIdle) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// serverClock is how far the server's clock is ahead of this machine's, at least: what
// it tells is cut to seconds, and has travelled. Before the first answer it is not known.
type serverClock struct{ ahead atomic.Pointer[time.Duration] }

// record takes in what an answer, which came now, tells of the server's clock.
func (s *serverClock) record(res *http.Response, now time.Time) {
	if t := serverTime(res); !t.IsZero() {
		ahead := t.Sub(now)
		s.ahead.Store(&ahead)
	}
}

// ServerTime returns what the server's clock showed, at the earliest, when that of this
// machine showed local. It is not known before there was an answer that tells.
func (c *Client) ServerTime(local time.Time) (t time.Time, known bool) {
	ahead := c.clock.ahead.Load()
	if ahead == nil {
		return time.Time{}, false
	}
	return local.Add(*ahead), true
}

// serverTime returns the time of the server that answered, or zero.
func serverTime(res *http.Response) time.Time {
	t, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
