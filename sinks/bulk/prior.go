package bulk

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/pipeline"
)

// priorEncoder encodes rows as the earlier run did. The rows that it rejected are Skipped,
// without a problem.
type priorEncoder struct{ pipeline.Encoder }

// Encode appends the rows of b that were sent to e.
func (x priorEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	if err := x.Encoder.Encode(b, e); err != nil {
		return err
	}
	for i, fate := range b.Fates {
		if fate == pipeline.Rejected || fate == pipeline.Broken {
			b.Fates[i] = pipeline.Skipped
		}
	}
	b.Problems = b.Problems[:0]
	return nil
}

// hasRecord reports whether a row with this fate has a record that holds it.
func hasRecord(fate pipeline.Fate) bool {
	return fate == pipeline.Written || fate == pipeline.Updated || fate == pipeline.Unchanged
}

// current is a record as it is now.
type current struct {
	record jsontext.Value // nil: it is not there
	id     string         // of it, or of the one that was there
	many   bool           // several records have the row's key
	blind  bool           // the row has no id, and nothing is found by its key
	unread bool           // and that is because the list by key could not be read
}

// readCurrent reads the records of rows as they are now: by the ids that they were given, or
// by their keys where they got none. With keys it looks for others of the same key,
// too.
func (s *chunkState) readCurrent(ctx context.Context, rows []int32, keys bool) (map[int32]current, error) {
	out := make(map[int32]current, len(rows))
	byKey := map[string]api.Found{}
	unread := false
	named := slices.DeleteFunc(s.rows.findable(rows), func(row int32) bool { return !keys && len(s.rows.idOf(row)) > 0 })
	if len(named) > 0 {
		found, err := s.engine.findByKeys(ctx, s.rows.keysOf(named), "")
		if stops(ctx, err) {
			return nil, err
		}
		if err != nil {
			s.engine.options.Log.Warn("records cannot be listed by key; each is asked for by its id", "chunk", s.rows.chunk.Seq, "error", err)
		}
		byKey, unread = found, err != nil
	}
	var asked []int32
	for _, row := range rows {
		c := s.byKeyed(row, byKey[string(s.rows.key(row))].Records)
		c.unread = unread && c.blind
		if out[row] = c; c.record == nil && c.id != "" {
			asked = append(asked, row)
		}
	}
	return out, s.readByID(ctx, asked, out)
}

// byKeyed returns what the records that have the key of row tell of it.
func (s *chunkState) byKeyed(row int32, found []api.Record) current {
	id := string(s.rows.idOf(row))
	c := current{id: id, many: len(found) > 1, blind: id == "" && len(found) == 0}
	for i := range found {
		if r := &found[i]; r.ID == id || id == "" && len(found) == 1 {
			c.record, c.id = r.Object, r.ID
		}
	}
	return c
}

// readByID reads the records of rows, which have ids, into out.
func (s *chunkState) readByID(ctx context.Context, rows []int32, out map[int32]current) error {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = out[row].id
	}
	found, err := s.engine.findIDs(ctx, ids)
	if err != nil {
		return err
	}
	for i, row := range rows {
		c := out[row]
		if c.record, err = s.engine.recordWith(ctx, ids[i], found); err != nil {
			return err
		}
		out[row] = c
	}
	return nil
}
