package mappings

import (
	"slices"

	"flytt/mappings/identity"
)

// ExportMappingJSONSchema returns the JSON Schema (2020-12) of a mapping file
// for exports, for editors: the names on the left are free, those on the right
// are fields of the resource the mapping names.
func ExportMappingJSONSchema() ([]byte, error) {
	return mappingSchema("Mapping file of flytt, for exports", "How the fields of a resource become the columns of a file.",
		jsonExportKeys(Resources()), (*Resource).jsonExportOf)
}

func jsonExportKeys(resources []string) object {
	return object{
		{"resource", about("The resource the mapping is for.", object{{"enum", resources}})},
		{"fields", about("The columns of the file, in their order, and where the value of each comes from.", object{
			{"type", "object"}, {"minProperties", 1},
			{"properties", object{{extraColumn, false}}},
			{"additionalProperties", jsonRef("rule")},
		})},
		{"where", about(`An expression over col["…"]: rows for which it is false are left out.`, jsonRef("text"))},
		{"severity", jsonSeverity(exportCodes())},
	}
}

// exportCodes returns the codes whose severity a mapping of an export may
// choose, sorted.
func exportCodes() []string {
	return slices.DeleteFunc(severityCodes(), func(code string) bool { return !notedByMapping(code) })
}

// notedByMapping reports whether the map step notes code.
func notedByMapping(code string) bool {
	if code == string(codeDate) || code == string(codePhone) {
		return true
	}
	for _, info := range slices.Concat(MapCodes, identity.Codes) {
		if string(info.Code) == code {
			return true
		}
	}
	return false
}

// jsonExportOf is what a mapping for an export of r may take values from: its
// fields, by their names or those of their columns.
func (r *Resource) jsonExportOf() object {
	var names []string
	for i := range r.Fields {
		f := &r.Fields[i]
		names = append(names, f.Column())
		if f.Column() != f.Name {
			names = append(names, f.Name)
		}
	}
	field := object{{"enum", names}}
	from := object{{"anyOf", []any{field, object{{"type", "array"}, {"items", field}}}}}
	rule := object{{"anyOf", []any{field, object{{"type", "object"}, {"properties", object{{"from", from}}}}}}}
	return object{{"properties", object{
		{"fields", object{{"additionalProperties", rule}}},
	}}}
}
