package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flytt/internal/sandbox"
)

// lookupKeys are stored in this order: what finds them is told by their place.
var lookupKeys = []string{"k1", "K1", "A  1", "A 1", " A 1", "\u00c5", "A\u030a", "\u00e5", "x,y"}

// found returns the places of the rows that a filter finds.
func found(t *testing.T, w *wire, name, operand string) string {
	t.Helper()
	r := w.must("GET", base+"list/?_order_by=created_at&"+url.Values{name: {operand}}.Encode(), "")
	wantStatus(t, r, http.StatusOK)
	return strings.ReplaceAll(r.names(t, "name"), " ", "")
}

func storeKeys(t *testing.T, w *wire) {
	t.Helper()
	var items []string
	for i, key := range lookupKeys {
		items = append(items, person(string(rune('0'+i)), `,"custom_id":`+quote(key)))
	}
	wantStatus(t, w.must("POST", base+"list/", bulk(items...)), http.StatusCreated)
}

func TestLookup(t *testing.T) {
	loose := sandbox.Lookup{Case: sandbox.CaseInsensitive, Space: sandbox.SpaceCollapse, Unicode: sandbox.UnicodeNFC}
	for _, c := range []struct {
		lookup        sandbox.Lookup
		name, operand string
		want          string
	}{
		{sandbox.Lookup{}, "custom_id", "k1", "0"},
		{sandbox.Lookup{}, "custom_id__in", "k1,A 1,Å", "035"},
		{sandbox.Lookup{}, "custom_id__iexact", "å", "57"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id", "k1", "01"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id", "Å", "57"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id__in", "K1,å,a 1", "01357"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id!", "k1", "2345678"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id__in!", "k1,å", "23468"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id__startswith", "k", "0"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "custom_id__contains", "K", "1"},
		{sandbox.Lookup{Case: sandbox.CaseInsensitive}, "title", "chef", "012345678"},
		{sandbox.Lookup{Space: sandbox.SpaceCollapse}, "custom_id", "A \t1 ", "234"},
		{sandbox.Lookup{Space: sandbox.SpaceCollapse}, "custom_id__iexact", "a 1", "234"},
		{sandbox.Lookup{Space: sandbox.SpaceCollapse}, "custom_id__in", "a 1,A  1", "234"},
		{sandbox.Lookup{Unicode: sandbox.UnicodeNFC}, "custom_id", "A\u030a", "56"},
		{sandbox.Lookup{Unicode: sandbox.UnicodeNFC}, "custom_id__in", "\u00c5,a\u030a", "567"},
		{loose, "custom_id", "a\u030a", "567"},
		{loose, "custom_id__in", "a   1,k1,", "01234"},
		{loose, "custom_id__iexact", "A\u030a", "567"},
		{loose, "custom_id", "nobody", ""},
		{loose, "custom_id", "X,Y", "8"},
		{loose, "external_client", strings.ToUpper(client), "012345678"},
		{loose, "created_at__gte", "2026-03-01", "012345678"},
	} {
		w := wired(t, sandbox.Options{Lookup: c.lookup})
		storeKeys(t, w)
		if got := found(t, w, c.name, c.operand); got != c.want {
			t.Errorf("%s/%s/%s: %s=%q finds %q, want %q", c.lookup.Case, c.lookup.Space, c.lookup.Unicode, c.name, c.operand, got, c.want)
		}
	}
}

// TestLookupInPages makes sure that pages of a folded filter are pages of the
// same list, and that uniqueness regards what the filter folds.
func TestLookupInPages(t *testing.T) {
	w := wired(t, sandbox.Options{UniqueKey: true, Lookup: sandbox.Lookup{Case: sandbox.CaseInsensitive}})
	storeKeys(t, w)
	var pages []string
	for _, page := range []string{"1", "2", "3"} {
		q := url.Values{"custom_id__in": {"K1,å"}, "_page": {page}, "_page_size": {"2"}, "_order_by": {"-name"}}
		pages = append(pages, w.must("GET", base+"list/?"+q.Encode(), "").names(t, "name"))
	}
	if got := strings.Join(pages, "|"); got != "7 5|1 0|" {
		t.Errorf("pages %s", got)
	}
}

func TestLookupComparesTheStoredForm(t *testing.T) {
	w := wired(t, sandbox.Options{
		Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("custom_id:prefix=Old ")},
		Lookup:  sandbox.Lookup{Case: sandbox.CaseInsensitive},
	})
	wantStatus(t, w.must("POST", base, person("A", `,"custom_id":"K1"`)), http.StatusCreated)
	if got := found(t, w, "custom_id", "k1") + "/" + found(t, w, "custom_id", "old k1"); got != "/A" {
		t.Errorf("found %s", got)
	}
}

func TestLookupFaultsStrikeSomeLists(t *testing.T) {
	w := wired(t, sandbox.Options{}, "list:2:lookup-case=insensitive", "list:3:lookup-space", "list:4:lookup-unicode=nfc")
	storeKeys(t, w)
	var got []string
	for range 5 {
		got = append(got, found(t, w, "custom_id__in", "K1,A 1,A\u030a"))
	}
	if diff := compare([]string{"136", "0136", "12346", "1356", "136"}, got); diff != "" {
		t.Error(diff)
	}
}
