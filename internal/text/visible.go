package text

import (
	"strings"
	"unicode"
)

// Visible returns r as it may be sent to a terminal, which obeys control
// characters: those that move or hide text have a picture, or a question mark,
// in their place.
func Visible(r rune) rune {
	switch {
	case r < ' ':
		return '\u2400' + r // ␀, …, ␛
	case r == 0x7F:
		return '␡'
	case !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r):
		return '?'
	}
	return r
}

// Line returns s on one line, without characters that a terminal obeys.
func Line(s string) string { return strings.Map(Visible, s) }

// Printable returns s without what could steer a terminal, and without a sign in its place.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, s)
}
