package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// listParameters describes the parameters of the list: first those of all
// resources, then every filter with every operator, plain and negated.
func (t *table) listParameters() []object {
	var all []object
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if slices.Contains(t.resource.Parameters, name) {
			all = append(all, t.parameter(name))
		}
	}
	for i := range t.fields {
		f := &t.fields[i]
		if f.Filters == "" {
			continue
		}
		for _, operator := range append([]string{""}, f.Operators()...) {
			all = append(all, f.filters(operator)...)
		}
	}
	return all
}

// parameter describes a parameter that is no filter.
func (t *table) parameter(name string) object {
	o := object{"name": name, "in": "query", "description": parameterHelp[name]}
	switch name {
	case "_page", "_page_size":
		o["schema"] = object{"type": "integer", "format": "int32", "minimum": 1}
	case "_search":
		o["schema"] = object{"type": "string"}
	case "_slim", "_statistics", "_jsonl":
		o["schema"] = object{"type": "boolean"}
	case "_order_by":
		o["style"], o["explode"] = "form", false
		o["schema"] = arrayOf(object{"type": "string", "enum": t.orders()})
	default:
		o["content"] = content(arrayOf(object{"type": "object"}))
	}
	return o
}

// orders lists the terms that rows can be ordered by.
func (t *table) orders() []string {
	var terms []string
	for _, f := range t.fields {
		if !f.unordered {
			terms = append(terms, f.Name, "-"+f.Name)
		}
	}
	return terms
}

const anyOfTheseHelp = "Rows that have all of these objects."

var parameterHelp = map[string]string{
	"_page":              "Which page, from 1. Must be set together with _page_size.",
	"_page_size":         "Rows of a page. Must be set together with _page.",
	"_order_by":          "Fields to order by, a minus before those to go downwards. Rows without a value come last, downwards first.",
	"_search":            "Words, all of which stand somewhere in the texts of a row, in any case.",
	"_slim":              "Answer ids alone.",
	"_statistics":        "Answer the number of rows instead of the rows.",
	"_jsonl":             "Answer one object a line.",
	"customer_columns":   anyOfTheseHelp,
	"global_realestates": anyOfTheseHelp,
	"global_segments":    anyOfTheseHelp,
	"tags":               anyOfTheseHelp,
}

// operatorHelp completes "Rows whose field …".
var operatorHelp = map[string]string{
	"":            "is this",
	"contains":    "contains this",
	"startswith":  "starts with this",
	"endswith":    "ends with this",
	"iexact":      "is this, in any case",
	"icontains":   "contains this, in any case",
	"istartswith": "starts with this, in any case",
	"iendswith":   "ends with this, in any case",
	"gt":          "is greater than this",
	"gte":         "is greater than this or equal",
	"lt":          "is less than this",
	"lte":         "is less than this or equal",
	"in":          "is one of these",
	"isnull":      "has no value, or with false has one",
}

// filters describes a filter of the field, plain and negated.
func (f *field) filters(operator string) []object {
	name := f.Name
	if operator != "" {
		name += "__" + operator
	}
	plain := object{"name": name, "in": "query", "schema": f.operandSchema(operator),
		"description": "Rows whose " + f.Name + " " + operatorHelp[operator] + "."}
	if operator == "in" {
		plain["style"], plain["explode"] = "form", false
	}
	negated := maps.Clone(plain)
	negated["name"] = name + "!"
	negated["description"] = "All other rows than with " + name + "."
	return []object{plain, negated}
}

// operandSchema describes what the field is compared with.
func (f *field) operandSchema(operator string) object {
	scalar := object{"type": "string"}
	switch f.Type {
	case "integer", "number", "boolean":
		scalar["type"] = f.Type
	case "reference", "references":
		scalar["format"] = "uuid"
	case "uuid", "date", "date-time":
		scalar["format"] = f.Type
	}
	switch operator {
	case "in":
		return arrayOf(scalar)
	case "isnull":
		return object{"type": "boolean"}
	}
	if strings.Contains(operator, "with") || strings.Contains(operator, "contains") {
		return object{"type": "string"} // a part of a value has no format
	}
	return scalar
}
