package bulk

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"
)

// storedForms are what servers make of a text that they store, by names for the log.
// Each is a function of the text alone, and of its kinds of characters and its length:
// that is what the sink can learn. A text that becomes noText is stored as null.
var storedForms = map[string]func(string) string{
	"collapse":     func(s string) string { return strings.Join(strings.Fields(s), " ") },
	"lower":        strings.ToLower,
	"upper":        strings.ToUpper,
	"escape":       html.EscapeString,
	"nfc":          norm.NFC.String,
	"nfkc":         norm.NFKC.String,
	"nfd":          norm.NFD.String,
	"strip zeros":  func(s string) string { return strings.TrimLeft(s, "0") },
	"strip dashes": func(s string) string { return strings.ReplaceAll(s, "-", "") },
	"cut to 5":     func(s string) string { return string([]rune(s)[:min(len([]rune(s)), 5)]) },
	"cut to 8":     func(s string) string { return string([]rune(s)[:min(len([]rune(s)), 8)]) },
	"prefix":       func(s string) string { return "SE/" + s },
	"suffix":       func(s string) string { return s + "/SE" },
	"constant":     func(string) string { return "x" },
	"null":         func(string) string { return noText },
	"hash":         func(s string) string { return fmt.Sprintf("%x", hashOf(s)) },
}

const noText = "\x00"

func hashOf(s string) (h uint32) {
	for _, c := range []byte(s) {
		h = (h ^ uint32(c)) * 16777619
	}
	return h | 1<<31
}

// trouble is what may happen to a request that writes, in percent of them.
type trouble struct{ before, after, late, fails, cut, busy, short, silent, unread int }

// rewriter is an API that stores rows in forms of its own and answers in a way of its
// own. It knows which row an item is of by what was sent, whatever becomes of it.
type rewriter struct {
	random   *rand.Rand
	forms    map[string]string // of members, by name: which of storedForms they are stored in
	fills    []string          // members that it fills in where they are empty
	shape    string            // of its answers: see answerShapes
	shuffled bool              // its answers are not in the order of the request
	partial  bool              // it stores the good items of a request with bad ones
	prefix   bool              // if partial: only those before the first bad one
	names    string            // how it names what it refuses: aligned, index, key or not at all
	unique   bool              // it refuses a second record with a key
	fold     func(string) string
	lag      time.Duration // its list shows records so long after they were made
	skew     time.Duration // its clock is ahead of ours
	dated    bool          // its answers tell the time
	stamped  bool          // its records tell when they were made
	trouble  trouble
	loses    func(post int) bool // the answer to this request is lost; nil: none is
	drops    func(post int) bool // this request is lost on its way; nil: none is
	hides    func(post int) bool // the answer to this request leaves one item out; nil: none does
	empty    func(get int) bool  // the list shows nothing to this request; nil: it always does
	pass     func(point string)

	mu      sync.Mutex
	calm    bool
	records []rewritten
	made    map[string]int // by the kind of a row: how many records were made
	bad     map[string]bool
	blind   string // what the list was asked last that it showed nothing of
	lost    int    // answers to requests that were carried out
	posts   int
	gets    int
	log     []string
}

// rewritten is a record and the kind of the row that made it; "" if none did.
type rewritten struct {
	kind  string
	since time.Time
	data  map[string]any
}

func (g *rewriter) logf(format string, args ...any) {
	g.log = append(g.log, fmt.Sprintf(format, args...))
}

func (g *rewriter) chance(percent int) bool { return g.random.IntN(100) < percent }

// stored returns what becomes of text in the member name.
func (g *rewriter) stored(name, text string) any {
	if form := storedForms[g.forms[name]]; form != nil {
		text = form(text)
	}
	if text == noText {
		return nil
	}
	return text
}

// keep stores item, a row of kind; "" if it is none.
func (g *rewriter) keep(kind string, item map[string]any) map[string]any {
	data := maps.Clone(item)
	g.rewrite(data)
	for _, name := range g.fills {
		if data[name] == nil {
			data[name] = "filled in"
		}
	}
	data["id"] = recordID(1000*g.random.IntN(1000) + len(g.records))
	if g.stamped {
		data["created_at"] = time.Now().Add(g.skew).UTC().Format(time.RFC3339Nano)
	}
	g.records = append(g.records, rewritten{kind, time.Now(), data})
	if kind != "" {
		g.made[kind]++
		g.logf("  stored %s as %v", canonical(item), data)
	}
	return data
}

func (g *rewriter) rewrite(data map[string]any) {
	for name, v := range data {
		if text, ok := v.(string); ok {
			data[name] = g.stored(name, text)
		}
	}
}

// RoundTrip serves r without a network.
func (g *rewriter) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	g.pass(r.Method)
	w := httptest.NewRecorder()
	reset := g.serve(w, r, body)
	g.pass(r.Method + " done")
	if reset {
		return nil, errReset
	}
	return w.Result(), nil
}

func (g *rewriter) serve(w *httptest.ResponseRecorder, r *http.Request, body []byte) (reset bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dated {
		w.Header().Set("Date", time.Now().Add(g.skew).UTC().Format(http.TimeFormat))
	}
	last := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(bulkPath, "list/")), "/")
	at := slices.IndexFunc(g.records, func(m rewritten) bool { return m.data["id"] == last })
	switch {
	case last == "list" && r.Method == http.MethodPost:
		return g.post(w, body)
	case r.Method == http.MethodGet && !g.calm && g.chance(g.trouble.unread):
		return g.unread(w, r.URL.String())
	case last == "list":
		g.list(w, r)
	case at < 0:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(g.records[at].data)
	default:
		var changes map[string]any
		_ = json.Unmarshal(body, &changes)
		g.rewrite(changes)
		maps.Copy(g.records[at].data, changes)
		_ = json.NewEncoder(w).Encode(g.records[at].data)
	}
	return false
}

// unread is what becomes of a read that fails. A list is blind for a question now and
// then, and not when it is asked the same again.
func (g *rewriter) unread(w http.ResponseWriter, address string) (reset bool) {
	switch g.random.IntN(3) {
	case 0:
		return true
	case 1:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		if !strings.Contains(address, "list/") || g.blind == address {
			return true
		}
		g.blind = address
		_, _ = io.WriteString(w, "[]")
	}
	return false
}

func (g *rewriter) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := []any{}
	for _, record := range g.records {
		key, _ := record.data["custom_id"].(string)
		asked := !filters(q) || asksFor(q, record.data["id"].(string), key, g.fold)
		if asked && time.Since(record.since) >= g.lag {
			out = append(out, record.data)
		}
	}
	if g.gets++; q.Get("_page") != "1" || g.empty != nil && g.empty(g.gets) {
		out = out[:0]
	}
	_ = json.NewEncoder(w).Encode(out)
}

// post carries a request out that writes, or has it fail.
func (g *rewriter) post(w *httptest.ResponseRecorder, body []byte) (reset bool) {
	g.posts++
	var items []map[string]any
	_ = json.Unmarshal(body, &items)
	about := "answered"
	defer func() { g.logf("request %d with %d items: %s, %d", g.posts, len(items), about, w.Code) }()
	t := &g.trouble
	quiet := httptest.NewRecorder()
	dice := g.random.IntN(100)
	hit := func(percent int) bool {
		dice -= percent
		return !g.calm && dice < 0 && dice >= -percent
	}
	switch {
	case g.loses != nil && g.loses(g.posts):
		about = "answer lost"
		g.write(quiet, items)
		return true
	case g.hides != nil && g.hides(g.posts):
		about = "answer leaves one out"
		out, stored := g.carryOut(items)
		g.answer(w, out, stored, len(out)-1)
	case hit(t.before), g.drops != nil && g.drops(g.posts):
		about = "lost before it came"
		return true
	case hit(t.busy):
		w.Header().Set("Retry-After", "1")
		w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[g.random.IntN(2)])
	case hit(t.late):
		about = "carried out late"
		g.lost++
		time.AfterFunc(1+time.Duration(g.random.Int64N(int64(12*time.Second))), func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.write(quiet, items)
			g.logf("late: %d items", len(items))
		})
		return true
	case hit(t.after):
		about = "answer lost"
		g.lost++
		g.write(quiet, items)
		return true
	case hit(t.fails):
		g.lost++
		g.write(quiet, items)
		w.WriteHeader(http.StatusBadGateway)
	case hit(t.cut):
		about = "answer cut"
		g.lost++
		g.write(quiet, items)
		w.WriteHeader(quiet.Code)
		_, _ = w.Write(quiet.Body.Bytes()[:quiet.Body.Len()/2])
	case hit(t.silent):
		about = "answer shows nothing"
		g.write(quiet, items)
		_, _ = io.WriteString(w, []string{"[]", "{}", `{"detail":"ok"}`}[g.random.IntN(3)])
	case hit(t.short):
		about = "answer shows some"
		g.writeShort(w, items)
	default:
		g.write(w, items)
	}
	return false
}

// outcome is what became of one item of a request.
type outcome struct {
	index  int
	key    any
	data   map[string]any // the record; nil: it was not stored
	reason map[string]any // why it was refused; nil: it was not
}

// write carries a request out.
func (g *rewriter) write(w http.ResponseWriter, items []map[string]any) {
	out, stored := g.carryOut(items)
	g.answer(w, out, stored, len(out))
}

// writeShort carries a request out and answers with some of what became of its items.
func (g *rewriter) writeShort(w http.ResponseWriter, items []map[string]any) {
	out, stored := g.carryOut(items)
	g.answer(w, out, stored, g.random.IntN(len(out)))
}

// carryOut stores what it stores of items. Stored says whether the request as a whole
// went through.
func (g *rewriter) carryOut(items []map[string]any) (out []outcome, stored bool) {
	bad, first := 0, len(items)
	for i, item := range items {
		o := outcome{index: i, key: item["custom_id"]}
		if g.refuses(item) {
			o.reason = map[string]any{"name": []string{"not this: bad"}}
			bad, first = bad+1, min(first, i)
		}
		out = append(out, o)
	}
	each := answerShapes[g.shape].each
	if bad > 0 && !g.partial && !each || bad > 0 && g.shape == "success false" {
		return out, false
	}
	for i, item := range items {
		if out[i].reason == nil && (i < first || !g.prefix || each) {
			out[i].data = g.keep(g.kind(item), item)
		}
	}
	return out, bad == 0 || each
}

// refuses reports whether item is bad, or has the key of a record where keys are unique.
func (g *rewriter) refuses(item map[string]any) bool {
	if g.bad[canonical(item)] {
		return true
	}
	key, _ := item["custom_id"].(string)
	stored := g.stored("custom_id", key)
	return g.unique && stored != nil && slices.ContainsFunc(g.records, func(r rewritten) bool { return r.data["custom_id"] == stored })
}

// kind returns what tells rows apart by what is stored of them: two rows of which the same
// is stored make records that nobody can tell apart.
func (g *rewriter) kind(item map[string]any) string {
	data := maps.Clone(item)
	g.rewrite(data)
	return canonical(data)
}

// canonical returns what tells rows apart by what is sent of them.
func canonical(item map[string]any) string {
	text, _ := json.Marshal(item)
	return string(text)
}

// answer answers with the first n of what became of the items of a request.
func (g *rewriter) answer(w http.ResponseWriter, out []outcome, stored bool, n int) {
	if !stored && g.shape != "success false" {
		g.refuse(w, out)
		return
	}
	shape := answerShapes[g.shape]
	if n < len(out) || g.shuffled && !shape.inOrder {
		out = slices.Clone(out)
		g.random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	status, body := shape.write(out[:n])
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuse answers that a request was refused.
func (g *rewriter) refuse(w http.ResponseWriter, out []outcome) {
	var body any = map[string]any{"detail": "Something in there is wrong."}
	switch g.names {
	case "aligned":
		list := make([]any, len(out))
		for i, o := range out {
			list[i] = o.reason
			if o.reason == nil {
				list[i] = map[string]any{}
			}
		}
		body = list
	case "index":
		byIndex := map[string]any{}
		for i, o := range out {
			if o.reason != nil {
				byIndex[strconv.Itoa(i)] = o.reason
			}
		}
		body = byIndex
	case "key":
		body = map[string]any{"errors": failures(out)}
	}
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(body)
}

// failures returns the entries of an answer that tell of failures.
func failures(out []outcome) []any {
	list := []any{}
	for _, o := range out {
		if o.reason != nil {
			list = append(list, map[string]any{"custom_id": o.key, "index": o.index, "field": "name", "message": "not this: bad"})
		}
	}
	return list
}

// answerShape is a form of answers to requests that write.
type answerShape struct {
	each    bool // it tells of failures of single items: the others are stored
	inOrder bool // its entries are told by their places
	write   func(out []outcome) (status int, body []byte)
}

var answerShapes = map[string]answerShape{
	"records": {write: listed(func(o outcome) any { return o.data })},
	"ids":     {write: listed(func(o outcome) any { return map[string]any{"id": o.data["id"]} })},
	"odd":     {write: listed(func(o outcome) any { return map[string]any{"id": o.data["id"], "kind": 7, "custom_id": "?"} })},
	"some":    {write: listed(func(o outcome) any { return map[string]any{"id": o.data["id"], "email": o.data["email"]} })},
	"envelope": {write: func(out []outcome) (int, []byte) {
		return encoded(http.StatusOK, map[string]any{"results": records(out)})
	}},
	"lines": {write: func(out []outcome) (int, []byte) {
		var body []byte
		for _, record := range records(out) {
			line, _ := json.Marshal(record)
			body = append(append(body, line...), '\n')
		}
		return http.StatusOK, body
	}},
	"207": {each: true, inOrder: true, write: func(out []outcome) (int, []byte) {
		return encoded(http.StatusMultiStatus, entries(out, func(o outcome) any {
			if o.reason != nil {
				return map[string]any{"status": 400, "error": o.reason}
			}
			return map[string]any{"status": 201, "data": o.data}
		}))
	}},
	"mixed": {each: true, write: listed(func(o outcome) any {
		if o.reason != nil {
			return map[string]any{"errors": o.reason, "index": o.index, "custom_id": o.key}
		}
		return o.data
	})},
	"items": {each: true, inOrder: true, write: func(out []outcome) (int, []byte) {
		return encoded(http.StatusOK, map[string]any{"errors": len(failures(out)) > 0, "items": entries(out, func(o outcome) any {
			if o.reason != nil {
				return map[string]any{"error": o.reason}
			}
			return map[string]any{"id": o.data["id"], "data": o.data}
		})})
	}},
	"created and failed": {each: true, write: func(out []outcome) (int, []byte) {
		return encoded(http.StatusOK, map[string]any{"created": records(out), "failed": failures(out)})
	}},
	"success false": {write: func(out []outcome) (int, []byte) {
		if list := failures(out); len(list) > 0 {
			return encoded(http.StatusOK, map[string]any{"success": false, "errors": list})
		}
		return encoded(http.StatusOK, map[string]any{"success": true, "data": records(out)})
	}},
}

// listed returns the shape that is a list of what entry makes of each item.
func listed(entry func(o outcome) any) func([]outcome) (int, []byte) {
	return func(out []outcome) (int, []byte) { return encoded(http.StatusCreated, entries(out, entry)) }
}

// entries returns what entry makes of each item that was stored or refused.
func entries(out []outcome, entry func(o outcome) any) []any {
	list := []any{}
	for _, o := range out {
		if o.data != nil || o.reason != nil {
			list = append(list, entry(o))
		}
	}
	return list
}

// records returns the records of those that were stored.
func records(out []outcome) []any {
	list := []any{}
	for _, o := range out {
		if o.data != nil {
			list = append(list, o.data)
		}
	}
	return list
}

func encoded(status int, v any) (int, []byte) {
	body, _ := json.Marshal(v)
	return status, body
}
