package bulk

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
)

// numberedErrors are the shapes of errors that name rows by number. Each gets the
// numbers of the bad rows.
var numberedErrors = map[string]func(numbers []int) any{
	"records": func(numbers []int) any { return listedErrors("index", numbers) },
	"rows":    func(numbers []int) any { return map[string]any{"errors": listedErrors("row", numbers)} },
	"names": func(numbers []int) any {
		out := map[string]any{}
		for _, n := range numbers {
			out[strconv.Itoa(n)] = map[string]any{"name": []string{"not this: bad"}}
		}
		return out
	},
	"fields": func(numbers []int) any {
		out := []any{}
		for _, n := range numbers {
			out = append(out, map[string]any{"position": n, "name": []string{"not this: bad"}})
		}
		return map[string]any{"detail": out}
	},
}

func listedErrors(name string, numbers []int) (out []any) {
	for _, n := range numbers {
		out = append(out, map[string]any{name: n, "field": "name", "message": "not this: bad"})
	}
	return out
}

// TestFault47NumbersOfRowsAreLearned has an API that counts the rows of a request from 0 or
// from 1, with bad rows whose numbers fit both at first: no neighbour is rejected, and
// once the base is known a refused chunk takes one more request.
func TestFault47NumbersOfRowsAreLearned(t *testing.T) {
	const n = 40
	for shape, report := range numberedErrors {
		for base := range 2 {
			for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}} {
				name := fmt.Sprintf("%s from %d, atomicity %d", shape, base, o.Atomicity)
				f := &fakeAPI{report: func(bad []int) any {
					numbers := slices.Clone(bad)
					for i := range numbers {
						numbers[i] += base
					}
					return report(numbers)
				}}
				s := f.bulk(t, o)
				for i, bad := range [][]int{{5, 6, 30}, {n + 1, n + 2, n + 20, 2*n - 2}, {2*n + 7}} {
					before := f.posts
					c := bulkChunk(t, s, i*n, n, bad...)
					if err := s.Write(t.Context(), c); err != nil {
						t.Fatal(err)
					}
					f.wantOnce(t, name, c)
					wantFates(t, name, c, fmt.Sprintf("%d rejected, %d written", len(bad), n-len(bad)))
					for _, p := range c.Problems {
						if string(c.Fields[0].Value(int(p.Row))) != "bad" || p.Private != "not this: bad" {
							t.Errorf("%s: row %d: %+v", name, p.Row, p)
						}
					}
					limit := 2
					if i == 0 {
						limit = 4 + 2*int(math.Log2(n))
					}
					if f.posts-before > limit {
						t.Errorf("%s: chunk %d took %d requests, more than %d", name, i, f.posts-before, limit)
					}
				}
			}
		}
	}
}

// TestNumbersThatContradictEachOtherNameNobody has an API that counts from 0 in one
// answer and from 1 in the next: the rows are found by bisecting.
func TestNumbersThatContradictEachOtherNameNobody(t *testing.T) {
	answers := 0
	f := &fakeAPI{report: func(bad []int) any {
		answers++
		numbers := slices.Clone(bad)
		for i := range numbers {
			numbers[i] += answers % 2
		}
		return listedErrors("index", numbers)
	}}
	s := f.bulk(t, ImportOptions{Atomicity: AllOrNothing})
	for i, bad := range [][]int{{0, 5}, {45, 79}, {81, 90, 100, 118}} {
		c := bulkChunk(t, s, i*40, 40, bad...)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		f.wantOnce(t, "contradictory", c)
	}
	if len(f.records) != 120-8 {
		t.Errorf("%d records of 112 good rows", len(f.records))
	}
}

// TestPartialWritesNeedEveryNumber has an API that writes the good rows of a request
// and names one bad row by its key and another by a number that fits both bases: the
// others are not taken for written, but looked up.
func TestPartialWritesNeedEveryNumber(t *testing.T) {
	f := &fakeAPI{partial: true}
	f.report = func(bad []int) any {
		if len(bad) < 2 {
			return listedErrors("message", nil)
		}
		return []any{
			map[string]any{"custom_id": "K-0003", "message": "not this: bad"},
			map[string]any{"index": bad[1], "message": "not this: bad"},
		}
	}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}, Atomicity: PartialWrites, Journal: newMemory()})
	c := bulkChunk(t, s, 0, 10, 3, 7)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	f.wantOnce(t, "partial", c)
	wantFates(t, "partial", c, "2 rejected, 8 written")
}
