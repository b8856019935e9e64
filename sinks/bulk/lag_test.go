package bulk

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
)

// late serves f with a list that shows records a second after they were written.
type late struct {
	*fakeAPI
	at []time.Time
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		l.mu.Lock()
		all, n := l.records, 0
		for n < len(l.at) && time.Since(l.at[n]) >= time.Second {
			n++
		}
		l.records = all[:n:n]
		l.mu.Unlock()
		defer func() {
			l.mu.Lock()
			l.records = all
			l.mu.Unlock()
		}()
	}
	res, err := l.fakeAPI.RoundTrip(r)
	if r.Method == http.MethodPost {
		for len(l.at) < len(l.records) {
			l.at = append(l.at, time.Now())
		}
	}
	return res, err
}

// TestBulkWaitsForALateList has an API that writes the good rows of a request
// it refuses, and shows them as late as it showed the first row.
func TestBulkWaitsForALateList(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit time.Duration
		want  string
	}{
		{"late", time.Hour, "1 rejected, 9 written"},
		{"interrupted while waiting", 2500 * time.Millisecond, "1 rejected, 1 written, 8 in_doubt"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &late{fakeAPI: &fakeAPI{detail: true, partial: true}}
			s := bulkTo(t, "https://x.se", l, ImportOptions{Target: Target{KeyLookup: true}})
			ctx, cancel := context.WithTimeout(t.Context(), test.limit)
			defer cancel()
			c := bulkChunk(t, s, 0, 10, 5)
			err := s.Write(ctx, c)
			if (err != nil) != (ctx.Err() != nil) {
				t.Errorf("%s: %v", test.name, err)
			}
			wantFates(t, test.name, c, test.want)
			l.wantOnce(t, test.name, c)
			if c.Fates[0] != pipeline.Written {
				t.Errorf("%s: first row %v", test.name, c.Fates[0])
			}
		})
	}
}

// TestBulkIsNotBlindToAListThatFallsBehind has a list that is up to date at first
// and behind later, when a request is refused of which good rows are written.
func TestBulkIsNotBlindToAListThatFallsBehind(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Second, time.Minute} {
		inBubble(t, lag.String(), func(t *testing.T) {
			g := newRegister(0)
			g.partial = true
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 10, 23), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
			s := r.sink(t)
			for seq, rows := range r.chunks {
				time.Sleep(time.Hour)
				if seq == 2 { // the rows of the chunk before are as new as they can be
					if err := s.Write(t.Context(), r.chunk(t, s, 3, creates(30, 1, 10)[0])); err != nil {
						t.Fatal(err)
					}
					g.lag = lag
				}
				if err := s.Write(t.Context(), r.chunk(t, s, seq, rows)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Hour)
			r.chunks = append(r.chunks, creates(30, 1, 10)[0])
			r.finish(t)
			r.wantOnce(t)
		})
	}
}
