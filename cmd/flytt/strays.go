package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"flytt/internal/api/list"
	"flytt/internal/dedup"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/internal/snapshot"
	"flytt/pipeline"
)

// maxStrays bounds how many bytes of strays are held. They are the rows in doubt, and what
// others make while the run goes on.
const maxStrays = 64 << 20

var (
	errNoServerTime = errors.New("the API does not tell the time")
	errNoWitness    = errors.New("no record of the run is known by which the list could be believed")
	errNotShown     = errors.New("the list does not show all records that the run made")
	errManyStrays   = errors.New("too many records were made by others since the run began")
)

// strays returns the records that were made since the run began and that no row of it is
// known to have made: see bulk.Options. With an error the records are still some of
// those. Memory does not grow with the list: records are kept in a file, and told from
// those of the run by sorted digests of their ids.
func (j *job) strays(ctx context.Context) (objects [][]byte, err error) {
	s := straySearch{hasher: dedup.NewHasher(), sorter: dedup.NewSorter(j.dir.Path, dedup.MemoryRecords)}
	if s.spool, err = dedup.NewSpool(j.dir.Path); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.sorter.Close(), s.spool.Close()) }()
	unproved, err := j.readSince(ctx, &s)
	if err != nil {
		return nil, err
	}
	if err := s.addWritten(j.writing.journal); err != nil {
		return nil, err
	}
	if err := j.addRetried(&s); err != nil {
		return nil, err
	}
	objects, err = s.find()
	return objects, errors.Join(err, unproved)
}

// readSince reads the records that were made since the run began into s. Unproved says why
// there may be others.
func (j *job) readSince(ctx context.Context, s *straySearch) (unproved, err error) {
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
	rows := list.Open(j.writing.client, query, asked.rowsOptions(j.resource, j.settings))
	err = s.read(ctx, rows)
	if account := rows.Account(); err == nil && !account.Complete {
		unproved = errors.New(account.Doubt)
	}
	return unproved, errors.Join(err, rows.Close())
}

// straySearch tells records from those that the run is known to have made.
type straySearch struct {
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
func (s *straySearch) add(id []byte, at int64, tag uint64) error {
	r := s.hasher.Record(0, snapshot.AppendID(nil, id))
	r.Row, r.Tag = at, tag
	return s.sorter.Add([]dedup.Record{r})
}

// read copies the records that rows reads.
func (s *straySearch) read(ctx context.Context, rows *list.Rows) error {
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
func (s *straySearch) addWritten(jr *journal.Journal) error {
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

// addRetried adds the ids of the records that the run made whose rows j retries, and those
// of its other retries: some may have been made within the second in which j began.
func (j *job) addRetried(s *straySearch) error {
	if j.writing.retry == nil {
		return nil
	}
	f, err := readFamily(j.writing.retry.Run)
	if err != nil {
		return err
	}
	for _, r := range f {
		if r.path == j.dir.Path {
			continue
		}
		err := eachEntry(filepath.Join(r.path, "written.csv"), func(_ int64, _, id []byte) error {
			if len(id) == 0 {
				return nil
			}
			return s.add(id, dedup.Known, elsewhere)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find returns the strays. It is an error if the list did not show a record of the run:
// it may not show others either.
func (s *straySearch) find() (objects [][]byte, err error) {
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
		if size += r.Tag; size > maxStrays {
			return errManyStrays
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
		return objects, errNoWitness
	}
	return objects, nil
}
