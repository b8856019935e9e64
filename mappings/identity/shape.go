package identity

import (
	"strconv"
	"unicode/utf8"
)

// isExcelNumber reports whether v is a number as a spreadsheet displays or exports an
// identity number that it took for a number: 1.98501E+11, 1,98501E+11 or
// 198501022399.0.
func isExcelNumber(v []byte) bool {
	v, whole := cutDigits(v)
	if whole == 0 {
		return false
	}
	zeros := false
	if len(v) > 0 && (v[0] == '.' || v[0] == ',') {
		rest, n := cutDigits(v[1:])
		zeros = n > 0 && len(rest) == 0 && allZero(v[1:])
		v = rest
	}
	if zeros || len(v) == 0 || v[0]|0x20 != 'e' {
		return zeros
	}
	v = v[1:]
	if len(v) > 0 && (v[0] == '+' || v[0] == '-') {
		v = v[1:]
	}
	rest, n := cutDigits(v)
	return n > 0 && len(rest) == 0
}

// cutDigits returns v without the digits it starts with, and their number.
func cutDigits(v []byte) ([]byte, int) {
	n := 0
	for n < len(v) && isDigit(v[n]) {
		n++
	}
	return v[n:], n
}

func allZero(v []byte) bool {
	for _, c := range v {
		if c != '0' {
			return false
		}
	}
	return true
}

// Describe describes v without showing it, for a Problem's Shape: "12 digits", "6
// digits, hyphen, 4 digits". For a long or mixed value it says only the length: "37
// characters".
func Describe(v []byte) string {
	if len(v) == 0 {
		return "empty"
	}
	var b []byte
	rest := v
	for parts := 0; len(rest) > 0; parts++ {
		if parts == 5 {
			return counted(utf8.RuneCount(v), "character")
		}
		if parts > 0 {
			b = append(b, ", "...)
		}
		var s string
		s, rest = cutRun(rest)
		b = append(b, s...)
	}
	return string(b)
}

// cutRun describes the characters of one kind that v starts with, and returns
// the rest.
func cutRun(v []byte) (string, []byte) {
	kind, n := kindOf(v)
	count, end := 1, n
	for end < len(v) {
		k, n := kindOf(v[end:])
		if k != kind {
			break
		}
		count++
		end += n
	}
	if count == 1 && kind != "digit" {
		return kind, v[end:]
	}
	return counted(count, kind), v[end:]
}

// kindOf names the character v starts with, and returns its length.
func kindOf(v []byte) (string, int) {
	switch c := v[0]; {
	case isDigit(c):
		return "digit", 1
	case isLetter(c):
		return "letter", 1
	case c == '-':
		return "hyphen", 1
	case c == '+':
		return "plus sign", 1
	case c == ' ':
		return "space", 1
	}
	_, n := utf8.DecodeRune(v)
	return "other character", n
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
