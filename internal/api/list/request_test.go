package list

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const listPath = "/organization/externalclientcontactperson/list/"

func TestAskTakesTheQueryAndWhatTheReaderAdds(t *testing.T) {
	q := NewQuery(listPath, nil)
	for _, err := range []error{q.Where("name__icontains!=å&b"), q.Where("created_at__gte=2026"), q.OrderBy("-name", "id"), q.Search("x y")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	a := &listRequest{list: q, page: 3, size: 7, idsOnly: true, jsonl: true, extra: url.Values{"created_at__gte": {"2027"}}}
	r := a.pageRequest()
	want := "_jsonl=true&_order_by=-name%2Cid&_search=x+y&_slim=true&created_at__gte=2027&name__icontains%21=%C3%A5%26b"
	if got := r.Query.Encode(); r.Path != listPath || r.Page != 3 || r.Size != 7 || !r.IDsOnly || got != want {
		t.Errorf("%+v, %s, want %s", r, got, want)
	}
	r = (&listRequest{list: q}).pageRequest()
	want = "_order_by=-name%2Cid&_search=x+y&created_at__gte=2026&name__icontains%21=%C3%A5%26b"
	if got := r.Query.Encode(); r.Size != 0 || r.IDsOnly || got != want {
		t.Errorf("without pages: %+v, %s, want %s", r, got, want)
	}
}

func TestQueryIsDeterministic(t *testing.T) {
	a, b := NewQuery(listPath, nil), NewQuery(listPath, nil)
	for _, f := range []string{"name=x", "id=1", "title__isnull=1"} {
		if err := a.Where(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"title__isnull=true", "id=1", "name=x"} {
		if err := b.Where(f); err != nil {
			t.Fatal(err)
		}
	}
	q, r := (&listRequest{list: a}).pageRequest().Query.Encode(), (&listRequest{list: b}).pageRequest().Query.Encode()
	if q != r || q != "id=1&name=x&title__isnull=true" {
		t.Error(cmp.Diff(q, r))
	}
}
