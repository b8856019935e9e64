package api

import (
	"context"
	"net/url"
)

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
