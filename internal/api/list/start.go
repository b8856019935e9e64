package list

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"flytt/internal/api"
)

// start reads the first page and the newest record, and checks that the list supports
// order and bounds.
func (b *byCreated) start(ctx context.Context) error {
	for try := 1; ; try++ {
		again, err := b.tryStart(ctx)
		if err != nil || again == "" {
			return err
		}
		if try == startTries {
			return &creationOrderError{why: again}
		}
	}
}

// tryStart makes one try. It returns why another try may help; empty if none is needed.
func (b *byCreated) tryStart(ctx context.Context) (again string, err error) {
	b.openStretch(api.NoTime, false)
	j, err := b.nextPage(ctx)
	if err != nil {
		return "", err
	}
	p := &j.page
	if len(p.Objects) == 0 {
		return b.confirmEmpty(ctx)
	}
	if why := b.orderProblem(p); why != "" {
		return "", &creationOrderError{why: why}
	}
	b.bounds.learnFormat(b.rows.createdText(p, 0))
	b.pages.fill()
	newest, err := b.fetchOne(ctx, b.bounds.newestQuery(api.NoTime))
	defer b.rows.pool.release(newest)
	if err != nil || len(newest.page.Objects) == 0 {
		return "the list changes too fast", err
	}
	return b.checkNewest(ctx, p, &newest.page)
}

// checkNewest compares the first page with the newest record.
func (b *byCreated) checkNewest(ctx context.Context, p, newest *api.Page) (again string, err error) {
	o := newest.Objects[0]
	id := keyOfID(newest.ID(0))
	switch {
	case o.Created == api.NoTime || o.IDStart == o.IDEnd:
		return "", &creationOrderError{why: "rows without " + b.bounds.field}
	case id == keyOfID(p.ID(0)):
		if alone, err := b.isOnlyRow(ctx, p); err != nil || !alone {
			return "", cmp.Or[error](err, &creationOrderError{why: "the list ignores _order_by"})
		}
	case o.Created < p.Objects[len(p.Objects)-1].Created:
		return "the list ignores _order_by", nil
	}
	b.unit = min(b.unit, o.CreatedUnit)
	b.newestAt, b.newestID = o.Created, id
	later, err := b.fetchOne(ctx, b.bounds.rangeQuery(b.newestAt, api.NoTime))
	defer b.rows.pool.release(later)
	switch {
	case err != nil:
		return "", err
	case len(later.page.Objects) == 0:
		return "the list changes too fast", nil
	case later.page.Objects[0].Created+b.unit <= b.bounds.lowerAsSent(b.newestAt):
		return "", &creationOrderError{why: "the list ignores " + b.bounds.lower}
	}
	return "", nil
}

// confirmEmpty finds out whether the list is empty, after the first page was: only if
// several requests bring nothing.
func (b *byCreated) confirmEmpty(ctx context.Context) (again string, err error) {
	first := listRequest{list: b.rows.list, extra: b.pages.extra, page: 1, size: b.size}
	newest := listRequest{list: b.rows.list, extra: b.bounds.newestQuery(api.NoTime), page: 1, size: 1}
	for _, a := range []listRequest{newest, first, newest} {
		j := b.rows.pool.submit(a)
		err := b.rows.pool.waitFor(ctx, j)
		none := len(j.page.Objects) == 0
		b.rows.pool.release(j)
		switch {
		case !none:
			return "the first page was empty, and the list is not", nil
		case err != nil:
			return "", err
		}
	}
	b.isEmpty = true
	return "", nil
}

// isOnlyRow reports whether the first row of p, which is also the newest record, is the
// only one. If p or a second page has other rows, the list ignores the order.
func (b *byCreated) isOnlyRow(ctx context.Context, p *api.Page) (bool, error) {
	if len(p.Objects) > 1 {
		return false, nil
	}
	second := listRequest{list: b.rows.list, extra: b.pages.extra, page: 2, size: b.size}
	j := b.rows.pool.submit(second)
	defer b.rows.pool.release(j)
	if err := b.rows.pool.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
		return false, err
	}
	switch {
	case len(j.page.Objects) == 0:
		return b.rows.staysEmpty(ctx, second)
	case keyOfID(j.page.ID(0)) != keyOfID(p.ID(0)):
		return false, nil
	}
	return b.isOnlyRowInTime(ctx, p.Objects[0].Created)
}

// isOnlyRowInTime is isOnlyRow for a server that ignores _page: nothing was created
// before or after the row.
func (b *byCreated) isOnlyRowInTime(ctx context.Context, at int64) (bool, error) {
	for _, extra := range []url.Values{b.bounds.rangeQuery(api.NoTime, at-b.unit), b.bounds.rangeQuery(at+b.unit, api.NoTime)} {
		if none, err := b.rows.staysEmpty(ctx, listRequest{list: b.rows.list, extra: extra, page: 1, size: b.size}); err != nil || !none {
			return false, err
		}
	}
	return true, nil
}

// fetchOne requests a single row.
func (b *byCreated) fetchOne(ctx context.Context, extra map[string][]string) (*job, error) {
	j := b.rows.pool.submit(listRequest{list: b.rows.list, extra: extra, page: 1, size: 1})
	err := b.rows.pool.waitFor(ctx, j)
	if errors.Is(err, api.ErrOversized) && len(j.page.Objects) > 0 {
		err = nil // paging is ignored, which the pages will show
	}
	return j, err
}

// orPlainOrder returns a creationOrderError in place of err if the list refused what
// only this reader asks for.
func (b *byCreated) orPlainOrder(err error) error {
	var not *creationOrderError
	var status *api.StatusError
	switch {
	case errors.As(err, &not):
	case errors.As(err, &status) && (status.Status == http.StatusBadRequest || status.Status == http.StatusUnprocessableEntity):
		not = &creationOrderError{why: fmt.Sprintf("the list answered %d", status.Status)}
	default:
		return err
	}
	b.pages.restartAt(1)
	not.order = b.rows.stableOrder()
	return not
}
