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
	"strings"
	"sync"
	"testing"

	"flytt/internal/report"
	"flytt/internal/sandbox"
)

// recorded is a sandbox that writes down what it is sent.
type recorded struct {
	*sandbox.Sandbox
	mu      sync.Mutex
	patches []string // their bodies
	posts   int
	urls    []string
}

// sandboxWith starts a sandbox, points the settings to it, and moves the test to
// a directory of its own.
func sandboxWith(t *testing.T, o sandbox.Options) *recorded {
	t.Helper()
	t.Chdir(t.TempDir())
	r := &recorded{}
	next := o.Intercept
	o.Intercept = func(p sandbox.Point, w http.ResponseWriter, req *http.Request) bool {
		return r.arrived(p, w, req) || next != nil && next(p, w, req)
	}
	box, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Sandbox = box
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("FLYTT_BASE_URL", server.URL)
	for _, name := range credentialNames {
		t.Setenv(name, sandbox.DefaultCredential)
	}
	return r
}

func (r *recorded) arrived(p sandbox.Point, _ http.ResponseWriter, req *http.Request) bool {
	if p != sandbox.Arrived {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls = append(r.urls, req.URL.String())
	switch req.Method {
	case http.MethodPatch:
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.patches = append(r.patches, string(body))
	case http.MethodPost:
		r.posts++
	}
	return false
}

// sent returns the bodies of the changes so far, and forgets them and what else
// was written.
func (r *recorded) sent() (patches []string, posts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	patches, posts = r.patches, r.posts
	r.patches, r.posts = nil, 0
	slices.Sort(patches)
	return patches, posts
}

// flytt runs a command that prints a summary and returns that.
func flytt(t *testing.T, code int, args ...string) *report.Summary {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := execute(append(args, "--json"), strings.NewReader(""), &stdout, &stderr); got != code {
		t.Fatalf("flytt %v: exit code %d, want %d\n%s%s", args, got, code, &stdout, &stderr)
	}
	s := new(report.Summary)
	if err := json.Unmarshal(stdout.Bytes(), s); err != nil {
		t.Fatal(err)
	}
	if !s.Balanced {
		t.Errorf("flytt %v: does not balance: %+v", args, s.Rows)
	}
	return s
}

// contacts is a register in the API's own columns, with n rows. The last of them
// has nothing but what it must have.
func contacts(n int) string {
	var b strings.Builder
	b.WriteString("custom_id,name,title,external_client.id,ssn,org_no,phone_number,email\n")
	for i := range n - 1 {
		fmt.Fprintf(&b, "A-%d,Person %d Åström,VD,6F9A3C1E-0000-4000-8000-%012d,198501022399,556016-0680,+46701740605,a%d@example.com\n", i, i, i%3, i)
	}
	fmt.Fprintf(&b, "A-%d,Last,VD,6f9a3c1e-0000-4000-8000-000000000001,,,,\n", n-1)
	return b.String()
}

// edit replaces old by new in a file.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s does not hold %s", file, old)
	}
	write(t, file, strings.Replace(string(data), old, new, 1))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// exported fills the sandbox with n contacts and exports them to contacts.csv.
func exported(t *testing.T, r *recorded, n int) {
	t.Helper()
	write(t, "register.csv", contacts(n))
	flytt(t, exitDone, "import", "register.csv")
	flytt(t, exitDone, "export", "-o", "contacts.csv")
	r.sent()
}

// TestRoundTripAgainstEverySetting exports and imports again, whatever the API
// does where its reference is silent.
func TestRoundTripAgainstEverySetting(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"friendly":             {},
		"partial":              {Atomicity: sandbox.Partial},
		"ids refused":          {ItemID: sandbox.Refused},
		"ids ignored":          {ItemID: sandbox.Ignored},
		"shuffled answers":     {AnswerOrder: sandbox.Shuffled},
		"unique keys":          {UniqueKey: true},
		"numbers with dash":    {StoredIDs: sandbox.WithDash},
		"numbers without":      {StoredIDs: sandbox.WithoutDash},
		"bare references":      {Relations: sandbox.BareID},
		"expanded references":  {Relations: sandbox.ExpandedObject},
		"silent references":    {Relations: sandbox.EmptyObject},
		"enveloped lists":      {Framing: sandbox.Envelope},
		"lists of lines":       {Framing: sandbox.AlwaysLines},
		"404 past the end":     {PastEnd: sandbox.NotFound},
		"everything in a page": {Paging: sandbox.OnePage},
		"small pages":          {MaxPageSize: 7},
		"no order":             {IgnoreOrder: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := sandboxWith(t, o)
			exported(t, r, 25)
			s := flytt(t, exitDone, "import", "contacts.csv")
			if patches, posts := r.sent(); s.Rows.Unchanged != 25 || len(patches)+posts > 0 {
				t.Fatalf("untouched: %+v, %d changes and %d writes were sent", s.Rows, len(patches), posts)
			}
			edit(t, "contacts.csv", "Person 7 Åström", "Person 7 Öberg")
			edit(t, "contacts.csv", "a9@example.com", "")
			s = flytt(t, exitDone, "import", "contacts.csv")
			patches, posts := r.sent()
			if s.Rows.Updated != 1 || s.Rows.Written != 1 || s.Rows.Unchanged != 24 || posts > 0 {
				t.Errorf("one changed cell: %+v", s.Rows)
			}
			if want := []string{`{"name":"Person 7 Öberg"}`}; !slices.Equal(patches, want) {
				t.Errorf("sent %q, want %q", patches, want)
			}
			r.wantNoPersonInURLs(t)
			s = flytt(t, exitDone, "import", "contacts.csv", "--mode", "upsert", "--write-nulls")
			if patches, _ := r.sent(); s.Rows.Updated != 1 || !slices.Equal(patches, []string{`{"email":null}`}) {
				t.Errorf("one cleared cell: %+v, sent %q", s.Rows, patches)
			}
			s = flytt(t, exitDone, "import", "contacts.csv", "--mode", "update", "--write-nulls")
			if patches, posts := r.sent(); s.Rows.Unchanged != 25 || len(patches)+posts > 0 {
				t.Errorf("nothing left to clear: %+v, sent %q", s.Rows, patches)
			}
		})
	}
}

// wantNoPersonInURLs checks that nothing that identifies a person was in a URL.
func (r *recorded) wantNoPersonInURLs(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, url := range r.urls {
		for _, value := range []string{"19850102", "example.com", "70174", "Person", "556016"} {
			if strings.Contains(url, value) {
				t.Errorf("%s is in a URL", value)
			}
		}
		if len(url) > 2000 {
			t.Errorf("a URL of %d bytes", len(url))
		}
	}
}

// TestUpsertAgainstEverySetting imports a register into an API that has half of
// it, twice.
func TestUpsertAgainstEverySetting(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"friendly":         {},
		"partial":          {Atomicity: sandbox.Partial, Errors: sandbox.DetailErrors},
		"shuffled answers": {AnswerOrder: sandbox.Shuffled},
		"unique keys":      {UniqueKey: true},
		"ids refused":      {ItemID: sandbox.Refused},
		"404 past the end": {PastEnd: sandbox.NotFound},
		"lists of lines":   {Framing: sandbox.AlwaysLines},
		"small pages":      {MaxPageSize: 7},
		"no pages":         {Paging: sandbox.OnePage},
		"numbers stored":   {StoredIDs: sandbox.WithDash},
	} {
		t.Run(name, func(t *testing.T) {
			r := sandboxWith(t, o)
			exported(t, r, 20)
			write(t, "register.csv", contacts(40))
			edit(t, "register.csv", "Person 3 Åström", "Person 3 Öberg")
			s := flytt(t, exitDone, "import", "register.csv", "--mode", "upsert", "--chunk-rows", "9")
			// Row A-19 was the last, with nothing but what it must have.
			if s.Rows.Written != 22 || s.Rows.Updated != 2 || s.Rows.Unchanged != 18 {
				t.Errorf("%+v", s.Rows)
			}
			s = flytt(t, exitDone, "import", "register.csv", "--mode", "upsert")
			if s.Rows.Unchanged != 40 {
				t.Errorf("again: %+v", s.Rows)
			}
			if s = flytt(t, exitDone, "export", "-o", "all.csv"); s.Rows.Written != 40 {
				t.Errorf("%d records", s.Rows.Written)
			}
		})
	}
}

// TestChangesWithFaults breaks the connection at changes, before and after they
// are done. What is not told by a look at the record at once is settled by the
// next pass.
func TestChangesWithFaults(t *testing.T) {
	for _, test := range []struct {
		fault   string
		code    int
		updated int64
		unsent  int64
		patches int
	}{
		{"patch:1:commit-then-reset", exitDone, 3, 0, 3},
		{"patch:2:reset", exitDone, 3, 0, 4},
		{"patch:1:commit-then-500", exitDone, 3, 0, 3},
		{"patch:1-2:429=0", exitDone, 3, 0, 5},
		{"patch:2:401", exitFatal, 1, 2, 2},
	} {
		t.Run(test.fault, func(t *testing.T) {
			r := sandboxWith(t, sandbox.Options{})
			exported(t, r, 6)
			for i := range 3 {
				edit(t, "contacts.csv", fmt.Sprintf("Person %d Åström", i), fmt.Sprintf("Person %d Öberg", i))
			}
			r.Inject(sandbox.MustParseFaults(test.fault)...)
			s := flytt(t, test.code, "import", "contacts.csv", "--concurrency", "1", "--settle", "50ms")
			patches, posts := r.sent()
			if s.Rows.Updated != test.updated || s.Rows.InDoubt != 0 || s.Rows.NotSent < test.unsent || len(patches) != test.patches || posts > 0 {
				t.Errorf("%+v; %d changes were sent", s.Rows, len(patches))
			}
			if s.Error != nil && s.Error.Next != "flytt resume "+s.Run {
				t.Errorf("next: %s", s.Error.Next)
			}
			// The same command as a run of its own does what is left, and no more.
			s = flytt(t, exitDone, "import", "contacts.csv")
			if patches, _ := r.sent(); s.Rows.Updated != 3-test.updated || len(patches) != int(3-test.updated) {
				t.Errorf("again: %+v, %q", s.Rows, patches)
			}
			if s = flytt(t, exitDone, "import", "contacts.csv"); s.Rows.Unchanged != 6 {
				t.Errorf("at last: %+v", s.Rows)
			}
		})
	}
}

// TestRunInDoubtThatOnlyChangesRecordsIsGoneOnWith has a change fail in every pass
// of a run, and the run resumed once the API is well.
func TestRunInDoubtThatOnlyChangesRecordsIsGoneOnWith(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{Faults: sandbox.MustParseFaults("patch:1-5:reset")})
	exported(t, r, 3)
	edit(t, "contacts.csv", "Person 1 Åström", "Person 1 Öberg")
	var stdout, stderr bytes.Buffer
	if code := execute([]string{"import", "contacts.csv", "--run-dir", "doubt", "--settle", "50ms"}, strings.NewReader(""), &stdout, &stderr); code != exitUncertain {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); strings.TrimSpace(lines[len(lines)-1]) != "flytt resume doubt" {
		t.Errorf("the last line is %s", lines[len(lines)-1])
	}
	doubt, err := os.ReadFile(filepath.Join("doubt", "in_doubt.csv"))
	if err != nil || !bytes.Contains(doubt, []byte("Person 1 Öberg")) {
		t.Errorf("in_doubt.csv: %s %v", doubt, err)
	}
	s := flytt(t, exitDone, "resume", "doubt", "--settle", "50ms")
	if s.Rows.Updated != 1 || s.Rows.Unchanged != 2 {
		t.Errorf("%+v", s.Rows)
	}
}

func TestARefusedChangeIsListedInTheAPIsWords(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{UniqueKey: true})
	exported(t, r, 4)
	edit(t, "contacts.csv", "A-1", "A-2")
	s := flytt(t, exitRejects, "import", "contacts.csv", "--run-dir", "refused")
	if s.Rows.Rejected != 1 || s.Rows.Unchanged != 3 || s.Rejects[0].Code != "refused" || s.Rejects[0].Field != "custom_id" {
		t.Errorf("%+v %+v", s.Rows, s.Rejects)
	}
	rejects, err := os.ReadFile(filepath.Join("refused", "rejects.csv"))
	if err != nil || !bytes.Contains(rejects, []byte("This field must be unique.")) {
		t.Errorf("rejects.csv: %s %v", rejects, err)
	}
}
