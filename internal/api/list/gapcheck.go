package list

import (
	"errors"

	"flytt/internal/api"
)

// Two pages of a stretch are the answers to two requests, and rows that were deleted
// between the two may have shifted others from the second page to the first, out of
// sight. So for each pair of pages a small request, the gap check, asks what was created
// from the last row of one to the first row of the other.

// minGapRows is the least page size of gap checks and of passes over rows of one
// moment: other pages may be small.
const minGapRows = 100

// requestGapChecks requests a gap check for every two consecutive pages that have both
// come.
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

// gapCheckErr returns the error of a gap check. An answer that is too long is no error:
// it shows that there are many rows in the gap.
func (j *job) gapCheckErr() error {
	if j == nil || errors.Is(j.err, api.ErrOversized) {
		return nil
	}
	return j.err
}

// hasTimes reports whether the first and the last row of p have a moment of creation.
func (b *byCreated) hasTimes(p *api.Page) bool {
	n := len(p.Objects)
	return n > 0 && p.Objects[0].Created != api.NoTime && p.Objects[n-1].Created != api.NoTime
}

// followsPrevious reports whether the page of j follows on from the page before. If
// not, it starts another stretch.
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

// restartAfterGap starts a stretch after two pages with a gap between them.
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
	overlap                // nothing: the pages overlap, because rows were added before them
	rowsBetween            // rows that are on neither page
	unknownGap             // more rows than one answer shows
)

// checkGap says what lies between the page before and that of j. A row that was in the
// list all the time and lies in the gap is in the answer to the gap check, before any
// row of the second page. So nothing was missed if the answer reaches a row of the
// second page, and all rows before that one were handed out.
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
			return noGap // the rest lies after the page
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

// firstIDs returns the ids of those rows of p that a gap check can show.
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
