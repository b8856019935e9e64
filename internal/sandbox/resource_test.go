package sandbox_test

import (
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

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
