package bulk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

const bulkPath = "/organization/externalclientcontactperson/list/"

// fakeAPI keeps the records it is sent. It refuses those called bad.
type fakeAPI struct {
	partial  bool                                       // writes the good ones of a request with bad ones
	detail   bool                                       // says which are bad
	report   func(bad []int) any                        // says so in another shape, by their indices in the request
	blind    bool                                       // its list is always empty
	maxItems int                                        // of one request; 0: no limit
	before   func(post int, w http.ResponseWriter) bool // answers in place of the API if it returns true
	after    func(post int, answer []any) []any         // changes the answer to what was committed
	change   func(item map[string]any)                  // changes a record as it is stored
	fold     func(key string) string                    // its list takes keys of which it makes the same text for the same; nil: no others

	mu       sync.Mutex
	records  []map[string]any
	posts    int
	gets     int
	sizes    []int // items of each POST that was read
	inFlight int
	most     int // requests in flight at once
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodGet {
		f.gets++
		f.list(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var items []map[string]any
	if err == nil {
		err = json.Unmarshal(body, &items)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.posts++
	f.sizes = append(f.sizes, len(items))
	if f.before != nil && f.before(f.posts, w) {
		return
	}
	if f.maxItems > 0 && len(items) > f.maxItems {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	f.write(w, items)
}

func (f *fakeAPI) write(w http.ResponseWriter, items []map[string]any) {
	refusals, bad := make([]any, len(items)), 0
	var badItems []int
	for i, item := range items {
		refusals[i] = map[string]any{}
		if item["name"] == "bad" {
			refusals[i] = map[string]any{"name": []string{"not this: bad"}}
			badItems = append(badItems, i)
			bad++
		}
	}
	var answer []any
	for _, item := range items {
		if item["name"] != "bad" && (bad == 0 || f.partial) {
			answer = append(answer, f.commit(item))
		}
	}
	switch {
	case bad == 0:
		if f.after != nil {
			answer = f.after(f.posts, answer)
		}
		_ = json.NewEncoder(w).Encode(answer)
	case f.report != nil:
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(f.report(badItems))
	case f.detail:
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(refusals)
	default:
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"detail":"Something in there is wrong."}`)
	}
}

func (f *fakeAPI) commit(item map[string]any) map[string]any {
	item["id"] = fmt.Sprintf("id-%v", item["custom_id"])
	if item["name"] == "two" {
		item["id"] = "another"
	}
	if f.change != nil {
		f.change(item)
	}
	f.records = append(f.records, item)
	return item
}

func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("_page"))
	size, _ := strconv.Atoi(q.Get("_page_size"))
	out := []any{}
	for _, record := range f.records {
		if key, _ := record["custom_id"].(string); asksFor(q, "", key, f.fold) && !f.blind {
			out = append(out, record)
		}
	}
	from := min((page-1)*size, len(out))
	_ = json.NewEncoder(w).Encode(out[from:min(from+size, len(out))])
}

// times returns how often the record with key is there.
func (f *fakeAPI) times(key string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, record := range f.records {
		if record["custom_id"] == key {
			n++
		}
	}
	return n
}

// RoundTrip serves r without a network.
func (f *fakeAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.inFlight++
	f.most = max(f.most, f.inFlight)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.inFlight--
		f.mu.Unlock()
	}()
	in := r.Clone(r.Context())
	if r.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, in)
	return w.Result(), nil
}

func bulkSchema() *pipeline.Schema {
	return pipelinetest.Schema("name", "external_client.id", "custom_id")
}

// bulkTo returns a sink that writes through transport, or to the address
// baseURL if that is nil, and checks in the end that nothing is left running.
func bulkTo(t testing.TB, baseURL string, transport http.RoundTripper, o ImportOptions) *Import {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	client, err := api.New(api.Config{
		BaseURL: baseURL, Transport: transport, Log: o.Log, Drain: o.Drain,
		Credentials: api.Credentials{CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x", ClientCT: "x", ClientEntity: "x", ClientSecret: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		goleak.VerifyNone(t, leaks)
	})
	o.Path, o.Key = bulkPath, "custom_id"
	s, err := NewImport(client, bulkSchema(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fakeAPI) bulk(t testing.TB, o ImportOptions) *Import {
	t.Helper()
	return bulkTo(t, "https://api.example.se", f, o)
}

// bulkChunk returns rows as they come to the sink. The key of row i is K-i, with
// the number of the first row being from; those in bad are called bad.
func bulkChunk(t testing.TB, s *Import, from, n int, bad ...int) *pipeline.Chunk {
	t.Helper()
	var rows [][]string
	for i := from; i < from+n; i++ {
		name := fmt.Sprintf("Ada %d", i)
		if slices.Contains(bad, i) {
			name = "bad"
		}
		rows = append(rows, []string{name, "11111111-2222-3333-4444-555555555555", fmt.Sprintf("K-%04d", i)})
	}
	return chunkFrom(t, s, rows)
}

// undoOptions returns those for the undo of an import with o.
func undoOptions(o ImportOptions) UndoOptions {
	return UndoOptions{Target: o.Target, Comparison: o.Comparison, Limits: o.Limits, Journal: o.Journal, Drain: o.Drain, Log: o.Log}
}

// engineOf returns what s shares with the other sinks.
func engineOf(s pipeline.Sink) *engine {
	switch s := s.(type) {
	case *Undo:
		return s.engine
	case *Verify:
		return s.engine
	case *Plan:
		return s.engine
	}
	return s.(*Import).engine
}

func chunkFrom(t testing.TB, s pipeline.Sink, rows [][]string) *pipeline.Chunk {
	t.Helper()
	c := &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)}
	key := engineOf(s).schema.Index("custom_id")
	for i := range rows {
		c.Keys.Append(c.Fields[key].Value(i))
	}
	if err := s.Encoder().Encode(&c.Batch, &c.Encoded); err != nil {
		t.Fatal(err)
	}
	return c
}

// fates counts the fates of rows, as words: "8 written, 2 rejected".
func fates(c *pipeline.Chunk) string {
	count := map[pipeline.Fate]int{}
	for _, f := range c.Fates {
		count[f]++
	}
	var out []string
	for f := pipeline.Pending; f <= pipeline.Existing; f++ {
		if count[f] > 0 {
			out = append(out, fmt.Sprintf("%d %s", count[f], f))
		}
	}
	return strings.Join(out, ", ")
}

func wantFates(t *testing.T, name string, c *pipeline.Chunk, want string) {
	t.Helper()
	if got := fates(c); got != want {
		t.Errorf("%s: got %s; want %s", name, got, want)
	}
}

// wantOnce checks that each row is in the API as its fate says: once, or not at
// all.
func (f *fakeAPI) wantOnce(t *testing.T, name string, c *pipeline.Chunk) {
	t.Helper()
	for i, fate := range c.Fates {
		n := f.times(string(c.Keys.Value(i)))
		switch {
		case n > 1:
			t.Errorf("%s: row %d is there %d times", name, i, n)
		case fate == pipeline.Written && n == 0, fate != pipeline.Written && fate != pipeline.InDoubt && n == 1:
			t.Errorf("%s: row %d is %v and there %d times", name, i, fate, n)
		}
	}
}

// codes counts the codes noted, as words.
func codes(c *pipeline.Chunk) string {
	count := map[string]int{}
	for _, p := range c.Problems {
		count[string(p.Code)]++
	}
	var out []string
	for code, n := range count {
		out = append(out, fmt.Sprintf("%d %s", n, code))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// logged returns a logger and what it writes.
func logged() (*slog.Logger, *bytes.Buffer) {
	out := new(bytes.Buffer)
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), out
}
