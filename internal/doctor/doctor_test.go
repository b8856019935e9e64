package doctor_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"flytt/internal/api"
	"flytt/internal/doctor"
	"flytt/mappings"
)

// examined returns the checks of an API, by name.
func examined(t *testing.T, baseURL string) (map[string]doctor.Check, int) {
	t.Helper()
	const c = "x"
	client, err := api.New(api.Config{BaseURL: baseURL, Credentials: api.Credentials{
		CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	contacts, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]doctor.Check{}
	requests := doctor.Examine(context.Background(), client, contacts, func(c doctor.Check) { checks[c.Name] = c })
	return checks, requests
}

// answering serves the same answer to everything.
func answering(t *testing.T, status int, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestChecksSayWhatIsWrongWithTheAPI(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		body       string
		check      string
		want       doctor.Status
		text       string
		afterwards bool // the API is looked at
	}{
		"credentials not known":      {401, "{}", "credentials", doctor.Fail, "not known (401)", false},
		"credentials without access": {403, "{}", "credentials", doctor.Fail, "may not read", false},
		"no list there":              {404, "{}", "HTTP", doctor.Fail, "404 Not Found", false},
		"not the API":                {200, "<html>", "HTTP", doctor.Fail, "200, but", false},
		"an empty list":              {200, "[]", "list", doctor.Warn, "empty", true},
		"some rows":                  {200, `[{"id":"aaaaaaaa-0000-4000-8000-000000000001"}]`, "list", doctor.OK, "looked at 1 row", true},
	} {
		t.Run(name, func(t *testing.T) {
			checks, requests := examined(t, answering(t, test.status, test.body))
			c := checks[test.check]
			if c.Status != test.want || !strings.Contains(c.Text, test.text) || c.Status != doctor.OK && c.Fix == "" {
				t.Errorf("%+v", c)
			}
			if _, looked := checks["bulk writes"]; looked != test.afterwards || requests == 0 {
				t.Errorf("the API was looked at: %t, want %t; %d requests", looked, test.afterwards, requests)
			}
		})
	}
}

func TestNothingIsAskedWhereNothingAnswers(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	checks, requests := examined(t, s.URL)
	if c := checks["TCP"]; c.Status != doctor.Fail || c.Err == nil || c.Fix == "" || requests != 0 {
		t.Errorf("%d requests, %+v", requests, c)
	}
	if c, tried := checks["HTTP"]; tried {
		t.Errorf("HTTP was tried: %+v", c)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, runs := range []string{"runs", dir} {
		if c := doctor.Directory(runs); c.Status == doctor.Fail || !strings.HasPrefix(c.Text, runs+" can be written") {
			t.Errorf("%+v", c)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(dir); err != nil {
		t.Skip(err) // a system that keeps the working directory
	}
	if c := doctor.Directory("runs"); c.Status != doctor.Fail || c.Fix == "" {
		t.Errorf("in a directory that is gone: %+v", c)
	}
}
