package mappings

// MappingJSONSchema returns the JSON Schema (2020-12) of a mapping file, for editors:
// the keys, the conversions, the codes, and the fields of each resource. It is not as
// strict as ParseMapping: arguments of conversions, columns of the input and
// expressions are checked by flytt only.
func MappingJSONSchema() ([]byte, error) {
	return mappingSchema("Mapping file of flytt", "How the columns of an input become the fields of a resource.",
		jsonMappingKeys(Resources()), (*Resource).jsonMappingOf)
}

// mappingSchema returns the JSON Schema of a file with the given keys, and what
// of tells of each resource besides.
func mappingSchema(title, description string, keys object, of func(*Resource) object) ([]byte, error) {
	definitions := object{
		{"scalar", object{{"type", []string{"string", "number", "boolean"}}}},
		{"text", object{{"type", "string"}, {"minLength", 1}}},
		{"column", jsonColumn()},
		{"rule", jsonRule()},
		{"conversion", jsonConversion()},
		{"lookup", jsonLookup()},
	}
	var choices []any
	for _, name := range Resources() {
		r, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		definitions = definitions.with("resource."+name, of(r))
		choices = append(choices, object{
			{"if", object{{"properties", object{{"resource", object{{"const", name}}}}}, {"required", []string{"resource"}}}},
			{"then", jsonRef("resource." + name)},
		})
	}
	return object{
		{"$schema", schemaDialect},
		{"title", title},
		{"description", description},
		{"type", "object"},
		{"properties", keys},
		{"required", []string{"fields"}},
		{"additionalProperties", false},
		{"allOf", choices},
		{"$defs", definitions},
	}.indented()
}

func jsonRef(definition string) object { return object{{"$ref", "#/$defs/" + definition}} }

// about adds a description to a schema.
func about(text string, schema object) object {
	return append(object{{"description", text}}, schema...)
}

func jsonMappingKeys(resources []string) object {
	return object{
		{"resource", about("The resource the mapping is for.", object{{"enum", resources}})},
		{"input", jsonInput()},
		{"fields", about("Where the value of each field comes from.", object{
			{"type", "object"}, {"minProperties", 1}, {"additionalProperties", jsonRef("rule")},
		})},
		{"where", about(`An expression over col["…"]: rows for which it is false are left out.`, jsonRef("text"))},
		{"key", about("The field that identifies a row.", jsonRef("text"))},
		{"severity", jsonSeverity(severityCodes())},
	}
}

func jsonSeverity(codes []string) object {
	return about("Makes the problems with a code errors or warnings.", object{
		{"type", "object"}, {"propertyNames", object{{"enum", codes}}},
		{"additionalProperties", object{{"enum", []string{"error", "warning"}}}},
	})
}

func jsonInput() object {
	words := object{{"type", "array"}, {"items", object{{"type", []string{"string", "number", "boolean", "null"}}}}}
	return about("How the input is read. What is not said is detected.", object{
		{"type", "object"},
		{"properties", object{
			{"encoding", about("utf-8, windows-1252, utf-16le or another.", jsonRef("text"))},
			{"delimiter", about(`The character between cells; a tab is "\t".`, object{{"type", "string"}, {"minLength", 1}, {"maxLength", 1}})},
			{"sheet", about("The sheet of a workbook.", jsonRef("text"))},
			{"header_row", about("The line or sheet row of the header, from 1.", object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxHeaderRow}})},
			{"nulls", about("Words that mean no value; an empty cell always does.", words)},
			{"trim", about("Whether white space around cells is removed: true by default.", object{{"type", "boolean"}})},
		}},
		{"additionalProperties", false},
	})
}

// maxHeaderRow is the last row a sheet of a workbook can have.
const maxHeaderRow = 1 << 20

// jsonRule is the rule of one field: a column, or where the value comes from
// and what becomes of it.
func jsonRule() object {
	only := func(key string) object { return object{{"required", []string{key}}} }
	long := object{
		{"type", "object"},
		{"properties", object{
			{"from", about("The column, or several of which the first that is not empty counts.", jsonRef("column"))},
			{"const", about("The same value for every row.", jsonRef("scalar"))},
			{"expr", about(`An expression over col["…"].`, jsonRef("text"))},
			{"apply", about("Conversions, one after another.", object{{"type", "array"}, {"items", jsonRef("conversion")}})},
			{"lookup", jsonRef("lookup")},
			{"default", about("The value where there is none.", jsonRef("scalar"))},
		}},
		{"oneOf", []any{only("from"), only("const"), only("expr")}},
		{"dependentSchemas", object{{"const", object{{"properties", object{{"apply", false}, {"lookup", false}, {"default", false}}}}}}},
		{"additionalProperties", false},
	}
	return object{{"anyOf", []any{about("The column the value comes from.", jsonRef("text")), long}}}
}

func jsonColumn() object {
	several := object{{"type", "array"}, {"items", jsonRef("text")}, {"minItems", 1}, {"uniqueItems", true}}
	return object{{"anyOf", []any{jsonRef("text"), several}}}
}

// jsonConversion is one item of apply: name, name(arguments), or the name as a
// key with its arguments.
func jsonConversion() object {
	var calls []any
	keys := object{}
	arguments := object{{"anyOf", []any{
		jsonRef("scalar"),
		object{{"type", "null"}},
		object{{"type", "array"}, {"items", jsonRef("scalar")}},
	}}}
	table := object{{"type", "object"}, {"additionalProperties", object{{"type", []string{"string", "number", "boolean", "null"}}}}}
	for _, c := range Conversions() {
		form := object{{"description", c.Form + ": " + c.Help}}
		if c.Name == "replace" {
			keys = keys.with(c.Name, append(form, table...))
			continue
		}
		calls = append(calls, append(form, member{"pattern", `^\s*` + c.Name + `\s*(\([\s\S]*\))?\s*$`}))
		keys = keys.with(c.Name, append(form, arguments...))
	}
	keys = keys.with("strict", about("A value that nothing matches is a problem.", object{{"type", "boolean"}}))
	return object{{"anyOf", []any{
		object{{"type", "string"}, {"anyOf", calls}},
		object{{"type", "object"}, {"properties", keys}, {"minProperties", 1}, {"maxProperties", 2}, {"additionalProperties", false}},
	}}}
}

func jsonLookup() object {
	return about("Replaces the value by what a CSV file has for it.", object{
		{"type", "object"},
		{"properties", object{
			{"file", about("The CSV file, relative to the mapping file.", jsonRef("text"))},
			{"key", about("The column that holds the values.", jsonRef("text"))},
			{"value", about("The column that holds what they become.", jsonRef("text"))},
		}},
		{"required", LookupKeys},
		{"additionalProperties", false},
	})
}

// jsonMappingOf is what a mapping for r may name: its writable fields, and
// among them a key.
func (r *Resource) jsonMappingOf() object {
	fields := object{}
	var keys []string
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.ReadOnly && f.Name != "id" {
			continue
		}
		rule := jsonRef("rule")
		if text := f.jsonDescription(); text != "" {
			rule = about(text, rule)
		}
		fields = fields.with(f.Column(), rule)
		keys = append(keys, f.Column())
		if f.Column() != f.Name {
			fields = fields.with(f.Name, rule)
			keys = append(keys, f.Name)
		}
	}
	return object{{"properties", object{
		{"fields", object{{"type", "object"}, {"properties", fields}, {"additionalProperties", false}}},
		{"key", object{{"enum", keys}}},
	}}}
}
