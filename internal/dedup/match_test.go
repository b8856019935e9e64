package dedup_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/dedup"
)

// Random records are matched as a map of those that are known matches them, in memory or in
// files.
func TestMatchFindsWhatAMapFinds(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h, s := dedup.NewHasher(), dedup.NewSorter(t.TempDir(), 1+rng.IntN(50))
		known, rows := map[string]bool{}, map[int64]string{}
		for i := range rng.Int64N(200) {
			text := fmt.Sprint(rng.IntN(40))
			r := h.Record(3, []byte(text))
			if rng.IntN(2) == 0 {
				known[text] = true
			} else {
				r.Row = i + 1
				rows[r.Row] = text
			}
			if err := s.Add([]dedup.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		hasRow := map[bool]int{}
		got := map[int64]bool{}
		err := dedup.Match(s, func(_ *dedup.Record, matched bool) error {
			hasRow[matched]++
			return nil
		}, func(r *dedup.Record, matched bool) error {
			got[r.Row] = matched
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want, wantRow := map[int64]bool{}, map[bool]int{}
		used := map[string]bool{}
		for row, text := range rows {
			want[row], used[text] = known[text], true
		}
		for text := range known {
			wantRow[used[text]]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: rows (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(wantRow, hasRow); diff != "" {
			t.Fatalf("seed %d: known (-want +got):\n%s", seed, diff)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMatchStopsAtAnError(t *testing.T) {
	s := dedup.NewSorter(t.TempDir(), 10)
	if err := s.Add([]dedup.Record{{Hi: 1}, {Hi: 1, Row: 1}, {Hi: 2, Row: 2}}); err != nil {
		t.Fatal(err)
	}
	stop, calls := errors.New("stop"), 0
	err := dedup.Match(s, nil, func(*dedup.Record, bool) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}

// Digests are the same for the same secret, kind and text, and for no others.
func TestHasher(t *testing.T) {
	h := dedup.NewHasher()
	a := h.Record(1, []byte("x"))
	if b := h.Clone().Record(1, []byte("x")); a != b {
		t.Error("a clone makes another digest")
	}
	for name, b := range map[string]dedup.Record{
		"kind": h.Record(2, []byte("x")), "text": h.Record(1, []byte("y")), "secret": dedup.NewHasher().Record(1, []byte("x")),
	} {
		if a.Hi == b.Hi || a.Lo == b.Lo {
			t.Errorf("another %s makes the same digest", name)
		}
	}
}

func TestSpool(t *testing.T) {
	dir := t.TempDir()
	s, err := dedup.NewSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	objects := []string{"a", "", `{"b":1}`, string(slices.Repeat([]byte("c"), 1<<17))}
	var places []int64
	for _, o := range objects {
		at, err := s.Append([]byte(o))
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, at)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for i, o := range objects {
		if got, err := s.Read(places[i], uint64(len(o))); err != nil || string(got) != o {
			t.Errorf("object %d has %d bytes, want %d (%v)", i, len(got), len(o), err)
		}
	}
	if _, err := s.Read(places[3], 1<<18); err == nil {
		t.Error("read beyond the end")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".sort-1", ".sort-nameless-2", "rejects.csv"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := dedup.RemoveLeftovers(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || left[0].Name() != "rejects.csv" {
		t.Errorf("left: %v", left)
	}
}
