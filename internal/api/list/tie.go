package list

import (
	"context"
	"errors"
	"io"

	"flytt/internal/api"
)

// tie reads the rows made at one moment that are more than a page holds, and so
// have no moments to be told apart by. They are read until a pass is followed by
// another that brings the same ids in the same order.
type tie struct {
	pass  *pass
	unit  int64 // that was asked for
	tries int
}

const tieTries = 5

// beginTie begins to read the tie at the frontier.
func (b *byCreated) beginTie() {
	if b.reach.at == b.tiedAt {
		b.exact = true // the rows before the bound got in the way
	}
	b.tiedAt = b.reach.at
	b.lane.drop(1)
	b.tie = &tie{}
	b.again()
}

// again begins a pass over the tie.
func (b *byCreated) again() {
	at := b.reach.at
	b.tie.unit = b.unit
	b.tie.pass = b.newPass(b.query(at, at+b.unit), max(b.size, minJoint), false)
	b.tie.tries++
}

// tied hands out the next rows of the tie.
func (b *byCreated) tied(ctx context.Context, dst []byte) ([]byte, int, error) {
	p, err := b.tie.pass.page(ctx)
	if err == io.EOF {
		return dst, 0, b.untie(ctx)
	}
	if err != nil {
		return dst, 0, err
	}
	out := newParcel(dst, p)
	if err := b.takeTied(&out, p); err != nil {
		return dst, 0, err
	}
	b.span(&out, p)
	b.tie.pass.lane.pop()
	if b.full() {
		return out.dst, out.n, b.untie(ctx)
	}
	return out.dst, out.n, nil
}

func (b *byCreated) takeTied(out *parcel, p *api.Page) error {
	for i := range p.Objects {
		o := &p.Objects[i]
		if o.Created == api.NoTime || o.Created < b.reach.at-b.tie.unit || o.Created > b.reach.at+b.tie.unit {
			return inPath(b.list.path, errors.New("the list ignores "+b.lower+" or "+b.upper))
		}
		// What goes on behind the tie is one unit later, so it matters that the shortest
		// unit is known: within the stretch asked for no moment is missed.
		b.unit = min(b.unit, o.CreatedUnit)
		if o.Created != b.reach.at {
			b.tie.pass.see(p.ID(i))
			continue
		}
		k := keyOfID(p.ID(i))
		if !b.reach.has(k) {
			if b.full() {
				return nil
			}
			b.wanted()
			b.reach.admit(o.Created, k)
			out.put(p, i)
		}
		b.tie.pass.see(p.ID(i))
	}
	return nil
}

// untie proves the pass that has ended and goes on behind the tie, or reads the
// tie once more.
func (b *byCreated) untie(ctx context.Context) error {
	why, err := b.tie.pass.repeated(ctx, !b.full())
	switch {
	case err != nil:
		return err
	case why.why == "":
	case b.tie.tries < tieTries && !b.full():
		b.count(0, 1)
		b.again()
		return nil
	default:
		why.why = "rows made at one moment, more than a page holds: " + why.why
		b.doubt(why)
	}
	b.tie = nil
	switch {
	case b.full():
		return b.end()
	case b.reach.at >= b.top && b.handed(b.top, b.last):
		return b.end()
	case b.reach.at >= b.top:
		return b.close(ctx)
	}
	b.open(b.reach.at+b.unit, true)
	return nil
}
