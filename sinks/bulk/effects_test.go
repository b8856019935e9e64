package bulk

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/journal"
)

// effects notes, in their order, what a sink does that outlives the process: what it puts
// on record, durably or not, and what it asks the API.
type effects struct {
	Journal
	api http.RoundTripper

	mu  sync.Mutex
	log []string
}

func (e *effects) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log = append(e.log, fmt.Sprintf(format, args...))
}

func (e *effects) Plan(c journal.Chunk) error {
	err := e.Journal.Plan(c)
	e.note("planned: chunk %d", c.Seq)
	return err
}

func (e *effects) Sending(seq int64, rows []int32, image []byte) error {
	err := e.Journal.Sending(seq, rows, image)
	e.note("durable: chunk %d, rows %v may be sent", seq, rows)
	return err
}

func (e *effects) Settle(seq int64, s journal.Settlement) error {
	e.note("settled: chunk %d", seq)
	return e.Journal.Settle(seq, s)
}

func (e *effects) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		e.note("GET")
		return e.api.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var items []map[string]any
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, err
	}
	e.note("POST of %d rows from %v", len(items), items[0]["custom_id"])
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return e.api.RoundTrip(r)
}

// TestOrderOfEffectsOfAWrite writes two chunks, one after the other. Before each request
// the rows in it are durably on record; the first row is sent alone and read back before
// any other; and the end of each chunk is on record when Write returns.
func TestOrderOfEffectsOfAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &effects{Journal: newMemory(), api: &fakeAPI{}}
		s := bulkTo(t, "https://api.example.se", e, ImportOptions{Target: Target{KeyLookup: true}, Journal: e})
		for seq := range 2 {
			c := bulkChunk(t, s, 4*seq, 4)
			c.Seq = int64(seq)
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			e.note("written: chunk %d, %s", seq, fates(c))
		}
		want := []string{
			"planned: chunk 0",
			"durable: chunk 0, rows [0] may be sent",
			"POST of 1 rows from K-0000",
			"GET",
			"settled: chunk 0",
			"durable: chunk 0, rows [1 2 3] may be sent",
			"POST of 3 rows from K-0001",
			"settled: chunk 0",
			"written: chunk 0, 4 written",
			"planned: chunk 1",
			"durable: chunk 1, rows [0 1 2 3] may be sent",
			"POST of 4 rows from K-0004",
			"settled: chunk 1",
			"written: chunk 1, 4 written",
		}
		if diff := cmp.Diff(want, e.log); diff != "" {
			t.Errorf("effects (-want +got):\n%s", diff)
		}
	})
}

// TestTheCanaryIsSentAlone writes chunks four at a time to an API that takes a minute over
// the first row, and as long to show it: until it was read back nothing else is sent.
func TestTheCanaryIsSentAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{}
		a := &slowFirst{api: f, takes: time.Minute}
		s := bulkTo(t, "https://api.example.se", a, ImportOptions{Target: Target{KeyLookup: true}, Journal: newMemory()})
		chunks := chunksOf(t, s, 40, 4)
		if err := writeAll(t.Context(), s, chunks); err != nil {
			t.Fatal(err)
		}
		want := []string{"0s POST", "1m0s POST done", "1m0s GET", "2m0s GET done", "2m0s POST"}
		if diff := cmp.Diff(want, a.log[:len(want)]); diff != "" {
			t.Errorf("the first requests (-want +got):\n%s", diff)
		}
		if f.sizes[0] != 1 {
			t.Errorf("the first request has %d rows, want the canary alone", f.sizes[0])
		}
		if a.most < 2 {
			t.Errorf("at most %d requests at once: nothing could have overtaken the canary", a.most)
		}
		for i, c := range chunks {
			wantFates(t, fmt.Sprint("chunk ", i), c, "4 written")
		}
	})
}

// slowFirst is an API that takes its time over the first write and the first read, and a
// second over everything else. It notes when requests came and were answered.
type slowFirst struct {
	api   http.RoundTripper
	takes time.Duration

	mu       sync.Mutex
	began    time.Time
	asked    map[string]int // by method
	inFlight int
	most     int
	log      []string
}

func (a *slowFirst) RoundTrip(r *http.Request) (*http.Response, error) {
	wait := a.enter(r.Method)
	time.Sleep(wait)
	a.mu.Lock()
	a.inFlight--
	a.note(r.Method + " done")
	a.mu.Unlock()
	return a.api.RoundTrip(r)
}

// enter notes that a request came, and returns how long it takes.
func (a *slowFirst) enter(method string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == nil {
		a.asked, a.began = map[string]int{}, time.Now()
	}
	a.asked[method]++
	a.inFlight++
	a.most = max(a.most, a.inFlight)
	a.note(method)
	if a.asked[method] == 1 {
		return a.takes
	}
	return time.Second
}

// note is called with the lock held.
func (a *slowFirst) note(what string) {
	a.log = append(a.log, fmt.Sprint(time.Since(a.began), " ", what))
}
