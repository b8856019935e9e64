package mappings

import (
	"fmt"

	"github.com/goccy/go-yaml/token"

	"flytt/internal/text"
)

// check adds the faults of the mapping that can be found without the resource and the
// input.
func (m *Mapping) check(f *faults) {
	if len(m.Fields) == 0 {
		f.add(m.marks["fields"], "fields says where each field comes from: name: Namn", "the mapping has no fields")
	}
	for i := range m.Fields {
		m.checkRule(f, &m.Fields[i])
	}
}

func (m *Mapping) checkRule(f *faults, r *Rule) {
	path := "fields/" + r.Field
	m.checkOrigin(f, r, path)
	if r.Const != nil {
		for _, part := range r.conversions() {
			f.add(m.at(path+"/"+part, path), "", "field %s: %s together with const", r.Field, part)
		}
	}
	for i, c := range r.Apply {
		at := m.at(fmt.Sprint(path, "/apply/", i), path)
		spec := findConversion(c.Name)
		switch {
		case spec == nil:
			f.add(at, text.Known(c.Name, ConversionNames()), "unknown conversion %q", c.Name)
			continue
		case spec.name == joinName && (i > 0 || len(r.From) < 2):
			f.add(at, "{from: [A, B], apply: [join]}", "join comes first, after several columns")
		}
		if _, err := spec.build(c, &conversionOptions{}); err != nil {
			f.add(at, spec.hint(), "conversion %s: %v", c.Name, err)
		}
	}
}

// checkOrigin adds a fault unless the value comes from exactly one place.
func (m *Mapping) checkOrigin(f *faults, r *Rule, path string) {
	var origins []string
	if len(r.From) > 0 {
		origins = append(origins, "from")
	}
	if r.Const != nil {
		origins = append(origins, "const")
	}
	if r.Expr != "" {
		origins = append(origins, "expr")
	}
	switch {
	case len(origins) == 0:
		f.add(m.at(path), "say from, const or expr", "field %s: no source for its value", r.Field)
	case len(origins) > 1:
		f.add(m.at(path+"/"+origins[1], path), "", "field %s: %s together with %s", r.Field, origins[1], origins[0])
	}
}

// conversions returns the keys of r that change a value.
func (r *Rule) conversions() []string {
	var keys []string
	if r.Apply != nil {
		keys = append(keys, "apply")
	}
	if r.Lookup != nil {
		keys = append(keys, "lookup")
	}
	if r.Default != nil {
		keys = append(keys, "default")
	}
	return keys
}

// at returns the position of the first of paths that the file has; nil if it has none.
func (m *Mapping) at(paths ...string) *token.Token {
	for _, path := range paths {
		if at := m.marks[path]; at != nil {
			return at
		}
	}
	return nil
}
