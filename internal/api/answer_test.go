package api_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/api"
)

// sentOf returns items as sent, with the keys that key finds in them.
func sentOf(keys []string, items ...string) api.Sent {
	var s api.Sent
	for i, item := range items {
		s.Items = append(s.Items, []byte(item))
		if keys != nil {
			s.Keys = append(s.Keys, []byte(keys[i]))
		}
	}
	return s
}

// match returns for each sent item its id, "+" if it was written without one,
// and "?" if the answer does not show it; or the error.
func match(key string, digits bool, body string, sent api.Sent) string {
	a := api.NewAnswer(key, digits)
	if err := a.Match([]byte(body), sent); err != nil {
		return "error"
	}
	var out []string
	for i := range sent.Items {
		switch {
		case !a.Written(i):
			out = append(out, "?")
		case len(a.ID(i)) == 0:
			out = append(out, "+")
		default:
			out = append(out, string(a.ID(i)))
		}
	}
	return strings.Join(out, " ")
}

func TestAnswerIsMatchedByKey(t *testing.T) {
	sent := sentOf([]string{"A", "B", "C"},
		`{"custom_id":"A","name":"1"}`, `{"custom_id":"B","name":"2"}`, `{"custom_id":"C","name":"3"}`)
	tests := map[string]struct{ body, want string }{
		"in order":          {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"B"},{"id":"c","custom_id":"C"}]`, "a b c"},
		"other order":       {`[{"id":"c","custom_id":"C"},{"id":"a","custom_id":"A"},{"id":"b","custom_id":"B"}]`, "a b c"},
		"echo":              {`[{"custom_id":"A"},{"custom_id":"B"},{"custom_id":"C"}]`, "+ + +"},
		"numeric ids":       {`[{"id":1,"custom_id":"A"},{"id":2,"custom_id":"B"},{"id":3,"custom_id":"C"}]`, "1 2 3"},
		"escaped":           {`[{"id":"a","custom\u005fid":"\u0041"},{"id":"b","custom_id":"B"},{"id":"c","custom_id":"C"}]`, "a b c"},
		"JSON Lines":        {"{\"id\":\"a\",\"custom_id\":\"A\"}\n{\"id\":\"b\",\"custom_id\":\"B\"}\n{\"custom_id\":\"C\"}\n", "a b +"},
		"wrapped":           {`{"count":3,"results":[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"B"},{"id":"c","custom_id":"C"}]}`, "a b c"},
		"one short":         {`[{"id":"a","custom_id":"A"},{"id":"c","custom_id":"C"}]`, "a ? c"},
		"one too many":      {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"B"},{"id":"c","custom_id":"C"},{"id":"d","custom_id":"D"}]`, "a b c"},
		"a key twice":       {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"A"},{"id":"c","custom_id":"C"}]`, "a b c"},
		"a strange key":     {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"X"},{"id":"c","custom_id":"C"}]`, "a b c"},
		"key twice, short":  {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"A"}]`, "a ? ?"},
		"strange, short":    {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"X"}]`, "a ? ?"},
		"another's key":     {`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"A"},{"custom_id":"C"}]`, "a ? +"},
		"an id twice":       {`[{"id":"a","custom_id":"A"},{"id":"a","custom_id":"B"},{"id":"c","custom_id":"C"}]`, "a ? c"},
		"one id":            {`[{"id":"a","custom_id":"A"},{"id":"a","custom_id":"B"},{"id":"a","custom_id":"C"}]`, "a ? ?"},
		"an id too many":    {`[{"id":"x","custom_id":"X"},{"id":"y","custom_id":"Y"},{"id":"z","custom_id":"Z"},{"id":"c","custom_id":"C"}]`, "? ? c"},
		"error in a 200":    {`[{"id":"a","custom_id":"A"},{"custom_id":"B","errors":{"name":["bad"]}},{"id":"c","custom_id":"C"}]`, "a ? c"},
		"why not in a 200":  {`[{"id":"a","custom_id":"A","detail":"new"},{"custom_id":"B","detail":"no"},{"custom_id":"C","message":"no"}]`, "a ? ?"},
		"no error in a 200": {`[{"id":"a","custom_id":"A","errors":[]},{"id":"b","custom_id":"B","error":null},{"id":"c","custom_id":"C"}]`, "a b c"},
		"ids only":          {`[{"id":"a"},{"id":"b"},{"id":"c"}]`, "a b c"},
		"ids only, short":   {`[{"id":"a"},{"id":"b"}]`, "? ? ?"},
		"empty objects":     {`[{},{},{}]`, "? ? ?"},
		"keys of null":      {`[{"id":"a","custom_id":null},{"id":"b","custom_id":"B"},{"id":"c","custom_id":"C"}]`, "a b c"},
		"empty array":       {`[]`, "? ? ?"},
		"an error object":   {`{"detail":"accepted, but"}`, "? ? ?"},
		"nothing":           {``, "error"},
		"HTML":              {`<html><title>Login</title></html>`, "error"},
		"cut":               {`[{"id":"a","custom_id":"A"},{"id":"b"`, "error"},
		"more behind":       {`[{"id":"a","custom_id":"A"}] [`, "error"},
		"a text":            {`"ok"`, "error"},
		"numbers":           {`[1,2,3]`, "error"},
		"invalid UTF-8":     {"[{\"id\":\"a\",\"custom_id\":\"\xff\"}]", "error"},
		"a name twice":      {`[{"id":"a","id":"b","custom_id":"A"}]`, "error"},
	}
	for name, test := range tests {
		if got := match("custom_id", false, test.body, sent); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestAnswerWithTheSameKeyTwice(t *testing.T) {
	sent := sentOf([]string{"A", "A", ""}, `{"custom_id":"A","name":"1"}`, `{"custom_id":"A","name":"2"}`, `{"name":"3"}`)
	got := match("custom_id", false, `[{"id":"y","custom_id":"A","name":"2"},{"id":"z","custom_id":"","name":"3"},{"id":"x","custom_id":"A","name":"1"}]`, sent)
	if got != "x y z" {
		t.Errorf("got %s", got)
	}
}

func TestAnswerIsMatchedByFields(t *testing.T) {
	sent := sentOf(nil, `{"name":"1","external_client":{"id":"11111111-2222-3333-4444-55555555555a"},"ssn":"198501022399"}`, `{"name":"2"}`, `{"name":"3"}`)
	tests := map[string]struct{ body, want string }{
		"in order":        {`[{"id":"a","name":"1","external_client":{},"ssn":"19850102-2399"},{"id":"b","name":"2"},{"id":"c","name":"3"}]`, "a b c"},
		"other order":     {`[{"id":"c","name":"3"},{"id":"a","name":"1","external_client":"11111111-2222-3333-4444-55555555555A","ssn":"198501022399"},{"id":"b","name":"2"}]`, "a b c"},
		"expanded":        {`[{"id":"c","name":"3"},{"id":"a","name":"1","external_client":{"id":"11111111-2222-3333-4444-55555555555a","name":"AB"},"ssn":"198501022399"},{"id":"b","name":"2"}]`, "a b c"},
		"one changed":     {`[{"id":"a","name":"one"},{"id":"b","name":"2"},{"id":"c","name":"3"}]`, "a b c"},
		"changed, moved":  {`[{"id":"b","name":"2"},{"id":"a","name":"one"},{"id":"c","name":"3"}]`, "a b c"},
		"short":           {`[{"id":"a","name":"1"},{"id":"b","name":"2"}]`, "? b ?"},
		"echo":            {`[{"name":"1","external_client":{},"ssn":"198501022399"},{"name":"2"},{"name":"3"}]`, "+ + +"},
		"no ids, changed": {`[{"name":"one"},{"name":"2"},{"name":"3"}]`, "? + +"},
	}
	for name, test := range tests {
		if got := match("", false, test.body, sent); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// The search for items out of place is bounded. What it leaves is matched by
// position: there is an id for each row.
func TestAnswerToManyRowsWithoutKeys(t *testing.T) {
	const n = 1500
	var items, upper []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"name":"row %d"}`, i))
		upper = append(upper, fmt.Sprintf(`{"id":"%d","name":"ROW %d"}`, i, i))
	}
	sent := sentOf(nil, items...)
	if got := match("", false, "["+strings.Join(upper, ",")+"]", sent); strings.Contains(got, "?") || !strings.HasPrefix(got, "0 1 2 ") {
		t.Errorf("rows that the API stores in another form are not matched in order: %.40s", got)
	}
	upper[0], upper[1] = `{"id":"1","name":"row 1"}`, `{"id":"0","name":"row 0"}`
	got := strings.Fields(match("", false, "["+strings.Join(upper, ",")+"]", sent))
	if got[0] != "0" || got[1] != "1" || got[n-1] != strconv.Itoa(n-1) {
		t.Errorf("after rows out of place: %v … %s", got[:2], got[n-1])
	}
}

func TestAnswerKeysByDigitsAndNested(t *testing.T) {
	sent := sentOf([]string{"198501022399", "200002292381"}, `{"ssn":"198501022399"}`, `{"ssn":"200002292381"}`)
	body := `[{"id":"b","ssn":"20000229-2381"},{"id":"a","ssn":"19850102-2399"}]`
	if got := match("ssn", true, body, sent); got != "a b" {
		t.Errorf("by digits: got %s", got)
	}
	if got := match("ssn", false, body, sent); got != "a b" {
		t.Errorf("as they are: got %s", got)
	}
	nested := sentOf([]string{"1", "2"}, `{"a":{"b":1}}`, `{"a":{"b":2}}`)
	if got := match("a.b", false, `[{"id":"y","a":{"c":0,"b":2}},{"id":"x","a":1}]`, nested); got != "x y" {
		t.Errorf("nested: got %s", got)
	}
}

func TestSame(t *testing.T) {
	tests := []struct {
		sent, got string
		want      bool
	}{
		{`{}`, `{"name":"x"}`, true},
		{`{"name":"x"}`, `{"name":"x","id":"1"}`, true},
		{`{"name":"x"}`, `{"name":"y"}`, false},
		{`{"name":"x"}`, `{}`, false},
		{`{"name":null}`, `{}`, true},
		{`{"name":null}`, `{"name":null}`, true},
		{`{"name":null}`, `{"name":"x"}`, false},
		{`{"name":"x"}`, `{"name":null}`, false},
		{`{"name":"a\"å\\"}`, `{"name":"a\u0022\u00e5\u005c"}`, true},
		{`{"n":1}`, `{"n":1.0}`, true},
		{`{"n":1}`, `{"n":2}`, false},
		{`{"n":1}`, `{"n":"x"}`, false},
		{`{"n":true}`, `{"n":true}`, true},
		{`{"n":true}`, `{"n":false}`, false},
		{`{"n":[1,"a"]}`, `{"n":[1,"a"]}`, true},
		{`{"n":[1,"a"]}`, `{"n":[1]}`, false},
		{`{"n":[1]}`, `{"n":[1,"a"]}`, false},
		{`{"n":[1]}`, `{"n":1}`, false},
		{`{"custom_id":"12-3"}`, `{"custom_id":"1-23"}`, false},
		{`{"org_no":"5560160680"}`, `{"org_no":"556016-0680"}`, true},
		{`{"c":{"id":"x"}}`, `{"c":{"id":"x","name":"AB"}}`, true},
		{`{"c":{"id":"x"}}`, `{"c":{"id":"y"}}`, false},
		{`{"c":{"id":"x"}}`, `{"c":"x"}`, true},
		{`{"c":{"id":"x"}}`, `{"c":{}}`, true},
		{`{"c":{"id":"x"}}`, `{"c":null}`, false},
	}
	for _, test := range tests {
		if got := api.Same([]byte(test.sent), []byte(test.got)); got != test.want {
			t.Errorf("Same(%s, %s) = %v", test.sent, test.got, got)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	sent := sentOf([]string{"A", "B", "C"}, `{}`, `{}`, `{}`)
	one := sentOf([]string{"A"}, `{}`)
	type r = api.Refusal
	tests := map[string]struct {
		sent api.Sent
		body string
		want []r
	}{
		"detail":              {sent, `{"detail":"Bad data."}`, []r{{-1, "", "Bad data."}}},
		"fields of many":      {sent, `{"name":["Required."],"title":["Long."]}`, []r{{-1, "name", "Required."}, {-1, "title", "Long."}}},
		"fields of one":       {one, `{"name":["Required.","Odd."],"title":"Long."}`, []r{{0, "name", "Required."}, {0, "name", "Odd."}, {0, "title", "Long."}}},
		"aligned":             {sent, `[{},{"name":["Required."]},{}]`, []r{{1, "name", "Required."}}},
		"aligned with null":   {sent, `[null,[],{"title":["Long."],"name":["Short."]}]`, []r{{2, "title", "Long."}, {2, "name", "Short."}}},
		"aligned, all":        {sent, `[{"name":["1"]},{"name":["2"]},{"name":["3"]}]`, []r{{0, "name", "1"}, {1, "name", "2"}, {2, "name", "3"}}},
		"aligned, nested":     {sent, `[{},{},{"external_client":{"id":["Unknown."]}}]`, []r{{2, "external_client.id", "Unknown."}}},
		"aligned, generic":    {sent, `[{},{},{"non_field_errors":["Both set."]}]`, []r{{2, "", "Both set."}}},
		"aligned, none":       {sent, `[{},{},{}]`, []r{{-1, "", ""}}},
		"list of other size":  {sent, `[{"name":["Required."]}]`, []r{{-1, "name", "Required."}}},
		"list of texts":       {sent, `["a","b","c"]`, []r{{-1, "", "a"}, {-1, "", "b"}, {-1, "", "c"}}},
		"text for one":        {one, `["Expected a list."]`, []r{{0, "", "Expected a list."}}},
		"by index":            {sent, `{"2":{"name":["Required."]},"0":["Odd."]}`, []r{{0, "", "Odd."}, {2, "name", "Required."}}},
		"by index beyond":     {sent, `{"4":{"name":["Required."]}}`, []r{{-1, "4.name", "Required."}}},
		"by key":              {sent, `{"C":{"name":["Required."]}}`, []r{{2, "name", "Required."}}},
		"records by index":    {sent, `[{"index":1,"field":"name","message":"Required."}]`, []r{{1, "name", "Required."}}},
		"records, fields":     {sent, `[{"index":1,"name":["Required."]},{"index":2,"title":["Long."]}]`, []r{{1, "name", "Required."}, {2, "title", "Long."}}},
		"records by key":      {sent, `[{"custom_id":"C","message":"Taken."},{"custom_id":"A","errors":{"name":["Odd."]}}]`, []r{{0, "name", "Odd."}, {2, "", "Taken."}}},
		"records of no item":  {sent, `[{"field":"name","message":"1"},{"field":"name","message":"2"},{"field":"title","message":"3"}]`, []r{{-1, "name", "1"}, {-1, "name", "2"}, {-1, "title", "3"}}},
		"record of one":       {one, `[{"field":"name","message":"Required."}]`, []r{{0, "name", "Required."}}},
		"errors, aligned":     {sent, `{"errors":[{},{"name":["Required."]},{}]}`, []r{{1, "name", "Required."}}},
		"errors, by index":    {sent, `{"status":400,"errors":{"1":{"name":["Required."]}}}`, []r{{1, "name", "Required."}}},
		"errors, by field":    {sent, `{"errors":{"name":["Required."]}}`, []r{{-1, "name", "Required."}}},
		"errors, text":        {sent, `{"errors":"Bad."}`, []r{{-1, "", "Bad."}}},
		"errors within error": {sent, `{"error":{"errors":[{"index":2,"message":"Odd."}]}}`, []r{{2, "", "Odd."}}},
		"plain text":          {sent, ` Bad request `, []r{{-1, "", "Bad request"}}},
		"HTML":                {sent, `<!doctype html><html><head><TITLE> 400 Bad </TITLE></head>`, []r{{-1, "", "an HTML page: 400 Bad"}}},
		"HTML, no title":      {sent, `<p>no</p>`, []r{{-1, "", "an HTML page"}}},
		"nothing":             {sent, ``, []r{{-1, "", ""}}},
		"null":                {sent, `null`, []r{{-1, "", ""}}},
		"a text":              {sent, `"no"`, []r{{-1, "", "no"}}},
		"cut":                 {sent, `[{},{"name":["Requ`, []r{{-1, "", `[{},{"name":["Requ`}}},
	}
	for name, test := range tests {
		got, _ := api.ParseRefusals([]byte(test.body), test.sent, api.FromZero)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	one := sentOf(nil, `{}`)
	body := `{"name":[` + strings.Repeat(`"`+strings.Repeat("å", 400)+`",`, 1000) + `"x"]}`
	got, _ := api.ParseRefusals([]byte(body), one, api.UnknownBase)
	if len(got) != 20 || len(got[0].Message) > 310 || !strings.HasSuffix(got[0].Message, "å…") {
		t.Errorf("%d reasons, first of %d bytes", len(got), len(got[0].Message))
	}
	deep := strings.Repeat(`{"a":`, 5000) + `"x"` + strings.Repeat(`}`, 5000)
	if got, _ := api.ParseRefusals([]byte(deep), one, api.UnknownBase); len(got) != 1 {
		t.Errorf("deep: %v", got)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

var fuzzSent = sentOf([]string{"A", "B", ""},
	`{"custom_id":"A","name":"1"}`, `{"custom_id":"B","external_client":{"id":"x"}}`, `{"name":"3","tags":[1,2]}`)

func addBodies(f *testing.F) {
	for _, s := range []string{
		`[{"id":"a","custom_id":"A"},{"id":"b","custom_id":"B"},{"id":"c","name":"3"}]`,
		`{"id":"a","custom_id":"A"}` + "\n" + `{"id":"b"}`, `{"results":[{"custom_id":"A"}]}`, `[]`, `{}`, `[[],{}]`, ``,
		`[{},{"name":["x"]},null]`, `{"1":{"name":["x"]}}`, `{"errors":{"B":[{"a":{"b":"c"}}]}}`, `{"detail":"x"}`,
		`[{"index":1,"field":"name","message":"x"}]`, `[{"row":3,"line":3,"name":["x"]},{"custom_id":"A","index":0}]`, `<html><title>x`, `"\ud800"`, `[{"custom_id":"\u0041\"","errors":[]}]`,
		` [ { "id" : 1e3 , "custom_id" : "A\\" } ] `, `{"tags":[1,2],"external_client":"x"}`,
	} {
		f.Add([]byte(s))
	}
}

func FuzzAnswer(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		a := api.NewAnswer("custom_id", false)
		var err error
		used := allocated(func() { err = a.Match(body, fuzzSent) })
		if limit := uint64(64*len(body) + 1<<20); used > limit {
			t.Errorf("%d bytes allocated for %d", used, len(body))
		}
		for i := range fuzzSent.Items {
			if err == nil && a.Written(i) && len(body) < 4 {
				t.Errorf("item %d written by an answer of %d bytes", i, len(body))
			}
		}
	})
}

func FuzzRefusals(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var got []api.Refusal
		var known api.IndexBase
		used := allocated(func() { got, known = api.ParseRefusals(body, fuzzSent, api.UnknownBase) })
		if limit := uint64(256*len(body) + 1<<20); used > limit {
			t.Errorf("%d bytes allocated for %d", used, len(body))
		}
		if len(got) == 0 {
			t.Error("no refusal at all")
		}
		again, still := api.ParseRefusals(body, fuzzSent, known)
		if diff := cmp.Diff(got, again); diff != "" || still != known {
			t.Errorf("base %v, then %v (-first +again):\n%s", known, still, diff)
		}
		for _, r := range got {
			if r.Item < -1 || r.Item >= len(fuzzSent.Items) || len(r.Message) > 310 {
				t.Errorf("item %d, message of %d bytes", r.Item, len(r.Message))
			}
		}
	})
}

// realistic returns n items, sent as they are and as the API gives them back.
func realistic(n int, keyed bool) (sent api.Sent, body []byte) {
	b := bytes.NewBufferString("[")
	for i := range n {
		key := fmt.Sprintf("K-%07d", i)
		item := fmt.Sprintf(`"name":"Företaget %d AB","external_client":{"id":"5f0c1c5e-7f8e-4d5e-9d1b-%012d"},"title":"Ekonomiansvarig","ssn":"198501022399","custom_id":"%s","first_name":"Åsa","last_name":"Öberg","email":"asa.oberg%d@example.se","phone_number":"+46701740605"`, i, i, key, i)
		sent.Items = append(sent.Items, []byte("{"+item+"}"))
		if keyed {
			sent.Keys = append(sent.Keys, []byte(key))
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"id":"6a0c1c5e-7f8e-4d5e-9d1b-%012d","created_at":"2026-01-05T10:00:00Z","tags":null,"customer_columns":null,"organization":null,%s}`, i, item)
	}
	b.WriteByte(']')
	return sent, b.Bytes()
}

func BenchmarkAnswer(b *testing.B) {
	for name, key := range map[string]string{"key": "custom_id", "fields": ""} {
		b.Run(name, func(b *testing.B) {
			sent, body := realistic(500, key != "")
			a := api.NewAnswer(key, false)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Match(body, sent); err != nil || !a.Written(499) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
		})
	}
}

// rewritten returns n items as sent, and the answer of an API that stores every
// text in lower case and each address in another form. The record of item shift
// comes first.
func rewritten(n, shift int) (sent api.Sent, body []byte) {
	sent, _ = realistic(n, true)
	b := bytes.NewBufferString("[")
	for k := range n {
		i := (k + shift) % n
		item := bytes.ReplaceAll(bytes.ToLower(sent.Items[i]), []byte("asa.oberg"), []byte("x"))
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"id":"%d",%s`, i, item[1:])
	}
	b.WriteByte(']')
	return sent, b.Bytes()
}

// Servers that rewrite every key cost more, but not more for each row when there
// are more rows.
func BenchmarkAnswerRewritten(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sent, body := rewritten(n, n/3)
			a := api.NewAnswer("custom_id", false)
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Match(body, sent); err != nil || string(a.ID(n-1)) != strconv.Itoa(n-1) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
		})
	}
}

// Rows that share their values in every field, and keys that say nothing, do not
// make the search quadratic.
func TestAnswerToRowsThatAreAlike(t *testing.T) {
	const n, alike = 4000, 40
	var sent api.Sent
	b := bytes.NewBufferString("[")
	for i := range n {
		fields := fmt.Sprintf(`"name":"name %d","title":"title %d","email":"mail %d"`, i/alike, i%alike, i/alike)
		sent.Items = append(sent.Items, []byte("{"+fields+"}"))
		sent.Keys = append(sent.Keys, fmt.Appendf(nil, "K%d", i))
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"id":"%d","custom_id":"x","phone":"%d",%s}`, i, i, strings.ToUpper(fields))
	}
	b.WriteByte(']')
	a := api.NewAnswer("custom_id", false)
	var err error
	used := allocated(func() { err = a.Match(b.Bytes(), sent) })
	if limit := uint64(n * 20_000); err != nil || used > limit {
		t.Errorf("%d bytes allocated, %v", used, err)
	}
	for i := range n {
		if !a.Written(i) {
			t.Fatalf("row %d is not written", i)
		}
	}
}
