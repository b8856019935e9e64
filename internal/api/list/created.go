package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// byCreated reads a list in the order (created, id), which never changes: a record that
// stays in the list keeps its place between any two others. Records created after the
// first request are left out: the newest record at that time bounds the reading, so no
// clocks are compared.
//
// The list is read in stretches. A stretch starts at the moment of the last row handed
// out, the frontier, and requests a number of pages at once. Records that are added or
// deleted between two requests shift the pages that follow. So a page is handed out
// only if it is proved to follow on from the page before (see checkGap); otherwise the
// requested pages are dropped and a new stretch starts. Rows at the frontier that were
// handed out before are recognised by their ids. The list has ended when a stretch
// brings nothing new and the newest record was handed out. So neither a short page, nor
// a page cut down by the server, nor one that came empty by mistake ends the reading
// early.
//
// It is assumed that the API truncates moments, and does not round them, to the digits
// it shows, and that all answers have the same order.
type byCreated struct {
	rows           *Rows
	bounds         bounds
	newestAt       int64          // when the newest record was created; later ones are left out
	newestID       idKey          // its id
	unit           int64          // ns of the smallest unit in which moments were shown
	size           int            // of the pages asked for
	edge           pageEdge       // of the page before, in this stretch
	sameTime       *sameTimestamp // reads the rows of one moment at the frontier; nil: not needed now
	sameTimeAt     int64          // the moment for which that was last needed
	pages          *prefetcher    // of this stretch
	stretchStart   int64          // where this stretch starts; api.NoTime: at the beginning
	frontierBefore int64          // the moment of the frontier when this stretch started
	pagesTaken     int            // pages of this stretch taken
	newRows        int64          // rows of this stretch handed out
	frontier       frontier

	behaviour behaviour
	isEmpty   bool // the list is empty
}

// behaviour is where the server was seen to behave otherwise than expected.
type behaviour struct {
	repeats         int  // pages that were identical to the page before them
	orderFaults     int  // pages that were out of order
	unconfirmedEnds int  // how often the end was not confirmed, since rows came last
	shortLength     int  // rows of the last stretch's first page, if the server cut it down
	noPaging        bool // the server ignores _page: a stretch is one page
}

// pageEdge is what is kept of a page to recognise it and to check the gap to the next
// one.
type pageEdge struct {
	first, last idKey
	at          int64 // of its last row
	rows        int
}

func edgeOf(p *api.Page) pageEdge {
	n := len(p.Objects)
	return pageEdge{keyOfID(p.ID(0)), keyOfID(p.ID(n - 1)), p.Objects[n-1].Created, n}
}

// creationOrderError says why a list cannot be read in the order of creation, and in
// which order it can be read.
type creationOrderError struct {
	why   string
	order string
}

func (e *creationOrderError) Error() string { return e.why }

const (
	stretchRows        = 32000 // about as many, so that the offsets of pages stay small
	startTries         = 3
	maxRepeats         = 3 // in a row
	maxOrderFaults     = 2
	maxUnconfirmedEnds = 10
	maxStale           = 3 // pages of a stretch that bring nothing new
)

// newByCreated returns nil if the query has an order of its own, or the list does not
// have what this reader needs.
func newByCreated(r *Rows) *byCreated {
	created := r.options.Created
	if created == "" || len(r.list.order) > 0 || !r.canOrderBy(created) || !r.canOrderBy("id") {
		return nil
	}
	b, ok := newBounds(r.list, created)
	if !ok {
		return nil
	}
	return &byCreated{rows: r, bounds: b, size: r.options.PageSize, unit: 1e9, sameTimeAt: api.NoTime, frontier: frontier{at: api.NoTime}}
}

func (r *Rows) canOrderBy(field string) bool {
	return r.list.takes("", "_order_by") == nil && (r.list.catalog == nil || r.list.catalog.CheckOrder(field) == nil)
}

func (b *byCreated) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if b.pages == nil {
		if err := b.start(ctx); err != nil {
			return dst, 0, b.orPlainOrder(err)
		}
	}
	if b.sameTime != nil {
		return b.nextSameTime(ctx, dst)
	}
	j, err := b.nextPage(ctx)
	if err != nil {
		return dst, 0, err
	}
	p := &j.page
	b.pagesTaken++
	b.rows.countPage(p)
	b.rows.countDuplicates(j)
	if len(p.Objects) == 0 {
		return dst, 0, b.handleEmptyPage(ctx)
	}
	if again, err := b.checkOrder(p); again || err != nil {
		return dst, 0, err
	}
	if !b.followsPrevious(j) {
		return dst, 0, nil
	}
	dst, n := b.appendNew(dst, p)
	b.edge = edgeOf(p)
	b.pages.pop()
	return dst, n, b.afterPage(ctx)
}

// openStretch starts a stretch at the moment low.
func (b *byCreated) openStretch(low int64, wide bool) {
	if b.pages != nil {
		b.pages.restartAt(1)
	}
	high := int64(api.NoTime)
	if low != api.NoTime {
		high = b.newestAt + b.unit
	}
	b.pages = b.rows.newPrefetcher(b.bounds.rangeQuery(low, high), b.size, wide && !b.behaviour.noPaging && b.rows.pool.workers > 1)
	b.pages.last = b.pageCount()
	b.stretchStart, b.frontierBefore, b.pagesTaken, b.newRows = low, b.frontier.at, 0, 0
	b.pages.fill()
}

// pageCount returns how many pages a stretch has. With one request at a time it is one
// page: nothing can change between two then.
func (b *byCreated) pageCount() int {
	if b.rows.pool.workers == 1 || b.behaviour.noPaging {
		return 1
	}
	n := min(max(stretchRows/b.size, 8), 64)
	if b.rows.options.Limit > 0 {
		n = int(min(int64(n), (b.rows.left+int64(b.size)-1)/int64(b.size)))
	}
	return n
}

// reopenStretch starts a stretch at the frontier.
func (b *byCreated) reopenStretch(wide bool) { b.openStretch(b.frontier.at, wide) }

// nextPage waits for the next page and the check of the gap before it, and keeps the
// workers busy meanwhile.
func (b *byCreated) nextPage(ctx context.Context) (*job, error) {
	for {
		b.pages.fill()
		b.requestGapChecks()
		if j := b.pages.head(); j != nil && (j.err != nil || j.gapCheck == nil || j.gapCheck.done) {
			return j, errors.Join(b.rows.checkPageSize(j), j.gapCheck.gapCheckErr())
		}
		if err := b.rows.pool.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// checkOrder reports whether p violates the order or the bounds. That starts a new
// stretch; if it happens too often, it returns an error.
func (b *byCreated) checkOrder(p *api.Page) (bool, error) {
	why := b.orderProblem(p)
	if why == "" {
		return false, nil
	}
	if b.behaviour.orderFaults++; b.behaviour.orderFaults > maxOrderFaults {
		return true, inPath(b.rows.list.path, errors.New(why))
	}
	b.rows.addCounts(0, 1)
	b.reopenStretch(false)
	return true, nil
}

// orderProblem says how p violates the order or the bounds; empty if it does not.
func (b *byCreated) orderProblem(p *api.Page) string {
	before := int64(api.NoTime)
	for i := range p.Objects {
		o := &p.Objects[i]
		switch {
		case o.IDStart == o.IDEnd:
			return "rows without an id"
		case o.Created == api.NoTime:
			return "rows without " + b.bounds.field
		case o.Created < before:
			return "the list ignores _order_by"
		}
		before = o.Created
		b.unit = min(b.unit, o.CreatedUnit)
	}
	if b.stretchStart != api.NoTime && len(p.Objects) > 0 && p.Objects[0].Created+b.unit <= b.bounds.lowerAsSent(b.stretchStart) {
		return "the list ignores " + b.bounds.lower
	}
	return ""
}

// appendNew hands out the rows of p beyond the frontier.
func (b *byCreated) appendNew(dst []byte, p *api.Page) ([]byte, int) {
	out := newPageRows(dst, p)
	var again int64
	for i := range p.Objects {
		at := p.Objects[i].Created
		if at > b.newestAt || b.rows.limitReached() {
			break
		}
		if !b.frontier.admit(at, keyOfID(p.ID(i))) {
			if at > b.frontierBefore {
				again++
			}
			continue
		}
		b.rows.reserveRow()
		out.add(p, i)
	}
	b.rows.addCounts(again, 0)
	b.rows.recordSpan(&out, p)
	b.newRows += int64(out.n)
	if out.n > 0 {
		b.behaviour.unconfirmedEnds = 0
	}
	return out.dst, out.n
}

// afterPage decides what to do after a page was handed out.
func (b *byCreated) afterPage(ctx context.Context) error {
	switch {
	case b.rows.limitReached():
		return b.rows.endReading() // everything up to here was read
	case b.edge.at > b.newestAt:
		return b.tryEnd(ctx) // everything up to the newest row was
	case b.behaviour.noPaging && b.newRows == 0:
		return b.endWithoutPaging(ctx)
	case b.newRows == 0 && b.pagesTaken >= maxStale:
		b.readSameTime()
		return nil
	case b.pages.last == 0 || b.pagesTaken < b.pages.last:
	case b.newRows == 0:
		b.pages.last++
	default:
		b.reopenStretch(true)
	}
	b.pages.fill()
	b.requestGapChecks()
	return nil
}
