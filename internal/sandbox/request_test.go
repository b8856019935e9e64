package sandbox_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"flytt/internal/sandbox"
)

func TestMalformedBodiesNamePlacesNotValues(t *testing.T) {
	s := open(t, sandbox.Options{MaxBody: 4096})
	for body, want := range map[string]string{
		"{\"name\":\n hemligt}":         "line 2 column 2",
		`{"name":"hemligt`:              "ends early",
		`{"name":"hemligt","name":"b"}`: "twice",
		`{"name":"hemligt"} {}`:         "line 1 column 19",
		`[{"name":"hemligt"},`:          "ends early",
		`{"name":"hemligt",}`:           "line 1",
		"{\"name\":\"hemligt\xff\"}":    "line 1",
		`{"name":"hemligt" "x"`:         "line 1",
		strings.Repeat("[", 4000):       "line 1",
	} {
		for _, path := range []string{base, base + "list/"} {
			r := do(s, "POST", path, body)
			wantStatus(t, r, http.StatusBadRequest)
			if path == base && !strings.Contains(r.body, want) || strings.Contains(r.body, "hemligt") {
				t.Errorf("%.40q: %s", body, r.body)
			}
		}
	}
}

func TestBodiesRefused(t *testing.T) {
	s := open(t, sandbox.Options{MaxBody: 300, MaxItems: 2})
	for _, contentType := range []string{"", "text/plain", "application/json, text/plain", "multipart/form-data; boundary=x"} {
		r := request("POST", base, person("A", ""))
		r.Header.Set("Content-Type", contentType)
		wantStatus(t, serve(s, r), http.StatusUnsupportedMediaType)
	}
	r := request("POST", base, person("A", ""))
	r.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	wantStatus(t, serve(s, r), http.StatusCreated)
	r.Header.Set("Content-Encoding", "gzip")
	wantStatus(t, serve(s, r), http.StatusUnsupportedMediaType)

	wantStatus(t, do(s, "POST", base, person(strings.Repeat("a", 300), "")), http.StatusRequestEntityTooLarge)
	r = request("POST", base, "x")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(person(strings.Repeat("a", 300), ""))), -1
	wantStatus(t, serve(s, r), http.StatusRequestEntityTooLarge)
	wantStatus(t, do(s, "POST", base+"list/", "[{},{},{}]"), http.StatusRequestEntityTooLarge)
}

func TestRoutes(t *testing.T) {
	s := open(t, sandbox.Options{})
	for _, path := range []string{"/", "", "//", base[:len(base)-1], base + "list", base + "x/", base + client, base + "list/list/", "/organization/nothing/", "/organization/"} {
		r := request("GET", "/", "")
		r.URL.Path = path
		wantStatus(t, serve(s, r), http.StatusNotFound)
	}
	for path, allow := range map[string]string{base: "POST", base + "list/": "GET, POST", base + client + "/": "GET, PATCH, DELETE"} {
		r := do(s, "PUT", path, "{}")
		wantStatus(t, r, http.StatusMethodNotAllowed)
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%s allows %q", path, got)
		}
	}
}

func TestCredentials(t *testing.T) {
	s := open(t, sandbox.Options{Credentials: sandbox.Credentials{ClientSecret: "hush"}})
	good := func() *http.Request {
		r := request("GET", base+"list/", "")
		r.Header.Set("X-PIGELLO-CLIENT-SECRET", "hush")
		return r
	}
	wantStatus(t, serve(s, good()), http.StatusOK)
	for _, h := range credentialHeaders {
		r := good()
		r.Header.Del(h)
		got := serve(s, r)
		wantStatus(t, got, http.StatusUnauthorized)
		if !strings.Contains(got.body, h+".") {
			t.Errorf("without %s: %s", h, got.body)
		}
		r.Header.Set(h, "wrong-value")
		got = serve(s, r)
		wantStatus(t, got, http.StatusForbidden)
		if strings.Contains(got.body, "wrong-value") {
			t.Errorf("the answer shows a credential: %s", got.body)
		}
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	s := open(t, sandbox.Options{Tenants: []string{"other"}})
	as := func(tenant, method, path, body string) reply {
		r := request(method, path, body)
		r.Header.Set("X-PIGELLO-CUSTOMER-ID", tenant)
		return serve(s, r)
	}
	id := as("sandbox", "POST", base, person("A", `,"custom_id":"K"`)).object(t)["id"].(string)
	as("other", "POST", base, person("B", `,"custom_id":"K"`))
	for query, want := range map[string]string{"": "B", "?custom_id__in=K": "B", "?id=" + id: "", "?_search=a": "", "?name!=B": ""} {
		if got := as("other", "GET", base+"list/"+query, "").names(t, "name"); got != want {
			t.Errorf("list %s of the other tenant: %q, want %q", query, got, want)
		}
	}
	for method, body := range map[string]string{"GET": "", "PATCH": "{}", "DELETE": ""} {
		wantStatus(t, as("other", method, base+id+"/", body), http.StatusNotFound)
	}
	wantStatus(t, as("other", "POST", base+"list/", bulk(`{"id":"`+id+`"}`)), http.StatusBadRequest)
	wantStatus(t, as("third", "GET", base+"list/", ""), http.StatusForbidden)
}

func TestRequestsAreLoggedWithoutValues(t *testing.T) {
	var log sandbox.Log
	s := open(t, sandbox.Options{Atomicity: sandbox.Partial, Log: log.Add})
	do(s, "POST", base+"list/", bulk(person("A", ""), "{}"))
	do(s, "GET", base+"list/?name=A&_slim=1", "")
	do(s, "GET", base+"nothing/", "")
	want := []sandbox.Request{
		{Number: 1, Method: "POST", Path: base + "list/", Operation: "bulk", Status: 400, Rows: 2, Committed: 1},
		{Number: 2, Method: "GET", Path: base + "list/", Query: []string{"_slim", "name"}, Operation: "list", Status: 200, Rows: 1},
		{Number: 3, Method: "GET", Path: base + "nothing/", Status: 404},
	}
	got := log.Requests()
	for i := range got {
		if got[i].Began.IsZero() || got[i].Took < 0 || got[i].InFlight != 1 || got[i].Proto != "HTTP/1.1" {
			t.Errorf("request %d: %+v", i+1, got[i])
		}
		got[i].Began, got[i].Took, got[i].InFlight, got[i].Proto = time.Time{}, 0, 0, ""
	}
	if diff := compare(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInterceptAfterTheCommit(t *testing.T) {
	var logged sandbox.Request
	cut := true
	s := open(t, sandbox.Options{
		Log: func(r sandbox.Request) { logged = r },
		Intercept: func(p sandbox.Point, _ http.ResponseWriter, _ *http.Request) bool {
			if p == sandbox.Committed && cut {
				panic(http.ErrAbortHandler)
			}
			return false
		},
	})
	server := httptest.NewServer(s)
	defer server.Close()
	r := request("POST", server.URL+base+"list/", bulk(person("A", ""), person("B", "")))
	r.RequestURI = ""
	if _, err := server.Client().Do(r); err == nil {
		t.Fatal("there was an answer")
	}
	server.Close()
	if logged.Status != 0 || logged.Committed != 2 {
		t.Errorf("logged %+v", logged)
	}
	if got := do(s, "GET", base+"list/", "").names(t, "name"); got != "A B" {
		t.Errorf("stored %q", got)
	}
	cut = false
	wantStatus(t, do(s, "POST", base, person("C", "")), http.StatusCreated)
}

func TestInterceptBeforeTheCommit(t *testing.T) {
	s := open(t, sandbox.Options{Intercept: func(p sandbox.Point, w http.ResponseWriter, _ *http.Request) bool {
		if p == sandbox.Storing {
			w.WriteHeader(http.StatusBadGateway)
		}
		return p == sandbox.Storing
	}})
	wantStatus(t, do(s, "POST", base, person("A", "")), http.StatusBadGateway)
	if got := do(s, "GET", base+"list/", "").body; got != "[]" {
		t.Errorf("stored %s", got)
	}
}

// get asks a running server.
func get(t *testing.T, address string) reply {
	t.Helper()
	r := request("GET", address, "")
	r.RequestURI = ""
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, body.String()}
}

func TestStartAndStop(t *testing.T) {
	s := open(t, sandbox.Options{})
	address, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if u, err := url.Parse(address); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("address %s", address)
	}
	r := get(t, address+base+"list/")
	wantStatus(t, r, 200)
	if got := r.header.Get("Date"); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Errorf("Date %s is not the sandbox's clock", got)
	}
	if _, _, err := s.Start(strings.TrimPrefix(address, "http://")); err == nil {
		t.Error("the address was given twice")
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
