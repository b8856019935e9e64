package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"flytt/internal/dedup"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/sinks/bulk"
)

// An import can be like an earlier one of about the same file. The journal of that has
// on record what the API stored otherwise than it was sent; where a record still holds
// that, nothing is sent again.

// storedPairs are the sums of what the API stored otherwise in an earlier run, on the disk.
// It is for concurrent use.
type storedPairs struct{ index *dedup.Index }

// Has reports whether pair is among them.
func (s *storedPairs) Has(pair uint64) (bool, error) {
	has, err := s.index.Has(pair, 0)
	if err != nil {
		err = fmt.Errorf("what the run of --like has on record: %w", err)
	}
	return has, err
}

// findLike finds the run that --like names, and keeps its directory: resume and others may
// be called from elsewhere.
func (j *job) findLike() (err error) {
	w := j.writing
	if w.like == "" {
		return nil
	}
	if j.change.mode == modeCreate {
		return usagef("leave one of them out", "--like is for rows that change records, and --mode create changes none")
	}
	if w.like, err = j.findRun(w.like); err != nil {
		return err
	}
	if !report.HasJournal(w.like) {
		return noJournal(w.like, "did not write to the API: it has nothing on record of how that stores rows", runsHint)
	}
	return nil
}

// likeBeside makes the run of --like the one that is there now, if it was moved together
// with the run at path.
func (w *writing) likeBeside(path string) {
	if w.like != "" {
		w.like = nowAt(w.like, path)
	}
}

// openLike reads, before the first pass, what the run of --like and its retries have on
// record. They have to have written to the place that this run writes to.
func (j *job) openLike() error {
	w := j.writing
	if w.like == "" || j.pass > 1 {
		return nil
	}
	runs, err := likeRuns(w.like)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.header == nil { // another process works on it: reading it says so
			continue
		}
		if err := j.likeTarget(r.name(), r.header); err != nil {
			return err
		}
	}
	return j.openPairs(runs)
}

// openPairs makes the sums that runs have on record ready to be looked up, until the run
// is closed. Memory does not grow with them.
func (j *job) openPairs(runs []*pastRun) (err error) {
	sorter := dedup.NewSorter(j.dir.Path, dedup.MemoryRecords)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	for _, r := range runs {
		if err := readPairs(r, sorter); err != nil {
			return err
		}
	}
	index, err := dedup.NewIndex(sorter, j.dir.Path)
	if err != nil {
		return err
	}
	j.closers = append(j.closers, index.Close)
	j.writing.stored = &storedPairs{index}
	return nil
}

// likeRuns returns the run at path, or the one that it is a retry of, and all its retries.
func likeRuns(path string) ([]*pastRun, error) {
	if !report.IsRun(path) {
		return nil, usagef("put the directory back where it was", "%s, which the run was given with --like, is not there any more", shorten(path))
	}
	path, err := rootOf(path)
	if err != nil {
		return nil, err
	}
	f, err := readFamily(path)
	if err != nil {
		return nil, err
	}
	if !f[0].sends() {
		return nil, usagef("name an import", "--like %s: it is a run of %s, which sent no rows of its own", f[0].name(), f[0].verb())
	}
	return append([]*pastRun{f[0]}, f.retries()...), nil
}

// readPairs gives sorter what r has on record.
func readPairs(r *pastRun, sorter *dedup.Sorter) (err error) {
	key, err := loadKey()
	if err != nil {
		return err
	}
	jr, err := journal.Read(filepath.Join(r.path, "journal.db"), key)
	if err != nil {
		return unusable(err)
	}
	defer func() { err = errors.Join(err, jr.Close()) }()
	var records []dedup.Record // buffer
	for e, err := range jr.Entries {
		if err != nil {
			return err
		}
		pairs, err := bulk.StoredPairs(e)
		if err != nil {
			return fmt.Errorf("%s, chunk %d: %w", r.name(), e.Seq, err)
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

// likeTarget refuses a run of another resource or at another place: an API may store its
// rows in another way.
func (j *job) likeTarget(run string, h *journal.Header) error {
	if h.Resource != j.resource.Name {
		return usagef("name an import of the same resource", "--like %s: it wrote %s, and these rows are %s", run, h.Resource, j.resource.Name)
	}
	if err := j.sameTarget(h); err != nil {
		return fmt.Errorf("--like %s: %w", run, err)
	}
	return nil
}
