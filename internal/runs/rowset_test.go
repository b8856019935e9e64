package runs

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"testing"
)

// rowsOf returns the set of rows.
func rowsOf(rows ...int64) RowSet {
	s := RowSet{}
	for _, row := range rows {
		s.Add(row)
	}
	return s
}

// TestRowSets holds sets of rows against maps.
func TestRowSets(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	random := func() (RowSet, map[int64]bool) {
		s, m := RowSet{}, map[int64]bool{}
		for range r.IntN(200) {
			row := 1 + r.Int64N(300)
			if r.IntN(20) == 0 {
				row = 1<<62 + r.Int64N(3) // as somebody might make one up
			}
			if r.IntN(4) == 0 {
				s.remove(row)
				delete(m, row)
			} else if s.Add(row) == m[row] {
				t.Fatalf("row %d: added, or not, though it was there: %v", row, m[row])
			} else {
				m[row] = true
			}
		}
		return s, m
	}
	same := func(what string, s RowSet, m map[int64]bool) {
		t.Helper()
		least := int64(0)
		for row := range m {
			if !s.Has(row) {
				t.Fatalf("%s: row %d is missing", what, row)
			}
			if least == 0 || row < least {
				least = row
			}
		}
		if s.Len() != int64(len(m)) || s.first() != least {
			t.Fatalf("%s: %d rows from %d, want %d from %d", what, s.Len(), s.first(), len(m), least)
		}
	}
	for range 300 {
		a, inA := random()
		b, inB := random()
		same("a", a, inA)
		both, neither := maps.Clone(inA), maps.Clone(inA)
		maps.DeleteFunc(both, func(row int64, _ bool) bool { return !inB[row] })
		maps.DeleteFunc(neither, func(row int64, _ bool) bool { return inB[row] })
		same("and", a.and(b), both)
		less := a.clone()
		less.minus(b)
		same("minus", less, neither)
		joined := a.clone()
		joined.join(b)
		maps.Copy(inA, inB)
		same("join", joined, inA)
		data, err := json.Marshal(joined)
		var back RowSet
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil {
			t.Fatal(err)
		}
		same("JSON", back, inA)
	}
}
