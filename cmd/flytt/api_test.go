package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"flytt/internal/sandbox"
)

var credentialNames = []string{
	"FLYTT_CUSTOMER_ID", "FLYTT_APPLICATION_ID", "FLYTT_SERVICE_ID", "FLYTT_SERVICE_VERSION_ID",
	"FLYTT_CLIENT_CT", "FLYTT_CLIENT_ENTITY", "FLYTT_CLIENT_SECRET",
}

// fakeAPI is a sandbox that fails on demand and counts.
type fakeAPI struct {
	posts, stored, elsewhere atomic.Int64
	spoilt                   atomic.Int64 // writes that were stored, before the answer
	busy                     atomic.Int64 // requests under way
	patches                  atomic.Int64 // changes of records, of all APIs of the script
	faults                   atomic.Pointer[map[string]int64]
	gate                     atomic.Pointer[gate]
	other                    *httptest.Server
	box                      *sandbox.Sandbox
}

// gate holds the writes from one on until it is opened.
type gate struct {
	from   int64
	opened chan struct{}
}

// apiKey is where a script keeps its fakeAPI.
type apiKey struct{}

func apiOf(ts *testscript.TestScript) *fakeAPI { return ts.Value(apiKey{}).(*fakeAPI) }

// startAPI understands these faults, each for the write with the number N and,
// where it says so, those after it:
//
//	unauthorized=N   401, and after it
//	cut=N            the connection is cut once the rows are stored
//	garbled=N        the rows are stored and the answer is HTML
//	redirect=N       307 to another server, and after it
//	broken=N         500 and nothing stored
//	gone=N           from then on no request at all is answered
//	hold=N           no answer until the client goes away, and after it
//	unique=1         a custom_id can be stored once
//	wordless=1       a refusal does not say for which rows it is
//	partial=1        the good rows of a request that is refused are stored
//	clients=N        a client has to be one of the first N that rows makes; -1: none will do
//
// Behind those, from the first that begins with a dash, may stand flags of flytt sandbox.
func startAPI(ts *testscript.TestScript, _ bool, args []string) {
	a := apiOf(ts)
	args, options := sandboxOptions(ts, args)
	for _, count := range []*atomic.Int64{&a.posts, &a.stored, &a.elsewhere, &a.spoilt} {
		count.Store(0)
	}
	faults := map[string]int64{}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		ts.Check(err)
		faults[name] = n
	}
	a.faults.Store(&faults)
	a.other = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { a.elsewhere.Add(1) }))
	ts.Defer(a.other.Close)
	options.Intercept = a.intercept
	options.UniqueKey = options.UniqueKey || a.fault("unique") > 0
	options.StrictRelations = options.StrictRelations || a.fault("clients") != 0
	if a.fault("wordless") > 0 {
		options.Errors = sandbox.DetailErrors
	}
	if a.fault("partial") > 0 {
		options.Atomicity = sandbox.Atomicity(a.fault("partial"))
	}
	options.Log = func(r sandbox.Request) { a.stored.Add(int64(r.Committed)) }
	box, err := sandbox.New(options)
	ts.Check(err)
	for i := range a.fault("clients") {
		ts.Check(box.AddRelated("externalclient", []string{fmt.Sprintf("6f9a3c1e-0000-4000-8000-%012d", i)}))
	}
	ts.Defer(func() { ts.Check(box.Close()) })
	a.box = box
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.busy.Add(1)
		defer a.busy.Add(-1)
		box.ServeHTTP(w, r)
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv("FLYTT_BASE_URL", server.URL)
	for _, name := range credentialNames {
		ts.Setenv(name, sandbox.DefaultCredential)
	}
}

// sandboxOptions reads the flags of flytt sandbox at the end of args, and returns what
// stands before them.
func sandboxOptions(ts *testscript.TestScript, args []string) ([]string, sandbox.Options) {
	at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if at < 0 {
		return args, sandbox.Options{}
	}
	var f sandboxFlags
	c := &cobra.Command{}
	f.add(c)
	ts.Check(c.ParseFlags(args[at:]))
	return args[:at], f.options
}

// fault returns when the fault called name strikes; 0: never.
func (a *fakeAPI) fault(name string) int64 { return (*a.faults.Load())[name] }

// heal ends all faults.
func heal(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 0)
	apiOf(ts).faults.Store(&map[string]int64{})
}

// storesRecords checks that the API has N records, with as many keys.
func storesRecords(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, args, 1)
	keys := map[string]int{}
	total := 0
	for page := 1; ; page++ {
		var records []struct {
			Key string `json:"custom_id"`
		}
		body := apiOf(ts).ask(ts, http.MethodGet, fmt.Sprintf("/organization/externalclientcontactperson/list/?_page=%d&_page_size=500&_order_by=id", page))
		ts.Check(json.Unmarshal(body, &records))
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			keys[r.Key]++
			total++
		}
	}
	if fine := strconv.Itoa(total) == args[0] && len(keys) == total; fine == neg {
		ts.Fatalf("%d records with %d keys, want %s", total, len(keys), args[0])
	}
}

func (a *fakeAPI) intercept(p sandbox.Point, w http.ResponseWriter, r *http.Request) bool {
	if gone := a.fault("gone"); gone > 0 && p == sandbox.Arrived && a.posts.Load() >= gone {
		panic(http.ErrAbortHandler)
	}
	if r.Method == http.MethodPatch && p == sandbox.Arrived {
		a.patches.Add(1)
	}
	if r.Method != http.MethodPost {
		return false
	}
	switch p {
	case sandbox.Arrived:
		return a.arrived(a.posts.Add(1), w, r)
	case sandbox.Committed:
		return a.committed(w, r)
	}
	return false
}

// arrived answers the n-th write before anything is stored, if a fault says so.
func (a *fakeAPI) arrived(n int64, w http.ResponseWriter, r *http.Request) bool {
	if g := a.gate.Load(); g != nil && n >= g.from {
		<-g.opened
	}
	since := func(fault string) bool { return a.fault(fault) > 0 && n >= a.fault(fault) }
	switch {
	case since("unauthorized"):
		http.Error(w, `{"detail":"Invalid token."}`, http.StatusUnauthorized)
	case since("redirect"):
		http.Redirect(w, r, a.other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	case n == a.fault("broken"):
		http.Error(w, "<h1>Server Error</h1>", http.StatusInternalServerError)
	case since("hold"):
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client goes
		<-r.Context().Done()
	default:
		return false
	}
	return true
}

// committed spoils the answer to what is stored, if a fault says so.
func (a *fakeAPI) committed(w http.ResponseWriter, _ *http.Request) bool {
	switch a.spoilt.Add(1) {
	case a.fault("cut"):
		panic(http.ErrAbortHandler)
	case a.fault("garbled"):
		_, _ = io.WriteString(w, "<html>ok</html>")
		return true
	}
	return false
}

// injectFaults has the script's API suffer what sandbox.ParseFault understands,
// counted from now on.
func injectFaults(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fault WHO:WHEN:WHAT…")
	}
	for _, arg := range args {
		fault, err := sandbox.ParseFault(arg)
		ts.Check(err)
		apiOf(ts).box.Inject(fault)
	}
}

// deleteRows deletes the first records that the script's API lists.
func deleteRows(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1)
	path := "/organization/externalclientcontactperson/"
	var records []struct{ ID string }
	ts.Check(json.Unmarshal(apiOf(ts).ask(ts, http.MethodGet, path+"list/?_slim=true&_page=1&_page_size="+args[0]), &records))
	for _, r := range records {
		apiOf(ts).ask(ts, http.MethodDelete, path+r.ID+"/")
	}
}

// ask makes a request of the script's API and returns the body of the answer.
func (a *fakeAPI) ask(ts *testscript.TestScript, method, target string) []byte {
	for try := 0; ; try++ {
		w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, nil)
		for _, name := range credentialNames {
			r.Header.Set("X-PIGELLO-"+strings.ReplaceAll(strings.TrimPrefix(name, "FLYTT_"), "_", "-"), sandbox.DefaultCredential)
		}
		a.box.ServeHTTP(w, r)
		switch {
		case w.Code/100 == 2:
			return bytes.TrimPrefix(w.Body.Bytes(), []byte("\ufeff"))
		case w.Code < 500 || try == 10: // a fault of the script's may strike this request, too
			ts.Fatalf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}

// countOf makes a command that compares a count with its argument.
func countOf(count func(*fakeAPI) int64) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		want(ts, args, 1)
		if n := count(apiOf(ts)); (strconv.FormatInt(n, 10) == args[0]) == neg {
			ts.Fatalf("%d, want %s", n, args[0])
		}
	}
}

// interrupted runs a program and sends it signals while it writes. WHEN is a file
// that has to be there, says: and what it has to have said, or the number of a write;
// that one and those after it are answered once the program has had the signals.
func interrupted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: interrupted CODE WHEN SIGNALS PROGRAM ARG…")
	}
	cmd, closeFiles := process(ts, args[3:])
	write, err := strconv.ParseInt(args[1], 10, 64)
	gated := err == nil
	open := func() {}
	if gated {
		open = shutGate(ts, write)
	}
	defer open()
	ts.Check(cmd.Start())
	stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	await(func() bool { return reached(ts, args[1]) })
	for name := range strings.SplitSeq(args[2], ",") {
		ts.Check(cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": os.Kill}[name]))
	}
	if gated && args[2] != "KILL" {
		await(func() bool { return strings.Contains(ts.ReadFile("stderr.txt"), drainingText) })
	}
	open()
	code := exitStatus(cmd.Wait())
	closeFiles()
	if gated {
		await(func() bool { return apiOf(ts).busy.Load() == 0 })
	}
	if args[0] != "-" && strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s; stderr: %s", code, args[0], ts.ReadFile("stderr.txt"))
	}
}

// shutGate shuts the API's gate for the writes from one on and returns what opens it.
func shutGate(ts *testscript.TestScript, from int64) (open func()) {
	g := &gate{from: from, opened: make(chan struct{})}
	apiOf(ts).gate.Store(g)
	return sync.OnceFunc(func() { close(g.opened) })
}

// await waits until done, a minute at most: another process is not waited for
// otherwise.
func await(done func() bool) {
	for deadline := time.Now().Add(time.Minute); !done() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// reached reports whether the API has got so many writes, or a file is there.
func reached(ts *testscript.TestScript, when string) bool {
	if posts, err := strconv.ParseInt(when, 10, 64); err == nil {
		return apiOf(ts).posts.Load() >= posts
	}
	if text, ok := strings.CutPrefix(when, "says:"); ok {
		return strings.Contains(ts.ReadFile("stderr.txt"), text)
	}
	found, err := filepath.Glob(ts.MkAbs(when))
	ts.Check(err)
	return len(found) > 0
}
