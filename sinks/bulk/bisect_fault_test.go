package bulk

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
)

// run returns the numbers from, from+1, and so on, n of them.
func run(from, n int) (out []int) {
	for i := range n {
		out = append(out, from+i)
	}
	return out
}

// TestFault15Poison has one, three and many of 500 rows refused without a word
// which they are: they are rejected, for what the API says of each, and no others.
func TestFault15Poison(t *testing.T) {
	for _, bad := range [][]int{nil, {0}, {250}, {499}, {0, 250, 499}, {3, 4, 5}, run(200, 40)} {
		for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}} {
			name := fmt.Sprintf("%d bad, atomicity %d", len(bad), o.Atomicity)
			f := &fakeAPI{}
			s := f.bulk(t, o)
			c := bulkChunk(t, s, 0, 500, bad...)
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.wantOnce(t, name, c)
			for i, fate := range c.Fates {
				if (fate == pipeline.Rejected) != (string(c.Fields[0].Value(i)) == "bad") {
					t.Errorf("%s: row %d is %s", name, i, fate)
				}
			}
			for _, p := range c.Problems {
				if p.Code != codeRefused || p.Private == "" {
					t.Errorf("%s: %+v", name, p)
				}
			}
			if bound := allowed(500, len(bad)) + sampleSize + 1; float64(f.posts) > bound {
				t.Errorf("%s: %d requests, more than %.0f", name, f.posts, bound)
			}
		}
	}
}

// TestFault15AllPoison has the API refuse every row: the run is stopped after few
// requests, and no row is rejected that was not refused by itself.
func TestFault15AllPoison(t *testing.T) {
	for name, o := range map[string]ImportOptions{
		"all or nothing": {Atomicity: AllOrNothing}, "unknown": {Target: Target{KeyLookup: true}}, "journalled": {Target: Target{KeyLookup: true}, Journal: newMemory()},
	} {
		f := &fakeAPI{}
		s := f.bulk(t, o)
		var wg sync.WaitGroup
		chunks := make([]*pipeline.Chunk, 4)
		for i := range chunks {
			chunks[i] = bulkChunk(t, s, 500*i, 500, run(500*i, 500)...)
			chunks[i].Seq = int64(i)
			wg.Go(func() {
				var hopeless *stopError
				if err := s.Write(t.Context(), chunks[i]); !errors.Is(err, ErrMostRefused) || !errors.As(err, &hopeless) || hopeless.Hint() == "" {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		rejected := 0
		for _, c := range chunks {
			for _, fate := range c.Fates {
				switch fate {
				case pipeline.Rejected:
					rejected++
				case pipeline.Pending:
				default:
					t.Errorf("%s: a row is %s", name, fate)
				}
			}
			if strings.Contains(codes(c), string(codeRefusedChunk)) {
				t.Errorf("%s: %s", name, codes(c))
			}
		}
		if f.posts > 60 || rejected < sampleSize {
			t.Errorf("%s: %d requests, %d rejected", name, f.posts, rejected)
		}
	}
}

// TestAGoodChunkSpeaksForTheRun has chunks that are all refused after one that was
// not: it is not the mapping.
func TestAGoodChunkSpeaksForTheRun(t *testing.T) {
	f := &fakeAPI{}
	s := f.bulk(t, ImportOptions{Atomicity: AllOrNothing})
	for i, bad := range [][]int{nil, run(100, 100), run(200, 100), nil, run(400, 100), run(500, 100)} {
		c := bulkChunk(t, s, 100*i, 100, bad...)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
		wantFates(t, "chunk", c, fmt.Sprintf("100 %s", map[bool]string{true: "written", false: "rejected"}[bad == nil]))
	}
	for i := 6; ; i++ {
		c := bulkChunk(t, s, 100*i, 100, run(100*i, 100)...)
		if err := s.Write(t.Context(), c); err == nil && i < 8 {
			continue
		} else if err == nil {
			t.Error("the run was not stopped")
		}
		break
	}
}

// TestNamedRefusalsStopARun has the API refuse most rows of the first chunks, and
// name them: none is rejected unproven, and the run is stopped all the same.
func TestNamedRefusalsStopARun(t *testing.T) {
	f := &fakeAPI{detail: true}
	s := f.bulk(t, ImportOptions{Atomicity: AllOrNothing})
	for i := range badChunks {
		c := bulkChunk(t, s, 100*i, 100, run(100*i, 80)...)
		err := s.Write(t.Context(), c)
		if (err != nil) != (i == badChunks-1) {
			t.Errorf("chunk %d: %v", i, err)
		}
		wantFates(t, "named", c, "80 rejected, 20 written")
	}
	if f.posts != 2*badChunks {
		t.Errorf("%d requests", f.posts)
	}
}

// TestAFewBadRowsAtTheTopDoNotStopARun has the first rows of a file refused.
func TestAFewBadRowsAtTheTopDoNotStopARun(t *testing.T) {
	for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}} {
		f := &fakeAPI{}
		s := f.bulk(t, o)
		c := bulkChunk(t, s, 0, 500, run(0, 40)...)
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantFates(t, "top", c, "40 rejected, 460 written")
	}
}

// TestFault16PartialCommit has an API that writes rows of a request that it
// refuses, and a list that shows them late or soon: no row appears twice.
func TestFault16PartialCommit(t *testing.T) {
	for _, bad := range [][]int{{0}, {17}, {99}, {0, 50, 99}, run(40, 20)} {
		for _, lag := range []time.Duration{0, 300 * time.Millisecond, time.Second, 6 * time.Second} {
			for _, prefix := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) { partialCommit(t, bad, lag, prefix) })
			}
		}
	}
}

// partialCommit imports 100 rows into an API that writes those before the first
// bad one, or all but the bad ones.
func partialCommit(t *testing.T, bad []int, lag time.Duration, prefix bool) {
	t.Helper()
	g := newRegister(0)
	g.partial, g.prefix, g.lag = true, prefix, lag
	r := &trial{api: g, journal: newMemory(), chunks: creates(0, 1, 100, bad...),
		options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: 20 * time.Second}}
	name := fmt.Sprintf("%d bad from %d, lag %v, prefix %v", len(bad), bad[0], lag, prefix)
	out := r.finish(t)
	r.wantHeld(t, name)
	if got := strings.Count(out[0].fates, "rejected"); got != len(bad) {
		t.Errorf("%s: %d rejected", name, got)
	}
}

// limited is a proxy that takes requests up to a size and answers others with a
// page of its own, at once.
type limited struct {
	api   http.Handler
	limit int64
	big   int
}

func (l *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.ContentLength > l.limit {
		l.big++
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, "<html><body><h1>413 Request Entity Too Large</h1></body></html>")
		return
	}
	l.api.ServeHTTP(w, r)
}

// TestFault17ProxyLimit has a proxy that takes a tenth of a chunk at a time, and
// one row that is too large by itself. The size is remembered.
func TestFault17ProxyLimit(t *testing.T) {
	f := &fakeAPI{}
	l := &limited{api: f, limit: 5000}
	server := httptest.NewServer(l)
	defer server.Close()
	s := bulkTo(t, server.URL, nil, ImportOptions{Atomicity: AllOrNothing})
	c := bulkChunk(t, s, 0, 500, 123)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "first", c, "1 rejected, 499 written")
	f.wantOnce(t, "first", c)
	learnt := l.big
	if learnt == 0 || learnt > 8 {
		t.Errorf("%d requests that were too large", learnt)
	}
	rows := [][]string{{"Ada", clientID, "B-1"}, {strings.Repeat("x", 6000), clientID, "B-2"}, {"Bo", clientID, "B-3"}}
	c = chunkFrom(t, s, rows)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "large row", c, "1 rejected, 2 written")
	if got := codes(c); got != "1 item_too_large" {
		t.Error(got)
	}
	c = bulkChunk(t, s, 1000, 500)
	before := l.big
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantFates(t, "later", c, "500 written")
	if l.big != before {
		t.Errorf("%d requests too large once the limit was known", l.big-before)
	}
}

// TestFault17DoesNotChangeChunks has a run meet a limit, die, and go on: the
// journal knows its chunks again, however they were sent.
func TestFault17DoesNotChangeChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.most = 7
		m := newMemory()
		r := &trial{api: g, journal: m, chunks: creates(0, 3, 40, 50), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
		for n := 1; n < 120; n += 9 {
			r.try(t, n)
		}
		g.most = 12
		r.finish(t)
		r.wantHeld(t, "limited")
	})
}

// TestABisectThatDiesLeavesOneRequestInDoubt kills a run in the middle of a
// search, without keys to look rows up by: what was settled by then stays so, and
// only the rows of the last request are in doubt.
func TestABisectThatDiesLeavesOneRequestInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for post := 2; post < 12; post++ {
			g := newRegister(0)
			m := newMemory()
			r := &trial{api: g, journal: m, chunks: creates(0, 1, 64, 20, 41), noKey: true,
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Atomicity: AllOrNothing}}
			seen, size := 0, 0
			g.pass = func(point string) {
				if point != http.MethodPost {
					return
				}
				if seen++; seen == post {
					e, _ := m.Find(0)
					size = len(e.Sent)
					panic(killed{point})
				}
			}
			func() {
				defer func() { _ = recover().(killed) }()
				_, _ = r.pass(t, r.sink(t))
			}()
			g.pass = func(string) {}
			out, _ := r.first(t)
			if got := strings.Count(out[0], "in_doubt"); got != size || size == 0 || size == 64 {
				t.Errorf("request %d: %d rows in doubt, %d were being sent", post, got, size)
			}
			for _, row := range r.chunks[0] {
				if n := g.times(row[2]); n > 1 || row[0] == "bad" && n > 0 {
					t.Errorf("request %d: %s is there %d times", post, row[2], n)
				}
			}
		}
	})
}
