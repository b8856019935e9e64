package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// The end of a reading in the order of creation is trusted if the newest record, which
// was looked up first and bounds the reading, was handed out; or if that record was
// deleted and the one that is the newest now was handed out.

// handleEmptyPage decides what an empty page means. The list ends with a stretch that
// brought nothing.
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

// hasMore reports whether there are more rows, after a stretch brought nothing new on
// its first page and nothing at all on its second: a row that moved to the first page
// meanwhile is found now.
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

// tryEnd ends the reading where the list seems to end. If the newest record was not
// handed out, it starts another stretch.
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

// wasHandedOut reports whether the row of that moment was handed out.
func (b *byCreated) wasHandedOut(at int64, k idKey) bool {
	return at < b.frontier.at || at == b.frontier.at && b.frontier.has(k)
}

// newestWasHandedOut reports whether the newest record was handed out. If it was not,
// it may have been deleted: then several requests have to agree on which is the newest
// now.
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

// newestNow returns the newest record that was created no later than the one that
// bounds the reading; api.NoTime if there is none.
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

// latestRows is more than the number of records that are usually created within the
// unit in which moments are shown.
const latestRows = 10

// endWithoutPaging decides whether the list has ended at a page that brought nothing
// new, if the server ignores paging.
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
