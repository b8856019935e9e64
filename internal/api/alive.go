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
	// silent is how many attempts in a row, of whatever callers, show no life
	// of the API before all others are held back.
	silent = 3

	// lifeTimeout bounds one probe: a page of one record is there at once.
	lifeTimeout = 30 * time.Second
)

// life is what the attempts of a client show of the API: that it lives, or that
// it seems to be down.
type life struct {
	mu     sync.Mutex
	misses int     // attempts in a row that showed no life
	outage *outage // nil: the API lives, as far as is known
	lost   *outage // that was given up: nothing is waited for any more until there is a sign of life
}

// outage is a time in which the API seems to be down. Nothing is sent but the
// probes of one caller; the others wait until it is over.
type outage struct {
	began  time.Time
	prober chan struct{} // has room for the one that probes
	over   chan struct{} // closed when it is over

	tries int     // probes that failed; the prober's
	last  Outcome // of the attempt, or the probe, that failed last; the prober's

	// Guarded by life.mu until over is closed.
	told  bool          // it was logged
	lost  bool          // it was given up
	after time.Duration // how long it was when it was given up
}

// current returns the outage there is, or the one that was given up, or nil.
func (l *life) current() *outage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.outage, l.lost)
}

// miss takes note of an attempt that ended in o and showed no life. Enough of
// them in a row, or surely, begin an outage.
func (l *life) miss(o Outcome, surely bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.misses++
	if l.outage == nil && l.lost == nil && (surely || l.misses >= silent) {
		o.Body = nil // the caller's
		l.outage = &outage{began: now, prober: make(chan struct{}, 1), over: make(chan struct{}), last: o}
	}
}

// sign takes note of a sign of life. It returns the outage that this ends, if
// there is one of which anybody was told.
func (l *life) sign() *outage {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.outage
	l.misses, l.outage, l.lost = 0, nil, nil
	if o == nil {
		return nil
	}
	close(o.over)
	if !o.told {
		return nil
	}
	return o
}

// lose gives o up after the given time, unless it has just ended.
func (l *life) lose(o *outage, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage != o {
		return
	}
	l.misses, l.outage, l.lost = 0, nil, o
	o.lost, o.after = true, after
	close(o.over)
}

// tell reports whether o is still on and was not logged yet, and takes note that
// it is now.
func (l *life) tell(o *outage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage != o || o.told {
		return false
	}
	o.told = true
	return true
}

// lives reports whether an attempt that ended in o proves that the API is up,
// whatever it thinks of the request.
func lives(o *Outcome) bool {
	return o.Class == Answered || o.Class == NotProcessed || o.refused
}

// heed takes note of what an attempt that ended in o shows of the API. A success
// that cannot be read shows neither that it is well nor that it is down.
func (c *Client) heed(o *Outcome) {
	switch {
	case lives(o):
		if ended := c.life.sign(); ended != nil {
			c.log.Warn("the API answers again", "after", c.now().Sub(ended.began).Round(time.Second))
		}
	case o.Status/100 != 2:
		c.life.miss(*o, false, c.now())
	}
}

// await waits, if the API seems to be down, until it answers again. It returns
// why it does not: a *GaveUpError of the request to path, or why ctx has ended.
// One of the callers probes on behalf of all; when it leaves, another does.
func (c *Client) await(ctx context.Context, method, path string) error {
	o := c.life.current()
	if o == nil {
		return nil
	}
	select {
	case o.prober <- struct{}{}:
		err := c.outlast(ctx, o, path)
		<-o.prober
		if err != nil {
			return err
		}
	case <-o.over:
	case <-ctx.Done():
		return c.config.Drain.Err(ctx)
	case <-c.config.Drain.Done():
		return c.config.Drain.Err(ctx)
	}
	return o.verdict(method, path)
}

// verdict says, of an outage that is over, why a request was not sent; nil if it
// can be.
func (o *outage) verdict(method, path string) error {
	if !o.lost {
		return nil
	}
	return &GaveUpError{Method: method, Path: path, After: o.after, Err: o.last.Err,
		Unanswered: method == http.MethodGet && o.last.Class == InDoubt}
}

// outlast probes until o is over, or ctx ends, and then returns why.
func (c *Client) outlast(ctx context.Context, o *outage, path string) error {
	for {
		left := o.began.Add(c.config.GiveUpAfter).Sub(c.now())
		if over, err := o.rest(ctx, c.config.Drain, min(backoff(o.tries+1), max(left, 0))); over || err != nil {
			return err
		}
		got := c.probe(ctx, path)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case lives(&got):
			return nil // heed has ended it
		}
		o.tries++
		o.last = got
		if pointless := hopeless(got.Err) && !c.reached.Load(); pointless {
			c.life.lose(o, 0)
			return nil
		}
		if after := c.now().Sub(o.began); after >= c.config.GiveUpAfter {
			c.life.lose(o, after)
			return nil
		}
		if c.life.tell(o) {
			c.log.Warn("the API does not answer: waiting", "at_most", c.config.GiveUpAfter, "cause", got.Err)
		}
	}
}

// rest waits for d, or until o is over. If ctx ends or the run is drained first it
// returns why.
func (o *outage) rest(ctx context.Context, gate *drain.Gate, d time.Duration) (over bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-o.over:
		return true, nil
	case <-ctx.Done():
		return false, gate.Err(ctx)
	case <-gate.Done():
		return false, gate.Err(ctx)
	case <-timer.C:
	}
	select {
	case <-o.over: // at the same moment
		return true, nil
	default:
		return false, nil
	}
}

// probe reads a page of one record of path, to see whether the API is up.
func (c *Client) probe(ctx context.Context, path string) Outcome {
	if err := c.turn(ctx); err != nil {
		return Outcome{Class: NotSent, Err: err}
	}
	timed, stop := context.WithTimeout(ctx, lifeTimeout)
	defer stop()
	return c.transmit(timed, &request{method: http.MethodGet, path: path, query: "_page=1&_page_size=1", take: beginsJSON})
}

// beginsJSON returns an error if body does not begin like a list or a record: a
// page of HTML in place of the API is no sign of life.
func beginsJSON(_ *http.Response, body io.Reader) error {
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

// Alive returns when the API answers reads of the list at path: at once if it is
// up, and else as soon as it is again. It is for callers whose writes end in
// doubt, one after the other, and costs one small read. The error is a
// *StatusError if the API does not know the credentials or sends elsewhere, a
// *GaveUpError if there was no answer for as long as Config.GiveUpAfter, or says
// why ctx has ended; no row is to blame for any of these.
func (c *Client) Alive(ctx context.Context, path string) error {
	began := c.now()
	for {
		if err := c.await(ctx, http.MethodGet, path); err != nil {
			return err
		}
		o := c.probe(ctx, path)
		after := c.now().Sub(began)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case o.Class == Answered && (o.Status/100 == 3 || o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden):
			return &StatusError{Method: http.MethodGet, Path: path, Status: o.Status}
		case lives(&o):
			return nil
		case after >= c.config.GiveUpAfter+c.config.BusyAfter: // it comes and goes
			return &GaveUpError{Method: http.MethodGet, Path: path, After: after, Unanswered: o.Class == InDoubt, Err: o.Err}
		}
		c.life.miss(o, true, c.now())
	}
}
