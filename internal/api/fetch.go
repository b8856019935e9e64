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

// Fetch asks for one page and puts it into p, again where that can help: see
// read. The moment of each object is that of the field called created, if that
// is not empty. 404 in place of a page after the first is the end and no
// error. With ErrOversized, because much more came than was asked for, p holds
// what had come until then.
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
	p.Status = o.Status
	if err != nil {
		return err
	}
	if o.OK() {
		return nil
	}
	p.Reset()
	p.Status = o.Status
	if o.Status == http.StatusNotFound && ask.Page > 1 {
		p.Missing = true
		return nil
	}
	return refusedRead(ask, &o)
}

// slowAnswer is how long an answer may be waited for before that is logged.
const slowAnswer = 15 * time.Second

// slowWarning logs, once, that a read of path has waited long for an answer; the time
// for which the API has asked for no requests does not count. It is for concurrent use.
type slowWarning struct {
	client *Client
	path   string
	began  time.Time

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	over  bool
}

// newSlowWarning starts to wait for an answer.
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

// stop ends the wait; nothing is logged after it. It can be called again.
func (s *slowWarning) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}

// maxObjects returns how many objects are not yet much more than a page; 0 if
// no page was asked for.
func (r *PageRequest) maxObjects() int {
	if r.Size == 0 {
		return 0
	}
	return 2*r.Size + 100
}

// Stream asks once and hands out what comes in pages of about ask.Size, or 500,
// objects as it comes; at least one page, which may be empty. emit owns the
// page until it returns; its error ends the stream and is returned. The request
// is repeated only as long as nothing was handed out. It may take as long as it
// goes on.
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

// streamReader hands out the pages of one answer.
type streamReader struct {
	ask      *PageRequest
	created  string
	emit     func(*Page) error
	answered func() // an answer has begun
	page     Page
	emitted  bool
	err      error // of emit
}

// consume reads an answer. Once something of it was handed out, what goes wrong is
// final.
func (s *streamReader) consume(res *http.Response, body io.Reader) error {
	s.answered()
	s.page.Reset()
	s.page.Date, s.page.Status = serverTime(res), res.StatusCode
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

// isPermanent reports whether repeating a read cannot mend err.
func isPermanent(err error) bool {
	var f permanentError
	return errors.As(err, &f) || errors.Is(err, errTooLong) || errors.Is(err, ErrOversized) || errors.Is(err, errLarge)
}

// refusedRead is the error of a list that was refused.
func refusedRead(ask *PageRequest, o *Outcome) error {
	e := &StatusError{Method: http.MethodGet, Path: ask.Path, Status: o.Status}
	if IsRefusal(o.Status) {
		e.Names = ask.blamedParameters(o.Body)
	}
	return e
}

// inPath says which read err is of.
func inPath(path string, err error) error { return fmt.Errorf("GET %s: %w", path, err) }
