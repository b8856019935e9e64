package bulk

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// A row in doubt whose key the API may store in another form cannot be looked up by its
// key. It is searched for among the records that may be its own: those of its own
// request, by the ids that the answer showed, and the unmatched records, which were
// created since the run began and which no row of the run is known to have created. The rules:
//
//   - A record fits a row if it holds each value of the row as it was sent or in another
//     form of it, the key too. Two forms of a value have the same letters and digits, but
//     for what the API was seen to add to a value of this field, or to cut off.
//   - A row and a record are matched if they fit each other and nothing else.
//   - A record is ruled out for a row if it holds another value, not only another form,
//     in a field that the API always kept as it was sent.
//   - A row is known not to have been written if every record is ruled out or matched
//     with another row. Otherwise it stays in doubt.

// unmatchedRecord is a record of which it is not known which row made it.
type unmatchedRecord struct {
	id     string
	object []byte
	taken  bool
}

// unmatchedRecords are read once in a pass: all rows that are looked for were sent before it began.
type unmatchedRecords struct {
	mu    sync.Mutex
	read  bool
	err   error
	list  []unmatchedRecord
	owned ownedIDs
}

// loadUnmatched reads the unmatched records, if that was not done before. Nothing is sent meanwhile: every
// record that it sees has been made by a row of which the journal knows, or by one in
// doubt.
func (rc *reconciler) loadUnmatched(ctx context.Context) error {
	if rc.engine.unmatched.read {
		return rc.engine.unmatched.err
	}
	rc.delivery.sending.Lock()
	defer rc.delivery.sending.Unlock()
	objects, err := rc.options.Unmatched(ctx)
	if stops(ctx, err) {
		return err
	}
	rc.engine.unmatched.read, rc.engine.unmatched.err, rc.engine.unmatched.list = true, err, nil
	for _, object := range objects {
		rc.engine.unmatched.list = append(rc.engine.unmatched.list, unmatchedRecord{id: string(jsonscan.Text(jsonscan.Member(object, idField))), object: object})
	}
	rc.engine.unmatched.owned.list(rc.engine.unmatched.list)
	return err
}

// markOwned marks those of list taken that rows were found to have made meanwhile.
func (rc *reconciler) markOwned(list []unmatchedRecord) {
	for i := range list {
		list[i].taken = list[i].taken || rc.engine.unmatched.owned.has(list[i].id)
	}
}

func sameLetters(a, b jsontext.Value) bool { return lettersOf(a) == lettersOf(b) && isText(a, b) }

// edgeOf tells what was added to sent, or cut off, to make stored: by letters and digits.
// A text that is cut is described by its length. It is nil if they differ in another way.
func edgeOf(sent, stored jsontext.Value) []byte {
	if !isText(sent, stored) {
		return nil
	}
	a, b := lettersOf(sent), lettersOf(stored)
	if a == "" || b == "" || a == b {
		return nil
	}
	if front, ok := strings.CutSuffix(b, a); ok {
		return []byte("in front " + front)
	}
	if behind, ok := strings.CutPrefix(b, a); ok {
		return []byte("behind " + behind)
	}
	if front, ok := strings.CutSuffix(a, b); ok {
		return []byte("not in front " + front)
	}
	if strings.HasPrefix(a, b) {
		return fmt.Appendf(nil, "cut to %d", utf8.RuneCount(jsonscan.Text(stored)))
	}
	return nil
}

// sharesLetters reports whether the letters and digits of one text are part of the
// other's.
func sharesLetters(a, b jsontext.Value) bool {
	x, y := lettersOf(a), lettersOf(b)
	return isText(a, b) && (strings.Contains(x, y) || strings.Contains(y, x))
}

func isText(a, b jsontext.Value) bool { return a.Kind() == '"' && b.Kind() == '"' }

// lettersOf returns what two forms of one text have in common.
func lettersOf(v jsontext.Value) string { return api.FoldText(jsonscan.Text(v)) }

// ownedIDs are the ids of records that rows were found to have made and of which the journal
// may not know yet: a record is of one row. Nothing else is locked while it is.
type ownedIDs struct {
	mu     sync.Mutex
	ids    map[string]bool
	listed map[string]bool // the unmatched records, once they are read: no other ids matter then
}

// add takes in that a row has the record with id.
func (h *ownedIDs) add(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids == nil {
		h.ids = map[string]bool{}
	}
	if h.listed == nil || h.listed[id] {
		h.ids[id] = true
	}
}

// has reports whether a row has the record with id.
func (h *ownedIDs) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids[id]
}

// list notes which records are unmatched.
func (h *ownedIDs) list(records []unmatchedRecord) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listed = make(map[string]bool, len(records))
	for i := range records {
		h.listed[records[i].id] = true
	}
}

// release forgets the ids of the rows of r, of which the journal knows now: unmatched records that
// are read from now on are without them.
func (h *ownedIDs) release(r *chunkRows) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listed != nil || len(h.ids) == 0 {
		return
	}
	for row := range r.ids {
		delete(h.ids, string(r.idOf(int32(row))))
	}
}
