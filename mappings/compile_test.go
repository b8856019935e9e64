package mappings_test

import (
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

func TestCompilePointsAtEveryFault(t *testing.T) {
	const columns = "Namn,Kundnr,Personnr,Förnamn"
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown field", "fields:\n  name: Namn\n  persnr: Personnr\n  custom: Kundnr\n", `mapping.yaml:3:3: unknown field "persnr"
  3 |   persnr: Personnr
    |   ^
hint: use id, name, client.id, title, ssn, custom_id, phone_number or born
mapping.yaml:4:3: unknown field "custom"
  4 |   custom: Kundnr
    |   ^
hint: did you mean custom_id?`},
		{"nearest field", "fields: {name: Namn, phone_numer: Kundnr}\n", `mapping.yaml:1:22: unknown field "phone_numer"
  1 | fields: {name: Namn, phone_numer: Kundnr}
    |                      ^
hint: did you mean phone_number?`},
		{"unknown column", "fields:\n  name:\n    from: [Namn, Förnam]\n  ssn: Personr\n", `mapping.yaml:3:18: unknown column "Förnam"
  3 |     from: [Namn, Förnam]
    |                  ^
hint: did you mean Förnamn?
mapping.yaml:4:8: unknown column "Personr"
  4 |   ssn: Personr
    |        ^
hint: did you mean Personnr?`},
		{"required field", "resource: person\nfields:\n  ssn: Personnr\n", `mapping.yaml:2:1: required field name is not mapped
  2 | fields:
    | ^
hint: add a line such as: name: COLUMN`},
		{"read-only field", "fields: {name: Namn, created_at: Namn}\n", `mapping.yaml:1:22: field created_at is read-only
  1 | fields: {name: Namn, created_at: Namn}
    |                      ^
hint: leave it out: the API sets it`},
		{"field twice", "fields: {name: Namn, client: Namn, client.id: Namn}\n", `mapping.yaml:1:36: field client.id is mapped twice
  1 | fields: {name: Namn, client: Namn, client.id: Namn}
    |                                    ^`},
		{"other resource", "resource: company\nfields: {name: Namn}\n", `mapping.yaml:1:1: the mapping is for resource company, not person
  1 | resource: company
    | ^`},
		{"key", "fields: {name: Namn, title: Namn}\nkey: custom_id\n", `mapping.yaml:2:6: key "custom_id" is not a field of the mapping
  2 | key: custom_id
    |      ^
hint: use name or title`},
		{"column of an expression", "fields: {name: Namn, title: {expr: 'upper(col[\"Name\"])'}}\n", `mapping.yaml:1:47: expression: unknown column "Name"
  1 | fields: {name: Namn, title: {expr: 'upper(col["Name"])'}}
    |                                               ^
hint: did you mean Namn?`},
		{"syntax of an expression", "fields: {name: Namn}\nwhere: col[\"Namn\"] ==\n", `mapping.yaml:2:21: expression: the expression ends too early
  2 | where: col["Namn"] ==
    |                     ^
hint: a value, or a closing bracket, is missing`},
		{"type of an expression", "fields: {name: {expr: 'col[\"Namn\"] + 1'}}\n", `mapping.yaml:1:36: expression: + cannot be used with text and a whole number
  1 | fields: {name: {expr: 'col["Namn"] + 1'}}
    |                                    ^
hint: cells are text: int(col["NAME"]) or float(col["NAME"]) makes a number of one`},
		{"expression over lines", "fields:\n  name:\n    expr: |\n      col[\"Namn\"] +\n      nothing\n", `mapping.yaml:3:11: expression: unknown name nothing, at character 15
  3 |     expr: |
    |           ^
hint: write col["NAME"] for a column, and "nothing" for a text`},
		{"result of an expression", "fields: {name: {expr: 'split(col[\"Namn\"], \" \")'}}\n", `mapping.yaml:1:24: expression: the result must be text, a number, true, false or nil
  1 | fields: {name: {expr: 'split(col["Namn"], " ")'}}
    |                        ^`},
		{"condition", "fields: {name: Namn}\nwhere: col[\"Namn\"]\n", `mapping.yaml:2:8: expression: the result is text, not true or false
  2 | where: col["Namn"]
    |        ^
hint: compare: col["NAME"] == "…"`},
		{"missing table", "fields: {name: {from: Namn, lookup: {file: nowhere.csv, key: a, value: b}}}\n", `mapping.yaml:1:44: lookup: nowhere.csv: no such file or directory
  1 | fields: {name: {from: Namn, lookup: {file: nowhere.csv, key: a, value: b}}}
    |                                            ^
hint: paths are relative to the mapping file`},
		{"column of a table", "fields: {name: {from: Namn, lookup: {file: lookup/clients.csv, key: legacyid, value: uuid}}}\n", `mapping.yaml:1:69: lookup: lookup/clients.csv: no column "legacyid"
  1 | fields: {name: {from: Namn, lookup: {file: lookup/clients.csv, key: legacyid, value: uuid}}}
    |                                                                     ^
hint: did you mean legacy_id?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, c.yaml)
			_, err := m.Compile(personResource(t), strings.Split(columns, ","), mappings.CompileOptions{Dir: "testdata"})
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompileChecksAMappingMadeByHand(t *testing.T) {
	for _, r := range []mappings.Rule{
		{Field: "name"},
		{Field: "name", From: []string{"A"}, Const: text("x")},
		{Field: "name", From: []string{"A"}, Apply: []mappings.Conversion{{Name: "nothing"}}},
		{Field: "nothing", From: []string{"A"}},
	} {
		m := &mappings.Mapping{Fields: []mappings.Rule{r}}
		if _, err := m.Compile(personResource(t), []string{"A"}, mappings.CompileOptions{}); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
}

func TestColumnsAreFoundInAnyUnicodeForm(t *testing.T) {
	compile(t, "fields: {name: Fo\u0308rnamn, title: {expr: 'col[\"F\u00f6rnamn\"]'}}", "F\u00f6rnamn")
	compile(t, "fields: {name: F\u00f6rnamn}", " Fo\u0308rnamn ")
}

func TestPlanTellsWhereFieldsComeFrom(t *testing.T) {
	p := compile(t, `
fields:
  title: B
  client: {from: A, lookup: {file: lookup/clients.csv, key: legacy_id, value: id}}
  name: {from: A, lookup: {file: lookup/clients.csv, key: legacy_id, value: id}}
  phone_number: {from: A, lookup: {file: lookup/other/clients.csv, key: legacy_id, value: id}}
  born: {from: [A, B]}
  ssn: {expr: 'col["B"] + col["B"]'}
  custom_id: {const: x}
`, "A,B")
	names := []string{"title", "client.id", "name", "phone_number", "born", "ssn", "custom_id"}
	var got []string
	for _, f := range p.Schema().Fields {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int16{1, 0, 0, 0, pipeline.None, 1, pipeline.None}, p.Columns()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "clients", "clients", "clients_2", "", "", ""}, p.Tables()); diff != "" {
		t.Error(diff)
	}
	if p.Schema().Fields[1].Type != pipeline.UUID || p.Schema().Fields[4].Type != pipeline.Date {
		t.Errorf("types are lost: %+v", p.Schema())
	}
	if p.Key() != "custom_id" {
		t.Errorf("key is %q, want the resource's own", p.Key())
	}
}

func TestARequiredFieldMayBeLeftOutOfAChange(t *testing.T) {
	m := parse(t, "fields: {title: A}")
	if _, err := m.Compile(personResource(t), []string{"A"}, mappings.CompileOptions{Partial: true}); err != nil {
		t.Error(err)
	}
}

func TestLookupTablesAreReadStrictly(t *testing.T) {
	for file, want := range map[string]string{
		"double.csv": "lines 2 and 5 give one key two values",
		"latin.csv":  "line 2: not UTF-8",
		"ragged.csv": "line 2: wrong number of fields",
		"empty.csv":  "the table is empty",
		"":           "is a directory",
	} {
		m := parse(t, "fields: {name: {from: A, lookup: {file: 'lookup/"+file+"', key: legacy_id, value: id}}}")
		_, err := m.Compile(personResource(t), []string{"A"}, mappings.CompileOptions{Dir: "testdata"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", file, err, want)
		}
	}
}
