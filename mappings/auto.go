package mappings

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"flytt/internal/text"
)

// Guess is what AutoMapping guesses for one column of the input.
type Guess struct {
	Column string
	Field  string  // the field it is taken for; empty: none
	Score  float64 // how certain that is: 1 is the field's exact name, 0 nothing
	Used   bool    // the column is in the mapping
	Reason string  // why it was taken for the field, or why it is not used
}

// The scores of a header by what it has in common with a field. Only those from
// scoreAccents up go into a mapping: what is merely near may be a hint.
const (
	scoreExact   = 1.0  // the name: external_client.id
	scoreName    = 0.95 // the name but for case, spaces and punctuation: External client id
	scoreAlias   = 0.9  // an alias, in the same way: Kundnr.
	scoreAccents = 0.8  // name or alias without the marks on letters: Fornamn
	scoreNear    = 0.5  // a slip or two away from one: Personummer
)

var reasons = map[float64]string{
	scoreExact: "its name", scoreName: "its name", scoreAlias: "an alias", scoreAccents: "an alias without marks", scoreNear: "near an alias",
}

// AutoMapping makes a mapping for the resource r from the headers of an input.
//
// A header belongs to a field if it is the field's name or one of its aliases. Case,
// spaces, punctuation and the Unicode form are ignored; in a second step, so are the
// marks on letters. If several headers fit one field, the best fit counts. If several
// fit equally well, the first one that is not empty in a row is taken, in the order of
// the input (Mobil, then Telefon). Where that would mix different things, in
// identifiers and identity numbers, none is taken, and the guesses say so. A header
// that fits two fields equally well is not taken either.
//
// A column named id or ID is taken for the API's id. If it is the id of a legacy
// system, its rows are rejected; otherwise all of them would be created again. Other
// read-only fields are left out. Each field gets the conversions that its descriptor
// names. In a table that has the API's id, such as an export, they apply to edited
// values: the sink leaves equal values as they are.
//
// There is a guess for every column, in order. A required field without a column is an
// error unless the id is mapped; the mapping and the guesses are returned with it.
func AutoMapping(r *Resource, columns []string) (*Mapping, []Guess, error) {
	m, guesses, err := PartialMapping(r, columns)
	if err != nil || m.maps(idField) {
		return m, guesses, err
	}
	return m, guesses, m.missingRequired(r, guesses)
}

// PartialMapping is AutoMapping for rows that change records: no field needs a
// column.
func PartialMapping(r *Resource, columns []string) (*Mapping, []Guess, error) {
	guesses := make([]Guess, len(columns))
	for i, column := range columns {
		guesses[i] = guess(r, column)
	}
	m := &Mapping{Resource: r.Name}
	for i := range r.Fields {
		f := &r.Fields[i]
		from := chooseColumns(f, guesses, f.needsSingleColumn(r.Key))
		if len(from) == 0 {
			continue
		}
		m.Fields = append(m.Fields, Rule{Field: f.Column(), From: from})
		if f.Name == r.Key {
			m.Key = f.Column()
		}
	}
	for i := range m.Fields {
		rule := &m.Fields[i]
		var err error
		if rule.Apply, err = r.Field(rule.Field).defaultConversions(); err != nil {
			return nil, nil, fmt.Errorf("resource %s %w", r.Name, err)
		}
	}
	return m, guesses, nil
}

// maps reports whether the mapping writes to the field with the given column.
func (m *Mapping) maps(column string) bool {
	return slices.ContainsFunc(m.Fields, func(r Rule) bool { return r.Field == column })
}

// defaultConversions returns the conversions that automatic mapping applies.
func (f *Field) defaultConversions() ([]Conversion, error) {
	var out []Conversion
	for _, text := range f.Apply {
		c, err := parseConversion(text)
		if err != nil || findConversion(c.Name) == nil {
			return nil, fmt.Errorf("field %s: conversion %s is not known", f.Name, text)
		}
		out = append(out, c)
	}
	return out, nil
}

// named reports whether header is the field's exact name.
func (f *Field) named(header string) bool { return header == f.Name || header == f.Column() }

// needsSingleColumn reports whether two columns for the field would be two different
// things, and not one thing in two places.
func (f *Field) needsSingleColumn(key string) bool {
	number := f.Format == "personnummer" || f.Format == "organisationsnummer"
	return f.Name == key || f.Name == idField || f.Unique || number || f.Type != "string"
}

// guess finds the field that a header fits best.
func guess(r *Resource, column string) Guess {
	g := Guess{Column: column, Reason: "fits no field"}
	header := newHeaderForms(column)
	twice := false
	for i := range r.Fields {
		f := &r.Fields[i]
		switch score := f.score(&header); {
		case score == 0 || score < g.Score:
		case score == g.Score:
			twice = true
		default:
			g.Field, g.Score, g.Reason, twice = f.Column(), score, reasons[score], false
		}
	}
	switch f := r.Field(g.Field); {
	case twice:
		g.Field, g.Score, g.Reason = "", 0, "fits two fields"
	case f != nil && f.ReadOnly && f.Name != idField:
		g.Reason = "read-only"
	case f != nil && f.Name == idField && !strings.EqualFold(header.exact, idField):
		g.Field, g.Score, g.Reason = "", 0, "fits no field"
	}
	return g
}

// chooseColumns chooses the columns of field f among the guesses, and says of the
// others why they are not used.
func chooseColumns(f *Field, guesses []Guess, singular bool) []string {
	best := 0.0
	for _, g := range guesses {
		if g.Field == f.Column() {
			best = max(best, g.Score)
		}
	}
	var chosen []*Guess
	for i := range guesses {
		g := &guesses[i]
		switch {
		case g.Field != f.Column() || f.ReadOnly && f.Name != idField || g.Score < scoreAccents:
		case g.Score < best:
			g.Reason = "another column fits better"
		default:
			chosen = append(chosen, g)
		}
	}
	var from []string
	for _, g := range chosen {
		if singular && len(chosen) > 1 {
			g.Reason = "another column fits as well"
			continue
		}
		g.Used = true
		from = append(from, g.Column)
	}
	return from
}

// missingRequired returns an error that names the required fields without a column, and
// the columns that may hold them.
func (m *Mapping) missingRequired(r *Resource, guesses []Guess) error {
	var unused []string
	for _, g := range guesses {
		if !g.Used {
			unused = append(unused, g.Column)
		}
	}
	faults := m.faults()
	faults.file.name = "automatic mapping"
	hint := "map it in a mapping file"
	if len(unused) > 0 {
		hint += "; not used so far: " + strings.Join(unused, ", ")
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if !f.Required || f.ReadOnly || m.maps(f.Column()) {
			continue
		}
		faults.add(nil, hint, "no column fits the required field %s%s", f.Column(), candidates(f, guesses))
		hint = "" // once is enough
	}
	return faults.err()
}

// candidates lists the columns that were taken for f but not used.
func candidates(f *Field, guesses []Guess) string {
	var list []string
	for _, g := range guesses {
		if g.Field == f.Column() && !g.Used {
			list = append(list, fmt.Sprintf("%s (%s)", g.Column, g.Reason))
		}
	}
	if list == nil {
		return ""
	}
	return "; it may be " + strings.Join(list, " or ")
}

// headerForms are the forms in which a header is compared.
type headerForms struct{ exact, folded, bare string }

func newHeaderForms(name string) headerForms {
	folded := foldHeader(name)
	return headerForms{headerKey(name), folded, withoutMarks(folded)}
}

// withoutMarks returns name without the marks on its letters: å, ä and ö become
// a, a and o.
func withoutMarks(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(name))
}

// score returns how well a header fits the field: one of the scores, or 0.
func (f *Field) score(h *headerForms) float64 {
	if h.folded == "" {
		return 0
	}
	best := 0.0
	for _, name := range []string{f.Name, f.Column()} {
		best = max(best, scoreOf(name, h, scoreName))
	}
	if f.named(h.exact) {
		best = scoreExact
	}
	for _, aliases := range f.Aliases {
		for _, alias := range aliases {
			best = max(best, scoreOf(alias, h, scoreAlias))
		}
	}
	return best
}

func scoreOf(name string, h *headerForms, same float64) float64 {
	form := newHeaderForms(name)
	switch {
	case form.folded == h.folded:
		return same
	case form.bare == h.bare:
		return scoreAccents
	case len(form.bare) > 4 && text.Nearest(h.bare, []string{form.bare}) != "":
		return scoreNear
	}
	return 0
}
