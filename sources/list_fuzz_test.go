package sources

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/pipeline"
)

// FuzzListDecodesWhatEncodingJSONDoes holds the decoder against encoding/json:
// each of two objects, the second decoded with what was learnt of the first.
func FuzzListDecodesWhatEncodingJSONDoes(f *testing.F) {
	for _, o := range contactList().objects {
		f.Add([]byte(o), []byte(`{"tags":"\ud800 x","name":"\\"}`))
	}
	f.Add([]byte("{\"name\" : \"a\\\\\" ,\n\"x\":[ \"\\\"]\" , {} ]}"), []byte(`{"external_client":{"x":1,"id":"\u0061"},"floors":"1"}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var objects []map[string]json.RawMessage
		for _, o := range [][]byte{first, second} {
			var members map[string]json.RawMessage
			// As the client reads them: UTF-8, no name twice, halves of pairs let through.
			valid := jsontext.Value(o).IsValid(jsontext.AllowInvalidUTF8(true)) && utf8.Valid(o)
			if !valid || json.Unmarshal(o, &members) != nil || members == nil {
				t.Skip()
			}
			objects = append(objects, members)
		}
		for _, extra := range []bool{false, true} {
			data := bytes.Join([][]byte{first, second}, []byte("\n"))
			d := NewList(nil, contactColumns(), ListOptions{Extra: extra}).Decoder()
			var b pipeline.Batch
			if err := d.Decode(&pipeline.Block{Data: data, Row: 1, Tag: 2}, &b); err != nil {
				t.Fatal(err)
			}
			for i, members := range objects {
				checkRow(t, &b, i, members, extra)
			}
		}
	})
}

// checkRow holds row i of b against the members of its object.
func checkRow(t *testing.T, b *pipeline.Batch, i int, members map[string]json.RawMessage, extra bool) {
	t.Helper()
	rest := map[string]json.RawMessage{}
	for name, v := range members {
		rest[name] = v
	}
	for at, c := range contactColumns() {
		v := members[c.member()]
		delete(rest, c.member())
		if c.Kind == Reference {
			v = referenceOracle(v, c.member(), rest)
		}
		got := b.Input[at].Value(i)
		if want := columnOracle(t, v, c.Kind); !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Fatalf("row %d column %s: got %q, want %q", i, c.Name, got, want)
		}
	}
	if !extra {
		if len(b.Problems) == 0 && len(rest) > 0 {
			t.Fatalf("row %d: no warning of %v", i, rest)
		}
		return
	}
	got := map[string]json.RawMessage{}
	if v := b.Input[len(contactColumns())].Value(i); v != nil {
		if err := json.Unmarshal(v, &got); err != nil {
			t.Fatalf("row %d: extra %q: %v", i, v, err)
		}
	}
	if len(got) != len(rest) {
		t.Fatalf("row %d: extra %q, want %q", i, got, rest)
	}
	for name, v := range rest {
		if !bytes.Equal(got[name], compacted(t, v)) {
			t.Fatalf("row %d: extra %s is %q, want %q", i, name, got[name], v)
		}
	}
}

// referenceOracle returns the id within v, or v itself, and puts the other
// members into rest.
func referenceOracle(v json.RawMessage, name string, rest map[string]json.RawMessage) json.RawMessage {
	var inner map[string]json.RawMessage
	if json.Unmarshal(v, &inner) != nil || inner == nil {
		return v
	}
	for n, v := range inner {
		if n != "id" {
			rest[name+"."+n] = v
		}
	}
	return inner["id"]
}

func columnOracle(t *testing.T, v json.RawMessage, kind Kind) []byte {
	t.Helper()
	var text string
	switch {
	case v == nil || string(v) == "null":
		return nil
	case v[0] != '"' || kind == JSON:
		return compacted(t, v)
	case json.Unmarshal(v, &text) != nil:
		t.Fatalf("%q is no string", v)
	}
	if inner := v[1 : len(v)-1]; kind == Literal && !literals.Match(inner) {
		return v
	}
	return []byte(text)
}

// literals is what a Literal takes out of a string.
var literals = regexp.MustCompile(`^(true|false|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)$`)

func compacted(t *testing.T, v json.RawMessage) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
