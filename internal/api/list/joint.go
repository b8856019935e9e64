package list

import (
	"errors"

	"flytt/internal/api"
)

// Two pages of a stretch are the answers to two requests, and rows that went in
// between may have pulled others over the edge, out of sight. So for each pair
// the crew asks, in a small request, what was made from the last row of the one
// to the first of the other.

// minJoint is how many rows are asked for at least between two pages, and of
// those made at one moment: pages may be small.
const minJoint = 100

// askJoints asks about every two pages of which both have come.
func (b *byCreated) askJoints() {
	before, known := b.edge.at, b.page > 0
	for _, j := range b.lane.pages {
		if !j.done || j.err != nil || !b.timed(&j.page) {
			known = false
			continue
		}
		rows := j.page.Objects
		if first := rows[0].Created; known && j.joint == nil && first >= before {
			if b.crew.free() == 0 {
				return
			}
			j.joint = b.crew.hand(ask{list: b.list, extra: b.query(before, first+b.unit), page: 1, size: max(b.size, minJoint), slim: true})
		}
		before, known = rows[len(rows)-1].Created, true
	}
}

// failure returns why it is not known what lies between two pages. An answer
// that is too long is no failure: it shows that much lies there.
func (j *job) failure() error {
	if j == nil || errors.Is(j.err, api.ErrOversized) {
		return nil
	}
	return j.err
}

// timed reports whether the first and the last row of p tell when they were
// made.
func (b *byCreated) timed(p *api.Page) bool {
	n := len(p.Objects)
	return n > 0 && p.Objects[0].Created != api.NoTime && p.Objects[n-1].Created != api.NoTime
}

// follows reports whether the page of j continues the stretch. If not, another
// begins.
func (b *byCreated) follows(j *job) bool {
	p := &j.page
	switch {
	case b.page == 1:
		return true
	case edgeOf(p) == b.edge:
		b.repeats++
		b.count(0, 1)
		if b.repeats == maxRepeats && !b.pageless {
			b.pageless = true
			b.note("the server ignores _page: the list was read by " + b.field + " alone")
		}
		b.reopen(false)
		return false
	}
	b.repeats = 0
	switch b.joins(j) {
	case joined:
		return true
	case shifted:
		b.count(0, 1)
		return true
	case drifted:
		b.count(0, 1)
	}
	b.resume()
	return false
}

// resume begins a stretch after two pages that do not join.
func (b *byCreated) resume() {
	switch short := b.page == 2 && b.edge.rows < b.size; {
	case b.new == 0:
		b.beginTie()
		return
	case short && b.edge.rows != b.short:
		b.short = b.edge.rows
	case short && b.size == b.options.PageSize:
		b.size = b.edge.rows // the server cuts pages down, and may count by the size asked for
	}
	b.reopen(true)
}

// joint is what lies between two pages.
type joint uint8

const (
	joined  joint = iota // nothing
	shifted              // nothing, for they overlap: rows came before them
	drifted              // rows that neither has
	beyond               // more rows than one answer shows
)

// joins says what lies between the page before and that of j. A row that was in
// the list all the time and lies between the last row of the one and the first
// of the other is in the answer to the joint, before any row of the second page.
// So nothing was missed if all that comes before such a row was handed out, and
// one comes.
func (b *byCreated) joins(j *job) joint {
	p := &j.page
	switch {
	case p.Objects[0].Created < b.edge.at:
		return shifted
	case b.unsound:
		return joined
	case j.joint == nil || j.joint.err != nil:
		return beyond
	}
	seen, next, last := false, b.firstIDs(p), keyOfID(p.ID(len(p.Objects)-1))
	for i := range j.joint.page.Objects {
		k := keyOfID(j.joint.page.ID(i))
		switch {
		case k == last:
			return joined // what comes now lies behind the page
		case next.has(k):
			seen = true
		case !b.reach.has(k):
			return drifted
		}
	}
	if !seen {
		return beyond
	}
	return joined
}

// firstIDs returns the ids of the rows of p that a joint can show.
func (b *byCreated) firstIDs(p *api.Page) *frontier {
	first := p.Objects[0].Created
	f := &frontier{at: first}
	for i := range p.Objects {
		if p.Objects[i].Created > first+b.unit {
			break
		}
		f.ids = append(f.ids, keyOfID(p.ID(i)))
	}
	return f
}
