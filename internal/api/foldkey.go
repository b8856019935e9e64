package api

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldKey returns key without what many databases ignore when they compare texts: case,
// Unicode form (canonical and compatibility), white space and invisible characters. Two
// keys with the same result are the same key in another form. The result is only for
// comparing: letters and their accents are separate in it.
func FoldKey(key string) string {
	if isASCII(key) {
		return foldASCII(key)
	}
	// Folding may undo the normal form, and normalising may bring capital letters and
	// spaces.
	folded := decompose(cases.Fold().String(decompose(strings.ToValidUTF8(key, "\ufffd"))))
	return decompose(cases.Fold().String(folded))
}

// decompose returns key normalised (NFKD), and without what cannot be seen.
func decompose(key string) string {
	visible := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(key))
	return norm.NFKD.String(visible) // accents that a space kept apart are to stand in order
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func foldASCII(key string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, key)
}
