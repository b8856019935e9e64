package sinks

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/drain"
	"flytt/pipeline"
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
		options BulkOptions
		rows    int
		after   time.Duration
		want    string
	}{
		{"for the list to show the first row", slow, BulkOptions{KeyLookup: true}, 10, 250 * time.Millisecond, "9 pending, 1 written"},
		{"for the list to show the rows of a refused request", slow, BulkOptions{KeyLookup: true}, 10, 2500 * time.Millisecond, "1 rejected, 1 written, 8 in_doubt"},
		{"for the time the API asks for", busy, BulkOptions{Atomicity: AllOrNothing}, 10, time.Minute, "10 pending"},
		{"for other writes to end", locked, BulkOptions{Atomicity: AllOrNothing}, 4, 100 * time.Millisecond, "4 pending"},
		{"for other writes to end, a single row", locked, BulkOptions{Atomicity: AllOrNothing}, 1, 100 * time.Millisecond, "1 pending"},
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
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 5), options: BulkOptions{Mode: CreateOnly, Settle: 8 * time.Second}}
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
