package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// byCreated reads a list in the order in which its rows were made, (created,
// id), which nothing changes: a row that stays in the list keeps its place
// between any two others. What the first request does not show as made is left
// out: the newest row then bounds the reading, so no clocks are compared.
//
// The list is read in stretches. A stretch begins at the moment of the last row
// handed out and asks for a number of pages at once. Rows that come or go
// between two requests shift the pages behind them, so a page is handed out only
// when it is proved to join the page before it (see joins); otherwise the pages
// on their way are thrown away and a new stretch begins. What came at the
// frontier before is known by its id. The list has ended when a stretch brings
// nothing new, so that neither a short page nor one cut down by the server ends
// it early, and when the newest row was handed out: a page that came empty by
// mistake does not end it either.
//
// A moment is taken to be cut, not rounded, to the digits the API shows, and the
// order to be the same in every answer.
type byCreated struct {
	*Rows
	bounds
	top    int64 // when the newest row was made; later ones are left out
	last   idKey // of the newest row
	unit   int64 // ns of the shortest unit that moments were shown in
	size   int   // of the pages asked for
	edge   edge  // of the page before, in this stretch
	tie    *tie  // under way at the frontier, or nil
	tiedAt int64 // the moment of the last tie
	lane   *lane // of this stretch
	low    int64 // where this stretch begins; api.NoTime: at the beginning
	base   int64 // the moment of the frontier when this stretch began
	page   int   // pages of this stretch taken
	new    int64 // rows of this stretch handed out
	reach  frontier

	repeats  int  // pages that were the page before them again
	strikes  int  // pages out of order
	endings  int  // times the end was not confirmed, since rows came last
	none     bool // the list is empty
	short    int  // rows of the last stretch's first page, if it was cut down
	pageless bool // the server ignores _page: stretches of one page
}

// edge is what is remembered of a page to recognise it, and to join the next.
type edge struct {
	first, last idKey
	at          int64 // of its last row
	rows        int
}

func edgeOf(p *api.Page) edge {
	n := len(p.Objects)
	return edge{keyOfID(p.ID(0)), keyOfID(p.ID(n - 1)), p.Objects[n-1].Created, n}
}

// notByCreated says why a list cannot be read by the moment of creation, and in
// which order it can.
type notByCreated struct {
	why   string
	order string
}

func (e *notByCreated) Error() string { return e.why }

const (
	stretchRows = 32000 // about as many, so that the offsets of pages stay small
	beginTries  = 3
	maxRepeats  = 3 // in a row
	maxStrikes  = 2
	maxEndings  = 10
	maxStale    = 3 // pages of a stretch that bring nothing new
)

// newByCreated returns nil if the list has an order of its own or no field for
// this.
func newByCreated(r *Rows) *byCreated {
	created := r.options.Created
	if created == "" || len(r.list.order) > 0 || !r.canOrderBy(created) || !r.canOrderBy("id") {
		return nil
	}
	b, ok := newBounds(r.list, created)
	if !ok {
		return nil
	}
	return &byCreated{Rows: r, bounds: b, size: r.options.PageSize, unit: 1e9, tiedAt: api.NoTime, reach: frontier{at: api.NoTime}}
}

func (r *Rows) canOrderBy(field string) bool {
	return r.list.takes("", "_order_by") == nil && (r.list.catalog == nil || r.list.catalog.CheckOrder(field) == nil)
}

func (b *byCreated) next(ctx context.Context, dst []byte) ([]byte, int, error) {
	if b.lane == nil {
		if err := b.begin(ctx); err != nil {
			return dst, 0, b.orPlain(err)
		}
	}
	if b.tie != nil {
		return b.tied(ctx, dst)
	}
	j, err := b.ready(ctx)
	if err != nil {
		return dst, 0, err
	}
	p := &j.page
	b.page++
	b.arrived(p)
	b.twice(j)
	if len(p.Objects) == 0 {
		return dst, 0, b.empty(ctx)
	}
	if again, err := b.disorder(p); again || err != nil {
		return dst, 0, err
	}
	if !b.follows(j) {
		return dst, 0, nil
	}
	dst, n := b.take(dst, p)
	b.edge = edgeOf(p)
	b.lane.pop()
	return dst, n, b.goOn(ctx)
}

// open begins a stretch.
func (b *byCreated) open(low int64, wide bool) {
	if b.lane != nil {
		b.lane.drop(1)
	}
	high := int64(api.NoTime)
	if low != api.NoTime {
		high = b.top + b.unit
	}
	b.lane = b.newLane(b.query(low, high), b.size, wide && !b.pageless && b.crew.workers > 1)
	b.lane.last = b.pages()
	b.low, b.base, b.page, b.new = low, b.reach.at, 0, 0
	b.lane.fill()
}

// pages returns how many pages a stretch has. With one request at a time it is
// one page: nothing can come between two then.
func (b *byCreated) pages() int {
	if b.crew.workers == 1 || b.pageless {
		return 1
	}
	n := min(max(stretchRows/b.size, 8), 64)
	if b.options.Limit > 0 {
		n = int(min(int64(n), (b.left+int64(b.size)-1)/int64(b.size)))
	}
	return n
}

// reopen begins a stretch at the frontier.
func (b *byCreated) reopen(wide bool) { b.open(b.reach.at, wide) }

// ready waits for the next page and for the proof that it joins the one before,
// and keeps the crew busy meanwhile.
func (b *byCreated) ready(ctx context.Context) (*job, error) {
	for {
		b.lane.fill()
		b.askJoints()
		if j := b.lane.head(); j != nil && (j.err != nil || j.joint == nil || j.joint.done) {
			return j, errors.Join(b.sized(j), j.joint.failure())
		}
		if err := b.crew.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// disorder reports whether p does not keep to the order and the bounds, which
// begins a new stretch, or ends the reading if it goes on.
func (b *byCreated) disorder(p *api.Page) (bool, error) {
	why := b.astray(p)
	if why == "" {
		return false, nil
	}
	if b.strikes++; b.strikes > maxStrikes {
		return true, inPath(b.list.path, errors.New(why))
	}
	b.count(0, 1)
	b.reopen(false)
	return true, nil
}

// astray says what is wrong with the order of p, or returns "".
func (b *byCreated) astray(p *api.Page) string {
	before := int64(api.NoTime)
	for i := range p.Objects {
		o := &p.Objects[i]
		switch {
		case o.IDStart == o.IDEnd:
			return "rows without an id"
		case o.Created == api.NoTime:
			return "rows without " + b.field
		case o.Created < before:
			return "the list ignores _order_by"
		}
		before = o.Created
		b.unit = min(b.unit, o.CreatedUnit)
	}
	if b.low != api.NoTime && len(p.Objects) > 0 && p.Objects[0].Created+b.unit <= b.sent(b.low) {
		return "the list ignores " + b.lower
	}
	return ""
}

// take hands out the rows of p that lie beyond the frontier.
func (b *byCreated) take(dst []byte, p *api.Page) ([]byte, int) {
	out := newParcel(dst, p)
	var again int64
	for i := range p.Objects {
		at := p.Objects[i].Created
		if at > b.top || b.full() {
			break
		}
		if !b.reach.admit(at, keyOfID(p.ID(i))) {
			if at > b.base {
				again++
			}
			continue
		}
		b.wanted()
		out.put(p, i)
	}
	b.count(again, 0)
	b.span(&out, p)
	b.new += int64(out.n)
	if out.n > 0 {
		b.endings = 0
	}
	return out.dst, out.n
}

// goOn decides what comes after a page that was taken.
func (b *byCreated) goOn(ctx context.Context) error {
	switch {
	case b.full():
		return b.end() // everything up to here was read
	case b.edge.at > b.top:
		return b.close(ctx) // everything up to the newest row was
	case b.pageless && b.new == 0:
		return b.endPageless(ctx)
	case b.new == 0 && b.page >= maxStale:
		b.beginTie()
		return nil
	case b.lane.last == 0 || b.page < b.lane.last:
	case b.new == 0:
		b.lane.last++
	default:
		b.reopen(true)
	}
	b.lane.fill()
	b.askJoints()
	return nil
}
