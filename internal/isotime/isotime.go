// Package isotime reads dates and times as ISO 8601 and RFC 3339 write them, without allocating.
package isotime

import "time"

// DateTime is a point in time as it was written.
type DateTime struct {
	Year, Month, Day, Hour, Minute, Second, Nano int

	FractionDigits int           // how many digits the fraction of a second has
	Zoned          bool          // there is a zone
	Offset         time.Duration // that the zone is ahead of UTC
}

// Time returns the point in time, in UTC. Without a zone it is in UTC as written.
func (d *DateTime) Time() time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, d.Hour, d.Minute, d.Second, d.Nano, time.UTC).Add(-d.Offset)
}

// Date reads a date, YYYY-MM-DD (RFC 3339 full-date), and reports whether it exists. The year
// 0000 does not.
func Date(v []byte) (year, month, day int, ok bool) {
	if len(v) != 10 || v[4] != '-' || v[7] != '-' {
		return 0, 0, 0, false
	}
	year, month, day = number(v[:4]), number(v[5:7]), number(v[8:])
	ok = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= DaysIn(year, month)
	return year, month, day, ok
}

// RFC3339 reads a point in time as RFC 3339 writes it, 2006-01-02T15:04:05Z or
// 2006-01-02T15:04:05.999+02:00: a date that exists, seconds with or without a fraction, and an
// offset, with T and Z in upper case. The leap second 60 is none.
func RFC3339(v []byte) (d DateTime, ok bool) {
	if len(v) < 20 || v[10] != 'T' || v[13] != ':' || v[16] != ':' || v[19] == ',' {
		return d, false
	}
	var day, fraction, zone bool
	d.Year, d.Month, d.Day, day = Date(v[:10])
	clock := d.readClock(v)
	v, fraction = d.readFraction(v[19:])
	zone = (len(v) == 1 && v[0] == 'Z' || len(v) == 6) && d.readZone(v)
	return d, day && clock && fraction && zone && d.Hour < 24 && d.Second < 60
}

// Lenient reads a point in time such as 2026-01-31T09:30:00.123456Z as many systems write it: a
// space or a lower-case letter may stand for the T, a comma for the point, the zone may be +02,
// +0200 or missing. Days 29 to 31 are in every month, the hour 24 and the second 60 are read.
func Lenient(v []byte) (d DateTime, ok bool) {
	const seconds = len("2026-01-31T09:30:00")
	if len(v) < seconds || v[4] != '-' || v[7] != '-' || v[13] != ':' || v[16] != ':' ||
		v[10] != 'T' && v[10] != 't' && v[10] != ' ' {
		return d, false
	}
	d.Year, d.Month, d.Day = number(v[:4]), number(v[5:7]), number(v[8:10])
	clock := d.readClock(v)
	v, fraction := d.readFraction(v[seconds:])
	return d, clock && fraction && d.readZone(v) && d.Year >= 0 && within(d.Month, 1, 12) && within(d.Day, 1, 31)
}

// readClock reads the time of day that is at its place in v.
func (d *DateTime) readClock(v []byte) bool {
	d.Hour, d.Minute, d.Second = number(v[11:13]), number(v[14:16]), number(v[17:19])
	return within(d.Hour, 0, 24) && within(d.Minute, 0, 59) && within(d.Second, 0, 60)
}

// readFraction reads the fraction of a second that v starts with, if there is one, and returns
// what comes after it. It reports false for a point without digits.
func (d *DateTime) readFraction(v []byte) (rest []byte, ok bool) {
	if len(v) == 0 || v[0] != '.' && v[0] != ',' {
		return v, true
	}
	n := 1
	for scale := int(1e8); n < len(v) && v[n]-'0' <= 9; n++ {
		d.Nano += int(v[n]-'0') * scale
		scale /= 10
	}
	d.FractionDigits = n - 1
	return v[n:], n > 1
}

// readZone reads v: Z, an offset, or nothing.
func (d *DateTime) readZone(v []byte) bool {
	if d.Zoned = len(v) > 0; !d.Zoned || len(v) == 1 && v[0]|0x20 == 'z' {
		return true
	}
	hours, minutes := -1, 0
	switch {
	case len(v) == 6 && v[3] == ':':
		hours, minutes = number(v[1:3]), number(v[4:])
	case len(v) == 5:
		hours, minutes = number(v[1:3]), number(v[3:])
	case len(v) == 3:
		hours = number(v[1:])
	}
	d.Offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if v[0] == '-' {
		d.Offset = -d.Offset
	}
	return (v[0] == '+' || v[0] == '-') && within(hours, 0, 23) && within(minutes, 0, 59)
}

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// DaysIn returns how many days a month of a year has, from 1 to 12.
func DaysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month]
}

// number returns the number that v, a few digits, is, or -1 if they are none.
func number(v []byte) int {
	n := 0
	for _, c := range v {
		if c-'0' > 9 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func within(n, least, most int) bool { return n >= least && n <= most }
