package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// The end of a reading in the order of creation. It is believed when the newest
// row, which was asked for first and bounds the reading, was handed out; or when
// that row has left the list, and the one that is the newest now was.

// handleEmptyPage takes in an empty page. The list ends with a stretch that brought
// nothing.
func (b *byCreated) handleEmptyPage(ctx context.Context) error {
	switch {
	case b.isEmpty:
		return b.rows.endReading()
	case b.pagesTaken == 1:
		return b.tryEnd(ctx)
	case b.newRows > 0:
		b.reopenStretch(false)
		return nil
	case b.pagesTaken > 2 || b.behaviour.unconfirmedEnds == maxUnconfirmedEnds:
		b.readSameTime()
		return nil
	}
	more, err := b.hasMore(ctx)
	if err != nil {
		return err
	}
	if more {
		b.behaviour.unconfirmedEnds++
		b.reopenStretch(false)
		return nil
	}
	return b.tryEnd(ctx)
}

// hasMore reports whether there are rows yet, where a stretch brought nothing new on
// its first page and nothing at all on its second: a row behind the first page
// that slipped into it in between is there now.
func (b *byCreated) hasMore(ctx context.Context) (bool, error) {
	first := b.rows.pool.submit(listRequest{list: b.rows.list, extra: b.pages.extra, page: 1, size: b.size, idsOnly: true})
	defer b.rows.pool.release(first)
	if err := b.rows.pool.waitFor(ctx, first); err != nil {
		return false, err
	}
	for i := range first.page.Objects {
		if !b.frontier.has(keyOfID(first.page.ID(i))) {
			return true, nil
		}
	}
	return false, nil
}

// tryEnd ends the reading where the list seems to have ended, or begins another
// stretch if the newest row was not handed out.
func (b *byCreated) tryEnd(ctx context.Context) error {
	ended, err := b.newestWasHandedOut(ctx)
	switch {
	case err != nil:
		return err
	case ended:
		return b.rows.endReading()
	case b.behaviour.unconfirmedEnds >= maxUnconfirmedEnds:
		b.rows.setDoubt(doubtEnd)
		return b.rows.endReading()
	}
	b.behaviour.unconfirmedEnds++
	b.reopenStretch(false)
	return nil
}

// wasHandedOut reports whether the row made at the moment given was handed out.
func (b *byCreated) wasHandedOut(at int64, k idKey) bool {
	return at < b.frontier.at || at == b.frontier.at && b.frontier.has(k)
}

// newestWasHandedOut reports whether the newest row was handed out. If it was not, it may have
// left: then several looks agree on which is the newest.
func (b *byCreated) newestWasHandedOut(ctx context.Context) (bool, error) {
	if b.wasHandedOut(b.newestAt, b.newestID) {
		return true, nil
	}
	var before idKey // the zero key: none
	same := 0
	for range 2 * confirmations {
		at, id, err := b.newestNow(ctx)
		switch {
		case err != nil:
			return false, err
		case at != api.NoTime && (id == b.newestID || !b.wasHandedOut(at, id)):
			b.newestAt, b.newestID = at, id
			return false, nil
		case same > 0 && id == before:
			same++
		default:
			before, same = id, 1
		}
		if same == confirmations || same == confirmations-1 && at != api.NoTime {
			return true, nil
		}
	}
	return false, nil
}

// newestNow returns the newest row that was made no later than the one that bounds
// the reading; api.NoTime if there is none.
func (b *byCreated) newestNow(ctx context.Context) (at int64, id idKey, err error) {
	for _, high := range []int64{b.newestAt + b.unit, b.newestAt} {
		j := b.rows.pool.submit(listRequest{list: b.rows.list, extra: b.bounds.newestQuery(high), page: 1, size: latestRows})
		defer b.rows.pool.release(j)
		if err := b.rows.pool.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
			return api.NoTime, idKey{}, err
		}
		for i, o := range j.page.Objects {
			if o.Created != api.NoTime && o.Created <= b.newestAt {
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

// endWithoutPaging decides whether the list has ended at a page that brought nothing
// new, where there is no second page to look at.
func (b *byCreated) endWithoutPaging(ctx context.Context) error {
	switch {
	case b.edge.rows < b.rows.largest || b.wasHandedOut(b.newestAt, b.newestID):
		return b.tryEnd(ctx)
	case b.frontier.at >= b.newestAt:
		b.rows.setDoubt(doubtSameTime)
		return b.rows.endReading()
	}
	b.rows.setDoubt(doubtSameTime)
	b.openStretch(b.frontier.at+b.unit, false)
	return nil
}
