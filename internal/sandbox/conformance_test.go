package sandbox_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

// textFields are the fields of the reference that are filtered as texts.
const textFields = "corporate_name custom_id email first_name last_name name org_no phone_number ssn title"

// filtersOfReference are the fields and operators of the API's reference, exact
// comparison aside, which all have.
var filtersOfReference = []struct{ fields, operators string }{
	{textFields, "contains endswith icontains iendswith iexact in isnull istartswith startswith"},
	{"created_at", "gt gte in isnull lt lte"},
	{"id external_client organization", "in isnull"},
}

// parametersOfReference are those of the list that are no filters.
const parametersOfReference = "_jsonl _order_by _page _page_size _search _slim _statistics customer_columns global_realestates global_segments tags"

// eachFilter calls f for every field and operator of the reference.
func eachFilter(f func(field, operator string)) {
	for _, group := range filtersOfReference {
		for _, field := range strings.Fields(group.fields) {
			f(field, "")
			for _, operator := range strings.Fields(group.operators) {
				f(field, operator)
			}
		}
	}
}

func TestTheDescriptorHasWhatTheReferenceHas(t *testing.T) {
	r, err := mappings.Lookup(contacts)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	eachFilter(func(field, operator string) { want[field+" "+operator] = true })
	for _, f := range r.Fields {
		if f.Filters == "" {
			continue
		}
		for _, operator := range append([]string{""}, f.Operators()...) {
			got[f.Name+" "+operator] = true
		}
	}
	if diff := compare(want, got); diff != "" {
		t.Errorf("filters: %s", diff)
	}
	if diff := compare(strings.Fields(parametersOfReference), slices.Sorted(slices.Values(r.Parameters))); diff != "" {
		t.Errorf("parameters: %s", diff)
	}
}

// TestEveryFilterOfTheReference compares each field by each operator, plain and
// negated, with rows whose answer is worked out here.
func TestEveryFilterOfTheReference(t *testing.T) {
	s, rows := modelled(t, 60)
	random := rand.New(rand.NewPCG(1, 2))
	combinations := 0
	eachFilter(func(field, operator string) {
		for _, negated := range []bool{false, true} {
			combinations++
			for range 2 {
				for _, operand := range operands(random, rows, field, operator) {
					f := filter{field, operator, operand, negated}
					got := slim(t, s, url.Values{f.name(): {operand}})
					if want := ids(rows, f); !slices.Equal(got, want) {
						t.Errorf("%s=%s: %d rows, want %d", f.name(), operand, len(got), len(want))
					}
				}
			}
		}
	})
	if want := 2 * (10*10 + 7 + 3*3); combinations != want {
		t.Errorf("%d combinations, want %d", combinations, want)
	}
}

// slim asks for the ids of a list.
func slim(t testing.TB, s http.Handler, q url.Values) []string {
	t.Helper()
	q = maps.Clone(q)
	q.Set("_slim", "true")
	got := do(s, "GET", base+"list/?"+q.Encode(), "")
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", q.Encode(), got.status, got.body)
	}
	var ids []string
	for _, o := range got.array(t) {
		ids = append(ids, o["id"].(string))
	}
	return ids
}

// TestEveryParameterOfTheReference holds each parameter against the rows.
func TestEveryParameterOfTheReference(t *testing.T) {
	s, rows := modelled(t, 60)
	all := ids(rows)
	none := func(name string) func(*testing.T) {
		return func(t *testing.T) {
			equal(t, slim(t, s, url.Values{name: {`[]`}}), all)
			equal(t, slim(t, s, url.Values{name: {`[{"id":"` + client + `"}]`}}), nil)
		}
	}
	page := func(t *testing.T) {
		equal(t, slim(t, s, url.Values{"_page": {"3"}, "_page_size": {"25"}}), all[50:75])
		for _, order := range []string{"", "name", "created_at,id"} {
			q := url.Values{"_page": {"2147483647"}, "_page_size": {"2147483647"}}
			if order != "" {
				q.Set("_order_by", order)
			}
			equal(t, slim(t, s, q), nil)
		}
		wantStatus(t, do(s, "GET", base+"list/?_page=0&_page_size=10", ""), http.StatusBadRequest)
	}
	tests := map[string]func(t *testing.T){
		"_page":              page,
		"_page_size":         page,
		"customer_columns":   none("customer_columns"),
		"global_realestates": none("global_realestates"),
		"global_segments":    none("global_segments"),
		"tags":               none("tags"),
		"_slim":              func(t *testing.T) { equal(t, slim(t, s, url.Values{}), all) },
		"_jsonl": func(t *testing.T) {
			lines := strings.Split(strings.TrimSuffix(do(s, "GET", base+"list/?_jsonl=true", "").body, "\n"), "\n")
			if "["+strings.Join(lines, ",")+"]" != do(s, "GET", base+"list/", "").body {
				t.Error("lines are not the array's objects")
			}
		},
		"_order_by": func(t *testing.T) {
			for _, terms := range []string{"name,-created_at", "-organization,ssn,id", "-id", "created_at,-id", "-created_at", "-custom_id,title"} {
				equal(t, slim(t, s, url.Values{"_order_by": {terms}}), ids(ordered(rows, strings.Split(terms, ","))))
			}
		},
		"_search": func(t *testing.T) {
			found := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !mentions(r, "öberg") || !mentions(r, "EXAMPLE") })
			equal(t, slim(t, s, url.Values{"_search": {"öberg EXAMPLE"}}), ids(found))
		},
		"_statistics": func(t *testing.T) {
			if got := do(s, "GET", base+"list/?_statistics=true", "").body; got != `{"count":`+strconv.Itoa(len(rows))+`}` {
				t.Error(got)
			}
		},
	}
	if diff := compare(strings.Fields(parametersOfReference), slices.Sorted(maps.Keys(tests))); diff != "" {
		t.Errorf("parameters: %s", diff)
	}
	for name, test := range tests {
		t.Run(name, test)
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%d rows %.3v, want %d %.3v", len(got), got, len(want), want)
	}
}

// mentions reports whether a word stands in one of the texts of a row that are
// searched.
func mentions(r row, word string) bool {
	for _, field := range strings.Fields("name first_name last_name corporate_name title email phone_number custom_id") {
		if text, _ := r.text(field); strings.Contains(swedishLower(text), swedishLower(word)) {
			return true
		}
	}
	return false
}

// TestEveryOperationOfTheReference walks through the six operations; each
// answer has every field of the reference and no other.
func TestEveryOperationOfTheReference(t *testing.T) {
	s := open(t, sandbox.Options{})
	fields := append(strings.Fields(textFields), "created_at", "customer_columns", "external_client", "id", "organization", "tags")
	slices.Sort(fields)
	whole := func(o map[string]any) string {
		t.Helper()
		if diff := compare(fields, slices.Sorted(maps.Keys(o))); diff != "" {
			t.Error(diff)
		}
		return o["id"].(string)
	}
	created := do(s, "POST", base, person("A", ""))
	wantStatus(t, created, http.StatusCreated)
	id := whole(created.object(t))
	written := do(s, "POST", base+"list/", bulk(person("B", ""), `{"id":"`+id+`","name":"C"}`))
	wantStatus(t, written, http.StatusCreated)
	for _, o := range written.array(t) {
		whole(o)
	}
	changed := do(s, "PATCH", base+id+"/", `{"title":"D"}`)
	wantStatus(t, changed, http.StatusOK)
	got := do(s, "GET", base+id+"/", "")
	wantStatus(t, got, http.StatusOK)
	if o := got.object(t); whole(o) != id || o["name"] != "C" || o["title"] != "D" || got.body != changed.body {
		t.Errorf("%s", got.body)
	}
	wantStatus(t, do(s, "DELETE", base+id+"/", ""), http.StatusNoContent)
	wantStatus(t, do(s, "GET", base+id+"/", ""), http.StatusNotFound)
	if rows := do(s, "GET", base+"list/", "").array(t); len(rows) != 1 || whole(rows[0]) == id {
		t.Errorf("%d rows", len(rows))
	}
}

func TestUnknownParametersAreNamed(t *testing.T) {
	s := open(t, sandbox.Options{})
	for _, name := range []string{"updated_at__gte", "id__gt", "name__regex", "_limit", "Name", "external_client.id", "created_at__contains"} {
		got := do(s, "GET", base+"list/?"+url.Values{name: {"1"}}.Encode(), "")
		wantStatus(t, got, http.StatusBadRequest)
		if _, named := got.object(t)[name]; !named {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}
