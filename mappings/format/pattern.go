package format

import (
	"regexp"
	"sort"
	"unicode/utf8"
)

// Pattern is a compiled regular expression in the syntax of package regexp
// (RE2). A small one runs as a table, one step for each character; others run
// in package regexp. It is safe for concurrent use.
//
// The patterns of the API are Python's, which differ in two ways. There \d, \w
// and \s match letters and digits of every script; here they match ASCII only,
// so that what passes here passes there. And there $ also matches before a
// line feed at the end; here it matches at the very end only.
type Pattern struct {
	re    *regexp.Regexp
	table *table // nil: too large, or beyond what a table can do
}

// CompilePattern compiles expr. The error is that of regexp.Compile.
func CompilePattern(expr string) (*Pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	return &Pattern{re: re, table: newTable(expr)}, nil
}

// Match reports whether v holds a match of p, anywhere unless p is anchored.
func (p *Pattern) Match(v []byte) bool {
	if p.table == nil {
		return p.re.Match(v)
	}
	return p.table.match(v)
}

// table is a deterministic automaton. Characters that the pattern does not distinguish
// share a class. A state is the index of its row in next, which has one entry, the next
// state, for each class.
type table struct {
	next   []uint16
	stride uint16 // length of a row
	start  uint16
	final  []bool // by row: whether the text may end here
	ascii  [utf8.RuneSelf]uint8
	bounds []rune  // where each range of characters begins, ascending from 0
	class  []uint8 // the class of each range
}

// Two rows are the same in every table: in the first no match can come any
// more, in the second one has been found.
const (
	deadRow = iota
	foundRow
	firstRow
)

func (t *table) match(v []byte) bool {
	s := t.start
	for i := 0; i < len(v); {
		if s <= foundRow*t.stride {
			return s != deadRow
		}
		if c := v[i]; c < utf8.RuneSelf {
			s = t.next[s+uint16(t.ascii[c])]
			i++
			continue
		}
		r, n := utf8.DecodeRune(v[i:])
		s = t.next[s+uint16(t.classOf(r))]
		i += n
	}
	return t.final[s/t.stride]
}

func (t *table) classOf(r rune) uint8 {
	return t.class[sort.Search(len(t.bounds), func(i int) bool { return t.bounds[i] > r })-1]
}
