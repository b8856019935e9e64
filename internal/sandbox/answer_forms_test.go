package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"flytt/internal/sandbox"
)

// ids of answers and times are not compared.
var (
	anyID   = regexp.MustCompile(`"id":"[0-9a-f-]{36}"`)
	anyData = regexp.MustCompile(`\{"id":"ID","name":"([^"]*)","external_client":[^}]*\}[^}]*\}`)
)

// outline replaces each record of an answer by its name, and each other id by ID.
func outline(body string) string {
	body = strings.ReplaceAll(body, `{"id":"`+client+`"}`, `{}`)
	return anyData.ReplaceAllString(anyID.ReplaceAllString(body, `"id":"ID"`), `"$1"`)
}

// mixed are two good items around two bad ones, the second of which has no key.
var mixed = bulk(person("A", `,"custom_id":"K0"`), person("B", `,"custom_id":"K1","email":"b","ssn":"198501022390"`), person("C", `,"zip":1`), person("D", `,"custom_id":"K3"`))

const (
	badB   = `{"ssn":["Invalid luhn."],"email":["Enter a valid email address."]}`
	badC   = `{"zip":["Unknown field."]}`
	listB  = `"field":"ssn","message":"Invalid luhn."}`
	listB2 = `"field":"email","message":"Enter a valid email address."}`
	listC  = `"field":"zip","message":"Unknown field."}`
)

func TestItemErrors(t *testing.T) {
	for _, c := range []struct {
		items  sandbox.ItemErrors
		order  sandbox.AnswerOrder
		index  sandbox.ErrorIndex
		status int
		want   string
		stored string
	}{
		{sandbox.InRefusal, sandbox.InOrder, sandbox.FromZero, 400, `[{},` + badB + `,` + badC + `,{}]`, ""},
		{sandbox.MultiStatus, sandbox.InOrder, sandbox.FromZero, 207,
			`[{"status":201,"data":"A"},{"status":400,"error":` + badB + `},{"status":400,"error":` + badC + `},{"status":201,"data":"D"}]`, "A D"},
		{sandbox.MultiStatus, sandbox.Reversed, sandbox.FromOne, 207,
			`[{"status":201,"data":"D","index":4,"custom_id":"K3"},{"status":400,"error":` + badC + `,"index":3},` +
				`{"status":400,"error":` + badB + `,"index":2,"custom_id":"K1"},{"status":201,"data":"A","index":1,"custom_id":"K0"}]`, "A D"},
		{sandbox.MixedArray, sandbox.InOrder, sandbox.FromZero, 200,
			`["A",{"errors":` + badB + `,"index":1,"custom_id":"K1"},{"errors":` + badC + `,"index":2},"D"]`, "A D"},
		{sandbox.MixedArray, sandbox.Reversed, sandbox.FromOne, 200,
			`["D",{"errors":` + badC + `,"index":3},{"errors":` + badB + `,"index":2,"custom_id":"K1"},"A"]`, "A D"},
		{sandbox.SuccessFlag, sandbox.Reversed, sandbox.FromZero, 200,
			`{"success":false,"errors":[{"index":1,` + listB + `,{"index":1,` + listB2 + `,{"index":2,` + listC + `]}`, ""},
		{sandbox.SuccessFlag, sandbox.InOrder, sandbox.FromOne, 200,
			`{"success":false,"errors":[{"index":2,` + listB + `,{"index":2,` + listB2 + `,{"index":3,` + listC + `]}`, ""},
		{sandbox.ItemList, sandbox.InOrder, sandbox.FromZero, 200,
			`{"errors":true,"items":[{"id":"ID","data":"A","status":201},{"error":` + badB + `,"status":400},{"error":` + badC + `,"status":400},{"id":"ID","data":"D","status":201}]}`, "A D"},
		{sandbox.ItemList, sandbox.Reversed, sandbox.FromZero, 200,
			`{"errors":true,"items":[{"id":"ID","data":"D","status":201,"index":3,"custom_id":"K3"},{"error":` + badC + `,"status":400,"index":2},` +
				`{"error":` + badB + `,"status":400,"index":1,"custom_id":"K1"},{"id":"ID","data":"A","status":201,"index":0,"custom_id":"K0"}]}`, "A D"},
	} {
		for _, unique := range []bool{false, true} { // the two ways of storing
			for _, atomicity := range []sandbox.Atomicity{sandbox.All, sandbox.Partial} {
				if c.items == sandbox.InRefusal && atomicity == sandbox.Partial {
					continue
				}
				w := wired(t, sandbox.Options{UniqueKey: unique, Atomicity: atomicity, AnswerOrder: c.order,
					Answers: sandbox.Answers{Items: c.items, Index: c.index}})
				r := w.must("POST", base+"list/", mixed)
				wantStatus(t, r, c.status)
				if diff := compareJSON(c.want, outline(r.body)); diff != "" {
					t.Errorf("%s, %s: %s", c.items, c.order, diff)
				}
				if got := w.stored(); got != c.stored {
					t.Errorf("%s with bulk %s: stored %q, want %q", c.items, atomicity, got, c.stored)
				}
				if committed := w.log.Committed(); committed != len(strings.Fields(c.stored)) {
					t.Errorf("%s: %d rows logged as committed", c.items, committed)
				}
			}
		}
	}
}

func TestItemErrorsWithoutABadItem(t *testing.T) {
	for items, want := range map[sandbox.ItemErrors]struct {
		status int
		body   string
	}{
		sandbox.InRefusal:   {201, `["A","B","C"]`},
		sandbox.MultiStatus: {207, `[{"status":201,"data":"A"},{"status":201,"data":"B"},{"status":201,"data":"C"}]`},
		sandbox.MixedArray:  {200, `["A","B","C"]`},
		sandbox.SuccessFlag: {200, `{"success":true,"data":["A","B","C"]}`},
		sandbox.ItemList:    {200, `{"errors":false,"items":[{"id":"ID","data":"A","status":201},{"id":"ID","data":"B","status":201},{"id":"ID","data":"C","status":201}]}`},
	} {
		w := wired(t, sandbox.Options{Answers: sandbox.Answers{Items: items}})
		r := w.must("POST", base+"list/", three)
		wantStatus(t, r, want.status)
		if diff := compareJSON(want.body, outline(r.body)); diff != "" {
			t.Errorf("%s: %s", items, diff)
		}
		empty := w.must("POST", base+"list/", "[]")
		wantStatus(t, empty, want.status)
		if !json.Valid([]byte(empty.body)) || w.stored() != "A B C" {
			t.Errorf("%s: no items at all are answered %s", items, empty.body)
		}
		// What concerns no item is refused as ever, and so is a single record.
		wantStatus(t, w.must("POST", base+"list/", "{}"), http.StatusBadRequest)
		wantStatus(t, w.must("POST", base, "{}"), http.StatusBadRequest)
	}
}

// TestItemErrorsOfUpdates has an update, one of a row that is not there, and a
// key that is taken.
func TestItemErrorsOfUpdates(t *testing.T) {
	w := wired(t, sandbox.Options{UniqueKey: true, Answers: sandbox.Answers{Items: sandbox.MultiStatus, Bulk: sandbox.RowIDs},
		Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("custom_id:lower")}})
	id := w.must("POST", base, person("A", `,"custom_id":"K1"`)).object(t)["id"].(string)
	r := w.must("POST", base+"list/", bulk(`{"id":"`+id+`","name":"A2"}`, `{"id":"`+client+`","name":"X"}`, person("B", `,"custom_id":"K1"`), person("C", `,"custom_id":"K2"`)))
	wantStatus(t, r, http.StatusMultiStatus)
	want := `[{"status":200,"data":{"id":"ID"}},{"status":404,"error":{"id":["Not found."]}},` +
		`{"status":400,"error":{"custom_id":["This field must be unique."]}},{"status":201,"data":{"id":"ID"}}]`
	if diff := compareJSON(want, outline(r.body)); diff != "" {
		t.Error(diff)
	}
	if got := do(w.Sandbox, "GET", base+"list/", ""); got.names(t, "name")+" "+got.names(t, "custom_id") != "A2 C k1 k2" {
		t.Errorf("stored %s", got.body)
	}
}

func TestErrorIndexAndLines(t *testing.T) {
	for _, c := range []struct {
		shape sandbox.ErrorShape
		index sandbox.ErrorIndex
		want  string
	}{
		{sandbox.IndexedErrors, sandbox.FromZero, `{"1":` + badB + `,"2":` + badC + `}`},
		{sandbox.IndexedErrors, sandbox.FromOne, `{"2":` + badB + `,"3":` + badC + `}`},
		{sandbox.ListedErrors, sandbox.FromOne, `{"errors":[{"index":2,` + listB + `,{"index":2,` + listB2 + `,{"index":3,` + listC + `]}`},
		{sandbox.KeyedErrors, sandbox.FromOne, `{"errors":[{"custom_id":"K1",` + listB + `,{"custom_id":"K1",` + listB2 + `,{"index":3,` + listC + `]}`},
		{sandbox.LineErrors, sandbox.FromZero, `{"errors":[{"line":2,` + listB + `,{"line":2,` + listB2 + `,{"line":3,` + listC + `]}`},
		{sandbox.LineErrors, sandbox.FromOne, `{"errors":[{"line":2,` + listB + `,{"line":2,` + listB2 + `,{"line":3,` + listC + `]}`},
		{sandbox.AlignedErrors, sandbox.FromOne, `[{},` + badB + `,` + badC + `,{}]`},
	} {
		w := wired(t, sandbox.Options{Errors: c.shape, Answers: sandbox.Answers{Index: c.index}})
		r := w.must("POST", base+"list/", mixed)
		wantStatus(t, r, http.StatusBadRequest)
		if diff := compareJSON(c.want, r.body); diff != "" {
			t.Errorf("%s from %s: %s", c.shape, c.index, diff)
		}
	}
	single := do(open(t, sandbox.Options{Errors: sandbox.LineErrors}), "POST", base, person("C", `,"zip":1`))
	if diff := compareJSON(`{"errors":[{`+listC+`]}`, single.body); diff != "" {
		t.Error(diff)
	}
}

func TestBulkAnswersIDs(t *testing.T) {
	for order, want := range map[sandbox.AnswerOrder]string{sandbox.InOrder: "A B C", sandbox.Reversed: "C B A", sandbox.Shuffled: "B A C"} {
		w := wired(t, sandbox.Options{AnswerOrder: order, FaultSeed: 7, Answers: sandbox.Answers{Bulk: sandbox.RowIDs}})
		r := w.must("POST", base+"list/", three)
		wantStatus(t, r, http.StatusCreated)
		var names []string
		for _, o := range r.array(t) {
			if len(o) != 1 {
				t.Errorf("answered %v", o)
			}
			names = append(names, w.must("GET", base+o["id"].(string)+"/", "").object(t)["name"].(string))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: ids of %s, want %s", order, got, want)
		}
		if created := w.must("POST", base, person("D", "")); created.object(t)["name"] != "D" {
			t.Errorf("a single record is answered %s", created.body)
		}
	}
}

func TestPatchAnswers(t *testing.T) {
	change := `{"name":"Bo","title":"Chef","email":"B@example.com","first_name":null,"organization":"` + client + `"}`
	for answer, want := range map[sandbox.PatchAnswer]string{
		sandbox.WholeRecord: "",
		sandbox.IDOnly:      `{"id":%q}`,
		sandbox.ChangedOnly: `{"id":%q,"name":"Bo","email":"b@example.com","organization":"` + client + `"}`,
	} {
		w := wired(t, sandbox.Options{Relations: sandbox.BareID, Answers: sandbox.Answers{Patch: answer},
			Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("email:lower")}})
		created := w.must("POST", base, person("A", ""))
		if len(created.object(t)) < 10 {
			t.Errorf("%s: create answers %s", answer, created.body)
		}
		id := created.object(t)["id"].(string)
		r := w.must("PATCH", base+id+"/", change)
		wantStatus(t, r, http.StatusOK)
		got := w.must("GET", base+id+"/", "")
		if want == "" {
			want = got.body
		} else {
			want = fmt.Sprintf(want, id)
		}
		if diff := compareJSON(want, r.body); diff != "" {
			t.Errorf("%s: %s", answer, diff)
		}
		if o := got.object(t); o["name"] != "Bo" || o["email"] != "b@example.com" || o["organization"] != client {
			t.Errorf("%s: stored %s", answer, got.body)
		}
		// Nothing changes, and nothing that is refused is answered in another form.
		r = w.must("PATCH", base+id+"/", change)
		if wantStatus(t, r, http.StatusOK); answer == sandbox.ChangedOnly && r.body != `{"id":"`+id+`"}` {
			t.Errorf("nothing changed, and answered is %s", r.body)
		}
		wantStatus(t, w.must("PATCH", base+id+"/", `{"name":null}`), http.StatusBadRequest)
		wantStatus(t, w.must("PATCH", base+client+"/", change), http.StatusNotFound)
	}
}

func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	w := wired(t, sandbox.Options{Answers: sandbox.Answers{BOM: true}}, "list:4:wrong-count=+1", "list:5:truncate=10", "list:6:503", "list:7:429=1")
	created := w.must("POST", base, person("A", ""))
	wantStatus(t, created, http.StatusCreated)
	id := reply{body: strings.TrimPrefix(created.body, mark)}.object(t)["id"].(string)
	for _, r := range []reply{
		created, w.must("POST", base+"list/", three), w.must("POST", base+"list/", mixed), w.must("PATCH", base+id+"/", "{}"), w.must("GET", base+id+"/", ""),
		w.must("GET", base+"list/", ""), w.must("GET", base+"list/?_jsonl=1", ""), w.must("GET", base+"nothing/", ""), w.must("GET", "/openapi.json", ""),
	} {
		text, marked := strings.CutPrefix(r.body, mark)
		if !marked || strings.Contains(text, mark) || text == "" {
			t.Errorf("status %d: %.80q", r.status, r.body)
		}
	}
	if r := w.must("DELETE", base+id+"/", ""); r.status != http.StatusNoContent || r.body != "" {
		t.Errorf("status %d, body %q", r.status, r.body)
	}
	if r := w.must("GET", base+"list/?_jsonl=1&name=nobody", ""); r.body != "" {
		t.Errorf("no rows are %q", r.body)
	}
	r := w.must("GET", base+"list/", "")
	if got := (reply{body: strings.TrimPrefix(r.body, mark)}).names(t, "name"); got != "A B C C" {
		t.Errorf("with a row too many: %s", got)
	}
	if r, err := w.try("GET", base+"list/", ""); err == nil || !strings.HasPrefix(r.body, mark+"[") || len(r.body) > 13 {
		t.Errorf("cut after 10 bytes: %q, %v", r.body, err)
	}
	if r := w.must("GET", base+"list/", ""); strings.HasPrefix(r.body, mark) {
		t.Error("a page begins with the mark")
	}
	if r := w.must("GET", base+"list/", ""); !strings.HasPrefix(r.body, mark+`{"detail"`) {
		t.Errorf("a fault's answer: %q", r.body)
	}
}

func TestAnswerFaultsStrikeSomeRequests(t *testing.T) {
	w := wired(t, sandbox.Options{}, "bulk:1:item-errors", "bulk:2:item-errors=success-false", "bulk:2:error-index=1", "bulk:3:bulk-answer", "patch:1:patch-answer=changed", "patch:2:patch-answer", "record:1:bom")
	wantStatus(t, w.must("POST", base+"list/", mixed), http.StatusMultiStatus)
	if r := w.must("POST", base+"list/", mixed); r.status != 200 || !strings.HasPrefix(r.body, `{"success":false,"errors":[{"index":2,`) {
		t.Errorf("status %d: %s", r.status, r.body)
	}
	r := w.must("POST", base+"list/", three)
	if got := outline(r.body); r.status != 201 || got != `[{"id":"ID"},{"id":"ID"},{"id":"ID"}]` {
		t.Errorf("status %d: %s", r.status, got)
	}
	wantStatus(t, w.must("POST", base+"list/", mixed), http.StatusBadRequest)
	path := base + r.array(t)[0]["id"].(string) + "/"
	var patched []string
	for i := range 3 {
		o := w.must("PATCH", path, fmt.Sprintf(`{"name":"N%d"}`, i)).object(t)
		patched = append(patched, fmt.Sprint(len(o), " ", o["name"]))
	}
	if diff := compare([]string{"2 N0", "1 <nil>", "16 N2"}, patched); diff != "" {
		t.Error(diff)
	}
	if first, second := w.must("GET", path, "").body, w.must("GET", path, "").body; first != "\ufeff"+second {
		t.Errorf("%q, then %q", first, second)
	}
}

// TestFormsOfAnswersAreDescribed looks for each form in the description of the
// sandbox that answers so.
func TestFormsOfAnswersAreDescribed(t *testing.T) {
	const bulkWrite, update = "#/paths/~1organization~1externalclientcontactperson~1list~1/post/responses/", "#/paths/~1organization~1externalclientcontactperson~1{pk}~1/patch/responses/200/content/application~1json/schema"
	for _, c := range []struct {
		o           sandbox.Options
		place, want string
	}{
		{sandbox.Options{}, bulkWrite + "201/content/application~1json/schema/type", "array"},
		{sandbox.Options{Answers: sandbox.Answers{Bulk: sandbox.RowIDs}}, bulkWrite + "201/content/application~1json/schema/items/$ref", "#/components/schemas/slim"},
		{sandbox.Options{Answers: sandbox.Answers{Items: sandbox.MultiStatus}}, bulkWrite + "207/content/application~1json/schema/items/properties/status/type", "integer"},
		{sandbox.Options{Answers: sandbox.Answers{Items: sandbox.MixedArray}}, bulkWrite + "200/content/application~1json/schema/type", "array"},
		{sandbox.Options{Answers: sandbox.Answers{Items: sandbox.SuccessFlag}}, bulkWrite + "200/content/application~1json/schema/properties/success/type", "boolean"},
		{sandbox.Options{Answers: sandbox.Answers{Items: sandbox.ItemList}}, bulkWrite + "200/content/application~1json/schema/properties/items/type", "array"},
		{sandbox.Options{Answers: sandbox.Answers{Patch: sandbox.IDOnly}}, update + "/$ref", "#/components/schemas/slim"},
		{sandbox.Options{Answers: sandbox.Answers{Patch: sandbox.ChangedOnly}}, update + "/$ref", "#/components/schemas/externalclientcontactperson-change"},
		{sandbox.Options{Locks: sandbox.Locks{Conflicts: sandbox.Conflict409}}, bulkWrite + "409/content/application~1json/schema/$ref", "#/components/schemas/detail"},
	} {
		_, doc := described(t, open(t, c.o))
		if got := lookup(doc, c.place); got != c.want {
			t.Errorf("%s: %v, want %s", c.place, got, c.want)
		}
		walk(doc, func(o map[string]any) {
			if ref, ok := o["$ref"].(string); ok && lookup(doc, ref) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
		})
	}
}
