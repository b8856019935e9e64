package sinks

import (
	"encoding/json"
	"testing"

	"flytt/pipeline"
)

func extraSchema() *pipeline.Schema {
	return &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "name"}, {Name: "external_client.id"}, {Name: ExtraField, Type: pipeline.JSON},
	}}
}

func TestExtraMembersBecomeMembersOfTheRow(t *testing.T) {
	for _, test := range []struct{ name, id, extra, want string }{
		{"A", "1", null, `{"name":"A","external_client":{"id":"1"}}`},
		{"A", "1", `{"x":1,"y":[null]}`, `{"name":"A","external_client":{"id":"1"},"x":1,"y":[null]}`},
		{"A", null, `{"external_client.name":"B"}`, `{"name":"A","external_client.name":"B"}`},
		{null, null, `{"x":1}`, `{"x":1}`},
		{null, null, `{"name":1}`, `{"name":1}`},
		{null, null, null, `{}`},
		{null, null, `{}`, `{}`},
		{"A", null, `{}`, `{"name":"A"}`},
		{"A", null, "{\n}", `{"name":"A"}`},
		{"A", null, "{\n\"x\": 1}", `{"name":"A","x":1}`},
		{"A", null, `{"name":"B"}`, `{"name":"A","_extra":{"name":"B"}}`},
		{"A", null, `{"\u006eame":"B"}`, `{"name":"A","_extra":{"\u006eame":"B"}}`},
		{"A", null, "{\n\"x\":1,\"external_client\": 2}", `{"name":"A","_extra":{"x":1,"external_client":2}}`},
		{"A", null, `[]`, ""},
		{"A", null, `{"x":}`, ""},
	} {
		got := commitTo(t, extraSchema(), FileOptions{Format: "jsonl"}, fieldBatch([]string{test.name, test.id, test.extra}))
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
	got := commitTo(t, extraSchema(), FileOptions{Format: "csv"}, fieldBatch([]string{"A", "1", `{"x":1}`}, []string{"B", "2", null}))
	if want := "name,external_client.id,_extra\nA,1,\"{\"\"x\"\":1}\"\nB,2,\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExtraThatIsNotTheLastFieldIsAFieldLikeAnyOther(t *testing.T) {
	s := &pipeline.Schema{Fields: []pipeline.Field{{Name: ExtraField, Type: pipeline.JSON}, {Name: "name"}}}
	got := commitTo(t, s, FileOptions{Format: "jsonl"}, fieldBatch([]string{`{"x":1}`, "A"}))
	if want := `{"_extra":{"x":1},"name":"A"}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNamesWithDotsStayAsTheyAreWhereAsked(t *testing.T) {
	got := commitTo(t, schemaOf("Tel.nr", "Tel", "a.b.c"), FileOptions{Format: "jsonl", Flat: true}, fieldBatch([]string{"1", "2", "3"}))
	if want := `{"Tel.nr":"1","Tel":"2","a.b.c":"3"}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzExtraMembersKeepTheRowValid(f *testing.F) {
	f.Add("A", `{"x":1}`)
	f.Add("", `{"name": "B"}`)
	f.Fuzz(func(t *testing.T, name, extra string) {
		b := fieldBatch([]string{name, null, extra})
		e := newObjectEncoder(extraSchema(), objectOptions{extra: true})
		data := encode(t, e, b).Data
		var members map[string]json.RawMessage
		object := json.Unmarshal([]byte(extra), &members) == nil && members != nil
		if rejected := b.Fates[0] == pipeline.Rejected; !rejected && (!json.Valid(data) || extra != "" && !object) || rejected && extra == "" {
			t.Fatalf("%q: %s, rejected %v", extra, data, rejected)
		}
	})
}
