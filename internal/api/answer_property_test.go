package api_test

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"flytt/internal/api"
)

// rewritings are what servers make of a text that they store.
var rewritings = map[string]func(string) string{
	"nothing":      func(s string) string { return s },
	"collapse":     func(s string) string { return strings.Join(strings.Fields(s), " ") },
	"lower":        strings.ToLower,
	"upper":        strings.ToUpper,
	"escape":       html.EscapeString,
	"nfc":          norm.NFC.String,
	"nfkc":         norm.NFKC.String,
	"nfd":          norm.NFD.String,
	"strip zeros":  func(s string) string { return strings.TrimLeft(s, "0") },
	"strip dashes": func(s string) string { return strings.ReplaceAll(s, "-", "") },
	"truncate":     func(s string) string { return string([]rune(s)[:min(len([]rune(s)), 7)]) },
	"prefix":       func(s string) string { return "SE/" + s },
	"national":     func(s string) string { return strings.Replace(s, "+46", "0", 1) },
	"reverse":      func(s string) string { r := []rune(s); slices.Reverse(r); return string(r) },
	"constant":     func(string) string { return "x" },
	"drop":         nil,
}

// someServer is a server that keeps rows in a form of its own.
type someServer struct {
	r       *rand.Rand
	rewrite map[string]string // by field: the name of what is done to it
}

// newServer returns a server that rewrites any fields but those that it keeps.
func newServer(r *rand.Rand, keeps ...string) *someServer {
	names := make([]string, 0, len(rewritings))
	for name := range rewritings {
		names = append(names, name)
	}
	slices.Sort(names)
	s := &someServer{r: r, rewrite: map[string]string{}}
	for _, field := range rowFields {
		if r.IntN(3) > 0 && !slices.Contains(keeps, field) {
			s.rewrite[field] = names[r.IntN(len(names))]
		}
	}
	if s.rewrite["custom_id"] == "reverse" { // a key that becomes another row's is that row's
		delete(s.rewrite, "custom_id")
	}
	return s
}

// store returns the record that becomes of row n.
func (s *someServer) store(n int, row map[string]string) map[string]any {
	record := map[string]any{"id": idOfRow(n), "created_at": "2026-01-05T10:00:00Z", "organization": map[string]any{}, "tags": []any{}}
	for field, v := range row {
		f := rewritings[s.rewrite[field]]
		switch {
		case s.rewrite[field] == "":
			record[field] = v
		case f != nil:
			record[field] = f(v)
		}
	}
	if s.r.IntN(4) == 0 {
		record["x"+fmt.Sprint(s.r.IntN(9))] = s.r.IntN(100)
	}
	return record
}

func idOfRow(n int) string { return fmt.Sprintf("id-%d", n) }

var rowFields = []string{"custom_id", "name", "email", "title", "phone_number"}

// someRows returns rows with keys of which no two are equal. Of each distinct
// field every row has a value of its own; other values are shared, as in
// households.
func someRows(r *rand.Rand, n int, distinct ...string) []map[string]string {
	forms := []string{"K-%04d", "00%d-A", "Förteckning  %d", "R&D %d", "A\u030Angström %d", "\uFF2B%d", "%d"}
	form := forms[r.IntN(len(forms))]
	rows := make([]map[string]string, n)
	for i := range rows {
		rows[i] = map[string]string{"custom_id": fmt.Sprintf(form, i+1)}
		for _, field := range rowFields[1:] {
			value := map[string]string{
				"name": "Åsa  Öberg %d", "email": "Asa.Oberg%d@Example.se", "title": "Ägare & styrelse %d", "phone_number": "+4670174%04d",
			}[field]
			number := r.IntN(3)
			if slices.Contains(distinct, field) {
				number = 100 + i
			}
			rows[i][field] = fmt.Sprintf(value, number)
		}
	}
	return rows
}

func sentRows(rows []map[string]string) api.Sent {
	var sent api.Sent
	for _, row := range rows {
		item, _ := json.Marshal(row)
		sent.Items = append(sent.Items, item)
		sent.Keys = append(sent.Keys, []byte(row["custom_id"]))
	}
	return sent
}

// wrapped returns the records in one of the shapes of answers.
func wrapped(r *rand.Rand, records []map[string]any) []byte {
	var body any = records
	switch r.IntN(5) {
	case 0:
		body = map[string]any{"count": len(records), "results": records}
	case 1:
		var entries []any
		for _, record := range records {
			entries = append(entries, map[string]any{"status": 201, "data": record})
		}
		body = entries
	case 2:
		body = map[string]any{"created": records, "errors": []any{}}
	case 3:
		var lines []byte
		for _, record := range records {
			line, _ := json.Marshal(record)
			lines = append(append(lines, line...), '\n')
		}
		return lines
	}
	out, _ := json.Marshal(body)
	return out
}

func shuffled[T any](r *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	if r.IntN(3) > 0 {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// eachServer calls f with a random source for each of many servers.
func eachServer(t *testing.T, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	n := uint64(1500)
	if testing.Short() {
		n = 300
	}
	for seed := range n {
		f(t, rand.New(rand.NewPCG(seed, 11)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestFault48ManyNewIDs has answers show as many distinct ids as rows: every row was
// created, and gets an item that no other row gets.
func TestFault48ManyNewIDs(t *testing.T) {
	eachServer(t, func(t *testing.T, r *rand.Rand) {
		rows := someRows(r, 1+r.IntN(30))
		server := newServer(r)
		var records []map[string]any
		for i, row := range rows {
			records = append(records, server.store(i, row))
		}
		sent := sentRows(rows)
		body := wrapped(r, shuffled(r, records))
		a := api.NewAnswer("custom_id", r.IntN(4) == 0)
		if err := a.Match(body, sent); err != nil {
			t.Error(err)
			return
		}
		ids := map[string]bool{}
		for i := range rows {
			if !a.Written(i) || a.MatchedBy(i) == api.NotShown || a.Object(i) == nil {
				t.Errorf("%v: row %d of %d is not written", server.rewrite, i, len(rows))
			}
			ids[string(a.ID(i))] = true
		}
		if len(ids) != len(rows) || len(a.UnmatchedIDs()) > 0 || len(a.Refusals()) > 0 || a.Refused() {
			t.Errorf("%v: %d ids for %d rows, %d loose", server.rewrite, len(ids), len(rows), len(a.UnmatchedIDs()))
		}
	})
}

// With one field that tells the rows apart and is stored as it was sent, each row
// gets its own id. The rows that were not stored are never written; those that
// were may be in doubt.
func TestRowsGetTheirOwnRecords(t *testing.T) {
	found, stored := 0, 0
	eachServer(t, func(t *testing.T, r *rand.Rand) {
		kept := rowFields[r.IntN(len(rowFields))]
		rows := someRows(r, 1+r.IntN(30), kept)
		server := newServer(r, kept)
		lost := r.IntN(2) == 0
		var records []map[string]any
		there := make([]bool, len(rows))
		for i, row := range rows {
			if there[i] = !lost || r.IntN(4) > 0; there[i] {
				records = append(records, server.store(i, row))
			}
		}
		a := api.NewAnswer("custom_id", false)
		if len(records) == 0 {
			return
		}
		if err := a.Match(wrapped(r, shuffled(r, records)), sentRows(rows)); err != nil {
			t.Error(err)
		}
		for i := range rows {
			switch {
			case a.Written(i) && string(a.ID(i)) != idOfRow(i):
				t.Errorf("%v, %s kept: row %d has the id of another: %s", server.rewrite, kept, i, a.ID(i))
			case len(records) == len(rows) && !a.Written(i):
				t.Errorf("%v, %s kept: row %d is not written", server.rewrite, kept, i)
			case lost && there[i]:
				stored++
				if a.Written(i) {
					found++
				}
			}
		}
	})
	if found < stored/2 {
		t.Errorf("only %d of %d rows found in answers that do not show all", found, stored)
	}
}

// A server that stores the good rows and tells of each bad one in a way of its
// own: no bad row is written, and no good one is blamed.
func TestSingleItemsThatFail(t *testing.T) {
	named := 0
	eachServer(t, func(t *testing.T, r *rand.Rand) {
		rows := someRows(r, 2+r.IntN(20), "email")
		server := newServer(r, "email")
		way := r.IntN(6)
		bad := make([]bool, len(rows))
		var entries, failed []any
		byIndex := map[string]any{}
		some := false
		for i, row := range rows {
			if bad[i] = r.IntN(4) == 0; !bad[i] {
				entries, some = append(entries, server.store(i, row)), true
				continue
			}
			entry := map[string]any{"errors": map[string]any{"name": []string{idOfRow(i)}}}
			switch way {
			case 0:
				entry["index"] = i
			case 1:
				entry["key"] = row["custom_id"]
			case 4:
				entry["position"] = i
				failed = append(failed, entry)
				continue
			case 5:
				byIndex[fmt.Sprint(i)] = entry["errors"]
				continue
			}
			entries = append(entries, entry)
		}
		if way != 3 { // which says it by the place alone
			entries = shuffled(r, entries)
		}
		var answer any = entries
		switch way {
		case 4:
			answer = map[string]any{"created": entries, "failed": failed}
		case 5:
			answer = map[string]any{"success": len(byIndex) == 0, "results": entries, "errors": byIndex}
		}
		body, _ := json.Marshal(answer)
		a := api.NewAnswer("custom_id", false)
		if err := a.Match(body, sentRows(rows)); err != nil {
			t.Error(err)
		}
		for i := range rows {
			if a.Written(i) && (bad[i] || string(a.ID(i)) != idOfRow(i)) {
				t.Errorf("%v, way %d: row %d, bad: %v, has id %s", server.rewrite, way, i, bad[i], a.ID(i))
			}
		}
		if a.Refused() == some {
			t.Errorf("way %d: refused: %v", way, a.Refused())
		}
		for _, refusal := range a.Refusals() {
			switch {
			case refusal.Item < 0:
			case way == 2 && !bad[refusal.Item], way != 2 && refusal.Message != idOfRow(refusal.Item):
				t.Errorf("%v, way %d: row %d is blamed for %s", server.rewrite, way, refusal.Item, refusal.Message)
			default:
				named++
			}
		}
	})
	if named < 500 && !testing.Short() {
		t.Errorf("only %d failures named", named)
	}
}

// FuzzMatch holds every answer to what is promised of all of them.
func FuzzMatch(f *testing.F) {
	addBodies(f)
	for _, s := range []string{
		`[{"status":201,"data":{"id":"a","custom_id":"A"}},{"status":400,"error":{"name":["x"]}}]`,
		`{"errors":true,"items":[{"create":{"_id":"a","status":201}},{"index":{"status":400,"error":{"reason":"x"}}}]}`,
		`{"created":[{"id":"a","custom_id":"a"}],"failed":[{"index":1,"message":"x"}]}`, `{"success":false,"errors":[{"index":1}]}`,
		`{"results":[{"id":"a"},null],"errors":{"1":["x"]}}`, `[{"id":"a","name":"1"},{"id":"a"},{"id":"c","custom_id":"&amp;B"}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := api.NewAnswer("custom_id", false)
		if a.Match(body, fuzzSent) != nil {
			return
		}
		ids, written := map[string]bool{}, 0
		for i := range fuzzSent.Items {
			if !a.Written(i) {
				continue
			}
			written++
			if id := string(a.ID(i)); id != "" {
				if ids[id] {
					t.Errorf("two rows have the id %q", id)
				}
				ids[id] = true
			}
			if a.MatchedBy(i) == api.NotShown || a.Object(i) == nil {
				t.Error("a row is written, and nothing shows it")
			}
		}
		for _, r := range a.Refusals() {
			if r.Item >= 0 && a.Written(r.Item) {
				t.Errorf("row %d is written and failed", r.Item)
			}
		}
		if a.Refused() && written+len(a.UnmatchedIDs()) > 0 {
			t.Error("refused, and yet there are records")
		}
		for _, id := range a.UnmatchedIDs() {
			if ids[string(id)] {
				t.Errorf("the id %q is loose and a row's", id)
			}
			ids[string(id)] = true
		}
		if len(ids) == len(fuzzSent.Items) && written < len(ids) {
			t.Errorf("%d ids for %d rows, and %d are written", len(ids), len(fuzzSent.Items), written)
		}
	})
}
