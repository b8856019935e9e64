package inspect

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"flytt/internal/text"
)

// mostShown is how many characters of a value are shown.
const mostShown = 40

// mask returns v with its letters as a and A and its digits as 9: the form of
// a value without the value. Punctuation and spaces stay, and so does the
// length; any other character, which might tell something, is a question mark.
func mask(v []byte) string {
	return shown(v, func(r rune) rune {
		switch {
		case unicode.IsUpper(r):
			return 'A'
		case unicode.IsLetter(r):
			return 'a'
		case unicode.IsNumber(r):
			return '9'
		case unicode.IsPunct(r), r < utf8.RuneSelf, unicode.IsSpace(r):
			return r
		}
		return '?'
	})
}

func unmasked(v []byte) string { return shown(v, func(r rune) rune { return r }) }

// shown returns v for a terminal, each character changed by change and the end
// cut off if it is long.
func shown(v []byte, change func(rune) rune) string {
	var b strings.Builder
	for n := 0; len(v) > 0; n++ {
		if n == mostShown {
			b.WriteRune('…')
			break
		}
		r, size := utf8.DecodeRune(v)
		b.WriteRune(text.Visible(change(r)))
		v = v[size:]
	}
	return b.String()
}
