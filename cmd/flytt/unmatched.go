package main

import (
	"context"
	"errors"
	"time"

	"flytt/internal/api/list"
	"flytt/internal/run"
)

var errNoServerTime = errors.New("the API does not tell the time")

// unmatched returns the records that were made since the run began and that no row of it is
// known to have made: see bulk.Options. With an error the records are still some of those.
func (j *job) unmatched(ctx context.Context) ([][]byte, error) {
	others, err := j.retriedGroup()
	if err != nil {
		return nil, err
	}
	rows, err := j.madeSinceBegan()
	if err != nil {
		return nil, err
	}
	objects, err := run.Unmatched(ctx, rows, j.writing.journal, others, j.dir.Path)
	return objects, errors.Join(err, rows.Close())
}

// madeSinceBegan opens the list of the records that were made since the run began.
func (j *job) madeSinceBegan() (*list.Rows, error) {
	began, known := j.writing.client.ServerTime(j.writing.journal.Header().Began)
	if !known {
		return nil, errNoServerTime
	}
	asked := listFlags{pageSize: defaultPageSize}
	query, err := asked.list(j.resource, j.settings)
	if err != nil {
		return nil, err
	}
	from := began.Add(-time.Second) // the Date of an answer has no fraction
	if err := query.Filter(created(j.resource), "gte", false, from.UTC().Format(time.RFC3339Nano)); err != nil {
		return nil, err
	}
	return list.Open(j.writing.client, query, asked.rowsOptions(j.resource, j.settings)), nil
}

// retriedGroup returns the other runs whose rows j sends as a retry, if it is one.
func (j *job) retriedGroup() (run.Group, error) {
	if j.writing.retry == nil {
		return nil, nil
	}
	store, err := j.store()
	if err != nil {
		return nil, err
	}
	g, err := store.Group(j.writing.retry.Run)
	return g.Without(j.dir.Path), err
}
