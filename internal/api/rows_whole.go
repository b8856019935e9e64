package api

import (
	"context"
	"errors"
	"net/url"
)

// tooLong says that a page came that is longer than it was to be.
type tooLong struct {
	path  string
	ask   ask
	first idKey // of the page
	rows  int   // of the page, as far as it was read
	cut   bool  // there was more
}

func (e *tooLong) Error() string { return inPath(e.path, errNoPageSize).Error() }

var errNoPageSize = errors.New("the server ignores _page_size")

// sized returns the error of j, and one of its own if the page is longer than it
// was to be.
func (r *Rows) sized(j *job) error {
	rows := len(j.page.objects)
	cut := errors.Is(j.err, errOversized)
	if !cut && (j.err != nil || rows <= j.ask.size) {
		return j.err
	}
	e := &tooLong{path: r.list.path, ask: j.ask, rows: rows, cut: cut}
	if rows > 0 {
		e.first = keyOfID(j.page.id(0))
	}
	return e
}

// withoutPages finds out how to read a list whose first page was too long: in
// one answer, if page 2 is that page again, or else in pages of the length they
// have.
func (r *Rows) withoutPages(ctx context.Context, long *tooLong) error {
	long.ask.page = 2
	j := r.crew.hand(long.ask)
	defer r.crew.release(j)
	err := r.crew.waitFor(ctx, j)
	switch {
	case err != nil && !errors.Is(err, errOversized):
		return err
	case len(j.page.objects) > 0 && keyOfID(j.page.id(0)) == long.first:
		r.reader = newAtOnce(r, "the server ignores paging: the list was read in one answer, which is taken as one moment")
		return nil
	case long.cut:
		return long
	}
	r.options.PageSize = long.rows
	r.choose()
	return nil
}

// atOnce reads a list in one answer, without pages, and hands it out as it comes.
// A server makes one answer of one statement, so it is taken as complete when it
// has ended well.
type atOnce struct {
	*Rows
	job   *job
	pages chan *page
	taken chan struct{} // a page was copied and can be reused
}

func newAtOnce(r *Rows, note string) *atOnce {
	r.note(note)
	return &atOnce{Rows: r, pages: make(chan *page), taken: make(chan struct{})}
}

func (w *atOnce) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if w.job == nil {
		w.begin()
	}
	for {
		select {
		case p := <-w.pages:
			dst, n := w.take(dst, p)
			w.taken <- struct{}{}
			if w.full() {
				return dst, n, w.end()
			}
			return dst, n, nil
		case j := <-w.crew.done:
			w.crew.arrived(j)
			if j == w.job {
				return dst, 0, w.ended(j)
			}
		case <-ctx.Done():
			return dst, 0, context.Cause(ctx)
		}
	}
}

func (w *atOnce) begin() {
	extra := url.Values{}
	if order := w.stableOrder(); order != "" {
		extra.Set("_order_by", order)
	}
	w.job = w.crew.stream(ask{list: w.list, extra: extra, jsonl: true}, w.emit)
}

// emit lends a page to the reader until it is taken.
func (w *atOnce) emit(ctx context.Context, p *page) error {
	select {
	case w.pages <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-w.taken // follows at once
	return nil
}

func (w *atOnce) take(dst []byte, p *page) ([]byte, int) {
	w.arrived(p)
	out := newParcel(dst, p)
	for i := range p.objects {
		if !w.wanted() {
			break
		}
		out.put(p, i)
	}
	w.span(&out, p)
	return out.dst, out.n
}

func (w *atOnce) ended(j *job) error {
	if j.err != nil {
		return j.err
	}
	return w.end()
}
