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
	b.open(api.NoTime, false)
	j, err := b.ready(ctx)
	if err != nil {
		return "", err
	}
	p := &j.page
	if len(p.Objects) == 0 {
		return b.lookAgain(ctx)
	}
	if why := b.astray(p); why != "" {
		return "", &notByCreated{why: why}
	}
	b.like(b.createdText(p, 0))
	b.lane.fill()
	newest, err := b.one(ctx, b.newest(api.NoTime))
	defer b.crew.release(newest)
	if err != nil || len(newest.page.Objects) == 0 {
		return "the list changes too fast", err
	}
	return b.lookAt(ctx, p, &newest.page)
}

// lookAt compares the first page with the newest row.
func (b *byCreated) lookAt(ctx context.Context, p, newest *api.Page) (again string, err error) {
	o := newest.Objects[0]
	id := keyOfID(newest.ID(0))
	switch {
	case o.Created == api.NoTime || o.IDStart == o.IDEnd:
		return "", &notByCreated{why: "rows without " + b.field}
	case id == keyOfID(p.ID(0)):
		if alone, err := b.alone(ctx, p); err != nil || !alone {
			return "", cmp.Or[error](err, &notByCreated{why: "the list ignores _order_by"})
		}
	case o.Created < p.Objects[len(p.Objects)-1].Created:
		return "the list ignores _order_by", nil
	}
	b.unit = min(b.unit, o.CreatedUnit)
	b.top, b.last = o.Created, id
	later, err := b.one(ctx, b.query(b.top, api.NoTime))
	defer b.crew.release(later)
	switch {
	case err != nil:
		return "", err
	case len(later.page.Objects) == 0:
		return "the list changes too fast", nil
	case later.page.Objects[0].Created+b.unit <= b.sent(b.top):
		return "", &notByCreated{why: "the list ignores " + b.lower}
	}
	return "", nil
}

// lookAgain looks further where the first page was empty. Only if all that is
// asked for is empty, several times, is the list.
func (b *byCreated) lookAgain(ctx context.Context) (again string, err error) {
	first := ask{list: b.list, extra: b.lane.extra, page: 1, size: b.size}
	newest := ask{list: b.list, extra: b.newest(api.NoTime), page: 1, size: 1}
	for _, a := range []ask{newest, first, newest} {
		j := b.crew.hand(a)
		err := b.crew.waitFor(ctx, j)
		none := len(j.page.Objects) == 0
		b.crew.release(j)
		switch {
		case !none:
			return "the first page was empty, and the list is not", nil
		case err != nil:
			return "", err
		}
	}
	b.none = true
	return "", nil
}

// alone reports whether the one row of p, which is the newest too, is all there
// is. If p has more rows than that, or a second page has, the order is ignored.
func (b *byCreated) alone(ctx context.Context, p *api.Page) (bool, error) {
	if len(p.Objects) > 1 {
		return false, nil
	}
	second := ask{list: b.list, extra: b.lane.extra, page: 2, size: b.size}
	j := b.crew.hand(second)
	defer b.crew.release(j)
	if err := b.crew.waitFor(ctx, j); err != nil && !errors.Is(err, api.ErrOversized) {
		return false, err
	}
	switch {
	case len(j.page.Objects) == 0:
		return b.nothing(ctx, second)
	case keyOfID(j.page.ID(0)) != keyOfID(p.ID(0)):
		return false, nil
	}
	return b.aloneInTime(ctx, p.Objects[0].Created)
}

// aloneInTime is alone where the server ignores _page: there is nothing before
// the row and nothing after it.
func (b *byCreated) aloneInTime(ctx context.Context, at int64) (bool, error) {
	for _, extra := range []url.Values{b.query(api.NoTime, at-b.unit), b.query(at+b.unit, api.NoTime)} {
		if none, err := b.nothing(ctx, ask{list: b.list, extra: extra, page: 1, size: b.size}); err != nil || !none {
			return false, err
		}
	}
	return true, nil
}

// one asks for a single row.
func (b *byCreated) one(ctx context.Context, extra map[string][]string) (*job, error) {
	j := b.crew.hand(ask{list: b.list, extra: extra, page: 1, size: 1})
	err := b.crew.waitFor(ctx, j)
	if errors.Is(err, api.ErrOversized) && len(j.page.Objects) > 0 {
		err = nil // paging is ignored, which the pages will show
	}
	return j, err
}

// orPlain returns err, or that plain pages are to be read, if the list refused
// what only this way of reading asks for.
func (b *byCreated) orPlain(err error) error {
	var not *notByCreated
	var status *api.StatusError
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
