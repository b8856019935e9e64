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
	// failuresToOpen is how many attempts in a row, of any callers, have to fail before
	// the circuit breaker opens and holds back all others.
	failuresToOpen = 3

	// probeTimeout bounds one probe: a page of one record should come at once.
	probeTimeout = 30 * time.Second
)

// circuitBreaker records from the attempts of a client whether the API is up. While it
// is open, nothing is sent but probes.
type circuitBreaker struct {
	mu       sync.Mutex
	failures int          // attempts in a row that failed
	open     *openCircuit // nil: the API is up, as far as is known
	gaveUp   *openCircuit // an open circuit that was given up: nobody waits any more until the API answers again
}

// openCircuit is a period in which the API seems to be down. One caller probes; the
// others wait until it is over.
type openCircuit struct {
	since  time.Time
	prober chan struct{} // a semaphore: its holder probes
	done   chan struct{} // closed when the period is over

	probes      int     // that failed; only the prober uses it
	lastFailure Outcome // of an attempt or a probe; only the prober uses it

	// Guarded by circuitBreaker.mu until done is closed.
	logged      bool          // it was logged
	gaveUp      bool          // it was given up
	gaveUpAfter time.Duration // how long the circuit had been open then
}

// blocking returns the open circuit, or the one that was given up; nil if requests may
// be sent.
func (l *circuitBreaker) blocking() *openCircuit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.open, l.gaveUp)
}

// recordFailure records that an attempt failed with o. Enough failures in a row open
// the circuit; one is enough if surely is set.
func (l *circuitBreaker) recordFailure(o Outcome, surely bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	if l.open == nil && l.gaveUp == nil && (surely || l.failures >= failuresToOpen) {
		o.Body = nil // the caller's
		l.open = &openCircuit{since: now, prober: make(chan struct{}, 1), done: make(chan struct{}), lastFailure: o}
	}
}

// recordSuccess records that the API answered. It returns the circuit that this closes,
// if there is one and it was logged.
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

// giveUp ends o, unless it has just been closed: nobody waits for the API any more.
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

// markLogged marks o as logged. It reports false if o is over or was logged before.
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
// whatever its answer.
func provesUp(o *Outcome) bool {
	return o.Class == Answered || o.Class == NotProcessed || o.refusedStream
}

// recordHealth tells the circuit breaker how an attempt ended. A successful answer that
// cannot be read counts neither as a success nor as a failure.
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

// waitForBreaker waits while the circuit breaker is open. It returns a *GaveUpError for
// the request to path if the API did not come back in time, or why ctx has ended. One
// of the callers probes on behalf of all; when it leaves, another one takes over.
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

// giveUpError returns the error of a request that waited for o, which is over; nil if
// the request can be sent.
func (o *openCircuit) giveUpError(method, path string) error {
	if !o.gaveUp {
		return nil
	}
	return &GaveUpError{Method: method, Path: path, After: o.gaveUpAfter, Err: o.lastFailure.Err,
		Unanswered: method == http.MethodGet && o.lastFailure.Class == InDoubt}
}

// probeUntilUp probes until o is over. It returns why ctx has ended if that comes
// first.
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
			return nil // recordHealth has closed the circuit
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

// wait waits for d, or until o is over. It returns why, if ctx ends or the run is
// drained first.
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

// probe reads a page of one record of path, to find out whether the API is up.
func (c *Client) probe(ctx context.Context, path string) Outcome {
	if err := c.waitTurn(ctx); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	timed, stop := context.WithTimeout(ctx, probeTimeout)
	defer stop()
	return c.transmit(timed, &request{method: http.MethodGet, path: path, query: "_page=1&_page_size=1", consume: startsLikeJSON})
}

// startsLikeJSON returns an error if body does not start like a list or a record: an
// HTML page in place of the API does not prove that it is up.
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
// up, otherwise as soon as it is up again. It is for callers whose writes end in doubt
// one after the other, and costs one small read. The error is a *StatusError if the API
// refuses the credentials or redirects, a *GaveUpError if there was no answer within
// Config.GiveUpAfter, or why ctx has ended; no row is to blame for any of these.
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
