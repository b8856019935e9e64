package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"flytt/pipeline"
	"flytt/sources"
)

func TestKindsOfValues(t *testing.T) {
	list := kinds(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	of := func(v string) string {
		for _, k := range list {
			if k.fits([]byte(v)) {
				return k.name
			}
		}
		return textKind
	}
	for v, want := range map[string]string{
		"6f9a3c1e-0000-4000-8000-777777000001": "uuid",
		"anna@example.com":                     "email",
		"@":                                    textKind,
		"2024-02-29":                           "date",
		"2023-02-29":                           textKind,
		"2024-01-02T03:04:05Z":                 "date-time",
		"2024-01-02T03:04:05.123":              "date-time",
		"2024-01-02 03:04":                     "date-time",
		"2024-01-02 25:04":                     textKind,
		"Ja":                                   "boolean",
		"FALSKT":                               "boolean",
		"true":                                 "boolean",
		"198501022399":                         "personnummer",
		"850102-2399":                          "personnummer",
		"850102-2390":                          textKind,
		"556016-0680":                          "organisationsnummer",
		"SE556016068001":                       "organisationsnummer",
		"+46701740605":                         "phone",
		"08-123 456 78":                        "phone",
		"12345678":                             "integer",
		"-7":                                   "integer",
		"007":                                  textKind,
		"3.25":                                 "number",
		"3,25":                                 textKind,
		`{"a":[1]}`:                            "JSON",
		"{a}":                                  textKind,
		"å":                                    textKind,
	} {
		if got := of(v); got != want {
			t.Errorf("%q is %s, want %s", v, got, want)
		}
	}
}

func TestMaskShowsTheFormOnly(t *testing.T) {
	for v, want := range map[string]string{
		"Åsa Öberg-Ek":               "Aaa Aaaaa-Aa",
		"198501-2399":                "999999-9999",
		"\u0661x":                    "9a",
		"a\nb\tc":                    "a␊a␉a",
		"\x1b[31m":                   "␛[99a",
		"\U0001F600":                 "?",
		"a\u0308":                    "a?",
		"a\u200bb":                   "a?a",
		"=1+1":                       "=9+9",
		"ok\x7f\u0085":               "aa␡?",
		strings.Repeat("x", 50):      strings.Repeat("a", 40) + "…",
		"\xff":                       "?",
		"\u202eabc":                  "?aaa",
		strings.Repeat("Ü", 40):      strings.Repeat("A", 40),
		"山田":                         "aa",
		"\u00a0|\u2014\u201cx\u201d": "\u00a0|\u2014\u201ca\u201d",
	} {
		if got := mask([]byte(v)); got != want {
			t.Errorf("mask(%q) is %q, want %q", v, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("Åsa 070-123\x1b]0;x\a"))
	f.Fuzz(func(t *testing.T, v []byte) {
		got := mask(v)
		for _, r := range got {
			if unicode.IsControl(r) || r != 'A' && r != 'a' && unicode.IsLetter(r) || r != '9' && unicode.IsNumber(r) {
				t.Fatalf("mask(%q) is %q, which shows %q", v, got, r)
			}
		}
		if n := utf8.RuneCount(v); n <= mostShown && utf8.RuneCountInString(got) != n {
			t.Fatalf("mask(%q) is %q, of another length", v, got)
		}
		for _, r := range unmasked(v) {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("unmasked %q has %q, which a terminal obeys", v, r)
			}
		}
	})
}

// surveyed returns a survey of a column of values in rows from first on.
func surveyed(p *surveyPlan, first int, values ...string) *survey {
	s := p.newSurvey(false)
	var b pipeline.Batch
	b.Reset(1)
	for i, v := range values {
		b.AddRow(int64(first + i))
		b.Input[0].Append([]byte(v))
	}
	b.Note(pipeline.Problem{Row: 0, Severity: pipeline.Warning, Code: "odd"})
	if err := s.Apply(&b); err != nil {
		panic(err)
	}
	return s
}

func TestSurveysOfPartsAddUp(t *testing.T) {
	p := newSurveyPlan(1, kinds(time.Now()), mask)
	p.distinct = 3
	s := surveyed(p, 10, "1", " 2 ", "")
	s.merge(surveyed(p, 2, "2", "three", " "))
	c := &s.columns[0]
	if s.rows != 6 || c.values != 4 || c.empty != 2 || c.longest != 5 || len(c.hashes) != 3 || c.overflow {
		t.Errorf("%d rows, %+v", s.rows, c)
	}
	if name, fits := c.kind(p.kinds); name != "integer" || fits != 3 {
		t.Errorf("the kind is %s of %d, want integer of 3", name, fits)
	}
	if got := *s.problems["odd"]; got != (problemSurvey{2, 2, pipeline.Warning}) {
		t.Errorf("problem %+v, want two, first in row 2", got)
	}
	s.merge(surveyed(p, 20, "4"))
	if len(c.hashes) != 3 || !c.overflow {
		t.Errorf("%d different values and more: %t, want 3 and more", len(c.hashes), c.overflow)
	}
}

func TestRowsThatCannotBeReadTellNothingOfColumns(t *testing.T) {
	p := newSurveyPlan(1, nil, mask)
	s := p.newSurvey(false)
	var b pipeline.Batch
	b.Reset(1)
	b.AddRow(2)
	b.Input[0].Append([]byte("shifted"))
	b.Note(pipeline.Problem{Row: 0, Stage: pipeline.Read, Code: "ragged_row"})
	if err := s.Apply(&b); err != nil {
		t.Fatal(err)
	}
	if s.rows != 1 || s.columns[0].values != 0 {
		t.Errorf("%d rows, %d values, want 1 and 0", s.rows, s.columns[0].values)
	}
}

func TestEstimateIsRoundedToWhatIsKnown(t *testing.T) {
	for n, want := range map[float64]int64{0: 0, 7: 7, 1234: 1200, 99_600: 100_000, 987_654: 990_000} {
		if got := rounded(n); got != want {
			t.Errorf("rounded(%v) is %d, want %d", n, got, want)
		}
	}
}

func TestRowsOfASheetAreThoseBelowItsHeader(t *testing.T) {
	l := &sampler{info: &sources.Info{HeaderRow: 3, Sheet: "B", Sheets: []sources.SheetInfo{{Name: "A", Rows: 7}, {Name: "B", Rows: 5000}}}}
	if got := l.stated(); got != 4997 {
		t.Errorf("%d rows, want 4997", got)
	}
	l.info.Sheets[1].Rows = -1
	if got := l.stated(); got >= 0 {
		t.Errorf("%d rows of a sheet that does not say", got)
	}
}

// BenchmarkSurvey holds the kinds against a row's usual values.
func BenchmarkSurvey(b *testing.B) {
	p := newSurveyPlan(1, kinds(time.Now()), mask)
	var values []string
	for i := range 1000 {
		values = append(values, []string{"19850102-2399", "Åsa Öberg", "anna@example.com", "+46701740605", fmt.Sprint(i)}[i%5])
	}
	for b.Loop() {
		surveyed(p, 2, values...)
	}
}
