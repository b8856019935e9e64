package api

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLockWords has what servers say of locks and of concurrent updates, and what sounds
// like it and is about the rows.
func TestLockWords(t *testing.T) {
	for _, text := range []string{
		"deadlock detected",
		"could not obtain lock on row in relation \"organization_contact\"",
		"canceling statement due to lock timeout",
		"could not serialize access due to concurrent update",
		"could not serialize access due to read/write dependencies among transactions",
		"SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; try restarting transaction",
		"ERROR: ... (SQLSTATE 55P03)",
		"Lock wait timeout exceeded; try restarting transaction",
		"Record has changed since last read in table 'contact'",
		"ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired",
		"ORA-08177: can't serialize access for this transaction",
		"Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.",
		"Lock request time out period exceeded.",
		"database is locked",
		"WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.",
		"TransactionConflict", "UNABLE_TO_LOCK_ROW", "unable to lock row",
		"UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record",
		"Row was updated or deleted by another transaction (or unsaved-value mapping was incorrect)",
		"optimistic locking failed", "Attempted to update a stale object: Contact", "StaleObjectError",
		"DbUpdateConcurrencyException", "the record was changed by another user",
		"Record is currently in use", "The record is being modified by another user.", "locked by another process",
		"Failed to acquire the row lock", "Could not get a lock", "Concurrent update, try again", "conflict: concurrent modification",
	} {
		if !lockWords.MatchString(text) {
			t.Errorf("%q does not speak of a lock", text)
		}
	}
	for _, text := range []string{
		"", "This field is required.", "Enter a valid email address.", "Invalid email, please try again.",
		"This email address is already in use.", "The name is currently in use by this company.", "duplicate key value violates unique constraint",
		"The period is locked.", "entity is locked for editing", "Conflict", "Must be unlocked first.", "Block number is not valid.",
		"contact with this custom_id already exists", "Lock type: not a choice.",
	} {
		if lockWords.MatchString(text) {
			t.Errorf("%q speaks of a lock", text)
		}
	}
}

func TestContention(t *testing.T) {
	three := Sent{Items: [][]byte{[]byte(`{"name":"x"}`), []byte(`{"name":"y"}`), []byte(`{"name":"z"}`)}, Keys: [][]byte{[]byte("A"), []byte("B"), []byte("C")}}
	one := Sent{Items: three.Items[:1], Keys: three.Keys[:1]}
	tests := map[string]struct {
		status     int
		overlapped bool
		sent       Sent
		body       string
		whole      bool
		items      []int
	}{
		"409, others in flight":       {409, true, three, `{"detail":"Conflict."}`, true, nil},
		"409, alone":                  {409, false, three, `{"detail":"Conflict."}`, false, nil},
		"409 without words":           {409, true, three, ``, true, nil},
		"409 about a field":           {409, true, three, `{"name":["Taken."]}`, false, nil},
		"409 about an item":           {409, true, three, `[{},{"name":["Taken."]},{}]`, false, nil},
		"409, a status and no field":  {409, true, three, `{"status":"409","title":"Conflict"}`, true, nil},
		"423, alone":                  {423, false, three, ``, true, nil},
		"423 about an item":           {423, true, three, `{"C":{"name":["Odd."]}}`, false, nil},
		"400 of a lock":               {400, true, three, `{"detail":"unable to lock row"}`, true, nil},
		"400 of a lock, alone":        {400, false, three, `{"detail":"unable to lock row"}`, true, nil},
		"422 of a lock, in a code":    {422, true, three, `[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access"}]`, true, nil},
		"400 of a lock, plain text":   {400, true, three, `ERROR: deadlock detected`, true, nil},
		"400 of a lock of an item":    {400, true, three, `[{},{"non_field_errors":["unable to lock row"]},{}]`, false, []int{1}},
		"a lock of an item, and more": {400, true, three, `[{},{"non_field_errors":["unable to lock row"],"name":["Odd."]},{"name":["Odd."]}]`, false, []int{1}},
		"a lock and a bad item":       {400, true, three, `[{"custom_id":"B","name":["Odd."]},{"detail":"unable to lock row"}]`, false, nil},
		"try again":                   {422, true, three, `{"detail":"Another request is in progress. Please try again."}`, true, nil},
		"try again, alone":            {422, false, three, `{"detail":"Please try again."}`, false, nil},
		"try again with a field":      {422, true, three, `{"name":["Odd, please try again."]}`, false, nil},
		"500":                         {500, true, three, `deadlock detected`, false, nil},
		"413":                         {413, true, three, `deadlock detected`, false, nil},
		"400":                         {400, true, three, `{"detail":"Bad data."}`, false, nil},
		"one item":                    {400, false, one, `[{"non_field_errors":["unable to lock row"]}]`, true, nil},
		"one item, 409":               {409, true, one, `{"detail":"Conflict."}`, true, nil},
		"one item, 409, its field":    {409, true, one, `{"name":["Taken."]}`, false, nil},
	}
	for name, test := range tests {
		refusals, _ := ParseRefusals([]byte(test.body), test.sent, UnknownBase)
		o := Outcome{Class: Answered, Status: test.status, Overlapped: test.overlapped}
		got := o.Contention(test.sent, refusals)
		if diff := cmp.Diff(test.items, slices.Sorted(maps.Keys(got.Items))); diff != "" || got.Request != test.whole || got.Any() != (test.whole || test.items != nil) {
			t.Errorf("%s: whole %v, want %v (-want +got):\n%s", name, got.Request, test.whole, diff)
		}
	}
}

// slowConflict is an API that answers 409 after a second. It is for concurrent use.
type slowConflict struct{}

func (slowConflict) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(time.Second)
	return respond(http.StatusConflict, ""), nil
}

// TestOutcomesTellOfOverlaps has writes that overlap, and one that goes alone.
func TestOutcomesTellOfOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := clientOf(t, nil)
		c.transport = slowConflict{}
		lonely := c.BulkWrite(t.Context(), "/a/list/", []byte(`[{}]`), nil)
		var pair [2]Outcome
		var alone Outcome
		var wg sync.WaitGroup
		for i := range pair {
			wg.Go(func() { pair[i] = c.Create(t.Context(), "/a/", []byte(`{}`), nil) })
		}
		synctest.Wait()
		wg.Go(func() { alone = c.Exclusive().Update(t.Context(), "/a/", "A-1", []byte(`{}`), nil) })
		synctest.Wait()
		wg.Wait()
		if lonely.Overlapped || alone.Overlapped || !pair[0].Overlapped || !pair[1].Overlapped {
			t.Errorf("overlapped: %v by itself, %v alone, %v and %v together", lonely.Overlapped, alone.Overlapped, pair[0].Overlapped, pair[1].Overlapped)
		}
		for _, o := range append(pair[:], lonely, alone) {
			c.RecordConflict(o)
		}
		if c.writes.limit != 2 { // of 4, halved once for the pair
			t.Errorf("limit %v", c.writes.limit)
		}
		if o := c.Exclusive().Delete(t.Context(), "/a/", ".."); o.Class != NotSent {
			t.Errorf("a bad id: %v", o.Class)
		}
	})
}
