package main

import (
	"maps"
	"math/bits"
)

// rowSet is a set of rows by their numbers, 64 to a word: those of a file lie close
// together, and a number that somebody made up takes no more than a word.
type rowSet map[int64]uint64

func (s rowSet) has(row int64) bool { return s[row>>6]&(1<<(row&63)) != 0 }

// add puts row in and reports whether it was not there.
func (s rowSet) add(row int64) bool {
	was := s[row>>6]
	s[row>>6] = was | 1<<(row&63)
	return s[row>>6] != was
}

// remove takes row out.
func (s rowSet) remove(row int64) {
	if s.has(row) {
		s[row>>6] &^= 1 << (row & 63)
	}
}

// len returns how many rows there are.
func (s rowSet) len() (n int64) {
	for _, word := range s {
		n += int64(bits.OnesCount64(word))
	}
	return n
}

// minus takes the rows of other out.
func (s rowSet) minus(other rowSet) {
	for i, word := range other {
		if _, some := s[i]; some {
			s[i] &^= word
		}
	}
}

// join puts the rows of other in.
func (s rowSet) join(other rowSet) {
	for i, word := range other {
		s[i] |= word
	}
}

// and returns the rows that are in other, too.
func (s rowSet) and(other rowSet) rowSet {
	both := rowSet{}
	for i, word := range s {
		if word &= other[i]; word != 0 {
			both[i] = word
		}
	}
	return both
}

// clone returns a copy.
func (s rowSet) clone() rowSet { return maps.Clone(s) }

// first returns the smallest row; 0 if there is none.
func (s rowSet) first() (row int64) {
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
