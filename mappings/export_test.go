package mappings_test

import (
	"slices"
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

func contactResource(t testing.TB) *mappings.Resource {
	t.Helper()
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readable returns the columns of a list of contacts.
func readable(t testing.TB) []string {
	t.Helper()
	var columns []string
	for _, f := range contactResource(t).Readable() {
		columns = append(columns, f.Name)
	}
	return columns
}

// contact returns a row of a list of contacts: the values given by column, the
// others null.
func contact(t testing.TB, values map[string]string) []string {
	t.Helper()
	var cells []string
	for _, column := range readable(t) {
		v, ok := values[column]
		if !ok {
			v = "\x00"
		}
		cells = append(cells, v)
	}
	return cells
}

func compileExport(yaml string, r *mappings.Resource, columns []string) (*mappings.Plan, error) {
	m, err := mappings.ParseMapping("mapping.yaml", []byte(yaml))
	if err != nil {
		return nil, err
	}
	return m.CompileExport(r, columns, mappings.CompileOptions{Dir: "testdata", Identity: identity.Rules{Today: today}})
}

// export maps rows of contacts and returns the plan and the batch.
func export(t testing.TB, yaml string, rows ...map[string]string) (*mappings.Plan, *pipeline.Batch) {
	t.Helper()
	p, err := compileExport(yaml, contactResource(t), readable(t))
	if err != nil {
		t.Fatal(err)
	}
	return p, applyPlan(t, p, rows...)
}

func applyPlan(t testing.TB, p *mappings.Plan, rows ...map[string]string) *pipeline.Batch {
	t.Helper()
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, contact(t, row))
	}
	b := fill(&pipeline.Batch{}, len(readable(t)), cells...)
	if err := p.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadableFieldsAreThoseOfTheDescriptorInItsOrder(t *testing.T) {
	want := []string{"id", "name", "external_client.id*", "title", "ssn", "created_at", "tags", "custom_id", "customer_columns", "org_no",
		"first_name", "email", "organization.id*", "corporate_name", "phone_number", "last_name"}
	var got []string
	for _, f := range contactResource(t).Readable() {
		if f.Reference {
			f.Name += "*"
		}
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExportRenamesOrdersAndKeepsTypes(t *testing.T) {
	p, b := export(t, `
fields:
  Taggar: tags
  Kundnr: external_client
  Kund-id: external_client.id
  API-id: id
  Skapad: created_at
  Förnamn: first_name
  Källa: {const: API}
`, map[string]string{"id": "1", "external_client.id": "c", "created_at": "2024-05-06T07:08:09Z", "tags": "[1]", "first_name": " Åsa "},
		map[string]string{"first_name": ""})
	want := []pipeline.Field{
		{Name: "Taggar", Type: pipeline.JSON}, {Name: "Kundnr", Type: pipeline.UUID}, {Name: "Kund-id", Type: pipeline.UUID},
		{Name: "API-id", Type: pipeline.UUID}, {Name: "Skapad", Type: pipeline.DateTime}, {Name: "Förnamn"}, {Name: "Källa"},
	}
	if diff := cmp.Diff(want, p.Schema().Fields); diff != "" {
		t.Error(diff)
	}
	rows := []row{
		{[]string{"[1]", "c", "c", "1", "2024-05-06T07:08:09Z", " Åsa ", "API"}, "pending"},
		{[]string{"<null>", "<null>", "<null>", "<null>", "<null>", "", "API"}, "pending"},
	}
	if diff := cmp.Diff(rows, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	if p.Key() != "" || b.Keys.Len() != 0 {
		t.Errorf("key %q", p.Key())
	}
}

func TestExportComputesAsAnImportDoes(t *testing.T) {
	p, b := export(t, `
resource: externalclientcontactperson
fields:
  Namn: {expr: 'col["first_name"] + " " + col["last_name"]'}
  Kund: {expr: 'col["external_client"]'}
  Telefon: {from: [phone_number, email], default: saknas}
  TITEL: {from: title, apply: [upper]}
  Roll: {from: title, apply: [{replace: {VD: Chef}}]}
  Allt: {from: [title, org_no], apply: [join(/)]}
where: 'col["title"] != "Avslutad"'
`, map[string]string{"first_name": "Åsa", "last_name": "Ek", "title": "VD", "external_client.id": "c", "org_no": "1"},
		map[string]string{"title": "Avslutad"},
		map[string]string{"title": "Ägare ", "email": "a@b.se"})
	want := []row{
		{[]string{"Åsa Ek", "c", "saknas", "VD", "Chef", "VD/1"}, "pending"},
		{[]string{"<null>", "<null>", "<null>", "<null>", "<null>", "<null>"}, "skipped"},
		{[]string{" ", "<null>", "a@b.se", "ÄGARE ", "Ägare ", "Ägare "}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	for _, f := range p.Schema().Fields {
		if f.Type != pipeline.Text {
			t.Errorf("%s is of type %v, and computed", f.Name, f.Type)
		}
	}
}

func TestExportRejectsWhatTheMappingCannotDo(t *testing.T) {
	for _, test := range []struct{ severity, fate string }{
		{"", "rejected"},
		{"severity: {check_digit: warning, no_match: warning}\n", "pending"},
	} {
		_, b := export(t, test.severity+`
fields:
  ssn: {from: ssn, apply: [personnummer]}
  Personnr: {from: ssn, apply: [personnummer]}
  Siffra: {from: title, apply: [{regex: ['^\d+$'], strict: true}]}
`, map[string]string{"ssn": "198501022390", "title": "x"})
		var codes []string
		for _, p := range b.Problems {
			codes = append(codes, string(p.Code))
		}
		slices.Sort(codes)
		// A column's name makes no difference: there is no validation to leave it to.
		if want := []string{"check_digit", "check_digit", "no_match"}; !slices.Equal(codes, want) {
			t.Errorf("codes %q, want %q", codes, want)
		}
		if got := b.Fates[0].String(); got != test.fate {
			t.Errorf("%s: fate %s, want %s", test.severity, got, test.fate)
		}
	}
}

func TestExportMappingPointsAtEveryFault(t *testing.T) {
	for _, test := range []struct{ name, yaml, want string }{
		{"unknown field", "fields:\n  Namn: nmae\n  Tel: {from: [phone_number, mobil]}\n", `mapping.yaml:2:9: unknown field "nmae"
  2 |   Namn: nmae
    |         ^
hint: did you mean name?
mapping.yaml:3:30: unknown field "mobil"
  3 |   Tel: {from: [phone_number, mobil]}
    |                              ^
hint: fields: id, name, external_client.id, title, ssn, created_at, tags, custom_id, customer_columns, org_no, first_name, email, organization.id, corporate_name, phone_number, last_name`},
		{"mapping of an import", "fields: {corporate_name: Företagsnamnet}\n", `mapping.yaml:1:26: unknown field "Företagsnamnet"
  1 | fields: {corporate_name: Företagsnamnet}
    |                          ^
hint: in an export the file's column is on the left and the API's field on the right: Företagsnamnet: corporate_name`},
		{"field of an expression", "fields: {A: {expr: 'col[\"titel\"]'}}\nwhere: col[\"nam\"] == \"\"\n", `mapping.yaml:1:25: expression: unknown column "titel"
  1 | fields: {A: {expr: 'col["titel"]'}}
    |                         ^
hint: did you mean title?
mapping.yaml:2:12: expression: unknown column "nam"
  2 | where: col["nam"] == ""
    |            ^
hint: did you mean name?`},
		{"what means nothing", "input: {trim: false}\nkey: id\nseverity: {required: warning, expr_error: warning}\nfields: {A: name}\n", `mapping.yaml:1:1: input has no meaning in an export
  1 | input: {trim: false}
    | ^
hint: leave it out: the input is the API
mapping.yaml:2:6: key has no meaning in an export
  2 | key: id
    |      ^
hint: leave it out: no rows are matched
mapping.yaml:3:1: severity of required has no meaning in an export: records of the API are not validated
  3 | severity: {required: warning, expr_error: warning}
    | ^
hint: leave it out`},
		{"reserved column", "fields: {_extra: tags}\n", `mapping.yaml:1:10: column _extra is the one of unknown fields
  1 | fields: {_extra: tags}
    |          ^
hint: --extra writes it`},
		{"other resource", "resource: company\nfields: {A: name}\n", `mapping.yaml:1:1: the mapping is for resource company, not externalclientcontactperson
  1 | resource: company
    | ^`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := compileExport(test.yaml, contactResource(t), readable(t))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExportKeepsTheColumnOfUnknownFieldsAtTheEnd(t *testing.T) {
	columns := append(readable(t), "_extra")
	mapped, err := compileExport("fields: {A: name, B: {expr: 'col[\"_extra\"]'}}", contactResource(t), columns)
	if err != nil {
		t.Fatal(err)
	}
	selected, err := mappings.ExportPlan(contactResource(t), columns, selection(t, "name"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*mappings.Plan{mapped, selected} {
		b := fill(&pipeline.Batch{}, len(columns), append(contact(t, map[string]string{"name": "Åsa"}), `{"x":1}`))
		if err := p.Step().Apply(b); err != nil {
			t.Fatal(err)
		}
		fields := p.Schema().Fields
		last := len(fields) - 1
		if fields[last] != (pipeline.Field{Name: "_extra", Type: pipeline.JSON}) || valueOf(&b.Fields[last], 0) != `{"x":1}` {
			t.Errorf("last field %+v, value %s", fields[last], valueOf(&b.Fields[last], 0))
		}
	}
}

func selection(t testing.TB, text string) mappings.ColumnSelection {
	t.Helper()
	s, err := mappings.ParseColumnSelection(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelectTakesFields(t *testing.T) {
	all := strings.Join(readable(t), ",")
	for text, want := range map[string]string{
		"":                         all,
		" ":                        all,
		"title,name":               "title,name",
		" name , external_client ": "name,external_client.id",
		"external_client.id":       "external_client.id",
		"name,title,ssn,-title":    "name,ssn",
		"name,-title":              "name",
		"-ssn, - external_client":  strings.NewReplacer("external_client.id,", "", "ssn,", "").Replace(all),
		"-" + strings.ReplaceAll(all[3:], ",", ",-"): "id",
	} {
		p, err := mappings.ExportPlan(contactResource(t), readable(t), selection(t, text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var names []string
		for _, f := range p.Schema().Fields {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestSelectRefusesWhatCannotBe(t *testing.T) {
	all := readable(t)
	for text, want := range map[string]string{
		"nmae":   "select: unknown field nmae\nhint: did you mean name?",
		"-nmae":  "select: unknown field nmae\nhint: did you mean name?",
		"_extra": "select: unknown field _extra\nhint: fields: " + strings.Join(all, ", "),
		"name,external_client,external_client.id": "select: field external_client.id appears twice",
		"name,,title":                 "select: a name is missing\nhint: write name,title or -ssn,-email",
		"name,-":                      "select: a name is missing\nhint: write name,title or -ssn,-email",
		"name,-name":                  "select: no field is left",
		"-" + strings.Join(all, ",-"): "select: no field is left",
	} {
		s, err := mappings.ParseColumnSelection(text)
		if err == nil {
			_, err = mappings.ExportPlan(contactResource(t), append(all[:len(all):len(all)], "_extra"), s)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestExportWithoutAMappingChangesNothing(t *testing.T) {
	p, err := mappings.ExportPlan(contactResource(t), readable(t), mappings.ColumnSelection{})
	if err != nil {
		t.Fatal(err)
	}
	rows := []map[string]string{{"name": " Åsa\u00a0", "title": "", "tags": "[]", "organization.id": "o"}, {}}
	b := applyPlan(t, p, rows...)
	for i, values := range rows {
		want := contact(t, values)
		for f := range want {
			if want[f] == "\x00" {
				want[f] = "<null>"
			}
		}
		if diff := cmp.Diff(want, rowsOf(b)[i].Fields); diff != "" {
			t.Errorf("row %d: %s", i, diff)
		}
	}
	for i, f := range contactResource(t).Readable() {
		if p.Schema().Fields[i] != f.Field || p.Columns()[i] != int16(i) || p.Tables()[i] != "" {
			t.Errorf("field %d is %+v from %d", i, p.Schema().Fields[i], p.Columns()[i])
		}
	}
}

func TestSchemaOfExportMappingsAgreesWithTheCompiler(t *testing.T) {
	data, err := mappings.ExportMappingJSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	schema := newJSONSchema(t, data)
	const resource = "resource: externalclientcontactperson\n"
	for text, want := range map[string]bool{
		"fields: {Namn: name}": true,
		resource + "fields: {Namn: name, Kund: external_client}":             true,
		resource + "fields: {Kund: external_client.id, Skapad: created_at}":  true,
		resource + "fields: {Tel: {from: [phone_number, email]}}":            true,
		resource + "fields: {A: {expr: '1', apply: [upper]}}\nwhere: 'true'": true,
		"severity: {lookup_missing: warning}\nfields: {A: name}":             true,
		resource + "fields: {Namn: Namn}":                                    false,
		resource + "fields: {Tel: {from: [phone_number, mobil]}}":            false,
		"severity: {required: warning}\nfields: {A: name}":                   false,
		"input: {trim: false}\nfields: {A: name}":                            false,
		"key: id\nfields: {A: name}":                                         false,
		"fields: {_extra: name}":                                             false,
		"fields: {}":                                                         false,
	} {
		if got := schema.fits(schema.root, yamlValue(t, text)); got != want {
			t.Errorf("%s: the schema says %v", text, got)
		}
		if _, err := compileExport(text, contactResource(t), readable(t)); (err == nil) != want {
			t.Errorf("%s: the compiler says %v", text, err)
		}
	}
}

func BenchmarkExportWithoutAMapping(b *testing.B) {
	p, err := mappings.ExportPlan(contactResource(b), readable(b), mappings.ColumnSelection{})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([][]string, 500)
	for i := range rows {
		rows[i] = contact(b, map[string]string{"name": "Åsa Ek", "id": "1", "title": "VD", "email": "a@b.se"})
	}
	batch := fill(&pipeline.Batch{}, len(readable(b)), rows...)
	step := p.Step()
	b.ReportAllocs()
	for b.Loop() {
		if err := step.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
}
