package sinks

import (
	"time"

	"flytt/internal/isotime"
)

const secondsOfDay = 24 * 60 * 60

// parseDate returns the start, in UTC, of the day that v is.
func parseDate(v []byte) (time.Time, bool) {
	year, month, day, ok := isotime.Date(v)
	if !ok {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), true
}

// parseDateTime returns the point in time that v is, as the API writes it: see
// isotime.RFC3339. A leap second is none that a file could hold.
func parseDateTime(v []byte) (time.Time, bool) {
	d, ok := isotime.RFC3339(v)
	if !ok {
		return time.Time{}, false
	}
	return d.Time(), true
}
