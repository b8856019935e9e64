package bulk

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/drain"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// drained returns a gate that closes after d, as the first Ctrl-C closes that of a run.
func drained(after time.Duration) *drain.Gate {
	gate := drain.New()
	time.AfterFunc(after, func() { gate.Close(pipeline.ErrInterrupted) })
	return gate
}

// TestADrainEndsTheWaitsOfAWrite drains the run at a time at which a write waits: it
// returns at once and says so, and rows are in doubt only if they were sent.
func TestADrainEndsTheWaitsOfAWrite(t *testing.T) {
	slow := func() http.RoundTripper { return &late{fakeAPI: &fakeAPI{detail: true, partial: true}} }
	busy := func() http.RoundTripper {
		return &fakeAPI{before: func(_ int, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}}
	}
	locked := func() http.RoundTripper {
		return &lockingAPI{api: &fakeAPI{}, status: http.StatusLocked, locked: func(string) bool { return true }}
	}
	tests := []struct {
		name    string
		api     func() http.RoundTripper
		options ImportOptions
		rows    int
		after   time.Duration
		want    string
	}{
		{"for the list to show the first row", slow, ImportOptions{Target: Target{KeyLookup: true}}, 10, 250 * time.Millisecond, "9 pending, 1 written"},
		{"for the list to show the rows of a refused request", slow, ImportOptions{Target: Target{KeyLookup: true}}, 10, 2500 * time.Millisecond, "1 rejected, 1 written, 8 in_doubt"},
		{"for the time the API asks for", busy, ImportOptions{Atomicity: AllOrNothing}, 10, time.Minute, "10 pending"},
		{"for other writes to end", locked, ImportOptions{Atomicity: AllOrNothing}, 4, 100 * time.Millisecond, "4 pending"},
		{"for other writes to end, a single row", locked, ImportOptions{Atomicity: AllOrNothing}, 1, 100 * time.Millisecond, "1 pending"},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			test.options.Drain = drained(test.after)
			s := bulkTo(t, "https://api.example.se", test.api(), test.options)
			c := bulkChunk(t, s, 0, test.rows, 5)
			began := time.Now()
			err := s.Write(t.Context(), c)
			if took := time.Since(began); !errors.Is(err, pipeline.ErrInterrupted) || took != test.after {
				t.Errorf("it ended after %v with %v", took, err)
			}
			wantFates(t, test.name, c, test.want)
		})
	}
}

// TestADrainEndsTheTimeToSettle drains a second pass while it waits until the API cannot
// be working any more on a request of the first: the row that was in doubt stays so, and a
// pass after that settles it.
func TestADrainEndsTheTimeToSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.late = func(post int) time.Duration {
			if post == 3 {
				return 5 * time.Second
			}
			return 0
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: 8 * time.Second}}
		fates, _ := r.first(t)
		if fates[1] != each("in_doubt", 5) {
			t.Fatalf("first pass: %q", fates)
		}
		r.options.Drain = drained(time.Second)
		began, posts := time.Now(), g.posts
		_, err := r.pass(t, r.sink(t))
		if took := time.Since(began); !errors.Is(err, pipeline.ErrInterrupted) || took != time.Second {
			t.Errorf("the second pass ended after %v with %v", took, err)
		}
		if g.posts != posts {
			t.Errorf("%d requests were sent by a pass that only waited", g.posts-posts)
		}
		r.options.Drain = nil
		for i, m := range r.finish(t) {
			if m.fates != each("written", 5) {
				t.Errorf("chunk %d: %s", i, m.fates)
			}
		}
		r.wantOnce(t)
	})
}

// TestADrainEndsTheWaitsOfAChange is TestADrainEndsTheWaitsOfAWrite for rows that change a
// record. A change that got no answer is in doubt at once.
func TestADrainEndsTheWaitsOfAChange(t *testing.T) {
	unanswered := withRecords(1)
	unanswered.answer = func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPatch {
			return nil, errReset
		}
		return nil, nil
	}
	tests := []struct {
		name string
		api  http.RoundTripper
		err  error
		want string
	}{
		{"for other writes to end", &lockingAPI{api: withRecords(1), status: http.StatusLocked, locked: func(string) bool { return true }}, pipeline.ErrInterrupted, "pending"},
		{"for the record to show the change", unanswered, nil, "in_doubt"},
	}
	for _, test := range tests {
		inBubble(t, test.name, func(t *testing.T) {
			s := updateTo(t, test.api, ImportOptions{Target: Target{Mode: UpdateOnly}, Drain: drained(100 * time.Millisecond)})
			c := chunkFrom(t, s, [][]string{row(0, "name", "new")})
			began := time.Now()
			err := s.Write(t.Context(), c)
			if took := time.Since(began); !errors.Is(err, test.err) || took != 100*time.Millisecond {
				t.Errorf("it ended after %v with %v", took, err)
			}
			wantSequence(t, c, test.want)
		})
	}
}

// TestADrainedWriteLooksNothingUp has the answer to a request lost after the run was
// drained: its rows stay in doubt for the pass that resumes the run.
func TestADrainedWriteLooksNothingUp(t *testing.T) {
	for _, drain := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newRegister(0)
			g.reset = func(post int) bool { return post == 2 }
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 1, 5), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second, Drain: drained(time.Hour)}}
			want := "written, " + each("written", 4)
			if drain {
				want = "written, " + each("in_doubt", 4)
				gate := r.options.Drain
				g.pass = func(point string) {
					if point == http.MethodPost+" done" && g.posts == 2 {
						gate.Close(pipeline.ErrInterrupted)
					}
				}
			}
			fates, _ := r.first(t)
			if fates[0] != want {
				t.Errorf("drained %v: %s, want %s", drain, fates[0], want)
			}
			r.options.Drain, g.pass = nil, func(string) {}
			r.finish(t)
			r.wantOnce(t)
		})
	}
}

// undeletable is an API that fails when a record is to be deleted.
type undeletable struct{ *register }

func (u undeletable) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodDelete {
		return reply(http.StatusInternalServerError, ""), nil
	}
	return u.register.RoundTrip(r)
}

// TestADrainEndsTheWaitsOfAnUndo drains an undo while it waits to delete a record once more.
func TestADrainEndsTheWaitsOfAnUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		past := newMemory()
		r := &trial{api: newRegister(0), journal: past, chunks: creates(0, 1, 1), options: ImportOptions{Target: Target{Mode: CreateOnly}}}
		r.first(t)
		o := ImportOptions{Target: Target{Path: bulkPath, Key: "custom_id"}, Journal: newMemory(), Drain: drained(250 * time.Millisecond)}
		u, err := NewUndo(updateTo(t, undeletable{r.api}, o).delivery.client, pipelinetest.Schema(updateFields...), past, undoOptions(o))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c := r.chunk(t, u, 0, r.chunks[0])
		err = u.Write(t.Context(), c)
		if took := time.Since(began); !errors.Is(err, pipeline.ErrInterrupted) || took != 250*time.Millisecond {
			t.Errorf("it ended after %v with %v", took, err)
		}
		wantSequence(t, c, "pending")
	})
}
