package api

import (
	"time"

	"flytt/internal/isotime"
)

// Moment parses a date-time of the API. It reports false for one without a zone.
func Moment(text []byte) (t time.Time, ok bool) {
	d, ok := parseMoment(text)
	return d.Time(), ok && d.Zoned
}

// moment parses a date-time such as 2026-01-31T09:30:00.123456Z: see isotime.Lenient. It
// returns the moment in ns of Unix time, and the ns of its unit: second, millisecond,
// microsecond or nanosecond, whichever is needed to write it.
func moment(s []byte) (ns, unit int64, ok bool) {
	d, ok := parseMoment(s)
	if !ok {
		return NoTime, 0, false
	}
	switch n := d.FractionDigits; {
	case n == 0:
		unit = 1e9
	case n <= 3:
		unit = 1e6
	case n <= 6:
		unit = 1e3
	default:
		unit = 1
	}
	return d.Time().UnixNano(), unit, true
}

// parseMoment parses a date-time whose ns of Unix time are a number of 64 bits.
func parseMoment(s []byte) (isotime.DateTime, bool) {
	d, ok := isotime.Lenient(s)
	return d, ok && d.Year >= 1700 && d.Year <= 2200
}
