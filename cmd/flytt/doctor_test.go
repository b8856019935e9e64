package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"flytt/internal/sandbox"
)

var updateDoctor = flag.Bool("update-doctor", false, "write testdata/doctor.golden anew")

// changing are the parts of a list that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	to      string
}{
	{regexp.MustCompile(`\d+(\.\d+)? (ms|s)\b`), "N ms"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`\d+\.\d [kMGT]B free`), "N GB free"},
	{regexp.MustCompile(`at most \w+ from`), "at most 1s from"},
	{regexp.MustCompile(`, fastest\s+N\s+ms`), ""},
	{regexp.MustCompile(`\n {30}ms, not`), ", not"},
}

func TestDoctorsListReadsWell(t *testing.T) {
	golden, err := os.ReadFile("testdata/doctor.golden")
	if err != nil && !*updateDoctor {
		t.Fatal(err)
	}
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_CONFIG", "")
	for i := range 3 {
		args := []string{"record", "create", "--sandbox", "--set", fmt.Sprintf("name=Åke %d", i), "--set", "title=VD", "--set", "ssn=198501022399", "--set", "external_client=6f9a3c1e-0000-4000-8000-000000000001"}
		if code := execute(args, strings.NewReader(""), io.Discard, os.Stderr); code != 0 {
			t.Fatalf("create: exit %d", code)
		}
	}
	var out bytes.Buffer
	if code := execute([]string{"doctor", "--sandbox"}, strings.NewReader(""), &out, os.Stderr); code != 0 {
		t.Errorf("exit %d", code)
	}
	got := out.String()
	for _, c := range changing {
		got = c.pattern.ReplaceAllString(got, c.to)
	}
	if *updateDoctor {
		if err := os.WriteFile(back+"/testdata/doctor.golden", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if got != string(golden) {
		t.Errorf("the list is now:\n%s", got)
	}
}

// examined runs doctor against a server and returns the exit code and the list.
func examined(t *testing.T, server *httptest.Server) (int, string) {
	t.Helper()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_BASE_URL", server.URL)
	for _, name := range credentialNames {
		t.Setenv(name, sandbox.DefaultCredential)
	}
	var out, errs bytes.Buffer
	code := execute([]string{"doctor"}, strings.NewReader(""), &out, &errs)
	if code != exitDone && !strings.HasSuffix(errs.String(), "  flytt doctor\n") {
		t.Errorf("stderr does not end with the next command: %s", errs.String())
	}
	return code, strings.Join(strings.Fields(out.String()), " ")
}

func TestDoctorSaysWhatIsWrongWithTheAPI(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server *httptest.Server
		code   int
		want   string
	}{
		{"credentials not known", answering(http.StatusUnauthorized, "{}"), exitFatal, "fail credentials not known (401) → the API does not know these credentials"},
		{"credentials without access", answering(http.StatusForbidden, "{}"), exitFatal, "fail credentials known, but may not read this list (403) → the credentials are known but may not do this"},
		{"no such list", answering(http.StatusNotFound, "{}"), exitFatal, "fail HTTP the API answered 404 Not Found → no such list at this address"},
		{"not the API", answering(http.StatusOK, "<html>Log in</html>"), exitFatal, "fail HTTP 200, but"},
		{"out of order", answering(http.StatusInternalServerError, "{}"), exitFatal, "fail HTTP the API answered 500 Internal Server Error → it has a problem of its own"},
		{"empty", answering(http.StatusOK, "[]"), exitDone, "warn list works, and is empty or out of scope → if there should be rows, check FLYTT_CUSTOMER_ID"},
		{"wrong clock", late(), exitDone, "ahead of the API's → set this machine's clock"},
		{"not trusted", untrusted(), exitFatal, " left) → if the certificate is from an authority of your organization"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, list := examined(t, tt.server)
			if code != tt.code || !strings.Contains(list, tt.want) {
				t.Errorf("exit %d, want %d; list: %s", code, tt.code, list)
			}
		})
	}
}

// answering serves the same answer to everything.
func answering(status int, body string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
}

// untrusted serves with a certificate that nobody vouches for.
func untrusted() *httptest.Server {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// late serves empty lists with a clock that is years behind.
func late() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = io.WriteString(w, "[]")
	}))
}

func TestListsEndQuietlyBehindAClosedPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	defer w.Close()
	if code := execute([]string{"record", "create", "--sandbox", "--set", "name=Bo", "--set", "title=VD", "--set", "external_client=6f9a3c1e-0000-4000-8000-000000000001"}, strings.NewReader(""), io.Discard, os.Stderr); code != 0 {
		t.Fatalf("create: exit %d", code)
	}
	var errs bytes.Buffer
	if code := execute([]string{"record", "list", "--sandbox"}, strings.NewReader(""), w, &errs); code != 0 || errs.Len() > 0 {
		t.Errorf("exit %d, stderr %q", code, errs.String())
	}
}
