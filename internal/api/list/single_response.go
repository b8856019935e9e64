package list

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"net/url"

	"flytt/internal/api"
)

// singleResponse reads a list in one answer, without pages, and hands it out as it
// comes. A server makes an answer from one statement, so nothing changes within it.
// That it is complete counts as proved if it holds the record that was the newest
// before the request; or, if there is no such record to go by, if a second answer has
// the same rows. Rows are recognised by their ids, all of which are kept, 20 to 30
// bytes each.
type singleResponse struct {
	rows   *Rows
	job    *job
	pages  chan *api.Page
	copied chan struct{} // a page was copied and can be reused
	seen   idSet
	tries  int // answers requested

	ordered  bool   // by creation, as far as can be seen
	before   int64  // when the row before was created
	first    idKey  // of the first row
	count    int64  // rows of this answer
	idHash   uint64 // of its ids, in any order
	newestAt int64  // when the newest record was created; api.NoTime: not known
	newestID idKey  // its id
}

func newSingleResponse(r *Rows, note string) *singleResponse {
	r.addNote(note)
	return &singleResponse{rows: r, pages: make(chan *api.Page), copied: make(chan struct{}), newestAt: api.NoTime}
}

func (w *singleResponse) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if w.tries == 0 {
		if err := w.findNewest(ctx); err != nil {
			return dst, 0, err
		}
		w.request()
	}
	for {
		select {
		case p := <-w.pages:
			dst, n := w.appendNew(dst, p)
			w.copied <- struct{}{}
			if w.rows.limitReached() {
				return dst, n, w.rows.endReading()
			}
			if n > 0 {
				return dst, n, nil
			}
		case j := <-w.rows.pool.done:
			w.rows.pool.markDone(j)
			if j == w.job {
				return dst, 0, w.endOrRepeat(ctx, j.err)
			}
		case <-ctx.Done():
			return dst, 0, context.Cause(ctx)
		}
	}
}

// findNewest looks up the newest record, if the list can be ordered by creation.
func (w *singleResponse) findNewest(ctx context.Context) error {
	created := w.rows.options.Created
	w.ordered = created != "" && len(w.rows.list.order) == 0 && w.rows.canOrderBy(created) && w.rows.canOrderBy("id")
	if created == "" || !w.rows.canOrderBy(created) || !w.rows.canOrderBy("id") {
		return nil
	}
	extra := url.Values{"_order_by": {"-" + created + ",-id"}}
	j := w.rows.pool.submit(listRequest{list: w.rows.list, extra: extra, page: 1, size: 1})
	defer w.rows.pool.release(j)
	if err := w.rows.pool.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
		return err
	}
	w.newestAt = api.NoTime
	if p := &j.page; len(p.Objects) > 0 {
		w.newestAt, w.newestID = p.Objects[0].Created, keyOfID(p.ID(0))
	}
	return nil
}

// request requests the whole list.
func (w *singleResponse) request() {
	w.tries++
	w.count, w.idHash, w.before = 0, 0, api.NoTime
	w.job = w.rows.pool.submitStream(listRequest{list: w.rows.list, extra: w.order(), jsonl: true}, w.emit)
}

func (w *singleResponse) order() url.Values {
	extra := url.Values{}
	if order := w.rows.stableOrder(); order != "" {
		extra.Set("_order_by", order)
	}
	return extra
}

// emit lends a page to the reader until it is taken.
func (w *singleResponse) emit(ctx context.Context, p *api.Page) error {
	select {
	case w.pages <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-w.copied // follows at once
	return nil
}

func (w *singleResponse) appendNew(dst []byte, p *api.Page) ([]byte, int) {
	w.rows.countPage(p)
	out := newPageRows(dst, p)
	var again int64
	for i := range p.Objects {
		if w.rows.limitReached() {
			break
		}
		if !w.observeRow(p, i) {
			again++
			continue
		}
		w.rows.reserveRow()
		out.add(p, i)
	}
	if again > 0 && w.tries == 1 {
		w.rows.addCounts(again, 0)
		w.rows.setDoubt(doubtDuplicates)
	}
	w.rows.recordSpan(&out, p)
	return out.dst, out.n
}

// observeRow records a row and reports whether it is new.
func (w *singleResponse) observeRow(p *api.Page, i int) bool {
	id, at := p.ID(i), p.Objects[i].Created
	k := keyOfID(id)
	w.ordered = w.ordered && at >= w.before
	w.before = at
	if w.count++; w.count == 1 {
		w.first = k
	}
	w.idHash += maphash.Bytes(idSeeds[0], id)
	if len(id) == 0 {
		w.rows.setDoubt(doubtNoID)
		return true
	}
	return w.seen.add(k)
}

// endOrRepeat ends the reading, or requests the list once more if the newest record was
// not in it.
func (w *singleResponse) endOrRepeat(ctx context.Context, err error) error {
	switch {
	case err != nil:
		return err
	case w.rows.Account().Doubt != "":
		return w.rows.endReading()
	case w.newestAt == api.NoTime || !w.ordered || w.count > 1 && w.first == w.newestID:
		return w.compareAnswers(ctx)
	case w.seen.has(w.newestID):
		return w.rows.endReading()
	case w.tries == confirmations:
		w.rows.setDoubt(doubtEnd)
		return w.rows.endReading()
	}
	if err := w.findNewest(ctx); err != nil { // it may have left
		return err
	}
	w.request()
	return nil
}

// compareAnswers ends the reading after it has compared the rows with those of another
// answer.
func (w *singleResponse) compareAnswers(ctx context.Context) error {
	for range confirmations - 1 {
		rows, sum, err := w.fetchIDs(ctx)
		if err != nil {
			return err
		}
		if rows != w.count || sum != w.idHash {
			w.rows.setDoubt(doubtDiffers)
			break
		}
		if rows > 0 {
			break
		}
	}
	return w.rows.endReading()
}

// fetchIDs requests the list once more and returns its number of rows and the sum of
// the hashes of their ids.
func (w *singleResponse) fetchIDs(ctx context.Context) (rows int64, sum uint64, err error) {
	a := listRequest{list: w.rows.list, extra: w.order(), jsonl: true, idsOnly: true}
	j := w.rows.pool.submitStream(a, func(_ context.Context, p *api.Page) error {
		for i := range p.Objects {
			sum += maphash.Bytes(idSeeds[0], p.ID(i))
		}
		rows += int64(len(p.Objects))
		return nil
	})
	err = w.rows.pool.waitFor(ctx, j)
	return rows, sum, cmp.Or(err, j.err)
}
