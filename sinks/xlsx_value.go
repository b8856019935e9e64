package sinks

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// spreadsheetDigits is how many digits of a number a spreadsheet keeps.
const spreadsheetDigits = 15

// appendNumber appends a cell that starts with start if v is a number that a
// spreadsheet keeps, and reports whether it is.
func appendNumber(dst, v []byte, start string) ([]byte, bool) {
	if !keepsNumber(v) {
		return dst, false
	}
	dst = append(dst, start...)
	dst = append(dst, v...)
	return append(dst, valueEnd...), true
}

// appendInteger appends a cell that shows all digits of v if v is a whole number
// that a spreadsheet keeps, and what appendNumber does otherwise.
func appendInteger(dst, v []byte) ([]byte, bool) {
	if allDigits(bytes.TrimPrefix(v, []byte{'-'})) {
		return appendNumber(dst, v, integerStart)
	}
	return appendNumber(dst, v, numberStart)
}

// keepsNumber reports whether v is a JSON number of as many digits as a
// spreadsheet keeps, and of a size it knows.
func keepsNumber(v []byte) bool {
	mantissa, exponent := v, []byte(nil)
	if i := bytes.IndexAny(v, "eE"); i >= 0 {
		mantissa, exponent = v[:i], v[i+1:]
		if !isExponent(exponent) {
			return false
		}
	}
	digits, ok := decimalDigits(mantissa)
	if !ok || digits > spreadsheetDigits {
		return false
	}
	return exponent == nil && len(v) <= 2*spreadsheetDigits || inSpreadsheetRange(v)
}

// decimalDigits counts the digits of a decimal number between the first that is
// not 0 and the last that stands for something. It reports false for what is no
// such number, or has a sign that a spreadsheet would drop: -0.
func decimalDigits(v []byte) (digits int, ok bool) {
	negative := len(v) > 0 && v[0] == '-'
	if negative {
		v = v[1:]
	}
	whole, fraction, point := bytes.Cut(v, []byte{'.'})
	if len(whole) == 0 || point && len(fraction) == 0 || len(whole) > 1 && whole[0] == '0' ||
		!allDigits(whole) || !allDigits(fraction) {
		return 0, false
	}
	fraction = bytes.TrimRight(fraction, "0")
	switch {
	case whole[0] == '0':
		digits = len(bytes.TrimLeft(fraction, "0"))
	case len(fraction) > 0:
		digits = len(whole) + len(fraction)
	default:
		digits = len(bytes.TrimRight(whole, "0"))
	}
	return digits, digits > 0 || !negative
}

func allDigits(v []byte) bool {
	for _, c := range v {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isExponent(v []byte) bool {
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		v = v[1:]
	}
	return len(v) > 0 && allDigits(v)
}

// inSpreadsheetRange reports whether the number v is 0 or one that is neither
// too large nor too small for a spreadsheet.
func inSpreadsheetRange(v []byte) bool {
	const smallest, largest = 2.2250738585072014e-308, 9.99999999999999e307
	f, err := strconv.ParseFloat(string(v), 64)
	size := math.Abs(f)
	return err == nil && (size >= smallest && size <= largest || size == 0 && !bytes.ContainsAny(v, "123456789eE"))
}

// A spreadsheet counts days. Day 61 is the first of March 1900: of the days
// before, spreadsheets disagree, for one of them takes 1900 for a leap year.
const (
	spreadsheetEpoch = 25569 // the first of January 1970
	firstDay         = 61
	lastDay          = 2958465 // the end of the year 9999
)

// appendDate appends a date's cell if v is a date, of a day that a spreadsheet
// knows, and reports whether it is.
func appendDate(dst, v []byte) ([]byte, bool) {
	t, ok := parseDate(v)
	if !ok {
		return dst, false
	}
	return appendMoment(dst, dateStart, t)
}

// appendDateTime appends a time's cell if v is a time, with a zone or without,
// or a date, and reports whether it is. A time finer than a microsecond is not:
// spreadsheets hold no more.
func appendDateTime(dst, v []byte) ([]byte, bool) {
	if len(v) == len(time.DateOnly) {
		return appendDate(dst, v)
	}
	t, ok := parseDateTime(v)
	if !ok {
		t, ok = parseLocal(v)
	}
	if !ok || t.Nanosecond()%1000 != 0 {
		return dst, false
	}
	return appendMoment(dst, dateTimeStart, t)
}

// parseLocal reads a time without a zone, which stands for itself.
func parseLocal(v []byte) (time.Time, bool) {
	var zoned [len(time.RFC3339Nano) + 1]byte
	if len(v) >= len(zoned) {
		return time.Time{}, false
	}
	return parseDateTime(append(append(zoned[:0], v...), 'Z'))
}

// appendMoment appends a cell that starts with start and holds t, in UTC.
func appendMoment(dst []byte, start string, t time.Time) ([]byte, bool) {
	seconds := t.Unix() + spreadsheetEpoch*secondsOfDay
	day, rest := seconds/secondsOfDay, seconds%secondsOfDay
	if seconds < firstDay*secondsOfDay || day > lastDay {
		return dst, false
	}
	dst = append(dst, start...)
	if micros := rest*1e6 + int64(t.Nanosecond()/1000); micros == 0 {
		dst = strconv.AppendInt(dst, day, 10)
	} else {
		dst = strconv.AppendFloat(dst, float64(day)+float64(micros)/(secondsOfDay*1e6), 'f', -1, 64)
	}
	return append(dst, valueEnd...), true
}
