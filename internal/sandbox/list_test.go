package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/sandbox"
)

// filled returns a sandbox with rows whose custom_id numbers them from 0. Some
// values are null, some differ in case only.
func filled(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	s := open(t, o)
	wantStatus(t, do(s, "POST", base+"list/", bulk(
		person("Åsa Öberg", `,"custom_id":"0","email":"asa@example.com","first_name":"Åsa"`),
		person("ÅSA ÄNG", `,"custom_id":"1","first_name":"ÅSA","organization":"`+client+`"`),
		person("Bo Berg", `,"custom_id":"2","email":"Bo@Example.com","first_name":"Bo"`),
		person("bo berg", `,"custom_id":"3","first_name":"a_c"`),
		person("100% abc", `,"custom_id":"4","first_name":"abc","email":"x@example.se"`),
	)), 201)
	return s
}

func TestFilters(t *testing.T) {
	s := filled(t, sandbox.Options{})
	created := do(s, "GET", base+"list/", "").array(t)
	at := func(i int) string { return created[i]["created_at"].(string) }
	id := func(i int) string { return created[i]["id"].(string) }
	for _, c := range []struct{ parameter, text, want string }{
		{"name", "Bo Berg", "2"},
		{"name!", "Bo Berg", "0 1 3 4"},
		{"name", "", ""},
		{"name__iexact", "åsa öberg", "0"},
		{"name__icontains", "åsa", "0 1"},
		{"name__icontains!", "ÅSA", "2 3 4"},
		{"name__contains", "ÅSA", "1"},
		{"name__contains", "Åsa", "0"},
		{"name__contains", "", "0 1 2 3 4"},
		{"name__contains", "%", "4"},
		{"first_name__contains", "_", "3"},
		{"first_name__contains", "'; DROP TABLE x; --", ""},
		{"name__startswith", "Bo", "2"},
		{"name__startswith", "", "0 1 2 3 4"},
		{"name__istartswith", "BO", "2 3"},
		{"name__endswith", "erg", "0 2 3"},
		{"name__endswith", "", "0 1 2 3 4"},
		{"name__endswith", "x100% abc", ""},
		{"name__endswith", "xx100% abc", ""},
		{"name__iendswith", "ÖBERG", "0"},
		{"name__in", "Bo Berg,bo berg,nobody", "2 3"},
		{"name__in!", "Bo Berg,bo berg", "0 1 4"},
		{"name__in", "", ""},
		{"name__in!", "", "0 1 2 3 4"},
		{"custom_id__in", "4,2,0", "0 2 4"},
		{"email__isnull", "true", "1 3"},
		{"email__isnull", "false", "0 2 4"},
		{"email__isnull!", "true", "0 2 4"},
		{"email", "asa@example.com", "0"},
		{"email!", "asa@example.com", "1 2 3 4"},
		{"email__contains!", "example", "1 2 3"},
		{"email__in!", "asa@example.com", "1 2 3 4"},
		{"id", id(3), "3"},
		{"id", strings.ToUpper(id(3)), "3"},
		{"id!", id(3), "0 1 2 4"},
		{"id__in", id(3) + "," + id(0), "0 3"},
		{"id__isnull", "1", ""},
		{"external_client", client, "0 1 2 3 4"},
		{"external_client!", client, ""},
		{"organization", client, "1"},
		{"organization!", client, "0 2 3 4"},
		{"organization__in!", client, "0 2 3 4"},
		{"organization__isnull", "false", "1"},
		{"created_at", at(2), "2"},
		{"created_at__gt", at(2), "3 4"},
		{"created_at__gte", at(2), "2 3 4"},
		{"created_at__lt", at(2), "0 1"},
		{"created_at__lte!", at(2), "3 4"},
		{"created_at__in", at(2) + "," + at(4), "2 4"},
		{"created_at__gte", "2026-03-01", "0 1 2 3 4"},
		{"created_at__gte", "2026-03-01T13:00:00+01:00", "0 1 2 3 4"},
		{"created_at__gte", "2026-03-02", ""},
		{"_search", "åsa", "0 1"},
		{"_search", "åsa öberg", "0"},
		{"_search", "  ", "0 1 2 3 4"},
		{"tags", "[]", "0 1 2 3 4"},
		{"tags", `[{"id":"x"}]`, ""},
	} {
		got := do(s, "GET", base+"list/?"+url.Values{c.parameter: {c.text}}.Encode(), "")
		if wantStatus(t, got, 200); got.names(t, "custom_id") != c.want {
			t.Errorf("%s=%s: %q, want %q", c.parameter, c.text, got.names(t, "custom_id"), c.want)
		}
	}
	got := do(s, "GET", base+"list/?name__icontains=bo&email__isnull=false&name__icontains=berg", "").names(t, "custom_id")
	if got != "2" {
		t.Errorf("several filters: %q", got)
	}
}

func TestListParametersRefused(t *testing.T) {
	s := filled(t, sandbox.Options{})
	for query, want := range map[string]string{
		"_page=1":                `{"_page":["This value must be set together with the following fields: _page_size."]}`,
		"_page_size=1":           `{"_page_size":["This value must be set together with the following fields: _page."]}`,
		"_page=0&_page_size=x":   `{"_page":["A whole number from 1 to 2147483647 is required."],"_page_size":["A whole number from 1 to 2147483647 is required."]}`,
		"_order_by=name,-nope":   `{"_order_by":["Cannot order by nope."]}`,
		"_order_by=tags":         `{"_order_by":["Cannot order by tags."]}`,
		"_order_by=":             `{"_order_by":["Cannot order by ."]}`,
		"_slim=perhaps":          `{"_slim":["Must be true or false."]}`,
		"nope=1&_nope=2":         `{"_nope":["Unknown query parameter."],"nope":["Unknown query parameter."]}`,
		"name__gt=1":             `{"name__gt":["This field has no such filter."]}`,
		"name__=1":               `{"name__":["This field has no such filter."]}`,
		"tags__in=1":             `{"tags__in":["This field has no such filter."]}`,
		"tags=1":                 `{"tags":["Expected a JSON array of objects."]}`,
		"id=hemligt":             `{"id":["Not a valid uuid to compare with."]}`,
		"id__in!=hemligt":        `{"id__in!":["Not a valid uuid to compare with."]}`,
		"created_at__gt=hemligt": `{"created_at__gt":["Not a valid date-time to compare with."]}`,
		"email__isnull=hemligt":  `{"email__isnull":["Must be true or false."]}`,
		"name=%zz":               `{"detail":"The query string cannot be decoded."}`,
		"name__in=" + strings.Repeat(",", 10_001): `{"name__in":["Too many values."]}`,
	} {
		r := request("GET", base+"list/", "")
		r.URL.RawQuery = query
		got := serve(s, r)
		wantStatus(t, got, http.StatusBadRequest)
		if diff := compareJSON(want, got.body); diff != "" {
			t.Errorf("%.60s: %s", query, diff)
		}
	}
}

func TestOrder(t *testing.T) {
	s := filled(t, sandbox.Options{})
	for order, want := range map[string]string{
		"name":              "4 2 3 1 0",
		"-name":             "0 1 3 2 4",
		"email":             "2 0 4 1 3",
		"-email":            "1 3 4 0 2",
		"external_client":   "0 1 2 3 4",
		"-created_at":       "4 3 2 1 0",
		"title, -custom_id": "4 3 2 1 0",
	} {
		got := do(s, "GET", base+"list/?_order_by="+url.QueryEscape(order), "").names(t, "custom_id")
		if got != want {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
	}
}

func TestPages(t *testing.T) {
	s := filled(t, sandbox.Options{})
	page := func(s http.Handler, n, size int) reply {
		return do(s, "GET", fmt.Sprintf("%slist/?_page=%d&_page_size=%d", base, n, size), "")
	}
	for n, want := range []string{1: "0 1", 2: "2 3", 3: "4", 4: ""} {
		if n == 0 {
			continue
		}
		if got := page(s, n, 2).names(t, "custom_id"); got != want {
			t.Errorf("page %d: %q, want %q", n, got, want)
		}
	}
	if got := page(s, 1<<31-1, 1<<31-1); got.status != 200 || got.body != "[]" {
		t.Errorf("far page: %d %s", got.status, got.body)
	}
	strict := filled(t, sandbox.Options{PastEnd: sandbox.NotFound, MaxPageSize: 3})
	if got := page(strict, 1, 100).names(t, "custom_id"); got != "0 1 2" {
		t.Errorf("clamped page: %q", got)
	}
	wantStatus(t, page(strict, 3, 3), http.StatusNotFound)
	wantStatus(t, do(strict, "GET", base+"list/?_page=1&_page_size=5&name=nobody", ""), http.StatusOK)
}

func TestShapesOfAList(t *testing.T) {
	s := filled(t, sandbox.Options{})
	array := do(s, "GET", base+"list/", "")
	lines := do(s, "GET", base+"list/?_jsonl=true", "")
	if got := "[" + strings.ReplaceAll(strings.TrimSuffix(lines.body, "\n"), "\n", ",") + "]"; got != array.body {
		t.Errorf("lines and array differ:\n%s\n%s", got, array.body)
	}
	if got := lines.header.Get("Content-Type"); got != "application/jsonl" {
		t.Errorf("content type %s", got)
	}
	if got := do(s, "GET", base+"list/?_jsonl=true&name=nobody", ""); got.status != 200 || got.body != "" {
		t.Errorf("no lines: %d %q", got.status, got.body)
	}
	slim := do(s, "GET", base+"list/?_slim=true&custom_id__in=1,3", "").array(t)
	full := array.array(t)
	want := []map[string]any{{"id": full[1]["id"]}, {"id": full[3]["id"]}}
	if diff := cmp.Diff(want, slim); diff != "" {
		t.Error(diff)
	}
	if got := do(s, "GET", base+"list/?_statistics=true&email__isnull=true", "").body; got != `{"count":2}` {
		t.Errorf("statistics: %s", got)
	}
}

// TestASlowReaderKeepsNoWriterOut holds a list open while rows are written: the
// list shows what was there when it began.
func TestASlowReaderKeepsNoWriterOut(t *testing.T) {
	s := open(t, sandbox.Options{})
	var items []string
	for range 3000 {
		items = append(items, person(strings.Repeat("a", 250), ""))
	}
	wantStatus(t, do(s, "POST", base+"list/", bulk(items...)), 201)
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder(), meanwhile: func() {
		wantStatus(t, do(s, "POST", base, person("B", "")), 201)
	}}
	s.ServeHTTP(w, request("GET", base+"list/", ""))
	if got := len(reply{body: w.Body.String()}.array(t)); got != 3000 {
		t.Errorf("%d rows", got)
	}
}

// slowWriter does something else before it takes the first bytes.
type slowWriter struct {
	*httptest.ResponseRecorder
	meanwhile func()
}

func (w *slowWriter) Write(p []byte) (int, error) {
	if w.meanwhile != nil {
		w.meanwhile()
		w.meanwhile = nil
	}
	return w.ResponseRecorder.Write(p)
}

// FuzzBulk sends any body: it is written whole or refused, and what is written
// can be read.
func FuzzBulk(f *testing.F) {
	f.Add(bulk(person("A", ""), person("B", `,"ssn":"198501022399"`)))
	f.Add(`[{},7,null,{"id":"` + client + `"}]`)
	f.Add(`[{"name":"\ud800"}]`)
	f.Add(`[{"external_client":{"id":{}}}]`)
	f.Add(`{`)
	s := open(f, sandbox.Options{})
	f.Fuzz(func(t *testing.T, body string) {
		before := len(do(s, "GET", base+"list/?_slim=1", "").array(t))
		r := do(s, "POST", base+"list/", body)
		written := 0
		switch r.status {
		case http.StatusCreated:
			written = len(r.array(t))
		case http.StatusBadRequest, http.StatusUnsupportedMediaType:
			if strings.HasPrefix(r.body, "[") {
				r.array(t)
			} else {
				r.object(t)
			}
		default:
			t.Fatalf("status %d", r.status)
		}
		if after := len(do(s, "GET", base+"list/", "").array(t)); after != before+written {
			t.Fatalf("%d rows, then %d; answered %d", before, after, written)
		}
		for _, o := range do(s, "GET", base+"list/", "").array(t) {
			do(s, "DELETE", base+o["id"].(string)+"/", "")
		}
	})
}

// FuzzList asks anything of the list: it is answered or refused.
func FuzzList(f *testing.F) {
	for _, q := range []string{"name__icontains!=x", "_page=1&_page_size=2&_order_by=-name", "id__in=,", "a\"=1", "created_at__gt=2026-03-01T00:00:00Z", "_search=%00"} {
		f.Add(q)
	}
	s := filled(f, sandbox.Options{})
	f.Fuzz(func(t *testing.T, query string) {
		r := request("GET", base+"list/", "")
		r.URL.RawQuery = query
		if got := serve(s, r); got.status != http.StatusOK && got.status != http.StatusBadRequest {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
	})
}
