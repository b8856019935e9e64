package sources

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	flyttjson "flytt/sources/json"
	"flytt/sources/json/jsontest"
	"flytt/sources/textscan"
)

// FuzzAgainstEncodingJSON holds that every value of a row is what encoding/json
// has at its path.
func FuzzAgainstEncodingJSON(f *testing.F) {
	for _, s := range jsontest.Seeds {
		f.Add([]byte(s))
	}
	f.Add([]byte("{\"a\":{\"b\":1}}\n{\"a\":\"x\",\"c\":[ 1 ,\t{ \"d\" : \" \" } ]}\r\n\n{\"c\":{}}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 4096 || flyttjson.SkipSpace(content, 0) == len(content) || content[flyttjson.SkipSpace(content, 0)] != '{' {
			return
		}
		s, info, err := Open("-", &Options{Stdin: bytes.NewReader(content), Encoding: "utf-8"})
		if err != nil || info.Format != "jsonl" {
			return
		}
		defer s.Close()
		byLine := bytes.Split(bytes.TrimPrefix(content, []byte(bomUTF8)), []byte("\n"))
		var block pipeline.Block
		var b pipeline.Batch
		for d := s.Decoder(); s.Next(t.Context(), &block) == nil; {
			if err := d.Decode(&block, &b); err != nil {
				t.Fatal(err)
			}
			for row, line := range b.Rows {
				if b.Fates[row] == pipeline.Pending {
					compareRow(t, s.Columns(), &b, row, byLine[line-1])
				}
			}
		}
	})
}

// compareRow compares row with what encoding/json finds in text.
func compareRow(t *testing.T, columns []string, b *pipeline.Batch, row int, text []byte) {
	want := map[string]string{}
	if !flatten(t, want, "", text) {
		return
	}
	for i, name := range columns {
		got := b.Input[i].Value(row)
		w, is := want[name]
		if strings.HasPrefix(w, "{") && json.Valid([]byte(w)) && slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, name+".") }) {
			w, is = "", got != nil // its members have columns; a string that looks like an object is one all the same
			if got != nil {
				w = want[name]
			}
		}
		if got == nil != !is || string(got) != w {
			t.Fatalf("%q: %s is %q, want %q (%v)", text, name, got, w, is)
		}
	}
}

// flatten puts the values of object into values, by every path that may be a
// column. It reports false of names that make paths ambiguous.
func flatten(t *testing.T, values map[string]string, path string, object []byte) bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatalf("%q: %v", object, err)
	}
	for name, v := range members {
		at := path + name
		switch {
		case name == "" || strings.Contains(name, "."):
			return false
		case v[0] == 'n':
		case v[0] == '"':
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				t.Fatal(err)
			}
			values[at] = s
		default:
			var b bytes.Buffer
			if err := json.Compact(&b, v); err != nil {
				t.Fatal(err)
			}
			values[at] = b.String()
			if v[0] == '{' && !flatten(t, values, at+".", v) {
				return false
			}
		}
	}
	return true
}

// FuzzJSONBlocks holds that nothing panics, that where blocks end changes
// nothing, and that what is allocated has a ceiling.
func FuzzJSONBlocks(f *testing.F) {
	for _, s := range jsontest.Seeds {
		f.Add([]byte(s), false)
		f.Add([]byte(`{"a":1,"b":{"c":2}},`+s), true)
	}
	f.Add([]byte("{\"a\":1}\r\n,{\"a\":\"\\n\\n\"}\n,\n{\"a\":[\n}]}, 17,{\"a\":\"]\n\"}"), true)
	f.Add([]byte("{\"a\":1}, {\"a\":nil},\n{\"b\":\"\\\\\\\"\"},{}]"), true)
	f.Add([]byte("{\"a\":1}]\n\n ]"), true)
	f.Fuzz(func(t *testing.T, content []byte, array bool) {
		if len(content) > 4096 {
			return
		}
		if array {
			content = append([]byte("[\n"), content...)
		}
		var want []string
		var wantErr error
		var opened bool
		if n := allocatedBy(func() { want, opened, wantErr = jsonRows(t, content, textscan.MaxRecordBytes) }); n > 32<<20 {
			t.Fatalf("%d bytes allocated", n)
		}
		for _, size := range []int{1, 7, 64} {
			got, ok, err := jsonRows(t, content, size)
			if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" || ok != opened {
				t.Fatalf("blocks of %d (-1 MiB +got):\n%s", size, diff)
			}
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("blocks of %d: error %v, want %v", size, err, wantErr)
			}
		}
	})
}

// jsonRows reads content, if it can be opened.
func jsonRows(t *testing.T, content []byte, size int) (rows []string, opened bool, err error) {
	s, info, err := Open("-", &Options{Stdin: bytes.NewReader(content), BlockSize: size})
	if err != nil {
		return nil, false, err
	}
	defer s.Close()
	if info.Format != "jsonl" {
		return nil, false, nil
	}
	rows, err = dumpRows(t, s)
	return rows, true, err
}
