package bulk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
)

// TestReconcileBelievesNoBlindRead loses a request on its way; the list is blind
// for a while, or behind. What it does not show is believed only beside what is
// known to be there.
func TestReconcileBelievesNoBlindRead(t *testing.T) {
	for _, test := range []struct {
		name  string
		late  time.Duration // 0: the request is carried out, and its answer lost
		lag   time.Duration
		empty func(get int) bool
	}{
		{name: "every other page is empty", empty: func(get int) bool { return get%2 == 0 }},
		{name: "two of three pages are empty", empty: func(get int) bool { return get%3 != 0 }},
		{name: "pages are empty at first", empty: func(get int) bool { return get < 30 }},
		{name: "a replica that lags", lag: 20 * time.Second},
		{name: "a replica that lags, a late request", lag: 10 * time.Second, late: 15 * time.Second},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			g := newRegister(0)
			g.lag = test.lag
			g.reset = func(post int) bool { return post == 4 && test.late == 0 }
			g.late = func(post int) time.Duration {
				if post == 4 {
					return test.late
				}
				return 0
			}
			g.empty = test.empty
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 4, 5),
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: 30 * time.Second, Atomicity: AllOrNothing}}
			for range 3 {
				r.first(t)
				for _, row := range slices.Concat(r.chunks...) {
					if n := g.times(row[2]); n > 1 {
						t.Errorf("row %s is there %d times", row[2], n)
					}
				}
			}
			g.empty = nil
			for _, m := range r.finish(t) {
				if m.fates != each("written", 5) {
					t.Errorf("%s", m.fates)
				}
			}
			time.Sleep(time.Minute)
			r.wantOnce(t)
		})
	}
}

// TestReconcileWantsItsOwnRecordShown ends the process at a request that is carried
// out, before a list that is behind and shows nothing but records of somebody else.
// What it leaves out is not absent for that.
func TestReconcileWantsItsOwnRecordShown(t *testing.T) {
	for name, post := range map[string]int{"nothing is written yet": 1, "a row is written": 2} {
		inBubble(t, name, func(t *testing.T) {
			g := newRegister(5)
			time.Sleep(time.Hour)
			g.lag = time.Minute
			g.pass = func(point string) {
				if point == http.MethodPost+" done" && g.posts == post {
					panic(killed{point})
				}
			}
			r := &trial{api: g, journal: newMemory(), chunks: creates(100, 1, 5),
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: 5 * time.Second, Atomicity: AllOrNothing}}
			func() {
				defer func() { _ = recover() }()
				r.first(t)
			}()
			g.pass = func(string) {}
			fates, s := r.first(t)
			if !strings.Contains(fates[0], "in_doubt") || !s.Resolvable() {
				t.Errorf("while the list is behind: %s", fates[0])
			}
			r.wantOnce(t)
			time.Sleep(time.Minute)
			if out := r.finish(t); out[0].fates != each("written", 5) {
				t.Errorf("later: %s", out[0].fates)
			}
			r.wantOnce(t)
		})
	}
}

// TestReconcileTellsRecordsApart has records in the place of rows in doubt.
func TestReconcileTellsRecordsApart(t *testing.T) {
	other := func(g *register, key, name string) {
		g.keep(map[string]any{"name": name, "custom_id": key, "external_client": map[string]any{"id": clientID}})
	}
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.late = func(post int) time.Duration {
			if post == 2 {
				return 24 * time.Hour // never, as far as this run goes
			}
			return 0
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 1, 5),
			options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		fates, _ := r.first(t)
		if want := "written, in_doubt, in_doubt, in_doubt, in_doubt"; fates[0] != want {
			t.Fatal(fates)
		}
		other(g, "K-1", "Ada 1")
		other(g, "K-2", "somebody else")
		other(g, "K-3", "Ada 3")
		other(g, "K-3", "Ada 3")
		g.records[len(g.records)-1]["id"] = recordID(777)
		out := r.finish(t)
		want := "written, written, rejected key_conflict, rejected key_not_unique, written"
		if out[0].fates != want {
			t.Errorf("got  %s\nwant %s", out[0].fates, want)
		}
		again, _ := r.first(t)
		if again[0] != want {
			t.Errorf("from the journal: %s", again[0])
		}
	})
}

// TestReconcileAChange leaves a change in doubt and has somebody else change the
// record, or not.
func TestReconcileAChange(t *testing.T) {
	for _, test := range []struct {
		name  string
		then  func(record map[string]any)
		want  string
		name0 string // what the record is called in the end
	}{
		{"as it was", func(map[string]any) {}, "updated", "New"},
		{"as it was to be", func(m map[string]any) { m["name"] = "New" }, "updated", "New"},
		{"another member", func(m map[string]any) { m["title"] = "Dr" }, "updated", "New"},
		{"somebody else's", func(m map[string]any) { m["name"] = "Other" }, "in_doubt", "Other"},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			g := newRegister(3)
			r := &trial{api: g, journal: newMemory(), chunks: [][][]string{{row(0, "name", "New"), row(1)}},
				options: ImportOptions{Settle: 5 * time.Second, Undoable: true}}
			lost := true
			g.pass = func(point string) {
				if lost && point == http.MethodPatch {
					panic(killed{point})
				}
			}
			func() {
				defer func() { _ = recover() }()
				r.first(t)
			}()
			lost = false
			test.then(g.records[0])
			fates, s := r.first(t)
			if fates[0] != test.want+", unchanged" || s.Resolvable() {
				t.Errorf("got %s, resolvable %v", fates[0], s.Resolvable())
			}
			if g.records[0]["name"] != test.name0 {
				t.Errorf("the record is called %v", g.records[0]["name"])
			}
		})
	}
}

// TestRecallTellsWithoutSending has a run stop before it comes to a chunk that an
// earlier pass has settled in part, or to the first rows of it.
func TestRecallTellsWithoutSending(t *testing.T) {
	const all = 5
	for _, rows := range []int{all, 3} {
		inBubble(t, fmt.Sprint(rows, " rows"), func(t *testing.T) {
			g := newRegister(0)
			g.reset = func(post int) bool { return post == 2 }
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 2, all, 1, 3), options: ImportOptions{Target: Target{Mode: CreateOnly}, Atomicity: AllOrNothing}}
			g.detail, g.lag = true, time.Hour
			fates, _ := r.first(t)
			s := r.sink(t)
			requests := g.posts + g.gets
			for seq, want := range fates {
				c := r.chunk(t, s, seq, r.chunks[seq][:rows])
				if err := s.Recall(c); err != nil {
					t.Fatal(err)
				}
				if got := sequence(c); !strings.HasPrefix(want, got) || len(c.Problems) != strings.Count(got, "rejected") {
					t.Errorf("chunk %d: got %s, with %d problems, want of %s", seq, got, len(c.Problems), want)
				}
			}
			c := r.chunk(t, s, 2, creates(100, 1, all)[0])
			if err := s.Recall(c); err != nil || c.Pending() != all {
				t.Errorf("a chunk that nobody knows: %s, %v", sequence(c), err)
			}
			if g.posts+g.gets != requests {
				t.Error("something was asked or sent")
			}
		})
	}
}

// TestRecallRefusesAnotherInput resumes a run whose rows are not what they
// were.
func TestRecallRefusesAnotherInput(t *testing.T) {
	for name, edit := range map[string]func(rows [][]string) [][]string{
		"a value":  func(rows [][]string) [][]string { rows[2][0] = "Eva"; return rows },
		"one less": func(rows [][]string) [][]string { return rows[:3] },
		"one more": func(rows [][]string) [][]string { return append(rows, rows[0]) },
	} {
		inBubble(t, name, func(t *testing.T) {
			r := &trial{api: newRegister(0), journal: newMemory(), chunks: creates(0, 2, 4), options: ImportOptions{Target: Target{Mode: CreateOnly}}}
			r.first(t)
			r.chunks[1] = edit(r.chunks[1])
			posts := r.api.posts
			_, err := r.pass(t, r.sink(t))
			if err == nil || !strings.Contains(err.Error(), "chunk 1, rows 102 to") || strings.Contains(err.Error(), "Eva") {
				t.Errorf("%v", err)
			}
			if r.api.posts != posts {
				t.Error("something was sent")
			}
		})
	}
}

// TestASystemErrorLeavesRowsToBeSent has the API turn the credentials down half
// way: no row is rejected or in doubt, and the next pass sends the rest.
func TestASystemErrorLeavesRowsToBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		down := true
		g.answer = func(post int, answer []map[string]any) (int, string) {
			if down && post == 3 {
				g.records, g.made = g.records[:5], g.made[:5]
				return http.StatusUnauthorized, ""
			}
			return 0, ""
		}
		m := newMemory()
		r := &trial{api: g, journal: m, chunks: creates(0, 2, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Hour}}
		if _, err := r.pass(t, r.sink(t)); err == nil {
			t.Fatal("the run goes on")
		}
		if e, err := m.Find(1); err != nil || len(e.Sent) > 0 || slices.ContainsFunc(e.Fates, func(f pipeline.Fate) bool { return f != pipeline.Pending }) {
			t.Fatalf("%+v, %v", e, err)
		}
		down = false
		began := time.Now()
		for _, m := range r.finish(t) {
			if m.fates != each("written", 5) {
				t.Errorf("%s", m.fates)
			}
		}
		if time.Since(began) > time.Minute {
			t.Errorf("waited %v for rows that were not in doubt", time.Since(began))
		}
		r.wantOnce(t)
	})
}

// TestAnInterruptedPassSettlesWhatIsKnown cuts a request short: its rows are in
// doubt, those after it were not sent, and the next pass ends with all of them.
func TestAnInterruptedPassSettlesWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		ctx, cancel := context.WithCancel(t.Context())
		g.reset = func(post int) bool {
			if post == 2 {
				cancel()
			}
			return post == 2
		}
		m := newMemory()
		r := &trial{api: g, journal: m, chunks: creates(0, 1, 40), options: ImportOptions{Target: Target{Mode: CreateOnly}, Limits: Limits{MaxBytes: 1 << 10}, Settle: time.Second}}
		s := r.sink(t)
		c := r.chunk(t, s, 0, r.chunks[0])
		if err := s.Write(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		e, err := m.Find(0)
		if err != nil || len(e.Sent) > 0 || !slices.Equal(e.Fates, c.Fates) {
			t.Fatalf("%+v, %v", e, err)
		}
		if !strings.Contains(fates(c), "in_doubt") || c.Pending() == 0 {
			t.Errorf("%s", fates(c))
		}
		for _, m := range r.finish(t) {
			if m.fates != each("written", 40) {
				t.Errorf("%s", m.fates)
			}
		}
		r.wantOnce(t)
	})
}

// TestNothingIsSentUnrecorded has the journal fail: what it does not have is not
// sent.
func TestNothingIsSentUnrecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &trial{api: newRegister(0), journal: &broken{newMemory()}, chunks: creates(0, 1, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}}}
		if _, err := r.pass(t, r.sink(t)); err == nil || err.Error() != errBroken.Error() {
			t.Errorf("%v", err)
		}
		if r.api.posts != 0 {
			t.Errorf("%d requests", r.api.posts)
		}
	})
}

var errBroken = errors.New("no space left")

// broken is a journal that cannot be written to.
type broken struct{ *memory }

func (broken) Sending(int64, []int32, []byte) error { return errBroken }
