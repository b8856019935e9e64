package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Fetch reads one page into p, with retries: see read. If created is not empty, it
// names the field that holds the moment of creation of each object. A 404 in place of a
// page after the first is the end of the list, not an error. With ErrOversized, because
// much more came than was asked for, p holds what had come until then.
func (c *Client) Fetch(ctx context.Context, ask *PageRequest, p *Page, created string) error {
	r := &request{method: http.MethodGet, path: ask.Path, query: ask.query()}
	heard := newSlowWarning(c, ask.Path).stop
	defer heard()
	r.consume = func(res *http.Response, body io.Reader) error {
		heard()
		p.Reset()
		p.Date = serverTime(res)
		return decode(body, decodeTask{page: p, created: created, idsOnly: ask.IDsOnly,
			objects: ask.maxObjects(), bytes: int(min(c.config.MaxAnswer, 1<<31))})
	}
	o, err := c.read(ctx, r)
	if err != nil || o.OK() {
		return err
	}
	p.Reset()
	if o.Status == http.StatusNotFound && ask.Page > 1 {
		return nil
	}
	return refusedRead(ask, &o)
}

// slowAnswer is how long a read waits for an answer before that is logged.
const slowAnswer = 15 * time.Second

// slowWarning logs once if a read of path has waited long for an answer, not counting
// the time for which the API has asked for no requests. It is safe for concurrent use.
type slowWarning struct {
	client *Client
	path   string
	began  time.Time

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	over  bool
}

// newSlowWarning starts the wait for an answer.
func newSlowWarning(c *Client, path string) *slowWarning {
	s := &slowWarning{client: c, path: path, began: c.now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(slowAnswer, s.check)
	return s
}

func (s *slowWarning) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.client.now()
	waited := min(now.Sub(s.began), -max(s.client.pause.left(now), -slowAnswer))
	switch {
	case s.over:
	case waited < slowAnswer:
		s.timer.Reset(slowAnswer - waited)
	default:
		s.over = true
		s.client.log.Warn("still waiting for an answer", "method", http.MethodGet, "path", s.path, "waited", now.Sub(s.began).Round(time.Second))
	}
}

// stop ends the wait: nothing is logged after that. It can be called more than once.
func (s *slowWarning) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}

// maxObjects returns how many objects still count as one page: more than asked for, but
// not much more. 0 if no page was asked for.
func (r *PageRequest) maxObjects() int {
	if r.Size == 0 {
		return 0
	}
	return 2*r.Size + 100
}

// Stream makes one request and hands out the answer as it comes, in pages of about
// ask.Size objects, or 500; at least one page, which may be empty. emit owns the page
// until it returns; its error ends the stream and is returned. The request is only
// repeated while nothing has been handed out. It may take as long as data keeps coming.
func (c *Client) Stream(ctx context.Context, ask *PageRequest, created string, emit func(*Page) error) error {
	s := streamReader{ask: ask, created: created, emit: emit, answered: newSlowWarning(c, ask.Path).stop}
	defer s.answered()
	r := &request{method: http.MethodGet, path: ask.Path, query: ask.query(), untimed: true, consume: s.consume}
	o, err := c.read(ctx, r)
	switch {
	case s.err != nil:
		return s.err
	case err != nil:
		return err
	case !o.OK():
		return refusedRead(ask, &o)
	}
	return nil
}

// streamReader hands out one answer in pages.
type streamReader struct {
	ask      *PageRequest
	created  string
	emit     func(*Page) error
	answered func() // to be called when the answer has begun
	page     Page
	emitted  bool
	err      error // of emit
}

// consume reads an answer. Once a part of it was handed out, an error is permanent.
func (s *streamReader) consume(res *http.Response, body io.Reader) error {
	s.answered()
	s.page.Reset()
	s.page.Date = serverTime(res)
	err := decode(body, decodeTask{page: &s.page, created: s.created, idsOnly: s.ask.IDsOnly,
		perPage: cmp.Or(s.ask.Size, pageSize), flush: s.flush})
	if err == nil && (len(s.page.Objects) > 0 || !s.emitted) {
		err = s.flush()
	}
	if err != nil && s.emitted {
		return permanentError{err}
	}
	return err
}

// flush hands out the page and empties it.
func (s *streamReader) flush() error {
	s.emitted = true
	if s.err = s.emit(&s.page); s.err != nil {
		return s.err
	}
	s.page.Data, s.page.Objects = s.page.Data[:0], s.page.Objects[:0]
	return nil
}

// permanentError marks an error after which a read is not repeated.
type permanentError struct{ error }

func (f permanentError) Unwrap() error { return f.error }

// isPermanent reports whether repeating a read cannot fix err.
func isPermanent(err error) bool {
	var f permanentError
	return errors.As(err, &f) || errors.Is(err, errTooLong) || errors.Is(err, ErrOversized) || errors.Is(err, errLarge)
}

// refusedRead returns the error of a list that the API refused.
func refusedRead(ask *PageRequest, o *Outcome) error {
	e := &StatusError{Method: http.MethodGet, Path: ask.Path, Status: o.Status}
	if IsRefusal(o.Status) {
		e.Names = ask.blamedParameters(o.Body)
	}
	return e
}

// inPath adds the request to err.
func inPath(path string, err error) error { return fmt.Errorf("GET %s: %w", path, err) }
