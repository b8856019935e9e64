package bulk

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"flytt/internal/journal"
)

// memory is a journal that lives as long as its test. What is planned or settled
// is lost in a crash unless something was noted durably after it.
type memory struct {
	pass func(point string) // told of every call, before and after it has effect

	mu      sync.Mutex
	entries map[int64]*journal.Entry
	images  map[int64][]journal.BeforeImage
	queue   []func()
	sends   int // calls of Sending
	settles int
}

func newMemory() *memory {
	return &memory{entries: map[int64]*journal.Entry{}, images: map[int64][]journal.BeforeImage{}, pass: func(string) {}}
}

// flush makes all that was noted durable.
func (m *memory) flush() {
	for _, f := range m.queue {
		f()
	}
	m.queue = nil
}

// crash loses what is not durable.
func (m *memory) crash() { m.queue = nil }

func (m *memory) entry(seq int64) *journal.Entry {
	if m.entries[seq] == nil {
		m.entries[seq] = &journal.Entry{}
	}
	return m.entries[seq]
}

func (m *memory) Find(seq int64) (*journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flush() // whoever reads sees what was noted before
	e := m.entries[seq]
	if e == nil {
		return nil, nil
	}
	out := *e
	out.Sent = slices.Clone(e.Sent)
	return &out, nil
}

func (m *memory) Plan(c journal.Chunk) error {
	m.pass("plan")
	c.Digest = bytes.Clone(c.Digest)
	m.later(func() { e := m.entry(c.Seq); e.Chunk, e.State = c, journal.Planned })
	m.pass("planned")
	return nil
}

func (m *memory) later(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, f)
}

func (m *memory) Sending(seq int64, rows []int32, image []byte) error {
	m.pass("sending")
	m.mu.Lock()
	m.sends++
	m.flush()
	e := m.entry(seq)
	e.State = journal.Sending
	for _, row := range rows {
		if !slices.Contains(e.Sent, row) {
			e.Sent = append(e.Sent, row)
		}
	}
	slices.Sort(e.Sent)
	if image != nil {
		m.images[seq] = append(m.images[seq], journal.BeforeImage{Seq: seq, Data: bytes.Clone(image)})
	}
	m.mu.Unlock()
	m.pass("sent")
	return nil
}

func (m *memory) Settle(seq int64, s journal.Settlement) error {
	m.pass("settle")
	kept := journal.Settlement{Fates: slices.Clone(s.Fates), Sums: slices.Clone(s.Sums), Notes: bytes.Clone(s.Notes)}
	for i := range s.IDs.Len() {
		kept.IDs.Append(s.IDs.Value(i))
	}
	m.later(func() {
		m.settles++
		e := m.entry(seq)
		e.Settlement, e.Sent, e.State = kept, nil, journal.Settled
	})
	m.pass("settled")
	return nil
}

func (m *memory) BeforeImages(seq int64) ([]journal.BeforeImage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.images[seq], nil
}

func (m *memory) Digest(data ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte("key"))
	for _, d := range data {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(d))))
		h.Write(d)
	}
	return h.Sum(nil)
}

func (m *memory) Sum(data []byte) uint64 {
	return binary.LittleEndian.Uint64(m.Digest(data)) | 1
}

// register is an API that keeps records, makes new ones in bulk, and changes
// single ones. It refuses those called bad.
type register struct {
	partial bool                                                              // writes the good ones of a request with bad ones
	prefix  bool                                                              // if partial: only those before the first bad one
	most    int                                                               // items of one request; 0: no limit
	detail  bool                                                              // says which are bad
	lag     time.Duration                                                     // the list shows records so long after they were made
	late    func(post int) time.Duration                                      // a request is carried out so long after it came, and its connection is reset
	reset   func(post int) bool                                               // carries a request out and resets its connection
	answer  func(post int, answer []map[string]any) (status int, body string) // in place of the answer; 0: the answer
	form    func(item map[string]any)                                         // brings a record into the form in which it is stored
	empty   func(get int) bool                                                // this page shows nothing
	pass    func(point string)                                                // told of every request, before and after it has effect
	fold    func(key string) string                                           // its list takes keys of which it makes the same text for the same; nil: no others

	lost  int  // the change that is not carried out, and whose connection is reset
	bare  bool // answers a change with the id alone
	dated bool // tells when records were made, and the time
	same  bool // takes a new row for a change of the record that has its key

	mu      sync.Mutex
	records []map[string]any
	made    []time.Time
	posts   int
	gets    int
	patches int
	sent    map[string]int // by key: in how many requests that were carried out
}

func newRegister(n int) *register {
	g := &register{sent: map[string]int{}, pass: func(string) {}}
	for i := range n {
		g.keep(map[string]any{
			"name": fmt.Sprintf("Ada %d", i), "external_client": map[string]any{"id": clientID, "name": "AB"},
			"custom_id": fmt.Sprintf("K-%d", i), "ssn": nil, "title": "",
		})
	}
	return g
}

// keep stores item; its id is that of its key.
func (g *register) keep(item map[string]any) map[string]any {
	if g.form != nil {
		g.form(item)
	}
	key, _ := item["custom_id"].(string)
	n, err := strconv.Atoi(strings.TrimPrefix(key, "K-"))
	if err != nil {
		n = 500_000 + len(g.records)
	}
	if at := slices.IndexFunc(g.records, func(m map[string]any) bool { return m["custom_id"] == item["custom_id"] }); g.same && at >= 0 {
		maps.Copy(g.records[at], item)
		return g.records[at]
	}
	if g.dated {
		item["created_at"] = time.Now().UTC().Format(time.RFC3339Nano)
	}
	item["id"] = recordID(n)
	g.records, g.made = append(g.records, item), append(g.made, time.Now())
	g.sent[key]++
	return item
}

func (g *register) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	g.pass(r.Method)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if g.dated {
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	reset := g.serve(w, r, body)
	g.pass(r.Method + " done")
	if reset {
		return nil, errReset
	}
	return w.Result(), nil
}

func (g *register) serve(w *httptest.ResponseRecorder, r *http.Request, body []byte) (reset bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(bulkPath, "list/")), "/")
	at := slices.IndexFunc(g.records, func(m map[string]any) bool { return m["id"] == last })
	switch {
	case last == "list" && r.Method == http.MethodGet:
		g.gets++
		g.list(w, r)
	case last == "list":
		return g.create(w, body)
	case at < 0:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(g.records[at])
	case r.Method == http.MethodDelete:
		g.records, g.made = slices.Delete(g.records, at, at+1), slices.Delete(g.made, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	default:
		var changes map[string]any
		_ = json.Unmarshal(body, &changes)
		if g.patches++; g.patches == g.lost {
			return true
		}
		maps.Copy(g.records[at], changes)
		if g.bare {
			_ = json.NewEncoder(w).Encode(map[string]any{"id": last})
			break
		}
		_ = json.NewEncoder(w).Encode(g.records[at])
	}
	return false
}

func (g *register) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := []any{}
	for i, record := range g.records {
		key, _ := record["custom_id"].(string)
		asked := !filters(q) || asksFor(q, record["id"].(string), key, g.fold)
		if asked && time.Since(g.made[i]) >= g.lag {
			out = append(out, record)
		}
	}
	if q.Get("_page") != "1" || g.empty != nil && g.empty(g.gets) {
		out = out[:0]
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (g *register) create(w *httptest.ResponseRecorder, body []byte) (reset bool) {
	g.posts++
	post := g.posts
	var items []map[string]any
	_ = json.Unmarshal(body, &items)
	if g.late != nil && g.late(post) > 0 {
		time.AfterFunc(g.late(post), func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.write(httptest.NewRecorder(), items, post)
		})
		return true
	}
	g.write(w, items, post)
	return g.reset != nil && g.reset(post)
}

func (g *register) write(w *httptest.ResponseRecorder, items []map[string]any, post int) {
	if g.most > 0 && len(items) > g.most {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	refusals := make([]map[string]any, len(items))
	bad := 0
	for i, item := range items {
		refusals[i] = map[string]any{}
		if item["name"] == "bad" {
			refusals[i]["name"] = []string{"not this: bad"}
			bad++
		}
	}
	var answer []map[string]any
	for _, item := range items {
		if g.prefix && item["name"] == "bad" {
			break
		}
		if item["name"] != "bad" && (bad == 0 || g.partial) {
			answer = append(answer, g.keep(item))
		}
	}
	switch {
	case bad == 0 && g.answer != nil:
		if status, body := g.answer(post, slices.Clone(answer)); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
		fallthrough
	case bad == 0:
		_ = json.NewEncoder(w).Encode(answer)
	case g.detail:
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(refusals)
	default:
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"detail":"Something in there is wrong."}`)
	}
}

// times returns how often there is a record with key.
func (g *register) times(key string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, record := range g.records {
		if record["custom_id"] == key {
			n++
		}
	}
	return n
}
