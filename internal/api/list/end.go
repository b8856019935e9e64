package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// The end of a reading in the order of creation. It is believed when the newest
// row, which was asked for first and bounds the reading, was handed out; or when
// that row has left the list, and the one that is the newest now was.

// empty takes in an empty page. The list ends with a stretch that brought
// nothing.
func (b *byCreated) empty(ctx context.Context) error {
	switch {
	case b.none:
		return b.end()
	case b.page == 1:
		return b.close(ctx)
	case b.new > 0:
		b.reopen(false)
		return nil
	case b.page > 2 || b.endings == maxEndings:
		b.beginTie()
		return nil
	}
	more, err := b.more(ctx)
	if err != nil {
		return err
	}
	if more {
		b.endings++
		b.reopen(false)
		return nil
	}
	return b.close(ctx)
}

// more reports whether there are rows yet, where a stretch brought nothing new on
// its first page and nothing at all on its second: a row behind the first page
// that slipped into it in between is there now.
func (b *byCreated) more(ctx context.Context) (bool, error) {
	first := b.crew.hand(ask{list: b.list, extra: b.lane.extra, page: 1, size: b.size, slim: true})
	defer b.crew.release(first)
	if err := b.crew.waitFor(ctx, first); err != nil {
		return false, err
	}
	for i := range first.page.Objects {
		if !b.reach.has(keyOfID(first.page.ID(i))) {
			return true, nil
		}
	}
	return false, nil
}

// close ends the reading where the list seems to have ended, or begins another
// stretch if the newest row was not handed out.
func (b *byCreated) close(ctx context.Context) error {
	ended, err := b.ended(ctx)
	switch {
	case err != nil:
		return err
	case ended:
		return b.end()
	case b.endings >= maxEndings:
		b.doubt(doubtEnd)
		return b.end()
	}
	b.endings++
	b.reopen(false)
	return nil
}

// handed reports whether the row made at the moment given was handed out.
func (b *byCreated) handed(at int64, k idKey) bool {
	return at < b.reach.at || at == b.reach.at && b.reach.has(k)
}

// ended reports whether the newest row was handed out. If it was not, it may have
// left: then several looks agree on which is the newest.
func (b *byCreated) ended(ctx context.Context) (bool, error) {
	if b.handed(b.top, b.last) {
		return true, nil
	}
	var before idKey // the zero key: none
	same := 0
	for range 2 * looks {
		at, id, err := b.latest(ctx)
		switch {
		case err != nil:
			return false, err
		case at != api.NoTime && (id == b.last || !b.handed(at, id)):
			b.top, b.last = at, id
			return false, nil
		case same > 0 && id == before:
			same++
		default:
			before, same = id, 1
		}
		if same == looks || same == looks-1 && at != api.NoTime {
			return true, nil
		}
	}
	return false, nil
}

// latest returns the newest row that was made no later than the one that bounds
// the reading; api.NoTime if there is none.
func (b *byCreated) latest(ctx context.Context) (at int64, id idKey, err error) {
	for _, high := range []int64{b.top + b.unit, b.top} {
		j := b.crew.hand(ask{list: b.list, extra: b.newest(high), page: 1, size: latestRows})
		defer b.crew.release(j)
		if err := b.crew.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
			return api.NoTime, idKey{}, err
		}
		for i, o := range j.page.Objects {
			if o.Created != api.NoTime && o.Created <= b.top {
				return o.Created, keyOfID(j.page.ID(i)), nil
			}
		}
		if len(j.page.Objects) < latestRows {
			break // more rows would not be later ones
		}
	}
	return api.NoTime, idKey{}, nil
}

// latestRows are more than are made within the unit that moments are shown in,
// as a rule.
const latestRows = 10

// endPageless decides whether the list has ended at a page that brought nothing
// new, where there is no second page to look at.
func (b *byCreated) endPageless(ctx context.Context) error {
	switch {
	case b.edge.rows < b.largest || b.handed(b.top, b.last):
		return b.close(ctx)
	case b.reach.at >= b.top:
		b.doubt(doubtTie)
		return b.end()
	}
	b.doubt(doubtTie)
	b.open(b.reach.at+b.unit, false)
	return nil
}
