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

// unreadableTries is how many attempts a read gets whose answers say success and cannot
// be read: a broken program stays broken.
const unreadableTries = 4

// read makes the read r, and repeats it as long as that can help: when it was not sent,
// the API asked to retry later, the server or the connection failed, or the answer
// cannot be read. A read changes nothing, so repeating it is safe. GiveUpAfter,
// BusyAfter and a retry budget that all reads of the client share bound how long and
// how often. If the error is nil, the outcome is an answer, of any status.
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

// reading is one read with its retries.
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

// retryBudget bounds how many requests are repeated: each retry costs tokens, which
// answers earn back. All reads of a client share one, and all its writes another. Size
// and costs are those of the standard retry mode of the AWS SDKs
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
//
// Each answer to a read earns one token: a server that fails one request in six can be
// read indefinitely; one that fails more often is left alone. For writes the rule is
// that of the AWS SDKs: a write that succeeds at once earns one token, and one that
// succeeds when repeated refunds what its last retry cost; the cost of earlier retries
// stays spent. A write that finds the budget empty waits until a probe shows that the
// API is up.
type retryBudget struct {
	mu    sync.Mutex
	spent int
}

const (
	budgetSize  = 500
	retryCost   = 5
	timeoutCost = 10
)

// spend takes the cost of a retry after err and returns it; 0 if the budget does not
// have that many tokens.
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

// serverClock is how far the server's clock is ahead of this machine's, at least: the
// Date header is cut to seconds and was sent a moment ago. It is not known before the
// first answer.
type serverClock struct{ ahead atomic.Pointer[time.Duration] }

// record records the server's clock as an answer that came at now shows it.
func (s *serverClock) record(res *http.Response, now time.Time) {
	if t := serverTime(res); !t.IsZero() {
		ahead := t.Sub(now)
		s.ahead.Store(&ahead)
	}
}

// ServerTime returns the earliest time that the server's clock can have shown when this
// machine's showed local. It is not known until an answer has told the time.
func (c *Client) ServerTime(local time.Time) (t time.Time, known bool) {
	ahead := c.clock.ahead.Load()
	if ahead == nil {
		return time.Time{}, false
	}
	return local.Add(*ahead), true
}

// serverTime returns the time in the Date header of res; zero if there is none.
func serverTime(res *http.Response) time.Time {
	t, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
