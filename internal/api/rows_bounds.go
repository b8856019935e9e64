package api

import (
	"net/url"
	"time"
)

// bounds are the parameters by which a reading keeps to a stretch of time.
// Names that the list itself uses are left alone: of two parameters of one name
// a server may see only one.
type bounds struct {
	field        string // the moment of creation
	lower, upper string // names of parameters
	above        bool   // lower leaves out the moment it names
	bare, spaced bool   // moments are written without a zone, with a space for the T
}

// newBounds finds the parameters for l, and reports whether there are any.
func newBounds(l *List, field string) (b bounds, ok bool) {
	b.field = field
	free := func(operators ...string) string {
		for _, o := range operators {
			name := field + "__" + o
			if !l.query.Has(name) && (l.catalog == nil || l.catalog.CheckFilter(field, o) == nil) {
				return name
			}
		}
		return ""
	}
	b.lower, b.upper = free("gte", "gt"), free("lte", "lt")
	b.above = b.lower == field+"__gt"
	return b, b.lower != "" && b.upper != ""
}

// like takes over how the API writes moments.
func (b *bounds) like(text string) {
	const day = len("2026-01-31")
	if len(text) <= day {
		return
	}
	b.spaced = text[day] == ' '
	b.bare = true
	for _, c := range text[day:] {
		if c == 'Z' || c == 'z' || c == '+' || c == '-' {
			b.bare = false
		}
	}
}

// query asks for what was made from low to high, both included, in the order of
// creation. noTime is no bound.
func (b *bounds) query(low, high int64) url.Values {
	v := url.Values{"_order_by": {b.field + ",id"}}
	if low != noTime {
		v.Set(b.lower, b.text(b.sent(low)))
	}
	if high != noTime {
		v.Set(b.upper, b.text(high))
	}
	return v
}

// newest asks for what was made last.
func (b *bounds) newest() url.Values { return url.Values{"_order_by": {"-" + b.field + ",-id"}} }

// sent returns the lower bound as it is sent, so that low itself is within.
func (b *bounds) sent(low int64) int64 {
	switch {
	case !b.above:
		return low
	case low%1e3 != 0:
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
