package xlsx

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendText appends raw, characters of XML, to dst, with references and line ends
// resolved as XML requires. It reports false if a reference is not one of XML's own; no
// other ones can be declared here.
func appendText(dst, raw []byte) ([]byte, bool) {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return append(dst, raw...), true
	}
	whole := true
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '\r':
			if i+1 == len(raw) || raw[i+1] != '\n' {
				dst = append(dst, '\n')
			}
		case '&':
			end := bytes.IndexByte(raw[i:min(len(raw), i+12)], ';')
			r := rune(-1)
			if end > 0 {
				r = reference(raw[i+1 : i+end])
			}
			if r < 0 {
				whole = false
				dst = append(dst, c)
				continue
			}
			dst = utf8.AppendRune(dst, r)
			i += end
		default:
			dst = append(dst, c)
		}
	}
	return dst, whole
}

// reference returns the character that &name; stands for, or -1.
func reference(name []byte) rune {
	switch string(name) {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	if len(name) < 2 || name[0] != '#' {
		return -1
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return -1
	}
	return rune(n)
}

// unescape resolves, in place, the escapes by which workbooks write characters that XML
// cannot hold: _x000D_ for a carriage return, _x005F_ for an underscore that would
// start such an escape. It returns what is left of v.
func unescape(v []byte) []byte {
	i := bytes.Index(v, []byte("_x"))
	if i < 0 {
		return v
	}
	out := v[:i]
	for i < len(v) {
		u, ok := escapeAt(v[i:])
		if !ok {
			out = append(out, v[i])
			i++
			continue
		}
		i += escapeLen
		r := rune(u)
		if utf16.IsSurrogate(r) {
			second, ok := escapeAt(v[i:])
			if r = utf16.DecodeRune(r, rune(second)); ok && r != utf8.RuneError {
				i += escapeLen
			} else {
				r = utf8.RuneError
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

const escapeLen = len("_x000D_")

// escapeAt returns the UTF-16 code unit that v starts with as an escape.
func escapeAt(v []byte) (uint16, bool) {
	if len(v) < escapeLen || v[0] != '_' || v[1] != 'x' || v[6] != '_' {
		return 0, false
	}
	n := uint16(0)
	for _, c := range v[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint16(c)
	}
	return n, true
}
