package dedup

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"sort"

	"flytt/internal/osfile"
)

// Index finds records by their digest. The records are in a file, sorted; memory
// holds one word for each block of them. It may be used by several goroutines at
// once.
type Index struct {
	file    *os.File
	blocks  []uint64 // the first half of the first digest of each block
	records int64
}

// blockRecords is how many records a block has; the last may have fewer.
const blockRecords = 128

// NewIndex makes the index of the records in s, in a file in dir that has no name.
// What is in s stays there.
func NewIndex(s *Sorter, dir string) (*Index, error) {
	x := &Index{}
	n := 0
	var err error
	x.file, x.records, err = write(dir, func(put func(*Record) error) error {
		return s.Sorted(func(r *Record) error {
			if n%blockRecords == 0 {
				x.blocks = append(x.blocks, r.Hi)
			}
			n++
			return put(r)
		})
	})
	if err != nil && x.file != nil {
		err = errors.Join(err, x.Close())
	}
	return x, err
}

// Find yields the records with a digest, ascending by row and tag. An error is the
// last thing that it yields.
func (x *Index) Find(hi, lo uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		// Equal digests may begin in the block before the first whose start is not below them.
		first := sort.Search(len(x.blocks), func(i int) bool { return x.blocks[i] >= hi })
		var room [blockRecords * recordSize]byte
		for i := max(first-1, 0); i < len(x.blocks) && x.blocks[i] <= hi; i++ {
			block := room[:min(blockRecords, x.records-int64(i)*blockRecords)*recordSize]
			if _, err := x.file.ReadAt(block, int64(i)*int64(len(room))); err != nil {
				yield(Record{}, fmt.Errorf("index: %w", err))
				return
			}
			for ; len(block) > 0; block = block[recordSize:] {
				var r Record
				r.take((*[recordSize]byte)(block))
				if r.Hi == hi && r.Lo == lo && !yield(r, nil) {
					return
				}
			}
		}
	}
}

// Has reports whether there is a record with a digest.
func (x *Index) Has(hi, lo uint64) (bool, error) {
	for _, err := range x.Find(hi, lo) {
		return err == nil, err
	}
	return false, nil
}

// Close removes the file.
func (x *Index) Close() error { return osfile.CloseNameless(x.file) }
