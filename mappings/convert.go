package mappings

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"flytt/mappings/identity"
)

// converter changes one value. It gets a value that is not empty and returns v itself,
// a part of it, bytes appended to c.buf, or nothing for no value. It keeps no state, so
// that workers can share it.
type converter func(c *call, v []byte) []byte

// call is what a converter may use for one value. There is one for each place in a
// chain, so that a result stays valid until the next row.
type call struct {
	*noter
	buf []byte
}

// conversion is one entry of the table of conversions.
type conversion struct {
	name  string
	form  string // how it is written
	help  string
	build func(c Conversion, o *conversionOptions) (converter, error)
}

// conversionOptions are what conversions depend on besides their arguments.
type conversionOptions struct {
	identity identity.Rules
	format   string // of the field the value goes to
}

const joinName = "join"

// conversions is every conversion there is, in the order they are documented.
// To add one, write its function and a line here.
var conversions = []conversion{
	{"trim", "trim, trim(characters)", "takes white space, or the characters, away at both ends", buildTrim},
	{"collapse", "collapse", "makes one space of every run of white space and takes it away at both ends", noArguments(collapse)},
	{"upper", "upper", "upper case, å ä ö included", noArguments(eachRune(unicode.ToUpper))},
	{"lower", "lower", "lower case, Å Ä Ö included", noArguments(eachRune(unicode.ToLower))},
	{"digits", "digits", "keeps the digits 0 to 9 only", noArguments(digits)},
	{"replace", "{replace: {from: to}}, {replace: {from: to}, strict: true}", "replaces a whole value by the table; null means no value; one not in the table stays as it is, with strict it is value_table", buildReplace},
	{"regex", "regex(pattern), regex(pattern, replacement)", "with a pattern (RE2) the first group of the first match, or the match; with a replacement, every match replaced ($1 is a group); a value that does not match stays as it is, with strict it is no_match", buildRegex},
	{"split", "split(separator, index)", "the part with that index between separators, from 0, or from the end with -1; no value if there are fewer", buildSplit},
	{joinName, "join, join(separator)", "the values of all columns of from that have one, with the separator (a space) between; comes first", buildJoin},
	{"date", "date(layout, …)", "a date in the first layout that fits, to YYYY-MM-DD; layouts are written with YYYY, YY, MM, M, DD, D, MMM (month name, Swedish or English), HH, mm, ss", buildDate},
	{"personnummer", "personnummer, personnummer(dash, pivot=30, reject_century, interim)", "a personnummer to twelve digits, with dash to YYYYMMDD-NNNN; pivot=30 puts years without a century into 1930 to 2029, reject_century turns them away, interim allows a letter", buildPersonnummer},
	{"organisationsnummer", "organisationsnummer, organisationsnummer(dash)", "an organisationsnummer or VAT number to ten digits, with dash to NNNNNN-NNNN", buildOrganisationsnummer},
	{"phone", "phone, phone(region)", "a phone number to E.164; region is where numbers without a country code are dialled, SE unless given", buildPhone},
	{"email", "email", "takes mailto: and white space around an address away and makes its domain lower case", noArguments(email)},
}

// ConversionInfo documents a conversion for people.
type ConversionInfo struct {
	Name string
	Form string // how it is written in apply
	Help string // what it does, as a phrase
}

// Conversions documents every conversion.
func Conversions() []ConversionInfo {
	infos := make([]ConversionInfo, len(conversions))
	for i, c := range conversions {
		infos[i] = ConversionInfo{c.name, c.form, c.help}
	}
	return infos
}

// ConversionNames returns the names of all conversions.
func ConversionNames() []string {
	names := make([]string, len(conversions))
	for i, c := range conversions {
		names[i] = c.name
	}
	return names
}

func findConversion(name string) *conversion {
	for i := range conversions {
		if conversions[i].name == name {
			return &conversions[i]
		}
	}
	return nil
}

func (c *conversion) hint() string { return "it is written " + c.form }

var errArguments = errors.New("wrong number of arguments")

// noArguments is the build function of a conversion that takes none.
func noArguments(convert converter) func(Conversion, *conversionOptions) (converter, error) {
	return func(c Conversion, _ *conversionOptions) (converter, error) {
		return convert, c.plain(0, 0)
	}
}

// plain returns an error unless c has from to to arguments and neither a table nor
// strict.
func (c *Conversion) plain(from, to int) error {
	switch {
	case c.Table != nil:
		return errors.New("a table of values is for replace")
	case c.Strict:
		return errors.New("strict is for replace and regex")
	case len(c.Args) < from || len(c.Args) > to:
		return errArguments
	}
	return nil
}

// options passes every argument, split at its equals sign, to set, which reports
// whether the argument is valid.
func (c *Conversion) options(set func(name, value string) bool) error {
	seen := map[string]bool{}
	for _, arg := range c.Args {
		name, value, _ := strings.Cut(arg, "=")
		if seen[name] || !set(name, value) {
			return fmt.Errorf("unknown, repeated or wrong argument %q", arg)
		}
		seen[name] = true
	}
	return nil
}
