package bulk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// recordsAPI keeps records that can be listed, read, changed and created.
type recordsAPI struct {
	blind      bool // the list shows nothing
	unfiltered bool // the list shows everything
	noFilter   bool // the list refuses the filter
	refuse     bool // new records are refused

	fold func(key string) string // the list takes keys of which it makes the same text for the same; nil: no others

	// answer, if set, is asked before a request is served, with the number of such
	// requests so far. It may carry the request out, which gives what would be
	// answered, and return another answer or an error in its place; nil, nil is
	// no objection.
	answer func(n int, r *http.Request, serve func() *http.Response) (*http.Response, error)

	mu      sync.Mutex
	records []map[string]any
	asked   map[string]int // by method
	log     []string       // "PATCH <last of the path> <body>", "POST <body>"
}

// recordID returns the id of the n-th record.
func recordID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// clientID is a reference.
const clientID = "11111111-2222-3333-4444-555555555555"

// withRecords returns an API with n records: Ada 0 with the key K-0 and so on.
func withRecords(n int) *recordsAPI {
	a := &recordsAPI{}
	for i := range n {
		a.records = append(a.records, map[string]any{
			"id": recordID(i), "name": fmt.Sprintf("Ada %d", i), "external_client": map[string]any{"id": clientID, "name": "AB"},
			"custom_id": fmt.Sprintf("K-%d", i), "ssn": nil, "title": "",
		})
	}
	return a
}

func (a *recordsAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	a.mu.Lock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[r.Method]++
	n := a.asked[r.Method]
	a.mu.Unlock()
	serve := func() *http.Response {
		a.mu.Lock()
		defer a.mu.Unlock()
		w := httptest.NewRecorder()
		a.serve(w, r, body)
		return w.Result()
	}
	if a.answer != nil {
		if res, err := a.answer(n, r, serve); res != nil || err != nil {
			return res, err
		}
	}
	return serve(), nil
}

func (a *recordsAPI) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	last := strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(bulkPath, "list/"))
	last = strings.TrimSuffix(last, "/")
	at := slices.IndexFunc(a.records, func(m map[string]any) bool { return m["id"] == last })
	switch {
	case last == "list" && r.Method == http.MethodGet:
		a.list(w, r)
	case last == "list":
		a.create(w, body)
	case at < 0:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(a.records[at])
	default:
		a.log = append(a.log, fmt.Sprintf("PATCH %s %s", last, body))
		var changes map[string]any
		_ = json.Unmarshal(body, &changes)
		maps.Copy(a.records[at], changes)
		_ = json.NewEncoder(w).Encode(a.records[at])
	}
}

func (a *recordsAPI) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if a.noFilter {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	out := []any{}
	for _, record := range a.records {
		id, key := record["id"].(string), fmt.Sprint(record["custom_id"])
		if !a.blind && (a.unfiltered || asksFor(q, id, key, a.fold)) {
			out = append(out, record)
		}
	}
	if q.Get("_page") != "1" {
		out = out[:0]
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (a *recordsAPI) create(w http.ResponseWriter, body []byte) {
	a.log = append(a.log, fmt.Sprintf("POST %s", body))
	var items []map[string]any
	_ = json.Unmarshal(body, &items)
	if a.refuse {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, item := range items {
		item["id"] = recordID(1000 + len(a.records))
		a.records = append(a.records, item)
	}
	_ = json.NewEncoder(w).Encode(items)
}

// withKey returns how many records have key.
func (a *recordsAPI) withKey(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, record := range a.records {
		if record["custom_id"] == key {
			n++
		}
	}
	return n
}

// sent returns the writes so far, one on a line.
func (a *recordsAPI) sent() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.log, "\n")
}

var errReset = errors.New("connection reset")

// updateFields are the fields of the rows in these tests.
var updateFields = []string{"name", "id", "custom_id", "external_client.id", "ssn", "title"}

// updateTo returns a sink for rows with updateFields.
func updateTo(t testing.TB, a http.RoundTripper, o ImportOptions) *Import {
	t.Helper()
	client, err := api.New(api.Config{
		BaseURL: "https://api.example.se", Transport: a, Log: o.Log, Drain: o.Drain,
		Credentials: api.Credentials{CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x", ClientCT: "x", ClientEntity: "x", ClientSecret: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Path, o.Key, o.KeyLookup = bulkPath, "custom_id", true
	s, err := NewImport(client, pipelinetest.Schema(updateFields...), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// row returns the values of a row with what differs from that of record n; a
// pair is a field and its value.
func row(n int, pairs ...string) []string {
	values := []string{fmt.Sprintf("Ada %d", n), recordID(n), fmt.Sprintf("K-%d", n), clientID, pipelinetest.Null, pipelinetest.Null}
	for i := 0; i < len(pairs); i += 2 {
		values[slices.Index(updateFields, pairs[i])] = pairs[i+1]
	}
	return values
}

// written writes rows and fails the test if the run could not go on.
func written(t testing.TB, s *Import, rows ...[]string) *pipeline.Chunk {
	t.Helper()
	c := chunkFrom(t, s, rows)
	if err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// sequence returns the fates of c in order, with the codes noted of each row.
func sequence(c *pipeline.Chunk) string {
	var out []string
	for i, fate := range c.Fates {
		text := fate.String()
		for _, p := range c.Problems {
			if int(p.Row) == i {
				text += " " + string(p.Code)
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func wantSequence(t *testing.T, c *pipeline.Chunk, want string) {
	t.Helper()
	if got := sequence(c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func wantSent(t *testing.T, a *recordsAPI, want ...string) {
	t.Helper()
	if got := a.sent(); got != strings.Join(want, "\n") {
		t.Errorf("the API got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
