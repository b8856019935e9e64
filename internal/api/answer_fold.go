package api

import (
	"html"
	"strconv"
	"unicode"
	"unicode/utf8"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// FoldText returns text in a form that is nearly independent of what an API makes of
// it: compatibility characters composed (NFKC), HTML unescaped, lower case, only
// letters and digits, no leading zeros.
func FoldText(text []byte) string { return string(appendFolded(nil, text)) }

// appendFolded appends the form of FoldText. It is empty for a text without a letter or
// a digit other than zero.
func appendFolded(dst, text []byte) []byte {
	start := len(dst)
	if !simple(text) {
		text = norm.NFKC.Bytes([]byte(html.UnescapeString(string(text))))
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r == '0' && len(dst) == start {
			continue
		}
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	return dst
}

// simple reports whether text is ASCII without escapes of HTML.
func simple(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf || c == '&' {
			return false
		}
	}
	return true
}

// FNV-1a of 64 bits. It is the same in every process, so that a run that is
// resumed reads an answer as before.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashBytes(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * hashPrime
	}
	return (h ^ 0xFF) * hashPrime // 0xFF is in no UTF-8: the end
}

// hashedLevels is how deep values are examined; deeper ones are hashed as they are
// written.
const hashedLevels = 4

// hashValue hashes v so that values which [Same] treats as equal nearly always have the
// same hash. It reports false for a value without information: null, or nothing in it.
func hashValue(h uint64, v jsontext.Value, depth int) (uint64, bool) {
	kind := v.Kind()
	if blank(v) && kind != 'f' {
		return h, false
	}
	switch {
	case depth == hashedLevels:
		return hashBytes(h, v), true
	case kind == '{':
		if id := jsonscan.Member(v, "id"); id != nil {
			return hashValue(h, id, depth+1)
		}
		return hashObject(h, v, depth+1), true
	case kind == '[':
		for _, e := range jsonscan.Members(v) {
			h, _ = hashValue(h*hashPrime, e, depth+1)
		}
		return h, true
	case kind == '0':
		return hashBytes(h, numberForm(v)), true
	case kind == '"':
		return hashBytes(h, textForm(jsonscan.Text(v))), true
	}
	return hashBytes(h, v), true
}

// hashObject returns a hash that does not depend on the order of the members.
func hashObject(h uint64, object jsontext.Value, depth int) uint64 {
	var sum uint64
	for name, v := range jsonscan.Members(object) {
		if one, ok := hashValue(hashBytes(h, jsonscan.Unquote(name)), v, depth); ok {
			sum += one
		}
	}
	return h ^ sum
}

func numberForm(v []byte) []byte {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return v
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64)
}
