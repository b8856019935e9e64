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
	source     *Rows
	pages      *prefetcher
	firstPage  pageEdge // of the first page
	lastPage   pageEdge // of the page before
	rows       int64
	idHash     uint64 // of the ids in their order
	length     int    // of the first page
	short      bool   // a page had another length
	uneven     bool   // and was not the last
	retried    bool   // the page at hand was asked for twice
	repeats    int    // pages in a row that were the page before again
	reread     bool   // the first page came short, and was asked for twice
	emptyPages int    // pages that came empty, and those behind them did not
	problem    doubt  // what is not as it is to be
}

// noPagingError says that all pages of a list are its first.
type noPagingError struct{ path string }

func (e *noPagingError) Error() string {
	return inPath(e.path, errNoPaging).Error()
}

// Unwrap returns errNoPaging.
func (e *noPagingError) Unwrap() error { return errNoPaging }

// Hint says what to do about it.
func (e *noPagingError) Hint() string {
	return "the list can be read if all of it fits in one page: " + hintLarger + ", or leave --order-by out"
}

var errNoPaging = errors.New("the server ignores _page: every page is the first")

// maxEmptyPages is how many pages may come empty by mistake.
const maxEmptyPages = 10

func (r *Rows) newPass(extra url.Values, size int, slim bool) *pass {
	p := &pass{source: r, pages: r.newPrefetcher(extra, size, false)}
	p.pages.idsOnly = slim
	return p
}

// page returns the next page, which is good until done, or io.EOF.
func (p *pass) page(ctx context.Context) (*api.Page, error) {
	for {
		p.pages.fill()
		j := p.pages.head()
		if j == nil {
			if err := p.source.pool.wait(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.source.checkPageSize(j); err != nil {
			return nil, err
		}
		if len(j.page.Objects) == 0 {
			if err := p.handleEmptyPage(ctx, j); err != nil {
				return nil, err
			}
			continue
		}
		again, err := p.needsReread(&j.page)
		if err != nil {
			return nil, err
		}
		if !again {
			p.observePage(j)
			return &j.page, nil
		}
	}
}

// observePage takes note of the page of j.
func (p *pass) observePage(j *job) {
	if !p.pages.idsOnly {
		p.source.countPage(&j.page)
		p.source.countDuplicates(j)
	} else if j.duplicates > 0 {
		p.problem = doubtDuplicates
	}
	p.observeLength(len(j.page.Objects))
}

// handleEmptyPage takes in that a page came empty. That is the end, and io.EOF, if it does
// so again, if the one behind it is empty too, and if the page before it has no
// more rows than it had.
func (p *pass) handleEmptyPage(ctx context.Context, j *job) error {
	p.source.countPage(&j.page)
	this := j.request
	next := this
	next.page++
	for _, a := range []listRequest{this, next} {
		none, err := p.source.staysEmpty(ctx, a)
		if err != nil {
			return err
		}
		if !none && p.emptyPages < maxEmptyPages {
			p.emptyPages++
			p.pages.restartAt(this.page)
			return nil
		}
		if !none {
			p.problem = doubtEmptyPages
		}
	}
	err := p.recheckLastPage(ctx, this)
	p.pages.restartAt(1)
	return cmp.Or(err, io.EOF)
}

// recheckLastPage asks for the last page with rows again, the one before a.
func (p *pass) recheckLastPage(ctx context.Context, a listRequest) error {
	a.page--
	if a.page == 0 || p.source.limitReached() {
		return nil
	}
	a.idsOnly = true
	for range confirmations - 1 {
		j := p.source.pool.submit(a)
		err := p.source.pool.waitFor(ctx, j)
		rows := len(j.page.Objects)
		p.source.pool.release(j)
		if err != nil && !errors.Is(err, api.ErrOversized) {
			return err
		}
		if rows > p.lastPage.rows {
			p.problem = doubtLastPage
		}
	}
	return nil
}

// needsReread reports whether the page at hand is asked for once more: because it was
// the page before again, or because the server cuts pages down and may count by
// the size asked for. A short page may be the one before, shifted by a row that
// came; several in a row that are the first page are a server that knows no
// others.
func (p *pass) needsReread(page *api.Page) (bool, error) {
	e := edgeOf(page)
	number := p.pages.first
	if number == 1 {
		p.firstPage = e
	}
	switch {
	case number > 1 && e == p.lastPage && !p.retried:
		p.retried = true
		p.pages.restartAt(number)
		return true, nil
	case number == 2 && p.length < p.pages.size && e != p.lastPage && !p.reread:
		p.reread = true // it may have been an odd answer
		p.rows, p.idHash, p.length, p.short, p.uneven = 0, 0, 0, false, false
		p.pages.restartAt(1)
		return true, nil
	case number == 2 && p.length < p.pages.size && e != p.lastPage:
		p.pages.size = p.length
		p.pages.restartAt(2)
		return true, nil
	case number > 1 && e == p.firstPage:
		if p.repeats++; p.repeats == maxRepeats {
			return false, &noPagingError{p.source.list.path}
		}
	default:
		p.repeats = 0
	}
	p.lastPage, p.retried = e, false
	return false, nil
}

// observeLength watches the lengths of the pages: where one is shorter than the
// others and not the last, rows may lie between it and the next.
func (p *pass) observeLength(n int) {
	if p.length == 0 {
		p.length = n
	}
	p.uneven = p.uneven || p.short || n > p.length
	p.short = n < p.length
}

// observeID takes note of an id.
func (p *pass) observeID(id []byte) {
	p.idHash = p.idHash*0x9E3779B97F4A7C15 + maphash.Bytes(idSeeds[0], id)
	p.rows++
}

// verify reads the ids of the same query once more and says why p is not
// proved to have missed nothing, or returns none. Only as many rows as p has seen
// are looked at if that was not all.
func (p *pass) verify(ctx context.Context, all bool) (why doubt, err error) {
	again := p.source.newPass(p.pages.extra, p.pages.size, true)
	defer again.pages.restartAt(1)
	if !all {
		again.pages.last = int((p.rows + int64(p.length) - 1) / int64(max(p.length, 1)))
	}
	for again.rows < p.rows+1 && (all || again.rows < p.rows && !again.pages.exhausted()) {
		page, err := again.page(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return doubt{}, err
		}
		for i := range page.Objects {
			if all || again.rows < p.rows {
				again.observeID(page.ID(i))
			}
		}
		again.pages.pop()
	}
	switch {
	case p.problem.why != "":
		return p.problem, nil
	case again.problem.why != "":
		return again.problem, nil
	case p.uneven || again.uneven:
		return doubtLengths, nil
	case again.rows != p.rows || again.idHash != p.idHash:
		return doubtOrder, nil
	}
	return doubt{}, nil
}
