package runs

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/text"
	"flytt/mappings"
)

// Comparisons says, by the names of fields, in which forms their texts are compared. A
// field without any form is compared as it is.
type Comparisons map[string]mappings.Comparison

// CheckForms returns an error about a form that does not exist; where says where it is named.
func (c Comparisons) CheckForms(where string) error {
	for _, field := range slices.Sorted(maps.Keys(c)) {
		switch form, unknown := c[field].UnknownForm(); {
		case c[field] == nil, unknown && form == "":
			return advice.Usagef("name one, or [] to compare texts as they are", "%s: compare of %s: no form", where, field)
		case unknown:
			return advice.Usagef(text.Known(form, mappings.CompareForms()), "%s: compare of %s: unknown form %q", where, field, form)
		}
	}
	return nil
}

// InForce returns the forms that fields of r are compared in: c, from the settings, takes
// precedence over the descriptor. The field called key is compared as it is, because the API
// looks records up by the exact text of the key, and a key that is not found would create a
// second record.
func (c Comparisons) InForce(r *mappings.Resource, key string) (Comparisons, error) {
	if err := c.checkFields(r, key); err != nil {
		return nil, err
	}
	forms := Comparisons{}
	for i := range r.Fields {
		f := &r.Fields[i]
		set, ok := c[f.Name]
		if !ok {
			set = f.Compare
		}
		if len(set) > 0 && f.Name != key {
			forms[f.Name] = set
		}
	}
	return forms, nil
}

// checkFields reports a field of c that cannot be compared in another form.
func (c Comparisons) checkFields(r *mappings.Resource, key string) error {
	texts := comparableTexts(r)
	for _, name := range slices.Sorted(maps.Keys(c)) {
		switch f := r.Field(name); {
		case f == nil:
			return advice.Usagef(text.Known(name, texts), "compare of %s: %s has no such field", name, r.Name)
		case !slices.Contains(texts, name):
			return advice.Usagef("these can be: "+strings.Join(texts, ", "), "compare of %s: only a text that an import writes is compared in another form", name)
		case name == key && len(c[name]) > 0:
			return advice.Usagef("leave it out of compare, or name another key with --key",
				"compare of %s: it is the key, and records are looked up by the exact text of their key", name)
		}
	}
	return nil
}

// comparableTexts returns the names of the fields of r that can be compared in another form.
func comparableTexts(r *mappings.Resource) (names []string) {
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == "string" && !f.ReadOnly {
			names = append(names, f.Name)
		}
	}
	return names
}

// Functions returns what brings texts of each field into the form that they are compared in.
func (c Comparisons) Functions() map[string]func(string) string {
	out := make(map[string]func(string) string, len(c))
	for field, forms := range c {
		out[field] = forms.Form
	}
	return out
}

// Over returns the forms of c and, for the fields that c does not have, those of below.
func (c Comparisons) Over(below Comparisons) Comparisons {
	out := maps.Clone(below)
	if out == nil {
		out = Comparisons{}
	}
	maps.Copy(out, c)
	return out
}

// String lists fields and forms: email lower; name collapse, lower.
func (c Comparisons) String() string {
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, field+" "+cmp.Or(c[field].String(), "as it is"))
	}
	return strings.Join(parts, "; ")
}
