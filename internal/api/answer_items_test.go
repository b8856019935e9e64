package api_test

import (
	"fmt"
	"strings"
	"testing"

	"flytt/internal/api"
)

// fates returns for each row its id, "+" if it is written without one, "!" and
// the fields and words of the API if it failed, and "?" if nothing is known of it;
// then, after a bar, what is said of no row, and "refused" if that is what the
// answer is.
func fates(a *api.Answer, sent api.Sent) string {
	out := make([]string, len(sent.Items))
	var rest []string
	for _, r := range a.Refusals() {
		words := strings.TrimPrefix(r.Field+":"+r.Message, ":")
		if r.Item < 0 {
			rest = append(rest, words)
			continue
		}
		if out[r.Item] != "" {
			out[r.Item] += "&"
		}
		out[r.Item] += "!" + words
	}
	for i := range out {
		switch {
		case a.Written(i) && out[i] != "":
			out[i] = "written and " + out[i]
		case a.Written(i) && len(a.ID(i)) == 0:
			out[i] = "+"
		case a.Written(i):
			out[i] = string(a.ID(i))
		case out[i] == "":
			out[i] = "?"
		}
	}
	s := strings.Join(out, " ")
	if a.Refused() {
		rest = append(rest, "refused")
	}
	if len(rest) > 0 {
		s += " | " + strings.Join(rest, ", ")
	}
	return s
}

func TestFault46SingleItems(t *testing.T) {
	sent := sentOf([]string{"A", "B", "C"},
		`{"custom_id":"A","name":"Ann","email":"a@x.se"}`, `{"custom_id":"B","name":"Bob","email":"b@"}`, `{"custom_id":"C","name":"Cid","email":"c@x.se"}`)
	const a, c = `{"id":"a","custom_id":"A","name":"Ann","email":"a@x.se"}`, `{"id":"c","custom_id":"C","name":"Cid","email":"c@x.se"}`
	tests := map[string]struct{ body, want string }{
		// {status, data | error}
		"status and data":       {`[{"status":201,"data":` + a + `},{"status":400,"error":{"email":["Bad."]}},{"status":201,"data":` + c + `}]`, "a !email:Bad. c"},
		"all went through":      {`[{"status":201,"data":` + a + `},{"status":201,"data":{"id":"b","custom_id":"B"}},{"status":201,"data":` + c + `}]`, "a b c"},
		"statusCode and body":   {`[{"statusCode":201,"body":` + a + `},{"statusCode":422,"body":{"errors":{"email":["Bad."]}}},{"statusCode":200,"body":` + c + `}]`, "a !email:Bad. c"},
		"faults in the body":    {`[{"status":201,"body":` + a + `},{"status":400,"body":{"email":["Bad."],"name":["Odd.","Long."]}},{"status":200,"body":` + c + `}]`, "a !email:Bad.&!name:Odd.&!name:Long. c"},
		"code and response":     {`[{"code":201,"response":` + a + `},{"code":"400","message":"Bad."},{"code":200,"response":` + c + `}]`, "a !Bad. c"},
		"status in words":       {`[{"status":"created","record":` + a + `},{"status":"error","detail":"Bad."},{"status":"created","record":` + c + `}]`, "a !Bad. c"},
		"status alone":          {`[{"status":201,"item":` + a + `},{"status":409},{"status":201,"item":` + c + `}]`, "a !409 Conflict c"},
		"status 500":            {`[{"status":201,"item":` + a + `},{"status":500},{"status":201,"item":` + c + `}]`, "a !500 Internal Server Error c"},
		"error as text":         {`[{"status":201,"result":` + a + `},{"status":400,"error":"Bad."},{"status":201,"result":` + c + `}]`, "a !Bad. c"},
		"error as list":         {`[{"status":201,"result":` + a + `},{"status":400,"errors":["Bad.","Odd."]},{"status":201,"result":` + c + `}]`, "a !Bad.&!Odd. c"},
		"errors with fields":    {`[{"status":201,"result":` + a + `},{"status":400,"errors":[{"field":"email","message":"Bad."},{"field":"name","message":"Odd."}]},{"status":201,"result":` + c + `}]`, "a !email:Bad.&!name:Odd. c"},
		"shuffled, by key":      {`[{"status":201,"data":` + c + `},{"status":201,"data":` + a + `},{"status":400,"data":{"custom_id":"B"},"error":"Bad."}]`, "a !Bad. c"},
		"shuffled, by index":    {`[{"status":201,"data":` + c + `},{"status":201,"data":` + a + `},{"status":400,"index":1,"error":"Bad."}]`, "a !Bad. c"},
		"shuffled, no name":     {`[{"status":201,"data":` + c + `},{"status":201,"data":` + a + `},{"status":400,"error":"Bad."}]`, "a ? c | Bad."},
		"success flags":         {`[{"success":true,"data":` + a + `},{"success":false,"error":"Bad."},{"success":true,"data":` + c + `}]`, "a !Bad. c"},
		"success flag of one":   {`[` + a + `,{"success":false,"custom_id":"B","reason":"x"},` + c + `]`, "a ! c"},
		"statuses, no records":  {`[{"status":201},{"status":400,"error":"Bad."},{"status":201}]`, "+ !Bad. +"},
		"id beside data":        {`{"errors":true,"items":[{"id":"a","data":` + a + `},{"error":"Bad."},{"id":"c","data":` + c + `}]}`, "a !Bad. c"},
		"within data":           {`{"data":[{"status":201,"data":` + a + `},{"status":400,"error":"Bad."},{"status":201,"data":` + c + `}]}`, "a !Bad. c"},
		"all failed":            {`[{"status":400,"error":"1"},{"status":400,"error":"2"},{"status":400,"error":"3"}]`, "!1 !2 !3 | refused"},
		"a remark on a success": {`[` + a + `,{"id":"b","status":201,"custom_id":"B","errors":["odd"]},` + c + `]`, "a b c"},
		// records and errors mixed
		"mixed, by index":       {`[` + a + `,` + c + `,{"errors":{"email":["Bad."]},"index":1}]`, "a !email:Bad. c"},
		"mixed, by key":         {`[{"custom_id":"B","errors":{"email":["Bad."]}},` + c + `,` + a + `]`, "a !email:Bad. c"},
		"mixed, by another key": {`[{"key":"B","message":"Bad."},` + c + `,` + a + `]`, "a !Bad. c"},
		"mixed, aligned":        {`[` + a + `,{"errors":{"email":["Bad."]}},` + c + `]`, "a !email:Bad. c"},
		"mixed, words":          {`[` + a + `,{"detail":"Bad."},` + c + `]`, "a !Bad. c"},
		"mixed, by field":       {`[` + a + `,{"email":["Bad."]},` + c + `]`, "a !email:Bad. c"},
		"mixed, null":           {`[` + a + `,null,` + c + `]`, "a ? c"},
		"mixed, short":          {`[` + a + `,{"errors":{"email":["Bad."]}}]`, "a ? ? | email:Bad."},
		"mixed, no order":       {`[` + c + `,{"errors":["Bad."]},` + a + `]`, "a ? c | Bad."},
		"mixed, ids only":       {`[{"id":"a"},{"errors":["Bad."]},{"id":"c"}]`, "a !Bad. c"},
		"mixed, other keys":     {`[{"id":"a","custom_id":"xA"},{"errors":["Bad."]},{"id":"c","custom_id":"xC"}]`, "a !Bad. c"},
		"index of a written":    {`[` + a + `,` + c + `,{"errors":["Bad."],"index":2}]`, "a !Bad. c"},
		"index beyond":          {`[` + a + `,{"errors":["Bad."],"index":3}]`, "a ? !Bad."},
		"several of one":        {`[` + a + `,` + c + `,{"index":1,"message":"1"},{"index":1,"message":"2"}]`, "a !1&!2 c"},
		"written and failed":    {`[` + a + `,{"id":"b","custom_id":"B"},` + c + `,{"custom_id":"B","errors":["odd"]}]`, "a b c | odd"},
		"key and failed":        {`[` + a + `,` + c + `,{"custom_id":"A","errors":["odd"]}]`, "a ? c | odd"},
		// Elasticsearch
		"bulk":                {`{"took":3,"errors":true,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"x","status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse"}}},{"create":{"_id":"c","status":201}}]}`, "a !failed to parse c"},
		"bulk, index":         {`{"errors":true,"items":[{"index":{"_id":"a","status":201}},{"index":{"status":429,"error":"Busy."}},{"index":{"_id":"c","status":200}}]}`, "a !Busy. c"},
		"bulk, flat":          {`{"errors":true,"items":[{"id":"a","status":201},{"status":400,"error":"Bad."},{"id":"c","status":201}]}`, "a !Bad. c"},
		"bulk without errors": {`{"errors":false,"items":[{"index":{"_id":"a","status":201}},{"index":{"_id":"b","status":201}},{"index":{"_id":"c","status":200}}]}`, "a b c"},
		// two lists
		"success and errors":     {`{"success":[` + a + `,` + c + `],"errors":[{"index":1,"field":"email","message":"Bad."}]}`, "a !email:Bad. c"},
		"created and failed":     {`{"created":[` + c + `,` + a + `],"failed":[{"custom_id":"B","message":"Bad."}]}`, "a !Bad. c"},
		"failed, wrapped":        {`{"created":[` + c + `,` + a + `],"failed":[{"item":{"custom_id":"B","name":"Bob"},"error":"Bad."}]}`, "a !Bad. c"},
		"results and errors":     {`{"results":[` + a + `,` + c + `],"errors":[{"message":"Bad."}]}`, "a ? c | Bad."},
		"parallel lists":         {`{"results":[` + a + `,null,` + c + `],"errors":[null,{"email":["Bad."]},null]}`, "a !email:Bad. c"},
		"no errors":              {`{"results":[` + a + `,{"id":"b","custom_id":"B"},` + c + `],"errors":[]}`, "a b c"},
		"errors by index":        {`{"results":[` + a + `,` + c + `],"errors":{"1":{"email":["Bad."]}}}`, "a !email:Bad. c"},
		"errors by key":          {`{"results":[` + a + `,` + c + `],"errors":{"B":{"email":["Bad."]}}}`, "a !email:Bad. c"},
		"errors by other index":  {`{"results":[` + a + `,` + c + `],"errors":{"2":{"email":["Bad."]}}}`, "a !email:Bad. c"},
		"created and updated":    {`{"created":[` + a + `],"updated":[` + c + `],"errors":[{"row":1,"message":"Bad."}]}`, "a !Bad. c"},
		"nested":                 {`{"data":{"created":[` + a + `,` + c + `],"failed":[{"index":1,"message":"Bad."}]}}`, "a !Bad. c"},
		"counted from 1":         {`{"success":[` + a + `,` + c + `],"errors":[{"index":2,"message":"Bad."}]}`, "a !Bad. c"},
		"counted from 1, other":  {`{"success":[{"id":"a","custom_id":"xA","name":"Ann","email":"a@x.se"},{"id":"c","custom_id":"xC","name":"Cid","email":"c@x.se"}],"errors":[{"index":2,"message":"Bad."}]}`, "a !Bad. c"},
		"counts":                 {`{"created":2,"failed":1,"results":[` + a + `,` + c + `]}`, "a ? c | "},
		"ids for all, and words": {`{"results":[{"id":"1"},{"id":"2"},{"id":"3"}],"errors":[{"index":1,"message":"odd"}]}`, "1 2 3 | odd"},
		// success: false
		"nothing stored":           {`{"success":false,"errors":[{"index":1,"field":"email","message":"Bad."}]}`, "? ? ? | email:Bad., refused"},
		"nothing stored, from 0":   {`{"success":false,"errors":[{"index":0,"field":"email","message":"Bad."}]}`, "!email:Bad. ? ? | refused"},
		"nothing stored, from 1":   {`{"success":false,"errors":[{"index":3,"field":"email","message":"Bad."}]}`, "? ? !email:Bad. | refused"},
		"nothing stored, by key":   {`{"success":false,"errors":[{"custom_id":"B","field":"email","message":"Bad."}]}`, "? !email:Bad. ? | refused"},
		"nobody named":             {`{"success":false,"errors":[{"field":"email","message":"Bad."}]}`, "? ? ? | email:Bad., refused"},
		"nobody named, words":      {`{"success":false,"message":"Bad."}`, "? ? ? | Bad., refused"},
		"nobody named, status":     {`{"status":"error","message":"Bad."}`, "? ? ? | Bad., refused"},
		"nobody named, no words":   {`{"success":false}`, "? ? ? | , refused"},
		"errors in words":          {`{"errors":"Bad."}`, "? ? ? | Bad., refused"},
		"error in an object":       {`{"error":{"code":"invalid","message":"Bad."}}`, "? ? ? | code:invalid, Bad., refused"},
		"by field":                 {`{"email":["Bad."]}`, "? ? ? | email:Bad., refused"},
		"failed, and an echo":      {`{"success":false,"message":"Bad.","data":[{"custom_id":"A"},{"custom_id":"B"},{"custom_id":"C"}]}`, "? ? ? | Bad., refused"},
		"failed, and ids":          {`{"success":false,"data":[` + a + `,` + c + `]}`, "a ? c | "},
		"it is queued":             {`{"message":"Accepted."}`, "? ? ?"},
		"it is queued, one by one": {`[{"message":"Queued."},{"message":"Queued."},{"message":"Queued."}]`, "? ? ?"},
		"success, and nothing":     {`{"success":true,"count":3}`, "? ? ?"},
	}
	for name, test := range tests {
		for _, mark := range []string{"", " \n"} {
			answer := api.NewAnswer("custom_id", false)
			if err := answer.Match([]byte(mark+test.body), sent); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := fates(answer, sent); got != test.want {
				t.Errorf("%s: got %s\nwant %s", name, got, test.want)
			}
		}
	}
}

// The fields of a resource may have the names by which answers tell of outcomes.
func TestAnswersWithFieldsNamedLikeOutcomes(t *testing.T) {
	tests := map[string]struct{ item, body, want string }{
		"status":         {`{"custom_id":"A","status":"rejected"}`, `[{"id":"a","custom_id":"A","status":"rejected"}]`, "a"},
		"status, echo":   {`{"custom_id":"A","status":"failed"}`, `[{"custom_id":"A","status":"failed"}]`, "+"},
		"code":           {`{"custom_id":"A","code":404}`, `[{"id":"a","custom_id":"A","code":404}]`, "a"},
		"code, not sent": {`{"custom_id":"A"}`, `[{"id":"a","custom_id":"A","code":404}]`, "a"},
		"word, not sent": {`{"custom_id":"A"}`, `[{"id":"a","custom_id":"A","status":"invalid"}]`, "a"},
		"message":        {`{"custom_id":"A","message":"hello"}`, `[{"custom_id":"A","message":"hello"}]`, "+"},
		"error":          {`{"custom_id":"A","error":"x"}`, `[{"id":"a","custom_id":"A","error":"x"}]`, "a"},
		"item":           {`{"custom_id":"A","item":{"id":"7"}}`, `[{"id":"a","custom_id":"A","item":{"id":"7","custom_id":"Z"}}]`, "a"},
		"item, not sent": {`{"custom_id":"A"}`, `[{"id":"a","custom_id":"A","item":{"id":"7","custom_id":"Z"}}]`, "a"},
		"items":          {`{"custom_id":"A","items":[{"n":1}]}`, `{"id":"a","custom_id":"A","items":[{"id":"7","n":1}]}`, "a"},
		"data":           {`{"custom_id":"A","data":{"x":1}}`, `{"id":"a","custom_id":"A","data":{"x":1}}`, "a"},
		"tags":           {`{"name":"A","tags":["x"]}`, `[{"tags":["x"],"name":"A"}]`, "+"},
		"only a list":    {`{"tags":["x"]}`, `[{"tags":["x"]}]`, "+"},
		"a flag":         {`{"custom_id":"A","success":false}`, `[{"id":"a","custom_id":"A","success":false}]`, "a"},
		"failed anyway":  {`{"custom_id":"A","status":"new"}`, `[{"custom_id":"A","status":"new","errors":["Bad."]}]`, "!Bad. | refused"},
	}
	for name, test := range tests {
		key := []string{"A"}
		if !strings.Contains(test.item, "custom_id") {
			key = []string{""}
		}
		sent := sentOf(key, test.item)
		a := api.NewAnswer("custom_id", false)
		if err := a.Match([]byte(test.body), sent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := fates(a, sent); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestAnswerToOneRow(t *testing.T) {
	sent := sentOf([]string{"A"}, `{"custom_id":"A","name":"Ann"}`)
	tests := map[string]struct{ body, want string }{
		"an object":        {`{"id":"a","custom_id":"A","name":"Ann"}`, "a"},
		"only an id":       {`{"id":"a"}`, "a"},
		"in data":          {`{"success":true,"data":{"id":"a","name":"Ann"}}`, "a"},
		"another key":      {`{"id":"a","custom_id":"a1","name":"Ann"}`, "a"},
		"errors by field":  {`{"success":false,"errors":{"name":["Bad."]}}`, "!name:Bad. | refused"},
		"several errors":   {`{"success":false,"errors":[{"field":"name","message":"1"},{"field":"name","message":"2"}]}`, "!name:1&!name:2 | refused"},
		"words":            {`{"success":false,"message":"Bad."}`, "!Bad. | refused"},
		"fields":           {`{"name":["Bad."]}`, "!name:Bad. | refused"},
		"status and error": {`[{"status":400,"error":{"name":["Bad."]}}]`, "!name:Bad. | refused"},
		"id and errors":    {`{"id":"a","custom_id":"A","errors":[]}`, "a"},
	}
	for name, test := range tests {
		a := api.NewAnswer("custom_id", false)
		if err := a.Match([]byte(test.body), sent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := fates(a, sent); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// how returns for each row its id and by what it was found.
func how(a *api.Answer, sent api.Sent) string {
	names := map[api.MatchMethod]string{api.NotShown: "?", api.ByKey: "key", api.ByFields: "fields", api.ByPosition: "position"}
	var out []string
	for i := range sent.Items {
		out = append(out, string(a.ID(i))+" "+names[a.MatchedBy(i)])
	}
	for _, id := range a.UnmatchedIDs() {
		out = append(out, "loose "+string(id))
	}
	return strings.Join(out, ", ")
}

func TestHowRowsAreMatched(t *testing.T) {
	row := func(key, name, mail, title string) string {
		return fmt.Sprintf(`{"custom_id":%q,"name":%q,"email":%q,"title":%q}`, key, name, mail, title)
	}
	record := func(id, key, name, mail, title string) string {
		return fmt.Sprintf(`{"id":%q,%s`, id, row(key, name, mail, title)[1:])
	}
	sent := sentOf([]string{"K  1", "K  2", "K  3"},
		row("K  1", "Ann", "Ann@x.se", "Boss"), row("K  2", "Bob", "Bob@x.se", "Boss"), row("K  3", "Cid", "Cid@x.se", "Boss"))
	tests := map[string]struct {
		items []string
		want  string
	}{
		"collapsed": {[]string{record("a", "K 1", "Ann", "Ann@x.se", "Boss"), record("b", "K 2", "Bob", "Bob@x.se", "Boss"), record("c", "K 3", "Cid", "Cid@x.se", "Boss")},
			"a fields, b fields, c fields"},
		"collapsed, shuffled": {[]string{record("c", "K 3", "Cid", "Cid@x.se", "Boss"), record("a", "K 1", "Ann", "Ann@x.se", "Boss"), record("b", "K 2", "Bob", "Bob@x.se", "Boss")},
			"a fields, b fields, c fields"},
		"lower case too": {[]string{record("c", "K 3", "cid", "cid@x.se", "boss"), record("a", "K 1", "ann", "ann@x.se", "boss"), record("b", "K 2", "bob", "bob@x.se", "boss")},
			"a fields, b fields, c fields"},
		"other keys, names": {[]string{record("c", "3f", "Cid", "-", "-"), record("a", "1f", "Ann", "-", "-"), record("b", "2f", "Bob", "-", "-")},
			"a fields, b fields, c fields"},
		"prefixed, nothing else": {[]string{record("c", "SE-K 3", "-", "-", "-"), record("a", "SE-K 1", "-", "-", "-"), record("b", "SE-K 2", "-", "-", "-")},
			"a fields, b fields, c fields"},
		"nothing known": {[]string{record("c", "x", "-", "-", "-"), record("a", "x", "-", "-", "-"), record("b", "x", "-", "-", "-")},
			"c position, a position, b position"},
		"one by its key": {[]string{record("c", "K  3", "-", "-", "-"), record("a", "x", "-", "-", "-"), record("b", "x", "-", "-", "-")},
			"b position, a position, c key"},
		"one missing": {[]string{record("c", "K 3", "Cid", "cid@x.se", "Boss"), record("a", "K 1", "Ann", "ann@x.se", "Boss")},
			"a fields, ?, c fields"},
		"one missing, one unlike": {[]string{record("c", "Q", "-", "-", "Boss"), record("a", "K 1", "Ann", "ann@x.se", "Boss")},
			"a fields, ?, ?, loose c"},
		"a stranger among them": {[]string{record("c", "K  3", "Cid", "-", "-"), record("x", "Z", "Zoe", "zoe@x.se", "-")},
			"?, ?, c key, loose x"},
		"all by key, one more": {[]string{record("a", "K  1", "-", "-", "-"), record("b", "K  2", "-", "-", "-"), record("c", "K  3", "-", "-", "-"), record("d", "K  4", "-", "-", "-")},
			"a key, b key, c key, loose d"},
		"one key, other fields": {[]string{record("a", "K  2", "Ann", "Ann@x.se", "Boss"), record("b", "K  2", "Bob", "Bob@x.se", "Boss"), record("c", "K  2", "Cid", "Cid@x.se", "Boss")},
			"a fields, b key, c fields"},
	}
	for name, test := range tests {
		a := api.NewAnswer("custom_id", false)
		if err := a.Match([]byte("["+strings.Join(test.items, ",")+"]"), sent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := strings.ReplaceAll(", "+test.want, ", ?", ",  ?")[2:]
		if got := how(a, sent); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Persons of one household differ in a key only, and the server keeps it in no
// form that is known: position decides, and only where the counts agree.
func TestRowsThatNothingTellsApart(t *testing.T) {
	sent := sentOf([]string{"1", "2"}, `{"custom_id":"1","name":"Öberg"}`, `{"custom_id":"2","name":"Öberg"}`)
	for body, want := range map[string]string{
		`[{"id":"a","custom_id":"x","name":"Öberg"},{"id":"b","custom_id":"y","name":"Öberg"}]`:                                           "a position, b position",
		`[{"id":"b","custom_id":"x","name":"Öberg"}]`:                                                                                     " ?,  ?, loose b",
		`[{"id":"b","custom_id":"x","name":"Öberg"},{"id":"b","custom_id":"y","name":"Öberg"}]`:                                           " ?,  ?, loose b",
		`[{"id":"b","custom_id":"2","name":"Öberg"},{"id":"a","custom_id":"x","name":"ÖBERG"}]`:                                           "a fields, b key",
		`[{"id":"a","custom_id":"x","name":"Öberg"},{"id":"b","custom_id":"y","name":"Öberg"},{"id":"c","custom_id":"z","name":"Öberg"}]`: " ?,  ?, loose a, loose b, loose c",
	} {
		a := api.NewAnswer("custom_id", false)
		if err := a.Match([]byte(body), sent); err != nil {
			t.Error(err)
		}
		if got := how(a, sent); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}
