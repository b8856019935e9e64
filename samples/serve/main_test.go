package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"flytt/samples"
)

type row struct {
	ID        string `json:"id"`
	CustomID  string `json:"custom_id"`
	CreatedAt string `json:"created_at"`
}

// get returns the rows of an answer, which are those of an array.
func get(t *testing.T, l *list, query string) (rows []row) {
	t.Helper()
	w := httptest.NewRecorder()
	l.ServeHTTP(w, httptest.NewRequest("GET", path+"?"+query, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil {
		t.Fatalf("%s: status %d: %v", query, w.Code, err)
	}
	return rows
}

func numbers(rows []row) string {
	var out []string
	for _, r := range rows {
		out = append(out, strings.TrimLeft(strings.TrimPrefix(r.CustomID, "K-"), "0"))
	}
	return strings.Join(out, " ")
}

func TestListKnowsWhatAReaderAsks(t *testing.T) {
	l := newList(20)
	all := get(t, l, "")
	if len(all) != 20 || !slices.IsSortedFunc(all, func(a, b row) int { return strings.Compare(a.CreatedAt, b.CreatedAt) }) {
		t.Fatalf("all rows: %v", all)
	}
	at := func(i int) string { return all[i].CreatedAt }
	for query, want := range map[string]string{
		"_page=2&_page_size=3":                               "3 4 5",
		"_page=7&_page_size=3":                               "18 19",
		"_page=8&_page_size=3":                               "",
		"_order_by=-created_at,-id&_page=1&_page_size=1":     "19",
		"_order_by=-created_at,-id&_page=7&_page_size=3":     "1 ",
		"created_at__gte=" + at(17):                          "17 18 19",
		"created_at__gt=" + at(17):                           "18 19",
		"created_at__lte=" + at(1) + "&_page=1&_page_size=9": " 1",
		"created_at__lt=" + at(1):                            "",
		"created_at__gte=" + at(5) + "&created_at__lte=" + at(9) + "&_page=2&_page_size=2": "7 8",
		"created_at__gte=2023-01-01T00:00:00Z&created_at__lte=2023-01-02T00:00:00Z":        "",
	} {
		if got := numbers(get(t, l, query)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if slim := get(t, l, "_slim=true&_page=1&_page_size=2"); slim[1] != (row{ID: all[1].ID}) {
		t.Errorf("slim: %v", slim)
	}
}

func TestListOfJSONLines(t *testing.T) {
	w := httptest.NewRecorder()
	newList(3).ServeHTTP(w, httptest.NewRequest("GET", path+"?_jsonl=true", nil))
	lines := bytes.Split(bytes.TrimSuffix(w.Body.Bytes(), []byte("\n")), []byte("\n"))
	for _, line := range lines {
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if len(lines) != 3 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestListRefusesWhatItCannotRead(t *testing.T) {
	for _, query := range []string{"_page=x&_page_size=1", "_page=1", "created_at__gte=yesterday"} {
		w := httptest.NewRecorder()
		newList(1).ServeHTTP(w, httptest.NewRequest("GET", path+"?"+query, nil))
		if w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestWritesAreEchoed(t *testing.T) {
	h := handler(newList(1), &echo{})
	post := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
		return w
	}
	var rows []row
	for i, body := range []string{`[{"custom_id":"A"},{"custom_id":"B,\"]"}]`, `[ {"custom_id":"C"} ]`} {
		w := post(body)
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil || w.Code != 201 || len(rows) != 2-i {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if rows[0].CustomID != "C" || rows[0].ID != "00000000-0000-4000-8000-000000000002" {
		t.Errorf("%v", rows)
	}
	for query, want := range map[string]int{"custom_id__in=A": 0, "custom_id__in=C": 1, "": 1} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path+"?_page=1&_page_size=500&"+query, nil))
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil || len(rows) != want {
			t.Errorf("%s: %s", query, w.Body)
		}
	}
	if w := post(`[{"custom_id":`); w.Code != 400 {
		t.Errorf("half a body: %d", w.Code)
	}
}

func TestRunRefusesFlagsThatCannotBe(t *testing.T) {
	for _, args := range [][]string{{"-rows", "-1"}, {"more"}, {"-nosuch"}} {
		var out, errs bytes.Buffer
		if err := run(args, &out, &errs); !errors.Is(err, samples.ErrUsage) || errs.Len() == 0 {
			t.Errorf("%v: %v", args, err)
		}
	}
}
