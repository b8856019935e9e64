package mappings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// JSONSchema returns the JSON Schema (2020-12) of a record of r as it is written: what
// is required, the format of each field, and the rules between fields. Fields that are
// never written are marked readOnly. What a schema cannot express, uniqueness and check
// digits, is in the descriptions.
func JSONSchema(r *Resource) ([]byte, error) {
	properties, required := object{}, []string{}
	for i := range r.Fields {
		f := &r.Fields[i]
		properties = properties.with(f.Name, f.jsonSchema())
		if f.Required {
			required = append(required, f.Name)
		}
	}
	o := object{{"$schema", schemaDialect}, {"title", r.DisplayTitle()}, {"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		o = o.with("required", required)
	}
	if rules := r.jsonRules(); len(rules) > 0 {
		o = o.with("allOf", rules)
	}
	return o.with("additionalProperties", false).indented()
}

// DisplayTitle returns the title in English, else the name.
func (r *Resource) DisplayTitle() string { return cmp.Or(r.Title["en"], r.Name) }

// jsonTypes are the JSON types of the types of fields; any has none.
var jsonTypes = map[string]string{
	"string": "string", "uuid": "string", "date": "string", "date-time": "string",
	"integer": "integer", "number": "number", "boolean": "boolean",
	"reference": "object", "references": "array",
}

// jsonFormats are the formats that JSON Schema knows by our names.
var jsonFormats = []string{"uuid", "date", "date-time", "email"}

// jsonPatterns replace formats that JSON Schema does not know.
var jsonPatterns = map[string]string{
	"personnummer":        `^[0-9]{8}-?[0-9]{4}$`,
	"organisationsnummer": `^[0-9]{6}-?[0-9]{4}$`,
	"gln13":               `^[0-9]{13}$`,
}

// jsonSchema returns the schema of the field's values.
func (f *Field) jsonSchema() object {
	var o object
	if text := f.jsonDescription(); text != "" {
		o = o.with("description", text)
	}
	switch name := jsonTypes[f.Type]; {
	case name == "":
	case f.Nullable:
		o = o.with("type", []string{name, "null"})
	default:
		o = o.with("type", name)
	}
	switch f.Type {
	case "reference":
		o = append(o, jsonReference...)
	case "references":
		o = o.with("items", append(object{{"type", "object"}}, jsonReference...))
	}
	o = append(o, f.jsonText()...)
	if f.Minimum != nil {
		o = o.with("minimum", *f.Minimum)
	}
	if f.Maximum != nil {
		o = o.with("maximum", *f.Maximum)
	}
	if f.ReadOnly {
		o = o.with("readOnly", true)
	}
	return o
}

// jsonReference is the inside of a reference: an object with an id.
var jsonReference = object{
	{"properties", object{{"id", object{{"type", "string"}, {"format", "uuid"}}}}},
	{"required", []string{"id"}},
	{"additionalProperties", false},
}

// jsonText returns the rules for text: format, pattern, lengths, enum.
func (f *Field) jsonText() object {
	var o object
	for _, name := range []string{f.Type, f.Format} {
		if slices.Contains(jsonFormats, name) {
			o = o.with("format", name)
		}
	}
	pattern, more := f.Pattern, jsonPatterns[f.Format]
	if pattern == "" {
		pattern, more = more, ""
	}
	if pattern != "" {
		o = o.with("pattern", pattern)
	}
	if more != "" {
		o = o.with("allOf", []any{object{{"pattern", more}}})
	}
	if f.MinLength > 0 {
		o = o.with("minLength", f.MinLength)
	}
	if f.MaxLength > 0 {
		o = o.with("maxLength", f.MaxLength)
	}
	if len(f.Enum) > 0 {
		o = o.with("enum", f.jsonEnum())
	}
	return o
}

func (f *Field) jsonEnum() []any {
	values := make([]any, 0, len(f.Enum)+1)
	for _, v := range f.Enum {
		if n, err := strconv.Atoi(v); err == nil && f.Type == "integer" {
			values = append(values, n)
		} else {
			values = append(values, v)
		}
	}
	if f.Nullable {
		values = append(values, nil)
	}
	return values
}

// jsonDescription says in words what the schema cannot.
func (f *Field) jsonDescription() string {
	parts := []string{}
	if f.Help != "" {
		parts = append(parts, f.Help)
	}
	if f.Unique {
		parts = append(parts, "Must be unique.")
	}
	if f.Format != "" && !slices.Contains(jsonFormats, f.Format) {
		parts = append(parts, "Format: "+f.Format+".")
	}
	return strings.Join(parts, " ")
}

// jsonRules returns the rules between fields. A field that is null counts as
// one that is not given.
func (r *Resource) jsonRules() []any {
	var rules []any
	for i := range r.Fields {
		f := &r.Fields[i]
		given := r.jsonGiven(f.Name)
		for _, other := range f.Together {
			rules = append(rules, jsonNeeds(given, r.jsonGiven(other)), jsonNeeds(r.jsonGiven(other), given))
		}
		if len(f.AnyOf) > 0 {
			some := []any{given}
			for _, other := range f.AnyOf {
				some = append(some, r.jsonGiven(other))
			}
			rules = append(rules, object{{"anyOf", some}})
		}
		for _, other := range f.Excludes {
			rules = append(rules, object{{"not", object{{"allOf", []any{given, r.jsonGiven(other)}}}}})
		}
		for _, other := range f.Requires {
			rules = append(rules, jsonNeeds(given, r.jsonGiven(other)))
		}
	}
	return rules
}

func jsonNeeds(given, other object) object {
	return object{{"if", given}, {"then", other}}
}

// jsonGiven is the schema of records in which the field has a value.
func (r *Resource) jsonGiven(name string) object {
	o := object{{"required", []string{name}}}
	if f := r.Field(name); !f.Nullable {
		return o
	}
	return o.with("properties", object{{name, object{{"not", object{{"type", "null"}}}}}})
}
