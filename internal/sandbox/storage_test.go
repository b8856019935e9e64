package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

// storingOtherwise returns a sandbox that stores fields in another form.
func storingOtherwise(t testing.TB, rewrites ...string) *sandbox.Sandbox {
	t.Helper()
	return open(t, sandbox.Options{UniqueKey: true, Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites(rewrites...)}})
}

// quote renders a text as JSON.
func quote(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

// rewriteCases are the rewritings, each with a text and the form in which it is
// stored.
var rewriteCases = []struct{ field, what, sent, stored string }{
	{"custom_id", "collapse", "A  1\u00a0\t2", "A 1 2"},
	{"custom_id", "collapse", " A  1  ", " A 1  "},
	{"custom_id", "collapse", "   ", "   "},
	{"custom_id", "trim", " A  1 ", "A  1"},
	{"custom_id", "nfc", "A\u030a-1", "\u00c5-1"},
	{"custom_id", "nfkc", "\ufb01-\u2460", "fi-1"},
	{"email", "lower", "Bo.Berg@Example.COM", "bo.berg@example.com"},
	{"custom_id", "upper", "åö-k1", "ÅÖ-K1"},
	{"name", "escape", `<Bo & "Eva's">`, "&lt;Bo &amp; &#34;Eva&#39;s&#34;&gt;"},
	{"custom_id", "strip-zeros", "00120", "120"},
	{"custom_id", "strip-zeros", "000", "0"},
	{"custom_id", "strip-dashes", "K-1-2", "K12"},
	{"ssn", "strip-dashes", "19850102-2399", "198501022399"},
	{"custom_id", "truncate=3", "åäö12", "åäö"},
	{"custom_id", "truncate=3", "åä", "åä"},
	{"custom_id", "prefix=OLD:=", "K1", "OLD:=K1"},
	{"phone_number", "phone-national", "+46701740605", "0701740605"},
	{"phone_number", "phone-national", "0701740605", "0701740605"},
	{"phone_number", "phone-bare", "+46701740605", "46701740605"},
	{"phone_number", "phone-bare", "46701740605", "46701740605"},
}

func TestRewrites(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range rewriteCases {
		name, _, _ := strings.Cut(c.what, "=")
		tried[name] = true
		t.Run(c.what, func(t *testing.T) {
			w := wired(t, sandbox.Options{Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites(c.field + ":" + c.what)}})
			item := person("Bo Berg", fmt.Sprintf(`,%q:%s`, c.field, quote(c.sent)))
			if c.field == "name" {
				item = strings.Replace(person("Bo Berg", ""), `"Bo Berg"`, quote(c.sent), 1)
			}
			r := w.must("POST", base+"list/", bulk(item))
			wantStatus(t, r, http.StatusCreated)
			created := r.array(t)[0]
			if created[c.field] != c.stored {
				t.Errorf("answered %q, want %q", created[c.field], c.stored)
			}
			path := base + created["id"].(string) + "/"
			if got := w.must("GET", path, "").object(t); got[c.field] != c.stored {
				t.Errorf("got %q, want %q", got[c.field], c.stored)
			}
			if list := w.must("GET", base+"list/", ""); list.body != r.body {
				t.Errorf("the list differs from the answer: %s", list.body)
			}
			find := func(text string) int {
				return len(w.must("GET", base+"list/?"+url.Values{c.field: {text}}.Encode(), "").array(t))
			}
			if find(c.stored) != 1 || c.sent != c.stored && find(c.sent) != 0 {
				t.Error("a filter does not compare with the stored form")
			}
			changed := w.must("PATCH", path, fmt.Sprintf(`{%q:%s}`, c.field, quote(c.sent)))
			wantStatus(t, changed, http.StatusOK)
			if got := changed.object(t)[c.field]; got != c.stored {
				t.Errorf("changed to %q, want %q", got, c.stored)
			}
			// Another field: what is stored is neither refused nor rewritten again.
			changed = w.must("PATCH", path, `{"title":"Jurist"}`)
			wantStatus(t, changed, http.StatusOK)
			if got := changed.object(t)[c.field]; got != c.stored {
				t.Errorf("changed to %q by another field, want %q", got, c.stored)
			}
		})
	}
	for line := range strings.Lines(sandbox.RewriteHelp()) {
		name, _, _ := strings.Cut(strings.Fields(line)[0], "=")
		if !tried[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

// TestStoredFormsAreNotValidated stores forms that the rules would refuse, and
// then changes another field, by PATCH and in bulk.
func TestStoredFormsAreNotValidated(t *testing.T) {
	s := storingOtherwise(t, "phone_number:prefix=tel ", "email:truncate=3", "name:strip-dashes", "ssn:truncate=4", "title:prefix="+strings.Repeat("x", 300))
	r := do(s, "POST", base, person("---", `,"phone_number":"+46701740605","email":"bo@example.com","ssn":"198501022399"`))
	wantStatus(t, r, http.StatusCreated)
	o := r.object(t)
	if o["phone_number"] != "tel +46701740605" || o["email"] != "bo@" || o["name"] != "" || o["ssn"] != "1985" {
		t.Errorf("stored %s", r.body)
	}
	id := o["id"].(string)
	wantStatus(t, do(s, "PATCH", base+id+"/", `{"first_name":"Bo"}`), http.StatusOK)
	wantStatus(t, do(s, "POST", base+"list/", bulk(`{"id":"`+id+`","last_name":"Berg"}`)), http.StatusCreated)
	got := do(s, "GET", base+id+"/", "").object(t)
	o["first_name"], o["last_name"] = "Bo", "Berg"
	if diff := compare(o, got); diff != "" {
		t.Error(diff)
	}
	// What is sent is still held to the rules, in its own form.
	r = do(s, "PATCH", base+id+"/", `{"phone_number":"tel +46701740605","name":""}`)
	wantStatus(t, r, http.StatusBadRequest)
	if f := r.object(t); f["phone_number"] == nil || f["name"] == nil || len(f) != 2 {
		t.Errorf("refused with %s", r.body)
	}
}

// TestRulesBetweenFieldsHoldForWhatIsSent has a stored value that a change of
// another field breaks the rules of.
func TestRulesBetweenFieldsHoldForWhatIsSent(t *testing.T) {
	r := &mappings.Resource{
		Name: "key", Application: "a", Path: "/a/key/", Fields: []mappings.Field{
			{Name: "id", Type: "uuid", ReadOnly: true, Unique: true},
			{Name: "number", Type: "string", Nullable: true, MinLength: 2, Requires: []string{"lock"}},
			{Name: "lock", Type: "string", Nullable: true},
			{Name: "note", Type: "string", Nullable: true},
		},
	}
	s := open(t, sandbox.Options{Resources: []*mappings.Resource{r}, Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("number:truncate=1")}})
	created := do(s, "POST", "/a/key/", `{"number":"12","lock":"L"}`)
	wantStatus(t, created, http.StatusCreated)
	path := "/a/key/" + created.object(t)["id"].(string) + "/"
	wantStatus(t, do(s, "PATCH", path, `{"note":"x"}`), http.StatusOK)
	refused := do(s, "PATCH", path, `{"lock":null}`)
	wantStatus(t, refused, http.StatusBadRequest)
	if diff := compareJSON(`{"number":["This value requires the following fields: lock."]}`, refused.body); diff != "" {
		t.Error(diff)
	}
}

func TestRewritesApplyInTheirOrder(t *testing.T) {
	for want, order := range map[string][]string{
		"ab-": {"custom_id:strip-zeros", "custom_id:truncate=3", "custom_id:lower"},
		"ab":  {"custom_id:truncate=4", "custom_id:lower", "custom_id:strip-zeros", "custom_id:strip-dashes"},
	} {
		s := storingOtherwise(t, order...)
		if got := do(s, "POST", base, person("A", `,"custom_id":"0AB-12"`)).object(t)["custom_id"]; got != want {
			t.Errorf("%s: stored %q, want %q", order, got, want)
		}
	}
}

func TestUniqueKeyIsThatOfTheStoredForm(t *testing.T) {
	const taken = `{"custom_id":["This field must be unique."]}`
	s := storingOtherwise(t, "custom_id:upper", "custom_id:truncate=2")
	r := do(s, "POST", base+"list/", bulk(person("A", `,"custom_id":"ab1"`), person("B", `,"custom_id":"AB2"`), person("C", `,"custom_id":"x"`)))
	wantStatus(t, r, http.StatusBadRequest)
	if diff := compareJSON(`[{},`+taken+`,{}]`, r.body); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, do(s, "POST", base+"list/", bulk(person("A", `,"custom_id":"ab1"`), person("C", `,"custom_id":"x"`))), http.StatusCreated)
	wantStatus(t, do(s, "POST", base, person("D", `,"custom_id":"aB9"`)), http.StatusBadRequest)
	id := do(s, "GET", base+"list/?custom_id=X", "").array(t)[0]["id"].(string)
	r = do(s, "PATCH", base+id+"/", `{"custom_id":"ab"}`)
	wantStatus(t, r, http.StatusBadRequest)
	if diff := compareJSON(taken, r.body); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, do(s, "PATCH", base+id+"/", `{"custom_id":"xyz"}`), http.StatusOK)
	if got := do(s, "GET", base+"list/", "").names(t, "custom_id"); got != "AB XY" {
		t.Errorf("stored %s", got)
	}
}

func TestFill(t *testing.T) {
	s := open(t, sandbox.Options{Storage: sandbox.Storage{
		Fill:     []string{"first_name", "last_name", "email", "phone_number", "custom_id"},
		Rewrites: sandbox.MustParseRewrites("last_name:upper", "email:lower", "email:prefix=X-"),
	}})
	r := do(s, "POST", base+"list/", bulk(
		person("Åsa Maria Öberg", ""), person("Bo", `,"first_name":"","last_name":null,"custom_id":"K1"`), person("Eva Ek", `,"first_name":"Eva-Lisa"`)))
	wantStatus(t, r, http.StatusCreated)
	if got := r.names(t, "first_name") + " " + r.names(t, "last_name"); got != "Åsa Bo Eva-Lisa ÖBERG BO EK" {
		t.Errorf("filled %s", got)
	}
	again := do(s, "POST", base, person("Åsa Maria Öberg", "")).object(t)
	for _, field := range []string{"email", "phone_number", "custom_id"} {
		first := r.array(t)[0][field]
		if first == nil || first == "" || again[field] != first {
			t.Errorf("%s: filled %v, and the same row with %v", field, first, again[field])
		}
	}
	if email := again["email"].(string); !strings.HasPrefix(email, "X-asa.oberg.") {
		t.Errorf("email %s is not of the row's name, or not rewritten", email)
	}
	if got := r.array(t)[1]["custom_id"]; got != "K1" {
		t.Errorf("a key that was sent became %v", got)
	}
	if list := do(s, "GET", base+"list/?last_name=%C3%96BERG", "").array(t); len(list) != 2 {
		t.Errorf("%d rows are found by what was filled in", len(list))
	}
	// An update empties what it says.
	changed := do(s, "PATCH", base+again["id"].(string)+"/", `{"first_name":null}`)
	wantStatus(t, changed, http.StatusOK)
	if o := changed.object(t); o["first_name"] != nil || o["last_name"] != "ÖBERG" {
		t.Errorf("after an update %s", changed.body)
	}
}

func TestStorageFaultsStrikeSomeRequests(t *testing.T) {
	w := wired(t, sandbox.Options{}, "bulk:2:rewrite=custom_id:upper", "bulk:2-:rewrite=custom_id:prefix=x=", "patch:*:rewrite=name:truncate=1", "bulk:3:fill=first_name,last_name")
	for i := range 4 {
		wantStatus(t, w.must("POST", base+"list/", bulk(person("Bo Ek", fmt.Sprintf(`,"custom_id":"k%d"`, i+1)))), http.StatusCreated)
	}
	list := w.must("GET", base+"list/", "")
	if got := list.names(t, "custom_id"); got != "k1 x=K2 x=k3 x=k4" {
		t.Errorf("stored %s", got)
	}
	if got := list.names(t, "first_name") + " " + list.names(t, "last_name"); got != "<nil> <nil> Bo <nil> <nil> <nil> Ek <nil>" {
		t.Errorf("filled %s", got)
	}
	path := base + list.array(t)[0]["id"].(string) + "/"
	if got := w.must("PATCH", path, `{"name":"Eva","custom_id":"k5"}`).object(t); got["name"] != "E" || got["custom_id"] != "k5" {
		t.Errorf("changed to %v", got)
	}
}

func TestSeededRowsAreStoredInTheSameForm(t *testing.T) {
	s := storingOtherwise(t, "custom_id:lower", "custom_id:prefix=x-")
	seed(t, s, contacts, 20, 1)
	for _, o := range do(s, "GET", base+"list/?custom_id__isnull=false", "").array(t) {
		if key := o["custom_id"].(string); !strings.HasPrefix(key, "x-k") {
			t.Errorf("key %s", key)
		}
	}
}

func TestRewritesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "not of the form FIELD:WHAT",
		"custom_id":               "not of the form FIELD:WHAT",
		":upper":                  "not of the form FIELD:WHAT",
		"custom_id:":              "not of the form FIELD:WHAT",
		"custom_id:uper":          "did you mean upper?",
		"custom_id:strip-zeroes":  "did you mean strip-zeros?",
		"custom_id:xyzzy":         "use collapse, trim,",
		"custom_id:upper=1":       "upper takes no argument",
		"custom_id:truncate":      "truncate needs an argument: truncate=N",
		"custom_id:truncate=0":    "truncate=N: not a whole number from 1",
		"custom_id:prefix=":       "prefix needs an argument: prefix=TEXT",
		"custom_id:prefix=\xff":   "prefix=TEXT: not a text in UTF-8",
		"custom_id:prefix=a\x00b": "prefix=TEXT: not a text in UTF-8",
	} {
		if _, err := sandbox.ParseRewrite(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if _, err := sandbox.ParseFault("bulk:3:rewrite=" + text); err == nil {
			t.Errorf("%q was taken as a fault", text)
		}
	}
}

func TestUnknownTextFieldsAreNamed(t *testing.T) {
	for _, o := range []sandbox.Options{
		{Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("custom_idd:upper")}},
		{Storage: sandbox.Storage{Fill: []string{"first_name", "custom_ud"}}},
		{Faults: sandbox.MustParseFaults("bulk:1:rewrite=custom-id:upper")},
		{Faults: sandbox.MustParseFaults("bulk:1:fill=first_name,customid")},
	} {
		if _, err := sandbox.New(o); err == nil || !strings.Contains(err.Error(), "did you mean custom_id?") {
			t.Errorf("%v", err)
		}
	}
	for _, field := range []string{"id", "created_at", "external_client", "tags"} {
		if err := (sandbox.Options{Storage: sandbox.Storage{Fill: []string{field}}}).Check(); err == nil {
			t.Errorf("%s was taken for a text field that can be written", field)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a fault of an unknown field was injected")
		}
	}()
	open(t, sandbox.Options{}).Inject(sandbox.MustParseFaults("bulk:1:rewrite=nothing:upper")...)
}
