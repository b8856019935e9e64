package list

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"net/url"

	"flytt/internal/api"
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
	reread  bool   // the first page came short, and was asked for twice
	holes   int    // pages that came empty, and those behind them did not
	wrong   doubt  // what is not as it is to be
}

// pagelessError says that all pages of a list are its first.
type pagelessError struct{ path string }

func (e *pagelessError) Error() string {
	return inPath(e.path, errPageless).Error()
}

// Unwrap returns errPageless.
func (e *pagelessError) Unwrap() error { return errPageless }

// Hint says what to do about it.
func (e *pagelessError) Hint() string {
	return "the list can be read if all of it fits in one page: " + hintLarger + ", or leave --order-by out"
}

var errPageless = errors.New("the server ignores _page: every page is the first")

// maxHoles is how many pages may come empty by mistake.
const maxHoles = 10

func (r *Rows) newPass(extra url.Values, size int, slim bool) *pass {
	p := &pass{Rows: r, lane: r.newLane(extra, size, false)}
	p.lane.slim = slim
	return p
}

// page returns the next page, which is good until done, or io.EOF.
func (p *pass) page(ctx context.Context) (*api.Page, error) {
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
		if len(j.page.Objects) == 0 {
			if err := p.empty(ctx, j); err != nil {
				return nil, err
			}
			continue
		}
		again, err := p.again(&j.page)
		if err != nil {
			return nil, err
		}
		if !again {
			p.take(j)
			return &j.page, nil
		}
	}
}

// take takes note of the page of j.
func (p *pass) take(j *job) {
	if !p.lane.slim {
		p.arrived(&j.page)
		p.twice(j)
	} else if j.repeated > 0 {
		p.wrong = doubtTwice
	}
	p.measure(len(j.page.Objects))
}

// empty takes in that a page came empty. That is the end, and io.EOF, if it does
// so again, if the one behind it is empty too, and if the page before it has no
// more rows than it had.
func (p *pass) empty(ctx context.Context, j *job) error {
	p.arrived(&j.page)
	this := j.ask
	next := this
	next.page++
	for _, a := range []ask{this, next} {
		none, err := p.nothing(ctx, a)
		if err != nil {
			return err
		}
		if !none && p.holes < maxHoles {
			p.holes++
			p.lane.drop(this.page)
			return nil
		}
		if !none {
			p.wrong = doubtHole
		}
	}
	err := p.tail(ctx, this)
	p.lane.drop(1)
	return cmp.Or(err, io.EOF)
}

// tail asks for the last page with rows again, the one before a.
func (p *pass) tail(ctx context.Context, a ask) error {
	a.page--
	if a.page == 0 || p.full() {
		return nil
	}
	a.slim = true
	for range looks - 1 {
		j := p.crew.hand(a)
		err := p.crew.waitFor(ctx, j)
		rows := len(j.page.Objects)
		p.crew.release(j)
		if err != nil && !errors.Is(err, api.ErrOversized) {
			return err
		}
		if rows > p.edge.rows {
			p.wrong = doubtTail
		}
	}
	return nil
}

// again reports whether the page at hand is asked for once more: because it was
// the page before again, or because the server cuts pages down and may count by
// the size asked for. A short page may be the one before, shifted by a row that
// came; several in a row that are the first page are a server that knows no
// others.
func (p *pass) again(page *api.Page) (bool, error) {
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
	case number == 2 && p.length < p.lane.size && e != p.edge && !p.reread:
		p.reread = true // it may have been an odd answer
		p.rows, p.sum, p.length, p.short, p.uneven = 0, 0, 0, false, false
		p.lane.drop(1)
		return true, nil
	case number == 2 && p.length < p.lane.size && e != p.edge:
		p.lane.size = p.length
		p.lane.drop(2)
		return true, nil
	case number > 1 && e == p.top:
		if p.repeats++; p.repeats == maxRepeats {
			return false, &pagelessError{p.list.path}
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
// proved to have missed nothing, or returns none. Only as many rows as p has seen
// are looked at if that was not all.
func (p *pass) repeated(ctx context.Context, all bool) (why doubt, err error) {
	again := p.newPass(p.lane.extra, p.lane.size, true)
	defer again.lane.drop(1)
	if !all {
		again.lane.last = int((p.rows + int64(p.length) - 1) / int64(max(p.length, 1)))
	}
	for again.rows < p.rows+1 && (all || again.rows < p.rows && !again.lane.exhausted()) {
		page, err := again.page(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return doubt{}, err
		}
		for i := range page.Objects {
			if all || again.rows < p.rows {
				again.see(page.ID(i))
			}
		}
		again.lane.pop()
	}
	switch {
	case p.wrong.why != "":
		return p.wrong, nil
	case again.wrong.why != "":
		return again.wrong, nil
	case p.uneven || again.uneven:
		return doubtLengths, nil
	case again.rows != p.rows || again.sum != p.sum:
		return doubtOrder, nil
	}
	return doubt{}, nil
}
