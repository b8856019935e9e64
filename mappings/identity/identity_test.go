package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

var today = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// codes returns the codes of f in one string.
func codes(f identity.Faults) string {
	var s []string
	for _, c := range f.Codes() {
		s = append(s, string(c))
	}
	return strings.Join(s, " ")
}

func text(n identity.Number) string { return string(n.Append(nil, false)) }

type parseTest struct {
	in, want string // want: the number, empty where there is none
	codes    string
}

func runParse(t *testing.T, r *identity.Rules, tests []parseTest,
	parse func([]byte, *identity.Rules) (identity.Number, identity.Faults)) {
	t.Helper()
	for _, tt := range tests {
		n, f := parse([]byte(tt.in), r)
		if diff := cmp.Diff(tt.want+" "+tt.codes, text(n)+" "+codes(f)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.in, diff)
		}
	}
}

func TestParsePersonnummer(t *testing.T) {
	runParse(t, &identity.Rules{Today: today}, []parseTest{
		// valid, in every form
		{"198501022399", "198501022399", ""},
		{"19850102-2399", "198501022399", ""},
		{"850102-2399", "198501022399", "century_inferred"},
		{"8501022399", "198501022399", "century_inferred"},
		{"200002292381", "200002292381", ""},
		{"200002292399", "200002292399", ""},
		{"000229-2399", "200002292399", "century_inferred"},
		{"192001012398", "192001012398", ""},
		{"200101+2398", "192001012398", "century_inferred"},
		{"200101-2398", "202001012398", "century_inferred"},
		{"090527+1474", "190905271474", "century_inferred"},
		{"090527-1474", "200905271474", "century_inferred"},
		// samordningsnummer
		{"198501622396", "198501622396", ""},
		{"850162-2396", "198501622396", "century_inferred"},
		{"198500602381", "198500602381", "coordination_date"},
		{"20260675-2380", "202606752380", ""},
		{"20260676-2389", "202606762389", "future_date"},
		// dates
		{"190002292381", "190002292381", "impossible_date"},
		{"209001012385", "209001012385", "future_date"},
		{"198513012380", "198513012380", "check_digit impossible_date"},
		{"202606152383", "202606152383", ""},
		{"202606162382", "202606162382", "future_date"},
		{"19850192-2392", "198501922392", "check_digit impossible_date"},
		// check digit and birth number
		{"198501022398", "198501022398", "check_digit"},
		{"197004289895", "197004289895", "check_digit"},
		{"201509160006", "201509160006", "birth_number"},
		{"201509160007", "201509160007", "check_digit birth_number"},
		{"201513160006", "201513160006", "check_digit impossible_date birth_number"},
		// interim
		{"19850102-T399", "19850102T399", "interim_number"},
		{"850102-t399", "19850102T399", "interim_number century_inferred"},
		{"19851302-T399", "19851302T399", "impossible_date interim_number"},
		// an organisationsnummer
		{"556016-0680", "", "org_no_as_ssn"},
		{"5560160680", "", "org_no_as_ssn"},
		{"165560160680", "", "org_no_as_ssn"},
		{"16556016-0680", "", "org_no_as_ssn"},
		{"556016+0680", "185560160680", "impossible_date century_inferred"},
		{"556016-0681", "195560160681", "check_digit impossible_date century_inferred"},
		// a spreadsheet's
		{"1.98501E+11", "", "excel_number"},
		{"1,98501E+11", "", "excel_number"},
		{"1.98501e11", "", "excel_number"},
		{"2E+11", "", "excel_number"},
		{"198501022399.0", "", "excel_number"},
		{"198501022399,00", "", "excel_number"},
		// a lost zero, proved or not
		{"102032398", "200102032398", "century_inferred leading_zero"},
		{"102032393", "", "personnummer_shape"},
		{"113032390", "", "personnummer_shape"},
		{"193806023", "", "personnummer_shape"}, // a samordningsnummer without a date proves nothing
		{"128886363", "", "personnummer_shape"}, // nor does an organisationsnummer
		// no number
		{"", "", "personnummer_shape"},
		{"-", "", "personnummer_shape"},
		{"850102", "", "personnummer_shape"},
		{"85010223990", "", "personnummer_shape"},
		{"850102 2399", "", "personnummer_shape"},
		{"19850102+2399", "", "personnummer_shape"},
		{"1985-01-02-2399", "", "personnummer_shape"},
		{"850102.2399", "", "personnummer_shape"},
		{"850102--2399", "", "personnummer_shape"},
		{"19850102-23990", "", "personnummer_shape"},
		{"19850102-23T9", "", "personnummer_shape"},
		{"1985T102-2399", "", "personnummer_shape"},
		{"１９８５", "", "personnummer_shape"},
		{"19850102\x002399", "", "personnummer_shape"},
		{"E+11", "", "personnummer_shape"},
		{"1.5", "", "personnummer_shape"},
		{"1.E", "", "personnummer_shape"},
	}, identity.ParsePersonnummer)
}

func TestParsePersonnummerCentury(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules *identity.Rules
		tests []parseTest
	}{
		{"pivot", &identity.Rules{Today: today, Century: identity.Pivot, Pivot: 1930}, []parseTest{
			{"8501022399", "198501022399", "century_inferred"},
			{"0002292399", "200002292399", "century_inferred"},
			{"2901012399", "202901012399", "future_date century_inferred"},
			{"850102-2399", "198501022399", "century_inferred"},
		}},
		{"pivot of two digits", &identity.Rules{Today: today, Century: identity.Pivot, Pivot: 15}, []parseTest{
			{"2001012398", "192001012398", "century_inferred"},
		}},
		{"pivot without a clock", &identity.Rules{Century: identity.Pivot, Pivot: 1910}, []parseTest{
			{"2001012398", "192001012398", "century_inferred"},
		}},
		{"reject", &identity.Rules{Today: today, Century: identity.RejectCentury}, []parseTest{
			{"8501022399", "", "century_ambiguous"},
			{"8513022399", "", "check_digit impossible_date century_ambiguous"},
			{"0002292399", "", "century_ambiguous"},
			{"850102-2399", "198501022399", "century_inferred"},
			{"198501022399", "198501022399", ""},
			{"102032398", "", "century_ambiguous leading_zero"},
		}},
		{"no clock", nil, []parseTest{
			{"8501022399", "", "century_ambiguous"},
			{"850102-2399", "", "century_ambiguous"},
			{"090527+1474", "", "century_ambiguous"},
			{"209001012385", "209001012385", ""},
		}},
		{"the year of the 100th birthday", &identity.Rules{Today: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, []parseTest{
			{"200101+2398", "192001012398", "century_inferred"},
			{"200101-2398", "202001012398", "century_inferred"},
			{"201231+2381", "192012312381", "century_inferred"},
			{"201231-2381", "192012312381", "century_inferred"},
		}},
		{"a leap day to come", &identity.Rules{Today: time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)}, []parseTest{
			{"240229-2383", "192402292383", "century_inferred"},
		}},
		{"interim allowed", &identity.Rules{Today: today, AllowInterim: true}, []parseTest{
			{"850102-t399", "19850102T399", "century_inferred"},
			{"19851302T399", "19851302T399", "impossible_date"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { runParse(t, tt.rules, tt.tests, identity.ParsePersonnummer) })
	}
}

func TestParseOrganisationsnummer(t *testing.T) {
	runParse(t, &identity.Rules{Today: today}, []parseTest{
		{"556016-0680", "5560160680", ""},
		{"5560160680", "5560160680", ""},
		{"556036-0793", "5560360793", ""},
		{"212000-0142", "2120000142", ""},
		{"857209-0606", "8572090606", ""},
		{"559999-9991", "5599999991", ""},
		{"802999-9995", "8029999995", ""},
		{"556016-0681", "5560160681", "check_digit"},
		{"556103-4250", "5561034250", "check_digit"},
		// more than the number
		{"165560160680", "5560160680", "prefix_16"},
		{"16556016-0680", "5560160680", "prefix_16"},
		{"165560160681", "5560160681", "check_digit prefix_16"},
		{"SE556016068001", "5560160680", "vat_number"},
		{"se556016068001", "5560160680", "vat_number"},
		{"SE556016068101", "5560160681", "check_digit vat_number"},
		{"SE850102239901", "8501022399", "personnummer_as_org_no vat_number"},
		{"SE556016068002", "", "org_no_shape"},
		{"SE556016-068001", "", "org_no_shape"},
		{"SE5560160680", "", "org_no_shape"},
		// a sole trader's
		{"850102-2399", "8501022399", "personnummer_as_org_no"},
		{"8501022399", "8501022399", "personnummer_as_org_no"},
		{"198501022399", "8501022399", "personnummer_as_org_no"},
		{"19850102-2399", "8501022399", "personnummer_as_org_no"},
		{"198501022398", "8501022398", "check_digit personnummer_as_org_no"},
		{"8501022398", "8501022398", "check_digit personnummer_as_org_no"},
		{"8501622396", "8501622396", "personnummer_as_org_no"},
		{"8500602381", "8500602381", "coordination_date personnummer_as_org_no"},
		{"209001012385", "9001012385", "future_date personnummer_as_org_no"},
		{"0002292381", "0002292381", "personnummer_as_org_no"},
		{"1509160006", "1509160006", "birth_number personnummer_as_org_no"},
		{"850102+2399", "", "org_no_shape"},
		{"850102-T399", "", "org_no_shape"},
		{"19850102T399", "", "org_no_shape"},
		{"195560160680", "", "org_no_shape"},
		// neither
		{"5513160682", "5513160682", "check_digit third_digit"},
		{"5513160688", "5513160688", "third_digit"},
		{"5519600687", "5519600687", "third_digit"},
		// a spreadsheet's
		{"5.56016E+09", "", "excel_number"},
		{"5560160680.0", "", "excel_number"},
		{"102032398", "0102032398", "personnummer_as_org_no leading_zero"},
		{"102032393", "", "org_no_shape"},
		{"556016068", "", "org_no_shape"},
		// no number
		{"", "", "org_no_shape"},
		{"556016 0680", "", "org_no_shape"},
		{"55601-60680", "", "org_no_shape"},
		{"55601606800", "", "org_no_shape"},
		{"1655601606800", "", "org_no_shape"},
	}, identity.ParseOrganisationsnummer)
}

func TestCheckAcceptsStoredFormsOnly(t *testing.T) {
	for _, tt := range []struct{ in, ssn, orgNo string }{
		{"198501022399", "", "org_no_shape"},
		{"19850102-2399", "", "org_no_shape"},
		{"850102-2399", "personnummer_shape", "personnummer_as_org_no"},
		{"8501022399", "personnummer_shape", "personnummer_as_org_no"},
		{"198513022398", "check_digit impossible_date", "org_no_shape"},
		{"198500602381", "coordination_date", "org_no_shape"},
		{"19850102T399", "interim_number", "org_no_shape"},
		{"19850102t399", "interim_number", "org_no_shape"},
		{"209001012385", "future_date", "org_no_shape"},
		{"556016-0680", "org_no_as_ssn", ""},
		{"5560160680", "org_no_as_ssn", ""},
		{"165560160680", "org_no_as_ssn", "org_no_shape"},
		{"5560160681", "personnummer_shape", "check_digit"},
		{"5513160688", "personnummer_shape", "third_digit"},
		{"SE556016068001", "personnummer_shape", "org_no_shape"},
		{"102032398", "personnummer_shape", "org_no_shape"},
		{"1.98501E+11", "excel_number", "excel_number"},
		{"198501022399.0", "excel_number", "excel_number"},
		{"", "personnummer_shape", "org_no_shape"},
	} {
		r := &identity.Rules{Today: today}
		got := [2]string{codes(identity.CheckPersonnummer([]byte(tt.in), r)), codes(identity.CheckOrganisationsnummer([]byte(tt.in), r))}
		if diff := cmp.Diff([2]string{tt.ssn, tt.orgNo}, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.in, diff)
		}
	}
}

func TestNumberIsWrittenWithAndWithoutHyphen(t *testing.T) {
	r := &identity.Rules{Today: today}
	ssn, _ := identity.ParsePersonnummer([]byte("850102-2399"), r)
	org, _ := identity.ParseOrganisationsnummer([]byte("SE556016068001"), r)
	for _, tt := range []struct {
		n             identity.Number
		plain, dashed string
		zero          bool
	}{
		{ssn, "198501022399", "19850102-2399", false},
		{org, "5560160680", "556016-0680", false},
		{identity.Number{}, "", "", true},
	} {
		if got := string(tt.n.Append([]byte("x"), false)); got != "x"+tt.plain {
			t.Errorf("without hyphen: got %q, want x%s", got, tt.plain)
		}
		if got := string(tt.n.Append([]byte("x"), true)); got != "x"+tt.dashed {
			t.Errorf("with hyphen: got %q, want x%s", got, tt.dashed)
		}
		if tt.n.IsZero() != tt.zero {
			t.Errorf("IsZero is %v for %q", tt.n.IsZero(), tt.plain)
		}
	}
}

func TestNumberIsNotShownByFmt(t *testing.T) {
	n, _ := identity.ParsePersonnummer([]byte("198501022399"), nil)
	if got := fmt.Sprintf("%v %+v %s", n, n, n); got != "12 digits 12 digits 12 digits" {
		t.Errorf("fmt shows %q", got)
	}
	o, _ := identity.ParseOrganisationsnummer([]byte("5560160680"), nil)
	if got := fmt.Sprint(o, identity.Number{}); got != "10 digits no number" {
		t.Errorf("fmt shows %q", got)
	}
}

func TestEveryFaultHasADocumentedCode(t *testing.T) {
	seen := map[pipeline.Code]bool{}
	for i, c := range identity.Codes {
		f := identity.Faults(1) << i
		if got := f.Codes(); len(got) != 1 || got[0] != c.Code {
			t.Errorf("fault %d has codes %v, want %s", i, got, c.Code)
		}
		want := map[pipeline.Severity]identity.Faults{
			pipeline.Error: f.Errors(), pipeline.Warning: f.Warnings(), pipeline.Repair: f.Repairs(),
		}[c.Severity]
		if want != f {
			t.Errorf("%s is documented as %s, which it is not", c.Code, c.Severity)
		}
		if seen[c.Code] {
			t.Errorf("%s appears twice", c.Code)
		}
		seen[c.Code] = true
	}
	if got, want := len(identity.Codes), 17; got != want || !identity.Faults(1<<16).Has(identity.LeadingZero) {
		t.Errorf("%d codes, want %d, one for each fault", got, want)
	}
	if identity.Faults(0).Codes() != nil {
		t.Error("the empty set has codes")
	}
}

func TestLuhn(t *testing.T) {
	for in, want := range map[string]bool{
		"8501022399": true, "8501022398": false, "79927398713": true, "79927398710": false,
		"00": true, "18": true, "0": false, "": false, "85010a2399": false, "850102239x": false,
		"198501022399": false, // the century is no part of it
	} {
		if got := identity.Luhn([]byte(in)); got != want {
			t.Errorf("Luhn(%q) is %v", in, got)
		}
	}
	if got := identity.LuhnDigit([]byte("850102239")); got != '9' {
		t.Errorf("check digit is %q, want 9", got)
	}
	if identity.LuhnDigit(nil) != 0 || identity.LuhnDigit([]byte("12x")) != 0 {
		t.Error("a check digit for what has none")
	}
}

func TestDescribeShowsNoValue(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "empty",
		"198501022399":          "12 digits",
		"19850102-2399":         "8 digits, hyphen, 4 digits",
		"850102+2399":           "6 digits, plus sign, 4 digits",
		"19850102T399":          "8 digits, letter, 3 digits",
		"SE556016068001":        "2 letters, 12 digits",
		"1.98501E+11":           "11 characters",
		"5":                     "1 digit",
		"850102 2399":           "6 digits, space, 4 digits",
		"198501022399.0":        "12 digits, other character, 1 digit",
		"åäö":                   "3 other characters",
		strings.Repeat("a1", 9): "18 characters",
	} {
		if got := identity.Describe([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	r := &identity.Rules{Today: today}
	var buf [16]byte
	for _, in := range []string{"198501022399", "850102-2399", "556016-0680", "SE556016068001", "1.98501E+11", "102032398", "x"} {
		v := []byte(in)
		if n := testing.AllocsPerRun(100, func() {
			n, _ := identity.ParsePersonnummer(v, r)
			n.Append(buf[:0], true)
			n, _ = identity.ParseOrganisationsnummer(v, r)
			n.Append(buf[:0], false)
			identity.CheckPersonnummer(v, r)
			identity.CheckOrganisationsnummer(v, r)
		}); n != 0 {
			t.Errorf("%q: %v allocations", in, n)
		}
	}
}
