package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
// it early.
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
	low    int64 // where this stretch begins; noTime: at the beginning
	base   int64 // the moment of the frontier when this stretch began
	page   int   // pages of this stretch taken
	new    int64 // rows of this stretch handed out
	reach  frontier

	repeats  int  // pages that were the page before them again
	strikes  int  // pages out of order
	endings  int  // times the end was not confirmed
	pageless bool // the server ignores _page: stretches of one page
}

// edge is what is remembered of a page to recognise it, and to join the next.
type edge struct {
	first, last idKey
	at          int64 // of its last row
	rows        int
}

func edgeOf(p *page) edge {
	n := len(p.objects)
	return edge{keyOfID(p.id(0)), keyOfID(p.id(n - 1)), p.objects[n-1].created, n}
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
	return &byCreated{Rows: r, bounds: b, size: r.options.PageSize, unit: 1e9, tiedAt: noTime, reach: frontier{at: noTime}}
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
	if len(p.objects) == 0 {
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
	return dst, n, b.goOn()
}

// open begins a stretch.
func (b *byCreated) open(low int64, wide bool) {
	if b.lane != nil {
		b.lane.drop(1)
	}
	high := int64(noTime)
	if low != noTime {
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

// empty takes in an empty page. The list ends with a stretch that brought
// nothing.
func (b *byCreated) empty(ctx context.Context) error {
	switch {
	case b.page == 1:
		return b.end()
	case b.new > 0:
		b.reopen(false)
		return nil
	case b.page > 2 || b.endings == maxEndings:
		b.beginTie()
		return nil
	}
	b.endings++
	ended, err := b.ended(ctx)
	if err != nil {
		return err
	}
	if ended {
		return b.end()
	}
	b.reopen(false)
	return nil
}

// ended makes sure of the end, where a stretch brought nothing new on its first
// page and nothing at all on its second. A row behind the first page that slipped
// into it in between would be there now; and the last row of the list is one that
// was handed out, however short the server cuts its pages.
func (b *byCreated) ended(ctx context.Context) (bool, error) {
	first := b.crew.hand(ask{list: b.list, extra: b.lane.extra, page: 1, size: b.size, slim: true})
	defer b.crew.release(first)
	last, err := b.one(ctx, b.newest(b.top+b.unit))
	defer b.crew.release(last)
	if err := errors.Join(err, b.crew.waitFor(ctx, first)); err != nil {
		return false, err
	}
	for i := range first.page.objects {
		if !b.reach.has(keyOfID(first.page.id(i))) {
			return false, nil
		}
	}
	if len(last.page.objects) == 0 {
		return true, nil
	}
	at := last.page.objects[0].created
	return at < b.reach.at || at > b.top || b.reach.has(keyOfID(last.page.id(0))), nil
}

// disorder reports whether p does not keep to the order and the bounds, which
// begins a new stretch, or ends the reading if it goes on.
func (b *byCreated) disorder(p *page) (bool, error) {
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
func (b *byCreated) astray(p *page) string {
	before := int64(noTime)
	for i := range p.objects {
		o := &p.objects[i]
		switch {
		case o.idStart == o.idEnd:
			return "rows without an id"
		case o.created == noTime:
			return "rows without " + b.field
		case o.created < before:
			return "the list ignores _order_by"
		}
		before = o.created
		b.unit = min(b.unit, o.createdUnit)
	}
	if b.low != noTime && len(p.objects) > 0 && p.objects[0].created+b.unit <= b.sent(b.low) {
		return "the list ignores " + b.lower
	}
	return ""
}

// take hands out the rows of p that lie beyond the frontier.
func (b *byCreated) take(dst []byte, p *page) ([]byte, int) {
	out := newParcel(dst, p)
	var again int64
	for i := range p.objects {
		at := p.objects[i].created
		if at > b.top || b.full() {
			break
		}
		if !b.reach.admit(at, keyOfID(p.id(i))) {
			if b.page > 1 || at > b.base {
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
	return out.dst, out.n
}

// goOn decides what comes after a page that was taken.
func (b *byCreated) goOn() error {
	switch {
	case b.full() || b.edge.at > b.top:
		return b.end() // everything up to here, or to the newest row, was read
	case b.pageless && b.new == 0:
		return b.endPageless()
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

// endPageless decides whether the list has ended at a page that brought nothing
// new, where there is no second page to look at.
func (b *byCreated) endPageless() error {
	switch {
	case b.edge.rows < b.largest || b.reach.has(b.last):
		return b.end()
	case b.reach.at >= b.top:
		b.doubt("more rows were made at one moment than a page holds, and the server ignores _page")
		return b.end()
	}
	b.doubt("more rows were made at one moment than a page holds, and the server ignores _page")
	b.open(b.reach.at+b.unit, false)
	return nil
}

// begin reads the first page, then what is newest, and makes sure that the list
// keeps to the order and to bounds.
func (b *byCreated) begin(ctx context.Context) error {
	for try := 1; ; try++ {
		again, err := b.look(ctx)
		if err != nil || again == "" {
			return err
		}
		if try == beginTries {
			return &notByCreated{why: again}
		}
	}
}

// look returns why looking once more may help, or "".
func (b *byCreated) look(ctx context.Context) (again string, err error) {
	b.open(noTime, false)
	j, err := b.ready(ctx)
	if err != nil {
		return "", err
	}
	p := &j.page
	if len(p.objects) == 0 {
		return "", nil
	}
	if why := b.astray(p); why != "" {
		return "", &notByCreated{why: why}
	}
	b.like(b.createdText(p, 0))
	b.lane.fill()
	newest, err := b.one(ctx, b.newest(noTime))
	defer b.crew.release(newest)
	if err != nil || len(newest.page.objects) == 0 {
		return "the list changes too fast", err
	}
	return b.lookAt(ctx, p, &newest.page)
}

// lookAt compares the first page with the newest row.
func (b *byCreated) lookAt(ctx context.Context, p, newest *page) (again string, err error) {
	o := newest.objects[0]
	id := keyOfID(newest.id(0))
	switch {
	case o.created == noTime || o.idStart == o.idEnd:
		return "", &notByCreated{why: "rows without " + b.field}
	case len(p.objects) > 1 && id == keyOfID(p.id(0)):
		return "", &notByCreated{why: "the list ignores _order_by"}
	case o.created < p.objects[len(p.objects)-1].created:
		return "the list ignores _order_by", nil
	}
	b.unit = min(b.unit, o.createdUnit)
	b.top, b.last = o.created, id
	later, err := b.one(ctx, b.query(b.top, noTime))
	defer b.crew.release(later)
	switch {
	case err != nil:
		return "", err
	case len(later.page.objects) == 0:
		return "the list changes too fast", nil
	case later.page.objects[0].created+b.unit <= b.sent(b.top):
		return "", &notByCreated{why: "the list ignores " + b.lower}
	}
	return "", nil
}

// one asks for a single row.
func (b *byCreated) one(ctx context.Context, extra map[string][]string) (*job, error) {
	j := b.crew.hand(ask{list: b.list, extra: extra, page: 1, size: 1})
	err := b.crew.waitFor(ctx, j)
	if errors.Is(err, errOversized) && len(j.page.objects) > 0 {
		err = nil // paging is ignored, which the pages will show
	}
	return j, err
}

// orPlain returns err, or that plain pages are to be read, if the list refused
// what only this way of reading asks for.
func (b *byCreated) orPlain(err error) error {
	var not *notByCreated
	var status *StatusError
	switch {
	case errors.As(err, &not):
	case errors.As(err, &status) && (status.Status == http.StatusBadRequest || status.Status == http.StatusUnprocessableEntity):
		not = &notByCreated{why: fmt.Sprintf("the list answered %d", status.Status)}
	default:
		return err
	}
	b.lane.drop(1)
	not.order = b.stableOrder()
	return not
}
