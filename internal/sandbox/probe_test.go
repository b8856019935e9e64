package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flytt/internal/api"
	"flytt/internal/api/probe"
	"flytt/internal/sandbox"
)

// probeOptions are those of doctor for the resource of these tests.
var probeOptions = probe.Options{
	Path: base, Created: "created_at", Key: "custom_id",
	Text:       []string{"name", "title"},
	References: []string{"external_client", "organization"},
	Numbers:    []string{"ssn", "org_no", "phone_number"},
	Known: []string{"id", "name", "external_client", "title", "ssn", "created_at", "tags", "custom_id", "customer_columns",
		"org_no", "first_name", "email", "organization", "corporate_name", "phone_number", "last_name"},
}

// look probes a sandbox with n rows. Behind may change its answers; nil: it
// does not.
func look(t *testing.T, o sandbox.Options, n int, behind func(http.Handler) http.Handler) *probe.Result {
	t.Helper()
	if o.Now == nil {
		moment := noon
		o.Now = func() time.Time { moment = moment.Add(time.Millisecond); return moment }
	}
	box := open(t, o)
	for i := 0; i < n; i += 1000 {
		fillContacts(t, box, i, min(n, i+1000))
	}
	var handler http.Handler = box
	if behind != nil {
		handler = behind(box)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	const c = sandbox.DefaultCredential
	client, err := api.New(api.Config{BaseURL: server.URL, Credentials: api.Credentials{
		CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p := probe.Survey(context.Background(), client, probeOptions)
	if p.Requests-p.Busy > 25 {
		t.Errorf("%d requests, more than 25", p.Requests)
	}
	return p
}

func fillContacts(t *testing.T, box http.Handler, from, to int) {
	t.Helper()
	var body strings.Builder
	for i := from; i < to; i++ {
		sep := ","
		if i == from {
			sep = "["
		}
		fmt.Fprintf(&body, `%s{"custom_id":"K-%d","name":"Åke Ek %d","title":"VD","external_client":{"id":%q},"ssn":"198501022399","phone_number":"+46701234567"}`, sep, i, i, client)
	}
	w := httptest.NewRecorder()
	box.ServeHTTP(w, request(http.MethodPost, base+"list/", body.String()+"]"))
	if w.Code/100 != 2 {
		t.Fatalf("filling the sandbox: %d", w.Code)
	}
}

// answers are the findings of p by topic, as answer and detail.
func answers(p *probe.Result) map[string]string {
	all := map[string]string{}
	for _, f := range p.Findings {
		all[f.Topic] = strings.TrimSpace(f.Answer + " | " + f.Detail)
	}
	return all
}

func TestProbeTellsWhatTheSandboxDoes(t *testing.T) {
	p := look(t, sandbox.Options{}, 20, nil)
	if !p.First.OK() || p.Rows != 20 || p.First.Protocol != "HTTP/1.1" || p.First.ContentType != "application/json" {
		t.Errorf("first exchange %+v, %d rows", p.First, p.Rows)
	}
	want := map[string]string{
		"paging":                   "honoured |",
		"page_past_end":            "empty |",
		"page_size":                "as asked | as far as 20 rows can tell",
		"unpaged":                  "whole list | 20 rows",
		"jsonl":                    "one object per line | application/jsonl",
		"order":                    "honoured | by created_at and id",
		"created_filter":           "exact |",
		"slim":                     "ids only |",
		"statistics":               "an object | with a count",
		"negation":                 "honoured |",
		"isnull":                   "true, True, 1 |",
		"case_folding":             "å ä ö, too |",
		"get":                      "the object |",
		"unknown_parameter":        "refused | 400 Bad Request",
		"error_body":               `{"parameter": …} | application/json`,
		"relation.external_client": `{"id": …} |`,
		"relation.organization":    "| no row has a value",
		"form.ssn":                 "12 digits |",
		"form.org_no":              "| no row has a value",
		"form.phone_number":        "plus and digits |",
		"form.created_at":          "microseconds, UTC (Z) |",
		"unique.custom_id":         "in these rows | of 20 rows, 20 with one",
		"fields":                   "as described |",
	}
	got := answers(p)
	for topic, w := range want {
		if got[topic] != w {
			t.Errorf("%s: %q, want %q", topic, got[topic], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d findings, want %d: %v", len(got), len(want), got)
	}
}

func TestProbeNoticesEverySwitch(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options sandbox.Options
		rows    int
		behind  func(http.Handler) http.Handler
		topic   string
		want    string
	}{
		{"404 past the end", sandbox.Options{PastEnd: sandbox.NotFound}, 3, nil, "page_past_end", "404 |"},
		{"pages cut", sandbox.Options{MaxPageSize: 7}, 20, nil, "page_size", "cut to 7 | 500 were asked for"},
		{"pages cut at 800", sandbox.Options{MaxPageSize: 800}, 1900, nil, "page_size", "cut to 800 | 1000 were asked for"},
		{"many rows", sandbox.Options{}, 1900, nil, "unpaged", "many rows | more than 64 KiB; not read further"},
		{"pages ignored", sandbox.Options{}, 3, without("_page", "_page_size"), "paging", "ignored | 1 row was asked for and 3 came"},
		{"page number ignored", sandbox.Options{}, 3, with("_page", "1"), "paging", "ignored | page 2 repeats page 1"},
		{"all rows on every page", sandbox.Options{}, 700, without("_page", "_page_size"), "page_size", "more than asked | 700 rows for 500"},
		{"empty relations", sandbox.Options{}, 2, replacing(`{"id":"`+client+`"}`, `{}`), "relation.external_client", "{} |"},
		{"order ignored", sandbox.Options{}, 9, without("_order_by"), "order", "ignored | up and down are not sorted"},
		{"slim ignored", sandbox.Options{}, 3, without("_slim"), "slim", "ignored |"},
		{"no JSON Lines", sandbox.Options{}, 3, without("_jsonl"), "jsonl", "an array all the same | application/json"},
		{"negation ignored", sandbox.Options{}, 3, without("id__in!"), "negation", "ignored | a filter with ! has no effect"},
		{"all filters ignored", sandbox.Options{}, 3, without("id__in", "id__in!"), "negation", "filters ignored | other rows came than those asked for by id"},
		{"isnull ignored", sandbox.Options{}, 3, without("created_at__isnull"), "isnull", "ignored | none of true, True and 1 has an effect"},
		{"any word is true", sandbox.Options{}, 3, with("created_at__isnull", "true"), "isnull", "true, True, 1 | false is not understood"},
		{"time filter ignored", sandbox.Options{}, 3, without("created_at__gte", "created_at__lte"), "created_filter", "ignored | other rows came, too"},
		{"case counts", sandbox.Options{}, 3, with("name__icontains", "Ö"), "case_folding", "only a to z fold | å and Å are different letters to icontains"},
		{"no rows", sandbox.Options{}, 0, nil, "paging", "| needs 2 rows"},
		{"one row", sandbox.Options{}, 1, nil, "negation", "| needs 2 rows"},
		{"unknown parameter ignored", sandbox.Options{}, 3, without("flytt_no_such_parameter"), "unknown_parameter", "ignored |"},
		{"statistics ignored", sandbox.Options{}, 3, without("_statistics"), "statistics", "a list | items: 1"},
		{"expanded relations", sandbox.Options{}, 2, replacing(`{"id":"`+client+`"}`, `{"id":"`+client+`","name":"x"}`), "relation.external_client", "expanded, with id |"},
		{"bare relations", sandbox.Options{}, 2, replacing(`{"id":"`+client+`"}`, `"`+client+`"`), "relation.external_client", "bare id |"},
		{"dash in ssn", sandbox.Options{}, 2, replacing("198501022399", "19850102-2399"), "form.ssn", "12 digits with a dash |"},
		{"new field", sandbox.Options{}, 2, replacing(`"title":`, `"colour":1,"title":`), "fields", "not as described | new: colour"},
		{"key repeated", sandbox.Options{}, 2, replacing(`"K-1"`, `"K-0"`), "unique.custom_id", "1 repeated | of 2 rows, 2 with one"},
		{"times of a zone", sandbox.Options{}, 2, replacing(`Z"`, `+01:00"`), "form.created_at", "microseconds, offset +01:00 |"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := answers(look(t, tt.options, tt.rows, tt.behind))[tt.topic]; got != tt.want {
				t.Errorf("%s: %q, want %q", tt.topic, got, tt.want)
			}
		})
	}
}

// without drops parameters on their way in: an API that ignores them.
func without(names ...string) func(http.Handler) http.Handler {
	return rewriting(func(q url.Values) {
		for _, name := range names {
			q.Del(name)
		}
	})
}

// with gives a parameter another value on its way in.
func with(name, value string) func(http.Handler) http.Handler {
	return rewriting(func(q url.Values) {
		if q.Has(name) {
			q.Set(name, value)
		}
	})
}

func rewriting(change func(url.Values)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			change(q)
			r.URL.RawQuery = q.Encode()
			h.ServeHTTP(w, r)
		})
	}
}

// replacing changes the answers.
func replacing(old, new string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(bytes.ReplaceAll(answer.Body.Bytes(), []byte(old), []byte(new)))
		})
	}
}

func TestProbeShowsNoValue(t *testing.T) {
	var seen strings.Builder
	p := look(t, sandbox.Options{}, 5, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.WriteString(r.Method + " " + r.URL.RequestURI() + "\n")
			h.ServeHTTP(w, r)
		})
	})
	shown := fmt.Sprintf("%+v", p)
	for _, value := range []string{"Åke", "K-1", "198501022399", "46701234567"} {
		if strings.Contains(shown, value) || strings.Contains(seen.String(), url.QueryEscape(value)) {
			t.Errorf("a value is shown: %s", value)
		}
	}
	for line := range strings.Lines(seen.String()) {
		if !strings.HasPrefix(line, "GET ") {
			t.Errorf("not a read: %s", line)
		}
	}
}

func TestProbeStopsAtTheDoor(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		p := look(t, sandbox.Options{}, 0, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", status) })
		})
		if p.First.Status != status || p.First.OK() || p.Requests != 1 || len(p.Findings) > 0 {
			t.Errorf("status %d: %+v", status, p)
		}
	}
	p := look(t, sandbox.Options{}, 0, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Sign in</html>")) })
	})
	if p.First.OK() || p.First.Problem == "" {
		t.Errorf("a page of HTML passes for a list: %+v", p.First)
	}
}

func TestProbeBearsABusyAPI(t *testing.T) {
	asked := map[string]bool{}
	p := look(t, sandbox.Options{}, 3, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if first := !asked[r.URL.RawQuery]; first {
				asked[r.URL.RawQuery] = true
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	if p.Busy == 0 || !p.RetryAfter {
		t.Errorf("busy %d times, Retry-After seen: %t", p.Busy, p.RetryAfter)
	}
	if got := answers(p)["slim"]; got != "ids only |" {
		t.Errorf("slim: %q", got)
	}
}

func TestProbeGivesUpOnAnAPIThatFallsSilent(t *testing.T) {
	var served atomic.Int64 // each request may come by a connection of its own
	p := look(t, sandbox.Options{}, 3, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if served.Add(1) > 4 {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	if p.Requests > 9 {
		t.Errorf("%d requests", p.Requests)
	}
	if got := answers(p)["get"]; got != "| the API had stopped answering" {
		t.Errorf("get: %q", got)
	}
}

func TestProbeMeasuresTheClock(t *testing.T) {
	ahead := func() time.Time { return time.Now().Add(10 * time.Minute) }
	p := look(t, sandbox.Options{Now: ahead}, 1, nil)
	if !p.First.Dated || p.First.Skew < 9*time.Minute || p.First.Skew > 11*time.Minute {
		t.Errorf("skew %s", p.First.Skew)
	}
}
