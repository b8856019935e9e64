package mappings_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

// record is the values of a row by field; a field that is not in it is null.
type record map[string]string

// with returns a copy of r with the fields of more; "-" takes a field away.
func (r record) with(more record) record {
	out := maps.Clone(r)
	for name, value := range more {
		if value == "-" {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	return out
}

func batchOf(s *pipeline.Schema, records ...record) *pipeline.Batch {
	b := &pipeline.Batch{}
	b.Reset(0)
	fields := b.SizeFields(len(s.Fields))
	for i := range records {
		b.AddRow(int64(i + 2))
		for j := range fields {
			if v, ok := records[i][s.Fields[j].Name]; ok {
				fields[j].Append([]byte(v))
			} else {
				fields[j].AppendNull()
			}
		}
	}
	return b
}

func schemaOf(t testing.TB, r *mappings.Resource, columns ...string) *pipeline.Schema {
	t.Helper()
	if columns == nil {
		columns = r.Columns()
	}
	s, err := r.Schema(columns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validator(t testing.TB, r *mappings.Resource, s *pipeline.Schema, o mappings.ValidateOptions) *mappings.Validator {
	t.Helper()
	if o.Identity.Today.IsZero() {
		o.Identity.Today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	}
	v, err := mappings.NewValidator(r, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// problemsOf lists the problems of b: field, code, shape, severity unless it is
// an error, and the row unless it is the only one.
func problemsOf(b *pipeline.Batch, s *pipeline.Schema) []string {
	list := []string{}
	for _, p := range b.Problems {
		text := s.Fields[p.Field].Name + " " + string(p.Code)
		if p.Shape != "" {
			text += " (" + p.Shape + ")"
		}
		if p.Severity != pipeline.Error {
			text += " " + p.Severity.String()
		}
		if b.Len() > 1 {
			text = fmt.Sprintf("%d: %s", p.Row, text)
		}
		list = append(list, text)
	}
	return list
}

// validate returns the problems of one record of r.
func validate(t *testing.T, r *mappings.Resource, o mappings.ValidateOptions, records ...record) []string {
	t.Helper()
	s := schemaOf(t, r)
	b := batchOf(s, records...)
	if err := validator(t, r, s, o).Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	return problemsOf(b, s)
}

var goodLease = record{"number": "L-1", "starts": "2026-01-31", "email": "a@example.se"}

// leaseCases has every rule of the descriptor language, broken and kept.
var leaseCases = []struct {
	name   string
	change record
	want   string // problems, with "; " between
}{
	{"the least", nil, ""},
	{"everything", record{
		"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "ends": "2028-02-29", "notice": "3", "signed_at": "2026-01-01T12:00:00+01:00",
		"signed_by.id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "status": "active", "floor": "-1", "rent": "8500.50", "heated": "true",
		"tenants": `["497f6eca-6276-4993-bfeb-53cbbbba6f08", {"id": "497F6ECA-6276-4993-BFEB-53CBBBBA6F08"}]`, "place": "7350053850019",
		"card": "4539-1488-0343-6467", "phone": "+46701740605", "person": "19850102-2399", "note": "å ä ö", "extra": `{"a": [1]}`,
	}, ""},
	{"required", record{"number": "-", "starts": "-"}, "number required; starts required"},
	{"required and empty", record{"number": ""}, "number required"},
	{"pattern", record{"number": "L1"}, "number pattern (letter, 1 digit)"},
	{"pattern before length", record{"number": "A-123456789"}, "number pattern (letter, hyphen, 9 digits)"},
	{"too long", record{"number": "L-1234567"}, "number too_long (9 characters, at most 8)"},
	{"too long in characters, not bytes", record{"note": "ååååå"}, ""},
	{"one character too long", record{"note": "åååååå"}, "note too_long (6 characters, at most 5)"},
	{"too short", record{"note": "åå"}, "note too_short (2 characters, at least 3)"},
	{"empty where there is a least length", record{"note": ""}, "note too_short (0 characters, at least 3)"},
	{"uuid", record{"id": "497f6eca"}, "id uuid (8 characters)"},
	{"uuid of a reference", record{"signed_by.id": "x", "signed_at": "2026-01-01T12:00:00Z"}, "signed_by.id uuid (1 character)"},
	{"date", record{"starts": "2026-02-30"}, "starts date (4 digits, hyphen, 2 digits, hyphen, 2 digits)"},
	{"date-time", record{"signed_at": "2026-01-01", "signed_by.id": "497f6eca-6276-4993-bfeb-53cbbbba6f08"}, "signed_at date_time (10 characters)"},
	{"integer", record{"notice": "3.0"}, "notice integer (1 digit, other character, 1 digit)"},
	{"too small", record{"notice": "0"}, "notice too_small (below 1)"},
	{"too large", record{"notice": "13"}, "notice too_large (above 12)"},
	{"far too large", record{"notice": "99999999999999999999999"}, "notice too_large (above 12)"},
	{"far too small", record{"notice": "-99999999999999999999999"}, "notice too_small (below 1)"},
	{"the bounds themselves", record{"notice": "12", "rent": "0.5"}, ""},
	{"number", record{"rent": "1,5"}, "rent number (1 digit, other character, 1 digit)"},
	{"number too small", record{"rent": "0.49"}, "rent too_small (below 0.5)"},
	{"number too large", record{"rent": "1e400"}, "rent too_large (above 99999.5)"},
	{"boolean", record{"heated": "Ja"}, "heated boolean (2 characters)"},
	{"enum", record{"status": "Active"}, "status enum (6 characters)"},
	{"enum of integers", record{"floor": "2"}, "floor enum (1 character)"},
	{"gln13", record{"place": "7350053850018"}, "place gln13 (13 digits)"},
	{"luhn", record{"card": "4539-1488-0343-6468"}, "card luhn (19 characters)"},
	{"luhn of letters", record{"card": "x"}, "card luhn (letter)"},
	{"phone", record{"phone": "08-123 45"}, "phone phone (2 digits, hyphen, 3 digits, space, 2 digits)"},
	{"email", record{"email": "a.example.se"}, "email email (12 characters, no at sign)"},
	{"two emails", record{"email": "a@example.se,b@example.se"}, "email email (25 characters, 2 at signs)"},
	{"email without a domain", record{"email": "a@b"}, "email email (3 characters)"},
	{"JSON", record{"extra": "text"}, "extra json (4 characters)"},
	{"no references", record{"tenants": `{"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08"}`}, "tenants references (46 characters)"},
	{"references to nothing", record{"tenants": `[{"id": "x"}]`}, "tenants references (13 characters)"},
	{"references with more than an id", record{"tenants": `[{"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "a": 1}]`}, "tenants references (56 characters)"},
	{"no reference at all", record{"tenants": `[]`}, ""},
	{"requires", record{"ends": "2027-01-01"}, "ends requires (without notice)"},
	{"together", record{"signed_at": "2026-01-01T12:00:00Z"}, "signed_at together (without signed_by.id)"},
	{"together, the other way", record{"signed_by.id": "497f6eca-6276-4993-bfeb-53cbbbba6f08"}, "signed_by.id together (without signed_at)"},
	{"any of", record{"email": "-"}, "phone any_of (one of phone, email)"},
	{"any of, the other", record{"email": "-", "phone": "0701740605"}, ""},
	{"any of, with a fault", record{"email": "-", "phone": "1"}, "phone phone (1 digit)"},
	{"excludes", record{"person": "198501022399", "company": "5560160680"}, "person excludes (along with company)"},
	{"personnummer", record{"person": "19850102239"}, "person personnummer_shape (11 digits)"},
	{"all faults of a personnummer", record{"person": "209913010000"}, "person check_digit (12 digits); person impossible_date (12 digits); person birth_number (12 digits)"},
	{"a warning", record{"person": "198500602381"}, "person coordination_date (12 digits) warning"},
	{"all problems of a row", record{"number": "x", "starts": "-", "note": "x", "ends": "y"},
		"number pattern (letter); starts required; ends date (letter); note too_short (1 character, at least 3); ends requires (without notice)"},
}

func TestEveryRuleOfADescriptor(t *testing.T) {
	r := lease(t)
	for _, c := range leaseCases {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(validate(t, r, mappings.ValidateOptions{}, goodLease.with(c.change)), "; ")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestRowsOfABatchDoNotMix(t *testing.T) {
	var rows []record
	var want []string
	for i, c := range leaseCases {
		rows = append(rows, goodLease.with(c.change))
		for p := range strings.SplitSeq(c.want, "; ") {
			if p != "" {
				want = append(want, fmt.Sprintf("%d: %s", i, p))
			}
		}
	}
	got := validate(t, lease(t), mappings.ValidateOptions{}, rows...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordFindsTheErrorsThatTheStepFinds(t *testing.T) {
	r := lease(t)
	v := validator(t, r, schemaOf(t, r), mappings.ValidateOptions{})
	for _, c := range leaseCases {
		var want []string
		for p := range strings.SplitSeq(c.want, "; ") {
			if field, rest, ok := strings.Cut(p, " "); ok && !strings.HasSuffix(p, "warning") {
				code, _, _ := strings.Cut(rest, " ")
				want = append(want, field+" "+code)
			}
		}
		if got := recordProblems(v, goodLease.with(c.change)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.name, got, want)
		}
	}
}

// recordProblems examines one record; the value "null" is a null.
func recordProblems(v *mappings.Validator, r record) (problems []string) {
	v.Record(func(field string) ([]byte, bool) {
		value, ok := r[field]
		if !ok {
			return []byte("not given"), false
		}
		if value == "null" {
			return nil, true
		}
		return []byte(value), true
	}, func(field string, code pipeline.Code) { problems = append(problems, field+" "+string(code)) })
	return problems
}

func TestRecordTellsANullFromAFieldNotGiven(t *testing.T) {
	r := lease(t)
	whole := validator(t, r, schemaOf(t, r), mappings.ValidateOptions{})
	part := validator(t, r, schemaOf(t, r), mappings.ValidateOptions{Partial: true})
	for _, c := range []struct {
		name        string
		record      record
		whole, part string
	}{
		{"nothing", record{}, "[number required starts required phone any_of]", "[]"},
		{"null of a required field", record{"number": "null", "starts": "2026-01-31", "phone": "0701740605"}, "[number required]", "[number required]"},
		{"null of one that is not", record{"number": "L-1", "starts": "2026-01-31", "phone": "0701740605", "heated": "null"}, "[heated required]", "[heated required]"},
		{"null of a nullable field", record{"number": "L-1", "starts": "2026-01-31", "phone": "0701740605", "notice": "null"}, "[]", "[]"},
		{"what may be in the API already", record{"ends": "2027-01-01", "signed_at": "2026-01-01T12:00:00Z"},
			"[number required starts required ends requires signed_at together phone any_of]", "[]"},
		{"what the API can never take", record{"person": "198501022399", "company": "5560160680", "note": "x"},
			"[number required starts required note too_short phone any_of person excludes]", "[note too_short person excludes]"},
	} {
		if got := recordProblems(whole, c.record); fmt.Sprint(sorted(got)) != sortedText(c.whole) {
			t.Errorf("%s: got %v, want %s", c.name, got, c.whole)
		}
		if got := recordProblems(part, c.record); fmt.Sprint(sorted(got)) != sortedText(c.part) {
			t.Errorf("%s, partial: got %v, want %s", c.name, got, c.part)
		}
	}
}

// sorted returns the words of problems in order, to compare without one.
func sorted(problems []string) []string {
	words := strings.Fields(strings.Join(problems, " "))
	slices.Sort(words)
	return words
}

func sortedText(list string) string { return fmt.Sprint(sorted([]string{strings.Trim(list, "[]")})) }

func TestWhatAnEarlierStepFoundIsNotFoundAgain(t *testing.T) {
	r := lease(t)
	s := schemaOf(t, r)
	b := batchOf(s, goodLease.with(record{"number": "-", "note": "x", "signed_by.id": "-", "signed_at": "2026-01-01T12:00:00Z", "heated": "?"}))
	for _, p := range []struct {
		field    string
		severity pipeline.Severity
	}{{"number", pipeline.Error}, {"note", pipeline.Error}, {"signed_by.id", pipeline.Error}, {"heated", pipeline.Repair}} {
		b.Note(pipeline.Problem{Field: int16(s.Index(p.field)), Column: pipeline.None, Stage: pipeline.Map, Severity: p.severity, Code: "before"})
	}
	if err := validator(t, r, s, mappings.ValidateOptions{}).Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []string{"number before", "note before", "signed_by.id before", "heated before repair", "heated boolean (1 character)"}
	if diff := cmp.Diff(want, problemsOf(b, s)); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenAndSkippedRowsAreLeftAlone(t *testing.T) {
	r := lease(t)
	s := schemaOf(t, r)
	b := batchOf(s, record{}, record{}, record{}, goodLease)
	b.Fates[0], b.Fates[1], b.Fates[2] = pipeline.Broken, pipeline.Skipped, pipeline.Rejected
	if err := validator(t, r, s, mappings.ValidateOptions{}).Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []string{"2: number required", "2: starts required", "2: phone any_of (one of phone, email)"}
	if diff := cmp.Diff(want, problemsOf(b, s)); diff != "" {
		t.Error(diff)
	}
	fates := []pipeline.Fate{pipeline.Broken, pipeline.Skipped, pipeline.Rejected, pipeline.Pending}
	if diff := cmp.Diff(fates, b.Fates); diff != "" {
		t.Error(diff)
	}
}

func TestSeverityOfACodeCanBeChosen(t *testing.T) {
	r := lease(t)
	s := schemaOf(t, r)
	b := batchOf(s, goodLease.with(record{"number": "L1"}), goodLease.with(record{"person": "198500602381"}))
	v := validator(t, r, s, mappings.ValidateOptions{Severity: map[pipeline.Code]pipeline.Severity{
		"pattern": pipeline.Warning, "coordination_date": pipeline.Error,
	}})
	if err := v.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []string{"0: number pattern (letter, 1 digit) warning", "1: person coordination_date (12 digits)"}
	if diff := cmp.Diff(want, problemsOf(b, s)); diff != "" {
		t.Error(diff)
	}
	if b.Fates[0] != pipeline.Pending || b.Fates[1] != pipeline.Rejected {
		t.Errorf("fates %v", b.Fates)
	}
}

func TestProblemsSayWhereAndWhen(t *testing.T) {
	r := lease(t)
	s := schemaOf(t, r, "number", "starts", "email")
	b := batchOf(s, goodLease.with(record{"starts": "x"}))
	if err := validator(t, r, s, mappings.ValidateOptions{Columns: []int16{4, 7, pipeline.None}}).Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []pipeline.Problem{{Row: 0, Field: 1, Column: 7, Severity: pipeline.Error, Stage: pipeline.Validate, Code: "date", Shape: "letter"}}
	if diff := cmp.Diff(want, b.Problems); diff != "" {
		t.Error(diff)
	}
}

func TestRulesAboutFieldsThatAreNotMapped(t *testing.T) {
	r := lease(t)
	s := schemaOf(t, r, "number", "starts", "email", "ends", "signed_at", "person")
	b := batchOf(s, goodLease.with(record{"ends": "2027-01-01", "signed_at": "2026-01-01T12:00:00Z", "person": "198501022399"}), goodLease.with(record{"email": "-"}))
	if err := validator(t, r, s, mappings.ValidateOptions{}).Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []string{"0: ends requires (without notice)", "0: signed_at together (without signed_by.id)", "1: email any_of (one of phone, email)"}
	got := problemsOf(b, s)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewValidatorRefusesWhatNoRowCouldPass(t *testing.T) {
	r := lease(t)
	for _, c := range []struct {
		columns string
		partial bool
		want    string
	}{
		{"note,email", false, "required field number is not mapped\nrequired field starts is not mapped"},
		{"number,starts", false, "one of phone, email is required and none is mapped"},
		{"note", true, ""},
	} {
		_, err := mappings.NewValidator(r, schemaOf(t, r, strings.Split(c.columns, ",")...), mappings.ValidateOptions{Partial: c.partial})
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%s: got %s", c.columns, got)
		}
	}
	strange := &pipeline.Schema{Fields: []pipeline.Field{{Name: "nunber"}}}
	if _, err := mappings.NewValidator(r, strange, mappings.ValidateOptions{}); err == nil || !strings.Contains(err.Error(), "did you mean number?") {
		t.Errorf("unknown field: %v", err)
	}
	if _, err := mappings.NewValidator(r, strange, mappings.ValidateOptions{Columns: []int16{}}); err == nil {
		t.Error("columns of another schema are accepted")
	}
}

var goodPerson = record{
	"name": "Anna Öberg", "external_client.id": "497f6eca-6276-4993-bfeb-53cbbbba6f08", "title": "Ekonomichef", "ssn": "19850102-2399",
	"custom_id": "K0000001", "org_no": "556016-0680", "first_name": "Anna", "email": "user1@example.se", "corporate_name": "Bygg AB",
	"phone_number": "+46701740605", "last_name": "Öberg",
}

func TestContactPerson(t *testing.T) {
	r := lookup(t, contactPerson)
	long := func(n int) string { return strings.Repeat("ö", n) }
	for _, c := range []struct {
		name   string
		change record
		want   string
	}{
		{"good", nil, ""},
		{"the longest", record{"name": long(255), "title": long(255), "custom_id": long(128), "first_name": long(255), "last_name": long(255), "corporate_name": long(255)}, ""},
		{"too long", record{"name": long(256), "custom_id": long(129)}, "name too_long (256 characters, at most 255); custom_id too_long (129 characters, at most 128)"},
		{"nothing required", record{"name": "-", "external_client.id": "-", "title": "-"}, "name required; external_client.id required; title required"},
		{"only what is required", record{"ssn": "-", "custom_id": "-", "org_no": "-", "first_name": "-", "email": "-", "corporate_name": "-", "phone_number": "-", "last_name": "-"}, ""},
		{"ssn of nine digits", record{"ssn": "850102239"}, "ssn personnummer_shape (9 digits)"},
		{"ssn of ten digits", record{"ssn": "8501022399"}, "ssn personnummer_shape (10 digits)"},
		{"ssn as twelve digits", record{"ssn": "198501022399"}, ""},
		{"ssn with a plus sign", record{"ssn": "19200101+2398"}, "ssn personnummer_shape (8 digits, plus sign, 4 digits)"},
		{"Luhn over twelve digits", record{"ssn": "200002292381"}, ""},
		{"check digit", record{"ssn": "197004289895"}, "ssn check_digit (12 digits)"},
		{"impossible date", record{"ssn": "190002292381"}, "ssn impossible_date (12 digits)"},
		{"birth number", record{"ssn": "201509160006"}, "ssn birth_number (12 digits)"},
		{"future", record{"ssn": "209001012385"}, "ssn future_date (12 digits)"},
		{"samordningsnummer", record{"ssn": "198501622396"}, ""},
		{"samordningsnummer without a date", record{"ssn": "198500602381"}, "ssn coordination_date (12 digits) warning"},
		{"org number in ssn", record{"ssn": "5560160680"}, "ssn org_no_as_ssn (10 digits)"},
		{"number of a spreadsheet", record{"ssn": "1.98501E+11"}, "ssn excel_number (11 characters)"},
		{"org number as ten digits", record{"org_no": "8572090606"}, ""},
		{"org check digit", record{"org_no": "556016-0681"}, "org_no check_digit (6 digits, hyphen, 4 digits)"},
		{"org number too short", record{"org_no": "55601606"}, "org_no org_no_shape (8 digits)"},
		{"sole trader", record{"org_no": "850102-2399"}, "org_no personnummer_as_org_no (6 digits, hyphen, 4 digits) warning"},
		{"phone by the pattern of the API", record{"phone_number": "08-123 45"}, "phone_number pattern (2 digits, hyphen, 3 digits, space, 2 digits)"},
		{"phone that only the API takes", record{"phone_number": "0812345"}, ""},
		{"no uuid", record{"external_client.id": "K0000001"}, "external_client.id uuid (8 characters)"},
		{"email", record{"email": "not-an-email"}, "email email (12 characters, no at sign)"},
		{"email too long", record{"email": strings.Repeat("a", 243) + "@example.se"}, ""},
		{"email longer still", record{"email": strings.Repeat("a", 244) + "@example.se"}, "email too_long (255 characters, at most 254)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(validate(t, r, mappings.ValidateOptions{}, goodPerson.with(c.change)), "; ")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestInterimNumbersCanBeAllowed(t *testing.T) {
	r, interim := lookup(t, contactPerson), goodPerson.with(record{"ssn": "19850102T239"})
	if got := validate(t, r, mappings.ValidateOptions{}, interim); !slices.Equal(got, []string{"ssn interim_number (8 digits, letter, 3 digits)"}) {
		t.Errorf("got %v", got)
	}
	if got := validate(t, r, mappings.ValidateOptions{Identity: identity.Rules{AllowInterim: true}}, interim); len(got) > 0 {
		t.Errorf("allowed, and got %v", got)
	}
}

// Shapes go to logs and files that are shared, so none may show a value.
func TestShapesShowNoValue(t *testing.T) {
	for _, c := range leaseCases {
		for _, p := range validate(t, lease(t), mappings.ValidateOptions{}, goodLease.with(c.change)) {
			for _, v := range c.change {
				if len(v) > 2 && strings.Contains(p, v) {
					t.Errorf("%s: %s shows the value", c.name, p)
				}
			}
		}
	}
}

func benchmarkBatch(t testing.TB, rows int) (*mappings.Validator, *pipeline.Batch) {
	r := lookup(t, contactPerson)
	s := schemaOf(t, r, "name", "external_client.id", "title", "ssn", "custom_id", "org_no", "first_name", "email", "corporate_name", "phone_number", "last_name")
	b := batchOf(s, slices.Repeat([]record{goodPerson}, rows)...)
	return validator(t, r, s, mappings.ValidateOptions{}), b
}

func TestGoodRowsAreValidatedWithoutAllocation(t *testing.T) {
	v, b := benchmarkBatch(t, 100)
	step := v.Step()
	if n := testing.AllocsPerRun(10, func() { _ = step.Apply(b) }); n > 0 {
		t.Errorf("%v allocations for each batch", n)
	}
	if len(b.Problems) > 0 {
		t.Errorf("problems: %v", b.Problems)
	}
}

func BenchmarkValidate(b *testing.B) {
	const rows = 1000
	v, batch := benchmarkBatch(b, rows)
	step := v.Step()
	b.ReportAllocs()
	for b.Loop() {
		if err := step.Apply(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func BenchmarkValidateRecord(b *testing.B) {
	v, _ := benchmarkBatch(b, 1)
	values := map[string][]byte{}
	for name, value := range goodPerson {
		values[name] = []byte(value)
	}
	get := func(field string) ([]byte, bool) { value, ok := values[field]; return value, ok }
	b.ReportAllocs()
	for b.Loop() {
		v.Record(get, func(field string, code pipeline.Code) { b.Fatal(field, code) })
	}
}
