package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

const contacts = "externalclientcontactperson"

func seed(t testing.TB, s *sandbox.Sandbox, resource string, n int, seed uint64) {
	t.Helper()
	if err := s.Seed(resource, n, seed); err != nil {
		t.Fatal(err)
	}
}

func TestSeedFollowsFromTheSeed(t *testing.T) {
	one, two := open(t, sandbox.Options{}), open(t, sandbox.Options{Now: func() time.Time { return noon.AddDate(3, 0, 0) }})
	seed(t, one, contacts, 1500, 7)
	seed(t, two, contacts, 1500, 7)
	first := do(one, "GET", base+"list/", "").body
	if second := do(two, "GET", base+"list/", "").body; first != second {
		t.Error("the same seed gives other rows")
	}
	seed(t, one, contacts, 1500, 7)
	if again := do(one, "GET", base+"list/", "").body; again != first {
		t.Error("seeding again changes something")
	}
	seed(t, one, contacts, 1600, 7)
	more := do(one, "GET", base+"list/", "")
	if n := len(more.array(t)); n != 1600 || !strings.HasPrefix(more.body, strings.TrimSuffix(first, "]")) {
		t.Errorf("%d rows, want the 1500 and 100 more", n)
	}
	seed(t, one, contacts, 10, 8)
	if got := do(one, "GET", base+"list/?_statistics=1", "").body; got != `{"count":1610}` {
		t.Errorf("with another seed: %s", got)
	}
}

// TestSeededRowsAreValid sends seeded rows back: as new ones they pass all
// rules, strict relations among them.
func TestSeededRowsAreValid(t *testing.T) {
	s := open(t, sandbox.Options{StrictRelations: true})
	seed(t, s, contacts, 3000, 1)
	list := do(s, "GET", base+"list/", "")
	rows := list.array(t)
	for _, o := range rows {
		delete(o, "id")
	}
	body, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, do(s, "POST", base+"list/", string(body)), http.StatusCreated)
	if !strings.Contains(list.body, "Å") || !strings.Contains(list.body, "ö") {
		t.Error("no å, ä, ö")
	}
	nulls, ties := map[string]int{}, 0
	last := ""
	for _, o := range rows {
		for name, v := range o {
			if v == nil {
				nulls[name]++
			}
		}
		at := o["created_at"].(string)
		if at == last {
			ties++
		}
		if at < last || at < "2012" || at > "2025" {
			t.Fatalf("created_at goes from %s to %s", last, at)
		}
		last = at
	}
	for _, name := range []string{"ssn", "org_no", "email", "custom_id", "organization"} {
		if n := nulls[name]; n == 0 || n > len(rows)/3 {
			t.Errorf("%s is null in %d of %d rows", name, n, len(rows))
		}
	}
	if ties == 0 || ties > len(rows)/10 {
		t.Errorf("%d ties of created_at", ties)
	}
}

// lease is a resource with every type and rule of the descriptor language.
func lease() *mappings.Resource {
	one, ten := 1.0, 1e6
	return &mappings.Resource{
		Name: "lease", Application: "market", Path: "/market/lease/", Key: "number", Title: map[string]string{"en": "Lease"},
		Parameters: []string{"_page", "_page_size", "_order_by"},
		Fields: []mappings.Field{
			{Name: "id", Type: "uuid", ReadOnly: true, Unique: true, Filters: "reference"},
			{Name: "number", Type: "integer", Required: true, Unique: true, Minimum: &one, Maximum: &ten, Filters: "time"},
			{Name: "rent", Type: "number", Nullable: true, Minimum: &one, Maximum: &one},
			{Name: "code", Type: "string", Nullable: true, Unique: true, Pattern: `^[A-ZÅÄÖ]{3}-(\d{2,5}|x+)[^a-z]?$`},
			{Name: "gln", Type: "string", Nullable: true, Format: "gln13", MinLength: 13, MaxLength: 13},
			{Name: "from", Type: "date", Nullable: true, Together: []string{"until"}},
			{Name: "until", Type: "date", Nullable: true},
			{Name: "signed_at", Type: "date-time", Nullable: true, Requires: []string{"signer"}},
			{Name: "signer", Type: "string", Nullable: true, MinLength: 30, MaxLength: 31},
			{Name: "active", Type: "boolean", Nullable: true, AnyOf: []string{"notes"}},
			{Name: "tenants", Type: "references", To: "tenant", Nullable: true, Excludes: []string{"owner"}},
			{Name: "owner", Type: "reference", To: "company", Nullable: true},
			{Name: "notes", Type: "any", Nullable: true},
			{Name: "state", Type: "string", Nullable: true, Enum: []string{"open", "closed"}, Filters: "text"},
		},
	}
}

func TestAnyResourceIsSeeded(t *testing.T) {
	s := open(t, sandbox.Options{Resources: []*mappings.Resource{lease()}, StrictRelations: true})
	seed(t, s, "lease", 500, 3)
	for _, o := range do(s, "GET", "/market/lease/list/", "").array(t) {
		id := o["id"].(string)
		delete(o, "id")
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		wantStatus(t, do(s, "PATCH", "/market/lease/"+id+"/", string(body)), http.StatusOK)
	}
}

func TestSeedRefused(t *testing.T) {
	impossible := &mappings.Resource{Name: "a", Path: "/a/a/", Fields: []mappings.Field{
		{Name: "id", Type: "uuid", ReadOnly: true}, {Name: "name", Type: "string", Required: true, MinLength: 9, Pattern: "^x$"}}}
	s := open(t, sandbox.Options{Resources: []*mappings.Resource{impossible}})
	for resource, want := range map[string]string{
		"nope": "sandbox: seed: resource nope is not served",
		"a":    "sandbox: seed: resource a: field name: nothing made up meets its rules: ",
	} {
		if err := s.Seed(resource, 1, 1); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

func BenchmarkSeed(b *testing.B) {
	s := open(b, sandbox.Options{})
	n := 0
	for b.Loop() {
		n++
		if err := s.Seed(contacts, 5000, uint64(n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*5000/b.Elapsed().Seconds(), "rows/s")
}
