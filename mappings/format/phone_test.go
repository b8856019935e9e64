package format

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// library is AppendPhone by the library alone, letters aside.
func library(v, region string) string {
	n, err := phonenumbers.Parse(v, region)
	if err != nil || !phonenumbers.IsValidNumber(n) || n.GetExtension() == "" && spelt([]byte(v)) {
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}

func TestAppendPhone(t *testing.T) {
	for _, tt := range []struct{ in, region, want string }{
		{"070-174 06 05", "", "+46701740605"},
		{"0701740605", "SE", "+46701740605"},
		{"+46 70 174 06 05", "SE", "+46701740605"},
		{"+46 (0)70-174 06 05", "SE", "+46701740605"},
		{"0046701740605", "SE", "+46701740605"},
		{"46701740605", "SE", "+46701740605"},
		{"701740605", "SE", "+46701740605"},
		{"08-465 004 00", "SE", "+46846500400"},
		{"(08) 465 004 00", "SE", "+46846500400"},
		{"070.174.06.05", "SE", "+46701740605"},
		{"tel:+46-70-174-06-05", "SE", "+46701740605"},
		{"070-174 06 05 ext. 12", "SE", "+46701740605"},
		{"+47 22 12 34 56", "SE", "+4722123456"},
		{"22 12 34 56", "NO", "+4722123456"},
		{"+46 70 174 06 05", "NO", "+46701740605"},
		{"08-123 45", "SE", ""},
		{"070-174 06", "SE", ""},
		{"071-174 06 05", "SE", ""}, // of a possible length, and not in use
		{"+46", "SE", ""},
		{"112", "SE", ""},
		{"0", "SE", ""},
		{"", "SE", ""},
		{"saknas", "SE", ""},
		{"Tel 070-174 06 05", "SE", "+46701740605"},
		{"070-CALLNOW", "SE", ""}, // no keypad letters
		{"070-174 06 05", "XX", ""},
		{"070-174 06 05 / 08-465 004 00", "SE", ""},
	} {
		got, ok := AppendPhone([]byte("x"), []byte(tt.in), tt.region)
		if string(got) != "x"+tt.want || ok != (tt.want != "") {
			t.Errorf("%q in %q: got %q %v, want %q", tt.in, tt.region, got, ok, tt.want)
		}
	}
}

// TestSwedishPhonesAgreeWithLibrary goes through every start of four digits
// with every length, in one of the forms that are read without the library.
func TestSwedishPhonesAgreeWithLibrary(t *testing.T) {
	forms := []string{"+46%s", "0%s", "0046%s", "+46(0)%s", "+46 %s", "00 46-%s", "(0)%s", "+460%s", "-0 %s ", "00460%s"}
	rnd := rand.New(rand.NewPCG(7, 8))
	step := 1
	if testing.Short() || raceEnabled {
		step = 17
	}
	valid := 0
	for prefix := 0; prefix < 10_000; prefix += step {
		for length := 6; length <= 10; length++ {
			n := fmt.Sprintf("%04d%0*d", prefix, length-4, rnd.IntN(int(pow10(length-4))))
			v := fmt.Sprintf(forms[rnd.IntN(len(forms))], n)
			if phoneAgrees(t, v) {
				valid++
			}
		}
	}
	if valid < 10_000/step {
		t.Errorf("only %d of the numbers are valid", valid)
	}
	for length := range 22 {
		for range 20 {
			n := fmt.Sprintf("%022d", rnd.Uint64())[22-length:]
			for _, form := range forms {
				phoneAgrees(t, fmt.Sprintf(form, n))
			}
		}
	}
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// phoneAgrees requires that AppendPhone says what the library says, and reports
// whether that is a number.
func phoneAgrees(t *testing.T, v string) bool {
	t.Helper()
	got, ok := AppendPhone(nil, []byte(v), "SE")
	want := library(v, "SE")
	if string(got) != want || ok != (want != "") {
		t.Fatalf("%q: got %q %v, the library says %q", v, got, ok, want)
	}
	return ok
}

func TestSwedishPhonesMatchTheAPI(t *testing.T) {
	p, err := CompilePattern(`^\+?1?\d{7,15}$`)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"020-1234", "+4620123456", "0254-123456789", "0900 1234567"} {
		if e164, ok := AppendPhone(nil, []byte(v), "SE"); ok && !p.Match(e164) {
			t.Errorf("%q is valid and becomes %q, which the API turns away", v, e164)
		}
	}
}

func FuzzAppendPhone(f *testing.F) {
	for _, s := range []string{"070-174 06 05", "+46 (0)8 465 004 00", "0046701740605", "46701740605", "(0)", "+0046", "070--(1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) { phoneAgrees(t, v) })
}

// TestMetadataIsWhatTheShortcutNeeds holds what appendNational relies on: the
// prefixes, no rewriting of numbers, and no number that begins with 0.
func TestMetadataIsWhatTheShortcutNeeds(t *testing.T) {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all.GetMetadata() {
		if m.GetId() != sweden {
			continue
		}
		got := [...]string{m.GetInternationalPrefix(), m.GetNationalPrefixForParsing(), m.GetNationalPrefixTransformRule(), m.GetLeadingDigits(), fmt.Sprint(m.GetCountryCode())}
		if want := [...]string{"00", "0", "", "", "46"}; got != want {
			t.Errorf("prefixes are %q, want %q", got, want)
		}
	}
	for length := range maxDigits {
		n := fmt.Sprintf("0%0*d", length, 0)
		if swedishPlan().general.match([]byte(n)) {
			t.Errorf("%s is a number in its general form", n)
		}
	}
	for i, f := range append(swedishPlan().forms, swedishPlan().general) {
		if f.pattern.table == nil {
			t.Errorf("form %d does not run as a table", i)
		}
	}
}
