package sources

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"flytt/sources/textscan"
)

// The encodings that are not tables of 256 characters.
const (
	ascii   = "ascii"
	utf8Enc = "utf-8"
	utf16   = "utf-16"
	utf16LE = "utf-16le"
	utf16BE = "utf-16be"
	windows = "windows-1252"
)

const (
	bomUTF8    = "\xEF\xBB\xBF"
	bomUTF16LE = "\xFF\xFE"
	bomUTF16BE = "\xFE\xFF"
)

// charmaps are the encodings with one byte for each character. Their lower half is
// ASCII, so that text can be cut before it is converted.
var charmaps = []struct {
	name string
	cmap *charmap.Charmap
}{
	{windows, charmap.Windows1252},
	{"iso-8859-1", charmap.ISO8859_1},
	{"iso-8859-15", charmap.ISO8859_15},
	{"iso-8859-2", charmap.ISO8859_2},
	{"iso-8859-4", charmap.ISO8859_4},
	{"iso-8859-10", charmap.ISO8859_10},
	{"windows-1250", charmap.Windows1250},
	{"windows-1251", charmap.Windows1251},
	{"windows-1257", charmap.Windows1257},
	{"cp437", charmap.CodePage437},
	{"cp850", charmap.CodePage850},
	{"cp858", charmap.CodePage858},
	{"cp865", charmap.CodePage865},
	{"macintosh", charmap.Macintosh},
}

// encodingAliases are other names that people use.
var encodingAliases = map[string]string{
	"utf8": utf8Enc, "utf-8-sig": utf8Enc, "utf16": utf16, "utf16le": utf16LE, "utf16be": utf16BE,
	"cp1252": windows, "ansi": windows, "latin1": "iso-8859-1", "latin-1": "iso-8859-1", "iso8859-1": "iso-8859-1",
	"latin9": "iso-8859-15", "latin-9": "iso-8859-15", "us-ascii": utf8Enc, ascii: utf8Enc,
	"ibm437": "cp437", "ibm850": "cp850", "ibm865": "cp865", "macroman": "macintosh", "mac-roman": "macintosh",
}

// Encodings returns the names that Options.Encoding accepts.
func Encodings() []string {
	names := []string{utf8Enc, utf16, utf16LE, utf16BE}
	for _, c := range charmaps {
		names = append(names, c.name)
	}
	return names
}

// encodingName returns the name in Encodings for the name that a person has given.
func encodingName(name string) (string, error) {
	n := strings.ToLower(strings.TrimSpace(name))
	n = strings.ReplaceAll(n, "_", "-")
	if a, ok := encodingAliases[n]; ok {
		n = a
	}
	if n != "" && !slices.Contains(Encodings(), n) {
		return "", fmt.Errorf("unknown encoding %q", name)
	}
	return n, nil
}

// charTable converts bytes of one encoding to UTF-8.
type charTable struct {
	name      string
	requested bool // the user named the encoding, so it is not questioned
	undefined [256]bool
	text      [256][4]byte // the UTF-8 form, at most three bytes, and its length
}

// newTable returns the table of the encoding called name; nil for the encodings without
// a table.
func newTable(name string, exact bool) *charTable {
	for _, c := range charmaps {
		if c.name == name {
			return buildTable(name, c.cmap, exact)
		}
	}
	return nil
}

func buildTable(name string, cmap *charmap.Charmap, exact bool) *charTable {
	t := &charTable{name: name, requested: exact}
	for i := range 256 {
		r := cmap.DecodeByte(byte(i))
		if r == utf8.RuneError {
			t.undefined[i] = true
			if i < 0xA0 { // as browsers do; the rejects file then still tells which byte it was
				r = rune(i)
			}
		}
		n := utf8.EncodeRune(t.text[i][:3], r)
		t.text[i][3] = byte(n)
	}
	return t
}

// append appends the UTF-8 form of src to dst.
func (t *charTable) append(dst, src []byte) []byte {
	for len(src) > 0 {
		n := textscan.ASCIILen(src)
		dst = append(dst, src[:n]...)
		for src = src[n:]; len(src) > 0 && src[0] >= utf8.RuneSelf; src = src[1:] {
			c := &t.text[src[0]]
			dst = append(dst, c[:c[3]]...)
		}
	}
	return dst
}

// clean reports whether src has neither an undefined byte nor, if the encoding was
// detected, a character that looks like UTF-8.
func (t *charTable) clean(src []byte) bool {
	return !t.hasUndefined(src) && (t.requested || !hasUTF8(src))
}

// hasUndefined reports whether src has a byte that stands for no character in the
// encoding.
func (t *charTable) hasUndefined(src []byte) bool {
	for len(src) > 0 {
		src = src[textscan.ASCIILen(src):]
		for ; len(src) > 0 && src[0] >= utf8.RuneSelf; src = src[1:] {
			if t.undefined[src[0]] {
				return true
			}
		}
	}
	return false
}

// hasUTF8 reports whether src has a character of two bytes or more that is
// valid UTF-8.
func hasUTF8(src []byte) bool {
	for {
		src = src[textscan.ASCIILen(src):]
		if len(src) == 0 {
			return false
		}
		if r, n := utf8.DecodeRune(src); r != utf8.RuneError || n > 1 {
			return true
		}
		src = src[1:]
	}
}
