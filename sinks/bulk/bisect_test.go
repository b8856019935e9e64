package bulk

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// searched plays a bisect against an API that writes all of a request or nothing,
// and returns which rows it finds, in order, and how many requests that takes.
func searched(t *testing.T, n int, bad map[int32]bool) (found []int32, requests int) {
	t.Helper()
	b := bisect{size: n}
	for i := range n {
		b.rows = append(b.rows, int32(i))
	}
	settled := 0
	for len(b.rows) > 0 {
		part := b.rows[:b.next()]
		requests++
		v := verdict{ending: wentThrough}
		if slices.ContainsFunc(part, func(row int32) bool { return bad[row] }) {
			v = verdict{ending: wasRefused, left: slices.Clone(part), holds: true}
		}
		if v.ending == wasRefused && len(part) == 1 {
			v.left, v.rejected = nil, 1
			found = append(found, part[0])
		}
		settled += len(part) - len(v.left)
		b.take(len(part), &v)
	}
	if settled != n {
		t.Fatalf("%d of %d rows settled", settled, n)
	}
	return found, requests
}

// placed returns k of n rows: at random, from the first on, up to the last, or
// at equal distances.
func placed(random *rand.Rand, how string, n, k int) map[int32]bool {
	bad := map[int32]bool{}
	at := random.Perm(n)
	for i := range k {
		switch how {
		case "first":
			bad[int32(i)] = true
		case "last":
			bad[int32(n-1-i)] = true
		case "apart":
			bad[int32(i*n/k)] = true
		default:
			bad[int32(at[i])] = true
		}
	}
	return bad
}

// allowed returns how many requests it may take to find k rows of n.
func allowed(n, k int) float64 {
	if k == 0 {
		return 1
	}
	bound := 2*float64(k)*math.Log2(float64(n)/float64(k)) + 1
	if 3*k <= int(math.Sqrt(float64(n))) || n >= 500 && 12*k <= n {
		return bound
	}
	return bound + 2.5*float64(k)
}

// TestFault15BisectIsBounded finds every row that is refused, and no other, within
// the number of requests that it promises.
func TestFault15BisectIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 1))
	for _, n := range []int{1, 2, 3, 5, 8, 13, 33, 64, 100, 127, 128, 250, 500, 501, 1000} {
		for k := 0; k <= n; k += 1 + k/7 {
			for _, how := range []string{"random", "random", "random", "first", "last", "apart"} {
				bad := placed(random, how, n, k)
				found, requests := searched(t, n, bad)
				if len(found) != k || slices.ContainsFunc(found, func(row int32) bool { return !bad[row] }) {
					t.Fatalf("%d of %d rows %s: found %v", k, n, how, found)
				}
				if float64(requests) > allowed(n, k) {
					t.Errorf("%d of %d rows %s: %d requests, more than %.0f", k, n, how, requests, allowed(n, k))
				}
			}
		}
	}
}

// TestFault15BisectIsBoundedAtItsWorst moves the rows that are refused to where
// they cost most.
func TestFault15BisectIsBoundedAtItsWorst(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 2))
	for _, n := range []int{16, 64, 500} {
		for _, k := range []int{1, 2, 3, 8, 16} {
			bad := placed(random, "random", n, k)
			_, most := searched(t, n, bad)
			for range 300 {
				next := maps.Clone(bad)
				for row := range next {
					delete(next, row)
					break
				}
				for len(next) < k {
					next[random.Int32N(int32(n))] = true
				}
				if _, requests := searched(t, n, next); requests >= most {
					bad, most = next, requests
				}
			}
			if float64(most) > allowed(n, k) {
				t.Errorf("%d of %d rows: %d requests, more than %.0f", k, n, most, allowed(n, k))
			}
		}
	}
}
