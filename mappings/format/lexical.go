package format

import (
	"encoding/binary"
	"unicode/utf8"
)

// UUID reports whether v is a UUID in the text form of RFC 9562: 32
// hexadecimal digits in either case, in groups of 8, 4, 4, 4 and 12 with a
// hyphen between. Version and variant are not looked at. Braces, urn:uuid: and
// the form without hyphens, which some parsers take, fail.
func UUID(v []byte) bool {
	if len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return false
	}
	return allHex(v[:8]) && allHex(v[9:13]) && allHex(v[14:18]) && allHex(v[19:23]) && allHex(v[24:])
}

// GLN13 reports whether v is a global location number: 13 digits, the last of
// which is the check digit of the GS1 General Specifications (weights 1 and 3
// in turn, from the left).
func GLN13(v []byte) bool {
	if len(v) != 13 || !allDigits(v) {
		return false
	}
	sum := 0
	for i, c := range v {
		d := int(c - '0')
		sum += d
		if i%2 == 1 {
			sum += 2 * d
		}
	}
	return sum%10 == 0
}

// Integer reports whether v is a decimal integer as JSON writes it: digits
// without a leading zero, perhaps a minus sign before them. There is no bound.
func Integer(v []byte) bool {
	rest := cutInteger(v)
	return rest != nil && len(rest) == 0
}

// Number reports whether v is a number as JSON writes it (RFC 8259 section 6):
// -12.5e3, but not +1, .5, 1. or 1,5.
func Number(v []byte) bool {
	rest := cutInteger(v)
	if rest == nil {
		return false
	}
	if len(rest) > 0 && rest[0] == '.' {
		n := digits(rest[1:])
		if n == 0 {
			return false
		}
		rest = rest[1+n:]
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		rest = rest[1:]
		if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n := digits(rest)
		return n > 0 && n == len(rest)
	}
	return len(rest) == 0
}

// Boolean reports whether v is true or false.
func Boolean(v []byte) bool { return string(v) == "true" || string(v) == "false" }

// Length returns the number of characters, that is code points, of v. Each
// byte that is not part of valid UTF-8 counts as one.
func Length(v []byte) int {
	rest := v
	for len(rest) >= 8 {
		if binary.LittleEndian.Uint64(rest)&0x8080808080808080 != 0 {
			return utf8.RuneCount(v)
		}
		rest = rest[8:]
	}
	for _, c := range rest {
		if c >= utf8.RuneSelf {
			return utf8.RuneCount(v)
		}
	}
	return len(v)
}

// cutInteger returns v without the integer it starts with, nil if it does not
// start with one.
func cutInteger(v []byte) []byte {
	if len(v) > 0 && v[0] == '-' {
		v = v[1:]
	}
	n := digits(v)
	if n == 0 || v[0] == '0' && n > 1 {
		return nil
	}
	return v[n:]
}

// digits returns how many digits v starts with.
func digits(v []byte) int {
	n := 0
	for n < len(v) && isDigit(v[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func allDigits(v []byte) bool { return digits(v) == len(v) }

func allHex(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}
