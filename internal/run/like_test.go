package run

import (
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/runs"
	"flytt/pipeline"
)

// TestLikeOfALargeRun reads what a run with 200,000 values stored otherwise has on record:
// memory does not grow with it.
func TestLikeOfALargeRun(t *testing.T) {
	const rows, perChunk = 200_000, 500
	key, err := journal.LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store, err := runs.NewStore(t.TempDir(), func() (*journal.Key, error) { return key, nil })
	if err != nil {
		t.Fatal(err)
	}
	dir, err := store.NewDir("", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	jr, err := store.CreateJournal(dir.Path, journal.Header{Verb: "import", Resource: "tenant", Began: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for seq := range int64(rows / perChunk) {
		if err := jr.Plan(journal.Chunk{Seq: seq, First: seq*perChunk + 1, Last: (seq + 1) * perChunk, Rows: perChunk}); err != nil {
			t.Fatal(err)
		}
		fates := make([]pipeline.Fate, perChunk)
		for i := range fates {
			fates[i] = pipeline.Written
		}
		if err := jr.Settle(seq, journal.Settlement{Fates: fates, Notes: notesWithPairs(seq*perChunk, perChunk)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := jr.Close(); err != nil {
		t.Fatal(err)
	}

	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	g, err := store.Group(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	pairs, err := OpenStoredPairs(g.Senders(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if grown := heapInUse() - before; grown > 1<<20 {
		t.Errorf("%d bytes of memory for %d values", grown, rows)
	}
	for pair, want := range map[uint64]bool{pairNumber(0): true, pairNumber(rows / 2): true, pairNumber(rows - 1): true, pairNumber(rows): false} {
		if has, err := pairs.Has(pair); err != nil || has != want {
			t.Errorf("%d: %t (%v), want %t", pair, has, err, want)
		}
	}
	if err := pairs.Close(); err != nil {
		t.Error(err)
	}
	if _, err := pairs.Has(pairNumber(0)); err == nil || errors.As(err, new(*advice.UsageError)) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// pairNumber returns the n-th of many different numbers.
func pairNumber(n int64) uint64 { return uint64(n+1) * 0x9e3779b97f4a7c15 }

// notesWithPairs returns what the sink has the journal keep of a chunk of rows each of
// which has one value that was stored otherwise, with numbers from first on.
func notesWithPairs(first int64, rows int) []byte {
	notes := []byte{2, 0, 0, 0} // version, rows pardoned, rows not shown, those to be read
	notes = binary.AppendUvarint(notes, uint64(rows))
	for row := range rows {
		notes = binary.AppendUvarint(notes, uint64(row))
		notes = append(append(notes, 5), "email"...)
		notes = binary.LittleEndian.AppendUint64(notes, pairNumber(first+int64(row)))
		notes = binary.LittleEndian.AppendUint64(notes, 0) // nothing was added or cut
	}
	return append(notes, 0) // records that no row was matched with
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
