package sandbox_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

var update = flag.Bool("update", false, "write the golden files anew")

// described returns the sandbox's description of itself, asked for without
// credentials.
func described(t *testing.T, s *sandbox.Sandbox) (text string, doc map[string]any) {
	t.Helper()
	r := serve(s, httptest.NewRequest("GET", "/openapi.json", nil))
	wantStatus(t, r, http.StatusOK)
	return r.body, r.object(t)
}

func TestOpenAPIOfASmallResource(t *testing.T) {
	one := 1.0
	small := &mappings.Resource{
		Name: "key", Application: "a", Path: "/a/key/", Title: map[string]string{"en": "Key"},
		Parameters: []string{"_page", "_page_size", "_order_by", "tags"},
		Fields: []mappings.Field{
			{Name: "id", Type: "uuid", ReadOnly: true, Unique: true, Filters: "reference"},
			{Name: "number", Type: "integer", Required: true, Minimum: &one},
			{Name: "lock", Type: "reference", To: "lock", Nullable: true},
		},
	}
	got, _ := described(t, open(t, sandbox.Options{Resources: []*mappings.Resource{small}}))
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := compareJSON(string(want), got); diff != "" {
		t.Errorf("-update writes it anew: %s", diff)
	}
}

// TestOpenAPIHoldsTogether checks the description of the real resources: every
// reference leads somewhere, operations have names of their own, parameters and
// answers are whole.
func TestOpenAPIHoldsTogether(t *testing.T) {
	const secret = "hemligt"
	text, doc := described(t, open(t, sandbox.Options{Credentials: sandbox.Credentials{CustomerID: secret, ClientSecret: secret}}))
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi %v", doc["openapi"])
	}
	walk(doc, func(o map[string]any) {
		if ref, ok := o["$ref"].(string); ok && lookup(doc, ref) == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	})
	seen := map[string]bool{}
	paths := doc["paths"].(map[string]any)
	for path, p := range paths {
		for method, o := range p.(map[string]any) {
			operation, ok := o.(map[string]any)
			if !ok {
				continue
			}
			id := operation["operationId"].(string)
			if seen[id] {
				t.Errorf("operation %s appears twice", id)
			}
			seen[id] = true
			checkOperation(t, path+" "+method, operation)
		}
	}
	for _, name := range []string{"list", "bulk_write", "create", "update", "delete", "get"} {
		if !seen[contacts+"_"+name] {
			t.Errorf("no operation %s", name)
		}
	}
	schemes := lookup(doc, "#/components/securitySchemes").(map[string]any)
	demanded := doc["security"].([]any)[0].(map[string]any)
	for name, s := range schemes {
		if _, ok := demanded[name]; !ok || !slices.Contains(credentialHeaders, s.(map[string]any)["name"].(string)) {
			t.Errorf("credential %s", name)
		}
	}
	if len(schemes) != len(credentialHeaders) || strings.Contains(text, secret) {
		t.Errorf("%d credentials, or their values", len(schemes))
	}
}

func checkOperation(t *testing.T, name string, operation map[string]any) {
	success := false
	for status, r := range operation["responses"].(map[string]any) {
		success = success || status[0] == '2'
		if response := r.(map[string]any); response["description"] == nil && response["$ref"] == nil {
			t.Errorf("%s: answer %s says nothing", name, status)
		}
	}
	if !success {
		t.Errorf("%s: no success", name)
	}
	given := map[string]bool{}
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		parameter := p.(map[string]any)
		key := parameter["name"].(string)
		if given[key] || parameter["in"] != "query" || (parameter["schema"] == nil) == (parameter["content"] == nil) {
			t.Errorf("%s: parameter %s", name, key)
		}
		given[key] = true
	}
}

// TestEveryParameterDescribedIsServed asks for each parameter of the
// description, with a value of its schema.
func TestEveryParameterDescribedIsServed(t *testing.T) {
	s := filled(t, sandbox.Options{})
	_, doc := described(t, s)
	list := lookup(doc, "#/paths/~1organization~1externalclientcontactperson~1list~1/get/parameters").([]any)
	if want := 11 + 2*(10*10+7+3*3); len(list) != want {
		t.Errorf("%d parameters, want %d", len(list), want)
	}
	for _, p := range list {
		parameter := p.(map[string]any)
		name := parameter["name"].(string)
		r := request("GET", base+"list/", "")
		r.URL.RawQuery = strings.ReplaceAll(name, "!", "%21") + "=" + sample(name, parameter)
		if strings.HasPrefix(name, "_page") {
			r.URL.RawQuery = "_page=1&_page_size=2"
		}
		if got := serve(s, r); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// sample is a value for a parameter.
func sample(name string, parameter map[string]any) string {
	schema, ok := parameter["schema"].(map[string]any)
	switch {
	case !ok:
		return "[]"
	case name == "_order_by":
		return "name,-id"
	}
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	switch {
	case schema["type"] == "boolean":
		return "true"
	case schema["format"] == "uuid":
		return client
	case schema["format"] == "date-time":
		return "2026-03-01T12:00:00Z"
	}
	return "1"
}

func TestOpenAPIIsOnlyRead(t *testing.T) {
	s := open(t, sandbox.Options{})
	wantStatus(t, do(s, "POST", "/openapi.json", "{}"), http.StatusMethodNotAllowed)
}

// walk calls f for every object in v.
func walk(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, member := range v {
			walk(member, f)
		}
	case []any:
		for _, item := range v {
			walk(item, f)
		}
	}
}

// lookup follows a JSON pointer within doc (RFC 6901).
func lookup(doc map[string]any, ref string) any {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = o[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return at
}

// TestDescribedSchemasAreTheDescriptors makes sure that what descriptors say reaches the
// description whole.
func TestDescribedSchemasAreTheDescriptors(t *testing.T) {
	_, doc := described(t, open(t, sandbox.Options{}))
	r, err := mappings.Lookup(contacts)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := mappings.JSONSchema(r)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	delete(want, "$schema")
	if diff := compare(want, lookup(doc, "#/components/schemas/"+contacts)); diff != "" {
		t.Error(diff)
	}
}
