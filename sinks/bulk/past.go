package bulk

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Past is what a run that is over has on record. A *journal.Journal is one.
type Past interface {
	// Find returns what is known of a chunk; nil, nil if that is nothing.
	Find(seq int64) (*journal.Entry, error)

	// Images returns what the records of a chunk held before it changed them, oldest
	// first.
	BeforeImages(seq int64) ([]journal.BeforeImage, error)
}

// pastEncoder encodes rows as the run did. The rows that it rejected are none of
// the business of who looks back: they are Skipped, and nothing is said of them.
type pastEncoder struct{ pipeline.Encoder }

// Encode appends the rows of b that were sent to e.
func (x pastEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
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

// lookBack gives the rows of the chunk, which is one of a run that is over, the
// fates and the ids that they had when it ended. Of a chunk that the run did not
// come to they are Skipped.
func (w *write) lookBack(past Past) error {
	plan := w.plan()
	e, err := past.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil:
		w.chunk.SetPending(pipeline.Skipped)
		return nil
	case e.First != plan.First || e.Last != plan.Last || e.Rows != plan.Rows || !bytes.Equal(e.Digest, plan.Digest):
		return &changedInputError{plan.Seq, plan.First, plan.Last}
	}
	if err := w.takeOver(e); err != nil {
		return fmt.Errorf("chunk %d: %w", plan.Seq, err)
	}
	w.chunk.SetPending(pipeline.Skipped)
	w.chunk.Problems = w.chunk.Problems[:w.problems]
	w.past = w.stored
	// What the run left unfinished is not the business of what happens now.
	w.journaled.begin(w.chunk.Len(), w.problems)
	return nil
}

// wrote reports whether a row with this fate has a record that holds it.
func wrote(fate pipeline.Fate) bool {
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

// readCurrent reads the records of rows: by the ids that they were given, or by
// their keys where they got none. With keys it looks for others of the same key,
// too.
func (w *write) readCurrent(ctx context.Context, rows []int32, keys bool) (map[int32]current, error) {
	out := make(map[int32]current, len(rows))
	byKey := map[string]api.Found{}
	unread := false
	if named := w.toAskByKey(rows, keys); len(named) > 0 {
		o := &w.bulk.options
		found, err := w.bulk.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: w.keysOf(named)})
		if stops(ctx, err) {
			return nil, err
		}
		if err != nil {
			o.Log.Warn("records cannot be listed by key; each is asked for by its id", "chunk", w.chunk.Seq, "error", err)
		}
		byKey, unread = found, err != nil
	}
	var asked []int32
	for _, row := range rows {
		c := w.byKeyed(row, byKey[string(w.key(row))].Records)
		c.unread = unread && c.blind
		if out[row] = c; c.record == nil && c.id != "" {
			asked = append(asked, row)
		}
	}
	return out, w.readByID(ctx, asked, out)
}

// toAskByKey returns those of rows that are to be looked for by key: those that have no
// id, or, with all, every one that can be.
func (w *write) toAskByKey(rows []int32, all bool) (out []int32) {
	for _, row := range w.findable(rows) {
		if all || len(w.idOf(row)) == 0 {
			out = append(out, row)
		}
	}
	return out
}

// byKeyed returns what the records that have the key of row tell of it.
func (w *write) byKeyed(row int32, found []api.Record) current {
	id := string(w.idOf(row))
	c := current{id: id, many: len(found) > 1, blind: id == "" && len(found) == 0}
	for i := range found {
		if r := &found[i]; r.ID == id || id == "" && len(found) == 1 {
			c.record, c.id = r.Object, r.ID
		}
	}
	return c
}

// readByID reads the records of rows, which have ids, into out.
func (w *write) readByID(ctx context.Context, rows []int32, out map[int32]current) error {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = out[row].id
	}
	found, err := w.bulk.findIDs(ctx, ids)
	if err != nil {
		return err
	}
	for i, row := range rows {
		c := out[row]
		if c.record = found[ids[i]]; c.record == nil {
			if c.record, err = w.bulk.get(ctx, ids[i]); err != nil {
				return err
			}
		}
		out[row] = c
	}
	return nil
}

// noteFields rejects row for each member of patch.
func (w *write) noteFields(row int32, patch []byte, code pipeline.Code) {
	for name := range jsonscan.Members(patch) {
		w.note(row, w.bulk.field(string(jsonscan.Unquote(name))), code, "")
	}
}
