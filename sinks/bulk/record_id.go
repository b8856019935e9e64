package bulk

import (
	"context"
	"errors"
	"fmt"

	"flytt/internal/api"
	"flytt/pipeline"
)

// changeByID settles rows, which have ids, and returns those whose record is not
// there.
func (w *write) changeByID(ctx context.Context, rows []int32) (absent []int32, err error) {
	var asked []int32
	var ids []string
	for _, row := range rows {
		id := w.id(row)
		if !w.bulk.claims.Take(idClaim, id) {
			w.note(row, w.bulk.field(idField), codeDuplicateInFile, "")
			continue
		}
		asked, ids = append(asked, row), append(ids, string(id))
	}
	found, err := w.bulk.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, row := range asked {
		record := found[ids[i]]
		if record == nil {
			if record, err = w.bulk.get(ctx, ids[i]); err != nil {
				return nil, err
			}
		}
		if record == nil {
			absent = append(absent, row)
		} else {
			err = w.compare(row, ids[i], record)
		}
		if err != nil {
			return nil, err
		}
	}
	return absent, w.makeChanges(ctx)
}

// findIDs returns those of the records with ids that the list shows. That may be
// none: the list is asked because it tells of many at once, and what it does not
// show is asked for one by one.
func (s *Import) findIDs(ctx context.Context, ids []string) (map[string][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.finder.FindByKeys(ctx, api.Lookup{Path: s.options.Path, Field: idField, Keys: ids, Unique: true})
	if stops(ctx, err) {
		return nil, err
	}
	if err != nil {
		s.warnOnce.Do(func() {
			s.options.Log.Warn("records cannot be listed by id; each is asked for by itself", "error", err)
		})
		return nil, nil
	}
	records := make(map[string][]byte, len(found))
	for id, of := range found {
		if len(of.Records) > 0 {
			records[id] = of.Records[0].Object
		}
	}
	return records, nil
}

// stops reports whether err, of a read, is about the run as a whole: every
// other read would end in the same way.
func stops(ctx context.Context, err error) bool {
	var gaveUp *api.GaveUpError
	var status *api.StatusError
	return err != nil && (ctx.Err() != nil || errors.Is(err, pipeline.ErrInterrupted) || errors.As(err, &gaveUp) || errors.As(err, &status) && api.IsFatalStatus(status.Status))
}

// get reads the record with id; nil if there is none.
func (s *Import) get(ctx context.Context, id string) ([]byte, error) {
	o, err := s.finder.Get(ctx, s.options.Records, id, nil)
	if errors.Is(err, api.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := recordOf(o.Body, id)
	if record == nil {
		return nil, fmt.Errorf("GET %s: %w", s.options.Records, errNoRecord)
	}
	return record, nil
}

var errNoRecord = errors.New("the answer is not the record that was asked for")
