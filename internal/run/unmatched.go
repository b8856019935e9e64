package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flytt/internal/api/list"
	"flytt/internal/dedup"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/internal/runs"
	"flytt/internal/snapshot"
	"flytt/pipeline"
)

// maxUnmatched bounds how many bytes of unmatched records are held. They are of the rows in
// doubt, and what others make while the run goes on.
const maxUnmatched = 64 << 20

var (
	errNoCanary      = errors.New("no record of the run is known that could prove the list complete")
	errNotShown      = errors.New("the list does not show all records that the run made")
	errManyUnmatched = errors.New("too many records were made by others since the run began")
)

// Unmatched returns those of the records that rows reads, all that were made since a run
// began, that no row of it is known to have made: see bulk.ImportOptions. Jr is the journal of
// the run. Others are, if it is a retry, the runs whose rows it sends: some of their
// records may have been made within the second in which it began. With an error the
// records are still some of those. Memory does not grow with the list: records are kept
// in a file in dir, and told from those of the run by sorted digests of their ids.
func Unmatched(ctx context.Context, rows *list.Rows, jr *journal.Journal, others runs.Group, dir string) (objects [][]byte, err error) {
	s := unmatchedSearch{hasher: dedup.NewHasher(), sorter: dedup.NewSorter(dir, dedup.MemoryRecords)}
	if s.spool, err = dedup.NewSpool(dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.sorter.Close(), s.spool.Close()) }()
	if err := s.read(ctx, rows); err != nil {
		return nil, err
	}
	var unproved error
	if account := rows.Account(); !account.Complete {
		unproved = errors.New(account.Doubt)
	}
	if err := s.addWritten(jr); err != nil {
		return nil, err
	}
	if err := s.addListed(others); err != nil {
		return nil, err
	}
	objects, err = s.find()
	return objects, errors.Join(err, unproved)
}

// unmatchedSearch tells records from those that the run is known to have made.
type unmatchedSearch struct {
	hasher *dedup.Hasher
	sorter *dedup.Sorter
	spool  *dedup.Spool
}

// The tags of ids that are known: of rows that this run wrote, which the list has to show, and
// of rows of a run that it belongs to.
const (
	expected  = 0
	elsewhere = 1
)

// add adds the id of the record that is at some place of the copy, counted from 1, with its
// size, or is dedup.Known.
func (s *unmatchedSearch) add(id []byte, at int64, tag uint64) error {
	r := s.hasher.Record(0, snapshot.AppendID(nil, id))
	r.Row, r.Tag = at, tag
	return s.sorter.Add([]dedup.Record{r})
}

// read copies the records that rows reads.
func (s *unmatchedSearch) read(ctx context.Context, rows *list.Rows) error {
	err := rows.Each(ctx, func(record []byte) error {
		at, err := s.spool.Append(record)
		if err != nil {
			return err
		}
		return s.add(jsonscan.Text(jsonscan.Member(record, "id")), at+1, uint64(len(record)))
	})
	return errors.Join(err, s.spool.Flush())
}

// addWritten adds the ids of the records that rows of the run made.
func (s *unmatchedSearch) addWritten(jr *journal.Journal) error {
	for e, err := range jr.Entries {
		if err != nil {
			return err
		}
		for i, fate := range e.Fates {
			if fate != pipeline.Written || e.IDs.Len() <= i || e.IDs.Null(i) {
				continue
			}
			if err := s.add(e.IDs.Value(i), dedup.Known, expected); err != nil {
				return err
			}
		}
	}
	return nil
}

// addListed adds the ids of the records that the runs of g made, which written.csv has.
func (s *unmatchedSearch) addListed(g runs.Group) error {
	for _, r := range g {
		err := r.EachWritten(func(w runs.WrittenRow) error {
			if w.ID == "" {
				return nil
			}
			return s.add([]byte(w.ID), dedup.Known, elsewhere)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find returns the unmatched records. It is an error if the list did not show a record of the run:
// it may not show others either.
func (s *unmatchedSearch) find() (objects [][]byte, err error) {
	shown, hidden, size := 0, 0, uint64(0)
	err = dedup.Match(s.sorter, func(r *dedup.Record, matched bool) error {
		switch {
		case r.Tag != expected:
		case matched:
			shown++
		default:
			hidden++
		}
		return nil
	}, func(r *dedup.Record, matched bool) error {
		if matched {
			return nil
		}
		if size += r.Tag; size > maxUnmatched {
			return errManyUnmatched
		}
		object, err := s.spool.Read(r.Row-1, r.Tag)
		objects = append(objects, object)
		return err
	})
	switch {
	case err != nil:
		return objects, err
	case hidden > 0:
		return objects, errNotShown
	case shown == 0:
		return objects, errNoCanary
	}
	return objects, nil
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
