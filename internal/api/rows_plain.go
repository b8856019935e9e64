package api

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
)

// plain reads the pages 1, 2, 3… of a list in whatever order it has. Rows that
// come again are known by their ids, all of which are kept, 20 to 30 bytes for
// each: the one thing that grows with the list. That nothing was missed is
// proved by a second reading, of the ids alone.
type plain struct {
	*Rows
	pass *pass
	seen idSet
}

// newPlain reads r's list in the order given, a parameter; "": in none.
func newPlain(r *Rows, order string) *plain {
	extra := url.Values{}
	if order != "" {
		extra.Set("_order_by", order)
	}
	return &plain{Rows: r, pass: r.newPass(extra, r.options.PageSize, false)}
}

// stableOrder returns the order of the list with as much added as makes it the
// same in every answer. Rows that are new come last where nothing else is asked
// for.
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
		return dst, 0, r.prove(ctx)
	}
	if errors.Is(err, errPageless) && r.pass.length < r.options.PageSize {
		r.doubt("the server ignores _page, and gave fewer rows than a page holds")
		return dst, 0, r.end()
	}
	if err != nil {
		return dst, 0, err
	}
	out := newParcel(dst, p)
	r.take(&out, p)
	r.span(&out, p)
	r.pass.lane.pop()
	if r.full() {
		return out.dst, out.n, r.prove(ctx)
	}
	r.pass.lane.fill()
	return out.dst, out.n, nil
}

func (r *plain) take(out *parcel, p *page) {
	var again int64
	for i := range p.objects {
		if r.full() {
			break
		}
		id := p.id(i)
		r.pass.see(id)
		if len(id) == 0 {
			r.doubt("rows without an id cannot be told apart")
		} else if !r.seen.add(keyOfID(id)) {
			again++
			continue
		}
		r.wanted()
		out.put(p, i)
	}
	r.count(again, min(again, 1))
}

// prove ends the reading with a second one, if there is nothing in doubt yet.
func (r *plain) prove(ctx context.Context) error {
	if r.Account().Doubt == "" {
		doubt, err := r.pass.repeated(ctx, !r.full())
		if err != nil {
			return err
		}
		if doubt != "" {
			r.doubt(doubt)
		}
	}
	return r.end()
}
