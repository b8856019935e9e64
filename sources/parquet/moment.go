package parquet

import (
	"encoding/binary"
	"math/bits"
	"time"
)

const (
	secondsOfDay = 24 * 60 * 60
	julianEpoch  = 2440588 // Julian day of 1970-01-01
)

// The seconds of the years that ISO 8601 writes with four digits.
var (
	firstSecond = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

func dateText(dst, v []byte) ([]byte, bool) {
	seconds := int64(int32(binary.LittleEndian.Uint32(v))) * secondsOfDay
	if seconds < firstSecond || seconds > lastSecond {
		return dst, false
	}
	return time.Unix(seconds, 0).UTC().AppendFormat(dst, time.DateOnly), true
}

// clockText renders a time of day in the given unit, from four bytes or eight. It
// ignores whether the time is marked as UTC, because writers mark times without a zone
// like that.
func clockText(unit time.Duration) render {
	second := int64(time.Second / unit)
	return func(dst, v []byte) ([]byte, bool) {
		var n int64
		if len(v) == 4 {
			n = int64(int32(binary.LittleEndian.Uint32(v)))
		} else {
			n = int64(binary.LittleEndian.Uint64(v))
		}
		if n < 0 || n >= secondsOfDay*second {
			return dst, false
		}
		return appendClock(dst, n/second, n%second*int64(unit)), true
	}
}

// timestampText renders a count of units since 1970.
func timestampText(unit time.Duration, utc bool) render {
	second := int64(time.Second / unit)
	return func(dst, v []byte) ([]byte, bool) {
		n := int64(binary.LittleEndian.Uint64(v))
		seconds, rest := n/second, n%second
		if rest < 0 {
			seconds, rest = seconds-1, rest+second
		}
		return appendMoment(dst, seconds, rest*int64(unit), utc)
	}
}

// int96Text renders what Impala and Spark wrote before there were timestamps:
// the nanoseconds of the day and the Julian day. It says nothing of a zone.
func int96Text(dst, v []byte) ([]byte, bool) {
	nanos, day := binary.LittleEndian.Uint64(v), int64(binary.LittleEndian.Uint32(v[8:]))
	if nanos >= secondsOfDay*uint64(time.Second) {
		return dst, false
	}
	seconds := (day-julianEpoch)*secondsOfDay + int64(nanos/uint64(time.Second))
	return appendMoment(dst, seconds, int64(nanos%uint64(time.Second)), false)
}

func appendMoment(dst []byte, seconds, nanos int64, utc bool) ([]byte, bool) {
	if seconds < firstSecond || seconds > lastSecond {
		return dst, false
	}
	dst = time.Unix(seconds, 0).UTC().AppendFormat(dst, "2006-01-02T")
	day := seconds % secondsOfDay
	if day < 0 {
		day += secondsOfDay
	}
	dst = appendClock(dst, day, nanos)
	if utc {
		dst = append(dst, 'Z')
	}
	return dst, true
}

// appendClock appends a time of day, its fraction in 3, 6 or 9 digits if there
// is one.
func appendClock(dst []byte, second, nanos int64) []byte {
	dst = appendDigits(dst, uint(second/3600), 2)
	dst = appendDigits(append(dst, ':'), uint(second/60%60), 2)
	dst = appendDigits(append(dst, ':'), uint(second%60), 2)
	switch n := uint(nanos); {
	case n == 0:
		return dst
	case n%1_000_000 == 0:
		return appendDigits(append(dst, '.'), n/1_000_000, 3)
	case n%1_000 == 0:
		return appendDigits(append(dst, '.'), n/1_000, 6)
	default:
		return appendDigits(append(dst, '.'), n, 9)
	}
}

// appendDigits appends n in exactly count digits.
func appendDigits(dst []byte, n uint, count int) []byte {
	at := len(dst)
	for range count {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= at && n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// widthOf returns how many bits a number up to most takes.
func widthOf(most byte) int { return bits.Len8(most) }
