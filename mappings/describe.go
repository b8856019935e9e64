package mappings

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"flytt/internal/text"
	"flytt/pipeline"
)

// Describe writes what r is, its fields with their rules, and the headers that are
// known for them, for a terminal.
func Describe(w io.Writer, r *Resource) error {
	p := &printer{w: w}
	p.printf("%s: %s\n", r.Name, r.DisplayTitle())
	p.printf("path         %s\n", r.Path)
	if r.Key != "" {
		p.printf("key          %s\n", r.Key)
	}
	p.printf("\n")
	p.table([]string{"FIELD", "TYPE", "WRITING", "RULES", "FILTERS"}, len(r.Fields), func(i int) []string {
		f := &r.Fields[i]
		return []string{f.Column(), f.typeName(), f.writing(), strings.Join(f.rules(), "; "), f.filterNames()}
	})
	p.filters(r)
	p.compareForms(r)
	if len(r.Parameters) > 0 {
		p.printf("\nlist parameters: %s\n", strings.Join(r.Parameters, ", "))
	}
	p.aliases(r)
	return p.err
}

// DescribeCodes writes the codes of problems for a terminal: each with its meaning and,
// on the next line, what to do.
func DescribeCodes(w io.Writer, codes []pipeline.CodeInfo) error {
	lines := aligned([]string{"CODE", "STAGE", "SEVERITY", "MEANING"}, len(codes), func(i int) []string {
		c := &codes[i]
		return []string{string(c.Code), c.Stage.String(), c.Severity.String(), text.Meaning(c.Code)}
	})
	p := &printer{w: w}
	p.printf("%s\n", lines[0])
	for i := range codes {
		p.printf("%s\n    %s\n", lines[i+1], text.ReasonOf(codes[i].Code).Fix)
	}
	return p.err
}

// printer writes until the first error, which it keeps.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// table writes n rows below a header, in columns.
func (p *printer) table(header []string, n int, row func(i int) []string) {
	for _, line := range aligned(header, n, row) {
		p.printf("%s\n", line)
	}
}

// aligned returns a header and n rows as lines with their cells in columns.
func aligned(header []string, n int, row func(i int) []string) []string {
	table := [][]string{header}
	for i := range n {
		table = append(table, row(i))
	}
	return text.Columns(table, len(header))
}

// filters lists the operators of the filter sets that r uses.
func (p *printer) filters(r *Resource) {
	used := map[string]bool{}
	for i := range r.Fields {
		used[r.Fields[i].Filters] = true
	}
	heading := "\nfilters, besides equality; each can be negated:\n"
	for _, set := range filterSets {
		if used[set] {
			p.printf("%s  %-9s  %s\n", heading, set, strings.Join(filterOperators[set], ", "))
			heading = ""
		}
	}
}

// compareForms lists the forms that fields of r are compared in.
func (p *printer) compareForms(r *Resource) {
	heading := "\nforms that fields are compared in, before a difference is sent:\n"
	for i := range compareForms {
		form := &compareForms[i]
		if slices.ContainsFunc(r.Fields, func(f Field) bool { return slices.Contains(f.Compare, form.name) }) {
			p.printf("%s  %-9s  %s\n", heading, form.name, form.means)
			heading = ""
		}
	}
}

func (p *printer) aliases(r *Resource) {
	heading := "\nheaders that mean a field:\n"
	for i := range r.Fields {
		f := &r.Fields[i]
		var all []string
		for _, language := range languages {
			all = append(all, f.Aliases[language]...)
		}
		if len(all) > 0 {
			p.printf("%s  %s: %s\n", heading, f.Column(), strings.Join(all, ", "))
			heading = ""
		}
	}
}

func (f *Field) typeName() string {
	if f.To != "" {
		return f.Type + " to " + f.To
	}
	return f.Type
}

func (f *Field) writing() string {
	switch {
	case f.ReadOnly:
		return "read-only"
	case f.Required && f.Nullable:
		return "required, nullable"
	case f.Required:
		return "required"
	case f.Nullable:
		return "nullable"
	}
	return "optional"
}

func (f *Field) filterNames() string {
	if f.Filters == "" {
		return "-"
	}
	return f.Filters
}

// rules returns the field's rules in words.
func (f *Field) rules() []string {
	var rules []string
	add := func(holds bool, format string, args ...any) {
		if holds {
			rules = append(rules, fmt.Sprintf(format, args...))
		}
	}
	add(f.Unique, "unique")
	add(f.MinLength > 0 && f.MaxLength > 0, "%d to %d characters", f.MinLength, f.MaxLength)
	add(f.MinLength > 0 && f.MaxLength == 0, "at least %d characters", f.MinLength)
	add(f.MinLength == 0 && f.MaxLength > 0, "at most %d characters", f.MaxLength)
	if f.Minimum != nil {
		add(true, "at least %s", boundText(*f.Minimum))
	}
	if f.Maximum != nil {
		add(true, "at most %s", boundText(*f.Maximum))
	}
	add(f.Format != "", "%s", f.Format)
	add(f.Pattern != "", "matches %s", f.Pattern)
	add(len(f.Enum) > 0, "one of %s", strings.Join(f.Enum, ", "))
	add(len(f.Together) > 0, "together with %s", strings.Join(f.Together, ", "))
	add(len(f.AnyOf) > 0, "this or one of %s", strings.Join(f.AnyOf, ", "))
	add(len(f.Excludes) > 0, "not with %s", strings.Join(f.Excludes, ", "))
	add(len(f.Requires) > 0, "needs %s", strings.Join(f.Requires, ", "))
	add(len(f.Compare) > 0, "compared as %s", f.Compare)
	add(f.Private, "private")
	return rules
}

func boundText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
