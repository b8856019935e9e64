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

// pass reads the pages of a query one after another, up to an empty one, and remembers
// the order of their ids. Rows may move between pages; that none was missed is proved
// by a second pass with the same ids.
type pass struct {
	source     *Rows
	pages      *prefetcher
	firstPage  pageEdge // edge of the first page
	lastPage   pageEdge // edge of the page before
	rows       int64
	idHash     uint64 // of the ids in their order
	length     int    // rows of the first page
	short      bool   // a page was shorter than the first
	uneven     bool   // a page had another length and was not the last
	retried    bool   // the current page was requested twice
	repeats    int    // pages in a row that were identical to the first
	reread     bool   // the first page was short and was requested twice
	emptyPages int    // pages that came empty while later ones did not
	problem    doubt  // why nothing can be proved
}

// noPagingError says that every page of a list is its first.
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

// page returns the next page, which is valid until it is popped, or io.EOF.
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

// observePage records what the page of j shows.
func (p *pass) observePage(j *job) {
	if !p.pages.idsOnly {
		p.source.countPage(&j.page)
		p.source.countDuplicates(j)
	} else if j.duplicates > 0 {
		p.problem = doubtDuplicates
	}
	p.observeLength(len(j.page.Objects))
}

// handleEmptyPage decides what an empty page means. It is the end, io.EOF, if it stays
// empty, the page after it is empty too, and the page before it has no more rows than
// it had.
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

// recheckLastPage requests the last page with rows again, the one before a.
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

// needsReread reports whether the current page has to be requested again: because it
// was identical to the page before, or because the server cuts pages down and may count
// by the size requested. A short page may be the one before, shifted by a new row;
// several in a row that are identical to the first page mean that the server ignores
// paging.
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

// observeLength records the length of a page. If a page is shorter than the others and
// not the last, rows may be missing between it and the next.
func (p *pass) observeLength(n int) {
	if p.length == 0 {
		p.length = n
	}
	p.uneven = p.uneven || p.short || n > p.length
	p.short = n < p.length
}

// observeID adds an id to the hash of the pass.
func (p *pass) observeID(id []byte) {
	p.idHash = p.idHash*0x9E3779B97F4A7C15 + maphash.Bytes(idSeeds[0], id)
	p.rows++
}

// verify reads the ids of the same query once more. It returns why it is not proved
// that p missed nothing; no reason if it is. If p did not read all rows, only as many
// are compared as it did read.
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
