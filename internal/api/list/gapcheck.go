package list

import (
	"errors"

	"flytt/internal/api"
)

// Two pages of a stretch are the answers to two requests, and rows that went in
// between may have pulled others over the edge, out of sight. So for each pair
// the crew asks, in a small request, what was made from the last row of the one
// to the first of the other.

// minGapRows is how many rows are asked for at least between two pages, and of
// those made at one moment: pages may be small.
const minGapRows = 100

// requestGapChecks asks about every two pages of which both have come.
func (b *byCreated) requestGapChecks() {
	before, known := b.edge.at, b.pagesTaken > 0
	for _, j := range b.pages.jobs {
		if !j.done || j.err != nil || !b.hasTimes(&j.page) {
			known = false
			continue
		}
		rows := j.page.Objects
		if first := rows[0].Created; known && j.gapCheck == nil && first >= before {
			if b.rows.pool.room() == 0 {
				return
			}
			j.gapCheck = b.rows.pool.submit(listRequest{list: b.rows.list, extra: b.bounds.rangeQuery(before, first+b.unit), page: 1, size: max(b.size, minGapRows), idsOnly: true})
		}
		before, known = rows[len(rows)-1].Created, true
	}
}

// gapCheckErr returns why it is not known what lies between two pages. An answer
// that is too long is no failure: it shows that much lies there.
func (j *job) gapCheckErr() error {
	if j == nil || errors.Is(j.err, api.ErrOversized) {
		return nil
	}
	return j.err
}

// hasTimes reports whether the first and the last row of p tell when they were
// made.
func (b *byCreated) hasTimes(p *api.Page) bool {
	n := len(p.Objects)
	return n > 0 && p.Objects[0].Created != api.NoTime && p.Objects[n-1].Created != api.NoTime
}

// followsPrevious reports whether the page of j continues the stretch. If not, another
// begins.
func (b *byCreated) followsPrevious(j *job) bool {
	p := &j.page
	switch {
	case b.pagesTaken == 1:
		return true
	case edgeOf(p) == b.edge:
		b.behaviour.repeats++
		b.rows.addCounts(0, 1)
		if b.behaviour.repeats == maxRepeats && !b.behaviour.noPaging {
			b.behaviour.noPaging = true
			b.rows.addNote("the server ignores _page: the list was read by " + b.bounds.field + " alone")
		}
		b.reopenStretch(false)
		return false
	}
	b.behaviour.repeats = 0
	switch b.checkGap(j) {
	case noGap:
		return true
	case overlap:
		b.rows.addCounts(0, 1)
		return true
	case rowsBetween:
		b.rows.addCounts(0, 1)
	}
	b.restartAfterGap()
	return false
}

// restartAfterGap begins a stretch after two pages that do not join.
func (b *byCreated) restartAfterGap() {
	switch short := b.pagesTaken == 2 && b.edge.rows < b.size; {
	case b.newRows == 0:
		b.readSameTime()
		return
	case short && b.edge.rows != b.behaviour.shortLength:
		b.behaviour.shortLength = b.edge.rows
	case short && b.size == b.rows.options.PageSize:
		b.size = b.edge.rows // the server cuts pages down, and may count by the size asked for
	}
	b.reopenStretch(true)
}

// gap is what lies between two pages.
type gap uint8

const (
	noGap       gap = iota // nothing
	overlap                // nothing, for they overlap: rows came before them
	rowsBetween            // rows that neither has
	unknownGap             // more rows than one answer shows
)

// checkGap says what lies between the page before and that of j. A row that was in
// the list all the time and lies between the last row of the one and the first
// of the other is in the answer to the joint, before any row of the second page.
// So nothing was missed if all that comes before such a row was handed out, and
// one comes.
func (b *byCreated) checkGap(j *job) gap {
	p := &j.page
	switch {
	case p.Objects[0].Created < b.edge.at:
		return overlap
	case b.rows.skipGapCheck:
		return noGap
	case j.gapCheck == nil || j.gapCheck.err != nil:
		return unknownGap
	}
	seen, next, last := false, b.firstIDs(p), keyOfID(p.ID(len(p.Objects)-1))
	for i := range j.gapCheck.page.Objects {
		k := keyOfID(j.gapCheck.page.ID(i))
		switch {
		case k == last:
			return noGap // what comes now lies behind the page
		case next.has(k):
			seen = true
		case !b.frontier.has(k):
			return rowsBetween
		}
	}
	if !seen {
		return unknownGap
	}
	return noGap
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
