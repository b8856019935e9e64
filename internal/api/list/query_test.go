package list_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/api/list"
)

const path = "/organization/externalclientcontactperson/list/"

// catalog is a small one.
type catalog struct{}

func (catalog) CheckFilter(field, operator string) error {
	switch {
	case !slices.Contains([]string{"name", "title", "external_client", "created_at"}, field):
		return errors.New("no field " + field + "\nhint: did you mean name?")
	case operator != "" && !slices.Contains([]string{"icontains", "in", "isnull", "gte"}, operator):
		return errors.New("no operator " + operator)
	}
	return nil
}

func (c catalog) CheckOrder(field string) error { return c.CheckFilter(field, "") }

func (catalog) CheckParameter(name string) error {
	if !slices.Contains([]string{"_order_by", "_page", "_page_size", "_search", "tags"}, name) {
		return errors.New("no parameter " + name)
	}
	return nil
}

func TestQueryTakes(t *testing.T) {
	l := list.NewQuery(path, catalog{})
	for _, text := range []string{
		"name=Åsa = Öberg ", "name__icontains!=x,y", " title__in = A,B,,C", "external_client.id__in=1,2", "created_at__gte!=2026-01-31T00:00:00+01:00",
		"title__isnull=TRUE", "external_client__isnull!=0", `tags=[{"id":"1,2"}]`, "title!==",
	} {
		if err := l.Where(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	l.SetIsNull("1", "0")
	if err := errors.Join(l.Filter("created_at", "isnull", false, "false"), l.OrderBy("created_at,-name", " external_client.id"), l.Search("Ek & Co")); err != nil {
		t.Fatal(err)
	}
	want := []string{"name=Åsa = Öberg ", "name__icontains!=x,y", "title__in= A,B,,C", "external_client__in=1,2", "created_at__gte!=2026-01-31T00:00:00+01:00",
		"title__isnull=true", "external_client__isnull!=false", `tags=[{"id":"1,2"}]`, "title!==", "created_at__isnull=0"}
	if d := cmp.Diff(want, l.Filters()); d != "" {
		t.Error(d)
	}
	if got := l.Order(); !slices.Equal(got, []string{"created_at", "-name", "external_client"}) || l.SearchText() != "Ek & Co" {
		t.Errorf("%v, %s", got, l.SearchText())
	}
}

func TestQueryRefuses(t *testing.T) {
	const value = "Hemlig"
	for _, test := range []struct{ where, msg, hint string }{
		{"Hemlig", "filter: has no = in it", "name=Ek"},
		{"=Hemlig", "filter: names no field", "name=Ek"},
		{"!=Hemlig", "filter: names no field", "name=Ek"},
		{"nam=Hemlig", "filter: no field nam", "did you mean name?"},
		{"name__like=Hemlig", "filter: no operator like", ""},
		{"__in=Hemlig", "filter: no field ", "did you mean name?"},
		{"name__=Hemlig", "filter name: names no operator", "name=Ek"},
		{"title__isnull=ja", "filter title__isnull: is neither true nor false", "title__isnull=true"},
		{"title__isnull=", "filter title__isnull: is neither true nor false", ""},
		{"name=", "filter name: has no value", "name__isnull=true"},
		{"name=Hemlig\xff", "filter name: is not UTF-8", ""},
		{"_page=Hemlig", "filter: _page is no field", "options"},
		{"_nosuch=Hemlig", "filter: _nosuch is no field", "options"},
		{"tags=Hemlig", "parameter tags: is no JSON array", "tags=["},
		{`tags=[{"id":"Hemlig"}`, "parameter tags: is no JSON array", "tags=["},
		{`tags={"id":"Hemlig"}`, "parameter tags: is no JSON array", "tags=["},
		{`tags!=["Hemlig"]`, "parameter tags: cannot be negated", ""},
		{"tags__in=Hemlig", "filter: no field tags", ""},
		{"title=Hemlig2", "filter title: appears twice", "__in"},
		{"name__in=" + strings.Repeat("Hemlig,å", 800), "filter name__in: makes a request of ", "fewer values"},
	} {
		l := list.NewQuery(path, catalog{})
		if err := l.Where("title=x"); err != nil {
			t.Fatal(err)
		}
		err := l.Where(test.where)
		var e *list.QueryError
		if !errors.As(err, &e) || !strings.HasPrefix(e.Error(), test.msg) || !strings.Contains(e.Hint(), test.hint) {
			t.Errorf("%s: %v", test.where, err)
		}
		if e != nil && test.where != value && strings.Contains(e.Error()+e.Hint(), value) {
			t.Errorf("shows a value: %v, %s", e, e.Hint())
		}
		if len(l.Filters()) != 1 {
			t.Errorf("%s: kept", test.where)
		}
	}
}

func TestQueryOrderRefuses(t *testing.T) {
	for _, terms := range [][]string{{""}, {"name,"}, {"-"}, {"name", "-name"}, {"nam"}, {"--name"}} {
		l := list.NewQuery(path, catalog{})
		var e *list.QueryError
		if err := l.OrderBy(terms...); !errors.As(err, &e) || len(l.Order()) != 0 {
			t.Errorf("%q: %v, %q", terms, err, l.Order())
		}
	}
	l := list.NewQuery(path, bare{})
	if l.OrderBy("name") == nil || l.Search("x") == nil || l.Search("") != nil {
		t.Error("a list without order and search takes them")
	}
}

// bare is a list with filters only.
type bare struct{ catalog }

func (bare) CheckParameter(name string) error { return errors.New("no parameter " + name) }

func FuzzWhere(f *testing.F) {
	for _, s := range []string{"name=A", "name__in!=A,B", "tags=[1]", "=", "!=", "__=x", "_page=1", "external_client.id=1", "title__isnull=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := list.NewQuery(path, catalog{})
		if err := l.Where(text); err != nil {
			var e *list.QueryError
			if !errors.As(err, &e) || len(l.Filters()) != 0 {
				t.Errorf("%v", err)
			}
			return
		}
		again := list.NewQuery(path, catalog{})
		if err := again.Where(l.Filters()[0]); err != nil || !slices.Equal(again.Filters(), l.Filters()) {
			t.Errorf("%q: %v, %q", l.Filters(), err, again.Filters())
		}
	})
}
