package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

func TestObjectEncoderNestsDottedFieldsAtThePlaceOfTheFirst(t *testing.T) {
	schema := pipelinetest.Schema("a.id", "b", "a.name", "c.d.e", "c.f", "g")
	tests := []struct {
		row          []string
		without, all string
	}{
		{[]string{"1", "2", "3", "4", "5", "6"},
			`{"a":{"id":"1","name":"3"},"b":"2","c":{"d":{"e":"4"},"f":"5"},"g":"6"}`,
			`{"a":{"id":"1","name":"3"},"b":"2","c":{"d":{"e":"4"},"f":"5"},"g":"6"}`},
		{[]string{pipelinetest.Null, "2", pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
			`{"b":"2"}`,
			`{"a":null,"b":"2","c":null,"g":null}`},
		{[]string{pipelinetest.Null, pipelinetest.Null, "3", pipelinetest.Null, "5", ""},
			`{"a":{"name":"3"},"c":{"f":"5"},"g":""}`,
			`{"a":{"id":null,"name":"3"},"b":null,"c":{"d":null,"f":"5"},"g":""}`},
		{[]string{pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
			`{}`,
			`{"a":null,"b":null,"c":null,"g":null}`},
	}
	for _, test := range tests {
		b := pipelinetest.Batch(test.row)
		if got := pipelinetest.Encode(t, New(schema, Options{}), b).Data; string(got) != test.without {
			t.Errorf("%q without nulls:\n got %s\nwant %s", test.row, got, test.without)
		}
		if got := pipelinetest.Encode(t, New(schema, Options{Nulls: true}), b).Data; string(got) != test.all {
			t.Errorf("%q with nulls:\n got %s\nwant %s", test.row, got, test.all)
		}
	}
}

func TestObjectEncoderWritesEachTypeAsItIs(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "text", Type: pipeline.Text}, {Name: "uuid", Type: pipeline.UUID},
		{Name: "date", Type: pipeline.Date}, {Name: "time", Type: pipeline.DateTime},
		{Name: "integer", Type: pipeline.Integer}, {Name: "number", Type: pipeline.Number},
		{Name: "boolean", Type: pipeline.Boolean}, {Name: "any", Type: pipeline.JSON},
	}}
	b := pipelinetest.Batch([]string{"12", "34", "2024-01-02", "2024-01-02T03:04:05Z", "-9007199254740993", "1.50e3", "true", "{\r\n \"a\": [1]\n}"})
	want := `{"text":"12","uuid":"34","date":"2024-01-02","time":"2024-01-02T03:04:05Z","integer":-9007199254740993,"number":1.50e3,"boolean":true,"any":{"a":[1]}}`
	if got := pipelinetest.Encode(t, New(schema, Options{}), b).Data; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestObjectEncoderEscapesNoMoreThanItMust(t *testing.T) {
	b := pipelinetest.Batch([]string{"<a href=\"x\">&'/\u2028\u2029</a> å\U0001F600\x7F \\ \b\f\n\r\t\x00\x1F \xff\xc3"})
	want := `{"v":"<a href=\"x\">&'/` + "\u2028\u2029" + `</a> å` + "\U0001F600\x7F" + ` \\ \b\f\n\r\t\u0000\u001f ` + "\uFFFD\uFFFD" + `"}`
	if got := pipelinetest.Encode(t, New(pipelinetest.Schema("v"), Options{}), b).Data; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestObjectEncoderRejectsARowWithAValueThatIsNoJSON(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a"}, {Name: "o.n", Type: pipeline.Number}}}
	for _, v := range []string{"", "007", "+5", "1,5", "NaN", "0x1", "ja", "1 2", `"`, "-", "\"\xff\""} {
		b := pipelinetest.Batch([]string{"x", "1"}, []string{"x", v}, []string{"y", "2"})
		out := pipelinetest.Encode(t, New(schema, Options{End: "\n"}), b)
		if want := "{\"a\":\"x\",\"o\":{\"n\":1}}\n{\"a\":\"y\",\"o\":{\"n\":2}}\n"; string(out.Data) != want {
			t.Errorf("%q: got %s, want %s", v, out.Data, want)
		}
		if len(out.Item(1)) != 0 || b.Fates[1] != pipeline.Rejected || len(b.Problems) != 1 || b.Problems[0].Code != CodeNotJSON || b.Problems[0].Field != 1 {
			t.Errorf("%q: fate %v, problems %+v", v, b.Fates[1], b.Problems)
		}
	}
}

func TestCheckObjectRefusesNamesThatCollide(t *testing.T) {
	for _, names := range [][]string{{"a", "a"}, {"a", "a.b"}, {"a.b", "a"}, {"a.b.c", "a.b"}, {"a.b", "x", "a.b"}} {
		err := Check(pipelinetest.Schema(names...))
		var usage *pipeline.UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%q: %v, want a usage error", names, err)
		}
	}
	if err := Check(pipelinetest.Schema("a.b", "a.c", "ab", "b")); err != nil {
		t.Error(err)
	}
}

func TestPlainPrefixStopsAtOrBeforeEveryByteThatIsNotPlain(t *testing.T) {
	for length := range 20 {
		for at := range length {
			v := bytes.Repeat([]byte{'a'}, length)
			for c := range 256 {
				v[at] = byte(c)
				n := plainPrefix(v)
				if escapes[c] != 0 && n > at || escapes[c] == 0 && n != length {
					t.Fatalf("byte %#x at %d of %d: prefix %d", c, at, length, n)
				}
			}
		}
	}
}

func FuzzObjectEncoderWritesWhatEncodingJSONReads(f *testing.F) {
	f.Add("", "plain", "1")
	f.Add("\"\\\x00", "åäö\xff", " [1, \n2] ")
	f.Add(strings.Repeat("x", 17)+"\"", "\xe2\x80", `{"a":"\ud800"}`)
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a"}, {Name: `o."p`}, {Name: "o.j", Type: pipeline.JSON}}}
	e := New(schema, Options{Nulls: true, End: "\n"})
	f.Fuzz(func(t *testing.T, a, p, j string) {
		b := pipelinetest.Batch([]string{a, p, j})
		line := pipelinetest.Encode(t, e, b).Data
		valid := json.Valid([]byte(j)) && utf8.ValidString(j)
		if rejected := b.Fates[0] == pipeline.Rejected; rejected == valid {
			t.Fatalf("%q: rejected %v", j, rejected)
		}
		if !valid {
			return
		}
		var got struct {
			A string `json:"a"`
			O map[string]any
		}
		if err := json.Unmarshal(line, &got); err != nil || !utf8.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%q: %v", line, err)
		}
		if got.A != replaceInvalid(a) || got.O[`"p`] != replaceInvalid(p) {
			t.Fatalf("%q: got %q and %q, want %q and %q", line, got.A, got.O[`"p`], a, p)
		}
	})
}

// replaceInvalid puts U+FFFD in place of each byte that is no UTF-8.
func replaceInvalid(s string) string { return string([]rune(s)) }

// benchmarkBatch is 1000 rows of 11 fields as a contact register has them.
