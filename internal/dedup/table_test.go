package dedup

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// Tables made of random records say what a map says, however little memory there
// is, and leave no file behind.
func TestTableIsWhatAMapSays(t *testing.T) {
	for _, memory := range []int{1, 7, 100, 100_000} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%d records, seed %d", memory, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				rows := 1 + rng.IntN(400)
				records := randomRecords(rng, rows)
				dir := t.TempDir()
				s := NewSorter(dir, memory)
				addAll(t, s, records)
				table, err := Find(s, dir, memory)
				if err != nil {
					t.Fatal(err)
				}
				asked := make([]int64, rows)
				for i := range asked {
					asked[i] = int64(i)
				}
				if seed%2 == 1 {
					rng.Shuffle(rows, func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
				}
				if got, want := duplicatesOf(t, table, asked), expected(records); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v\nwant %v", got, want)
				}
				if err := table.Close(); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("%d files are left", len(left))
				}
			})
		}
	}
}

// randomRecords returns records of two kinds, many of them alike.
func randomRecords(rng *rand.Rand, rows int) (records []Record) {
	for row := range rows {
		for kind := range uint64(2) {
			if rng.IntN(3) > 0 {
				records = append(records, Record{Hi: kind, Lo: rng.Uint64N(uint64(rows)), Row: int64(row), Tag: kind})
			}
		}
	}
	return records
}

// addAll adds records from two goroutines.
func addAll(t *testing.T, s *Sorter, records []Record) {
	t.Helper()
	var wg sync.WaitGroup
	half := len(records) / 2
	for _, part := range [][]Record{records[:half], records[half:]} {
		wg.Go(func() {
			for chunk := range slices.Chunk(part, 9) {
				if err := s.Add(chunk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

type rowKind struct {
	row  int64
	kind uint8
}

func duplicatesOf(t *testing.T, table *Table, rows []int64) map[rowKind]Group {
	t.Helper()
	got := map[rowKind]Group{}
	err := table.Of(rows, func(i int, c Duplicate) (err error) {
		at := rowKind{rows[i], c.Kind}
		if _, twice := got[at]; twice {
			t.Errorf("%v is yielded twice", at)
		}
		got[at], err = c.Group()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(got)) != table.Len() {
		t.Errorf("%d duplicates, and Len is %d", len(got), table.Len())
	}
	return got
}

func expected(records []Record) map[rowKind]Group {
	groups := map[[2]uint64][]int64{}
	for _, r := range records {
		digest := [2]uint64{r.Hi, r.Lo}
		groups[digest] = append(groups[digest], r.Row)
	}
	want := map[rowKind]Group{}
	for digest, rows := range groups {
		if len(rows) < 2 {
			continue
		}
		for _, row := range rows {
			want[rowKind{row, uint8(digest[0])}] = Group{
				Count: int64(len(rows)), First: rows[0], Last: rows[len(rows)-1], Some: rows[:min(some, len(rows))],
			}
		}
	}
	return want
}

// More files than are merged at once come out in order.
func TestSortedAcrossManyFiles(t *testing.T) {
	dir := t.TempDir()
	s := NewSorter(dir, 2)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 2 * (3*fanIn + 5)
	for i := range n {
		if err := s.Add([]Record{{Hi: rng.Uint64(), Row: int64(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	var last Record
	count := 0
	err := s.Sorted(func(r *Record) error {
		if compare(last, *r) > 0 {
			t.Error("not in order")
		}
		last = *r
		count++
		return nil
	})
	if err != nil || count != n {
		t.Errorf("%d of %d records (%v)", count, n, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A directory that cannot be written to is an error, not a loss.
func TestSpillFails(t *testing.T) {
	s := NewSorter(t.TempDir()+"/gone", 1)
	if err := s.Add([]Record{{}, {}}); err == nil {
		t.Error("no error")
	}
}

func BenchmarkSorter(b *testing.B) {
	const n = 4_000_000
	records := make([]Record, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range records {
		records[i] = Record{Hi: rng.Uint64(), Lo: rng.Uint64(), Row: int64(i)}
	}
	for b.Loop() {
		dir := b.TempDir()
		s := NewSorter(dir, 1<<20)
		for chunk := range slices.Chunk(records, 2000) {
			if err := s.Add(chunk); err != nil {
				b.Fatal(err)
			}
		}
		table, err := Find(s, dir, 1<<16)
		if err != nil {
			b.Fatal(err)
		}
		if err := table.Close(); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
