package list

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// scene is a random list and a random way to read it.
func scene(seed uint64) (*fakeList, *Query, Options) {
	random := rand.New(rand.NewPCG(seed, 2))
	f := newFake(seed, 0)
	f.shown = []time.Duration{1, time.Microsecond, time.Millisecond, time.Second}[random.IntN(4)]
	step := []int64{1, 1000, 300_000, 50_000_000, 2_000_000_000}[random.IntN(5)]
	tie := 1 + random.IntN(1+random.IntN(60))
	for n := random.IntN(300); n > 0; n-- {
		f.insert(f.clock, random.IntN(3) == 0)
		if random.IntN(tie) == 0 {
			f.clock += random.Int64N(step) + 1
		}
	}
	f.bare = random.IntN(4) == 0
	f.trim = random.IntN(3) == 0
	f.notFound = random.IntN(2) == 0
	o := Options{PageSize: 1 + random.IntN(1+random.IntN(60)), Concurrency: 1 + random.IntN(5), Created: "created_at"}
	if random.IntN(3) == 0 {
		f.clamp = 1 + random.IntN(o.PageSize)
	}
	l := NewQuery("/x/list/", nil)
	if random.IntN(5) == 0 {
		_ = l.Filter("created_at", []string{"gte", "gt", "lte", "lt"}[random.IntN(4)], false, f.moment(fakeEpoch))
	}
	if random.IntN(5) == 0 {
		o.Created = ""
	}
	if random.IntN(5) == 0 {
		_ = l.OrderBy("rank")
	}
	return f, l, o
}

func (f *fakeList) moment(at int64) string {
	text := time.Unix(0, at).UTC().Format("2006-01-02T15:04:05")
	if !f.bare {
		text += "Z"
	}
	return text
}

// busy makes and removes rows at a rate, also some that show up long after they
// were made.
func busy(rate int) func(*fakeList) {
	late := 200 // without end the list would grow faster than single rows are read
	return func(f *fakeList) {
		for f.random.IntN(rate+1) > 0 {
			switch f.random.IntN(6) {
			case 0:
				f.insert(f.clock, true)
				f.clock += f.random.Int64N(50_000_000)
			case 1:
				if late--; late > 0 {
					f.insert(fakeEpoch+f.random.Int64N(f.clock-fakeEpoch+1), true)
				}
			case 2: // at a moment at which there are others
				if late--; late > 0 && len(f.rows) > 0 {
					f.insert(f.rows[f.random.IntN(len(f.rows))].at, true)
				}
			default:
				if i := f.random.IntN(len(f.rows) + 1); i < len(f.rows) && f.rows[i].standby {
					f.rows = append(f.rows[:i:i], f.rows[i+1:]...)
				}
			}
		}
	}
}

// wanted returns the rows that stand still and that the filters of l leave.
func (f *fakeList) wanted(l *Query) (ids []string) {
	for _, r := range f.query(l.values) {
		if !r.standby {
			ids = append(ids, r.id)
		}
	}
	return ids
}

func TestRowsAreCompleteWhereNothingChanges(t *testing.T) {
	for seed := range uint64(400) {
		f, l, o := scene(seed)
		for i := range f.rows {
			f.rows[i].standby = false
		}
		want := f.wanted(l)
		got := readFake(t, f, l, o)
		if got.err != nil || !got.account.Complete || len(got.ids) != len(want) {
			t.Fatalf("seed %d: %d of %d rows, err %v, %+v, options %+v clamp %d", seed, len(got.ids), len(want), got.err, got.account, o, f.clamp)
		}
		f.check(t, got, want)
		// With a lower bound of the list's own, ours is a little below what is wanted.
		if got.account.Duplicates != 0 || got.account.Drifts != 0 && len(l.filters) == 0 {
			t.Fatalf("seed %d: %+v", seed, got.account)
		}
	}
}

func TestRowsAreEachOnceOrInDoubt(t *testing.T) {
	complete, created := 0, 0
	for seed := range uint64(300) {
		f, l, o := scene(seed)
		f.mutate = busy(1 + int(seed%4))
		f.shrinks = seed%7 == 0
		want := f.wanted(l)
		got := readFake(t, f, l, o)
		if got.err != nil {
			t.Fatalf("seed %d: %v", seed, got.err)
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { f.check(t, got, want) })
		if o.Created != "" && len(l.order) == 0 {
			created++
			if got.account.Complete {
				complete++
			}
		}
	}
	// In many scenes rows come and go, before each request, within a tie that takes
	// many pages.
	if complete*3 < created {
		t.Errorf("only %d of %d readings by created_at were proved complete", complete, created)
	}
}

func TestRowsAreProvedCompleteWhileTheListChanges(t *testing.T) {
	for seed := range uint64(200) {
		f := newFake(seed, 300)
		for i := range f.rows {
			f.rows[i].standby = i%3 == 0
			if i > 0 && i%5 > 0 { // ties of five
				f.rows[i].at = f.rows[i-1].at
			}
		}
		f.mutate = busy(1 + int(seed%3))
		f.shrinks = seed%4 == 0
		o := Options{PageSize: 40 + int(seed%50), Concurrency: 1 + int(seed%5), Created: "created_at"}
		want := f.still()
		got := readFake(t, f, nil, o)
		if f.check(t, got, want); got.err != nil || !got.account.Complete {
			t.Errorf("seed %d: %v, %+v", seed, got.err, got.account)
		}
	}
}

func TestRowsAreMissedWithoutGapChecks(t *testing.T) {
	for seed := range uint64(3000) {
		f, _, o := scene(seed)
		f.mutate = busy(3)
		o.Created, o.Concurrency = "created_at", 4
		want := f.still()
		r := Open(f, NewQuery("/x/list/", nil), o)
		r.skipGapCheck = true
		got := readToEnd(t, r)
		r.Close()
		seen := map[string]bool{}
		for _, id := range got.ids {
			seen[id] = true
		}
		for _, id := range want {
			if !seen[id] && got.account.Complete {
				return
			}
		}
	}
	t.Error("no row was ever missed: the check cannot fail")
}
