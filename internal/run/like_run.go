package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/runs"
)

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

var errNoServerTime = errors.New("the API does not tell the time")

// unmatched returns the records that were made since the run began and that no row of it
// is known to have made: see bulk.ImportOptions.
func (r *remote) unmatched(ctx context.Context) ([][]byte, error) {
	began, known := r.conn.Client.ServerTime(r.journal.Header().Began)
	if !known {
		return nil, errNoServerTime
	}
	others, err := r.retried()
	if err != nil {
		return nil, err
	}
	resource, settings := r.rows.binding.resource, &r.session.settings
	asked := List{PageSize: DefaultPageSize}
	query, err := asked.Query(resource, settings)
	if err != nil {
		return nil, err
	}
	from := began.Add(-time.Second) // the Date of an answer has no fraction
	if err := query.Filter(resource.CreatedField(), "gte", false, from.UTC().Format(time.RFC3339Nano)); err != nil {
		return nil, err
	}
	rows := list.Open(r.conn.Client, query, asked.Options(resource, settings))
	objects, err := Unmatched(ctx, rows, r.journal, others, r.session.dir.Path)
	return objects, errors.Join(err, rows.Close())
}

// retried returns the run whose rows this one sends as a retry, with its other retries;
// none if it is no retry.
func (r *remote) retried() (runs.Group, error) {
	retry := r.rows.retry
	if retry == nil {
		return nil, nil
	}
	group, err := r.session.spec.Store.Group(retry.Run)
	if err != nil {
		return nil, fmt.Errorf("the run whose rows are sent: %w", err)
	}
	return group.Without(r.session.dir.Path), nil
}
