package xlsx

import (
	"math"
	"strconv"
	"time"
)

const (
	dayMillis = 24 * 60 * 60 * 1000
	lastDay   = 2958465 // 31 December 9999, counted from 1900
	epochGap  = 1462    // days from the epoch of 1900 to that of 1904
	unixEpoch = 25569   // 1 January 1970, counted from 1900
)

// appendSerial appends the date, time or both that serial is in a workbook that
// counts from 1900, or 1904. It reports false if it is none.
func appendSerial(dst []byte, serial float64, f format, date1904 bool) ([]byte, bool) {
	if !(serial >= 0 && serial <= lastDay+1) {
		return dst, false
	}
	millis := int64(math.Round(serial * dayMillis))
	if f == formatElapsed {
		return appendClock(dst, millis), true
	}
	days, clock := millis/dayMillis, millis%dayMillis
	if days == 0 && !date1904 || f == formatTime && days == 0 {
		return appendClock(dst, clock), f == formatTime || clock > 0
	}
	switch {
	case date1904:
		days += epochGap
	case days == 60: // 29 February 1900, which Excel has and the calendar has not
		return dst, false
	case days < 60:
		days++
	}
	if days > lastDay {
		return dst, false
	}
	dst = time.Unix((days-unixEpoch)*24*60*60, 0).UTC().AppendFormat(dst, time.DateOnly)
	if clock > 0 {
		dst = appendClock(append(dst, 'T'), clock)
	}
	return dst, true
}

// appendClock appends hours, minutes and seconds, and milliseconds if any.
func appendClock(dst []byte, millis int64) []byte {
	pair := func(n int64) {
		dst = append(dst, byte('0'+n/10), byte('0'+n%10))
	}
	if hours := millis / (60 * 60 * 1000); hours < 100 {
		pair(hours)
	} else {
		dst = strconv.AppendInt(dst, hours, 10)
	}
	dst = append(dst, ':')
	pair(millis / 60000 % 60)
	dst = append(dst, ':')
	pair(millis / 1000 % 60)
	if ms := millis % 1000; ms > 0 {
		dst = append(dst, '.', byte('0'+ms/100))
		pair(ms % 100)
	}
	return dst
}
