package mappings

import (
	"slices"

	"flytt/internal/text"
)

// CheckFilter returns an error unless the list can be filtered by field with operator;
// "" is the exact filter. A reference is named without .id. If there is a nearest name,
// the error has it as a hint on a line of its own.
func (r *Resource) CheckFilter(field, operator string) error {
	f := r.own(field)
	switch {
	case f == nil:
		return withHint("resource "+r.Name+" has no field "+field, text.Known(field, r.filtered()))
	case f.Filters == "":
		return withHint("field "+field+" has no filter", text.Known(field, r.filtered()))
	case operator != "" && !slices.Contains(f.Operators(), operator):
		return withHint("field "+field+" has no operator "+operator, operatorHint(operator, f.Operators()))
	}
	return nil
}

// CheckOrder returns an error unless the list can be ordered by field: by all fields
// except those with several values. A reference is named without .id.
func (r *Resource) CheckOrder(field string) error {
	switch f := r.own(field); {
	case f == nil:
		return withHint("resource "+r.Name+" has no field "+field, text.Known(field, r.ordered()))
	case !f.ordered():
		return withHint("field "+field+" has no order", text.Known(field, r.ordered()))
	}
	return nil
}

// CheckParameter returns an error unless the list takes the parameter name,
// which is no filter: _search, tags.
func (r *Resource) CheckParameter(name string) error {
	if slices.Contains(r.Parameters, name) {
		return nil
	}
	return withHint("the list of "+r.Name+" has no parameter "+name, text.Known(name, r.Parameters))
}

// own returns the field called name, or nil. Names of columns do not count.
func (r *Resource) own(name string) *Field {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return &r.Fields[i]
		}
	}
	return nil
}

// filtered returns the names of the fields that have a filter.
func (r *Resource) filtered() []string {
	return r.named(func(f *Field) bool { return f.Filters != "" })
}

func (r *Resource) ordered() []string { return r.named((*Field).ordered) }

// ordered reports whether values of the field have an order.
func (f *Field) ordered() bool { return f.Type != "any" && f.Type != "references" }

func (r *Resource) named(keep func(*Field) bool) []string {
	var names []string
	for i := range r.Fields {
		if f := &r.Fields[i]; keep(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

// operatorHint says which of the operators of to use.
func operatorHint(operator string, of []string) string {
	if operator == "exact" {
		return "leave the operator out"
	}
	return text.Known(operator, of)
}

// CreatedAt is the field that says when a record was created. Nothing else orders
// records by time.
const CreatedAt = "created_at"

// CreatedField returns the field by which a list of r can be read in the order in which its
// records were made; empty if there is none.
func (r *Resource) CreatedField() string {
	f := r.Field(CreatedAt)
	if f == nil || !slices.Contains(f.Operators(), "gte") || !slices.Contains(f.Operators(), "lte") {
		return ""
	}
	return f.Name
}
