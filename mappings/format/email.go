package format

import (
	"bytes"
	"net/netip"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxEmail is the largest length of an address in characters: 64 for the user,
// the at sign, 255 for the domain (RFC 3696 section 3).
const maxEmail = 320

// Email reports whether v is an address by the rules of Django's EmailValidator, which
// the API uses: a user that is a dot-atom or a quoted string; after the last at sign a
// domain of at least two labels, the name localhost, or an IP address in brackets; at
// most 320 characters. A domain outside ASCII counts in its IDNA form.
//
// Django's patterns ignore case as Python does, so that in the user a few letters
// outside ASCII pass for an i, a k or an s (ı, the Kelvin sign, ſ). They fail here.
func Email(v []byte) bool {
	at := bytes.LastIndexByte(v, '@')
	if at < 0 || len(v) > maxEmail && utf8.RuneCount(v) > maxEmail {
		return false
	}
	return emailUser(v[:at]) && emailDomain(v[at+1:])
}

// emailUser reports whether v is a dot-atom or a quoted string.
func emailUser(v []byte) bool {
	if len(v) > 0 && v[0] == '"' {
		return quoted(v)
	}
	dot := true // before the first character as after a dot: an atom has to come
	for _, c := range v {
		switch {
		case c < utf8.RuneSelf && isAtom[c]:
			dot = false
		case c == '.' && !dot:
			dot = true
		default:
			return false
		}
	}
	return !dot
}

// isAtom tells the characters of an atom: letters, digits and some signs.
var isAtom = func() (set [utf8.RuneSelf]bool) {
	for c := range set {
		set[c] = isLetter(byte(c)) || isDigit(byte(c)) || bytes.IndexByte([]byte("-!#$%&'*+/=?^_`{}|~"), byte(c)) >= 0
	}
	return set
}()

// quoted reports whether v, which starts with a quote, is a quoted string.
func quoted(v []byte) bool {
	i := 1
	for i < len(v) && v[i] != '"' {
		switch c := v[i]; {
		case c == '\\':
			i++
			if i == len(v) || !escapable(v[i]) {
				return false
			}
		case !quotable(c):
			return false
		}
		i++
	}
	return i == len(v)-1
}

// quotable reports whether c may be in a quoted string unescaped: ASCII except NUL,
// tab, LF, CR, the space, the quote and the backslash.
func quotable(c byte) bool {
	return c > 0 && c < utf8.RuneSelf && c != '\t' && c != '\n' && c != '\r' && c != ' ' && c != '"' && c != '\\'
}

// escapable reports whether c may stand after a backslash in a quoted string:
// ASCII but for NUL, LF and CR.
func escapable(c byte) bool { return c > 0 && c < utf8.RuneSelf && c != '\n' && c != '\r' }

func emailDomain(v []byte) bool {
	if len(v) > 0 && v[0] == '[' {
		return literal(v)
	}
	return domainName(v) || string(v) == "localhost" || idnDomain(v)
}

// domainName reports whether v is labels of letters, digits and hyphens with
// dots between: 1 to 63 characters that neither start nor end with a hyphen,
// then one of 2 to 63 that does not end with one.
func domainName(v []byte) bool {
	labels := 0
	for {
		n := label(v)
		if n == 0 || n > 63 || v[n-1] == '-' {
			return false
		}
		if n == len(v) {
			return labels > 0 && n > 1
		}
		if v[n] != '.' || v[0] == '-' {
			return false
		}
		labels++
		v = v[n+1:]
	}
}

// label returns how many letters, digits and hyphens v starts with.
func label(v []byte) int {
	n := 0
	for n < len(v) && (isLetter(v[n]) || isDigit(v[n]) || v[n] == '-') {
		n++
	}
	return n
}

// literal reports whether v, which starts with a bracket, is an IP address in
// brackets.
func literal(v []byte) bool {
	if v[len(v)-1] != ']' || bytes.IndexByte(v, '%') >= 0 {
		return false
	}
	_, err := netip.ParseAddr(string(v[1 : len(v)-1]))
	return err == nil
}

// punycode encodes domain names as Python's codec does: mapped and normalised,
// with no more rules than domainName has.
var punycode = idna.New(idna.MapForLookup(), idna.StrictDomainName(false))

// idnDomain reports whether v has characters outside ASCII and is a domain
// name once it is encoded.
func idnDomain(v []byte) bool {
	if isASCII(v) || !utf8.Valid(v) {
		return false
	}
	ascii, err := punycode.ToASCII(string(v))
	return err == nil && domainName([]byte(ascii))
}

func isASCII(v []byte) bool {
	for _, c := range v {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
