package format

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// expressions are patterns of every kind, and whether they run as a table.
var expressions = []struct {
	expr  string
	table bool
}{
	{`^\+?1?\d{7,15}$`, true},
	{``, true}, {`^`, true}, {`$`, true}, {`^$`, true}, {`$^`, true}, {`a$^b`, true}, {`^^a$$`, true}, {`\Aa\z`, true},
	{`a`, true}, {`ab|ba`, true}, {`^a*b`, true}, {`a*$`, true}, {`(^a|b$)`, true}, {`(a|ab)(c|bcd)$`, true},
	{`.`, true}, {`(?s).`, true}, {`^.*$`, true}, {`(?s)^.{3}$`, true}, {`[^a]$`, true}, {`[^\n]b`, true},
	{`(?i)åäö`, true}, {`(?i)^k+$`, true}, {`(?i)[a-z]s`, true}, {`^[A-ZÅÄÖ][a-zåäö]+$`, true}, {`^\pL+$`, true}, {`\p{Greek}`, true},
	{`^[a-f0-9]{8}-[a-f0-9]{4}$`, true}, {`x{0}`, true}, {`[^\x00-\x{10FFFF}]`, true}, {`^(a?){10}a{10}$`, true}, {`\x{FFFD}`, true},
	{`\bab\b`, false}, {`\Bb`, false}, {`(?m)^a$`, false}, {`(?m)b$`, false},
	{`(a|b)*a(a|b){12}$`, false}, {`^\d{600}$`, false}, {strings.Repeat(`(ab?c){9}`, 60), false},
}

func TestPatternRunsAsATableIfSmall(t *testing.T) {
	for _, e := range expressions {
		p, err := CompilePattern(e.expr)
		if err != nil {
			t.Fatalf("%q: %v", e.expr, err)
		}
		if got := p.table != nil; got != e.table {
			t.Errorf("%.40q runs as a table: %v", e.expr, got)
		}
	}
	if _, err := CompilePattern(`a(`); err == nil {
		t.Error("a( compiles")
	}
}

func TestPatternAgreesWithRegexp(t *testing.T) {
	parts := []string{"a", "b", "c", "ab", "K", "\u212a", "s", "ſ", "å", "Ä", "ö", "7", "+46", "1234567", "-", "\n", " ", "Ω", "\xff", "\xc3", "\uFFFD", "👍"}
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, e := range expressions {
		p, err := CompilePattern(e.expr)
		if err != nil {
			t.Fatal(err)
		}
		for range 2000 {
			var b strings.Builder
			for range rnd.IntN(8) {
				b.WriteString(parts[rnd.IntN(len(parts))])
			}
			if got, want := p.Match([]byte(b.String())), p.re.MatchString(b.String()); got != want {
				t.Fatalf("%q on %q: got %v, want %v", e.expr, b.String(), got, want)
			}
		}
	}
}

func TestPatternOfThePhoneNumber(t *testing.T) {
	p, err := CompilePattern(`^\+?1?\d{7,15}$`)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]bool{
		"+46701740605": true, "1234567": true, "11234567": true, "1123456789012345": true,
		"123456": false, "12345678901234567": false, "08-123 45": false, "+46701740605\n": false, "١٢٣٤٥٦٧": false, "": false,
	} {
		if got := p.Match([]byte(in)); got != want {
			t.Errorf("%q: got %v", in, got)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, e := range expressions {
		f.Add(e.expr, []byte("abåK\n7"))
	}
	f.Fuzz(func(t *testing.T, expr string, v []byte) {
		if len(expr) > 100 {
			t.Skip("the time goes into package regexp")
		}
		re, err := regexp.Compile(expr)
		p, perr := CompilePattern(expr)
		if (err == nil) != (perr == nil) {
			t.Fatalf("%q: %v, package regexp says %v", expr, perr, err)
		}
		if err == nil && p.Match(v) != re.Match(v) {
			t.Fatalf("%q on %q: got %v, table %v", expr, v, p.Match(v), p.table != nil)
		}
	})
}

func BenchmarkCompilePattern(b *testing.B) {
	for b.Loop() {
		if _, err := CompilePattern(`^\+?1?\d{7,15}$`); err != nil {
			b.Fatal(err)
		}
	}
}
