package mappings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"flytt/mappings/identity"
	"flytt/pipeline"

	"golang.org/x/text/unicode/norm"

	"flytt/internal/text"
)

// CompileOptions are what Compile needs besides the mapping. The zero value is usable.
type CompileOptions struct {
	Dir      string         // lookup files are relative to it; empty: the working directory
	Identity identity.Rules // the rules for conversions of identity numbers, unless their arguments say otherwise
	Partial  bool           // rows change records: required fields may be left out
	ByID     bool           // rows with an id change records: if id is mapped, required fields may be left out
}

// idField is the API's own identifier of a record. A mapping may write to it, although
// it is read-only, to say which record a row changes.
const idField = "id"

// Plan is a mapping bound to a resource and to the columns of an input. It is
// safe for concurrent use.
type Plan struct {
	schema   *pipeline.Schema
	columns  []int16
	tables   []string
	key      int // index in the schema, or pipeline.None
	fields   []fieldPlan
	where    *program
	names    *headers
	rowwise  []int // input columns that are read row by row, in order
	nulls    [][]byte
	trim     bool
	longest  int // of the chains
	severity map[pipeline.Code]pipeline.Severity
}

// fieldPlan is how the values of one field are made.
type fieldPlan struct {
	from     []int // input columns
	exact    bool  // the column as it is: white space and empty values stay
	constant []byte
	expr     *program
	joined   bool // from is joined with separator
	join     []byte
	chain    []converter
	lookup   *lookupTable
	fallback []byte // nil: none
}

// Schema returns the fields of the batches, in the order of the mapping.
func (p *Plan) Schema() *pipeline.Schema { return p.schema }

// Columns returns for each field of the schema the input column that it comes from;
// pipeline.None if there is no single one.
func (p *Plan) Columns() []int16 { return p.columns }

// Tables returns for each field of the schema the name of the table its lookup
// uses, or an empty string. It is the name of the table's file without its
// extension; other tables of that name have a number after it.
func (p *Plan) Tables() []string { return p.tables }

// Key returns the name of the field that identifies a row, or an empty string.
func (p *Plan) Key() string {
	if p.key < 0 {
		return ""
	}
	return p.schema.Fields[p.key].Name
}

// Compile binds the mapping to the resource r and to an input with the given columns,
// and loads its lookup tables. The error has every fault found, each a *FileError.
func (m *Mapping) Compile(r *Resource, columns []string, o CompileOptions) (*Plan, error) {
	c := &compiler{
		faults: m.faults(), m: m, r: r, o: &o,
		plan: &Plan{
			key: pipeline.None, names: newHeaders(columns), trim: m.Input.TrimCells(), severity: m.Severity,
			fields: make([]fieldPlan, len(m.Fields)), columns: make([]int16, len(m.Fields)), tables: make([]string, len(m.Fields)),
		},
		tables: map[TableLookup]*lookupTable{},
	}
	return c.finish(c.compile)
}

// finish returns the plan once compile has bound the mapping, if that has no faults.
func (c *compiler) finish(compile func()) (*Plan, error) {
	c.m.check(c.faults)
	if len(c.list) == 0 {
		compile()
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.plan, nil
}

// compiler binds one mapping. It continues after a fault, to find all of them.
type compiler struct {
	*faults
	m      *Mapping
	r      *Resource
	o      *CompileOptions
	plan   *Plan
	tables map[TableLookup]*lookupTable
}

func (c *compiler) compile() {
	m := c.m
	if m.Resource != "" && m.Resource != c.r.Name {
		c.add(m.at("resource"), "", "the mapping is for resource %s, not %s", m.Resource, c.r.Name)
		return
	}
	for _, word := range m.Input.Nulls {
		if word != "" {
			c.plan.nulls = append(c.plan.nulls, []byte(word))
		}
	}
	targets := c.targets()
	for i := range m.Fields {
		c.field(i)
	}
	if m.Where != "" {
		c.plan.where = c.expr(m.Where, "where", true)
	}
	if len(c.list) > 0 {
		return
	}
	schema, err := c.r.Schema(targets)
	if err != nil {
		c.addError(err)
		return
	}
	c.plan.schema = schema
	c.key()
	c.plan.rowwise = c.plan.rowwiseColumns()
}

// targets checks the fields that are written, and that no required field is left out.
// It returns the names of their columns.
func (c *compiler) targets() []string {
	mapped := make(map[*Field]bool, len(c.m.Fields))
	var names []string
	for i := range c.m.Fields {
		name := c.m.Fields[i].Field
		at := c.m.at("fields/" + name)
		f := c.r.Field(name)
		switch {
		case f == nil:
			c.add(at, text.Known(name, c.r.writable()), "unknown field %q", name)
			continue
		case f.ReadOnly && f.Name != idField:
			c.add(at, "leave it out: the API sets it", "field %s is read-only", name)
		case mapped[f]:
			c.add(at, "", "field %s is mapped twice", f.Column())
		}
		mapped[f] = true
		names = append(names, f.Column())
	}
	partial := c.o.Partial || c.o.ByID && mapped[c.r.Field(idField)]
	for i := range c.r.Fields {
		if f := &c.r.Fields[i]; f.Required && !f.ReadOnly && !mapped[f] && !partial {
			c.add(c.m.at("fields"), "add a line such as: "+f.Column()+": COLUMN", "required field %s is not mapped", f.Column())
		}
	}
	return names
}

// writable returns the columns of the fields that a mapping may write.
func (r *Resource) writable() []string {
	var names []string
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.ReadOnly || f.Name == idField {
			names = append(names, f.Column())
		}
	}
	return names
}

// field compiles the rule of field i.
func (c *compiler) field(i int) {
	rule, f := &c.m.Fields[i], &c.plan.fields[i]
	path := "fields/" + rule.Field
	c.plan.columns[i] = pipeline.None
	for k, name := range rule.From {
		column, ok := c.plan.names.find(name)
		if !ok {
			c.add(c.m.at(fmt.Sprint(path, "/from/", k), path), text.Known(name, c.plan.names.names), "unknown column %q", name)
		}
		f.from = append(f.from, column)
	}
	if len(f.from) == 1 {
		c.plan.columns[i] = problemColumn(f.from[0])
	}
	if rule.Const != nil {
		f.constant = []byte(*rule.Const)
	}
	if rule.Expr != "" {
		if f.expr = c.expr(rule.Expr, path+"/expr", false); f.expr != nil {
			c.plan.columns[i] = f.expr.single()
		}
	}
	if rule.Default != nil {
		f.fallback = []byte(*rule.Default)
	}
	c.chain(f, rule)
	if rule.Lookup != nil {
		c.lookup(f, rule.Lookup, path+"/lookup")
		if f.lookup != nil {
			c.plan.tables[i] = f.lookup.name
		}
	}
}

// problemColumn returns a column in the type that Problem has for it; pipeline.None if
// it is too large.
func problemColumn(column int) int16 {
	if column > math.MaxInt16 {
		return pipeline.None
	}
	return int16(column)
}

// chain builds the conversions of a rule, which have been checked already.
func (c *compiler) chain(f *fieldPlan, rule *Rule) {
	o := conversionOptions{identity: c.o.Identity}
	if field := c.r.Field(rule.Field); field != nil {
		o.format = field.Format
	}
	for _, use := range rule.Apply {
		if use.Name == joinName {
			f.joined, f.join = true, []byte(strings.Join(use.Args, ""))
			if len(use.Args) == 0 {
				f.join = []byte(" ")
			}
			continue
		}
		convert, err := findConversion(use.Name).build(use, &o)
		if err != nil {
			c.addError(err)
			continue
		}
		f.chain = append(f.chain, convert)
	}
	c.plan.longest = max(c.plan.longest, len(f.chain))
}

func (c *compiler) expr(text, path string, condition bool) *program {
	p, fault := compileExpr(text, c.plan.names, condition)
	if fault == nil {
		return p
	}
	at := c.m.at(path)
	moved := shift(at, text, fault.offset)
	msg := fault.msg
	if moved == at && fault.offset > 0 {
		msg = fmt.Sprintf("%s, at character %d", msg, fault.offset+1)
	}
	c.add(moved, fault.hint, "expression: %s", msg)
	return nil
}

// lookup loads the table of l, once for all fields that use it.
func (c *compiler) lookup(f *fieldPlan, l *TableLookup, path string) {
	if f.lookup = c.tables[*l]; f.lookup != nil {
		return
	}
	table, err := loadTable(l, c.o.Dir)
	var unknown *unknownHeader
	switch {
	case errors.As(err, &unknown):
		c.add(c.m.at(path+"/"+unknown.part), text.Known(unknown.name, unknown.columns), "lookup: %v", err)
		return
	case errors.Is(err, fs.ErrNotExist):
		c.add(c.m.at(path+"/file"), "paths are relative to the mapping file", "lookup: %v", err)
		return
	case err != nil:
		c.add(c.m.at(path+"/file"), "", "lookup: %v", err)
		return
	}
	name := table.name
	for n := 2; c.taken(table.name); n++ {
		table.name = fmt.Sprint(name, "_", n)
	}
	c.tables[*l], f.lookup = table, table
}

func (c *compiler) taken(name string) bool {
	for _, t := range c.tables {
		if t.name == name {
			return true
		}
	}
	return false
}

// key finds the field that identifies a row: the mapping's, or the resource's
// own if that is mapped.
func (c *compiler) key() {
	name := cmp.Or(c.m.Key, c.r.Key)
	if f := c.r.Field(name); f != nil {
		c.plan.key = c.plan.schema.Index(f.Column())
	}
	if c.plan.key < 0 && c.m.Key != "" {
		mapped := make([]string, len(c.plan.schema.Fields))
		for i, f := range c.plan.schema.Fields {
			mapped[i] = f.Name
		}
		c.add(c.m.at("key"), text.Known(name, mapped), "key %q is not a field of the mapping", name)
	}
}

// direct reports whether the field is an input column without changes, so that it need
// not be computed row by row.
func (f *fieldPlan) direct() bool {
	return len(f.from) == 1 && len(f.chain) == 0 && f.lookup == nil && f.fallback == nil
}

// rowwiseColumns returns the input columns that fields or expressions read row by row.
func (p *Plan) rowwiseColumns() []int {
	used := make([]bool, len(p.names.names))
	programs := []*program{p.where}
	for i := range p.fields {
		f := &p.fields[i]
		programs = append(programs, f.expr)
		if !f.direct() {
			for _, column := range f.from {
				used[column] = true
			}
		}
	}
	for _, code := range programs {
		for column := range used {
			used[column] = used[column] || code != nil && code.uses(column)
		}
	}
	var columns []int
	for column, is := range used {
		if is {
			columns = append(columns, column)
		}
	}
	return columns
}

// headers are the columns of an input, which can be found by name in any Unicode form.
type headers struct {
	names []string
	at    map[string]int
}

func newHeaders(names []string) *headers {
	h := &headers{names: names, at: make(map[string]int, len(names))}
	for i := len(names) - 1; i >= 0; i-- {
		h.at[headerKey(names[i])] = i
	}
	return h
}

func headerKey(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// find returns the index of the column called name.
func (h *headers) find(name string) (int, bool) {
	i, ok := h.at[headerKey(name)]
	return i, ok
}
