package list

import (
	"net/url"
	"time"

	"flytt/internal/api"
)

// bounds are the parameters that limit a reading to a stretch of time. No name is sent
// twice: of two parameters with one name, a server may see only one. If the query has a
// bound with the same name, the tighter of the two is sent; if it cannot be decided
// which that is, the reading uses another name.
type bounds struct {
	field          string // the moment of creation
	lower, upper   string // names of parameters
	excludesLower  bool   // lower excludes the moment that it names
	exact          bool   // moments have nanoseconds
	noZone, spaced bool   // moments are written without a zone, and with a space for the T

	floor, ceiling int64 // bounds of the query, with the same names; api.NoTime: none
}

// newBounds finds the parameters for l, and reports whether there are any.
func newBounds(l *Query, field string) (b bounds, ok bool) {
	b.field = field
	b.lower, b.floor = l.bound(field, "gte", "gt")
	b.upper, b.ceiling = l.bound(field, "lte", "lt")
	b.excludesLower = b.lower == field+"__gt"
	return b, b.lower != "" && b.upper != ""
}

// bound returns the first of the operators that a reading can use as a bound, as the
// name of a parameter, and the query's own bound with that name.
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

// learnFormat adopts the format in which the API writes moments.
func (b *bounds) learnFormat(text string) {
	const day = len("2026-01-31")
	if len(text) <= day {
		return
	}
	b.spaced = text[day] == ' '
	_, zoned := api.Moment([]byte(text))
	b.noZone = !zoned
}

// rangeQuery selects what was created from low to high, both included, in the order of
// creation. api.NoTime is no bound.
func (b *bounds) rangeQuery(low, high int64) url.Values {
	v := url.Values{"_order_by": {b.field + ",id"}}
	if low != api.NoTime && low > b.floor {
		v.Set(b.lower, b.formatTime(b.lowerAsSent(low)))
	}
	if high != api.NoTime && (b.ceiling == api.NoTime || high < b.ceiling) {
		v.Set(b.upper, b.formatTime(high))
	}
	return v
}

// newestQuery selects what was created last, up to high.
func (b *bounds) newestQuery(high int64) url.Values {
	v := b.rangeQuery(api.NoTime, high)
	v.Set("_order_by", "-"+b.field+",-id")
	return v
}

// lowerAsSent returns the lower bound to be sent so that low itself is included.
func (b *bounds) lowerAsSent(low int64) int64 {
	switch {
	case !b.excludesLower:
		return low
	case b.exact || low%1e3 != 0:
		return low - 1
	}
	return low - 1e3 // databases tell no shorter time apart
}

// formatTime writes a moment with as many digits as it needs.
func (b *bounds) formatTime(at int64) string {
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
	if !b.noZone {
		layout += "Z"
	}
	return time.Unix(0, at).UTC().Format(layout)
}
