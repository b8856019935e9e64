package bulk

import (
	"testing"
	"testing/synctest"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// TestUndoOfARecordWithoutAnID settles rows that got no id and are not found by
// their keys: gone if a DELETE was under way, and not told of while the list
// cannot be read.
func TestUndoOfARecordWithoutAnID(t *testing.T) {
	for _, test := range []struct {
		name  string
		now   current
		tried bool
		want  pipeline.Fate
	}{
		{"never found", current{blind: true}, false, pipeline.Rejected},
		{"deleted before a crash", current{blind: true}, true, pipeline.Written},
		{"list not read", current{blind: true, unread: true}, false, pipeline.InDoubt},
		{"list not read after a crash", current{blind: true, unread: true}, true, pipeline.InDoubt},
	} {
		s := (&fakeAPI{}).bulk(t, ImportOptions{Target: Target{KeyLookup: true}})
		w := newReverser(s.engine, s.delivery, newMemory(), nil)
		c := bulkChunk(t, s, 0, 1)
		w.begin(c)
		if w.undoesCreate(0, test.now, test.tried) {
			t.Errorf("%s: it is to be deleted", test.name)
		}
		if c.Fates[0] != test.want {
			t.Errorf("%s: %v, want %v", test.name, c.Fates[0], test.want)
		}
	}
}

// TestUndoRecallsWhatItDid has an undo stop before it comes to a chunk that it has
// been at before, or to the first rows of one.
func TestUndoRecallsWhatItDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		past, own := newMemory(), newMemory()
		r := &trial{api: newRegister(0), journal: past, chunks: creates(0, 1, 4, 3), options: ImportOptions{Target: Target{Mode: CreateOnly}, Atomicity: AllOrNothing}}
		r.api.detail = true
		r.first(t)
		entry, err := past.Find(0)
		if err != nil {
			t.Fatal(err)
		}
		begun := *entry
		begun.Notes = nil
		begun.Fates = []pipeline.Fate{pipeline.Written, pipeline.Pending, pipeline.InDoubt, pipeline.Skipped}
		own.entries[0] = &begun
		u, err := NewUndo(r.sink(t).delivery.client, pipelinetest.Schema(updateFields...), past, UndoOptions{Target: Target{Path: bulkPath, Key: "custom_id"}, Journal: own})
		if err != nil {
			t.Fatal(err)
		}
		for rows, want := range map[int]string{4: "written, pending, in_doubt, skipped", 3: "pending, pending, pending"} {
			c := r.chunk(t, u, 0, r.chunks[0][:rows])
			if err := u.Recall(c); err != nil || sequence(c) != want {
				t.Errorf("%d rows: %s, %v; want %s", rows, sequence(c), err, want)
			}
		}
	})
}
