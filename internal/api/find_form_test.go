package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/api"
)

// foldingList serves records by custom_id__in and custom_id, and compares keys as
// fold leaves them.
type foldingList struct {
	keys     []string // of the records
	fold     func(key string) string
	also     string // a record that it shows whatever is asked for
	blindFor int    // from this request on it shows nothing; 0: it always does
	blindAt  int    // this request shows nothing
	asked    []string
}

func (l *foldingList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	wanted := strings.Split(q.Get("custom_id__in"), ",")
	l.asked = append(l.asked, "in "+q.Get("custom_id__in"))
	if q.Has("custom_id") {
		wanted = []string{q.Get("custom_id")}
		l.asked[len(l.asked)-1] = "= " + q.Get("custom_id")
	}
	for i, key := range wanted {
		wanted[i] = l.fold(key)
	}
	out := []map[string]string{}
	for i, key := range l.keys {
		shown := slices.Contains(wanted, l.fold(key)) || key == l.also
		if shown && q.Get("_page") == "1" && (l.blindFor == 0 || len(l.asked) < l.blindFor) && len(l.asked) != l.blindAt {
			out = append(out, map[string]string{"id": fmt.Sprintf("id-%d", i), "custom_id": key})
		}
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		panic(err)
	}
}

func asIs(key string) string { return key }

func (l *foldingList) find(t *testing.T, canary string, keys ...string) (map[string]api.Found, error) {
	t.Helper()
	s := httptest.NewServer(l)
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	defer c.Close()
	return c.FindByKeys(t.Context(), api.Lookup{Path: path, Field: "custom_id", Keys: keys, Canary: canary})
}

// summed returns what was found as "key = stored keys ~ stored keys that are near".
func summed(found map[string]api.Found) (lines []string) {
	for key, of := range found {
		line := key + " ="
		for _, r := range of.Records {
			line += " " + r.Key
		}
		line += " ~"
		for _, r := range of.OtherForms {
			line += " " + r.Key
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// TestFindByKeysInAnotherForm asks lists for keys of which they have another form.
func TestFindByKeysInAnotherForm(t *testing.T) {
	for _, test := range []struct {
		name   string
		there  []string
		fold   func(string) string
		canary string
		asked  []string
		want   []string
	}{
		{"case", []string{"A", "K-3"}, strings.ToLower, "A", []string{"k-3", "N"}, []string{"k-3 = ~ K-3"}},
		{"white space", []string{"A", "K 3"}, api.FoldKey, "A", []string{"K  3", "N"}, []string{"K  3 = ~ K 3"}},
		{"Unicode form", []string{"A", "Å3"}, api.FoldKey, "A", []string{"A\u030a3", "N"}, []string{"A\u030a3 = ~ Å3"}},
		{"no canary", []string{"K-3"}, strings.ToLower, "", []string{"k-3"}, []string{"k-3 = ~ K-3"}},
		{"both forms are there", []string{"A", "k-3", "K-3"}, strings.ToLower, "A", []string{"k-3"}, []string{"k-3 = k-3 ~ K-3"}},
		{"two keys near to one record", []string{"A", "K-3a"}, strings.ToLower, "A", []string{"k-3a", "k-3A"}, []string{"k-3A = ~ K-3a", "k-3a = ~ K-3a"}},
		{"one of two keys has the record", []string{"A", "K-3"}, strings.ToLower, "A", []string{"k-3", "K-3"}, []string{"K-3 = K-3 ~", "k-3 = ~ K-3"}},
		{"one of two keys has the record, and nothing folds", []string{"A", "K-3"}, asIs, "A", []string{"k-3", "K-3"}, []string{"K-3 = K-3 ~"}},
		{"near to the canary", []string{"A"}, strings.ToLower, "A", []string{"a", "N"}, []string{"a = ~ A"}},
		{"near to the canary, and nothing folds", []string{"A"}, asIs, "A", []string{"a", "N"}, nil},
		{"a record near to the canary alone", []string{"A", "a"}, strings.ToLower, "A", []string{"N"}, nil},
		{"white space around it", []string{"A", " K-3 "}, api.FoldKey, "A", []string{"K-3"}, []string{"K-3 =  K-3  ~"}},
		{"white space around another form", []string{"A", " K-3 "}, api.FoldKey, "A", []string{"k-3"}, []string{"k-3 = ~  K-3 "}},
	} {
		found, err := (&foldingList{keys: test.there, fold: test.fold}).find(t, test.canary, test.asked...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, summed(found)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestFindByKeysBelievesNoStrangers has lists that show a record whose key is none
// asked for, not even in another form.
func TestFindByKeysBelievesNoStrangers(t *testing.T) {
	for _, stranger := range []string{"K3", "", "X"} {
		l := &foldingList{keys: []string{"A", stranger, "k-4"}, fold: strings.ToLower, also: stranger}
		if found, err := l.find(t, "A", "K-3", "K-4"); err == nil {
			t.Errorf("%q is shown, and K-3 believed absent: %v", stranger, found)
		}
	}
}

// TestFindByKeysWithCommas asks for keys that a list of keys cannot hold.
func TestFindByKeysWithCommas(t *testing.T) {
	for _, test := range []struct {
		name   string
		canary string
		keys   []string
		want   []string
		asked  []string
	}{
		{"among others", "A", []string{"B", "a,b", "c,d"}, []string{"B = B ~", "a,b = a,b ~"},
			[]string{"= A", "in B,A", "= a,b", "= c,d", "= A", "= c,d"}},
		{"alone", "A", []string{"c,d"}, nil, []string{"= A", "= c,d", "= A", "= c,d"}},
		{"without canary", "", []string{"a,b", "B"}, []string{"B = B ~", "a,b = a,b ~"}, []string{"in B", "= a,b"}},
		{"a canary with one", "a,b", []string{"B", "N"}, []string{"B = B ~"}, []string{"= a,b", "in B,N", "in B,N", "= a,b"}},
		{"another form", "A", []string{"A,B"}, []string{"A,B = ~ a,b"}, []string{"= A", "= A,B", "= A"}},
	} {
		l := &foldingList{keys: []string{"A", "a,b", "B"}, fold: strings.ToLower}
		found, err := l.find(t, test.canary, test.keys...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, summed(found)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if diff := cmp.Diff(test.asked, l.asked); diff != "" {
			t.Errorf("%s: asked %s", test.name, diff)
		}
	}
}

// TestFindByKeysWithCommasDoesNotBelieveTheBlind has lists that stop showing records
// before, while or after a key with a comma is asked for.
func TestFindByKeysWithCommasDoesNotBelieveTheBlind(t *testing.T) {
	for blindFor := 1; blindFor <= 3; blindFor++ {
		l := &foldingList{keys: []string{"A", "a,b"}, fold: asIs, blindFor: blindFor}
		if found, err := l.find(t, "A", "a,b"); !errors.Is(err, api.ErrCanaryMissing) || found != nil {
			t.Errorf("blind from request %d on: %v, %v", blindFor, found, err)
		}
	}
}

// TestFindByKeysAsksForAKeyWithCommaTwice has a list that shows nothing in answer to one
// request, the one for the key.
func TestFindByKeysAsksForAKeyWithCommaTwice(t *testing.T) {
	l := &foldingList{keys: []string{"A", "a,b"}, fold: asIs, blindAt: 2}
	found, err := l.find(t, "A", "a,b")
	if diff := cmp.Diff([]string{"a,b = a,b ~"}, summed(found)); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

// TestAnyKeyPrefersAKeyWithoutComma reads the keys of a list.
func TestAnyKeyPrefersAKeyWithoutComma(t *testing.T) {
	for want, keys := range map[string][]string{"B": {" a", "a,b", "B", "C"}, "a,b": {"", "a,b", "c,d"}} {
		l := &foldingList{keys: keys, fold: func(string) string { return "" }}
		s := httptest.NewServer(l)
		c := newClient(t, api.Config{BaseURL: s.URL})
		if key, err := c.AnyKey(context.Background(), path, "custom_id"); key != want || err != nil {
			t.Errorf("%q of %q, %v", key, keys, err)
		}
		c.Close()
		s.Close()
	}
}
