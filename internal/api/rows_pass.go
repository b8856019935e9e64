package api

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"net/url"
)

// pass reads the pages of a query one after another, to an empty one, and
// remembers which ids came in which order. Where rows may move between pages,
// that nothing was missed shows in a second pass that brings the same.
type pass struct {
	*Rows
	lane    *lane
	top     edge // of the first page
	edge    edge // of the page before
	rows    int64
	sum     uint64 // of the ids in their order
	length  int    // of the first page
	short   bool   // a page had another length
	uneven  bool   // and was not the last
	retried bool   // the page at hand was asked for twice
	repeats int    // pages in a row that were the page before again
}

var errPageless = errors.New("the server ignores _page: every page is the first")

func (r *Rows) newPass(extra url.Values, size int, slim bool) *pass {
	p := &pass{Rows: r, lane: r.newLane(extra, size, false)}
	p.lane.slim = slim
	return p
}

// page returns the next page, which is good until done, or io.EOF.
func (p *pass) page(ctx context.Context) (*page, error) {
	for {
		p.lane.fill()
		j := p.lane.head()
		if j == nil {
			if err := p.crew.wait(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.sized(j); err != nil {
			return nil, err
		}
		if len(j.page.objects) == 0 {
			p.arrived(&j.page)
			p.lane.drop(1)
			return nil, io.EOF
		}
		again, err := p.again(&j.page)
		if err != nil {
			return nil, err
		}
		if !again {
			p.arrived(&j.page)
			p.measure(len(j.page.objects))
			return &j.page, nil
		}
	}
}

// again reports whether the page at hand is asked for once more: because it was
// the page before again, or because the server cuts pages down and may count by
// the size asked for. A short page may be the one before, shifted by a row that
// came; several in a row that are the first page are a server that knows no
// others.
func (p *pass) again(page *page) (bool, error) {
	e := edgeOf(page)
	number := p.lane.first
	if number == 1 {
		p.top = e
	}
	switch {
	case number > 1 && e == p.edge && !p.retried:
		p.retried = true
		p.lane.drop(number)
		return true, nil
	case number == 2 && p.length < p.lane.size && e != p.edge:
		p.lane.size = p.length
		p.lane.drop(2)
		return true, nil
	case number > 1 && e == p.top:
		if p.repeats++; p.repeats == maxRepeats {
			return false, inPath(p.list.path, errPageless)
		}
	default:
		p.repeats = 0
	}
	p.edge, p.retried = e, false
	return false, nil
}

// measure watches the lengths of the pages: where one is shorter than the
// others and not the last, rows may lie between it and the next.
func (p *pass) measure(n int) {
	if p.length == 0 {
		p.length = n
	}
	p.uneven = p.uneven || p.short || n > p.length
	p.short = n < p.length
}

// see takes note of an id.
func (p *pass) see(id []byte) {
	p.sum = p.sum*0x9E3779B97F4A7C15 + maphash.Bytes(idSeeds[0], id)
	p.rows++
}

// repeated reads the ids of the same query once more and says why p is not
// proved to have missed nothing, or returns "". Only as many rows as p has seen
// are looked at if that was not all.
func (p *pass) repeated(ctx context.Context, all bool) (doubt string, err error) {
	again := p.newPass(p.lane.extra, p.lane.size, true)
	defer again.lane.drop(1)
	if !all {
		again.lane.last = int((p.rows + int64(p.length) - 1) / int64(max(p.length, 1)))
	}
	for all || again.rows < p.rows && !again.lane.exhausted() {
		page, err := again.page(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		for i := range page.objects {
			if all || again.rows < p.rows {
				again.see(page.id(i))
			}
		}
		again.lane.pop()
	}
	switch {
	case p.uneven || again.uneven:
		return "pages came in different lengths", nil
	case again.rows != p.rows || again.sum != p.sum:
		return "a second reading came in another order: the list changed while it was read", nil
	}
	return "", nil
}
