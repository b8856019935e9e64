package mappings_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"flytt/mappings"
)

func TestTextsThatAreOneValueInAForm(t *testing.T) {
	for _, c := range []struct {
		forms string
		same  string // texts that are one value, with | between them
		other string // a text that is another
	}{
		{"trim", "Åsa Ek| Åsa Ek |\u00a0Åsa Ek\t", "Åsa  Ek"},
		{"collapse", "Åsa Ek|Åsa  Ek| Åsa\u00a0\tEk ", "ÅsaEk"},
		{"lower", "asa@example.com|ASA@Example.com|Asa@example.COM", "åsa@example.com"},
		{"lower", "ÅÄÖ|åäö", "aao"},
		{"upper", "Weiß|WEISS|weiss", "Weis"},
		{"nfc", "Ren\u00e9|Rene\u0301", "Rene"},
		{"nfkc", "Ren\u00e9|Rene\u0301|Ｒené", "René²"},
		{"digits", "556016-0680|5560160680| 556016 0680", "556016-0681"},
		{"digits", "abc|abc", "def"},
		{"dashes", "Anna-Karin|AnnaKarin|Anna\u2013Karin", "Anna Karin"},
		{"dashes", "-|-", "--"},
		{"zeros", "007|7|07", "70"},
		{"zeros", "0|00|000", "1"},
		{"e164", "+46701740605|070-174 06 05|46701740605|0046701740605|701740605", "+46701740606"},
		{"e164", "+4540405060|4540405060| +45 40 40 50 60", "40405060"},
		{"e164", "not a number| not a number", "a number"},
		{"html", "R&B|R&amp;B|R&amp;amp;B", "R & B"},
		{"html", "<a> \"b\" 'c'|&lt;a&gt; &#34;b&#34; &#39;c&#39;", "<a>"},
		{"collapse, lower", "Åsa Ek| ÅSA  EK ", "Åsa-Ek"},
		{"digits, zeros", "00-12|12|0012", "120"},
		{"", "a|a", "A"},
	} {
		forms := mappings.Comparison(strings.FieldsFunc(c.forms, func(r rune) bool { return r == ',' || r == ' ' }))
		texts := strings.Split(c.same, "|")
		for _, text := range texts {
			if got, want := forms.Form(text), forms.Form(texts[0]); got != want {
				t.Errorf("%s: %q is %q, and %q is %q", c.forms, text, got, texts[0], want)
			}
		}
		if forms.Form(c.other) == forms.Form(texts[0]) {
			t.Errorf("%s: %q is taken for %q", c.forms, c.other, texts[0])
		}
	}
}

// Texts that have nothing in common are not one value in any form, however little of
// them it leaves.
func TestFormsDoNotEmptyTexts(t *testing.T) {
	texts := []string{"abc", "-", "--", "0", "00", "٣", "é", "&amp;", "+", "070"}
	for _, form := range mappings.CompareForms() {
		for _, a := range texts {
			if mappings.Comparison([]string{form}).Form(a) == "" {
				t.Errorf("%s leaves nothing of %q", form, a)
			}
		}
	}
}

// What a form makes of a text is in that form: the API may store it just so.
func FuzzFormOfAForm(f *testing.F) {
	for _, text := range []string{"", " Åsa  Ek ", "070-174 06 05", "4540405060", "R&amp;amp;B", "Weiß ς İ ŉ", "00-0", "Ｒené", "\xff", "+46 (0)8 123 456 78"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range mappings.CompareForms() {
			if name == "html" { // of entities within entities within entities there are some left
				continue
			}
			form := mappings.Comparison{name}
			once := form.Form(text)
			if twice := form.Form(once); twice != once {
				t.Errorf("%s: %q is %q, and that is %q", name, text, once, twice)
			}
		}
	})
}

func TestComparisonIsOneFormOrAList(t *testing.T) {
	var got map[string]mappings.Comparison
	if err := yaml.Unmarshal([]byte("a: lower\nb: [collapse, upper]\nc: []\n"), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]mappings.Comparison{"a": {"lower"}, "b": {"collapse", "upper"}, "c": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a: {lower: upper}", "a: [[lower]]"} {
		if err := yaml.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestCompareOfADescriptor(t *testing.T) {
	for _, field := range []string{"name: x\ntype: string\ncompare: lower", "name: x\ntype: string\ncompare: [collapse, lower]"} {
		r, err := mappings.ParseResource("d.yaml", []byte(descriptorOf(field)))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := mappings.Describe(&out, r); err != nil {
			t.Fatal(err)
		}
		compare := r.Field("x").Compare
		if want := "compared as " + compare.String(); len(compare) == 0 || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "in lower case") {
			t.Errorf("%q: %q is not in\n%s", field, want, &out)
		}
	}
}

func TestCompareOfTheKeyIsRefused(t *testing.T) {
	_, err := mappings.ParseResource("d.yaml", []byte("key: x\n"+descriptorOf("name: x\ntype: string\ncompare: lower")))
	checkFault(t, err, "d.yaml:10:14: x is the key: records are looked up by its exact text, so it cannot be compared in another form")
}

// The documentation has every form in which texts are compared.
func TestFormsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/changing-records.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| form | texts are compared |")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("there is no table of forms")
	}
	for _, form := range mappings.CompareForms() {
		if !strings.Contains(table, "`"+form+"`") {
			t.Errorf("form %s is not in the table", form)
		}
	}
}
