package api

import (
	"bytes"
	"math"
	"time"
)

// Moment parses a date-time of the API. It reports false for one without a zone.
func Moment(text []byte) (t time.Time, ok bool) {
	ns, _, ok := moment(text)
	return time.Unix(0, ns), ok && zoned(text)
}

// zoned reports whether the date-time has a zone.
func zoned(text []byte) bool { return bytes.ContainsAny(text[len("2026-01-31"):], "Zz+-") }

// moment parses a date-time such as 2026-01-31T09:30:00.123456Z. A space may stand for
// the T; fraction and zone are optional, and no zone means UTC. It returns the moment
// in ns of Unix time, and the ns of its unit: second, millisecond, microsecond or
// nanosecond, whichever is needed to write it.
func moment(s []byte) (ns, unit int64, ok bool) {
	const seconds = len("2026-01-31T09:30:00")
	if len(s) < seconds || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' ||
		s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return NoTime, 0, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	nano, unit, rest := fraction(s[seconds:])
	zone, okZone := offset(rest)
	if !okZone || unit == 0 || year < 1700 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 ||
		hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return NoTime, 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	return t.UnixNano() - zone, unit, true
}

// fraction parses the fraction of the seconds, if there is one. unit is 0 if it is
// invalid.
func fraction(s []byte) (nano int, unit int64, rest []byte) {
	if len(s) == 0 || s[0] != '.' && s[0] != ',' {
		return 0, 1e9, s
	}
	n := 1
	for scale := int(1e8); n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		nano += int(s[n]-'0') * scale
		scale /= 10
	}
	switch {
	case n == 1:
		return 0, 0, s
	case n <= 4:
		return nano, 1e6, s[n:]
	case n <= 7:
		return nano, 1e3, s[n:]
	}
	return nano, 1, s[n:]
}

// offset returns the ns that a zone is ahead of UTC.
func offset(s []byte) (ns int64, ok bool) {
	if len(s) == 0 || len(s) == 1 && (s[0] == 'Z' || s[0] == 'z') {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := int64(1)
	if s[0] == '-' {
		sign = -1
	}
	var hours, minutes int
	switch s = s[1:]; {
	case len(s) == 5 && s[2] == ':':
		hours, minutes = digits(s[:2]), digits(s[3:])
	case len(s) == 4:
		hours, minutes = digits(s[:2]), digits(s[2:])
	case len(s) == 2:
		hours = digits(s)
	default:
		return 0, false
	}
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	return sign * int64(time.Duration(hours)*time.Hour+time.Duration(minutes)*time.Minute), true
}

// digits returns the number that s writes in decimal digits, or a negative one
// if anything else is in it.
func digits(s []byte) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return math.MinInt32
		}
		n = 10*n + int(c-'0')
	}
	return n
}
