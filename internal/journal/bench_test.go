package journal

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"flytt/pipeline"
)

// BenchmarkSending is how many durable calls there are a second, with one caller
// and with several that share syncs.
func BenchmarkSending(b *testing.B) {
	for name, callers := range map[string]int{"callers=1": 1, "callers=8": 8} {
		b.Run(name, func(b *testing.B) {
			j, _ := newJournal(b)
			rows := make([]int32, 500)
			for i := range rows {
				rows[i] = int32(i)
			}
			var seq atomic.Int64
			var wg sync.WaitGroup
			for b.Loop() {
				for range callers {
					wg.Go(func() {
						n := seq.Add(1)
						if err := errors.Join(j.Plan(chunkOf(n, 500)), j.Sending(n, rows, nil)); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(seq.Load())/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// BenchmarkChunk is all that is done for a chunk of 500 rows, and what it takes
// on the disk.
func BenchmarkChunk(b *testing.B) {
	j, path := newJournal(b)
	const n = 500
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	s := settlementOf(0, n)
	seq := int64(0)
	for b.Loop() {
		must(b, j.Plan(chunkOf(seq, n)))
		must(b, j.Sending(seq, rows, nil))
		must(b, j.Settle(seq, s))
		seq++
	}
	must(b, j.Close())
	info, err := os.Stat(path)
	must(b, err)
	b.ReportMetric(float64(info.Size())/float64(seq*n), "B/row")
}

// BenchmarkFind looks chunks up in a journal of ten million rows that were sent
// in chunks of 500; opening it is timed too.
func BenchmarkFind(b *testing.B) {
	path, chunks := bigJournal(b)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			j, err := Open(path, testKey())
			must(b, err)
			must(b, j.Close())
		}
	})
	j, err := Open(path, testKey())
	must(b, err)
	seq := int64(0)
	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			e, err := j.Find(seq % chunks)
			must(b, err)
			if e.State != Settled || e.Fates[0] != pipeline.Written {
				b.Fatalf("chunk %d: %+v", seq, e.Chunk)
			}
			seq += 7919
		}
	})
	must(b, j.Close())
}

// bigJournal makes a journal of 20,000 chunks.
func bigJournal(b *testing.B) (path string, chunks int64) {
	path = filepath.Join(b.TempDir(), "journal.db")
	j, err := Create(path, testHeader(), testKey())
	must(b, err)
	s := settlementOf(0, 500)
	for chunks = range int64(20_000) {
		must(b, j.Plan(chunkOf(chunks, 500)))
		must(b, j.Settle(chunks, s))
	}
	must(b, j.Close())
	return path, chunks + 1
}
