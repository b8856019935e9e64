package mappings

import (
	"fmt"
	"maps"
	"slices"

	"flytt/internal/text"
	"flytt/pipeline"
)

// An export is a mapping turned round: its fields are the columns of the file
// to be written, under any names and in the order they are to have, and its
// columns are the fields of the resource.

// extraColumn is the column of an export that holds, as one JSON object, what the API
// sent in addition to the known fields. It stays at the end, unchanged.
const extraColumn = "_extra"

// ReadableField is a field of a resource as lists show it.
type ReadableField struct {
	pipeline.Field      // its column: external_client.id
	Reference      bool // lists show an object with an id, or the bare id
}

// Readable returns the fields that the resource's list shows, in the descriptor's
// order: all of them, because the API returns what it accepts.
func (r *Resource) Readable() []ReadableField {
	fields := make([]ReadableField, len(r.Fields))
	for i := range r.Fields {
		f := &r.Fields[i]
		fields[i] = ReadableField{
			Field:     pipeline.Field{Name: f.Column(), Type: columnTypes[f.Type]},
			Reference: f.Type == "reference",
		}
	}
	return fields
}

// CompileExport binds the mapping to a list of the resource r with the given columns.
// It works in the opposite direction of Compile: the names on the left are columns of
// the file to be written, those on the right are fields of the resource; a reference
// has two of them, external_client and external_client.id.
//
// A field that is copied keeps its type, its white space and the difference between
// empty and null. The result of an expression, a conversion, a lookup or several fields
// is text; an empty result is null. Expressions and conversions get fields with the
// white space they have in the API.
//
// An export is not validated, so key, input and the severity of validation codes are
// faults. The error has every fault found, each a *FileError.
func (m *Mapping) CompileExport(r *Resource, columns []string, o CompileOptions) (*Plan, error) {
	c := &exportCompiler{resource: r, compiler: &compiler{
		faults: m.faults(), m: m, o: &o,
		// Its fields would tell conversions what validation sees to; here nothing does.
		r:      &Resource{Name: r.Name},
		plan:   newExportPlan(r, columns),
		tables: map[TableLookup]*lookupTable{},
	}}
	return c.finish(c.compile)
}

// newExportPlan returns a plan without fields for a list with the given
// columns.
func newExportPlan(r *Resource, columns []string) *Plan {
	names := newHeaders(columns)
	for i := range r.Fields {
		f := &r.Fields[i]
		if _, taken := names.find(f.Name); taken {
			continue
		}
		if at, ok := names.find(f.Column()); ok {
			names.at[headerKey(f.Name)] = at
		}
	}
	return &Plan{key: pipeline.None, names: names, schema: &pipeline.Schema{}}
}

// addColumn adds a field called name that is the input column at without changes.
func (p *Plan) addColumn(r *Resource, name string, at int) {
	p.fields = append(p.fields, fieldPlan{from: []int{at}, exact: true})
	p.columns = append(p.columns, problemColumn(at))
	p.tables = append(p.tables, "")
	p.schema.Fields = append(p.schema.Fields, pipeline.Field{Name: name, Type: r.typeOf(p.names.names[at])})
}

// addExtraColumn adds the column for unknown members, if the list has it.
func (p *Plan) addExtraColumn(r *Resource) {
	if at := slices.Index(p.names.names, extraColumn); at >= 0 {
		p.addColumn(r, extraColumn, at)
	}
}

// typeOf returns the type of the values in a column of the resource's list.
func (r *Resource) typeOf(column string) pipeline.Type {
	if column == extraColumn {
		return pipeline.JSON
	}
	if f := r.Field(column); f != nil {
		return columnTypes[f.Type]
	}
	return pipeline.Text
}

// exportCompiler binds one mapping of an export. It continues after a fault, to find
// all of them.
type exportCompiler struct {
	*compiler
	resource *Resource
}

func (c *exportCompiler) compile() {
	m, p := c.m, c.plan
	if m.Resource != "" && m.Resource != c.resource.Name {
		c.add(m.at("resource"), "", "the mapping is for resource %s, not %s", m.Resource, c.resource.Name)
		return
	}
	c.refuseImportKeys()
	p.severity = m.Severity
	p.fields = make([]fieldPlan, len(m.Fields))
	p.columns, p.tables = make([]int16, len(m.Fields)), make([]string, len(m.Fields))
	for i := range m.Fields {
		if c.known(&m.Fields[i]) {
			c.field(i)
			c.output(i)
		}
	}
	if m.Where != "" {
		p.where = c.expr(m.Where, "where", true)
	}
	if len(c.list) > 0 {
		return
	}
	p.addExtraColumn(c.resource)
	p.rowwise = p.rowwiseColumns()
}

// refuseImportKeys adds faults for the parts of the mapping that have no meaning in an
// export.
func (c *exportCompiler) refuseImportKeys() {
	m := c.m
	in := &m.Input
	if m.at("input") != nil || in.Encoding+in.Delimiter+in.Sheet != "" || in.HeaderRow != 0 || in.Nulls != nil || in.Trim != nil {
		c.add(m.at("input"), "leave it out: the input is the API", "input has no meaning in an export")
	}
	if m.Key != "" {
		c.add(m.at("key"), "leave it out: no rows are matched", "key has no meaning in an export")
	}
	for _, code := range slices.Sorted(maps.Keys(m.Severity)) {
		if !notedByMapping(string(code)) {
			c.add(m.at("severity"), "leave it out", "severity of %s has no meaning in an export: records of the API are not validated", code)
		}
	}
}

// known checks the name of a column and the fields from which it comes.
func (c *exportCompiler) known(rule *Rule) bool {
	before := len(c.list)
	path := "fields/" + rule.Field
	if rule.Field == extraColumn {
		c.add(c.m.at(path), "--extra writes it", "column %s is the one of unknown fields", extraColumn)
	}
	for k, name := range rule.From {
		if _, ok := c.plan.names.find(name); !ok {
			c.add(c.m.at(fmt.Sprint(path, "/from/", k), path), c.turnedHint(rule, name), "unknown field %q", name)
		}
	}
	return len(c.list) == before
}

// turnedHint returns the nearest field, or what is the matter where the mapping
// is one of an import.
func (c *exportCompiler) turnedHint(rule *Rule, name string) string {
	names := c.plan.names.names
	if text.Nearest(name, names) == "" && c.resource.Field(rule.Field) != nil {
		return "in an export the file's column is on the left and the API's field on the right: " + name + ": " + rule.Field
	}
	return fieldHint(name, names)
}

// output adds the field of the schema that rule i fills.
func (c *exportCompiler) output(i int) {
	f := &c.plan.fields[i]
	field := pipeline.Field{Name: c.m.Fields[i].Field}
	if f.direct() {
		f.exact = true
		field.Type = c.resource.typeOf(c.plan.names.names[f.from[0]])
	}
	c.plan.schema.Fields = append(c.plan.schema.Fields, field)
}
