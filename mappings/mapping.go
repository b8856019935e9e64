package mappings

import (
	"slices"

	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/goccy/go-yaml/token"
)

// Mapping says how the columns of an input become the fields of a resource.
// ParseMapping reads it from a mapping file, AutoMapping guesses it from the headers,
// and Compile binds it to an input.
type Mapping struct {
	Resource string // the resource it is for; empty: any
	Input    Input
	Fields   []Rule                              // in the order of the file, which is the order of the output
	Where    string                              // expression; rows for which it is false are left out
	Key      string                              // the field that identifies a row; empty: the resource's own
	Severity map[pipeline.Code]pipeline.Severity // Error or Warning, by code

	file  *yamlFile               // what it was read from; nil: no file
	marks map[string]*token.Token // where each part stands in file, by path: fields/name/from/0
}

// Input says how the input is to be read, as far as that is not to be detected.
type Input struct {
	Encoding  string   // utf-8, windows-1252, …; empty: detected
	Delimiter string   // one character; empty: detected
	Sheet     string   // of a workbook; empty: the first
	HeaderRow int      // line or sheet row of the header, from 1; 0: detected
	Nulls     []string // words that mean no value; an empty cell always does
	Trim      *bool    // remove white space around cells; nil: yes
}

// Rule says where the value of one field comes from. Exactly one of From, Const and
// Expr is set. The value goes through Apply, then through Lookup; if there is no value
// at the end, Default is used.
type Rule struct {
	Field   string       // name, or external_client.id
	From    []string     // input columns; the first that is not empty counts
	Const   *string      // the same value for every row
	Expr    string       // an expression over col["…"]
	Apply   []Conversion // in order
	Lookup  *TableLookup
	Default *string
}

// Conversion is a use of a conversion: personnummer(dash).
type Conversion struct {
	Name   string
	Args   []string
	Table  []Replacement // of replace
	Strict bool          // of replace and regex: a value that nothing matches is a problem
}

// Replacement is one row of the table of replace. A nil To is no value.
type Replacement struct {
	From string
	To   *string
}

// TableLookup replaces a value by the one that a CSV file has for it.
type TableLookup struct {
	File  string // relative to the mapping file
	Key   string // column that holds the values
	Value string // column that holds the replacements
}

// mark records where the part with the given path stands.
func (m *Mapping) mark(path string, at *token.Token) { m.marks[path] = at }

// faults returns an empty collection of faults of m.
func (m *Mapping) faults() *faults {
	if m.file == nil {
		return &faults{file: &yamlFile{name: "mapping"}}
	}
	return &faults{file: m.file}
}

// TrimCells reports whether white space around cells is removed.
func (i *Input) TrimCells() bool { return i.Trim == nil || *i.Trim }

// IdentityRules returns the rules of identity numbers for the rows of this mapping: the
// given rules, with interim numbers allowed if one of its conversions allows them.
func (m *Mapping) IdentityRules(rules identity.Rules) identity.Rules {
	for i := range m.Fields {
		for _, c := range m.Fields[i].Apply {
			if slices.Contains(c.Args, "interim") {
				rules.AllowInterim = true
			}
		}
	}
	return rules
}
