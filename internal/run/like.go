package run

import (
	"errors"
	"fmt"

	"flytt/internal/advice"
	"flytt/internal/dedup"
	"flytt/internal/journal"
	"flytt/internal/report"
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
		err = fmt.Errorf("journal of the run of --like: %w", err)
	}
	return has, err
}

// Close removes the file.
func (s *StoredPairs) Close() error { return s.index.Close() }

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

// findLike finds the run that --like names, and keeps its directory: resume and others may
// be called from elsewhere.
func findLike(s *Spec) (err error) {
	w := &s.Write
	if w.Like == "" {
		return nil
	}
	if s.Change.Mode == ModeCreate {
		return advice.Usagef("leave one of them out", "--like is for rows that change records, and --mode create changes none")
	}
	if w.Like, err = s.Store.Find(w.Like); err != nil {
		return err
	}
	if !report.HasJournal(w.Like) {
		return runs.NoJournal(w.Like, "did not write to the API, so it does not show how the API stores rows", runs.NamesHint)
	}
	return nil
}

// openLike reads, before the first pass, what the run of --like and its retries have on
// record. They have to have written to the place that this run writes to.
func (r *remote) openLike() error {
	s := r.session
	like := s.spec.Write.Like
	if like == "" {
		return nil
	}
	runs, err := s.spec.Store.LikeRuns(like)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Header == nil { // another process works on it: reading it says so
			continue
		}
		if err := r.checkLike(run.Name(), run.Header); err != nil {
			return err
		}
	}
	if r.stored, err = OpenStoredPairs(runs, s.dir.Path); err != nil {
		return err
	}
	s.closers.add(r.stored.Close)
	return nil
}

// checkLike refuses a run of another resource or at another place: an API may store its
// rows in another way.
func (r *remote) checkLike(name string, h *journal.Header) error {
	if is := r.rows.binding.resource.Name; h.Resource != is {
		return advice.Usagef("name an import of the same resource", "--like %s: it wrote %s, and these rows are %s", advice.Path(name), h.Resource, is)
	}
	if err := r.conn.checkPlace(h, "wrote"); err != nil {
		return advice.Errorf("--like %s: %w", advice.Path(name), err)
	}
	return nil
}
