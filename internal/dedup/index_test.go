package dedup

import (
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An index of random records finds what a map finds, few digests or many, and
// leaves no file behind.
func TestIndexFindsWhatAMapFinds(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n, digests := rng.IntN(5*blockRecords), 1+rng.Uint64N(300)
		dir := t.TempDir()
		s := NewSorter(dir, 100)
		want := map[[2]uint64][]Record{}
		for i := range n {
			r := Record{Hi: rng.Uint64N(digests), Lo: rng.Uint64N(2), Row: int64(i), Tag: rng.Uint64()}
			want[[2]uint64{r.Hi, r.Lo}] = append(want[[2]uint64{r.Hi, r.Lo}], r)
			addAll(t, s, []Record{r})
		}
		x, err := NewIndex(s, dir)
		if err != nil {
			t.Fatal(err)
		}
		for hi := range digests + 1 {
			for lo := range uint64(3) {
				if diff := cmp.Diff(want[[2]uint64{hi, lo}], found(t, x, hi, lo)); diff != "" {
					t.Fatalf("seed %d, digest %d %d: %s", seed, hi, lo, diff)
				}
				has, err := x.Has(hi, lo)
				if err != nil || has != (len(want[[2]uint64{hi, lo}]) > 0) {
					t.Fatalf("seed %d, digest %d %d: has %t (%v)", seed, hi, lo, has, err)
				}
			}
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
	}
}

func found(t *testing.T, x *Index, hi, lo uint64) (out []Record) {
	t.Helper()
	for r, err := range x.Find(hi, lo) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// A file that cannot be read is an error, not a record that is not there.
func TestIndexReadFails(t *testing.T) {
	s := NewSorter(t.TempDir(), 10)
	addAll(t, s, []Record{{Hi: 1}, {Hi: 2}})
	x, err := NewIndex(s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if has, err := x.Has(1, 0); err == nil || has {
		t.Errorf("has %t, error %v", has, err)
	}
}

// Memory holds a small part of an index, also of one where all digests are alike.
func TestIndexMemory(t *testing.T) {
	const n = 400_000
	dir := t.TempDir()
	for name, digest := range map[string]func(i int) uint64{
		"different": func(i int) uint64 { return uint64(i) * 0x9e3779b97f4a7c15 },
		"alike":     func(int) uint64 { return 7 },
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSorter(dir, 1000)
			for i := range n {
				if err := s.Add([]Record{{Hi: digest(i)}}); err != nil {
					t.Fatal(err)
				}
			}
			before := heap()
			x, err := NewIndex(s, dir)
			if err != nil {
				t.Fatal(err)
			}
			if has, err := x.Has(digest(1), 0); err != nil || !has {
				t.Errorf("has %t, error %v", has, err)
			}
			if grown := heap() - before; grown > n*recordSize/50 {
				t.Errorf("the index takes %d bytes of memory, for %d of records", grown, n*recordSize)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
