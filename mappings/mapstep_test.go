package mappings_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// run maps rows with a mapping, after change has had its way with the batch.
func run(t testing.TB, yaml, columns string, change func(*pipeline.Batch), rows ...[]string) *pipeline.Batch {
	t.Helper()
	p := compile(t, yaml, columns)
	b := fill(&pipeline.Batch{}, strings.Count(columns, ",")+1, rows...)
	if change != nil {
		change(b)
	}
	if err := p.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMapTakesCellsAsTheyStandButForWhiteSpace(t *testing.T) {
	b := run(t, "fields: {title: B, name: A}", "A,B,C", nil,
		[]string{" Eva Ek\u00a0", "\tVD\r\n", "x"},
		[]string{"", "  ", "x"},
		[]string{"\x00", "NULL", "x"})
	want := []row{
		{[]string{"VD", "Eva Ek"}, "pending"},
		{[]string{"<null>", "<null>"}, "pending"},
		{[]string{"NULL", "<null>"}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestMapKeepsWhiteSpaceAndTakesNullWordsAsTold(t *testing.T) {
	const yaml = `
input: {trim: false, nulls: [NULL, "-"]}
fields: {name: A, title: {from: A, apply: [upper]}}`
	b := run(t, yaml, "A", nil, []string{" x "}, []string{"NULL"}, []string{"null"}, []string{"-"}, []string{""}, []string{" "})
	want := []row{
		{[]string{" x ", " X "}, "pending"},
		{[]string{"<null>", "<null>"}, "pending"},
		{[]string{"null", "NULL"}, "pending"},
		{[]string{"<null>", "<null>"}, "pending"},
		{[]string{"<null>", "<null>"}, "pending"},
		{[]string{" ", " "}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestMapTakesTheFirstColumnThatIsNotEmpty(t *testing.T) {
	b := run(t, "input: {nulls: ['-']}\nfields: {phone_number: {from: [A, B], apply: [phone]}}", "A,B", nil,
		[]string{"0701740605", "0701740606"}, []string{" ", "0701740606"}, []string{"-", "12"}, []string{"", ""})
	want := []row{
		{[]string{"+46701740605"}, "pending"}, {[]string{"+46701740606"}, "pending"},
		{[]string{"<null>"}, "rejected"}, {[]string{"<null>"}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	problem := pipeline.Problem{Row: 2, Field: 0, Column: 1, Stage: pipeline.Map, Code: "phone", Shape: "2 digits"}
	if diff := cmp.Diff([]pipeline.Problem{problem}, b.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestMapJoinsColumns(t *testing.T) {
	b := run(t, `fields: {name: {from: [A, B, C], apply: [join, upper]}, title: {from: [C, A], apply: ['join(", ")']}}`, "A,B,C", nil,
		[]string{"Eva", "", "Ek"}, []string{"", "", ""}, []string{"", "b", ""})
	want := []row{
		{[]string{"EVA EK", "Ek, Eva"}, "pending"}, {[]string{"<null>", "<null>"}, "pending"}, {[]string{"B", "<null>"}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestMapFillsInDefaultsAndConstants(t *testing.T) {
	b := run(t, `
fields:
  title: {from: A, default: Kontaktperson}
  name: {from: A, apply: [digits], default: none}
  phone_number: {from: B, apply: [phone], default: unused}
  custom_id: {const: same}`, "A,B", nil,
		[]string{"VD", "0701740605"}, []string{" ", "12"})
	want := []row{
		{[]string{"VD", "none", "+46701740605", "same"}, "pending"},
		{[]string{"Kontaktperson", "none", "<null>", "same"}, "rejected"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestMapLooksValuesUp(t *testing.T) {
	const yaml = `fields: {client.id: {from: A, apply: [upper], lookup: {file: lookup/clients.csv, key: legacy_id, value: id}, default: d}}`
	b := run(t, yaml, "A", nil, []string{"k1"}, []string{"K2"}, []string{"K3"}, []string{"19850102-2399"}, []string{""})
	want := []row{
		{[]string{"11111111-1111-4111-8111-111111111111"}, "pending"},
		{[]string{"22222222-2222-4222-8222-222222222222"}, "pending"},
		{[]string{"<null>"}, "rejected"}, {[]string{"<null>"}, "rejected"}, {[]string{"d"}, "pending"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	problem := pipeline.Problem{
		Row: 3, Column: 0, Stage: pipeline.Map, Code: "lookup_missing", Shape: "8 digits, hyphen, 4 digits", Private: "19850102-2399",
	}
	if diff := cmp.Diff(problem, b.Problems[1]); diff != "" {
		t.Error(diff)
	}
}

// TestATableFromExcelLosesItsGuards looks up in a table as flytt export --excel writes
// it, and in one that is not in that dialect.
func TestATableFromExcelLosesItsGuards(t *testing.T) {
	for text, want := range map[string]string{
		"\uFEFFnr;id\r\n'0123;'0456\r\n":    "0456",
		"\uFEFFnr;id\n\"'0123\";'t Hooft\n": "'t Hooft",
		"\uFEFFnr,id\n0123,'0456\n":         "'0456",
		"nr;id\r\n0123;'0456\r\n":           "'0456",
	} {
		file := filepath.Join(t.TempDir(), "table.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b := run(t, "fields: {name: {from: A, lookup: {file: '"+file+"', key: nr, value: id}}}", "A", nil, []string{"0123"})
		if diff := cmp.Diff([]row{{[]string{want}, "pending"}}, rowsOf(b)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestMapEvaluatesExpressions(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`split(col["A"], " ")[0]`, "Eva"},
		{`col.A + "/" + col["B"]`, "Eva Ek/12"},
		{`int(col["B"]) * 2`, "24"},
		{`float(col["B"]) / 5`, "2.4"},
		{`col["B"] == "12"`, "true"},
		{`len(col["C"])`, "0"},
		{`col["C"] == "" ? nil : "x"`, "<null>"},
		{`col["C"]`, "<null>"},
		{`col[col["A"] == "" ? "A" : "B"]`, "12"},
		{`let n = col["A"]; upper(n)`, "EVA EK"},
		{`any(["12", "13"], # == col["B"])`, "true"},
		{`date("2024-02-01").Format("02/01/2006")`, "01/02/2024"},
	} {
		b := run(t, "fields: {name: {expr: '"+c.expr+"'}}", "A,B,C", nil, []string{"Eva Ek", " 12 ", " "})
		if got := valueOf(&b.Fields[0], 0); got != c.want || len(b.Problems) > 0 {
			t.Errorf("%s: got %s %v, want %s", c.expr, got, b.Problems, c.want)
		}
	}
}

func TestAnExpressionThatFailsRejectsItsRowOnly(t *testing.T) {
	const canary = "hemligt"
	b := run(t, `fields: {name: {expr: 'int(col["A"])'}, title: {expr: 'split(col["A"], "h")[1]'}, born: {expr: 'col[col["A"]]'}}`,
		"A", nil, []string{"1"}, []string{canary}, []string{"A"})
	var got [][3]int
	for _, p := range b.Problems {
		got = append(got, [3]int{int(p.Field), int(p.Row), int(p.Column)})
		if p.Code != "expr_error" || p.Severity != pipeline.Error || !strings.HasPrefix(p.Shape, "at character ") {
			t.Errorf("got %+v", p)
		}
		if strings.Contains(p.Shape+p.Private, canary) {
			t.Error("a value is told")
		}
	}
	want := [][3]int{{0, 1, 0}, {0, 2, 0}, {1, 0, 0}, {1, 2, 0}, {2, 0, pipeline.None}, {2, 1, pipeline.None}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := valueOf(&b.Fields[1], 1); got != "emligt" {
		t.Errorf("the row's other fields are lost: %s", got)
	}
}

func TestAnExpressionThatCutsACharacterRejectsItsRow(t *testing.T) {
	b := run(t, `fields: {name: {expr: 'col["A"][0:1]'}}`, "A", nil, []string{"Bo"}, []string{"Åsa"})
	if got := valueOf(&b.Fields[0], 0); got != "B" {
		t.Errorf("got %s", got)
	}
	if len(b.Problems) != 1 || b.Problems[0].Row != 1 || b.Problems[0].Code != "expr_error" || b.Problems[0].Shape != "a character cut in two" {
		t.Errorf("got %+v", b.Problems)
	}
}

func TestExpressionsCannotDependOnTheDayOrOnChance(t *testing.T) {
	for _, text := range []string{
		`string(now())`, `string(keys({"a": 1, "b": 2}))`, `toJSON(values({"a": 1}))`, `toJSON(toPairs({"a": 1}))`, `toJSON($env)`,
		`$env[" 0"]`, `toJSON(col)`, `string(len(col))`, `col`, `"A" in col ? "x" : "y"`, `col["B"]`, `col.B`, `unknown`, `let col = 1; "x"`,
		`get(col, "A")`, `duration("1h")`, `repeat("x", 1e12)`,
	} {
		m := parse(t, "fields: {name: {expr: '"+text+"'}}")
		if _, err := m.Compile(personResource(t), []string{"A"}, mappings.CompileOptions{}); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestWhereLeavesRowsOut(t *testing.T) {
	b := run(t, `
fields: {name: A, phone_number: {from: A, apply: [phone]}, custom_id: {const: x}}
where: 'int(col["B"]) > 1'`, "A,B", nil, []string{"12", "1"}, []string{"0701740605", "2"}, []string{"12", "x"})
	want := []row{
		{[]string{"<null>", "<null>", "<null>"}, "skipped"},
		{[]string{"0701740605", "+46701740605", "x"}, "pending"},
		{[]string{"12", "<null>", "x"}, "rejected"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	if len(b.Problems) != 2 || b.Problems[0].Code != "expr_error" || b.Problems[0].Field != pipeline.None || b.Problems[0].Column != 1 {
		t.Errorf("got %+v", b.Problems)
	}
}

func TestMapLeavesBrokenAndSkippedRowsAlone(t *testing.T) {
	b := run(t, `
fields: {name: A, phone_number: {from: A, apply: [phone]}, title: {expr: 'string(int(col["A"]))'}, custom_id: {const: x}}
where: 'int(col["A"]) > 0'`, "A", func(b *pipeline.Batch) {
		b.Note(pipeline.Problem{Row: 0, Field: pipeline.None, Column: pipeline.None, Code: "ragged_row"})
		b.Fates[1] = pipeline.Skipped
		b.Fates[2] = pipeline.Rejected
	}, []string{"x"}, []string{"x"}, []string{"12"})
	want := []row{
		{[]string{"<null>", "<null>", "<null>", "<null>"}, "broken"},
		{[]string{"<null>", "<null>", "<null>", "<null>"}, "skipped"},
		{[]string{"12", "<null>", "12", "x"}, "rejected"},
	}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
	if len(b.Problems) != 2 {
		t.Errorf("got %+v", b.Problems)
	}
}

func TestKeysAreTheValuesOfTheKeyField(t *testing.T) {
	const yaml = "fields: {name: A, title: {from: A, apply: [upper]}}\nkey: title"
	b := run(t, yaml, "A", nil, []string{"k1"}, []string{""}, []string{"k3"})
	got := []string{valueOf(&b.Keys, 0), valueOf(&b.Keys, 1), valueOf(&b.Keys, 2)}
	if diff := cmp.Diff([]string{"K1", "<null>", "K3"}, got); diff != "" {
		t.Error(diff)
	}
	if b = run(t, "fields: {name: A}", "A", nil, []string{"k1"}); b.Keys.Len() != 0 {
		t.Error("keys without a key")
	}
}

func TestSeverityMakesAFaultAWarningAndKeepsTheValue(t *testing.T) {
	const severity = "\nseverity: {phone: warning, check_digit: warning, lookup_missing: warning, expr_error: warning, value_table: warning}"
	for field, want := range map[string]string{
		"phone_number: {from: A, apply: [phone]}":                                                         "12",
		"name: {from: B, apply: [personnummer(dash)]}":                                                    "19850102-2390",
		"client: {from: A, lookup: {file: lookup/clients.csv, key: legacy_id, value: id}, default: dash}": "dash",
		"title: {from: A, apply: [{replace: {a: b}, strict: true}]}":                                      "12",
		`born: {expr: 'string(int(col["C"]))', default: none}`:                                            "none",
	} {
		b := run(t, "fields: {"+field+"}"+severity, "A,B,C", nil, []string{"12", "198501022390", "x"})
		if got := valueOf(&b.Fields[0], 0); got != want || b.Fates[0] != pipeline.Pending || len(b.Problems) != 1 || b.Problems[0].Severity != pipeline.Warning {
			t.Errorf("%s: got %s %s %+v", field, got, b.Fates[0], b.Problems)
		}
	}
}

func TestStepsKeepNothingBetweenBatches(t *testing.T) {
	p := compile(t, `
fields: {name: {from: [A, B], apply: [upper, 'split(" ", 0)']}, title: {expr: 'col["A"] + col["B"]'}, custom_id: A}
where: 'col["B"] != "skip"'`, "A,B")
	step, b := p.Step(), &pipeline.Batch{}
	for n := range 20 {
		rows := make([][]string, n%7)
		for i := range rows {
			rows[i] = []string{strings.Repeat("a", n), fmt.Sprint("b ", i)}
			if (n+i)%3 == 0 {
				rows[i] = []string{"", "skip"}
			}
		}
		fresh := fill(&pipeline.Batch{}, 2, rows...)
		for step, b := range map[pipeline.Step]*pipeline.Batch{step: fill(b, 2, rows...), p.Step(): fresh} {
			if err := step.Apply(b); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(rowsOf(fresh), rowsOf(b)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestWorkersShareAPlan(t *testing.T) {
	p := compile(t, `
input: {nulls: ["-"]}
fields:
  name: {from: A, apply: [collapse, upper, 'regex("^(.*)$")']}
  title: {expr: 'col["A"] + col[col["B"]]'}
  client: {from: B, lookup: {file: lookup/clients.csv, key: legacy_id, value: id}}
  phone_number: {from: C, apply: [phone]}
where: 'col["A"] != ""'`, "A,B,C")
	var group errgroup.Group
	for range 4 {
		step := p.Step()
		group.Go(func() error {
			b := &pipeline.Batch{}
			for range 20 {
				fill(b, 3, []string{"a  b", "K1", "0701740605"}, []string{"", "A", "-"}, []string{"c", "A", "12"})
				if err := step.Apply(b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAResultThatIsNoNumberIsAnError(t *testing.T) {
	b := run(t, `fields: {name: {expr: 'float(col["A"]) / 0'}, title: {expr: 'fromJSON(col["B"])'}}`, "A,B", nil, []string{"1", "[1]"}, []string{"0", `"x"`})
	want := []row{{[]string{"<null>", "<null>"}, "rejected"}, {[]string{"<null>", "x"}, "rejected"}}
	if diff := cmp.Diff(want, rowsOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryCodeOfTheMapStepIsDocumented(t *testing.T) {
	known := map[pipeline.Code]int{}
	for _, infos := range [][]pipeline.CodeInfo{mappings.Codes, mappings.MapCodes} {
		for _, c := range infos {
			known[c.Code]++
		}
	}
	for _, code := range []pipeline.Code{"lookup_missing", "value_table", "no_match", "expr_error", "date", "phone", "century_inferred"} {
		if known[code] != 1 {
			t.Errorf("%s is documented %d times", code, known[code])
		}
	}
}

func benchmark(b *testing.B, yaml string, cells ...string) {
	columns := make([]string, len(cells))
	for i := range columns {
		columns[i] = string(rune('A' + i))
	}
	step := compile(b, yaml, strings.Join(columns, ",")).Step()
	const rows = 1000
	all := make([][]string, rows)
	for i := range all {
		all[i] = cells
	}
	batch := fill(&pipeline.Batch{}, len(cells), all...)
	b.ReportAllocs()
	for b.Loop() {
		batch.Problems = batch.Problems[:0]
		if err := step.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func BenchmarkMapPlain(b *testing.B) {
	benchmark(b, "fields: {name: A, title: B, ssn: C, custom_id: D, phone_number: E}",
		"Eva Ek", "Kontaktperson", "198501022399", "K-1042", "+46701740605")
}

func BenchmarkMapNulls(b *testing.B) {
	benchmark(b, "input: {nulls: [NULL, '-']}\nfields: {name: A, title: B, ssn: C, custom_id: D, phone_number: E}",
		"Eva Ek", "NULL", "198501022399", "-", "+46701740605")
}

func BenchmarkMapPersonnummer(b *testing.B) {
	benchmark(b, "fields: {ssn: {from: A, apply: [personnummer]}}", "19850102-2399")
}

func BenchmarkMapPhone(b *testing.B) {
	benchmark(b, "fields: {phone_number: {from: [A, B], apply: [phone]}}", "", "070-174 06 05")
}

func BenchmarkMapText(b *testing.B) {
	benchmark(b, `fields: {name: {from: A, apply: [collapse]}, title: {from: B, apply: [{replace: {VD: Chef}}], default: K}}`, "Eva  Ek", "VD")
}

func BenchmarkMapLookup(b *testing.B) {
	benchmark(b, `fields: {client: {from: A, lookup: {file: lookup/clients.csv, key: legacy_id, value: id}}}`, "K1")
}

func BenchmarkMapWhere(b *testing.B) {
	benchmark(b, "fields: {name: A}\nwhere: 'col[\"B\"] != \"Avslutad\"'", "Eva Ek", "Aktiv")
}

func BenchmarkMapExpression(b *testing.B) {
	benchmark(b, `fields: {name: {expr: 'split(col["A"], " ")[0]'}}`, "Eva Ek")
}
