package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"flytt/internal/sandbox"
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
	if diff := compareJSON(`[{},{"id":["This id appears twice."]},{"id":["Not found."]}]`, r.body); diff != "" {
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

func TestTomorrowIsInTheFutureUntilMidnight(t *testing.T) {
	now := noon
	s := open(t, sandbox.Options{Now: func() time.Time { return now }})
	body := person("A", `,"ssn":"202603022399"`)
	wantStatus(t, do(s, "POST", base, body), http.StatusBadRequest)
	now = now.Add(24 * time.Hour)
	wantStatus(t, do(s, "POST", base, body), http.StatusCreated)
}
