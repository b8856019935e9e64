package list

import (
	"net/url"
	"time"

	"flytt/internal/api"
)

// bounds are the parameters by which a reading keeps to a stretch of time. No
// name is sent twice: of two parameters of one name a server may see only one.
// Where the list has a bound of the same name, the tighter of the two is sent;
// where it cannot be told which that is, the reading takes another name.
type bounds struct {
	field        string // the moment of creation
	lower, upper string // names of parameters
	above        bool   // lower leaves out the moment it names
	exact        bool   // moments are told in nanoseconds
	bare, spaced bool   // moments are written without a zone, with a space for the T

	floor, ceiling int64 // bounds of the list's own, under the same names; api.NoTime: none
}

// newBounds finds the parameters for l, and reports whether there are any.
func newBounds(l *Query, field string) (b bounds, ok bool) {
	b.field = field
	b.lower, b.floor = l.bound(field, "gte", "gt")
	b.upper, b.ceiling = l.bound(field, "lte", "lt")
	b.above = b.lower == field+"__gt"
	return b, b.lower != "" && b.upper != ""
}

// bound returns the first of the operators that a bound of ours can have, as
// the name of a parameter, and the bound that l has under that name.
func (q *Query) bound(field string, operators ...string) (name string, own int64) {
	for i, o := range operators {
		name := field + "__" + o
		if q.catalog != nil && q.catalog.CheckFilter(field, o) != nil {
			continue
		}
		if !q.values.Has(name) {
			return name, api.NoTime
		}
		if at, ok := api.Moment([]byte(q.values.Get(name))); ok && i == 0 {
			return name, at.UnixNano()
		}
	}
	return "", api.NoTime
}

// like takes over how the API writes moments.
func (b *bounds) like(text string) {
	const day = len("2026-01-31")
	if len(text) <= day {
		return
	}
	b.spaced = text[day] == ' '
	_, zoned := api.Moment([]byte(text))
	b.bare = !zoned
}

// query asks for what was made from low to high, both included, in the order of
// creation. api.NoTime is no bound.
func (b *bounds) query(low, high int64) url.Values {
	v := url.Values{"_order_by": {b.field + ",id"}}
	if low != api.NoTime && low > b.floor {
		v.Set(b.lower, b.text(b.sent(low)))
	}
	if high != api.NoTime && (b.ceiling == api.NoTime || high < b.ceiling) {
		v.Set(b.upper, b.text(high))
	}
	return v
}

// newest asks for what was made last, up to high.
func (b *bounds) newest(high int64) url.Values {
	v := b.query(api.NoTime, high)
	v.Set("_order_by", "-"+b.field+",-id")
	return v
}

// sent returns the lower bound as it is sent, so that low itself is within.
func (b *bounds) sent(low int64) int64 {
	switch {
	case !b.above:
		return low
	case b.exact || low%1e3 != 0:
		return low - 1
	}
	return low - 1e3 // databases tell no shorter time apart
}

// text writes a moment with as many digits as it needs.
func (b *bounds) text(at int64) string {
	layout := "2006-01-02T15:04:05"
	if b.spaced {
		layout = "2006-01-02 15:04:05"
	}
	switch {
	case at%1e9 == 0:
	case at%1e6 == 0:
		layout += ".000"
	case at%1e3 == 0:
		layout += ".000000"
	default:
		layout += ".000000000"
	}
	if !b.bare {
		layout += "Z"
	}
	return time.Unix(0, at).UTC().Format(layout)
}
