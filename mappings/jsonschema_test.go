package mappings_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"flytt/mappings"
	"flytt/mappings/format"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got against the file testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", file, diff)
	}
}

func recordSchema(t testing.TB, r *mappings.Resource) []byte {
	t.Helper()
	data, err := mappings.JSONSchema(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mappingSchema(t testing.TB) []byte {
	t.Helper()
	data, err := mappings.MappingJSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSchemasAreAsTheyWere(t *testing.T) {
	golden(t, "externalclientcontactperson.schema.json", recordSchema(t, lookup(t, contactPerson)))
	golden(t, "lease.schema.json", recordSchema(t, lease(t)))
	golden(t, "mapping.schema.json", mappingSchema(t))
}

// jsonSchema is a small JSON Schema checker: the keywords that the generated
// schemas use, each with its rule. An unknown keyword is an error.
type jsonSchema struct{ root map[string]any }

func newJSONSchema(t testing.TB, data []byte) *jsonSchema {
	t.Helper()
	s := &jsonSchema{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&s.root); err != nil {
		t.Fatal(err)
	}
	if s.root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("dialect %v", s.root["$schema"])
	}
	return s
}

// check returns why value does not fit schema, or "".
func (s *jsonSchema) check(schema, value any) string {
	if always, ok := schema.(bool); ok {
		if always {
			return ""
		}
		return "nothing is allowed here"
	}
	rules := schema.(map[string]any)
	for keyword, rule := range rules {
		check, known := keywords[keyword]
		if !known {
			return "unknown keyword " + keyword
		}
		if check == nil {
			continue
		}
		if why := check(s, rules, rule, value); why != "" {
			return keyword + ": " + why
		}
	}
	return ""
}

func (s *jsonSchema) fits(schema, value any) bool { return s.check(schema, value) == "" }

// count returns how many of schemas value fits.
func (s *jsonSchema) count(schemas, value any) (n int) {
	for _, schema := range schemas.([]any) {
		if s.fits(schema, value) {
			n++
		}
	}
	return n
}

func fails(wrong bool, why string) string {
	if wrong {
		return why
	}
	return ""
}

var keywords map[string]func(s *jsonSchema, rules map[string]any, rule, value any) string

func init() {
	bound := func(wrong func(n, bound float64) bool) func(*jsonSchema, map[string]any, any, any) string {
		return func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			n, ok := value.(float64)
			return fails(ok && wrong(n, rule.(float64)), "out of bounds")
		}
	}
	length := func(wrong func(n, bound int) bool) func(*jsonSchema, map[string]any, any, any) string {
		return func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			n := -1
			switch v := value.(type) {
			case string:
				n = utf8.RuneCountInString(v)
			case []any:
				n = len(v)
			case map[string]any:
				n = len(v)
			}
			return fails(n >= 0 && wrong(n, int(rule.(float64))), "wrong length")
		}
	}
	below := func(n, bound int) bool { return n < bound }
	above := func(n, bound int) bool { return n > bound }
	keywords = map[string]func(s *jsonSchema, rules map[string]any, rule, value any) string{
		"$schema": nil, "title": nil, "description": nil, "$defs": nil, "readOnly": nil, "then": nil,
		"format": func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			v, ok := value.(string)
			return fails(ok && rule == "uuid" && !format.UUID([]byte(v)), "no uuid")
		},
		"$ref": func(s *jsonSchema, _ map[string]any, rule, value any) string {
			return s.check(s.resolve(rule.(string)), value)
		},
		"type": checkJSONType,
		"const": func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			return fails(rule != value, "another value")
		},
		"enum": func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			return fails(!slices.Contains(rule.([]any), value), "none of the values")
		},
		"pattern": func(_ *jsonSchema, _ map[string]any, rule, value any) string {
			v, ok := value.(string)
			return fails(ok && !regexp.MustCompile(rule.(string)).MatchString(v), "no match")
		},
		"minimum":   bound(func(n, bound float64) bool { return n < bound }),
		"maximum":   bound(func(n, bound float64) bool { return n > bound }),
		"minLength": length(below), "minItems": length(below), "minProperties": length(below),
		"maxLength": length(above), "maxProperties": length(above),
		"uniqueItems":          checkUniqueItems,
		"items":                checkItems,
		"properties":           checkProperties,
		"additionalProperties": checkAdditional,
		"propertyNames":        checkPropertyNames,
		"required":             checkJSONRequired,
		"dependentSchemas":     checkDependent,
		"allOf": func(s *jsonSchema, _ map[string]any, rule, value any) string {
			for i, schema := range rule.([]any) {
				if why := s.check(schema, value); why != "" {
					return fmt.Sprint(i, ": ", why)
				}
			}
			return ""
		},
		"anyOf": func(s *jsonSchema, _ map[string]any, rule, value any) string {
			return fails(s.count(rule, value) == 0, "fits none")
		},
		"oneOf": func(s *jsonSchema, _ map[string]any, rule, value any) string {
			return fails(s.count(rule, value) != 1, "does not fit exactly one")
		},
		"not": func(s *jsonSchema, _ map[string]any, rule, value any) string {
			return fails(s.fits(rule, value), "fits")
		},
		"if": func(s *jsonSchema, rules map[string]any, rule, value any) string {
			if !s.fits(rule, value) {
				return ""
			}
			return s.check(rules["then"], value)
		},
	}
}

func (s *jsonSchema) resolve(ref string) any {
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	definition, defined := s.root["$defs"].(map[string]any)[name]
	if !ok || !defined {
		panic("reference to nothing: " + ref)
	}
	return definition
}

func checkJSONType(_ *jsonSchema, _ map[string]any, rule, value any) string {
	types, ok := rule.([]any)
	if !ok {
		types = []any{rule}
	}
	for _, name := range types {
		fits := false
		switch v := value.(type) {
		case nil:
			fits = name == "null"
		case string:
			fits = name == "string"
		case bool:
			fits = name == "boolean"
		case float64:
			fits = name == "number" || name == "integer" && v == math.Trunc(v)
		case []any:
			fits = name == "array"
		case map[string]any:
			fits = name == "object"
		}
		if fits {
			return ""
		}
	}
	return fmt.Sprintf("%T is not %v", value, rule)
}

func checkUniqueItems(_ *jsonSchema, _ map[string]any, _, value any) string {
	items, _ := value.([]any)
	for i, item := range items {
		if slices.Contains(items[:i], item) {
			return "an item twice"
		}
	}
	return ""
}

func checkItems(s *jsonSchema, _ map[string]any, rule, value any) string {
	items, _ := value.([]any)
	for i, item := range items {
		if why := s.check(rule, item); why != "" {
			return fmt.Sprint(i, ": ", why)
		}
	}
	return ""
}

func checkProperties(s *jsonSchema, _ map[string]any, rule, value any) string {
	o, _ := value.(map[string]any)
	for name, schema := range rule.(map[string]any) {
		if v, ok := o[name]; ok {
			if why := s.check(schema, v); why != "" {
				return name + ": " + why
			}
		}
	}
	return ""
}

func checkAdditional(s *jsonSchema, rules map[string]any, rule, value any) string {
	o, _ := value.(map[string]any)
	properties, _ := rules["properties"].(map[string]any)
	for name, v := range o {
		if _, ok := properties[name]; !ok {
			if why := s.check(rule, v); why != "" {
				return name + ": " + why
			}
		}
	}
	return ""
}

func checkPropertyNames(s *jsonSchema, _ map[string]any, rule, value any) string {
	o, _ := value.(map[string]any)
	for name := range o {
		if why := s.check(rule, name); why != "" {
			return name + ": " + why
		}
	}
	return ""
}

func checkJSONRequired(_ *jsonSchema, _ map[string]any, rule, value any) string {
	o, ok := value.(map[string]any)
	for _, name := range rule.([]any) {
		if _, has := o[name.(string)]; ok && !has {
			return name.(string) + " is missing"
		}
	}
	return ""
}

func checkDependent(s *jsonSchema, _ map[string]any, rule, value any) string {
	o, _ := value.(map[string]any)
	for name, schema := range rule.(map[string]any) {
		if _, has := o[name]; has {
			if why := s.check(schema, value); why != "" {
				return why
			}
		}
	}
	return ""
}

// jsonRecord is the record as an encoder would write it.
func jsonRecord(t *testing.T, r *mappings.Resource, values record) any {
	t.Helper()
	o := map[string]any{}
	for column, text := range values {
		f := r.Field(column)
		switch f.Type {
		case "reference":
			o[f.Name] = map[string]any{"id": text}
		case "integer", "number", "boolean", "any", "references":
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				v = text
			}
			o[f.Name] = v
		default:
			o[f.Name] = text
		}
	}
	return o
}

// beyondSchema are codes of rules that the checker above, or any JSON Schema,
// does not look into: check digits, and formats that are only annotations.
var beyondSchema = []string{"check_digit", "coordination_date", "date", "date_time", "email", "phone", "gln13", "luhn", "json"}

// schemaKnows reports whether a schema can say all problems of want.
func schemaKnows(want string) bool {
	for p := range strings.SplitSeq(want, "; ") {
		if words := strings.Fields(p); len(words) > 1 && slices.Contains(beyondSchema, words[1]) {
			return false
		}
	}
	return true
}

func TestSchemaAgreesWithTheValidator(t *testing.T) {
	r := lease(t)
	s := newJSONSchema(t, recordSchema(t, r))
	for _, c := range leaseCases {
		if !schemaKnows(c.want) || c.name == "required and empty" || c.name == "integer" { // 3.0 is an integer to JSON Schema
			continue
		}
		value := jsonRecord(t, r, goodLease.with(c.change))
		if c.name == "everything" { // plain uuids are references only on the way in
			value.(map[string]any)["tenants"] = []any{map[string]any{"id": "497f6eca-6276-4993-bfeb-53cbbbba6f08"}}
		}
		if why := s.check(s.root, value); (why == "") != (c.want == "") {
			t.Errorf("%s: the validator says %s, the schema %s", c.name, c.want, why)
		}
	}
}

func TestSchemaTakesNullWhereTheFieldDoes(t *testing.T) {
	s := newJSONSchema(t, recordSchema(t, lease(t)))
	good := map[string]any{"number": "L-1", "starts": "2026-01-31", "phone": "0701740605", "email": nil, "status": nil, "signed_at": nil, "signed_by": nil, "ends": nil, "person": nil, "company": nil}
	if why := s.check(s.root, good); why != "" {
		t.Error(why)
	}
	for name, value := range map[string]any{"note": nil, "heated": nil, "phone": nil, "other": "x"} {
		bad := map[string]any{}
		for k, v := range good {
			bad[k] = v
		}
		bad[name] = value
		if s.fits(s.root, bad) {
			t.Errorf("%s: %v is accepted", name, value)
		}
	}
}

// yamlValue reads YAML as an editor would before it looks at the schema.
func yamlValue(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMappingSchemaAgreesWithTheParser(t *testing.T) {
	s := newJSONSchema(t, mappingSchema(t))
	for _, c := range []struct {
		name, mapping string
		good          bool
	}{
		{"everything", wholeGrammar, true},
		{"short form", "fields: {name: Namn}", true},
		{"any field without a resource", "fields: {whatever: Namn}", true},
		{"conversion with a key", "fields: {name: {from: A, apply: [{split: [' ', 0]}, {date: YYMMDD}, {trim: }]}}", true},
		{"replace", "fields: {name: {from: A, apply: [{replace: {a: b, c: null, d: 1}}]}}", true},
		{"conversion over lines", "fields: {name: {from: A, apply: ['regex(\"a\\n\")']}}", true},
		{"const number", "fields: {name: {const: 1}}", true},
		{"nothing", "{}", false},
		{"no fields", "fields: {}", false},
		{"unknown key", "field: {name: Namn}", false},
		{"unknown key beside", "fields: {name: Namn}\nkeys: a", false},
		{"unknown resource", "resource: x\nfields: {name: Namn}", false},
		{"unknown input key", "input: {encodin: a}\nfields: {name: Namn}", false},
		{"long delimiter", "input: {delimiter: ab}\nfields: {name: Namn}", false},
		{"header row 0", "input: {header_row: 0}\nfields: {name: Namn}", false},
		{"trim as text", "input: {trim: 'yes'}\nfields: {name: Namn}", false},
		{"rule as a list", "fields: {name: [A, B]}", false},
		{"rule as a number", "fields: {name: 1}", false},
		{"empty column", "fields: {name: ''}", false},
		{"unknown rule key", "fields: {name: {form: A}}", false},
		{"no origin", "fields: {name: {default: A}}", false},
		{"two origins", "fields: {name: {from: A, const: B}}", false},
		{"const with apply", "fields: {name: {const: B, apply: [trim]}}", false},
		{"column twice", "fields: {name: {from: [A, A]}}", false},
		{"no column", "fields: {name: {from: []}}", false},
		{"apply as text", "fields: {name: {from: A, apply: trim}}", false},
		{"unknown conversion", "fields: {name: {from: A, apply: [trimm]}}", false},
		{"unknown conversion key", "fields: {name: {from: A, apply: [{trimm: x}]}}", false},
		{"lookup without a key", "fields: {name: {from: A, lookup: {file: a.csv, value: id}}}", false},
		{"unknown code", "fields: {name: A}\nseverity: {phon: warning}", false},
		{"unknown severity", "fields: {name: A}\nseverity: {phone: repair}", false},
		{"severity of a repair", "fields: {name: A}\nseverity: {prefix_16: warning}", false},
	} {
		why := s.check(s.root, yamlValue(t, c.mapping))
		if (why == "") != c.good {
			t.Errorf("%s: the schema says %q", c.name, why)
		}
		_, err := mappings.ParseMapping("mapping.yaml", []byte(c.mapping))
		if (err == nil) != c.good && c.name != "unknown resource" { // Compile finds that
			t.Errorf("%s: the parser says %v", c.name, err)
		}
	}
}

func TestMappingSchemaKnowsTheFieldsOfEachResource(t *testing.T) {
	s := newJSONSchema(t, mappingSchema(t))
	const head = "resource: externalclientcontactperson\nfields:\n  name: Namn\n  "
	for mapping, good := range map[string]bool{
		head + "external_client.id: Kundid": true,
		head + "external_client: Kundid":    true,
		head + "id: Id\nkey: custom_id":     true,
		head + "nmae: Namn":                 false,
		head + "created_at: Skapad":         false,
		head + "title: Titel\nkey: custom":  false,
	} {
		if why := s.check(s.root, yamlValue(t, mapping)); (why == "") != good {
			t.Errorf("%s: %s", mapping, why)
		}
	}
}
