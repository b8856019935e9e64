package mappings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flytt/mappings"
)

// descriptorOf returns a descriptor whose second field is the lines given,
// from line 7 on.
func descriptorOf(field string) string {
	return "resource: thing\napplication: app\npath: /app/thing/\nfields:\n  - {name: id, type: uuid, read_only: true}\n  - {name: other, type: string}\n" +
		"  - " + strings.ReplaceAll(strings.TrimSpace(field), "\n", "\n    ") + "\n"
}

func TestFaultsOfAFieldPointAtTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, field, want string }{
		{"unknown key", "name: x\ntype: string\nrequird: true", "9:5: key requird is not known|hint: did you mean required?"},
		{"key twice", "name: x\nname: y\ntype: string", `8:5: key name appears twice, first on line 7|hint: leave one of them out`},
		{"no name", "type: string", "7:5: a field without a name"},
		{"no field but text", "name", "7:5: a field needs keys with values, not text"},
		{"no type", "name: x", "7:11: field x has no type"},
		{"unknown type", "name: x\ntype: strng", "8:11: type strng is not known|hint: did you mean string?"},
		{"bad name", "name: Xx\ntype: string", "7:11: Xx is not a name for a field: lower-case letters, digits and _"},
		{"name twice", "name: other\ntype: string", "7:11: field other appears twice"},
		{"text as boolean", "name: x\ntype: string\nrequired: yes", "9:15: required needs true or false, not text"},
		{"number as text", "name: x\ntype: string\npattern: 12", `9:14: pattern needs text, not a number|hint: put it in quotes: "12"`},
		{"null as text", "name: x\ntype: string\npattern:", "9:13: pattern needs text, not nothing"},
		{"empty text", "name: x\ntype: string\npattern: ''", "9:14: pattern is empty"},
		{"text as length", "name: x\ntype: string\nmax_length: long", "9:17: max_length needs a number, not text"},
		{"length of nothing", "name: x\ntype: string\nmax_length: 0", "9:17: max_length needs a whole number of characters, at least 1"},
		{"half a length", "name: x\ntype: string\nmax_length: 1.5", "9:17: max_length needs a whole number of characters, at least 1"},
		{"contradictory lengths", "name: x\ntype: string\nmin_length: 3\nmax_length: 2", "9:17: min_length 3 is above max_length 2"},
		{"length of a date", "name: x\ntype: date\nmax_length: 2", "9:17: max_length is for the type string, not for date"},
		{"bounds of text", "name: x\ntype: string\nminimum: 2", "9:14: minimum is for the type integer or number, not for string"},
		{"contradictory bounds", "name: x\ntype: integer\nminimum: 3\nmaximum: 2", "9:14: minimum 3 is above maximum 2"},
		{"inexact bound", "name: x\ntype: integer\nmaximum: 9007199254740993000", "9:14: maximum is beyond 2^53, the largest that is stored exactly"},
		{"bound not a number", "name: x\ntype: number\nmaximum: .nan", "9:14: maximum needs a number, not an infinity or NaN"},
		{"bad pattern", "name: x\ntype: string\npattern: '('", "9:14: error parsing regexp: missing closing ): `(`"},
		{"unknown format", "name: x\ntype: string\nformat: emial", "9:13: format emial is not known|hint: did you mean email?"},
		{"unknown filters", "name: x\ntype: string\nfilters: txt", "9:14: filter set txt is not known|hint: did you mean text?"},
		{"empty enum", "name: x\ntype: string\nenum: []", "9:11: an enum without values"},
		{"value twice in enum", "name: x\ntype: string\nenum: [a, b, a]", "9:18: a appears twice in enum"},
		{"number in enum", "name: x\ntype: integer\nenum: [1]", `9:12: an item of enum needs text, not a number|hint: put it in quotes: "1"`},
		{"text in an enum of integers", "name: x\ntype: integer\nenum: [a]", "9:12: a in enum is not an integer"},
		{"enum too long", "name: x\ntype: string\nenum: [abc]\nmax_length: 2", "9:12: abc in enum is longer than max_length 2"},
		{"enum too short", "name: x\ntype: string\nenum: [a]\nmin_length: 2", "9:12: a in enum is shorter than min_length 2"},
		{"reference to nothing", "name: x\ntype: reference", "8:11: a reference says with the key to which resource it refers to"},
		{"text refers", "name: x\ntype: string\nto: other", "9:9: to is for the type reference or references, not for string"},
		{"required and read-only", "name: x\ntype: string\nrequired: true\nread_only: true", "9:15: field x is read_only, so it cannot be required: required speaks of writing"},
		{"conversion of what is read", "name: x\ntype: string\nread_only: true\napply: [trim]", "10:12: field x is read_only: there is nothing to apply"},
		{"form of what is read", "name: x\ntype: string\nread_only: true\ncompare: lower", "10:14: field x is read_only: an import compares only fields that it writes"},
		{"form of a number", "name: x\ntype: integer\ncompare: digits", "9:14: compare is for the type string, not for integer"},
		{"no form", "name: x\ntype: string\ncompare: []", "9:14: compare names no form"},
		{"form that is no text", "name: x\ntype: string\ncompare: 1", `9:14: compare needs text, not a number|hint: put it in quotes: "1"`},
		{"unknown form", "name: x\ntype: string\ncompare: lowr", "9:14: form lowr is not known|hint: did you mean lower?"},
		{"unknown form in a list", "name: x\ntype: string\ncompare: [lower, colapse]", "9:22: form colapse is not known|hint: did you mean collapse?"},
		{"rule about nothing", "name: x\ntype: string\nrequires: []", "9:15: requires names no field"},
		{"rule about an unknown field", "name: x\ntype: string\nrequires: [other, othr]", "9:23: field othr is not known|hint: did you mean other?"},
		{"rule about itself", "name: x\ntype: string\nexcludes: [x]", "9:16: excludes of x names the field itself"},
		{"rule about what is read", "name: x\ntype: string\nexcludes: [id]", "9:16: excludes is for fields that are written, and id is read_only"},
		{"wanted and excluded", "name: x\ntype: string\nrequires: [other]\nexcludes: [other]", "10:16: x excludes other and requires it at the same time"},
		{"list wanted", "name: x\ntype: string\nrequires: other", "9:15: requires needs a list, not text"},
		{"unknown language", "name: x\ntype: string\naliases: {no: [X]}", "9:15: language no is not known|hint: use sv or en"},
		{"alias of another field", "name: x\ntype: string\naliases: {sv: [Ex, OTHER]}", "9:24: alias OTHER means both other and x"},
		{"alias of punctuation", "name: x\ntype: string\naliases: {sv: ['-']}", "9:20: alias - has neither letter nor digit"},
		{"anchor", "&a name: x\ntype: string", "7:5: a key needs text, not an anchor or alias"},
		{"tag", "name: !x y\ntype: string", "7:11: name needs text, not a tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mappings.ParseResource("thing.yaml", []byte(descriptorOf(c.field)))
			checkFault(t, err, "thing.yaml:"+c.want)
		})
	}
}

// checkFault holds err against want: the first line, and after a | the hint.
func checkFault(t *testing.T, err error, want string) {
	t.Helper()
	var fault *mappings.FileError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a FileError", err)
	}
	lines := strings.Split(err.Error(), "\n")
	first, hint, _ := strings.Cut(want, "|")
	if lines[0] != first {
		t.Errorf("got  %s\nwant %s", err, first)
	}
	if last := lines[len(lines)-1]; hint != "" && last != hint || hint == "" && strings.HasPrefix(last, "hint: ") && !strings.HasPrefix(last, "hint: use ") {
		t.Errorf("hint %s, want %s", last, hint)
	}
	if fault.Line > 0 && fault.Text == "" {
		t.Error("the line is not shown")
	}
}

func TestFaultsOfAResourcePointAtTheirPlace(t *testing.T) {
	const field = "fields: [{name: a, type: string, filters: text}, {name: b, type: boolean}]\n"
	for _, c := range []struct{ name, descriptor, want string }{
		{"empty", "", "r.yaml: the file is empty"},
		{"only a comment", "# nothing\n", "r.yaml: the file is empty"},
		{"a list", "- a\n", "r.yaml:1:1: the descriptor needs keys with values, not a list"},
		{"two documents", "resource: a\n---\nresource: b\n", "r.yaml:3:1: a second document: the file holds one"},
		{"no YAML", "resource: [a\n", "r.yaml:1:11: the bracket [ is not closed|hint: close it with ]"},
		{"not UTF-8", "resource: a\ntitle: \xe5\n", "r.yaml:2:8: not UTF-8|hint: save the file as UTF-8"},
		{"no name", "application: a\npath: /a/\n" + field, "r.yaml: the key resource is missing"},
		{"no application", "resource: a\npath: /a/\n" + field, "r.yaml: the key application is missing"},
		{"no path", "resource: a\napplication: a\n" + field, "r.yaml: the key path is missing"},
		{"no fields", "resource: a\napplication: a\npath: /a/\n", "r.yaml: the key fields is missing"},
		{"empty fields", "resource: a\napplication: a\npath: /a/\nfields: []\n", "r.yaml:4:9: a resource without fields"},
		{"bad name", "resource: A b\napplication: a\npath: /a/\n" + field, "r.yaml:1:11: A b is not a name for a resource: lower-case letters, digits and _"},
		{"open path", "resource: a\napplication: a\npath: /a\n" + field, "r.yaml:3:7: /a is not a path: lower-case, with a slash at both ends"},
		{"unknown key", "resorce: a\n", "r.yaml:1:1: key resorce is not known|hint: did you mean resource?"},
		{"key that is no field", "resource: a\napplication: a\npath: /a/\nkey: c\n" + field, "r.yaml:4:6: field c is not known|hint: did you mean a?"},
		{"key that identifies nothing", "resource: a\napplication: a\npath: /a/\nkey: b\n" + field, "r.yaml:4:6: a field of type boolean cannot be the key"},
		{"unknown search field", "resource: a\napplication: a\npath: /a/\nsearch: [a, id]\n" + field, "r.yaml:4:13: field id is not known"},
		{"unknown parameter", "resource: a\napplication: a\npath: /a/\nparameters: [_pages]\n" + field, "r.yaml:4:14: parameter _pages is not known|hint: did you mean _page?"},
		{"title in no language", "resource: a\ntitle: Ett\n", "r.yaml:2:8: title needs keys with values, not text"},
		{"both required, one excludes", "resource: a\napplication: a\npath: /a/\nfields:\n  - {name: a, type: string, required: true, excludes: [b]}\n  - {name: b, type: string, required: true}\n",
			"r.yaml:5:56: a excludes b, and both are required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mappings.ParseResource("r.yaml", []byte(c.descriptor))
			checkFault(t, err, c.want)
		})
	}
}

func TestAFaultShowsItsLineWithAMark(t *testing.T) {
	_, err := mappings.ParseResource("thing.yaml", []byte(descriptorOf("name: x\ntype: strng # å")))
	const want = "thing.yaml:8:11: type strng is not known\n" +
		"  8 |     type: strng # å\n" +
		"    |           ^\n" +
		"hint: did you mean string?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v", err)
	}
}

func TestAnEditorsMarkAndLineEndsDoNotMatter(t *testing.T) {
	text := "\uFEFF" + strings.ReplaceAll(descriptorOf("name: x\ntype: string"), "\n", "\r\n")
	if _, err := mappings.ParseResource("thing.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
}

func FuzzParseResource(f *testing.F) {
	files, err := filepath.Glob("resources/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/lease.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range []string{"", "a", "&a [*a]", "<<: {a: b}", "fields: [{name: x, aliases: {sv: [a]}}]", "? [a]\n: b", "{", descriptorOf("name: x\ntype: string\nenum: [a]")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := mappings.ParseResource("fuzz.yaml", data)
		if err != nil {
			var fault *mappings.FileError
			if !errors.As(err, &fault) {
				t.Errorf("%v is no FileError", err)
			}
			return
		}
		if _, err := mappings.JSONSchema(r); err != nil {
			t.Errorf("JSON Schema of an accepted descriptor: %v", err)
		}
		schema, err := r.Schema(r.Columns())
		if err != nil {
			t.Fatalf("schema of an accepted descriptor: %v", err)
		}
		if _, err := mappings.NewValidator(r, schema, mappings.ValidateOptions{}); err != nil {
			t.Errorf("validator of an accepted descriptor: %v", err)
		}
	})
}
