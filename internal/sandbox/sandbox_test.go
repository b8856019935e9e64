package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

const (
	base   = "/organization/externalclientcontactperson/"
	client = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
)

// noon is the sandbox's clock in tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// open returns a sandbox that the test closes.
func open(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	if o.Now == nil {
		o.Now = clock
	}
	s, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

var credentialHeaders = []string{
	"X-PIGELLO-CUSTOMER-ID", "X-PIGELLO-APPLICATION-ID", "X-PIGELLO-SERVICE-ID", "X-PIGELLO-SERVICE-VERSION-ID",
	"X-PIGELLO-CLIENT-CT", "X-PIGELLO-CLIENT-ENTITY", "X-PIGELLO-CLIENT-SECRET",
}

// request makes a request with good credentials.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, h := range credentialHeaders {
		r.Header.Set(h, "sandbox")
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func serve(s http.Handler, r *http.Request) reply {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

func do(s http.Handler, method, path, body string) reply {
	return serve(s, request(method, path, body))
}

// object reads an answer that is one object.
func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(r.body), &o); err != nil {
		t.Fatalf("status %d: %v", r.status, err)
	}
	return o
}

// array reads an answer that is an array of objects.
func (r reply) array(t testing.TB) []map[string]any {
	t.Helper()
	var a []map[string]any
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("status %d: %v: %s", r.status, err, r.body)
	}
	return a
}

// names returns the value of a field of each object, joined.
func (r reply) names(t testing.TB, field string) string {
	t.Helper()
	var names []string
	for _, o := range r.array(t) {
		names = append(names, fmt.Sprint(o[field]))
	}
	return strings.Join(names, " ")
}

// person renders a valid contact person with further members.
func person(name, more string) string {
	return fmt.Sprintf(`{"name":%q,"title":"Chef","external_client":{"id":"%s"}%s}`, name, client, more)
}

func bulk(items ...string) string { return "[" + strings.Join(items, ",") + "]" }

func wantStatus(t testing.TB, r reply, status int) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
}

func TestCreateAnswersTheWholeObject(t *testing.T) {
	s := open(t, sandbox.Options{})
	r := do(s, "POST", base, person("Åsa Öberg", `,"ssn":"198501022399","custom_id":"K-1","organization":"`+client+`"`))
	wantStatus(t, r, http.StatusCreated)
	o := r.object(t)
	id, _ := o["id"].(string)
	if len(id) != 36 || id[14] != '4' {
		t.Errorf("id %q is no uuid of version 4", id)
	}
	if o["created_at"] != "2026-03-01T12:00:00.000000Z" {
		t.Errorf("created_at %v", o["created_at"])
	}
	delete(o, "id")
	delete(o, "created_at")
	reference := map[string]any{"id": client}
	want := map[string]any{
		"name": "Åsa Öberg", "title": "Chef", "external_client": reference, "organization": reference,
		"ssn": "198501022399", "custom_id": "K-1", "org_no": nil, "first_name": nil, "last_name": nil,
		"corporate_name": nil, "email": nil, "phone_number": nil, "tags": nil, "customer_columns": nil,
	}
	if diff := compare(want, o); diff != "" {
		t.Error(diff)
	}
	if got := do(s, "GET", base+id+"/", ""); got.status != 200 || got.body != r.body {
		t.Errorf("get: status %d, another body than create's", got.status)
	}
}

func TestServerMadeFieldsInABodyAreIgnored(t *testing.T) {
	s := open(t, sandbox.Options{})
	o := do(s, "POST", base, person("A", `,"id":"`+client+`","created_at":"x","tags":[1]`)).object(t)
	if o["id"] == client || o["tags"] != nil {
		t.Errorf("the client's id or tags were taken: %v", o)
	}
}

func TestUpdateChangesOnlyWhatIsGiven(t *testing.T) {
	s := open(t, sandbox.Options{})
	before := do(s, "POST", base, person("A", `,"custom_id":"K-1","email":"a@example.com"`)).object(t)
	path := base + before["id"].(string) + "/"
	r := do(s, "PATCH", path, `{"name":"B","email":null,"id":"`+client+`"}`)
	wantStatus(t, r, http.StatusOK)
	before["name"], before["email"] = "B", nil
	if diff := compare(before, r.object(t)); diff != "" {
		t.Error(diff)
	}
	if got := do(s, "GET", path, ""); got.body != r.body {
		t.Error("get answers something else than the update did")
	}
	if got := do(s, "GET", base+"list/?name=A", "").names(t, "name"); got != "" {
		t.Errorf("the old name is still found: %s", got)
	}
	if got := do(s, "GET", base+"list/?name=B&email__isnull=true", "").names(t, "custom_id"); got != "K-1" {
		t.Errorf("the new name finds %q", got)
	}
	wantStatus(t, do(s, "PATCH", path, `{"name":null}`), 400)
	wantStatus(t, do(s, "PATCH", path, `{"name":""}`), 400)
	wantStatus(t, do(s, "PATCH", path, `{"external_client":{}}`), 400)
	wantStatus(t, do(s, "PATCH", path, `{}`), 200)
	wantStatus(t, do(s, "PATCH", base+client+"/", `{"name":"B"}`), 404)
}

func TestDelete(t *testing.T) {
	s := open(t, sandbox.Options{})
	path := base + do(s, "POST", base, person("A", "")).object(t)["id"].(string) + "/"
	r := do(s, "DELETE", path, "")
	wantStatus(t, r, http.StatusNoContent)
	if r.body != "" {
		t.Errorf("body %q", r.body)
	}
	wantStatus(t, do(s, "DELETE", path, ""), http.StatusNotFound)
	wantStatus(t, do(s, "GET", path, ""), http.StatusNotFound)
}

func TestBulkAnswersInOrder(t *testing.T) {
	s := open(t, sandbox.Options{})
	r := do(s, "POST", base+"list/", bulk(person("C", ""), person("A", ""), person("B", "")))
	wantStatus(t, r, http.StatusCreated)
	if got := r.names(t, "name"); got != "C A B" {
		t.Errorf("answered %s", got)
	}
	if got := do(s, "GET", base+"list/", ""); got.body != r.body {
		t.Errorf("the list differs from the answer: %s", got.body)
	}
	empty := do(s, "POST", base+"list/", "[]")
	wantStatus(t, empty, http.StatusCreated)
	if empty.body != "[]" {
		t.Errorf("empty bulk: %s", empty.body)
	}
}

func TestBulkWithABadItem(t *testing.T) {
	items := bulk(person("A", ""), `{"title":"x","external_client":{"id":"`+client+`"},"ssn":"198501022390"}`, person("B", ""))
	const want = `[{},{"name":["This field is required."],"ssn":["Invalid luhn."]},{}]`
	for _, c := range []struct {
		atomicity sandbox.Atomicity
		stored    string
	}{{sandbox.All, ""}, {sandbox.Partial, "A B"}} {
		s := open(t, sandbox.Options{Atomicity: c.atomicity})
		r := do(s, "POST", base+"list/", items)
		wantStatus(t, r, http.StatusBadRequest)
		if diff := compareJSON(want, r.body); diff != "" {
			t.Error(diff)
		}
		if got := do(s, "GET", base+"list/", "").names(t, "name"); got != c.stored {
			t.Errorf("atomicity %d: stored %q, want %q", c.atomicity, got, c.stored)
		}
	}
}

func TestBulkItemWithAnID(t *testing.T) {
	for _, c := range []struct {
		itemID sandbox.ItemID
		status int
		stored string
	}{
		{sandbox.Updates, 201, "A2 B"}, {sandbox.Refused, 400, "A"}, {sandbox.Ignored, 201, "A A2 B"},
	} {
		s := open(t, sandbox.Options{ItemID: c.itemID})
		id := do(s, "POST", base, person("A", "")).object(t)["id"].(string)
		r := do(s, "POST", base+"list/", bulk(person("A2", `,"id":"`+id+`"`), person("B", "")))
		wantStatus(t, r, c.status)
		if got := do(s, "GET", base+"list/", "").names(t, "name"); got != c.stored {
			t.Errorf("item id %d: stored %q, want %q", c.itemID, got, c.stored)
		}
	}
}

func TestBulkUpdateIsPartialAndNeverCreates(t *testing.T) {
	s := open(t, sandbox.Options{})
	id := do(s, "POST", base, person("A", "")).object(t)["id"].(string)
	r := do(s, "POST", base+"list/", bulk(`{"id":"`+id+`","email":"a@example.com"}`))
	wantStatus(t, r, 201)
	if got := r.names(t, "name") + " " + r.names(t, "email"); got != "A a@example.com" {
		t.Errorf("answered %s", got)
	}
	r = do(s, "POST", base+"list/", bulk(`{"id":"`+id+`","name":"X"}`, `{"id":"`+id+`"}`, person("N", `,"id":"`+client+`"`)))
	wantStatus(t, r, 400)
	if diff := compareJSON(`[{},{"id":["This id is there twice."]},{"id":["Not found."]}]`, r.body); diff != "" {
		t.Error(diff)
	}
	if got := do(s, "GET", base+"list/", "").names(t, "name"); got != "A" {
		t.Errorf("stored %q", got)
	}
}

func TestRulesInTheServersWords(t *testing.T) {
	s := open(t, sandbox.Options{})
	long := strings.Repeat("å", 256)
	for body, want := range map[string]string{
		`{}`:                                            `{"name":["This field is required."],"external_client":["This field is required."],"title":["This field is required."]}`,
		person("A", `,"nope":1`):                        `{"nope":["Unknown field."]}`,
		person(long, ""):                                `{"name":["Ensure this field has no more than 255 characters."]}`,
		person("A", `,"email":"a@b"`):                   `{"email":["Enter a valid email address."]}`,
		person("A", `,"email":7`):                       `{"email":["Not a valid string."]}`,
		person("A", `,"ssn":"\u0000"`):                  `{"ssn":["Null characters are not allowed."]}`,
		person("A", `,"phone_number":"abc"`):            `{"phone_number":["This value does not match the required pattern."]}`,
		person("A", `,"organization":{"id":"x"}`):       `{"organization":["Must be a valid UUID."]}`,
		person("A", `,"organization":[]`):               `{"organization":["Invalid data. Expected an object with an id, or an id."]}`,
		`{"name":null,"title":"","external_client":{}}`: `{"name":["This field may not be null."],"title":["This field may not be blank."],"external_client":["This field is required."]}`,
		`[]`: `{"non_field_errors":["Invalid data. Expected an object."]}`,
		`7`:  `{"non_field_errors":["Invalid data. Expected an object."]}`,
	} {
		r := do(s, "POST", base, body)
		wantStatus(t, r, http.StatusBadRequest)
		if diff := compareJSON(want, r.body); diff != "" {
			t.Errorf("%.60s: %s", body, diff)
		}
	}
	for _, more := range []string{
		`,"organization":{}`, `,"organization":null`, `,"organization":"` + client + `"`,
		`,"organization":{"name":"x","id":"` + strings.ToUpper(client) + `"}`, `,"ssn":null`, `,"name_":1`[:0],
		`,"ssn":"19850102-2399"`, `,"org_no":"556016-0680"`, `,"first_name":"\u00c5sa \"\\"`,
	} {
		wantStatus(t, do(s, "POST", base, person("A", more)), http.StatusCreated)
	}
	r := do(s, "POST", base+"list/", `{"name":"A"}`)
	if wantStatus(t, r, 400); r.body != `{"non_field_errors":["Expected a list of items."]}` {
		t.Error(r.body)
	}
	r = do(s, "POST", base+"list/", `[7]`)
	if wantStatus(t, r, 400); r.body != `[{"non_field_errors":["Invalid data. Expected an object."]}]` {
		t.Error(r.body)
	}
}

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
	var mu sync.Mutex
	var log []sandbox.Request
	s := open(t, sandbox.Options{Atomicity: sandbox.Partial, Log: func(r sandbox.Request) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, r)
	}})
	do(s, "POST", base+"list/", bulk(person("A", ""), "{}"))
	do(s, "GET", base+"list/?name=A", "")
	do(s, "GET", base+"nothing/", "")
	want := []sandbox.Request{
		{Method: "POST", Path: base + "list/", Status: 400, Rows: 2, Committed: 1},
		{Method: "GET", Path: base + "list/", Status: 200, Rows: 1},
		{Method: "GET", Path: base + "nothing/", Status: 404},
	}
	if diff := compare(want, log); diff != "" {
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

func TestConcurrentBulkWrites(t *testing.T) {
	s := open(t, sandbox.Options{})
	const writers, chunks, rows = 4, 5, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for c := range chunks {
				var items []string
				for i := range rows {
					items = append(items, person("A", fmt.Sprintf(`,"custom_id":"%d-%d-%d"`, w, c, i)))
				}
				if r := do(s, "POST", base+"list/", bulk(items...)); r.status != http.StatusCreated {
					t.Errorf("status %d: %s", r.status, r.body)
				}
				do(s, "GET", base+"list/?_page=1&_page_size=10", "")
			}
		})
	}
	wg.Wait()
	ids, keys, times := map[any]bool{}, map[any]bool{}, map[any]bool{}
	for _, o := range do(s, "GET", base+"list/", "").array(t) {
		ids[o["id"]], keys[o["custom_id"]], times[o["created_at"]] = true, true, true
	}
	const all = writers * chunks * rows
	if len(ids) != all || len(keys) != all || len(times) != all {
		t.Errorf("%d ids, %d keys, %d times, want %d of each", len(ids), len(keys), len(times), all)
	}
}

func TestUniqueKey(t *testing.T) {
	s := open(t, sandbox.Options{UniqueKey: true, Tenants: []string{"other"}})
	a, b := person("A", `,"custom_id":"1"`), person("B", `,"custom_id":"2"`)
	wantStatus(t, do(s, "POST", base+"list/", bulk(a, b, person("C", ""), person("D", ""))), 201)
	r := do(s, "POST", base+"list/", bulk(person("E", `,"custom_id":"3"`), person("F", `,"custom_id":"3"`), a))
	if diff := compareJSON(`[{},{"custom_id":["This field must be unique."]},{"custom_id":["This field must be unique."]}]`, r.body); diff != "" {
		t.Error(diff)
	}
	id := do(s, "GET", base+"list/?name=B", "").array(t)[0]["id"].(string)
	wantStatus(t, do(s, "PATCH", base+id+"/", `{"custom_id":"2"}`), 200)
	wantStatus(t, do(s, "PATCH", base+id+"/", `{"custom_id":"1"}`), 400)
	other := request("POST", base, a)
	other.Header.Set("X-PIGELLO-CUSTOMER-ID", "other")
	wantStatus(t, serve(s, other), 201)
}

func TestAnotherResourceIsOnlyADescriptor(t *testing.T) {
	one, ten := 1.0, 10.0
	r := &mappings.Resource{
		Name: "lease", Application: "market", Path: "/market/lease/", Key: "number",
		Parameters: []string{"_page", "_page_size", "_order_by"},
		Fields: []mappings.Field{
			{Name: "id", Type: "uuid", ReadOnly: true, Filters: "reference"},
			{Name: "number", Type: "integer", Required: true, Unique: true, Minimum: &one, Maximum: &ten, Filters: "time"},
			{Name: "rent", Type: "number", Nullable: true, Filters: "time"},
			{Name: "from", Type: "date", Nullable: true, Filters: "time"},
			{Name: "signed_at", Type: "date-time", Nullable: true, Filters: "time"},
			{Name: "active", Type: "boolean", Nullable: true, Filters: "reference"},
			{Name: "tenants", Type: "references", Nullable: true, Filters: "reference"},
			{Name: "notes", Type: "any", Nullable: true},
			{Name: "state", Type: "string", Nullable: true, Enum: []string{"open", "closed"}, Filters: "text"},
		},
	}
	s := open(t, sandbox.Options{Resources: []*mappings.Resource{r}})
	const path = "/market/lease/"
	body := `{"number":"2","rent":10.50,"from":"2026-01-31","signed_at":"2026-01-31T13:00:00+01:00","active":true,"tenants":["` + client + `",{"id":"` + client + `"}],"notes":{"a":[1]},"state":"open"}`
	got := do(s, "POST", path, body)
	wantStatus(t, got, 201)
	o := got.object(t)
	delete(o, "id")
	ref := map[string]any{"id": client}
	want := map[string]any{"number": 2.0, "rent": 10.5, "from": "2026-01-31", "signed_at": "2026-01-31T12:00:00.000000Z",
		"active": true, "tenants": []any{ref, ref}, "notes": map[string]any{"a": []any{1.0}}, "state": "open"}
	if diff := compare(want, o); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, do(s, "POST", path, `{"number":3}`), 201)
	for query, want := range map[string]string{
		"number=2": "2", "number__gt=2": "3", "rent__lte=10.5": "2", "from__lt=2026-02-01": "2", "signed_at=2026-01-31T12:00:00Z": "2",
		"active=true": "2", "active!=true": "3", "tenants=" + client: "2", "tenants__in!=" + client: "3", "state__in=open,closed": "2", "_order_by=-number": "3 2",
		"rent__isnull=true": "3",
	} {
		if got := do(s, "GET", path+"list/?"+query, "").names(t, "number"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"number":2}`:                 `{"number":["This field must be unique."]}`,
		`{"number":11}`:                `{"number":["Ensure this value is less than or equal to 10."]}`,
		`{"number":1.5}`:               `{"number":["A valid integer is required."]}`,
		`{"number":4,"rent":"x"}`:      `{"rent":["A valid number is required."]}`,
		`{"number":4,"from":"31/1"}`:   `{"from":["Date has wrong format. Use YYYY-MM-DD."]}`,
		`{"number":4,"signed_at":"x"}`: `{"signed_at":["Datetime has wrong format. Use RFC 3339."]}`,
		`{"number":4,"active":1}`:      `{"active":["Must be a valid boolean."]}`,
		`{"number":4,"tenants":[{}]}`:  `{"tenants":["Must be a valid UUID."]}`,
		`{"number":4,"tenants":{}}`:    `{"tenants":["Expected a list of items."]}`,
		`{"number":4,"state":"x"}`:     `{"state":["Not a valid choice."]}`,
	} {
		r := do(s, "POST", path, body)
		wantStatus(t, r, 400)
		if diff := compareJSON(want, r.body); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
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
