package sinks

import (
	"maps"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// keyForms is what a run has learned of how the API stores keys. Many servers do
// not keep text as it was sent: they trim, collapse white space, normalise Unicode,
// fold case, cut, or add a prefix. A key that is stored in another form is not
// found by the form that was sent, so a look-up that finds nothing proves nothing.
// It is a proof only for a key of a form that came back unchanged before.
//
// A form is a set of traits: the kinds of characters, each single character outside
// of letters and digits of ASCII, and the length. A key is trusted if each of its
// traits was seen in some key that came back unchanged, and none longer was needed.
// The zero keyForms trusts no key. It is for concurrent use.
type keyForms struct {
	known atomic.Pointer[formSet]
	mu    sync.Mutex // held to replace known

	altered atomic.Bool // some key came back changed
	untold  atomic.Bool // answers do not show keys: nothing is to be learned from rows that are sent alone
	probing sync.Mutex  // held while a row is sent alone to learn from its answer
}

// formSet is immutable.
type formSet struct {
	traits  formTraits
	runes   map[rune]struct{} // other characters seen unchanged
	longest int               // characters of the longest key seen unchanged
	broken  bool              // a key of a form that is trusted came back changed
}

// formTraits is a set of the traits that have no character of their own.
type formTraits uint16

const (
	upperTrait       formTraits = 1 << iota // A to Z
	lowerTrait                              // a to z
	digitTrait                              // 0 to 9
	allDigitsTrait                          // nothing else: the server may take it for a number
	leadingZeroTrait                        // at the start of the key
	innerZeroTrait                          // at the start of a later group of digits
	spaceRunTrait                           // white space next to white space
	notNFCTrait                             // Unicode normalisation (UAX #15) would change it
	notNFKCTrait                            // likewise, by compatibility
)

// maxFormRunes bounds how many characters are remembered: a key with others is not
// trusted.
const maxFormRunes = 1 << 14

// traitsOf returns the traits of key. Each of its other characters is given to other,
// which may stop that by returning false.
func traitsOf(key []byte, other func(r rune) bool) (t formTraits) {
	var before rune
	onlyDigits, ascii := true, true
	for i := 0; i < len(key); {
		r, n := utf8.DecodeRune(key[i:])
		switch {
		case r >= '0' && r <= '9':
			t |= digitTrait
			if r == '0' && i == 0 {
				t |= leadingZeroTrait
			} else if r == '0' && (before < '0' || before > '9') {
				t |= innerZeroTrait
			}
		case r >= 'a' && r <= 'z':
			t |= lowerTrait
		case r >= 'A' && r <= 'Z':
			t |= upperTrait
		default:
			if unicode.IsSpace(r) && unicode.IsSpace(before) {
				t |= spaceRunTrait
			}
			if !other(r) {
				return t
			}
		}
		onlyDigits, ascii = onlyDigits && r >= '0' && r <= '9', ascii && r < utf8.RuneSelf
		before, i = r, i+n
	}
	if onlyDigits {
		t |= allDigitsTrait
	}
	if !ascii {
		t |= unicodeTraits(key)
	}
	return t
}

// unicodeTraits returns which normalisations would change key.
func unicodeTraits(key []byte) (t formTraits) {
	if !norm.NFC.IsNormal(key) {
		t |= notNFCTrait
	}
	if !norm.NFKC.IsNormal(key) {
		t |= notNFKCTrait
	}
	return t
}

// trusts reports whether keys of the form of key were seen to be kept, so that a
// key that is not found is not there.
func (f *keyForms) trusts(key []byte) bool {
	s := f.known.Load()
	return s != nil && !s.broken && s.has(key) && utf8.RuneCount(key) <= s.longest
}

// expects reports whether keys of the form of key, but for its length, were seen to be
// kept.
func (f *keyForms) expects(key []byte) bool {
	s := f.known.Load()
	return s != nil && !s.broken && s.has(key)
}

// has reports whether s has all traits of key. Its length is another matter.
func (s *formSet) has(key []byte) bool {
	seen := true
	t := traitsOf(key, func(r rune) bool {
		_, seen = s.runes[r]
		return seen
	})
	return seen && t&^s.traits == 0
}

// kept learns that key came back unchanged.
func (f *keyForms) kept(key []byte) {
	length := utf8.RuneCount(key)
	if s := f.known.Load(); s != nil && length <= s.longest && s.has(key) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := formSet{}
	if s := f.known.Load(); s != nil {
		next = *s
	}
	runes := maps.Clone(next.runes)
	if runes == nil {
		runes = map[rune]struct{}{}
	}
	t := traitsOf(key, func(r rune) bool {
		if len(runes) < maxFormRunes {
			runes[r] = struct{}{}
		}
		return true
	})
	next.runes, next.traits, next.longest = runes, next.traits|t, max(next.longest, length)
	f.known.Store(&next)
}

// alters reports whether the API was seen to store a key in another form.
func (f *keyForms) alters() bool { return f.altered.Load() }

// changed learns that key was stored in another form. If its form was trusted, what
// the API does to keys cannot be told from their forms, and none is trusted again.
func (f *keyForms) changed(key []byte) {
	f.altered.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.known.Load(); s != nil && f.trusts(key) {
		next := *s
		next.broken = true
		f.known.Store(&next)
	}
}
