package mappings

import (
	"html"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"flytt/mappings/format"
)

// Comparison names the forms in which the texts of a field are compared, applied in
// order. Two texts that are equal in that form are one value to an import, because the
// API stores one for the other. None: texts are compared as they are.
type Comparison []string

// compareForm is one form: its name, its meaning, and the function that converts a
// text. A text that would become empty stays as it is; otherwise it would be equal to
// every other such text.
type compareForm struct {
	name  string
	means string
	apply func(text string) string
}

var compareForms = []compareForm{
	{"trim", "without white space at both ends", strings.TrimSpace},
	{"collapse", "each run of white space as one space, none at both ends", converted(collapse)},
	{"lower", "in lower case", converted(eachRune(unicode.ToLower))},
	// Not by single characters, as the conversion does: servers make STRASSE of Straße.
	{"upper", "in upper case", func(text string) string { return cases.Upper(language.Und).String(text) }},
	{"nfc", "in Unicode form NFC: é is one character or two", norm.NFC.String},
	{"nfkc", "in Unicode form NFKC: full-width letters and ligatures are plain ones, too", norm.NFKC.String},
	{"digits", "its digits alone; a text without any as it is", orSame(converted(digits))},
	{"dashes", "without dashes", orSame(withoutDashes)},
	{"zeros", "without leading zeros", withoutZeros},
	{"e164", "as a phone number with its country: 070-174 06 05, 46701740605 and +46701740605 are one", e164},
	{"html", "with HTML entities as what they stand for: &amp; is &", withoutEntities},
}

// CompareForms returns the names of the forms in which texts can be compared.
func CompareForms() []string {
	names := make([]string, len(compareForms))
	for i := range compareForms {
		names[i] = compareForms[i].name
	}
	return names
}

// formOf returns the form called name, or nil.
func formOf(name string) *compareForm {
	i := slices.IndexFunc(compareForms, func(f compareForm) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &compareForms[i]
}

// UnknownForm returns the first name that is not that of a form, if there is one.
func (c Comparison) UnknownForm() (name string, unknown bool) {
	for _, name := range c {
		if formOf(name) == nil {
			return name, true
		}
	}
	return "", false
}

// Form converts text to the form in which it is compared. Unknown forms are ignored.
func (c Comparison) Form(text string) string {
	for _, name := range c {
		if f := formOf(name); f != nil {
			text = f.apply(text)
		}
	}
	return text
}

// String returns the names of the forms: collapse, lower.
func (c Comparison) String() string { return strings.Join(c, ", ") }

// UnmarshalYAML reads the name of one form, or a list of names.
func (c *Comparison) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*c = Comparison{one}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*c = list
	return nil
}

// compareKey reads the key of a descriptor: the name of one form, or a list of names.
func compareKey(f *yamlFile, n ast.Node, into *Field) (err error) {
	if _, list := n.(*ast.SequenceNode); list {
		into.Compare, err = f.texts(n, "compare")
		return err
	}
	one, err := f.text(n, "compare")
	into.Compare = Comparison{one}
	return err
}

// converted returns a conversion as a function of texts.
func converted(convert converter) func(string) string {
	return func(text string) string { return string(convert(&call{}, []byte(text))) }
}

// orSame returns form, changed to leave a text as it is if it would become empty.
func orSame(form func(string) string) func(string) string {
	return func(text string) string {
		if short := form(text); short != "" {
			return short
		}
		return text
	}
}

// withoutZeros returns text without leading zeros; if there are only zeros, one stays.
func withoutZeros(text string) string {
	if text != "" && strings.Trim(text, "0") == "" {
		return "0"
	}
	return strings.TrimLeft(text, "0")
}

func withoutDashes(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, text)
}

// e164 returns a phone number in E.164; a number without a country is Swedish. What is
// not a valid number stays as it is, except for white space at both ends.
func e164(text string) string {
	text = strings.TrimSpace(text)
	for _, number := range []string{text, "+" + text} { // an API may leave the plus sign out
		if valid, ok := format.AppendPhone(nil, []byte(number), "SE"); ok {
			return string(valid)
		}
	}
	return text
}

// withoutEntities returns text without HTML entities, in two steps: a text that has them
// may have been escaped once more by the API.
func withoutEntities(text string) string { return html.UnescapeString(html.UnescapeString(text)) }
