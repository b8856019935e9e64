package api

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"flytt/internal/drain"
)

const (
	// failuresToOpen is how many attempts in a row, of whatever callers, show no life
	// of the API before all others are held back.
	failuresToOpen = 3

	// probeTimeout bounds one probe: a page of one record is there at once.
	probeTimeout = 30 * time.Second
)

// circuitBreaker is what the attempts of a client show of the API: that it lives, or that
// it seems to be down.
type circuitBreaker struct {
	mu       sync.Mutex
	failures int          // attempts in a row that showed no life
	open     *openCircuit // nil: the API lives, as far as is known
	gaveUp   *openCircuit // that was given up: nothing is waited for any more until there is a sign of life
}

// openCircuit is a time in which the API seems to be down. Nothing is sent but the
// probes of one caller; the others wait until it is over.
type openCircuit struct {
	since  time.Time
	prober chan struct{} // has room for the one that probes
	done   chan struct{} // closed when it is over

	probes      int     // probes that failed; the prober's
	lastFailure Outcome // of the attempt, or the probe, that failed last; the prober's

	// Guarded by life.mu until over is closed.
	logged      bool          // it was logged
	gaveUp      bool          // it was given up
	gaveUpAfter time.Duration // how long it was when it was given up
}

// blocking returns the outage there is, or the one that was given up, or nil.
func (l *circuitBreaker) blocking() *openCircuit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.open, l.gaveUp)
}

// recordFailure takes note of an attempt that ended in o and showed no life. Enough of
// them in a row, or surely, begin an outage.
func (l *circuitBreaker) recordFailure(o Outcome, surely bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	if l.open == nil && l.gaveUp == nil && (surely || l.failures >= failuresToOpen) {
		o.Body = nil // the caller's
		l.open = &openCircuit{since: now, prober: make(chan struct{}, 1), done: make(chan struct{}), lastFailure: o}
	}
}

// recordSuccess takes note of a sign of life. It returns the outage that this ends, if
// there is one of which anybody was told.
func (l *circuitBreaker) recordSuccess() *openCircuit {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.open
	l.failures, l.open, l.gaveUp = 0, nil, nil
	if o == nil {
		return nil
	}
	close(o.done)
	if !o.logged {
		return nil
	}
	return o
}

// giveUp gives o up after the given time, unless it has just ended.
func (l *circuitBreaker) giveUp(o *openCircuit, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != o {
		return
	}
	l.failures, l.open, l.gaveUp = 0, nil, o
	o.gaveUp, o.gaveUpAfter = true, after
	close(o.done)
}

// markLogged reports whether o is still on and was not logged yet, and takes note that
// it is now.
func (l *circuitBreaker) markLogged(o *openCircuit) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != o || o.logged {
		return false
	}
	o.logged = true
	return true
}

// provesUp reports whether an attempt that ended in o proves that the API is up,
// whatever it thinks of the request.
func provesUp(o *Outcome) bool {
	return o.Class == Answered || o.Class == NotProcessed || o.refusedStream
}

// recordHealth takes note of what an attempt that ended in o shows of the API. A success
// that cannot be read shows neither that it is well nor that it is down.
func (c *Client) recordHealth(o *Outcome) {
	switch {
	case provesUp(o):
		if ended := c.breaker.recordSuccess(); ended != nil {
			c.log.Warn("the API answers again", "after", c.now().Sub(ended.since).Round(time.Second))
		}
	case o.Status/100 != 2:
		c.breaker.recordFailure(*o, false, c.now())
	}
}

// waitForBreaker waits, if the API seems to be down, until it answers again. It returns
// why it does not: a *GaveUpError of the request to path, or why ctx has ended.
// One of the callers probes on behalf of all; when it leaves, another does.
func (c *Client) waitForBreaker(ctx context.Context, method, path string) error {
	o := c.breaker.blocking()
	if o == nil {
		return nil
	}
	select {
	case o.prober <- struct{}{}:
		err := c.probeUntilUp(ctx, o, path)
		<-o.prober
		if err != nil {
			return err
		}
	case <-o.done:
	case <-ctx.Done():
		return c.config.Drain.Err(ctx)
	case <-c.config.Drain.Done():
		return c.config.Drain.Err(ctx)
	}
	return o.giveUpError(method, path)
}

// giveUpError says, of an outage that is over, why a request was not sent; nil if it
// can be.
func (o *openCircuit) giveUpError(method, path string) error {
	if !o.gaveUp {
		return nil
	}
	return &GaveUpError{Method: method, Path: path, After: o.gaveUpAfter, Err: o.lastFailure.Err,
		Unanswered: method == http.MethodGet && o.lastFailure.Class == InDoubt}
}

// probeUntilUp probes until o is over, or ctx ends, and then returns why.
func (c *Client) probeUntilUp(ctx context.Context, o *openCircuit, path string) error {
	for {
		left := o.since.Add(c.config.GiveUpAfter).Sub(c.now())
		if over, err := o.wait(ctx, c.config.Drain, min(backoff(o.probes+1), max(left, 0))); over || err != nil {
			return err
		}
		got := c.probe(ctx, path)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case provesUp(&got):
			return nil // heed has ended it
		}
		o.probes++
		o.lastFailure = got
		if pointless := hopeless(got.Err) && !c.reached.Load(); pointless {
			c.breaker.giveUp(o, 0)
			return nil
		}
		if after := c.now().Sub(o.since); after >= c.config.GiveUpAfter {
			c.breaker.giveUp(o, after)
			return nil
		}
		if c.breaker.markLogged(o) {
			c.log.Warn("the API does not answer: waiting", "at_most", c.config.GiveUpAfter, "cause", got.Err)
		}
	}
}

// wait waits for d, or until o is over. If ctx ends or the run is drained first it
// returns why.
func (o *openCircuit) wait(ctx context.Context, gate *drain.Gate, d time.Duration) (over bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-o.done:
		return true, nil
	case <-ctx.Done():
		return false, gate.Err(ctx)
	case <-gate.Done():
		return false, gate.Err(ctx)
	case <-timer.C:
	}
	select {
	case <-o.done: // at the same moment
		return true, nil
	default:
		return false, nil
	}
}

// probe reads a page of one record of path, to see whether the API is up.
func (c *Client) probe(ctx context.Context, path string) Outcome {
	if err := c.waitTurn(ctx); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	timed, stop := context.WithTimeout(ctx, probeTimeout)
	defer stop()
	return c.transmit(timed, &request{method: http.MethodGet, path: path, query: "_page=1&_page_size=1", consume: startsLikeJSON})
}

// startsLikeJSON returns an error if body does not begin like a list or a record: a
// page of HTML in place of the API is no sign of life.
func startsLikeJSON(_ *http.Response, body io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(body, 64))
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) > 0 && (head[0] == '[' || head[0] == '{'):
		return nil
	case err != nil:
		return err
	}
	return errNotJSON
}

// WaitUntilUp returns when the API answers reads of the list at path: at once if it is
// up, and else as soon as it is again. It is for callers whose writes end in
// doubt, one after the other, and costs one small read. The error is a
// *StatusError if the API does not know the credentials or sends elsewhere, a
// *GaveUpError if there was no answer for as long as Config.GiveUpAfter, or says
// why ctx has ended; no row is to blame for any of these.
func (c *Client) WaitUntilUp(ctx context.Context, path string) error {
	began := c.now()
	for {
		if err := c.waitForBreaker(ctx, http.MethodGet, path); err != nil {
			return err
		}
		o := c.probe(ctx, path)
		after := c.now().Sub(began)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case o.Class == Answered && (o.Status/100 == 3 || o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden):
			return &StatusError{Method: http.MethodGet, Path: path, Status: o.Status}
		case provesUp(&o):
			return nil
		case after >= c.config.GiveUpAfter+c.config.BusyAfter: // it comes and goes
			return &GaveUpError{Method: http.MethodGet, Path: path, After: after, Unanswered: o.Class == InDoubt, Err: o.Err}
		}
		c.breaker.recordFailure(o, true, c.now())
	}
}
