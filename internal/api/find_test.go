package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"flytt/internal/api"
)

// list serves records whose custom_id is asked for, in pages.
type list struct {
	keys     []string // of the records; one that occurs twice is two records
	pageSize int      // at most
	past     int      // status of a page past the end
	stuck    bool     // ignores _page
	deaf     bool     // ignores the filter
	requests atomic.Int32
	longest  atomic.Int32
}

func (l *list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	l.longest.Store(max(l.longest.Load(), int32(len("http://"+r.Host+r.RequestURI))))
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("_page"))
	size, _ := strconv.Atoi(q.Get("_page_size"))
	size = min(size, l.pageSize)
	asked := map[string]bool{}
	for key := range strings.SplitSeq(q.Get("custom_id__in"), ",") {
		asked[key] = true
	}
	var out []string
	for i, key := range l.keys {
		if asked[key] || l.deaf {
			out = append(out, fmt.Sprintf(`{"id":"id-%d","custom_id":%q,"external_client":{}}`, i, key))
		}
	}
	if l.stuck {
		page = 1
	}
	from := min((page-1)*size, len(out))
	if from == len(out) && l.past != 0 {
		w.WriteHeader(l.past)
		return
	}
	fmt.Fprintf(w, "[%s]", strings.Join(out[from:min(from+size, len(out))], ","))
}

func (l *list) find(t *testing.T, canary string, keys ...string) (map[string]api.Found, error) {
	t.Helper()
	return l.lookUp(t, api.Lookup{Keys: keys, Canary: canary})
}

// lookUp looks records of l up by custom_id.
func (l *list) lookUp(t *testing.T, lookup api.Lookup) (map[string]api.Found, error) {
	t.Helper()
	s := httptest.NewServer(l)
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	defer c.Close()
	lookup.Path, lookup.Field = path, "custom_id"
	return c.FindByKeys(t.Context(), lookup)
}

func TestFindByKeys(t *testing.T) {
	var keys []string
	for i := range 1000 {
		keys = append(keys, fmt.Sprintf("Kund %06d åäö", i))
	}
	for _, past := range []int{0, http.StatusNotFound} {
		l := &list{keys: append(keys[:900:900], keys[7]), pageSize: 3, past: past}
		found, err := l.find(t, keys[0], keys...)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 900 || len(found[keys[7]].Records) != 2 || len(found[keys[8]].Records) != 1 || found[keys[8]].Records[0].ID != "id-8" {
			t.Errorf("past %d: %d keys found, %d and %d of two", past, len(found), len(found[keys[7]].Records), len(found[keys[8]].Records))
		}
		if n := l.longest.Load(); n > 2000 {
			t.Errorf("a URL of %d bytes", n)
		}
	}
}

func TestFindByKeysDoesNotBelieveTheBlind(t *testing.T) {
	tests := map[string]struct {
		list   *list
		canary string
		blind  bool
	}{
		"nothing there":    {&list{pageSize: 500}, "A", true},
		"canary not there": {&list{pageSize: 500, keys: []string{"B"}}, "A", true},
		"nothing, as 404":  {&list{pageSize: 500, past: 404}, "A", false},
		"page ignored":     {&list{pageSize: 1, keys: []string{"A", "B"}, stuck: true}, "A", false},
		"filter ignored":   {&list{pageSize: 500, keys: make([]string, 6000), deaf: true}, "", false},
	}
	for name, test := range tests {
		found, err := test.list.find(t, test.canary, "B", "C")
		if err == nil || errors.Is(err, api.ErrCanaryMissing) != test.blind || found != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if found, err := (&list{pageSize: 500, keys: []string{"A"}}).find(t, "A", "B"); err != nil || len(found) != 0 {
		t.Errorf("only the canary: %v, %v", found, err)
	}
}

func TestFindByKeysRepeatsReads(t *testing.T) {
	var n atomic.Int32
	l := &list{pageSize: 500, keys: []string{"A"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			l.ServeHTTP(w, r)
		}
	}))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	found, err := c.FindByKeys(t.Context(), api.Lookup{Path: path, Field: "custom_id", Keys: []string{"A"}})
	if err != nil || len(found["A"].Records) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestFindByKeysStopsAtAStatus(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
	defer s.Close()
	c := newClient(t, api.Config{BaseURL: s.URL})
	_, err := c.FindByKeys(t.Context(), api.Lookup{Path: path, Field: "custom_id", Keys: []string{"A"}})
	var status *api.StatusError
	if !errors.As(err, &status) || status.Status != 401 {
		t.Error(err)
	}
}

func TestLookupable(t *testing.T) {
	for key, want := range map[string]bool{
		"K-1": true, "Å 1": true, "": false, "a,b": true, "a\nb": false, " a": false, "a ": false,
		"\xff": false, strings.Repeat("x", 257): false, "a&b=c?d#e%": true,
	} {
		if api.Lookupable([]byte(key)) != want {
			t.Errorf("%q: not %v", key, want)
		}
	}
}
