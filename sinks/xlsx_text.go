package sinks

import (
	"encoding/binary"
	"unicode/utf8"
)

// xmlPlain says of a byte of UTF-8 that it may stand in a cell's text as it is
// and means nothing there.
var xmlPlain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = true
	}
	t['\t'], t['\n'] = true, true
	t['&'], t['<'], t['>'], t['_'] = false, false, false, false
	return t
}()

// appendXMLText appends v as a cell's text. What XML cannot hold, and the
// carriage return, which XML makes a line feed of, is written as the number of
// the character: _x000D_ (ECMA-376, part 1, 22.9.2.19, ST_Xstring). A text that
// looks like that already has its underscore written so. It reports false if v
// is not UTF-8.
func appendXMLText(dst, v []byte) ([]byte, bool) {
	start := 0 // of what is not appended yet
	for i := xmlPlainPrefix(v); i < len(v); {
		if xmlPlain[v[i]] {
			i++
			continue
		}
		escaped, size := xmlEscape(v[i:])
		if size == 0 {
			return dst, false
		}
		if escaped != "" {
			dst = append(dst, v[start:i]...)
			dst = append(dst, escaped...)
			start = i + size
		}
		i += size
	}
	return append(dst, v[start:]...), true
}

// xmlEscape returns how the character that v starts with is written, empty if
// it is as it stands, and how long it is in v: 0 if it is not UTF-8.
func xmlEscape(v []byte) (escaped string, size int) {
	switch c := v[0]; {
	case c == '&':
		return "&amp;", 1
	case c == '<':
		return "&lt;", 1
	case c == '>':
		return "&gt;", 1
	case c == '_' && looksEscaped(v):
		return "_x005F_", 1
	case c < ' ':
		return controlEscapes[c], 1
	}
	r, size := utf8.DecodeRune(v)
	switch {
	case r == utf8.RuneError && size == 1:
		return "", 0
	case r == '\uFFFE':
		return "_xFFFE_", size
	case r == '\uFFFF':
		return "_xFFFF_", size
	}
	return "", size
}

// controlEscapes are the characters below the space, as a cell's text has them.
var controlEscapes = func() (t [0x20]string) {
	const hex = "0123456789ABCDEF"
	for c := range t {
		t[c] = "_x00" + string(hex[c>>4]) + string(hex[c&15]) + "_"
	}
	return t
}()

// looksEscaped reports whether v starts as an escaped character does: an
// underscore, an x and four hexadecimal digits. The underscore at the end is not
// looked at: it may become one by what follows being escaped.
func looksEscaped(v []byte) bool {
	if len(v) < 6 || v[1] != 'x' {
		return false
	}
	for _, c := range v[2:6] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// xmlPlainPrefix returns the length of a prefix of v in which every byte is
// plain, looking at eight bytes at a time, as plainPrefix does. Of the bytes
// that are not plain it misses none; it may stop early.
func xmlPlainPrefix(v []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(v); i += 8 {
		x := binary.LittleEndian.Uint64(v[i:])
		and, less, greater, low := x^'&'*ones, x^'<'*ones, x^'>'*ones, x^'_'*ones
		if (x|(x-0x20*ones)|(and-ones)|(less-ones)|(greater-ones)|(low-ones))&tops != 0 {
			return i
		}
	}
	return i
}

// isXMLSpace reports whether c is white space that readers drop at the ends of
// a line unless told to keep it.
func isXMLSpace(c byte) bool { return c == ' ' || c == '\t' }

// utf16Length returns the length of v as spreadsheets count it, in units of
// UTF-16: two for a character beyond the first 65,536.
func utf16Length(v []byte) int {
	n := 0
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		if r > 0xFFFF {
			n++
		}
		n++
		v = v[size:]
	}
	return n
}
