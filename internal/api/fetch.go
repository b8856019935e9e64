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
	heard := c.watch(ask.Path)
	defer heard()
	r.take = func(res *http.Response, body io.Reader) error {
		heard()
		p.Reset()
		p.Date = serverTime(res)
		return decode(body, decodeTask{page: p, created: created, slim: ask.Slim,
			objects: ask.mostObjects(), bytes: int(min(c.config.MaxAnswer, 1<<31))})
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

// longSilence is how long an answer may be waited for before that is logged.
const longSilence = 15 * time.Second

// watch logs, once, that a read of path has waited long for an answer; the time
// for which the API has asked for no requests does not count. heard ends it, and
// can be called again; nothing is logged after it.
func (c *Client) watch(path string) (heard func()) {
	began := c.now()
	var mu sync.Mutex // guards what follows
	var timer *time.Timer
	over := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(longSilence, func() {
		mu.Lock()
		defer mu.Unlock()
		now := c.now()
		waited := min(now.Sub(began), -max(c.pause.left(now), -longSilence))
		switch {
		case over:
		case waited < longSilence:
			timer.Reset(longSilence - waited)
		default:
			over = true
			c.log.Warn("still waiting for an answer", "method", http.MethodGet, "path", path, "waited", now.Sub(began).Round(time.Second))
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}

// mostObjects returns how many objects are not yet much more than a page; 0 if
// no page was asked for.
func (r *PageRequest) mostObjects() int {
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
	s := streaming{ask: ask, created: created, emit: emit, heard: c.watch(ask.Path)}
	defer s.heard()
	r := &request{method: http.MethodGet, path: ask.Path, query: ask.query(), untimed: true, take: s.take}
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

// streaming hands out the pages of one answer.
type streaming struct {
	ask     *PageRequest
	created string
	emit    func(*Page) error
	heard   func() // an answer has begun
	page    Page
	handed  bool
	err     error // of emit
}

// take reads an answer. Once something of it was handed out, what goes wrong is
// final.
func (s *streaming) take(res *http.Response, body io.Reader) error {
	s.heard()
	s.page.Reset()
	s.page.Date, s.page.Status = serverTime(res), res.StatusCode
	err := decode(body, decodeTask{page: &s.page, created: s.created, slim: s.ask.Slim,
		perPage: cmp.Or(s.ask.Size, pageSize), handOver: s.hand})
	if err == nil && (len(s.page.Objects) > 0 || !s.handed) {
		err = s.hand()
	}
	if err != nil && s.handed {
		return final{err}
	}
	return err
}

// hand hands out the page and empties it.
func (s *streaming) hand() error {
	s.handed = true
	if s.err = s.emit(&s.page); s.err != nil {
		return s.err
	}
	s.page.Data, s.page.Objects = s.page.Data[:0], s.page.Objects[:0]
	return nil
}

// final marks an error after which a read is not repeated.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// isFinal reports whether repeating a read cannot mend err.
func isFinal(err error) bool {
	var f final
	return errors.As(err, &f) || errors.Is(err, errTooLong) || errors.Is(err, ErrOversized) || errors.Is(err, errLarge)
}

// refusedRead is the error of a list that was refused.
func refusedRead(ask *PageRequest, o *Outcome) error {
	e := &StatusError{Method: http.MethodGet, Path: ask.Path, Status: o.Status}
	if Refuses(o.Status) {
		e.Names = ask.named(o.Body)
	}
	return e
}

// inPath says which read err is of.
func inPath(path string, err error) error { return fmt.Errorf("GET %s: %w", path, err) }
