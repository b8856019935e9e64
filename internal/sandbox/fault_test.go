package sandbox_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/sandbox"
)

// wire is a sandbox behind a port of this machine, and a client of it that uses
// every connection once, so that net/http has no reason to repeat a request.
type wire struct {
	*sandbox.Sandbox
	t      *testing.T
	log    *sandbox.Log
	url    string
	client *http.Client
}

// wired starts a sandbox with faults.
func wired(t *testing.T, o sandbox.Options, faults ...string) *wire {
	t.Helper()
	w := &wire{t: t, log: &sandbox.Log{}}
	o.Log, o.Faults = w.log.Add, sandbox.MustParseFaults(faults...)
	w.Sandbox = open(t, o)
	var stop func() error
	var err error
	if w.url, stop, err = w.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	w.client = &http.Client{Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// try makes a request over the wire. An error is one of the connection, or of
// the body's transfer; the reply is what came before it.
func (w *wire) try(method, path, body string) (reply, error) {
	r := request(method, w.url+path, body)
	r.RequestURI = ""
	answer, err := w.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(text)}, err
}

// must makes a request that has to be answered.
func (w *wire) must(method, path, body string) reply {
	w.t.Helper()
	r, err := w.try(method, path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// stored returns the names of the rows there are, not over the wire.
func (w *wire) stored() string {
	w.t.Helper()
	return w.names(do(w.Sandbox, "GET", base+"list/", ""))
}

func (w *wire) names(r reply) string { w.t.Helper(); return r.names(w.t, "name") }

var three = bulk(person("A", ""), person("B", ""), person("C", ""))

func TestFaultsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "post", "post:3", "put:3:reset", "post:0:reset", "post:3-2:reset", "post:x:reset", "post:-3:reset", "post:0%:reset", "post:101%:reset", "post:NaN%:reset",
		"post:3:", "post:3:nothing", "post:3:reset=1", "post:3:reset=", "post:3:redirect", "post:3:redirect=/x", "post:3:slow", "post:3:slow=0",
		"post:3:late-commit=x", "post:3:429=soon", "post:3:429=date:", "post:3:399", "post:3:600", "post:3:rst-stream=NO", "post:3:413=x",
		"post:3:commit-then-slow=1", "post:3:commit-then-late-commit", "post:3:wrong-count=0", "post:3:skew=late", "post:3:truncate=-1",
	} {
		if f, err := sandbox.ParseFault(text); err == nil {
			t.Errorf("%q was taken, as %s", text, f)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("post:3:commit-then-reset")
	f.Add("any:5%:429=date:2")
	f.Add("list:2-4:wrong-count=-1")
	f.Fuzz(func(t *testing.T, text string) {
		if fault, err := sandbox.ParseFault(text); err == nil && fault.String() != text {
			t.Errorf("%q became %q", text, fault)
		}
	})
}

func TestEveryFaultIsExplained(t *testing.T) {
	help := sandbox.FaultHelp()
	for _, name := range []string{"refuse", "reset", "hang", "rst-stream", "html", "bad-request", "redirect", "late-commit", "413", "skew", "insert",
		"delete", "repeat-page", "truncate", "shorten", "wrong-count", "id-twice", "slow", "stall", "rewrite", "fill", "lookup-case", "lookup-space", "lookup-unicode", "item-errors", "error-index", "bulk-answer", "patch-answer", "bom", "lock", "STATUS", "429"} {
		if !strings.Contains(help, "\n  "+name) && !strings.HasPrefix(help, "  "+name) {
			t.Errorf("nothing about %s", name)
		}
	}
	for line := range strings.Lines(help) {
		if len(line) > 81 {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestResets(t *testing.T) {
	for fault, want := range map[string]string{
		"post:2:reset":             "A C",
		"post:2:commit-then-reset": "A B C",
		"bulk:2-:reset":            "A",
		"create:*:reset":           "A B C",
		"any:2-3:commit-then-504":  "A B C",
		"any:2-3:504":              "A",
		"record:*:reset":           "A B C",
	} {
		w := wired(t, sandbox.Options{}, fault)
		var failed int
		for _, name := range []string{"A", "B", "C"} {
			if r, err := w.try("POST", base+"list/", bulk(person(name, ""))); err != nil {
				failed++
				if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v", fault, err)
				}
			} else if r.status == 504 && !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s: a gateway's answer of type %s", fault, r.header.Get("Content-Type"))
			}
		}
		idle := strings.HasPrefix(fault, "create") || strings.HasPrefix(fault, "record")
		cut := w.log.Count(func(r sandbox.Request) bool { return r.Status == 0 })
		struck := w.log.Count(func(r sandbox.Request) bool { return slices.Contains(r.Faults, fault) })
		if cut != failed || struck == 0 != idle {
			t.Errorf("%s: %d requests failed, %d were cut, %d struck", fault, failed, cut, struck)
		}
		if committed := w.log.Committed(); committed != len(strings.Fields(want)) {
			t.Errorf("%s: %d rows logged as committed", fault, committed)
		}
		if got := w.stored(); !strings.HasPrefix(fault, "any") && got != want {
			t.Errorf("%s: stored %s, want %s", fault, got, want)
		}
	}
}

func TestStatusesAnsweredInPlaceOfTheSandbox(t *testing.T) {
	for what, status := range map[string]int{
		"401": 401, "403": 403, "404": 404, "408": 408, "500": 500, "502": 502, "503": 503, "504": 504, "413": 413, "429": 429,
		"bad-request": 400, "html": 200, "redirect=http://127.0.0.1:1/elsewhere": 307, "429=2": 429, "503=date:90": 503,
	} {
		w := wired(t, sandbox.Options{}, "post:1:"+what, "post:2:commit-then-"+what)
		for i, want := range []string{"", "A"} {
			r := w.must("POST", base+"list/", bulk(person("A", "")))
			wantStatus(t, r, status)
			if got := w.stored(); got != want {
				t.Errorf("request %d, %s: stored %q", i+1, what, got)
			}
			checkHeaders(t, what, r)
		}
		wantStatus(t, w.must("POST", base+"list/", "[]"), 201)
	}
}

func checkHeaders(t *testing.T, what string, r reply) {
	t.Helper()
	for name, want := range map[string]map[string]string{
		"Retry-After": {"429=2": "2", "503=date:90": "Sun, 01 Mar 2026 12:01:30 GMT"},
		"Location":    {"redirect=http://127.0.0.1:1/elsewhere": "http://127.0.0.1:1/elsewhere"},
	} {
		if got := r.header.Get(name); got != want[what] {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	if isHTML := strings.HasPrefix(r.body, "<html>"); isHTML != strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || what == "html" != (isHTML && r.status == 200) {
		t.Errorf("%s: type %s: %s", what, r.header.Get("Content-Type"), r.body)
	}
}

func TestFaultOfEveryRequestFromTheKth(t *testing.T) {
	w := wired(t, sandbox.Options{}, "any:3-:401")
	var got []int
	for range 2 {
		got = append(got, w.must("GET", base+"list/", "").status, w.must("POST", base+"list/", "[]").status)
	}
	if diff := compare([]int{200, 201, 401, 401}, got); diff != "" {
		t.Error(diff)
	}
	w.Inject(sandbox.MustParseFaults("get:2:403")...)
	w.must("GET", base+"list/", "")
	if r := w.must("GET", base+"list/", ""); r.status != 401 {
		t.Errorf("status %d: the first of two faults that answer does", r.status)
	}
}

func TestRefusedConnections(t *testing.T) {
	w := wired(t, sandbox.Options{}, "post:1:refuse=300ms")
	w.client.Transport = &http.Transport{} // keeps connections
	defer w.client.CloseIdleConnections()
	wantStatus(t, w.must("GET", base+"list/", ""), 200)
	wantStatus(t, w.must("POST", base, person("A", "")), 201)
	if _, err := w.try("POST", base, person("B", "")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("not refused: %v", err)
	}
	for {
		_, err := w.try("POST", base, person("C", ""))
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // until a port opens: nothing tells
	}
	if got := w.stored(); got != "A C" {
		t.Errorf("stored %s", got)
	}
	wantStatus(t, w.must("GET", base+"list/", ""), 200)
}

func TestRefusalBehindAServerThatIsNotOurs(t *testing.T) {
	s := open(t, sandbox.Options{Faults: sandbox.MustParseFaults("any:1:refuse=1h")})
	wantStatus(t, do(s, "GET", base+"list/", ""), 200)
	if !cut(s, "GET", base+"list/", "") {
		t.Error("the next request was answered")
	}
}

func TestARefusingServerCanBeStopped(t *testing.T) {
	w := wired(t, sandbox.Options{}, "any:1:refuse=1h")
	wantStatus(t, w.must("GET", base+"list/", ""), 200)
	if _, err := w.try("GET", base+"list/", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("not refused: %v", err)
	}
}

// cut serves a request in this goroutine and reports whether the connection was
// cut.
func cut(s http.Handler, method, path, body string) (wasCut bool) {
	defer func() { wasCut = recover() == http.ErrAbortHandler }()
	do(s, method, path, body)
	return false
}

func TestLateCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log sandbox.Log
		s, err := sandbox.New(sandbox.Options{Log: log.Add, Faults: sandbox.MustParseFaults("bulk:1:late-commit=5s", "patch:1:late-commit=1m")})
		if err != nil {
			t.Fatal(err)
		}
		if !cut(s, "POST", base+"list/", three) {
			t.Fatal("the late write was answered")
		}
		time.Sleep(5*time.Second - 1)
		if got := do(s, "GET", base+"list/", "").names(t, "name"); got != "" {
			t.Errorf("stored already: %s", got)
		}
		time.Sleep(time.Nanosecond)
		s.WaitForLateCommits()
		rows := do(s, "GET", base+"list/", "").array(t)
		if len(rows) != 3 {
			t.Errorf("%d rows in the end", len(rows))
		}
		if first := log.Requests()[0]; !first.Late || first.Committed != 3 || first.Status != 0 {
			t.Errorf("logged %+v", first)
		}
		if !cut(s, "PATCH", base+rows[0]["id"].(string)+"/", `{"name":"B"}`) {
			t.Error("the late change was answered")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if last := log.Requests()[3]; !last.Late || last.Committed != 0 {
			t.Errorf("logged %+v: a sandbox that is closed commits nothing", last)
		}
	})
}

func TestLateCommitAnsweredByAGateway(t *testing.T) {
	w := wired(t, sandbox.Options{}, "post:1:late-commit=1ms", "post:1:commit-then-504")
	wantStatus(t, w.must("POST", base, person("A", "")), 504)
	w.WaitForLateCommits()
	if got := w.stored(); got != "A" {
		t.Errorf("stored %q", got)
	}
}

func TestAnswersCutShort(t *testing.T) {
	for _, what := range []string{"truncate", "truncate=1", "truncate=1000000", "shorten", "shorten=7"} {
		broken := strings.HasPrefix(what, "truncate")
		w := wired(t, sandbox.Options{}, "list:2-3:"+what, "bulk:2:"+what)
		w.must("POST", base+"list/", three)
		whole := w.must("GET", base+"list/", "")
		for _, query := range []string{"", "?_jsonl=true"} {
			r, err := w.try("GET", base+"list/"+query, "")
			if broken != errors.Is(err, io.ErrUnexpectedEOF) || r.status != 200 {
				t.Errorf("%s %s: status %d: %v", what, query, r.status, err)
			}
			if last := strings.TrimRight(r.body, "\n"); len(r.body) >= len(whole.body) || strings.HasSuffix(last, "}") && strings.Count(last, "{") == strings.Count(last, "}") {
				t.Errorf("%s %s: ends on a whole object: %s", what, query, r.body)
			}
		}
		r, err := w.try("POST", base+"list/", three)
		if broken != errors.Is(err, io.ErrUnexpectedEOF) || r.status != 201 {
			t.Errorf("%s of a write: status %d: %v", what, r.status, err)
		}
		if got := w.stored(); got != "A B C A B C" {
			t.Errorf("%s: stored %s", what, got)
		}
	}
}

func TestWrongRowsInAnAnswer(t *testing.T) {
	for what, want := range map[string]string{
		"wrong-count": "A B", "wrong-count=-9": "", "wrong-count=+1": "A B C C", "wrong-count=2": "A B C C C", "id-twice": "A B C",
	} {
		for _, framing := range []sandbox.Framing{sandbox.AlwaysArray, sandbox.AlwaysLines, sandbox.Envelope} {
			w := wired(t, sandbox.Options{Framing: framing}, "bulk:1:"+what, "list:1:"+what)
			for _, r := range []reply{w.must("POST", base+"list/", three), w.must("GET", base+"list/", "")} {
				objects := unframed(t, r)
				ids := map[any]bool{}
				var names []string
				for _, o := range objects {
					ids[o["id"]] = true
					names = append(names, fmt.Sprint(o["name"]))
				}
				if got := strings.Join(names, " "); got != want || what == "id-twice" && len(ids) != 2 {
					t.Errorf("%s, framing %s: %s, %d ids", what, framing, got, len(ids))
				}
			}
		}
	}
	w := wired(t, sandbox.Options{}, "any:*:wrong-count")
	wantStatus(t, w.must("POST", base, person("A", "")), 201)
	if r := w.must("POST", base+"list/", "[{}]"); r.status != 400 || !strings.HasPrefix(r.body, "[{") {
		t.Errorf("a refusal was changed: %s", r.body)
	}
}

func TestSlowAnswers(t *testing.T) {
	w := wired(t, sandbox.Options{}, "list:1:slow=1000")
	began := time.Now()
	w.must("POST", base+"list/", bulk(person("A", "")))
	r := w.must("GET", base+"list/", "")
	if took := time.Since(began); took < 200*time.Millisecond || len(r.array(t)) != 1 {
		t.Errorf("%d bytes in %s", len(r.body), took)
	}
	for _, what := range []string{"stall", "hang", "commit-then-hang", "slow=1"} {
		w := wired(t, sandbox.Options{}, "post:1:"+what)
		w.client.Timeout = 200 * time.Millisecond
		r, err := w.try("POST", base+"list/", three)
		if err == nil {
			t.Errorf("%s: answered", what)
		}
		if begun := r.status == 201; begun != (what == "stall" || what == "slow=1") {
			t.Errorf("%s: status %d", what, r.status)
		}
		if stored := w.stored(); stored == "" != (what == "hang") {
			t.Errorf("%s: stored %q", what, stored)
		}
	}
}

func TestAStoppedServerEndsWhatHangs(t *testing.T) {
	w := wired(t, sandbox.Options{}, "any:*:hang")
	failed := make(chan error, 1)
	go func() {
		_, err := w.try("GET", base+"list/", "")
		failed <- err
	}()
	for w.Sandbox.InFlight() == 0 {
		time.Sleep(time.Millisecond) // the server tells nobody that a request has come
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("there was an answer")
	}
}

func TestClocksThatAreWrong(t *testing.T) {
	w := wired(t, sandbox.Options{}, "post:2:skew=+10m", "get:1:skew=-1h")
	w.must("POST", base, person("A", ""))
	r := w.must("POST", base, person("B", ""))
	if r.header.Get("Date") != "Sun, 01 Mar 2026 12:10:00 GMT" || r.object(t)["created_at"] != "2026-03-01T12:10:00.000000Z" {
		t.Errorf("Date %s, created %v", r.header.Get("Date"), r.object(t)["created_at"])
	}
	if got := w.must("GET", base+"list/", "").header.Get("Date"); got != "Sun, 01 Mar 2026 11:00:00 GMT" {
		t.Errorf("Date %s", got)
	}
	if got := w.must("GET", base+"list/", "").header.Get("Date"); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Errorf("Date %s", got)
	}
}

func TestBodiesOverALimit(t *testing.T) {
	w := wired(t, sandbox.Options{}, "post:*:413=200")
	wantStatus(t, w.must("POST", base+"list/", three), 413)
	wantStatus(t, w.must("POST", base+"list/", bulk(person("A", ""))), 201)
	if got := w.stored(); got != "A" {
		t.Errorf("stored %s", got)
	}
}

func TestRowsThatChangeBetweenPages(t *testing.T) {
	pages := func(w *wire) string {
		w.must("POST", base+"list/", bulk(person("A", `,"custom_id":"1"`), person("B", ""), person("C", ""), person("D", "")))
		var seen []string
		for page := range 3 {
			r := w.must("GET", fmt.Sprintf("%slist/?_order_by=name&_page=%d&_page_size=2", base, page+1), "")
			seen = append(seen, w.names(r))
		}
		return strings.Join(seen, "|")
	}
	for fault, want := range map[string]string{
		"list:2:insert":      "A B|B C|D",
		"list:2:insert=2":    "A B|A B|C D",
		"list:2:delete":      "A B|D|",
		"list:3:delete=9":    "A B|C D|",
		"list:1:delete=9":    "||",
		"list:2:repeat-page": "A B|A B|",
		"list:*:repeat-page": "A B|A B|C D",
	} {
		w := wired(t, sandbox.Options{UniqueKey: true}, fault)
		if got := pages(w); got != want {
			t.Errorf("%s: %s, want %s", fault, got, want)
		}
	}
}

func TestSharesAreDrawnBySeed(t *testing.T) {
	struck := func(seed uint64) (all []bool) {
		s := open(t, sandbox.Options{FaultSeed: seed, Faults: sandbox.MustParseFaults("post:3:404", "any:20%:500")})
		for range 300 {
			all = append(all, do(s, "GET", base+"list/?name=x", "").status == 500)
		}
		return all
	}
	one, again, other := struck(1), struck(1), struck(2)
	if diff := compare(one, again); diff != "" {
		t.Error(diff)
	}
	if slices.Equal(one, other) {
		t.Error("another seed strikes the same requests")
	}
	n := 0
	for _, hit := range one {
		if hit {
			n++
		}
	}
	if n < 30 || n > 90 {
		t.Errorf("%d of 300 struck, at a share of 20%%", n)
	}
}

func TestFaultsUnderConcurrentRequests(t *testing.T) {
	w := wired(t, sandbox.Options{}, "post:5:commit-then-reset", "post:10-12:500", "get:10%:503=1", "post:7:late-commit=1ms", "any:20:slow=100000")
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 4 {
		wg.Go(func() {
			for range 10 {
				r, _ := w.try("POST", base, person("A", ""))
				_, _ = w.try("GET", base+"list/", "")
				mu.Lock()
				statuses[r.status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.WaitForLateCommits()
	if diff := compare(map[int]int{0: 2, 500: 3, 201: 35}, statuses); diff != "" {
		t.Error(diff)
	}
	if n := w.log.Committed(); n != 37 || w.log.MaxInFlight() > 4 || w.log.Count(nil) != 80 {
		t.Errorf("%d rows committed, %d requests at once, %d in all", n, w.log.MaxInFlight(), w.log.Count(nil))
	}
}
