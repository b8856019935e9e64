package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// fetcher reads pages of a list; a Client is one.
type fetcher interface {
	fetch(ctx context.Context, a *ask, p *page, created string) error
	stream(ctx context.Context, a *ask, created string, emit func(*page) error) error
}

var _ fetcher = (*Client)(nil)

// fetch asks for one page and puts it into p, again where that can help: see
// read. The moment of each object is that of the field called created, if that
// is not empty. 404 in place of a page after the first is the end and no
// error. With errOversized, because much more came than was asked for, p holds
// what had come until then.
func (c *Client) fetch(ctx context.Context, a *ask, p *page, created string) error {
	r := &request{method: http.MethodGet, path: a.list.path, query: a.query()}
	r.take = func(res *http.Response, body io.Reader) error {
		p.reset()
		p.date = serverTime(res)
		return decode(body, decodeTask{page: p, created: created, slim: a.slim,
			objects: a.mostObjects(), bytes: int(min(c.config.MaxAnswer, 1<<31))})
	}
	o, err := c.read(ctx, r)
	p.status = o.Status
	if err != nil {
		return err
	}
	if o.OK() {
		return nil
	}
	p.reset()
	p.status = o.Status
	if o.Status == http.StatusNotFound && a.page > 1 {
		p.missing = true
		return nil
	}
	return refusedRead(a, &o)
}

// mostObjects returns how many objects are not yet much more than a page; 0 if
// no page was asked for.
func (a *ask) mostObjects() int {
	if a.size == 0 {
		return 0
	}
	return 2*a.size + 100
}

// stream asks once and hands out what comes in pages of about a.size, or 500,
// objects as it comes. emit owns the page until it returns; its error ends the
// stream and is returned. The request is repeated only as long as nothing was
// handed out. It may take as long as it goes on.
func (c *Client) stream(ctx context.Context, a *ask, created string, emit func(*page) error) error {
	var p page
	var failed error // of emit
	handed := false
	r := &request{method: http.MethodGet, path: a.list.path, query: a.query(), untimed: true}
	r.take = func(res *http.Response, body io.Reader) error {
		p.reset()
		p.date, p.status = serverTime(res), res.StatusCode
		hand := func() error {
			handed = true
			if failed = emit(&p); failed != nil {
				return final{failed}
			}
			p.data, p.objects = p.data[:0], p.objects[:0]
			return nil
		}
		per := a.size
		if per == 0 {
			per = pageSize
		}
		err := decode(body, decodeTask{page: &p, created: created, slim: a.slim, perPage: per, handOver: hand})
		if err == nil && (len(p.objects) > 0 || !handed) {
			err = hand()
		}
		if err != nil && handed {
			return final{err}
		}
		return err
	}
	o, err := c.read(ctx, r)
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return err
	case !o.OK():
		return refusedRead(a, &o)
	}
	return nil
}

// final marks an error after which a read is not repeated.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// isFinal reports whether repeating a read cannot mend err.
func isFinal(err error) bool {
	var f final
	return errors.As(err, &f) || errors.Is(err, errTooLong) || errors.Is(err, errOversized) || errors.Is(err, errLarge)
}

// refusedRead is the error of a list that was refused.
func refusedRead(a *ask, o *Outcome) error {
	e := &StatusError{Method: http.MethodGet, Path: a.list.path, Status: o.Status}
	if Refuses(o.Status) {
		e.Names = a.named(o.Body)
	}
	return e
}

func inPath(path string, err error) error { return fmt.Errorf("GET %s: %w", path, err) }
