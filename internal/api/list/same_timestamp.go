package list

import (
	"context"
	"errors"
	"io"

	"flytt/internal/api"
)

// sameTimestamp reads the rows of one moment if they are more than a page holds: their
// moments cannot distinguish them. Passes over them are made until one is followed by
// another that brings the same ids in the same order.
type sameTimestamp struct {
	pass   *pass
	unit   int64 // the unit of the moments that was requested
	passes int
}

const maxSameTimePasses = 5

// readSameTime starts reading the rows of the moment at the frontier.
func (b *byCreated) readSameTime() {
	if b.frontier.at == b.sameTimeAt {
		b.bounds.exact = true // rows before the bound filled the page
	}
	b.sameTimeAt = b.frontier.at
	b.pages.restartAt(1)
	b.sameTime = &sameTimestamp{}
	b.startSameTimePass()
}

// startSameTimePass starts a pass over these rows.
func (b *byCreated) startSameTimePass() {
	at := b.frontier.at
	b.sameTime.unit = b.unit
	b.sameTime.pass = b.rows.newPass(b.bounds.rangeQuery(at, at+b.unit), max(b.size, minGapRows), false)
	b.sameTime.passes++
}

// nextSameTime hands out the next of these rows.
func (b *byCreated) nextSameTime(ctx context.Context, dst []byte) ([]byte, int, error) {
	p, err := b.sameTime.pass.page(ctx)
	if err == io.EOF {
		return dst, 0, b.endSameTimePass(ctx)
	}
	if err != nil {
		return dst, 0, err
	}
	out := newPageRows(dst, p)
	if err := b.appendSameTime(&out, p); err != nil {
		return dst, 0, err
	}
	b.rows.recordSpan(&out, p)
	b.sameTime.pass.pages.pop()
	if b.rows.limitReached() {
		return out.dst, out.n, b.endSameTimePass(ctx)
	}
	return out.dst, out.n, nil
}

func (b *byCreated) appendSameTime(out *pageRows, p *api.Page) error {
	for i := range p.Objects {
		o := &p.Objects[i]
		if o.Created == api.NoTime || o.Created < b.frontier.at-b.sameTime.unit || o.Created > b.frontier.at+b.sameTime.unit {
			return inPath(b.rows.list.path, errors.New("the list ignores "+b.bounds.lower+" or "+b.bounds.upper))
		}
		// The reading continues one unit later, so the shortest unit has to be known.
		// Within the time requested no moment is missed.
		b.unit = min(b.unit, o.CreatedUnit)
		if o.Created != b.frontier.at {
			b.sameTime.pass.observeID(p.ID(i))
			continue
		}
		k := keyOfID(p.ID(i))
		if !b.frontier.has(k) {
			if b.rows.limitReached() {
				return nil
			}
			b.rows.reserveRow()
			b.frontier.admit(o.Created, k)
			out.add(p, i)
		}
		b.sameTime.pass.observeID(p.ID(i))
	}
	return nil
}

// endSameTimePass verifies the pass that has ended. Then the reading continues after
// the moment, or another pass starts.
func (b *byCreated) endSameTimePass(ctx context.Context) error {
	why, err := b.sameTime.pass.verify(ctx, !b.rows.limitReached())
	switch {
	case err != nil:
		return err
	case why.why == "":
	case b.sameTime.passes < maxSameTimePasses && !b.rows.limitReached():
		b.rows.addCounts(0, 1)
		b.startSameTimePass()
		return nil
	default:
		why.why = "rows made at one moment, more than a page holds: " + why.why
		b.rows.setDoubt(why)
	}
	b.sameTime = nil
	switch {
	case b.rows.limitReached():
		return b.rows.endReading()
	case b.frontier.at >= b.newestAt && b.wasHandedOut(b.newestAt, b.newestID):
		return b.rows.endReading()
	case b.frontier.at >= b.newestAt:
		return b.tryEnd(ctx)
	}
	b.openStretch(b.frontier.at+b.unit, true)
	return nil
}
