package sinks

import (
	"encoding/json"
	"testing"

	"flytt/internal/jsonobject"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

func extraSchema() *pipeline.Schema {
	return &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "name"}, {Name: "external_client.id"}, {Name: jsonobject.ExtraField, Type: pipeline.JSON},
	}}
}

func TestExtraMembersBecomeMembersOfTheRow(t *testing.T) {
	for _, test := range []struct{ name, id, extra, want string }{
		{"A", "1", pipelinetest.Null, `{"name":"A","external_client":{"id":"1"}}`},
		{"A", "1", `{"x":1,"y":[null]}`, `{"name":"A","external_client":{"id":"1"},"x":1,"y":[null]}`},
		{"A", pipelinetest.Null, `{"external_client.name":"B"}`, `{"name":"A","external_client.name":"B"}`},
		{pipelinetest.Null, pipelinetest.Null, `{"x":1}`, `{"x":1}`},
		{pipelinetest.Null, pipelinetest.Null, `{"name":1}`, `{"name":1}`},
		{pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, `{}`},
		{pipelinetest.Null, pipelinetest.Null, `{}`, `{}`},
		{"A", pipelinetest.Null, `{}`, `{"name":"A"}`},
		{"A", pipelinetest.Null, "{\n}", `{"name":"A"}`},
		{"A", pipelinetest.Null, "{\n\"x\": 1}", `{"name":"A","x":1}`},
		{"A", pipelinetest.Null, `{"name":"B"}`, `{"name":"A","_extra":{"name":"B"}}`},
		{"A", pipelinetest.Null, `{"\u006eame":"B"}`, `{"name":"A","_extra":{"\u006eame":"B"}}`},
		{"A", pipelinetest.Null, "{\n\"x\":1,\"external_client\": 2}", `{"name":"A","_extra":{"x":1,"external_client":2}}`},
		{"A", pipelinetest.Null, `[]`, ""},
		{"A", pipelinetest.Null, `{"x":}`, ""},
	} {
		got := commitTo(t, extraSchema(), FileOptions{Format: "jsonl"}, pipelinetest.Batch([]string{test.name, test.id, test.extra}))
		want := test.want
		if want != "" {
			want += "\n"
		}
		if got != want {
			t.Errorf("%s: got %swant %s", test.extra, got, want)
		}
	}
}

func TestExtraIsAColumnOfCSV(t *testing.T) {
	got := commitTo(t, extraSchema(), FileOptions{Format: "csv"}, pipelinetest.Batch([]string{"A", "1", `{"x":1}`}, []string{"B", "2", pipelinetest.Null}))
	if want := "name,external_client.id,_extra\nA,1,\"{\"\"x\"\":1}\"\nB,2,\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExtraThatIsNotTheLastFieldIsAFieldLikeAnyOther(t *testing.T) {
	s := &pipeline.Schema{Fields: []pipeline.Field{{Name: jsonobject.ExtraField, Type: pipeline.JSON}, {Name: "name"}}}
	got := commitTo(t, s, FileOptions{Format: "jsonl"}, pipelinetest.Batch([]string{`{"x":1}`, "A"}))
	if want := `{"_extra":{"x":1},"name":"A"}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNamesWithDotsStayAsTheyAreWhereAsked(t *testing.T) {
	got := commitTo(t, pipelinetest.Schema("Tel.nr", "Tel", "a.b.c"), FileOptions{Format: "jsonl", Flat: true}, pipelinetest.Batch([]string{"1", "2", "3"}))
	if want := `{"Tel.nr":"1","Tel":"2","a.b.c":"3"}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzExtraMembersKeepTheRowValid(f *testing.F) {
	f.Add("A", `{"x":1}`)
	f.Add("", `{"name": "B"}`)
	f.Fuzz(func(t *testing.T, name, extra string) {
		b := pipelinetest.Batch([]string{name, pipelinetest.Null, extra})
		e := jsonobject.New(extraSchema(), jsonobject.Options{Extra: true})
		data := pipelinetest.Encode(t, e, b).Data
		var members map[string]json.RawMessage
		object := json.Unmarshal([]byte(extra), &members) == nil && members != nil
		if rejected := b.Fates[0] == pipeline.Rejected; !rejected && (!json.Valid(data) || extra != "" && !object) || rejected && extra == "" {
			t.Fatalf("%q: %s, rejected %v", extra, data, rejected)
		}
	})
}
