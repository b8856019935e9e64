package bulk

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"

	"flytt/internal/jsonscan"
)

// keyForms is what a run has learned about how the API stores keys. Many servers do
// not keep text as it was sent: they trim, collapse white space, normalise Unicode,
// fold case, truncate, or add a prefix. A key that is stored in another form is not
// found by the form that was sent, so a lookup that finds nothing proves nothing. It
// is a proof only for a key of a form that came back unchanged before.
//
// A form is a set of traits: the kinds of characters, each single character outside
// of letters and digits of ASCII, and the length. A key is trusted if each of its
// traits was seen in some key that came back unchanged, and none longer was needed.
// The key of an older record shows what to expect of new keys, but proves nothing: when
// that record was created, the API may not have changed keys yet. The zero keyForms
// trusts no key. It is for concurrent use.
type keyForms struct {
	known  atomic.Pointer[formSet] // by answers to rows that were sent
	stored atomic.Pointer[formSet] // by those and by records that there are
	mu     sync.Mutex              // held to replace them
	lost   [][]byte                // some keys that came back changed

	altered         atomic.Bool  // some key came back changed
	cut             atomic.Int64 // characters of the shortest key that came back changed although only its length was new; 0: none
	answersHideKeys atomic.Bool  // answers do not show keys: nothing is to be learned from rows that are sent alone
	probing         sync.Mutex   // held while a row is sent alone to learn from its answer
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
func (f *keyForms) trusts(key []byte) bool { return f.known.Load().trusts(key) }

// expects reports whether keys of the form of key, but for its length, were seen to be
// kept, or there are records with such keys.
func (f *keyForms) expects(key []byte) bool {
	s := f.stored.Load()
	return s != nil && !s.broken && s.has(key)
}

// trusts reports whether s has all traits of key, and keys as long. The nil formSet has
// none.
func (s *formSet) trusts(key []byte) bool { return s.covers(key) && !s.broken }

// covers reports whether s has all traits of key, and keys as long.
func (s *formSet) covers(key []byte) bool {
	return s != nil && utf8.RuneCount(key) <= s.longest && s.has(key)
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

// cuts reports whether keys of this length, or shorter ones, came back changed although
// only their length was new.
func (f *keyForms) cuts(key []byte) bool {
	cut := f.cut.Load()
	return cut > 0 && int64(utf8.RuneCount(key)) >= cut
}

// maxShort is how many characters a key may have that no API is expected to cut. Numbers
// that grow by a digit are not to cost requests.
const maxShort = 12

// keeps reports whether the API is expected to keep keys of the form of key.
func (f *keyForms) keeps(key []byte) bool {
	return f.stored.Load().trusts(key) || f.expects(key) && utf8.RuneCount(key) <= maxShort && !f.cuts(key)
}

// isKnown reports whether it is known that the API keeps, or changes, keys of the form of key.
func (f *keyForms) isKnown(key []byte) bool {
	if f.expects(key) {
		return f.keeps(key) || f.cuts(key)
	}
	return f.altered.Load()
}

// start returns the start of key, of a length that the API was seen to keep of other keys.
func (f *keyForms) start(key []byte) []byte {
	s := f.stored.Load()
	if s == nil {
		return nil
	}
	runes := []rune(string(key))
	return []byte(string(runes[:min(len(runes), s.longest)]))
}

// kept learns that key came back unchanged.
func (f *keyForms) kept(key []byte) {
	if f.known.Load().covers(key) {
		return // and the other set does, too
	}
	f.learn(&f.known, key)
	f.learn(&f.stored, key)
}

// met learns that there is a record with key.
func (f *keyForms) met(key []byte) { f.learn(&f.stored, key) }

// learn adds the form of key to the set in at. If that makes a form trusted in which a
// key came back changed, none is trusted again.
func (f *keyForms) learn(at *atomic.Pointer[formSet], key []byte) {
	if at.Load().covers(key) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	next := at.Load().with(key)
	next.broken = next.broken || slices.ContainsFunc(f.lost, next.trusts)
	at.Store(next)
}

func (s *formSet) with(key []byte) *formSet {
	next := formSet{}
	if s != nil {
		next = *s
	}
	next.runes = maps.Clone(next.runes)
	if next.runes == nil {
		next.runes = map[rune]struct{}{}
	}
	next.traits |= traitsOf(key, func(r rune) bool {
		if len(next.runes) < maxFormRunes {
			next.runes[r] = struct{}{}
		}
		return true
	})
	next.longest = max(next.longest, utf8.RuneCount(key))
	return &next
}

// maxLostKeys bounds how many keys that came back changed are remembered.
const maxLostKeys = 100

// changed learns that key was stored in another form. If its form was trusted, or comes
// to be, what the API does to keys does not depend on their forms, and none is trusted
// again.
func (f *keyForms) changed(key []byte) {
	f.altered.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lost) < maxLostKeys {
		f.lost = append(f.lost, bytes.Clone(key))
	}
	if f.expects(key) && !f.stored.Load().trusts(key) && !f.cuts(key) {
		f.cut.Store(int64(utf8.RuneCount(key)))
	}
	for _, at := range []*atomic.Pointer[formSet]{&f.known, &f.stored} {
		if s := at.Load(); s.trusts(key) {
			next := *s
			next.broken = true
			at.Store(&next)
		}
	}
}

// fieldForms is what a run has learned of which members the API keeps as they are sent.
// It is for concurrent use.
type fieldForms struct {
	rows atomic.Int64 // shown whole so far

	mu      sync.Mutex
	seen    map[string]bool // members that came back as sent
	wide    map[string]bool // members of which a value did that is not ASCII alone
	changed map[string]bool // members that came back in another form, at least once
	edges   map[uint64]bool // what was seen to be added or cut: see storage.edge
}

// maxEdges bounds how many are remembered. A server adds the same to all values, or cuts
// all at one length.
const maxEdges = 1000

// learnedRows is how many rows are looked at for members that come back as they were
// sent. Those that do not are noticed in every row.
const learnedRows = 1000

// learn takes in how the API stored a row that was sent.
func (f *fieldForms) learn(sent []byte, stored []deviation) {
	if f.rows.Add(1) > learnedRows && len(stored) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen, f.wide = map[string]bool{}, map[string]bool{}
		f.changed, f.edges = map[string]bool{}, map[uint64]bool{}
	}
	for _, d := range stored {
		f.changed[d.name] = true
		if d.edge != 0 && len(f.edges) < maxEdges {
			f.edges[d.edge] = true
		}
	}
	for name, value := range jsonscan.Members(sent) {
		if !f.seen[string(name)] {
			f.seen[string(jsonscan.Unquote(name))] = true
		}
		if !f.wide[string(name)] && isWide(value) {
			f.wide[string(jsonscan.Unquote(name))] = true
		}
	}
}

// adds reports whether this was seen to be added or cut.
func (f *fieldForms) adds(edge uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return edge != 0 && f.edges[edge]
}

// keeps reports whether the member name always came back as it was sent, so far, with
// values like value: that an API keeps ASCII says nothing of other letters.
func (f *fieldForms) keeps(name string, value jsontext.Value) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[name] && !f.changed[name] && (f.wide[name] || !isWide(value))
}

// isWide reports whether value has characters that are not ASCII.
func isWide(value jsontext.Value) bool {
	text := []byte(value)
	if bytes.IndexByte(text, '\\') >= 0 { // they may be escaped
		text = jsonscan.Text(value)
	}
	return bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
