package run

import (
	"errors"
	"fmt"

	"flytt/internal/advice"
	"flytt/internal/dedup"
	"flytt/internal/runs"
	"flytt/sinks/bulk"
)

// An import can be like an earlier one of about the same file. The journal of that has
// on record what the API stored otherwise than it was sent; where a record still holds
// that, nothing is sent again.

// StoredPairs are the sums of what the API stored otherwise in earlier runs, on the disk.
// It is for concurrent use.
type StoredPairs struct{ index *dedup.Index }

// OpenStoredPairs reads what earlier runs have on record, and makes it ready to be looked up in a
// file in dir, until it is closed. Memory does not grow with it.
func OpenStoredPairs(earlier []*runs.Record, dir string) (_ *StoredPairs, err error) {
	sorter := dedup.NewSorter(dir, dedup.MemoryRecords)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	for _, r := range earlier {
		if err := addPairs(r, sorter); err != nil {
			return nil, err
		}
	}
	index, err := dedup.NewIndex(sorter, dir)
	if err != nil {
		return nil, err
	}
	return &StoredPairs{index}, nil
}

// Has reports whether pair is among them.
func (s *StoredPairs) Has(pair uint64) (bool, error) {
	has, err := s.index.Has(pair, 0)
	if err != nil {
		err = fmt.Errorf("what the run of --like has on record: %w", err)
	}
	return has, err
}

// Close removes the file.
func (s *StoredPairs) Close() error { return s.index.Close() }

// addPairs adds what r has on record to sorter.
func addPairs(r *runs.Record, sorter *dedup.Sorter) (err error) {
	jr, err := r.Journal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, jr.Close()) }()
	var records []dedup.Record // buffer
	for e, err := range jr.Entries {
		if err != nil {
			return err
		}
		pairs, err := bulk.StoredPairs(e)
		if err != nil {
			return advice.Errorf("%s, chunk %d: %w", advice.Path(r.Name()), e.Seq, err)
		}
		records = records[:0]
		for _, pair := range pairs {
			records = append(records, dedup.Record{Hi: pair})
		}
		if err := sorter.Add(records); err != nil {
			return err
		}
	}
	return nil
}
