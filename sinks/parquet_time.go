package sinks

import "time"

const secondsOfDay = 24 * 60 * 60

// parseDate returns the start, in UTC, of the day that v is: YYYY-MM-DD, of the
// years 1 to 9999 (ISO 8601, RFC 3339 full-date).
func parseDate(v []byte) (time.Time, bool) {
	if len(v) != 10 || v[4] != '-' || v[7] != '-' {
		return time.Time{}, false
	}
	year, month, day := number(v[:4]), number(v[5:7]), number(v[8:])
	if year < 1 || month < 1 || month > 12 || day < 1 {
		return time.Time{}, false
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return date, date.Day() == day // 30 February is in March
}

// parseDateTime returns the point in time that v is: RFC 3339 with an upper-case
// T and Z, as the API writes it. A leap second is none that a file could hold.
func parseDateTime(v []byte) (time.Time, bool) {
	if len(v) < 20 || v[10] != 'T' || v[13] != ':' || v[16] != ':' {
		return time.Time{}, false
	}
	date, ok := parseDate(v[:10])
	hour, minute, second := number(v[11:13]), number(v[14:16]), number(v[17:19])
	fraction, rest := cutFraction(v[19:])
	offset, zoned := parseOffset(rest)
	if !ok || !zoned || fraction < 0 || !within(hour, 24) || !within(minute, 60) || !within(second, 60) {
		return time.Time{}, false
	}
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return date.Add(clock + fraction - offset), true
}

// cutFraction returns the fraction of a second that v starts with, to the
// nanosecond, and what comes after it. It is negative if there is a point
// without digits.
func cutFraction(v []byte) (fraction time.Duration, rest []byte) {
	if len(v) == 0 || v[0] != '.' {
		return 0, v
	}
	v = v[1:]
	n := 0
	for unit := time.Second / 10; n < len(v) && v[n] >= '0' && v[n] <= '9'; n++ {
		fraction += time.Duration(v[n]-'0') * unit
		unit /= 10
	}
	if n == 0 {
		return -1, v
	}
	return fraction, v[n:]
}

// parseOffset returns how far ahead of UTC the offset v is: Z or ±hh:mm.
func parseOffset(v []byte) (time.Duration, bool) {
	if len(v) == 1 && v[0] == 'Z' {
		return 0, true
	}
	if len(v) != 6 || v[0] != '+' && v[0] != '-' || v[3] != ':' {
		return 0, false
	}
	hours, minutes := number(v[1:3]), number(v[4:])
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if v[0] == '-' {
		offset = -offset
	}
	return offset, within(hours, 24) && within(minutes, 60)
}

// number returns the number that v, a few digits, is, or -1 if they are none.
func number(v []byte) int {
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func within(n, end int) bool { return n >= 0 && n < end }
