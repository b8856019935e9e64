package run

import (
	"slices"

	"flytt/internal/advice"
	"flytt/mappings"
	"flytt/sinks/bulk"
)

// Change says what the rows of a run do to records that exist.
type Change struct {
	Mode         string // create, update or upsert; empty: a row with an id changes its record, the others are new
	Key          string // field by which the record of a row is found; empty: that of the mapping
	WriteNulls   bool   // an empty cell clears the field
	SkipExisting bool   // rows whose key is there already are left out
}

// The values of Mode.
const (
	ModeCreate = "create"
	ModeUpdate = "update"
	ModeUpsert = "upsert"
)

// check reports flags that cannot be meant.
func (c *Change) check() error {
	if _, err := bulk.ParseMode(c.Mode); err != nil {
		return advice.Usagef("use create, update or upsert; without --mode, rows with an id change their record and the others are new", "unknown mode %q", c.Mode)
	}
	if c.SkipExisting && c.finds() {
		return advice.Usagef("leave one of them out", "--skip-existing leaves out rows whose record is there, and --mode %s changes those records", c.Mode)
	}
	if c.WriteNulls && c.Mode == ModeCreate {
		return advice.Usagef("leave one of them out", "--write-nulls clears fields of records that exist, and --mode create changes none")
	}
	return nil
}

// finds reports whether rows may find their record by key.
func (c *Change) finds() bool { return c.Mode == ModeUpdate || c.Mode == ModeUpsert }

// byRecord reports whether a row with an id changes the record that it names.
func (c *Change) byRecord() bool { return c.Mode != ModeCreate }

// namesKey reports whether a key was named, other than the id.
func (c *Change) namesKey() bool { return c.Key != "" && c.Key != "id" }

// fit fits the mapping m of r, and how it is bound, to what rows do.
func (c *Change) fit(r *mappings.Resource, m *mappings.Mapping, compile *mappings.CompileOptions, validate *mappings.ValidateOptions) error {
	compile.Partial = c.Mode == ModeUpdate
	compile.ByID = c.byRecord()
	validate.Partial, validate.ByID = compile.Partial, compile.ByID
	validate.Clear, validate.New = c.WriteNulls, !c.byRecord()
	if !c.namesKey() {
		return nil
	}
	f := r.Field(c.Key)
	if f == nil {
		return advice.Usagef("flytt schema "+r.Name+" lists the fields", "--key %s: unknown field", c.Key)
	}
	if !slices.ContainsFunc(m.Fields, func(rule mappings.Rule) bool { return r.Field(rule.Field) == f }) {
		return advice.Usagef("add it to the mapping, or name a field that is in it", "--key %s: no column is mapped to it", c.Key)
	}
	m.Key = f.Column()
	return nil
}

// writeOptions fills in how rows of b are written, whose input has the columns called
// columns.
func (c *Change) writeOptions(b *binding, columns []string, o *bulk.ImportOptions) (err error) {
	r := b.resource
	if o.Mode, err = bulk.ParseMode(c.Mode); err != nil {
		return err
	}
	o.Records, o.AsStored = r.Path, b.guessed
	for i, name := range columns {
		if f := r.Field(name); f != nil && f.ReadOnly && f.Name != "id" {
			o.ReadOnly = append(o.ReadOnly, bulk.Cell{Column: i, Field: f.Name})
		}
	}
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == "string" && !f.Required && !f.ReadOnly && len(f.Enum) == 0 && f.Name != r.Key {
			o.Texts = append(o.Texts, f.Name) // an API may number records by itself, in their key
		}
	}
	for _, column := range b.plan.Schema().Fields {
		if f := r.Field(column.Name); c.WriteNulls && f.Nullable && !f.ReadOnly {
			o.Nulls = append(o.Nulls, f.Name)
		}
	}
	return c.keyOptions(b, o)
}

// keyOptions fills in how records are found by the key of rows.
func (c *Change) keyOptions(b *binding, o *bulk.ImportOptions) error {
	key := b.resource.Field(o.Key)
	if key != nil {
		o.KeyLookup = !key.Private && slices.Contains(key.Operators(), "in")
		o.KeyContains = o.KeyLookup && slices.Contains(key.Operators(), "icontains")
		o.KeyDigits = key.Format == "personnummer" || key.Format == "organisationsnummer"
	}
	if c.finds() && key != nil && !o.KeyLookup && (c.namesKey() || b.plan.Schema().Index("id") < 0) {
		return unfitKey(key)
	}
	if o.SkipExisting = c.SkipExisting; c.SkipExisting && !o.KeyLookup {
		if key != nil {
			return unfitKey(key)
		}
		return advice.Usagef("name one with --key, such as custom_id, or write one into each row with --stamp",
			"--skip-existing: rows have no key to find existing records by")
	}
	return nil
}

// unfitKey says why records cannot be found by the field key.
func unfitKey(key *mappings.Field) error {
	hint := "name another with --key, such as custom_id, or map the column that has the API's id to id"
	if key.Private {
		return advice.Usagef(hint, "records cannot be found by %s: it identifies a person, and would be in the URL of every request", key.Name)
	}
	return advice.Usagef(hint, "records cannot be found by %s: the API's list has no filter for several of its values", key.Name)
}

// chunkRows is how many rows a chunk has unless the user says otherwise. Rows
// that change records are looked up and sent one by one, so that small chunks
// keep all requests busy.
func (c *Change) chunkRows(plan *mappings.Plan) int {
	if c.finds() || c.byRecord() && plan.Schema().Index("id") >= 0 {
		return DefaultChangeRows
	}
	return DefaultChunkRows
}
