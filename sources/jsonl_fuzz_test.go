package sources

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// jsonSeeds is JSON that is, nearly is, or is not.
var jsonSeeds = []string{
	`{"a":1,"b":{"c":"x","d":null},"e":[1,{"f":[]}],"g":true,"h":""}`,
	`{"a":"\ud83d\ude00 \u00e5 \n \/ \\ \""}`, `{"a":"\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\u0000"}`, `{"a":"\ud83d\u0041"}`,
	`{"a":-0,"b":1e400,"c":9223372036854775808,"d":1.50E+007,"e":-1.0e-1}`,
	`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":NaN}`, `{"a":-Infinity}`, `{"a":1e}`, `{"a":--1}`, `{"a":0x1}`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`, `{"":1,"":2}`, `[{"a":1},{"a":1,"b":{"a":1}}]`,
	`{"a":1,}`, `{"a":[1,]}`, `{,}`, `{"a"}`, `{"a":}`, `{'a':1}`, `{a:1}`, `{"a":1}}`, `{"a":1} x`, `{"a":tru}`, `{"a":nulll}`, `{"a" 1}`,
	"{\"a\":\"\x01\"}", "{\"a\":\"\x7f\xc3\xa5\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "\x01{\"a\":1}", "{\"a\":\x0b1}", "\u00a0{}",
	`"a"`, `17`, `null`, `[]`, `{}`, ` `, ``, `{"a":1 /* x */}`, `{"a":"` + strings.Repeat("x", 20) + `\`, `{"a":"\x"}`, `{"a":"\u00zz"}`,
	`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, `{"a":` + strings.Repeat("[", 70),
	`{"long name of a member":1,"long name of a memben":2,"abcd":1,"abce":2,"ab":1,"ac":3}`,
}

// FuzzCheck holds the checker to jsontext: it takes what that does, if it is an
// object and not too deep, and nothing else.
func FuzzCheck(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c checker
		start := jsonSpace(text, 0)
		flaw, ok := c.row(text, start)
		want := jsontext.Value(text).IsValid() && text[start] == '{'
		if ok != want && flaw.code != deepJSON {
			t.Fatalf("%q: %v (%s at %d), want %v", text, ok, flaw.what, flaw.at, want)
		}
		if !ok && (flaw.code == "" || flaw.what == "" || flaw.at < start || flaw.at > len(text)) {
			t.Fatalf("%q: %+v", text, flaw)
		}
	})
}

func TestManyNamesAreTold(t *testing.T) {
	var c checker
	for _, n := range []int{2, manyNames - 1, manyNames, manyNames + 1, 3 * manyNames} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"` + strings.Repeat("n", i+1) + `":{"n":1,"nn":2}`)
		}
		whole := "{" + b.String()[1:]
		if flaw, ok := c.row([]byte(whole+"}"), 0); !ok {
			t.Errorf("%d names: %+v", n, flaw)
		}
		for _, again := range []int{1, n} {
			text := whole + `,"` + strings.Repeat("n", again-1) + `\u006e":1}`
			if flaw, ok := c.row([]byte(text), 0); ok || flaw.code != duplicateName {
				t.Errorf("%d names, the %dth twice: %+v", n, again, flaw)
			}
		}
	}
}

// FuzzAgainstEncodingJSON holds that every value of a row is what encoding/json
// has at its path.
func FuzzAgainstEncodingJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Add([]byte("{\"a\":{\"b\":1}}\n{\"a\":\"x\",\"c\":[ 1 ,\t{ \"d\" : \" \" } ]}\r\n\n{\"c\":{}}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 4096 || jsonSpace(content, 0) == len(content) || content[jsonSpace(content, 0)] != '{' {
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
	for _, s := range jsonSeeds {
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
		if n := allocatedBy(func() { want, opened, wantErr = jsonRows(t, content, maxRecordBytes) }); n > 32<<20 {
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

// FuzzElementEnd holds that the cutter and the decoder agree: what is valid ends
// for elementEnd where it ends for the checker and jsonscan, and nothing that
// elementEnd has seen whole ends elsewhere with more behind it.
func FuzzElementEnd(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || jsonSpace(text, 0) > 0 {
			return
		}
		var c checker
		want := c.value(text, 0)
		got, fault := elementEnd(text, 0)
		if want > 0 && (text[0] == '{' || text[0] == '[' || text[0] == '"') && (got != want || fault.err != nil || jsonscan.ValueEnd(text, 0) != want) {
			t.Fatalf("%q: ends at %d (%v), want %d", text, got, fault.err, want)
		}
		if got < 0 {
			return
		}
		if more, f := elementEnd(append(text[:got:got], ",\n\"x"...), 0); more != got || f.err != nil {
			t.Fatalf("%q: ends at %d, but at %d (%v) with something else behind it", text, got, more, f.err)
		}
	})
}
