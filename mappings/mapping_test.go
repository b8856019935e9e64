package mappings_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// wholeGrammar uses everything a mapping file can say.
const wholeGrammar = `resource: externalclientcontactperson
input:
  encoding: windows-1252
  delimiter: ";"
  sheet: Kontakter
  header_row: 3
  nulls: ["", NULL, "-", "#N/A", 0]
  trim: false
fields:
  name: Namn
  external_client.id: {from: Kundnr, lookup: {file: clients.csv, key: legacy_id, value: id}}
  title: {from: Titel, apply: [collapse, {replace: {VD: Verkställande direktör, "9": null}, strict: true}], default: Kontaktperson}
  ssn: {from: Personnr, apply: ["personnummer(dash, pivot=30)"]}
  org_no:
    from: Orgnr
    apply:
      - organisationsnummer(dash)
  phone_number: {from: [Mobil, Telefon], apply: [phone(NO)]}
  first_name: {expr: 'split(col["Namn"], " ")[0]'}
  last_name: {from: Namn, apply: [{split: [" ", -1]}, 'regex("^(\w+), x$", "$1")']}
  corporate_name: {const: 42}
where: 'col["Status"] != "Avslutad"'
key: name
severity: {phone: warning, coordination_date: error}
`

func text(s string) *string { return &s }

func wholeMapping() *mappings.Mapping {
	no := false
	return &mappings.Mapping{
		Resource: "externalclientcontactperson",
		Input: mappings.Input{
			Encoding: "windows-1252", Delimiter: ";", Sheet: "Kontakter", HeaderRow: 3,
			Nulls: []string{"", "NULL", "-", "#N/A", "0"}, Trim: &no,
		},
		Fields: []mappings.Rule{
			{Field: "name", From: []string{"Namn"}},
			{Field: "external_client.id", From: []string{"Kundnr"}, Lookup: &mappings.TableLookup{File: "clients.csv", Key: "legacy_id", Value: "id"}},
			{Field: "title", From: []string{"Titel"}, Default: text("Kontaktperson"), Apply: []mappings.Conversion{
				{Name: "collapse"},
				{Name: "replace", Strict: true, Table: []mappings.Replacement{{From: "VD", To: text("Verkställande direktör")}, {From: "9"}}},
			}},
			{Field: "ssn", From: []string{"Personnr"}, Apply: []mappings.Conversion{{Name: "personnummer", Args: []string{"dash", "pivot=30"}}}},
			{Field: "org_no", From: []string{"Orgnr"}, Apply: []mappings.Conversion{{Name: "organisationsnummer", Args: []string{"dash"}}}},
			{Field: "phone_number", From: []string{"Mobil", "Telefon"}, Apply: []mappings.Conversion{{Name: "phone", Args: []string{"NO"}}}},
			{Field: "first_name", Expr: `split(col["Namn"], " ")[0]`},
			{Field: "last_name", From: []string{"Namn"}, Apply: []mappings.Conversion{
				{Name: "split", Args: []string{" ", "-1"}},
				{Name: "regex", Args: []string{`^(\w+), x$`, "$1"}},
			}},
			{Field: "corporate_name", Const: text("42")},
		},
		Where:    `col["Status"] != "Avslutad"`,
		Key:      "name",
		Severity: map[pipeline.Code]pipeline.Severity{"phone": pipeline.Warning, "coordination_date": pipeline.Error},
	}
}

func parse(t *testing.T, yaml string) *mappings.Mapping {
	t.Helper()
	m, err := mappings.ParseMapping("mapping.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var ignorePlaces = cmpopts.IgnoreUnexported(mappings.Mapping{})

func TestParseMappingReadsTheWholeGrammar(t *testing.T) {
	got := parse(t, wholeGrammar)
	if diff := cmp.Diff(wholeMapping(), got, ignorePlaces); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLReadsBackAsTheSameMapping(t *testing.T) {
	want := wholeMapping()
	data, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, parse(t, string(data)), ignorePlaces); diff != "" {
		t.Errorf("%s\n%s", diff, data)
	}
}

func TestYAMLIsSpeltOutTheSameWayEveryTime(t *testing.T) {
	const want = `resource: externalclientcontactperson
input:
  encoding: windows-1252
  delimiter: ";"
  sheet: Kontakter
  header_row: 3
  nulls: ["", "NULL", "-", "#N/A", "0"]
  trim: false
fields:
  name: Namn
  external_client.id: {from: Kundnr, lookup: {file: clients.csv, key: legacy_id, value: id}}
  title: {from: Titel, apply: [collapse, {replace: {"VD": "Verkställande direktör", "9": null}, strict: true}], default: "Kontaktperson"}
  ssn: {from: Personnr, apply: [{personnummer: ["dash", "pivot=30"]}]}
  org_no: {from: Orgnr, apply: [organisationsnummer(dash)]}
  phone_number: {from: [Mobil, Telefon], apply: [phone(NO)]}
  first_name: {expr: "split(col[\"Namn\"], \" \")[0]"}
  last_name: {from: Namn, apply: [{split: [" ", "-1"]}, {regex: ["^(\\w+), x$", "$1"]}]}
  corporate_name: {const: "42"}
where: "col[\"Status\"] != \"Avslutad\""
key: name
severity:
  coordination_date: error
  phone: warning
`
	for range 5 {
		got, err := wholeMapping().YAML()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestYAMLRefusesWhatCannotBeReadBack(t *testing.T) {
	m := &mappings.Mapping{Fields: []mappings.Rule{{Field: "name"}}}
	if _, err := m.YAML(); err == nil {
		t.Error("a rule without an origin was written")
	}
}

func TestIdentityRulesAllowInterimWhereAConversionDoes(t *testing.T) {
	strict := parse(t, "fields: {ssn: {from: P, apply: [personnummer]}}").IdentityRules(identity.Rules{})
	loose := parse(t, "fields: {ssn: {from: P, apply: [personnummer(interim)]}}").IdentityRules(identity.Rules{})
	if strict.AllowInterim || !loose.AllowInterim {
		t.Errorf("got %v and %v", strict.AllowInterim, loose.AllowInterim)
	}
}

// faultCases are mapping files with mistakes, and the whole message each gives.
var faultCases = []struct{ name, yaml, want string }{
	{"unknown key", "feilds: {name: Namn}\nfields: {name: Namn}\n", `mapping.yaml:1:1: unknown key "feilds"
  1 | feilds: {name: Namn}
    | ^
hint: did you mean fields?`},
	{"unknown key of a field", "fields:\n  name: {form: Namn}\n", `mapping.yaml:2:10: unknown key "form"
  2 |   name: {form: Namn}
    |          ^
hint: did you mean from?`},
	{"all faults at once", "fields:\n  name: {from: Namn, const: X}\n  title: {}\n  ssn: {from: P, apply: [personumer]}\n", `mapping.yaml:2:22: field name: const together with from
  2 |   name: {from: Namn, const: X}
    |                      ^
mapping.yaml:3:3: field title: no source for its value
  3 |   title: {}
    |   ^
hint: say from, const or expr
mapping.yaml:4:26: unknown conversion "personumer"
  4 |   ssn: {from: P, apply: [personumer]}
    |                          ^
hint: did you mean personnummer?`},
	{"const with more", "fields: {name: {const: X, apply: [trim], default: Y}}\n", `mapping.yaml:1:27: field name: apply together with const
  1 | fields: {name: {const: X, apply: [trim], default: Y}}
    |                           ^
mapping.yaml:1:42: field name: default together with const
  1 | fields: {name: {const: X, apply: [trim], default: Y}}
    |                                          ^`},
	{"comma in a flow list", "fields: {ssn: {from: P, apply: [personnummer(dash, interim)]}}\n", `mapping.yaml:1:33: conversion: closing parenthesis is missing
  1 | fields: {ssn: {from: P, apply: [personnummer(dash, interim)]}}
    |                                 ^
hint: put a conversion with several arguments in quotes: 'split(";", 0)'`},
	{"wrong argument", "fields: {ssn: {from: P, apply: ['personnummer(dash, pivot=x)']}}\n", `mapping.yaml:1:33: conversion personnummer: unknown, repeated or wrong argument "pivot=x"
  1 | fields: {ssn: {from: P, apply: ['personnummer(dash, pivot=x)']}}
    |                                 ^
hint: it is written personnummer, personnummer(dash, pivot=30, reject_century, interim)`},
	{"bad regex", "fields: {name: {from: N, apply: ['regex(\"(\")']}}\n", `mapping.yaml:1:34: conversion regex: error parsing regexp: missing closing ): ` + "`(`" + `
  1 | fields: {name: {from: N, apply: ['regex("(")']}}
    |                                  ^
hint: it is written regex(pattern), regex(pattern, replacement)`},
	{"bad layout", "fields: {name: {from: N, apply: [date(YYYY-QQ-DD)]}}\n", `mapping.yaml:1:34: conversion date: layout "YYYY-QQ-DD": "QQ" is none of YYYY, YY, MM, M, MMM, DD, D, HH, mm, ss
  1 | fields: {name: {from: N, apply: [date(YYYY-QQ-DD)]}}
    |                                  ^
hint: it is written date(layout, …)`},
	{"region", "fields: {name: {from: N, apply: [phone(Sverige)]}}\n", `mapping.yaml:1:34: conversion phone: "Sverige" is not a region, such as SE or NO
  1 | fields: {name: {from: N, apply: [phone(Sverige)]}}
    |                                  ^
hint: it is written phone, phone(region)`},
	{"join of one column", "fields: {name: {from: N, apply: [trim, join]}}\n", `mapping.yaml:1:40: join comes first, after several columns
  1 | fields: {name: {from: N, apply: [trim, join]}}
    |                                        ^
hint: {from: [A, B], apply: [join]}`},
	{"list for a field", "fields:\n  name: [A, B]\n", `mapping.yaml:2:9: field name needs a column, or keys
  2 |   name: [A, B]
    |         ^
hint: several columns are written {from: [A, B]}`},
	{"number for a column", "fields:\n  name: 2024\n", `mapping.yaml:2:9: field name needs text, not a number
  2 |   name: 2024
    |         ^
hint: put it in quotes: "2024"`},
	{"no fields", "resource: x\n", `mapping.yaml: the mapping has no fields
hint: fields says where each field comes from: name: Namn`},
	{"empty file", "# nothing yet\n", `mapping.yaml: the file is empty`},
	{"repeated key", "fields: {name: A, name: B}\n", `mapping.yaml:1:19: key name appears twice, first on line 1
  1 | fields: {name: A, name: B}
    |                   ^
hint: leave one of them out`},
	{"repeated column", "fields: {name: {from: [A, B, A]}}\n", `mapping.yaml:1:30: column "A" appears twice
  1 | fields: {name: {from: [A, B, A]}}
    |                              ^`},
	{"lookup without a key", "fields:\n  name:\n    from: A\n    lookup: {file: f.csv, value: id}\n", `mapping.yaml:4:5: lookup has no key
  4 |     lookup: {file: f.csv, value: id}
    |     ^
hint: lookup: {file: clients.csv, key: legacy_id, value: id}`},
	{"delimiter", "input: {delimiter: ab}\nfields: {name: A}\n", `mapping.yaml:1:20: delimiter is not one character
  1 | input: {delimiter: ab}
    |                    ^
hint: a tab is written "\t"`},
	{"header row", "input: {header_row: 0}\nfields: {name: A}\n", `mapping.yaml:1:21: header_row is a row number, counted from 1
  1 | input: {header_row: 0}
    |                     ^`},
	{"unknown code", "fields: {name: A}\nseverity: {chek_digit: warning}\n", `mapping.yaml:2:12: unknown code "chek_digit"
  2 | severity: {chek_digit: warning}
    |            ^
hint: did you mean check_digit?`},
	{"unknown severity", "fields: {name: A}\nseverity: {check_digit: ignore}\n", `mapping.yaml:2:25: severity of check_digit is error or warning
  2 | severity: {check_digit: ignore}
    |                         ^`},
	{"anchor", "fields: {name: &n A}\n", `mapping.yaml:1:16: field name needs text, not an anchor or alias
  1 | fields: {name: &n A}
    |                ^`},
	{"two conversions in one item", "fields: {name: {from: A, apply: [{replace: {a: b}, trim: x}]}}\n", `mapping.yaml:1:52: a second conversion "trim" in one item
  1 | fields: {name: {from: A, apply: [{replace: {a: b}, trim: x}]}}
    |                                                    ^
hint: each conversion is an item of its own: [{a: …}, {b: …}]`},
	{"not UTF-8", "# a\nfields: {name: F\xf6retag}\n", "mapping.yaml:2:17: not UTF-8\n  2 | fields: {name: F\uFFFDretag}\n    |                 ^\nhint: save the file as UTF-8"},
}

func TestParseMappingPointsAtEveryFault(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			_, err := mappings.ParseMapping("mapping.yaml", []byte(c.yaml))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseMappingRefusesValuesOfTheWrongKind(t *testing.T) {
	for _, yaml := range []string{
		"a list: 1", "- a", "just text", "fields: [a]", "fields: {a: }", "fields: {name: A}\nwhere: 5", "fields: {name: A}\nkey: [name]",
		"resource: ''\nfields: {name: A}", "fields: {name: ''}", "fields: {name: {from: []}}", "fields: {name: {from: [1]}}",
		"fields: {name: {from: {a: b}}}", "fields: {name: {const: }}", "fields: {name: {const: ''}}", "fields: {name: {from: A, default: [x]}}",
		"fields: {name: {from: A, lookup: clients.csv}}", "fields: {name: {from: A, lookup: {file: 1, key: a, value: b}}}",
		"fields: {name: {expr: ''}}", "fields: {name: {from: A, expr: B, const: C}}", "fields: {name: {from: A, apply: [{trim: [[x]]}]}}",
		"fields: {name: {from: A, apply: [{replace: {a: [b]}}]}}", "input: x\nfields: {name: A}", "input: {header_row: one}\nfields: {name: A}",
		"input: {header_row: 1.5}\nfields: {name: A}", "input: {trim: 'no'}\nfields: {name: A}", "input: {nulls: x}\nfields: {name: A}",
		"input: {delimiter: 1}\nfields: {name: A}", "fields: {name: A}\nseverity: [a]", "fields: {name: A}\nseverity: {phone: 1}",
		"fields: {name: A}\n---\nfields: {name: B}", "fields: {name: *a}", "fields: {<<: {name: A}}", "fields: {name: !!str A}", "? [a]\n: b",
		"fields: {name: A}\nseverity: {century_inferred: error}",
	} {
		if m, err := mappings.ParseMapping("m.yaml", []byte(yaml)); err == nil {
			t.Errorf("%s was taken: %+v", yaml, m)
		}
	}
}

func TestQuotedTextSurvivesAnyCharacter(t *testing.T) {
	want := &mappings.Mapping{Fields: []mappings.Rule{{Field: "name", From: []string{
		"a\"b\\c", "tab\tline\nreturn\r", "\u2028\u0085\ufeff\u007f\u0001", "null", "Yes", "1e3", "- x", "#", "a: b", " a", "é\u0301", "😀",
	}}}}
	data, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, parse(t, string(data)), ignorePlaces); diff != "" {
		t.Errorf("%s\n%s", diff, data)
	}
}

func TestFaultsCanBeTakenOneByOne(t *testing.T) {
	_, err := mappings.ParseMapping("m.yaml", []byte("fields:\n  name: {form: A}\nwere: x\n"))
	var first *mappings.FileError
	if !errors.As(err, &first) || first.Line != 2 || first.Column != 10 || first.Hint == "" {
		t.Errorf("got %+v", first)
	}
	list, ok := err.(interface{ Unwrap() []error })
	if !ok || len(list.Unwrap()) != 2 {
		t.Errorf("want two faults, got %v", err)
	}
}

func TestParseMappingReadsTheSample(t *testing.T) {
	data, err := os.ReadFile("../samples/externalclientcontactperson/mapping.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(data))
	if m.Key == "" || len(m.Fields) < 10 || !strings.Contains(m.Where, "col[") {
		t.Errorf("got %+v", m)
	}
}

func ExampleMapping_Compile() {
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		log.Fatal(err)
	}
	m, err := mappings.ParseMapping("mapping.yaml", []byte(`
fields:
  name: Namn
  external_client.id: KundUUID
  title: {from: Befatning, default: Kontaktperson}
`))
	if err != nil {
		log.Fatal(err)
	}
	_, err = m.Compile(r, []string{"Namn", "KundUUID", "Befattning"}, mappings.CompileOptions{})
	fmt.Println(err)
	// Output:
	// mapping.yaml:5:17: unknown column "Befatning"
	//   5 |   title: {from: Befatning, default: Kontaktperson}
	//     |                 ^
	// hint: did you mean Befattning?
}

func FuzzParseMapping(f *testing.F) {
	f.Add([]byte(wholeGrammar))
	for _, c := range faultCases {
		f.Add([]byte(c.yaml))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := mappings.ParseMapping("mapping.yaml", data)
		if err != nil {
			return
		}
		first, err := m.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := mappings.ParseMapping("mapping.yaml", first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := again.YAML()
		if err != nil || string(first) != string(second) {
			t.Fatalf("not stable (%v):\n%s\n%s", err, first, second)
		}
		if diff := cmp.Diff(m, again, ignorePlaces, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s\n%s", diff, first)
		}
	})
}
