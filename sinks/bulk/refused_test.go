package bulk

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// TestBulkRefusals has the API refuse rows in every way it may, with every
// setting of what is known about it, and wants each row that is not bad to be
// there once.
func TestBulkRefusals(t *testing.T) {
	const n = 200
	poison := map[string][]int{"one": {17}, "first and last": {0, n - 1}, "three": {3, 4, 150}}
	for name, bad := range poison {
		for _, detail := range []bool{true, false} {
			for _, test := range []struct {
				atomicity Atomicity
				lookup    bool
				partial   bool // what the API does
				doubt     bool // the others cannot be known
			}{
				{AllOrNothing, false, false, false},
				{PartialWrites, false, true, !detail},
				{PartialWrites, true, true, !detail},
				{UnknownAtomicity, true, false, false},
				{UnknownAtomicity, true, true, false},
				{UnknownAtomicity, false, false, true},
				{UnknownAtomicity, false, true, true},
			} {
				label := fmt.Sprintf("%s bad, detail %v, %+v", name, detail, test)
				f := &fakeAPI{detail: detail, partial: test.partial}
				s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: test.lookup}, Atomicity: test.atomicity})
				c := bulkChunk(t, s, 0, n, bad...)
				if err := s.Write(t.Context(), c); err != nil {
					t.Errorf("%s: %v", label, err)
				}
				f.wantOnce(t, label, c)
				want := fmt.Sprintf("%d rejected, %d written", len(bad), n-len(bad))
				switch {
				case test.doubt && detail:
					want = fmt.Sprintf("%d rejected, %d in_doubt", len(bad), n-len(bad))
				case test.doubt:
					want = fmt.Sprintf("%d in_doubt", n)
				}
				wantFates(t, label, c, want)
				for _, p := range c.Problems {
					if p.Code != codeRefused || p.Private == "" {
						t.Errorf("%s: %+v", label, p)
					}
				}
				if f.posts > 2*len(bad)*9+4 {
					t.Errorf("%s: %d requests", label, f.posts)
				}
			}
		}
	}
}

// TestBulkGivesUpASearchThatCostsTooMuch has more rows refused than may be
// searched for: what is left was not written, and is rejected as a whole.
func TestBulkGivesUpASearchThatCostsTooMuch(t *testing.T) {
	for _, o := range []ImportOptions{{Limits: Limits{MaxExtra: 20}, Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}, Limits: Limits{MaxExtra: 20}}} {
		f := &fakeAPI{}
		s := f.bulk(t, o)
		c := bulkChunk(t, s, 0, 500, 100, 200, 300, 400)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if f.posts > 2+o.MaxExtra {
			t.Errorf("%d requests", f.posts)
		}
		f.wantOnce(t, "given up", c)
		if !strings.Contains(codes(c), " refused_chunk") || c.Pending() != 0 {
			t.Errorf("%s: %s", fates(c), codes(c))
		}
	}
}

// TestBulkGivesUpInASample is TestBulkGivesUpASearchThatCostsTooMuch where that
// happens while rows from all over the chunk are tried.
func TestBulkGivesUpInASample(t *testing.T) {
	for extra := 30; extra < 60; extra++ {
		f := &fakeAPI{}
		s := f.bulk(t, ImportOptions{Limits: Limits{MaxExtra: extra}, Atomicity: AllOrNothing})
		c := bulkChunk(t, s, 0, 500, run(0, 200)...)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		f.wantOnce(t, fmt.Sprintf("after %d requests", extra), c)
		for _, p := range c.Problems {
			if p.Private == "" || c.Fates[p.Row] != pipeline.Rejected || f.times(string(c.Keys.Value(int(p.Row)))) != 0 {
				t.Errorf("after %d requests: row %d is %s: %s", extra, p.Row, c.Fates[p.Row], p.Code)
			}
		}
		if c.Pending() != 0 || f.posts > extra+1 {
			t.Errorf("%s, %d requests", fates(c), f.posts)
		}
	}
}

func TestBulkSplitsOnARefusalOnly(t *testing.T) {
	f := &fakeAPI{}
	f.before = func(post int, w http.ResponseWriter) bool {
		if post != 2 {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	s := f.bulk(t, ImportOptions{Atomicity: AllOrNothing})
	c := bulkChunk(t, s, 0, 8, 7)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "half in doubt", c, "1 rejected, 3 written, 4 in_doubt")
}

func TestBulkRowsThatCannotBeLookedUpStayInDoubt(t *testing.T) {
	f := &fakeAPI{detail: true, partial: true}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	id := "11111111-2222-3333-4444-555555555555"
	c := chunkFrom(t, s, [][]string{
		{"first", id, "K-1"}, {"bad", id, "K-2"}, {"tab", id, "K\t3"}, {"none", id, pipelinetest.Null},
		{"twice", id, "K-5"}, {"twice again", id, "K-5"}, {"last", id, "K-6"},
	})
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := []pipeline.Fate{pipeline.Written, pipeline.Rejected, pipeline.InDoubt, pipeline.InDoubt, pipeline.InDoubt, pipeline.InDoubt, pipeline.Written}
	for i, fate := range c.Fates {
		if fate != want[i] {
			t.Errorf("row %d: %v, want %v", i, fate, want[i])
		}
	}
	if len(f.records) != 6 {
		t.Errorf("%d records", len(f.records))
	}
}

func TestBulkDoesNotBelieveABlindList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{detail: true, blind: true}
		log, out := logged()
		s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}, Log: log})
		start := time.Now()
		c := bulkChunk(t, s, 0, 10, 5)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantFates(t, "blind", c, "1 rejected, 1 written, 8 in_doubt")
		if time.Since(start) != 2*time.Second || f.posts != 2 || !strings.Contains(out.String(), "cannot be looked up") {
			t.Errorf("%v, %d requests\n%s", time.Since(start), f.posts, out)
		}
	})
	// It was not blind at first.
	f := &fakeAPI{detail: true}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	first, second := bulkChunk(t, s, 0, 10), bulkChunk(t, s, 10, 10, 12)
	if err := s.Write(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	f.blind = true
	if err := s.Write(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "first", first, "10 written")
	wantFates(t, "second", second, "1 rejected, 9 in_doubt")
}

func TestBulkFindsTheFirstRowLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{detail: true, blind: true}
		s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
		c := bulkChunk(t, s, 0, 10, 5)
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(time.Second)
			f.mu.Lock()
			f.blind = false
			f.mu.Unlock()
		})
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		wantFates(t, "late", c, "1 rejected, 9 written")
	})
}

func TestBulkFirstRowGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{detail: true, blind: true} // so that learning takes time
		s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
		var wg sync.WaitGroup
		for i := range 4 {
			c := bulkChunk(t, s, 100*i, 100, 100*i)
			wg.Go(func() {
				if err := s.Write(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		f.mu.Lock()
		if f.posts != 2 || f.sizes[0] != 1 || f.sizes[1] != 1 {
			t.Errorf("while learning: requests of %v items", f.sizes)
		}
		f.mu.Unlock()
		wg.Wait()
		if f.posts != 6 {
			t.Errorf("requests of %v items", f.sizes)
		}
	})
}

// The first row written reads back with another name: that the list shows it is enough.
func TestBulkReadsBackInAnotherForm(t *testing.T) {
	f := &fakeAPI{detail: true, change: func(item map[string]any) { item["name"] = "changed" }}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	c := bulkChunk(t, s, 0, 10, 5)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "changed", c, "1 rejected, 9 written")
	if got := codes(c); got != "1 refused, 9 stored_otherwise" {
		t.Error(got)
	}
	f.wantOnce(t, "changed", c)
}

// The answers show ids alone. That keys are kept in their form is seen from the first row,
// which is read back: the neighbours of a row that is refused are believed to be absent.
func TestBulkLearnsTheFormOfKeysFromWhatItReadsBack(t *testing.T) {
	f := &fakeAPI{detail: true, after: func(_ int, answer []any) []any {
		for i, item := range answer {
			answer[i] = map[string]any{"id": item.(map[string]any)["id"]}
		}
		return answer
	}}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	c := bulkChunk(t, s, 0, 10, 5)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "ids alone", c, "1 rejected, 9 written")
	f.wantOnce(t, "ids alone", c)
}

func TestBulkConflictsAndDuplicates(t *testing.T) {
	f := &fakeAPI{detail: true}
	for _, r := range []struct{ key, name string }{
		{"K-0003", "somebody else"}, {"K-0004", "one"}, {"K-0004", "two"},
	} {
		f.commit(map[string]any{"custom_id": r.key, "name": r.name})
	}
	s := f.bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
	c := bulkChunk(t, s, 0, 10, 5)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "conflicts", c, "3 rejected, 7 written")
	if got := codes(c); got != "1 key_conflict, 1 key_not_unique, 1 refused" {
		t.Error(got)
	}
}
