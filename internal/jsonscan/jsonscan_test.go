package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

func TestMembers(t *testing.T) {
	for v, want := range map[string]string{
		`{}`: "", `[]`: "", ` `: "", ``: "", `17`: "", `"{}"`: "", "{ \n}": "",
		`{"a":1}`:  "a=1;",
		` {"a":1}`: "",
		"{ \"a\" : 1 ,\r\n\t\"b\" : [ 1 , { } ] }":    "a=1;b=[ 1 , { } ];",
		`{"a\"b":"c\\","":{"}":"]"},"d":-1.5e+3}`:     `a\"b="c\\";={"}":"]"};d=-1.5e+3;`,
		`[true,false , null,"x",{"a":[]},[[]] ,1]`:    `=true;=false;=null;="x";={"a":[]};=[[]];=1;`,
		`{"a":{"b":{"c":"\\\\\""}},"å":"\u00e5[{\""}`: `a={"b":{"c":"\\\\\""}};å="\u00e5[{\"";`,
	} {
		var got strings.Builder
		for name, value := range jsonscan.Members([]byte(v)) {
			fmt.Fprintf(&got, "%s=%s;", name, value)
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", v, got.String(), want)
		}
	}
}

func TestMembersCanBeLeft(t *testing.T) {
	n := 0
	for range jsonscan.Members([]byte(`[1,2,3]`)) {
		n++
		break
	}
	if n != 1 {
		t.Error(n)
	}
}

func TestMember(t *testing.T) {
	object := []byte(`{"a":1,"n\u0061me":"x","nested":{"id":2},"id":3}`)
	for name, want := range map[string]string{"a": "1", "name": `"x"`, "id": "3", "nested": `{"id":2}`, "x": "", "": ""} {
		if got := jsonscan.Member(object, name); string(got) != want || (got == nil) != (want == "") {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, v := range []string{"", "[]", `["a"]`, `"a"`} {
		if jsonscan.Member([]byte(v), "a") != nil {
			t.Errorf("%s has a member", v)
		}
	}
}

func TestText(t *testing.T) {
	for v, want := range map[string]string{
		`"x"`: "x", `""`: "", `"a\"\u00e5\n"`: "a\"å\n", `"\ud83d\ude00"`: "😀", "17": "17", "-1e5": "-1e5", "true": "true", "false": "false",
	} {
		if got := jsonscan.Text([]byte(v)); string(got) != want || got == nil {
			t.Errorf("%s: %q", v, got)
		}
	}
	for _, v := range []string{"null", "{}", "[1]"} {
		if got := jsonscan.Text([]byte(v)); got != nil {
			t.Errorf("%s: %q", v, got)
		}
	}
}

func TestValuesDoNotReachBeyondThemselves(t *testing.T) {
	v := []byte(`[1,2]`)
	for _, e := range jsonscan.Members(v) {
		_ = append(e, "xyz"...)
	}
	if string(v) != `[1,2]` {
		t.Errorf("%s", v)
	}
}

// FuzzMembers holds Members to encoding/json, of everything that jsontext takes
// for valid.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"a":1,"b":[1,"x\\",{}]}`, `["\\\"",[],{"":""}]`, `{"\u0061":1}`, "[ -1.5e3 ,null\t]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := jsontext.Value(bytes.TrimLeft(data, " \t\r\n"))
		if !v.IsValid() {
			return
		}
		var values []json.RawMessage
		switch v.Kind() {
		case '[':
			if err := json.Unmarshal(v, &values); err != nil {
				t.Skip()
			}
			got := slices.Collect(func(yield func(json.RawMessage) bool) {
				for _, e := range jsonscan.Members(v) {
					if !yield(json.RawMessage(e)) {
						return
					}
				}
			})
			if !slices.EqualFunc(got, values, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				t.Errorf("%s: %s, want %s", v, got, values)
			}
		case '{':
			members := map[string]json.RawMessage{}
			if err := json.Unmarshal(v, &members); err != nil {
				t.Skip()
			}
			n := 0
			for name, e := range jsonscan.Members(v) {
				n++
				if want, ok := members[string(jsonscan.Unquote(name))]; !ok || !bytes.Equal(want, e) {
					t.Errorf("%s: %s is %s, want %s", v, name, e, want)
				}
			}
			if n != len(members) {
				t.Errorf("%s: %d members, want %d", v, n, len(members))
			}
		case '"':
			var s string
			if err := json.Unmarshal(v, &s); err != nil || string(jsonscan.Text(bytes.TrimRight(v, " \t\r\n"))) != s {
				t.Errorf("%s: %v", v, err)
			}
		}
	})
}

func BenchmarkMembers(b *testing.B) {
	v := []byte(`{"id":"0b8f2f5e-3c1d-4a55-9a3e-2b6f1c9d8e7f","name":"Åsa Öberg","external_client":{"id":"7d0f2f5e-3c1d-4a55-9a3e-2b6f1c9d8e7f"},"title":"Förvaltare","ssn":null,"custom_id":"K-000017","email":"asa.oberg@example.se","phone_number":"+46701234567","organization":{},"created_at":"2026-01-31T09:30:00.000017Z","tags":[],"customer_columns":{}}`)
	b.SetBytes(int64(len(v)))
	b.ReportAllocs()
	for b.Loop() {
		for range jsonscan.Members(v) {
		}
	}
}
