package sandbox

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"flytt/internal/text"
)

// Rewrite is one way in which the server stores a text field in another form than it
// was sent in. The zero value changes nothing.
type Rewrite struct {
	text  string
	field string
	apply func(text string) string
}

// ParseRewrite reads a rewriting, which is written FIELD:WHAT or
// FIELD:WHAT=ARG: custom_id:upper, name:truncate=20. FIELD is a text field of a
// resource; WHAT is one of those that RewriteHelp lists.
func ParseRewrite(text string) (Rewrite, error) {
	field, what, ok := strings.Cut(text, ":")
	if !ok || field == "" || what == "" {
		return Rewrite{}, errors.New("rewrite: not of the form FIELD:WHAT")
	}
	apply, err := parseRewriting(what)
	if err != nil {
		return Rewrite{}, fmt.Errorf("rewrite %s: %w", field, err)
	}
	return Rewrite{text: text, field: field, apply: apply}, nil
}

// MustParseRewrites parses rewritings. It panics if one is invalid: for tests.
func MustParseRewrites(texts ...string) []Rewrite { return mustParse(ParseRewrite, texts) }

// String returns the rewriting as it was parsed.
func (r Rewrite) String() string { return r.text }

// rewriting is a WHAT: its name, its argument, and what it makes of a text.
type rewriting struct {
	name  string
	arg   string // what the help calls the argument; empty: there is none
	does  string
	parse func(arg string) (func(text string) string, error)
}

// rewritings is the table of WHATs.
var rewritings = []rewriting{
	{"collapse", "", "white space between words becomes one space", always(collapse)},
	{"trim", "", "white space at both ends is removed", always(strings.TrimSpace)},
	{"nfc", "", "Unicode form NFC", always(norm.NFC.String)},
	{"nfkc", "", "Unicode form NFKC", always(norm.NFKC.String)},
	{"lower", "", "lower case", always(strings.ToLower)},
	{"upper", "", "upper case", always(strings.ToUpper)},
	{"escape", "", `& < > " ' become HTML entities`, always(html.EscapeString)},
	{"strip-zeros", "", "leading zeros are removed, but for the last character", always(stripZeros)},
	{"strip-dashes", "", "dashes are removed", always(stripDashes)},
	{"truncate", "N", "only the first N characters are kept", parseTruncate},
	{"prefix", "TEXT", "TEXT is put before it", parsePrefix},
	{"phone-national", "", "+46701740605 becomes 0701740605", always(nationalPhone)},
	{"phone-bare", "", "+46701740605 becomes 46701740605", always(barePhone)},
}

// RewriteHelp describes the WHATs, one a line.
func RewriteHelp() string {
	var b strings.Builder
	for _, r := range rewritings {
		fmt.Fprintf(&b, "  %-20s %s\n", r.usage(), r.does)
	}
	return b.String()
}

func (r *rewriting) usage() string {
	if r.arg == "" {
		return r.name
	}
	return r.name + "=" + r.arg
}

// parseRewriting reads a WHAT.
func parseRewriting(what string) (func(string) string, error) {
	name, arg, given := strings.Cut(what, "=")
	names := make([]string, len(rewritings))
	for i, r := range rewritings {
		names[i] = r.name
		switch {
		case r.name != name:
			continue
		case r.arg == "" && given:
			return nil, fmt.Errorf("%s takes no argument", name)
		case r.arg != "" && arg == "":
			return nil, fmt.Errorf("%s needs an argument: %s", name, r.usage())
		}
		apply, err := r.parse(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.usage(), err)
		}
		return apply, nil
	}
	return nil, unknown("rewriting", name, names)
}

// unknown returns the error of a name that is none of names. It shows the nearest name,
// or all of them if none is near.
func unknown(kind, name string, names []string) error {
	return fmt.Errorf("unknown %s %q: %s", kind, name, text.DidYouMean(name, names, "use "+text.OneOf(names)))
}

// always makes the parser of a rewriting without an argument.
func always(apply func(string) string) func(string) (func(string) string, error) {
	return func(string) (func(string) string, error) { return apply, nil }
}

// collapse makes one space of each run of white space between words. White
// space at the ends stays.
func collapse(text string) string {
	core := strings.TrimSpace(text)
	if core == "" {
		return text
	}
	start := len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
	return text[:start] + strings.Join(strings.Fields(core), " ") + text[start+len(core):]
}

// stripZeros removes leading zeros as a number without them does: 000 becomes 0.
func stripZeros(text string) string {
	stripped := strings.TrimLeft(text, "0")
	if stripped == "" && text != "" {
		return "0"
	}
	return stripped
}

func stripDashes(text string) string { return strings.ReplaceAll(text, "-", "") }

func parseTruncate(arg string) (func(string) string, error) {
	n, err := positive(arg)
	return func(text string) string {
		if utf8.RuneCountInString(text) <= n {
			return text
		}
		return string([]rune(text)[:n])
	}, err
}

func parsePrefix(arg string) (func(string) string, error) {
	if !utf8.ValidString(arg) || strings.ContainsRune(arg, 0) {
		return nil, errors.New("not a text in UTF-8")
	}
	return func(text string) string { return arg + text }, nil
}

// nationalPhone writes a phone number as it is dialled within its country, in
// digits alone. What is no phone number stays as it is.
func nationalPhone(text string) string {
	number, err := phonenumbers.Parse(text, "SE")
	if err != nil {
		return text
	}
	return phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(number, phonenumbers.NATIONAL))
}

// barePhone leaves out the plus sign before the country's code.
func barePhone(text string) string { return strings.TrimPrefix(text, "+") }
