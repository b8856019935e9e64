package sinks

import (
	"testing"

	"flytt/pipeline"
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
		s := (&fakeAPI{}).bulk(t, BulkOptions{KeyLookup: true})
		w := s.writes.Get().(*write)
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
