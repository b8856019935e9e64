package list

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"net/url"

	"flytt/internal/api"
)

// atOnce reads a list in one answer, without pages, and hands it out as it comes.
// A server makes one answer of one statement, so nothing can change within it.
// That it is not the half of one is taken as proved when it holds the row that
// was the newest before it was asked for; or, where there is no such row to go
// by, when a second answer has the same rows. Rows are known by their ids, all of
// which are kept, 20 to 30 bytes for each.
type atOnce struct {
	*Rows
	job   *job
	pages chan *api.Page
	taken chan struct{} // a page was copied and can be reused
	seen  idSet
	tries int // answers asked for

	ordered bool   // by creation, as far as can be seen
	before  int64  // when the row before was made
	first   idKey  // of the first row
	rows    int64  // of this answer
	sum     uint64 // of its ids, in any order
	top     int64  // when the newest row was made; api.NoTime: not known
	last    idKey  // of the newest row
}

func newAtOnce(r *Rows, note string) *atOnce {
	r.note(note)
	return &atOnce{Rows: r, pages: make(chan *api.Page), taken: make(chan struct{}), top: api.NoTime}
}

func (w *atOnce) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if w.tries == 0 {
		if err := w.findNewest(ctx); err != nil {
			return dst, 0, err
		}
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
			if n > 0 {
				return dst, n, nil
			}
		case j := <-w.crew.done:
			w.crew.arrived(j)
			if j == w.job {
				return dst, 0, w.ended(ctx, j.err)
			}
		case <-ctx.Done():
			return dst, 0, context.Cause(ctx)
		}
	}
}

// findNewest asks which row is the newest, if the list can be ordered so.
func (w *atOnce) findNewest(ctx context.Context) error {
	created := w.options.Created
	w.ordered = created != "" && len(w.list.order) == 0 && w.canOrderBy(created) && w.canOrderBy("id")
	if created == "" || !w.canOrderBy(created) || !w.canOrderBy("id") {
		return nil
	}
	extra := url.Values{"_order_by": {"-" + created + ",-id"}}
	j := w.crew.hand(ask{list: w.list, extra: extra, page: 1, size: 1})
	defer w.crew.release(j)
	if err := w.crew.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
		return err
	}
	w.top = api.NoTime
	if p := &j.page; len(p.Objects) > 0 {
		w.top, w.last = p.Objects[0].Created, keyOfID(p.ID(0))
	}
	return nil
}

// begin asks for the whole list.
func (w *atOnce) begin() {
	w.tries++
	w.rows, w.sum, w.before = 0, 0, api.NoTime
	w.job = w.crew.stream(ask{list: w.list, extra: w.order(), jsonl: true}, w.emit)
}

func (w *atOnce) order() url.Values {
	extra := url.Values{}
	if order := w.stableOrder(); order != "" {
		extra.Set("_order_by", order)
	}
	return extra
}

// emit lends a page to the reader until it is taken.
func (w *atOnce) emit(ctx context.Context, p *api.Page) error {
	select {
	case w.pages <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-w.taken // follows at once
	return nil
}

func (w *atOnce) take(dst []byte, p *api.Page) ([]byte, int) {
	w.arrived(p)
	out := newParcel(dst, p)
	var again int64
	for i := range p.Objects {
		if w.full() {
			break
		}
		if !w.see(p, i) {
			again++
			continue
		}
		w.wanted()
		out.put(p, i)
	}
	if again > 0 && w.tries == 1 {
		w.count(again, 0)
		w.doubt(doubtTwice)
	}
	w.span(&out, p)
	return out.dst, out.n
}

// see takes note of a row and reports whether it is new.
func (w *atOnce) see(p *api.Page, i int) bool {
	id, at := p.ID(i), p.Objects[i].Created
	k := keyOfID(id)
	w.ordered = w.ordered && at >= w.before
	w.before = at
	if w.rows++; w.rows == 1 {
		w.first = k
	}
	w.sum += maphash.Bytes(idSeeds[0], id)
	if len(id) == 0 {
		w.doubt(doubtNoID)
		return true
	}
	return w.seen.add(k)
}

// ended ends the reading, or asks once more for the list if the newest row was
// not in it.
func (w *atOnce) ended(ctx context.Context, err error) error {
	switch {
	case err != nil:
		return err
	case w.Account().Doubt != "":
		return w.end()
	case w.top == api.NoTime || !w.ordered || w.rows > 1 && w.first == w.last:
		return w.compare(ctx)
	case w.seen.has(w.last):
		return w.end()
	case w.tries == looks:
		w.doubt(doubtEnd)
		return w.end()
	}
	if err := w.findNewest(ctx); err != nil { // it may have left
		return err
	}
	w.begin()
	return nil
}

// compare ends the reading once two answers had the same rows.
func (w *atOnce) compare(ctx context.Context) error {
	for range looks - 1 {
		rows, sum, err := w.again(ctx)
		if err != nil {
			return err
		}
		if rows != w.rows || sum != w.sum {
			w.doubt(doubtWhole)
			break
		}
		if rows > 0 {
			break
		}
	}
	return w.end()
}

// again returns how many rows another answer has, and the sum of their ids.
func (w *atOnce) again(ctx context.Context) (rows int64, sum uint64, err error) {
	a := ask{list: w.list, extra: w.order(), jsonl: true, slim: true}
	j := w.crew.stream(a, func(_ context.Context, p *api.Page) error {
		for i := range p.Objects {
			sum += maphash.Bytes(idSeeds[0], p.ID(i))
		}
		rows += int64(len(p.Objects))
		return nil
	})
	err = w.crew.waitFor(ctx, j)
	return rows, sum, cmp.Or(err, j.err)
}
