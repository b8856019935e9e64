package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"flytt/internal/sandbox"
)

// idOf is the script command idof FILE NAME: it sets the variable NAME to the id
// of the record in FILE.
func idOf(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2)
	id, ok := descend(ts, args[0], []string{"id"})
	if !ok {
		ts.Fatalf("%s has no id", args[0])
	}
	ts.Setenv(args[1], asText(id))
}

// served runs flytt against an API whose answers intercept may spoil, on a
// record that is there, and returns the exit code and what was printed. $ID in
// args is the record's id.
func served(t *testing.T, intercept func(sandbox.Point, http.ResponseWriter, *http.Request) bool, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var spoil bool
	box, err := sandbox.New(sandbox.Options{Intercept: func(p sandbox.Point, w http.ResponseWriter, r *http.Request) bool {
		return spoil && intercept(p, w, r)
	}})
	if err != nil {
		t.Fatal(err)
	}
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
	id := made(t)
	spoil = true
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$ID", id)
	}
	var out, errs bytes.Buffer
	code = execute(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// made creates a record and returns its id.
func made(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	code := execute([]string{"record", "create", "--set", "name=Bo", "--set", "title=VD", "--set", "external_client=6f9a3c1e-0000-4000-8000-000000000001"},
		strings.NewReader(""), &out, io.Discard)
	var r struct{ ID string }
	if err := json.Unmarshal(out.Bytes(), &r); code != 0 || err != nil {
		t.Fatalf("create: exit %d, %v", code, err)
	}
	return r.ID
}

// cutAt cuts the connection at a point of a request with the method.
func cutAt(method string, at sandbox.Point) func(sandbox.Point, http.ResponseWriter, *http.Request) bool {
	return func(p sandbox.Point, _ http.ResponseWriter, r *http.Request) bool {
		if r.Method == method && p == at {
			panic(http.ErrAbortHandler)
		}
		return false
	}
}

func TestLostAnswersAreLookedUp(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cut    func(sandbox.Point, http.ResponseWriter, *http.Request) bool
		args   []string
		code   int
		stderr string
	}{
		{"changed all the same", cutAt(http.MethodPatch, sandbox.Committed), []string{"record", "update", "$ID", "--set", "title=Chef"}, exitDone, "the record holds what was sent"},
		{"not changed", cutAt(http.MethodPatch, sandbox.Arrived), []string{"record", "update", "$ID", "--set", "title=Chef"}, exitUncertain, "the record does not hold what was sent"},
		{"deleted all the same", cutAt(http.MethodDelete, sandbox.Committed), []string{"record", "delete", "$ID"}, exitDone, "the record is gone"},
		{"not deleted", cutAt(http.MethodDelete, sandbox.Arrived), []string{"record", "delete", "$ID"}, exitUncertain, "it still exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := served(t, tt.cut, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d, want %d; stderr: %s", code, tt.code, stderr)
			}
		})
	}
}

func TestUpdateTellsWhatTheAPIMadeOfIt(t *testing.T) {
	answer := func(body string) func(sandbox.Point, http.ResponseWriter, *http.Request) bool {
		return func(p sandbox.Point, w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPatch || p != sandbox.Committed {
				return false
			}
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	code, stdout, stderr := served(t, answer(`{"id":"x","title":"chef"}`), "record", "update", "$ID", "--set", "title=Chef", "--compact")
	if code != 0 || stdout != `{"id":"x","title":"chef"}`+"\n" || !strings.Contains(stderr, "another value than was sent in: title") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = served(t, answer(""), "record", "update", "$ID", "--set", "title=Chef") // 204, say
	if code != 0 || !strings.Contains(stdout, `"title":"Chef"`) || stderr != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
