package main

import (
	"fmt"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/run"
)

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
		return run.NoJournal(w.like, "did not write to the API: it has nothing on record of how that stores rows", run.NamesHint)
	}
	return nil
}

// likeBeside makes the run of --like the one that is there now, if it was moved together
// with the run at path.
func (w *writing) likeBeside(path string) {
	if w.like != "" {
		w.like = run.Moved(w.like, path)
	}
}

// openLike reads, before the first pass, what the run of --like and its retries have on
// record. They have to have written to the place that this run writes to.
func (j *job) openLike() error {
	w := j.writing
	if w.like == "" || j.pass > 1 {
		return nil
	}
	store, err := j.store()
	if err != nil {
		return err
	}
	runs, err := store.LikeRuns(w.like)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Header == nil { // another process works on it: reading it says so
			continue
		}
		if err := j.likeTarget(shorten(r.Name()), r.Header); err != nil {
			return err
		}
	}
	if w.stored, err = run.OpenStoredPairs(runs, j.dir.Path); err != nil {
		return err
	}
	j.closers = append(j.closers, w.stored.Close)
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
