package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/mappings"
)

// table is a resource as it is stored and served.
type table struct {
	resource *mappings.Resource
	fields   []field
	index    map[string]int // position of a field by its name
	id       int            // position of the server-made id
	created  int            // position of the server-made created_at, or -1
	unique   []int          // fields no two rows of a tenant share, the id aside
	rules    *rules
	sql      statements
	locked   atomic.Bool // by a write, see Locks
}

// field is a field of a table.
type field struct {
	*mappings.Field
	kind
	label  []byte // how its member of an object begins: "name":
	column string // the quoted name of its column
}

// newTable lays out the table of r.
func newTable(r *mappings.Resource, o *Options) (*table, error) {
	t := &table{resource: r, index: map[string]int{}, id: -1, created: -1}
	for i := range r.Fields {
		if err := t.add(&r.Fields[i]); err != nil {
			return nil, fmt.Errorf("resource %s: field %s: %w", r.Name, r.Fields[i].Name, err)
		}
	}
	if t.id < 0 {
		return nil, fmt.Errorf("resource %s: no field id of type uuid", r.Name)
	}
	if key, ok := t.index[r.Key]; ok && o.UniqueKey && !r.Fields[key].Unique {
		t.unique = append(t.unique, key)
	}
	var err error
	if t.rules, err = newRules(t, o.Now); err != nil {
		return nil, fmt.Errorf("resource %s: %w", r.Name, err)
	}
	t.sql = newStatements(t)
	return t, nil
}

func (t *table) add(f *mappings.Field) error {
	k, ok := kinds[f.Type]
	if !ok {
		return fmt.Errorf("type %s: not known", f.Type)
	}
	if _, twice := t.index[f.Name]; twice {
		return fmt.Errorf("named twice")
	}
	label, err := jsontext.AppendQuote(nil, f.Name)
	if err != nil {
		return err
	}
	switch {
	case f.Name == "id" && f.Type == "uuid":
		t.id = len(t.fields)
	case f.Name == "created_at" && f.Type == "date-time":
		t.created = len(t.fields)
	case f.Unique:
		t.unique = append(t.unique, len(t.fields))
	}
	t.index[f.Name] = len(t.fields)
	t.fields = append(t.fields, field{f, k, append(label, ':'), quoteName(f.Name)})
	return nil
}

// indexed reports whether SQLite has an index that begins with field i.
func (t *table) indexed(i int) bool {
	return i == t.id || i == t.created || t.fields[i].Name == t.resource.Key || slices.Contains(t.unique, i)
}

// made reports whether the server alone makes field i.
func (t *table) made(i int) bool { return i == t.id || i == t.created || t.fields[i].ReadOnly }

// quoteName quotes a name for SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// statements are the SQL texts of a table. Everything variable in a statement
// is a parameter; only names of the descriptor, quoted, are spliced in.
type statements struct {
	name    string // of the table, quoted
	create  []string
	columns string // names of all columns, in order, separated by commas
	insert  string // parameters: tenant, doc, the fields in order
	update  string // parameters: doc, the fields in order, id, tenant
	remove  string // parameters: id, tenant
	get     string // parameters: id, tenant
	seed    string // as insert, but a row whose id is there stays as it is
}

// newStatements writes the SQL of t. The unary plus before _tenant keeps the
// planner from preferring it to the order of the rows or to an index.
func newStatements(t *table) statements {
	path := strings.Trim(t.resource.Path, "/")
	name := quoteName(path)
	defs := []string{"_row INTEGER PRIMARY KEY", "_tenant INTEGER NOT NULL", "_doc BLOB NOT NULL"}
	columns, sets := []string{"_row", "_tenant", "_doc"}, []string{"_doc=?"}
	for _, f := range t.fields {
		defs = append(defs, f.column+" "+f.sql)
		columns = append(columns, f.Name)
		sets = append(sets, f.column+"=?")
	}
	s := statements{name: name, columns: strings.Join(columns, ",")}
	s.create = []string{
		"CREATE TABLE IF NOT EXISTS " + name + " (" + strings.Join(defs, ", ") + ")",
		"CREATE UNIQUE INDEX IF NOT EXISTS " + quoteName(path+" id") + " ON " + name + " (id)",
	}
	if t.created >= 0 {
		s.create = append(s.create, "CREATE INDEX IF NOT EXISTS "+quoteName(path+" created")+" ON "+name+" (created_at, id, _tenant)")
	}
	for i, f := range t.fields {
		if t.indexed(i) && i != t.id && i != t.created {
			s.create = append(s.create, "CREATE INDEX IF NOT EXISTS "+quoteName(path+" "+f.Name)+" ON "+name+" ("+f.column+")")
		}
	}
	marks := strings.Repeat(",?", len(t.fields)+1)
	s.insert = "INSERT INTO " + name + " VALUES (NULL,?" + marks + ")"
	s.seed = s.insert + " ON CONFLICT (id) DO NOTHING"
	s.update = "UPDATE " + name + " SET " + strings.Join(sets, ",") + " WHERE id=? AND +_tenant=?"
	s.remove = "DELETE FROM " + name + " WHERE id=? AND +_tenant=?"
	s.get = "SELECT _doc FROM " + name + " WHERE id=? AND +_tenant=?"
	return s
}
