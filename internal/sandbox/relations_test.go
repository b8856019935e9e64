package sandbox_test

import (
	"fmt"
	"net/http"
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

func TestRelationsAreCheckedIfStrict(t *testing.T) {
	s := open(t, sandbox.Options{StrictRelations: true, Tenants: []string{"other"}})
	const unknown = `{"external_client":["Invalid id: object does not exist."]}`
	refused := func(r reply, want string) {
		t.Helper()
		wantStatus(t, r, http.StatusBadRequest)
		if diff := compareJSON(want, r.body); diff != "" {
			t.Error(diff)
		}
	}
	refused(do(s, "POST", base, person("A", "")), unknown)
	if err := s.AddRelated("externalclient", []string{client}); err != nil {
		t.Fatal(err)
	}
	created := do(s, "POST", base, person("A", ""))
	wantStatus(t, created, http.StatusCreated)
	row := base + created.object(t)["id"].(string) + "/"
	const other = "00000000-0000-4000-8000-000000000000"
	refused(do(s, "PATCH", row, `{"external_client":"`+other+`"}`), unknown)
	refused(do(s, "PATCH", row, `{"organization":"`+client+`"}`), `{"organization":["Invalid id: object does not exist."]}`)
	wantStatus(t, do(s, "PATCH", row, `{"title":"B","organization":null}`), http.StatusOK)
	refused(do(s, "POST", base+"list/", bulk(person("A", ""), `{"name":"B","title":"C","external_client":"`+other+`"}`)), `[{},`+unknown+`]`)
	r := request("POST", base, person("A", ""))
	r.Header.Set("X-PIGELLO-CUSTOMER-ID", "other")
	wantStatus(t, serve(s, r), http.StatusCreated)
}

// TestRowsOfTheSandboxAreKnown refers from one resource to another that the
// sandbox serves, by a list of references.
func TestRowsOfTheSandboxAreKnown(t *testing.T) {
	id := mappings.Field{Name: "id", Type: "uuid", ReadOnly: true}
	s := open(t, sandbox.Options{StrictRelations: true, Resources: []*mappings.Resource{
		{Name: "house", Path: "/a/house/", Fields: []mappings.Field{id}},
		{Name: "street", Path: "/a/street/", Fields: []mappings.Field{id, {Name: "houses", Type: "references", To: "house", Nullable: true}}},
	}})
	house := func() string { return do(s, "POST", "/a/house/", "{}").object(t)["id"].(string) }
	a, b := house(), house()
	body := fmt.Sprintf(`{"houses":[%q,{"id":%q}]}`, a, b)
	wantStatus(t, do(s, "POST", "/a/street/", body), http.StatusCreated)
	wantStatus(t, do(s, "DELETE", "/a/house/"+b+"/", ""), http.StatusNoContent)
	wantStatus(t, do(s, "POST", "/a/street/", body), http.StatusBadRequest)
	wantStatus(t, do(s, "POST", "/a/street/", `{"houses":[]}`), http.StatusCreated)
}

func TestRelateRefused(t *testing.T) {
	s := open(t, sandbox.Options{})
	for _, c := range []struct{ resource, id, want string }{
		{"nope", client, "sandbox: resource nope: nothing refers to it; there are externalclient, externalclientcontactperson, organization"},
		{"organization", "hemligt", "sandbox: related organization: id 2 of 2 is not a uuid"},
	} {
		err := s.AddRelated(c.resource, []string{client, c.id})
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
