package format_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"flytt/mappings/format"

	"golang.org/x/net/idna"
)

func expect(t *testing.T, name string, check func([]byte) bool, valid, invalid []string) {
	t.Helper()
	for _, v := range valid {
		if !check([]byte(v)) {
			t.Errorf("%s turns %q away", name, v)
		}
	}
	for _, v := range append(invalid, "") {
		if check([]byte(v)) {
			t.Errorf("%s lets %q pass", name, v)
		}
	}
}

func label(n int) string { return strings.Repeat("a", n) }

func TestEmail(t *testing.T) {
	expect(t, "Email", format.Email, []string{
		"anna@example.se", "Anna.Andersson+flytt@mail.example.SE", "a@b.se", "!#$%&'*+/=?^_`{}|~-@example.se",
		"weirder-email@here.and.there.com", "a@localhost", "anna@exämple.se", "anna@例え.jp",
		`"a@b"@example.se`, `""@example.se`, `"\a"@example.se`, `"\` + "\t" + `"@example.se`, "\"\x01\x7f\"@example.se",
		"a@[127.0.0.1]", "a@[2001:dB8::1]", "a@[::fFfF:127.0.0.1]",
		"a@" + label(63) + ".se", "a@a." + label(63), "a@a.b-b.cc", "a@1.22", "a@a.-c",
		label(64) + "@" + strings.Repeat(label(63)+".", 3) + label(63), label(312) + "@mail.se",
	}, []string{
		"not-an-email", "@", "a@", "@example.se", "a@b", "a@b.", "a@.se", "a@b..se", "a b@example.se", "a@ex ample.se",
		"a@example.se ", " a@example.se", "a@example.se\n", ".a@example.se", "a.@example.se", "a..b@example.se",
		"åsa@example.se", "a@-b.se", "a@b-.se", "a@b.se-", "a@b.s", "a@b_b.se", "a,b@example.se", "a@LOCALHOST",
		"Anna <anna@example.se>", "anna@example.se;erik@example.se", "a@b@example.se", "\u212Aa@example.se",
		`"a@example.se`, `a"@example.se`, `"a"b@example.se`, `"\"@example.se`, "\"\\\n\"@example.se", `"a b"@example.se`,
		"a@[127.0.0.256]", "a@[127.0.0.01]", "a@[::1%eth0]", "a@[]", "a@[", "a@[1::2::3]", "a@127.0.0.1]", "a@[127.0.0.1].se",
		"a@" + label(64) + ".se", "a@a." + label(64), "a@\xff.se", "a@ä..se", "a@ä", label(313) + "@mail.se",
	})
}

// Django's EmailValidator, its patterns as they stand but for what package
// regexp lacks: the look-behind is a last character of its own.
var (
	djangoUser = regexp.MustCompile(`^[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_` + "`" + `{}|~0-9A-Za-z]+)*$` +
		`|^"([\x01-\x08\x0b\x0c\x0e-\x1f!#-\[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$`)
	djangoDomain  = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{1,62}[A-Za-z0-9]$`)
	djangoLiteral = regexp.MustCompile(`^\[([A-Fa-f0-9:.]+)\]$`)
	djangoIDN     = idna.New(idna.MapForLookup(), idna.StrictDomainName(false))
)

func djangoEmail(v string) bool {
	at := strings.LastIndex(v, "@")
	if at < 0 || utf8.RuneCountInString(v) > 320 || !djangoUser.MatchString(v[:at]) {
		return false
	}
	domain := v[at+1:]
	if domain == "localhost" || djangoDomainPart(domain) {
		return true
	}
	encoded, err := djangoIDN.ToASCII(domain)
	return err == nil && utf8.ValidString(domain) && djangoDomainPart(encoded)
}

func djangoDomainPart(domain string) bool {
	if djangoDomain.MatchString(domain) {
		return true
	}
	m := djangoLiteral.FindStringSubmatch(domain)
	if m == nil {
		return false
	}
	_, err := netip.ParseAddr(m[1])
	return err == nil
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"anna@example.se", `"a\"b"@[::1]`, "a@localhost", "a@b-c.ü.se", "a.b@c", "a@[1.2.3.4]", "a@-b.cc", "a@xn--a.se"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		if got, want := format.Email(v), djangoEmail(string(v)); got != want {
			t.Fatalf("%q: got %v, Django says %v", v, got, want)
		}
	})
}

// TestEmailAgreesWithDjango tries random strings of the characters that matter.
func TestEmailAgreesWithDjango(t *testing.T) {
	parts := []string{"a", "Z", "0", ".", ".", "@", "@", "-", "-", "\"", "\\", " ", "\t", "[", "]", ":", "1", "se", "ä", "_", "\x7f", label(61), "localhost"}
	rnd := rand.New(rand.NewPCG(3, 4))
	templates := [][]string{{""}, {"", "", "", ""}, {"a", "@a", ".se"}, {"a", "b@", "a.", ".cc"}, {`"`, `"@a.se`}, {"a@[1.2.3.4", "]"}}
	valid := 0
	for range 100_000 {
		var b strings.Builder
		some := func(n int) {
			for range rnd.IntN(n) {
				b.WriteString(parts[rnd.IntN(len(parts))])
			}
		}
		for _, part := range templates[rnd.IntN(len(templates))] {
			b.WriteString(part)
			some(3)
		}
		want := djangoEmail(b.String())
		if got := format.Email([]byte(b.String())); got != want {
			t.Fatalf("%q: got %v, Django says %v", b.String(), got, want)
		}
		if want {
			valid++
		}
	}
	if valid < 1000 {
		t.Errorf("only %d of the strings are valid", valid)
	}
}

func TestUUID(t *testing.T) {
	expect(t, "UUID", format.UUID, []string{
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "00000000-0000-0000-0000-000000000000",
	}, []string{
		"6ba7b8109dad11d180b400c04fd430c8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810-9dad-11d1-80b4-00c04fd430cg", "6ba7b810-9dad-11d1-80b4_00c04fd430c8",
		"6ba7b810-9dad-11d1-80b-400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", "6ba7b810-9dad-11d1-80b4-00c04fd430å",
	})
}

func TestDate(t *testing.T) {
	expect(t, "Date", format.Date, []string{"2026-06-15", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"}, []string{
		"2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31", "0000-01-01",
		"26-06-15", "2026-6-15", "20260615", "2026/06/15", "2026-06-15T00:00:00Z", "15-06-2026", "2026-06-1x", "+026-06-15",
	})
}

func TestDateTime(t *testing.T) {
	expect(t, "DateTime", format.DateTime, []string{
		"2026-06-15T12:34:56Z", "2026-06-15T12:34:56.7Z", "2026-06-15T12:34:56.123456789+02:00", "2024-02-29T23:59:59-23:59",
	}, []string{
		"2026-06-15", "2026-06-15T12:34:56", "2026-06-15 12:34:56Z", "2026-06-15t12:34:56z", "2026-06-15T12:34Z",
		"2026-06-15T24:00:00Z", "2026-06-15T12:60:00Z", "2026-06-15T12:34:60Z", "2026-06-15T12:34:56.Z", "2026-06-15T12:34:56,5Z",
		"2026-02-29T12:34:56Z", "2026-06-15T12:34:56+0200", "2026-06-15T12:34:56+24:00", "2026-06-15T12:34:56+02:60",
		"2026-06-15T12:34:56+02", "2026-06-15T12:34:56ZZ", "2026-06-15T1:34:56Z00",
	})
}

// rfc3339 is the form, which package time takes less strictly.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// FuzzDateTime holds Date and DateTime against package time, which allows the
// year 0 too.
func FuzzDateTime(f *testing.F) {
	for _, s := range []string{"2026-06-15T12:34:56Z", "2026-06-15T12:34:56.123+02:00", "2026-02-29", "2024-02-29"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		yearZero := bytes.HasPrefix(v, []byte("0000"))
		_, err := time.Parse(time.RFC3339, string(v))
		want := err == nil && rfc3339.Match(v) && !yearZero
		if got := format.DateTime(v); got != want {
			t.Fatalf("DateTime(%q) is %v, package time says %v", v, got, want)
		}
		_, err = time.Parse(time.DateOnly, string(v))
		if got, want := format.Date(v), err == nil && !yearZero; got != want {
			t.Fatalf("Date(%q) is %v, package time says %v", v, got, want)
		}
	})
}

func TestGLN13(t *testing.T) {
	expect(t, "GLN13", format.GLN13, []string{"7300009000005", "5901234123457", "4006381333931"}, []string{
		"7300009000004", "730000900000", "73000090000050", "730000900000x", "3700009000005",
	})
}

func TestNumbers(t *testing.T) {
	expect(t, "Integer", format.Integer, []string{"0", "-1", "10", "123456789012345678901234567890", "-0"},
		[]string{"-", "+1", "01", "-01", "1.0", "1e3", " 1", "1 ", "1,000", "١", "x"})
	expect(t, "Number", format.Number, []string{"0", "-1.5", "1e3", "1E-3", "0.10", "-0.0e+00"},
		[]string{"-", "+1", ".5", "1.", "1.e3", "01.5", "1,5", "1e", "1e+", "NaN", "Infinity", "0x10", "1e3 ", "x"})
	expect(t, "Boolean", format.Boolean, []string{"true", "false"}, []string{"True", "1", "0", "ja", "true "})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-12.5e3", "1E+3", "01", "1.", "true"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		bare := len(v) > 0 && !bytes.ContainsAny(v, " \t\r\n")
		want := bare && json.Valid(v) && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
		if got := format.Number(v); got != want {
			t.Fatalf("Number(%q) is %v, package json says %v", v, got, want)
		}
		if got, want := format.Integer(v), want && !bytes.ContainsAny(v, ".eE"); got != want {
			t.Fatalf("Integer(%q) is %v, want %v", v, got, want)
		}
	})
}

func TestLength(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "a": 1, "Åsa": 3, "twelve chars": 12, "tolv tecken ä": 13, "ååååååååååå": 11, "👍🏽": 2, "\xff\xfe": 2, "12345678\xff": 9,
	} {
		if got := format.Length([]byte(in)); got != want || got != utf8.RuneCountInString(in) {
			t.Errorf("%q is %d characters long, want %d", in, got, want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	p, err := format.CompilePattern(`^\+?1?\d{7,15}$`)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 32)
	for _, in := range []string{"anna@example.se", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "+46701740605", "2026-06-15T12:34:56Z", "Åsa Öberg", ""} {
		v := []byte(in)
		if n := testing.AllocsPerRun(100, func() {
			format.Email(v)
			format.UUID(v)
			format.DateTime(v)
			format.GLN13(v)
			format.Number(v)
			format.Length(v)
			p.Match(v)
			if len(v) > 0 && v[0] == '+' {
				format.AppendPhone(buf, v, "SE")
			}
		}); n != 0 {
			t.Errorf("%q: %v allocations", in, n)
		}
	}
}

func BenchmarkFormat(b *testing.B) {
	phone, err := format.CompilePattern(`^\+?1?\d{7,15}$`)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 32)
	for _, bb := range []struct {
		name, in string
		f        func([]byte)
	}{
		{"Email", "user123456@example.se", func(v []byte) { format.Email(v) }},
		{"UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", func(v []byte) { format.UUID(v) }},
		{"DateTime", "2026-06-15T12:34:56.123Z", func(v []byte) { format.DateTime(v) }},
		{"LengthASCII", "Fastighetsskotare", func(v []byte) { format.Length(v) }},
		{"LengthSwedish", "Fastighetsskötare", func(v []byte) { format.Length(v) }},
		{"Pattern", "+46701234567", func(v []byte) { phone.Match(v) }},
		{"PhonePlain", "070-174 06 05", func(v []byte) { format.AppendPhone(buf, v, "SE") }},
		{"PhoneLibrary", "070.174.06.05", func(v []byte) { format.AppendPhone(buf, v, "SE") }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			v := []byte(bb.in)
			for b.Loop() {
				bb.f(v)
			}
		})
	}
}
