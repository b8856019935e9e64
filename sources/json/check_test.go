package json

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/sources/json/jsontest"
)

// FuzzCheck holds the checker to jsontext: it takes what that does, if it is an
// object and not too deep, and nothing else.
func FuzzCheck(f *testing.F) {
	for _, s := range jsontest.Seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c checker
		start := SkipSpace(text, 0)
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

// FuzzElementEnd holds that the cutter and the decoder agree: what is valid ends
// for elementEnd where it ends for the checker and jsonscan, and nothing that
// elementEnd has seen whole ends elsewhere with more behind it.
func FuzzElementEnd(f *testing.F) {
	for _, s := range jsontest.Seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || SkipSpace(text, 0) > 0 {
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
