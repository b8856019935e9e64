package sandbox

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Lookup says which texts the filters of a list treat as equal: field=value,
// field__in=value,… and field__iexact=value. The other filters, and unique fields,
// compare texts as they are stored.
type Lookup struct {
	Case    LookupCase
	Space   LookupSpace
	Unicode LookupUnicode
}

// LookupCase says whether filters for equality regard case.
type LookupCase uint8

const (
	CaseSensitive   LookupCase = iota // k1 is not K1
	CaseInsensitive                   // it is
)

// LookupSpace says how filters for equality regard white space.
type LookupSpace uint8

const (
	SpaceExact    LookupSpace = iota // each character counts
	SpaceCollapse                    // runs of it are one space, at the ends none
)

// LookupUnicode says in which Unicode form filters for equality compare.
type LookupUnicode uint8

const (
	UnicodeExact LookupUnicode = iota // as stored and as asked for
	UnicodeNFC                        // both in NFC
)

func (LookupCase) names() []string    { return []string{"sensitive", "insensitive"} }
func (LookupSpace) names() []string   { return []string{"exact", "collapse"} }
func (LookupUnicode) names() []string { return []string{"exact", "nfc"} }

// folding makes texts equal that differ in one way only.
type folding struct {
	function string // its name in SQL
	fold     func(text string) string
}

var (
	foldUnicode = folding{"flytt_nfc", norm.NFC.String}
	foldSpace   = folding{"flytt_collapse", func(text string) string { return strings.Join(strings.Fields(text), " ") }}
	foldCase    = folding{foldName, fold}
)

// foldings lists all of them.
var foldings = []folding{foldUnicode, foldSpace, foldCase}

// foldings returns those that l asks for, in the order in which they apply.
func (l Lookup) foldings() []folding {
	var all []folding
	if l.Unicode == UnicodeNFC {
		all = append(all, foldUnicode)
	}
	if l.Space == SpaceCollapse {
		all = append(all, foldSpace)
	}
	if l.Case == CaseInsensitive {
		all = append(all, foldCase)
	}
	return all
}

// filter returns how a filter folds both its sides, and the operator that
// compares them then. A filter that l does not concern folds nothing.
func (l Lookup) filter(f *field, operator string) (fold []folding, folded string) {
	if l == (Lookup{}) || f.Type != "string" {
		return nil, operator
	}
	switch operator {
	case "iexact":
		l.Case = CaseInsensitive
		return l.foldings(), ""
	case "", "in":
		return l.foldings(), operator
	}
	return nil, operator
}

// folded returns a condition on a text field with both sides folded, which no
// index serves.
func (c condition) folded(f *field, all []folding) condition {
	column := f.column
	for _, each := range all {
		column = each.function + "(" + column + ")"
	}
	args := make([]any, len(c.args))
	for i, arg := range c.args {
		text := arg.(string) // what a text field is compared with
		for _, each := range all {
			text = each.fold(text)
		}
		args[i] = text
	}
	return condition{sql: strings.ReplaceAll(c.sql, f.column, column), args: args, field: -1}
}
