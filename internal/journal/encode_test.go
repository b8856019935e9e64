package journal

import (
	"testing"

	"flytt/pipeline"
)

// FuzzRecord: what is decoded is what encodes to it, and nothing makes it panic.
func FuzzRecord(f *testing.F) {
	s := settlementOf(1, 9)
	settled, err := encodeSettlement(&s, []byte("notes"))
	must(f, err)
	r := record{Chunk: chunkOf(1, 9), state: Settled, sent: []int32{0, 1, 8}, settled: settled, images: 2}
	f.Add(r.encode())
	s.IDs = column("a", "-", "", "b", "c", "d", "e", "f", "g")
	s.Fates[3], s.Sums[4] = pipeline.InDoubt, 0
	settled, err = encodeSettlement(&s, nil)
	must(f, err)
	r = record{Chunk: chunkOf(1, 9), settled: settled}
	f.Add(r.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(1, b)
		if err != nil || r.Rows > 10_000 {
			return
		}
		again, err := decodeRecord(1, r.encode())
		if err != nil || string(again.encode()) != string(r.encode()) {
			t.Errorf("%x: %v", b, err)
		}
		s, notes, err := decodeSettlement(r.settled, r.Rows)
		if err != nil {
			return
		}
		if _, err := encodeSettlement(&s, notes); err != nil {
			t.Errorf("%x: %v", b, err)
		}
	})
}
