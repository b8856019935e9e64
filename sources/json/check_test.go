package json

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/sources/json/jsontest"
	"flytt/sources/textscan"
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

func TestFlawsAreNamedWithTheirPlace(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	for text, want := range map[string]syntaxFault{
		`{"a":1,"\u0061":2}`:   {7, duplicateName, "a name that the object has already"},
		`{"a" 1}`:              {5, badJSON, "a colon is expected here"},
		`{"a"`:                 {4, badJSON, "a colon is expected here"},
		`{a:1}`:                {1, badJSON, "a name in quotes is expected here"},
		`{"a":1,}`:             {7, badJSON, "a name in quotes is expected here"},
		`{"a":1 "b":2}`:        {7, badJSON, "a comma or a closing bracket is expected here"},
		`{"a":[1}`:             {7, badJSON, "a comma or a closing bracket is expected here"},
		`{"a":[1,]}`:           {8, badJSON, "a value is expected here"},
		`{"a":tru}`:            {5, badJSON, "a value is expected here"},
		`{"a":NaN}`:            {5, badJSON, "a value is expected here"},
		`{"a":1`:               {6, badJSON, "it ends too early"},
		`{"a":1, `:             {8, badJSON, "it ends too early"},
		`{`:                    {1, badJSON, "it ends too early"},
		`{"a":01}`:             {5, badJSON, "a number that is not written as JSON has it"},
		`{"a":-01}`:            {6, badJSON, "a number that is not written as JSON has it"},
		`{"a":-}`:              {6, badJSON, "a number that is not written as JSON has it"},
		`{"a":1.}`:             {7, badJSON, "a number that is not written as JSON has it"},
		`{"a":1e+`:             {8, badJSON, "a number that is not written as JSON has it"},
		`{"a":"x`:              {5, badJSON, "a string that is not closed"},
		`{"a":1,"x`:            {7, badJSON, "a string that is not closed"},
		"{\"a\":\"\x01\"}":     {6, badJSON, "a control character within a string"},
		`{"a":"\q"}`:           {6, badJSON, "a backslash before a character that has no escape"},
		`{"a":"\u12"}`:         {6, badJSON, `\u without four hexadecimal digits`},
		`{"a":"\ud800"}`:       {6, textscan.InvalidEncoding, "half of a surrogate pair"},
		`{"a":"\ud800\u0041"}`: {6, textscan.InvalidEncoding, "half of a surrogate pair"},
		"{\"a\":\"\xff\"}":     {6, textscan.InvalidEncoding, "bytes that are not UTF-8"},
		`{"a":1}}`:             {7, badJSON, "something follows the end of the value"},
		`{"a":1} {}`:           {8, badJSON, "something follows the end of the value"},
		`[1]`:                  {0, notObject, "an array where an object is expected"},
		`"x"`:                  {0, notObject, "a string where an object is expected"},
		`null`:                 {0, notObject, "null where an object is expected"},
		`true`:                 {0, notObject, "true or false where an object is expected"},
		`-1`:                   {0, notObject, "a number where an object is expected"},
		deep(maxDepth + 1):     {68, deepJSON, "objects and arrays lie too deep within each other"},
		deep(20_000):           {68, deepJSON, "objects and arrays lie too deep within each other"},
	} {
		var c checker
		if got, ok := c.row([]byte(text), 0); ok || got != want {
			t.Errorf("%.80q:\n got %+v, a row: %v\nwant %+v", text, got, ok, want)
		}
		padded := " \t" + text
		if got, _ := c.row([]byte(padded), 2); got.at != want.at+2 {
			t.Errorf("%.80q: at %d, want %d", padded, got.at, want.at+2)
		}
	}
	var c checker
	for _, text := range []string{deep(maxDepth), `{"a":[` + strings.Repeat(`{"b":"]}"},`, 200) + `[]]}`, `{}`} {
		if flaw, ok := c.row([]byte(text), 0); !ok {
			t.Errorf("%.80q is taken for no row: %+v", text, flaw)
		}
	}
}

func TestManyNamesAreTold(t *testing.T) {
	var c checker
	for _, n := range []int{2, maxLinearNames - 1, maxLinearNames, maxLinearNames + 1, 3 * maxLinearNames} {
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
