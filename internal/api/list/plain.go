package list

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"flytt/internal/api"
)

// plain reads the pages 1, 2, 3… of a list in any order. Rows that come again are
// recognised by their ids, all of which are kept, 20 to 30 bytes each: the only memory
// that grows with the list. A second pass over the ids proves that nothing was missed.
type plain struct {
	rows  *Rows
	pass  *pass
	seen  idSet
	stale int // pages in a row that brought nothing new

	newestAt int64 // records created after this were added while the list was read; api.NoTime: not known yet
	newRows  int64 // how many of those were handed out
}

const (
	maxStalePages = 16
	growthPage    = 16   // the page at which the newest record is looked up
	growthRoom    = 1000 // records that may be added while a list is read, besides as many as it has
)

// newPlain returns a reader of r's list in the given order, a value of _order_by; "":
// without one.
func newPlain(r *Rows, order string) *plain {
	extra := url.Values{}
	if order != "" {
		extra.Set("_order_by", order)
	}
	return &plain{rows: r, pass: r.newPass(extra, r.options.PageSize, false), newestAt: api.NoTime}
}

// stableOrder returns the order of the query, completed so that all answers have the
// same order. If the query has no order, new records come last.
func (r *Rows) stableOrder() string {
	order := slices.Clone(r.list.order)
	if created := r.options.Created; len(order) == 0 && created != "" && r.canOrderBy(created) {
		order = append(order, created)
	}
	if !slices.Contains(order, "id") && !slices.Contains(order, "-id") && r.canOrderBy("id") {
		order = append(order, "id")
	}
	return strings.Join(order, ",")
}

func (r *plain) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	p, err := r.pass.page(ctx)
	if err == io.EOF {
		return dst, 0, r.verifyAndEnd(ctx)
	}
	if errors.Is(err, errNoPaging) && r.pass.length < r.rows.options.PageSize {
		r.rows.setDoubt(doubtNoPaging)
		return dst, 0, r.rows.endReading()
	}
	if err != nil {
		return dst, 0, err
	}
	out := newPageRows(dst, p)
	r.appendNew(&out, p)
	r.rows.recordSpan(&out, p)
	endless, err := r.stopIfEndless(ctx, out.n)
	r.pass.pages.pop()
	switch {
	case err != nil:
		return out.dst, out.n, err
	case r.rows.limitReached() || endless:
		return out.dst, out.n, r.verifyAndEnd(ctx)
	}
	r.pass.pages.fill()
	return out.dst, out.n, nil
}

func (r *plain) appendNew(out *pageRows, p *api.Page) {
	var again int64
	for i := range p.Objects {
		if r.rows.limitReached() {
			break
		}
		id := p.ID(i)
		r.pass.observeID(id)
		if len(id) == 0 {
			r.rows.setDoubt(doubtNoID)
		} else if !r.seen.add(keyOfID(id)) {
			if !r.pass.reread || r.pass.pages.first > 1 {
				again++
			}
			continue
		}
		r.rows.reserveRow()
		out.add(p, i)
		if r.newestAt != api.NoTime && p.Objects[i].Created > r.newestAt {
			r.newRows++
		}
	}
	r.rows.addCounts(again, min(again, 1))
}

// stopIfEndless records a doubt and reports true if the reading would never end: in an
// order of the user's own, records that others add may come before the current page, so
// that the same rows come again, or after it, as fast as they are read.
func (r *plain) stopIfEndless(ctx context.Context, n int) (bool, error) {
	if r.stale++; n > 0 {
		r.stale = 0
	}
	if r.stale == maxStalePages {
		r.rows.setDoubt(doubtStale)
		return true, nil
	}
	if r.pass.pages.first == growthPage && r.rows.options.Created != "" && r.rows.canOrderBy(r.rows.options.Created) {
		if err := r.findNewest(ctx); err != nil {
			return false, err
		}
	}
	if before := r.rows.Account().Rows - r.newRows; r.newRows > before+growthRoom {
		r.rows.setDoubt(doubtGrowth)
		return true, nil
	}
	return false, nil
}

// findNewest looks up the newest record.
func (r *plain) findNewest(ctx context.Context) error {
	extra := url.Values{"_order_by": {"-" + r.rows.options.Created}}
	j := r.rows.pool.submit(listRequest{list: r.rows.list, extra: extra, page: 1, size: 1})
	defer r.rows.pool.release(j)
	err := r.rows.pool.waitFor(ctx, j)
	if errors.Is(err, api.ErrOversized) {
		err = nil
	}
	if err == nil && len(j.page.Objects) > 0 {
		r.newestAt = j.page.Objects[0].Created
	}
	return err
}

// verifyAndEnd ends the reading with a second pass, unless there is a doubt already.
func (r *plain) verifyAndEnd(ctx context.Context) error {
	if r.rows.Account().Doubt == "" {
		why, err := r.pass.verify(ctx, !r.rows.limitReached())
		if err != nil {
			return err
		}
		if why.why != "" {
			r.rows.setDoubt(why)
		}
	}
	return r.rows.endReading()
}
