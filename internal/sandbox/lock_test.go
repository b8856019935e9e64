package sandbox_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"flytt/internal/sandbox"
)

const lockRefusal = `{"detail":"unable to lock row: could not obtain lock on relation"}`

// TestLockConflicts has each write arrive while another is about to be stored.
func TestLockConflicts(t *testing.T) {
	for conflicts, status := range map[sandbox.LockConflicts]int{sandbox.Conflict409: 409, sandbox.BadRequest400: 400} {
		storing, proceed := make(chan struct{}), make(chan struct{})
		waiting := false
		w := wired(t, sandbox.Options{
			Locks: sandbox.Locks{Conflicts: conflicts, Hold: time.Millisecond},
			Intercept: func(p sandbox.Point, _ http.ResponseWriter, r *http.Request) bool {
				if waiting && p == sandbox.Storing {
					storing <- struct{}{}
					<-proceed
				}
				return false
			},
		})
		id := w.must("POST", base, person("A", "")).object(t)["id"].(string)
		waiting = true
		first := make(chan reply, 1)
		go func() {
			r, err := w.try("POST", base+"list/", three)
			if err != nil {
				t.Error(err)
			}
			first <- r
		}()
		<-storing
		for _, write := range [][3]string{
			{"POST", base + "list/", bulk(person("X", ""))}, {"POST", base, person("X", "")},
			{"PATCH", base + id + "/", `{"name":"X"}`}, {"DELETE", base + id + "/", ""}, {"POST", base + "list/", bulk("{}")},
		} {
			if r := w.must(write[0], write[1], write[2]); r.status != status || r.body != lockRefusal {
				t.Errorf("%s: status %d: %s", write[0], r.status, r.body)
			}
		}
		if got := w.names(w.must("GET", base+"list/", "")); got != "A" {
			t.Errorf("a list while a write is under way: %s", got)
		}
		close(proceed)
		wantStatus(t, <-first, http.StatusCreated)
		waiting = false
		wantStatus(t, w.must("PATCH", base+id+"/", `{"name":"A2"}`), http.StatusOK)
		if got := w.stored(); got != "A2 A B C" {
			t.Errorf("stored %s", got)
		}
	}
}

// TestLockConflictsHappenByThemselves writes at once, as an import does.
func TestLockConflictsHappenByThemselves(t *testing.T) {
	w := wired(t, sandbox.Options{Locks: sandbox.Locks{Conflicts: sandbox.Conflict409}})
	const writers, writes = 4, 4
	counts := map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range writes {
				r, err := w.try("POST", base+"list/", three)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				counts[r.status]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if counts[201] == 0 || counts[409] == 0 || counts[201]+counts[409] != writers*writes {
		t.Errorf("statuses %v", counts)
	}
	if got := len(strings.Fields(w.stored())); got != 3*counts[201] {
		t.Errorf("%d rows are stored of %d writes", got, counts[201])
	}
}

// TestOneWriteAfterTheOtherIsNeverRefused has each write begin as soon as the
// answer of the one before it is read, however that ended.
func TestOneWriteAfterTheOtherIsNeverRefused(t *testing.T) {
	w := wired(t, sandbox.Options{Locks: sandbox.Locks{Conflicts: sandbox.Conflict409, Hold: time.Microsecond}},
		"bulk:5:reset", "bulk:10:commit-then-reset", "bulk:15:commit-then-500", "bulk:20:truncate", "bulk:25:413=5")
	w.client = &http.Client{} // with keep-alive
	defer w.client.CloseIdleConnections()
	for i := range 100 {
		body := three
		if i%7 == 6 {
			body = bulk("{}")
		}
		if r, err := w.try("POST", base+"list/", body); err == nil && r.status == http.StatusConflict {
			t.Errorf("write %d is refused: %s", i+1, r.body)
		}
	}
}

func TestAWriteHoldsTheLockForAWhile(t *testing.T) {
	const hold = 30 * time.Millisecond
	w := wired(t, sandbox.Options{Locks: sandbox.Locks{Conflicts: sandbox.Conflict409, Hold: hold}})
	began := time.Now()
	w.must("POST", base+"list/", three)
	if took := time.Since(began); took < hold {
		t.Errorf("a write took %s", took)
	}
}

func TestLockFault(t *testing.T) {
	w := wired(t, sandbox.Options{}, "bulk:1:lock", "bulk:2:lock=400", "bulk:3:commit-then-lock")
	var got bytes.Buffer
	for range 4 {
		r := w.must("POST", base+"list/", three)
		fmt.Fprintln(&got, r.status, r.body == lockRefusal, len(strings.Fields(w.stored())))
	}
	if diff := compare("409 true 0\n400 true 0\n409 true 3\n201 false 6\n", got.String()); diff != "" {
		t.Error(diff)
	}
	for _, fault := range []string{"bulk:1:lock=wait", "bulk:1:lock=500"} {
		if _, err := sandbox.ParseFault(fault); err == nil {
			t.Errorf("%s was taken", fault)
		}
	}
	if err := (sandbox.Options{Locks: sandbox.Locks{Hold: -1}}).Check(); err == nil {
		t.Error("a time below zero was taken")
	}
}

// TestRetryAfterOfAnyStatus has a refusal of an overloaded server that is no 429.
func TestRetryAfterOfAnyStatus(t *testing.T) {
	w := wired(t, sandbox.Options{}, "bulk:1:403=2", "bulk:2:403=date:2", "bulk:3:commit-then-403=3", "bulk:4:403")
	for i, want := range []string{"2", "Sun, 01 Mar 2026 12:00:02 GMT", "3", ""} {
		r := w.must("POST", base+"list/", three)
		wantStatus(t, r, http.StatusForbidden)
		if got := r.header.Get("Retry-After"); got != want {
			t.Errorf("request %d: Retry-After %q, want %q", i+1, got, want)
		}
		if diff := compareJSON(`{"detail":"Forbidden."}`, r.body); diff != "" {
			t.Error(diff)
		}
	}
	if got := w.stored(); got != "A B C" {
		t.Errorf("stored %s", got)
	}
}
