package runs

import (
	"maps"
	"math/bits"
)

// RowSet is a set of row numbers, 64 in a word. The numbers of a file are close together,
// and a number far from all others takes only one word more.
type RowSet map[int64]uint64

// Has reports whether row is in the set.
func (s RowSet) Has(row int64) bool { return s[row>>6]&(1<<(row&63)) != 0 }

// Add puts row in and reports whether it was not there.
func (s RowSet) Add(row int64) bool {
	was := s[row>>6]
	s[row>>6] = was | 1<<(row&63)
	return s[row>>6] != was
}

func (s RowSet) remove(row int64) {
	if s.Has(row) {
		s[row>>6] &^= 1 << (row & 63)
	}
}

// Len returns how many rows there are.
func (s RowSet) Len() (n int64) {
	for _, word := range s {
		n += int64(bits.OnesCount64(word))
	}
	return n
}

// minus takes the rows of other out.
func (s RowSet) minus(other RowSet) {
	for i, word := range other {
		if _, some := s[i]; some {
			s[i] &^= word
		}
	}
}

// join puts the rows of other in.
func (s RowSet) join(other RowSet) {
	for i, word := range other {
		s[i] |= word
	}
}

// and returns the rows that are in other, too.
func (s RowSet) and(other RowSet) RowSet {
	both := RowSet{}
	for i, word := range s {
		if word &= other[i]; word != 0 {
			both[i] = word
		}
	}
	return both
}

func (s RowSet) clone() RowSet { return maps.Clone(s) }

// first returns the smallest row; 0 if there is none.
func (s RowSet) first() (row int64) {
	for i, word := range s {
		if word == 0 {
			continue
		}
		if at := i<<6 + int64(bits.TrailingZeros64(word)); row == 0 || at < row {
			row = at
		}
	}
	return row
}
