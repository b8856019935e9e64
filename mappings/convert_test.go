package mappings_test

import (
	"strings"
	"testing"
	"time"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

// person is a resource to map to, small and with a field of every kind the map
// step cares about.
const person = `resource: person
application: test
path: /test/person/
key: custom_id
fields:
  - {name: id, type: uuid, read_only: true}
  - {name: name, type: string, required: true, aliases: {sv: [Namn, Hela namnet]}}
  - {name: client, type: reference, to: person, aliases: {en: [Client ID]}}
  - {name: title, type: string, aliases: {sv: [Titel, Befattning]}}
  - {name: ssn, type: string, format: personnummer, apply: [personnummer], aliases: {sv: [Personnr, Personnummer]}}
  - {name: custom_id, type: string, aliases: {sv: [Kundnr, Löpnr]}}
  - {name: phone_number, type: string, apply: [phone], aliases: {sv: [Telefon, Mobil]}}
  - {name: born, type: date, aliases: {sv: [Född]}}
  - {name: created_at, type: date-time, read_only: true}
`

func personResource(t testing.TB) *mappings.Resource {
	t.Helper()
	r, err := mappings.ParseResource("person.yaml", []byte(person))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// compile binds a mapping to an input with the columns called columns, given
// as one text with commas.
func compile(t testing.TB, yaml, columns string) *mappings.Plan {
	t.Helper()
	m, err := mappings.ParseMapping("mapping.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	o := mappings.CompileOptions{Dir: "testdata", Identity: identity.Rules{Today: today}, Partial: true}
	p, err := m.Compile(personResource(t), strings.Split(columns, ","), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fill makes b hold the rows, each cell a text; "\x00" is a null.
func fill(b *pipeline.Batch, columns int, rows ...[]string) *pipeline.Batch {
	b.Reset(columns)
	for i, row := range rows {
		b.AddRow(int64(i + 2))
		for c, cell := range row {
			if cell == "\x00" {
				b.Input[c].AppendNull()
			} else {
				b.Input[c].Append([]byte(cell))
			}
		}
	}
	return b
}

// row is what became of one row: its fields, "<null>" where there is no value.
type row struct {
	Fields []string
	Fate   string
}

func rowsOf(b *pipeline.Batch) []row {
	rows := make([]row, b.Len())
	for i := range rows {
		rows[i].Fate = b.Fates[i].String()
		for f := range b.Fields {
			rows[i].Fields = append(rows[i].Fields, valueOf(&b.Fields[f], i))
		}
	}
	return rows
}

func valueOf(c *pipeline.Column, i int) string {
	if c.Null(i) {
		return "<null>"
	}
	return string(c.Value(i))
}

// apply runs one value through a chain of conversions into the field name, and
// returns what became of it and the codes noted.
func apply(t *testing.T, chain, value string) (string, []string) {
	return applyTo(t, "name", chain, value)
}

func applyTo(t *testing.T, field, chain, value string) (string, []string) {
	t.Helper()
	p := compile(t, "fields: {"+field+": {from: A, apply: "+chain+"}}", "A")
	b := fill(&pipeline.Batch{}, 1, []string{value})
	if err := p.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, problem := range b.Problems {
		codes = append(codes, problem.Severity.String()+" "+string(problem.Code)+" "+problem.Shape)
	}
	return valueOf(&b.Fields[0], 0), codes
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		chain, value, want string
		codes              []string
	}{
		{"[trim]", " a b ", "a b", nil},
		{`[trim("'*")]`, "'*a'b'", "a'b", nil},
		{"[collapse]", " a \t b\u00a0\u00a0c ", "a b c", nil},
		{"[collapse]", "a b c", "a b c", nil},
		{"[upper]", "åäö ß é", "ÅÄÖ ß É", nil},
		{"[lower]", "ÅÄÖ ABC", "åäö abc", nil},
		{"[upper]", "a\xffb", "A\xffB", nil},
		{"[digits]", "K-10 42", "1042", nil},
		{"[digits]", "none", "<null>", nil},

		{`[{replace: {VD: Chef, "-": null, "1": 2}}]`, "VD", "Chef", nil},
		{`[{replace: {VD: Chef, "-": null}}]`, "-", "<null>", nil},
		{`[{replace: {VD: Chef}}]`, "vd", "vd", nil},
		{`[{replace: {VD: Chef}, strict: true}]`, "vd", "<null>", []string{"error value_table 2 letters"}},

		{`['regex("(\d+) st")']`, "has 12 st", "12", nil},
		{`['regex("\d+")']`, "has 12 st", "12", nil},
		{`['regex("^(?:.*ankn (\d+))?.*$")']`, "no extension", "<null>", nil},
		{`['regex("x(\d)")']`, "has none", "has none", nil},
		{`[{regex: 'x(\d)', strict: true}]`, "has none", "<null>", []string{"error no_match 3 letters, space, 4 letters"}},
		{`['regex("(\w+), (\w+)", "$2 $1")']`, "Ek, Eva", "Eva Ek", nil},
		{`['regex(o, 0)']`, "foo boo", "f00 b00", nil},
		{`['regex(o, "")']`, "oo", "<null>", nil},

		{`['split(" ", 0)']`, "Eva Maria Ek", "Eva", nil},
		{`['split(" ", 2)']`, "Eva Maria Ek", "Ek", nil},
		{`['split(" ", 3)']`, "Eva Maria Ek", "<null>", nil},
		{`['split(" ", -1)']`, "Eva Maria Ek", "Ek", nil},
		{`['split(" ", -3)']`, "Eva Maria Ek", "Eva", nil},
		{`['split(" ", -4)']`, "Eva Maria Ek", "<null>", nil},
		{`['split(" ", -2)']`, "Eva Ek", "Eva", nil},
		{`['split(",", 1)']`, "Ek, Eva", "Eva", nil},
		{`['split(",", 1)']`, "Ek,", "<null>", nil},
		{`['split("--", 1)']`, "a--b--c", "b", nil},

		{"[email]", "MAILTO:Eva.Ek@Example.SE", "Eva.Ek@example.se", nil},
		{"[email]", "eva@RÄKSMÖRGÅS.se", "eva@räksmörgås.se", nil},
		{"[email]", "no address", "no address", nil},

		{"[phone]", "070-174 06 05", "+46701740605", nil},
		{"[phone(NO)]", "22 86 44 00", "+4722864400", nil},
		{"[phone]", "+47 22 86 44 00", "+4722864400", nil},
		{"[phone]", "12", "<null>", []string{"error phone 2 digits"}},

		{"[personnummer]", "198501022399", "198501022399", nil},
		{"[personnummer]", "19850102-2399", "198501022399", nil},
		{"[personnummer(dash)]", "198501022399", "19850102-2399", nil},
		{"[personnummer]", "850102-2399", "198501022399", []string{"repair century_inferred "}},
		{"['personnummer(pivot=30)']", "2901022390", "<null>", []string{"error check_digit 10 digits", "error future_date 10 digits", "repair century_inferred "}},
		{"[personnummer(reject_century)]", "8501022399", "<null>", []string{"error century_ambiguous 10 digits"}},
		{"[personnummer]", "198501022390", "<null>", []string{"error check_digit 12 digits"}},
		{"[personnummer]", "5560160680", "<null>", []string{"error org_no_as_ssn 10 digits"}},
		{"[personnummer]", "198500602381", "198500602381", []string{"warning coordination_date "}},
		{"[organisationsnummer]", "556016-0680", "5560160680", nil},
		{"[organisationsnummer(dash)]", "165560160680", "556016-0680", []string{"repair prefix_16 "}},
		{"[organisationsnummer]", "SE556016068001", "5560160680", []string{"repair vat_number "}},
		{"[organisationsnummer]", "198501022399", "8501022399", []string{"warning personnummer_as_org_no "}},
		{"[organisationsnummer]", "556016-0681", "<null>", []string{"error check_digit 6 digits, hyphen, 4 digits"}},

		{`['split(";", 1)', collapse, upper, 'regex("^A (.*)$")']`, "x; a  b  c", "B C", nil},
		{"[digits, phone, trim]", "x", "<null>", nil},
	} {
		t.Run(c.chain+c.value, func(t *testing.T) {
			got, codes := apply(t, c.chain, c.value)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.codes, codes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A fault that the field's own rule finds in the stored number is left to that
// rule where it does not turn the row away: it would be counted twice.
func TestWarningsAreNotedOnce(t *testing.T) {
	if _, codes := applyTo(t, "ssn", "[personnummer]", "198500602381"); codes != nil {
		t.Errorf("noted %v, as the rule of ssn will", codes)
	}
	if _, codes := applyTo(t, "ssn", "[personnummer]", "198501022390"); len(codes) != 1 {
		t.Errorf("noted %v, want the error", codes)
	}
}

func TestDates(t *testing.T) {
	for _, c := range []struct{ layout, value, want string }{
		{"YYYY-MM-DD", "2024-02-29", "2024-02-29"},
		{"YYYY-MM-DD", "2023-02-29", ""},
		{"YYYY-MM-DD", "2024-2-9", ""},
		{"YYYY-MM-DD", "2024-02-29 ", "2024-02-29"},
		{"YYYY-MM-DD", "2024-02-29x", ""},
		{"YYYY-MM-DD", "0000-01-01", ""},
		{"yyyy-mm-dd", "1900-02-28", "1900-02-28"},
		{"YYYY-MM-DD", "1900-02-29", ""},
		{"YYYY-MM-DD", "2000-02-29", "2000-02-29"},
		{"DD/MM/YYYY", "31/04/2024", ""},
		{"DD/MM/YYYY", "30/04/2024", "2024-04-30"},
		{"D/M/YYYY", "3/4/2024", "2024-04-03"},
		{"D/M/YYYY", "13/12/2024", "2024-12-13"},
		{"YYYYMMDD", "20241231", "2024-12-31"},
		{"YYYYMMDD", "20241331", ""},
		{"YYMMDD", "690101", "1969-01-01"},
		{"YYMMDD", "680101", "2068-01-01"},
		{"D MMM YYYY", "1 maj 2024", "2024-05-01"},
		{"D MMM YYYY", "1 Okt. 2024", "2024-10-01"},
		{"D MMM YYYY", "1 october 2024", "2024-10-01"},
		{"D MMMM YYYY", "24 DECEMBER 2024", "2024-12-24"},
		{"D MMM YYYY", "1 ma 2024", ""},
		{"D MMM YYYY", "1 nonsense 2024", ""},
		{"YYYY-MM-DD HH:mm:ss", "2024-01-31 23:59:59", "2024-01-31"},
		{"YYYY-MM-DD HH:mm:ss", "2024-01-31 24:00:00", ""},
		{"YYYY-MM-DD HH:MM", "2024-01-31 23:60", ""},
		{`den D MMM`, "", "error"},
		{"YYYY-MM", "", "error"},
		{"YYYY-YY-MM-DD", "", "error"},
	} {
		t.Run(c.layout+" "+c.value, func(t *testing.T) {
			if c.want == "error" {
				if _, err := mappings.ParseMapping("m", []byte("fields: {born: {from: A, apply: ['date("+c.layout+")']}}")); err == nil {
					t.Error("layout was taken")
				}
				return
			}
			got, codes := applyTo(t, "born", "['date("+c.layout+")']", c.value)
			if c.want == "" {
				if got != "<null>" || len(codes) != 1 || !strings.HasPrefix(codes[0], "error date ") {
					t.Errorf("got %s %v", got, codes)
				}
			} else if got != c.want {
				t.Errorf("got %s %v, want %s", got, codes, c.want)
			}
		})
	}
}

func TestTheFirstLayoutThatFitsCounts(t *testing.T) {
	const chain = "['date(YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY)']"
	for value, want := range map[string]string{"2024-01-02": "2024-01-02", "01/02/2024": "2024-02-01", "12/31/2024": "2024-12-31"} {
		if got, _ := apply(t, chain, value); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

func TestATwoDigitYearIsNotedAsRepair(t *testing.T) {
	got, codes := applyTo(t, "born", "[date(YYMMDD)]", "850102")
	if got != "1985-01-02" || !cmp.Equal(codes, []string{"repair century_inferred "}) {
		t.Errorf("got %s %v", got, codes)
	}
}

func TestEveryConversionIsDocumented(t *testing.T) {
	infos := mappings.Conversions()
	for i, name := range mappings.ConversionNames() {
		c := infos[i]
		if c.Name != name || c.Help == "" || !strings.Contains(c.Form, name) {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestConversionsRefuseWrongArguments(t *testing.T) {
	for _, chain := range []string{
		"[upper(x)]", `[trim(a, b)]`, `[trim("")]`, "[replace]", "[{replace: {}}]", "['replace(a)']", "[regex]", `['regex(a, b, c)']`,
		"[split]", "['split(a)']", `['split("", 0)']`, `['split(a, b)']`, "[date]", "[personnummer(pivot)]", "['personnummer(pivot=1500)']",
		"['personnummer(dash, dash)']", "['personnummer(dash=1)']", "[organisationsnummer(interim)]", "[phone(se)]", "['phone(SE, NO)']",
		"[email(x)]", "[{upper: {a: b}}]", "[{upper: null, strict: true}]", "[join]", "[(x)]", "['split(\"a, 0)']", "['split(\"a\" b, 0)']",
		"['split(, 0)']", "['split(a, )']", "[{regex: [a], strict: 1}]", "upper", "[[upper]]", "[{}]", "[null]",
	} {
		_, err := mappings.ParseMapping("m.yaml", []byte("fields: {name: {from: A, apply: "+chain+"}}"))
		if err == nil {
			t.Errorf("%s was taken", chain)
		}
	}
}

func TestQuotesInArgumentsAreDoubled(t *testing.T) {
	if got, _ := apply(t, `['split(''"'', 1)']`, `5" pipe`); got != "pipe" {
		t.Errorf("got %s", got)
	}
	if got, _ := apply(t, `["split(\"\"\"\", 1)"]`, `5" pipe`); got != "pipe" {
		t.Errorf("got %s", got)
	}
}

func FuzzConversions(f *testing.F) {
	f.Add("regex", "(a+)", "$1", "baab")
	f.Add("split", " ", "-1", "a b c")
	f.Add("date", "D MMM YYYY", "YYYYMMDD", "1 maj 2024")
	f.Add("personnummer", "dash", "pivot=30", "850102-2399")
	f.Add("trim", "x", "", "xax")
	f.Fuzz(func(t *testing.T, name, first, second, value string) {
		for _, args := range [][]string{nil, {first}, {first, second}} {
			m := &mappings.Mapping{Fields: []mappings.Rule{{
				Field: "name", From: []string{"A"}, Apply: []mappings.Conversion{{Name: name, Args: args}},
			}}}
			p, err := m.Compile(personResource(t), []string{"A"}, mappings.CompileOptions{Identity: identity.Rules{Today: today}})
			if err != nil {
				continue
			}
			b := fill(&pipeline.Batch{}, 1, []string{value}, []string{value + " " + value})
			if err := p.Step().Apply(b); err != nil {
				t.Fatal(err)
			}
			for i, fate := range b.Fates {
				if fate == pipeline.Rejected && !b.Fields[0].Null(i) {
					t.Fatal("a value that failed was kept")
				}
			}
		}
	})
}
