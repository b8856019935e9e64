package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"flytt/internal/run"
	"flytt/mappings"
	"flytt/sinks/bulk"
)

// change is what the rows of a run do to records that exist. Nil is nothing: they
// go to a file.
type change struct {
	mode  string
	key   string
	nulls bool
	skip  bool // rows whose key is there already

	compare         run.Comparisons // the forms in which fields are compared with those of records
	compareAsBefore bool            // compare comes from the record of an earlier run, not from the settings

	guessed bool // the mapping was: its conversions are for cells that differ from their record
}

// The values of --mode.
const (
	modeCreate = "create"
	modeUpdate = "update"
	modeUpsert = "upsert"
)

func (c *change) addFlags(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&c.mode, "mode", "", "`MODE`: create makes every row a new record, update changes the record of every row, upsert does what applies (default: rows with an id change their record, the others are new)")
	s.StringVar(&c.key, "key", "", "`FIELD` that identifies a row; update and upsert find the record of a row without an id by it (default: the mapping's key)")
	s.BoolVar(&c.skip, "skip-existing", false, "leave out rows that would make a record whose key the API has already (it is asked for before they are sent)")
	s.BoolVar(&c.nulls, "write-nulls", false, "an empty cell clears the field of the record it changes (default: it leaves it alone)")
}

// check reports flags that cannot be meant.
func (c *change) check() error {
	if c == nil {
		return nil
	}
	if _, err := bulk.ParseMode(c.mode); err != nil {
		return usagef("it is create, update or upsert; left out, rows with an id change their record and the others are new", "--mode %s is not known", c.mode)
	}
	if c.skip && c.finds() {
		return usagef("leave one of them out", "--skip-existing leaves out rows whose record is there, and --mode %s changes those records", c.mode)
	}
	if c.nulls && c.mode == modeCreate {
		return usagef("leave one of them out", "--write-nulls clears fields of records that exist, and --mode create changes none")
	}
	return nil
}

// finds reports whether rows may find their record by key.
func (c *change) finds() bool { return c.mode == modeUpdate || c.mode == modeUpsert }

// byRecord reports whether a row with an id changes the record that it names.
func (c *change) byRecord() bool { return c != nil && c.mode != modeCreate }

// guess makes a mapping from headers.
func (c *change) guess(r *mappings.Resource, columns []string) (*mappings.Mapping, []mappings.Guess, error) {
	if c != nil {
		c.guessed = true
	}
	if c != nil && c.mode == modeUpdate {
		return mappings.PartialMapping(r, columns)
	}
	return mappings.AutoMapping(r, columns)
}

// bind fits mapping and options to what rows do.
func (c *change) bind(r *mappings.Resource, m *mappings.Mapping, compile *mappings.CompileOptions, validate *mappings.ValidateOptions) error {
	if c == nil {
		return nil
	}
	compile.Partial = c.mode == modeUpdate
	compile.ByID = c.mode != modeCreate
	validate.Partial, validate.ByID = compile.Partial, compile.ByID
	validate.Clear, validate.New = c.nulls, c.mode == modeCreate
	if !c.byKey() {
		return nil
	}
	f := r.Field(c.key)
	if f == nil {
		return usagef("flytt schema "+r.Name+" lists the fields", "--key %s: there is no such field", c.key)
	}
	if !slices.ContainsFunc(m.Fields, func(rule mappings.Rule) bool { return r.Field(rule.Field) == f }) {
		return usagef("add it to the mapping, or name a field that is in it", "--key %s: no column is mapped to it", c.key)
	}
	m.Key = f.Column()
	return nil
}

// byKey reports whether a key was named, other than the id.
func (c *change) byKey() bool { return c.key != "" && c.key != "id" }

// options says to the sink what rows of an input with the columns called columns
// do.
func (c *change) options(r *mappings.Resource, plan *mappings.Plan, columns []string, o *bulk.Options) (err error) {
	if o.Mode, err = bulk.ParseMode(c.mode); err != nil {
		return err
	}
	o.Records, o.AsStored, o.Compare = r.Path, c.guessed, c.compare.Functions()
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
	key := r.Field(o.Key)
	if key != nil {
		o.KeyLookup = !key.Private && slices.Contains(key.Operators(), "in")
		o.KeyContains = o.KeyLookup && slices.Contains(key.Operators(), "icontains")
		o.KeyDigits = key.Format == "personnummer" || key.Format == "organisationsnummer"
	}
	if c.finds() && key != nil && !o.KeyLookup && (c.byKey() || plan.Schema().Index("id") < 0) {
		return c.unfit(key)
	}
	if o.SkipExisting = c.skip; c.skip && !o.KeyLookup {
		return c.unskippable(key)
	}
	for _, column := range plan.Schema().Fields {
		if f := r.Field(column.Name); c.nulls && f.Nullable && !f.ReadOnly {
			o.Nulls = append(o.Nulls, f.Name)
		}
	}
	return nil
}

// unfit says why records cannot be found by the field key.
func (c *change) unfit(key *mappings.Field) error {
	hint := "name another with --key, such as custom_id, or map the column that has the API's id to id"
	if key.Private {
		return usagef(hint, "records cannot be found by %s: it identifies a person, and would stand in the address of every request", key.Name)
	}
	return usagef(hint, "records cannot be found by %s: the API's list has no filter for several of its values", key.Name)
}

// unskippable says why rows cannot be left out for their key.
func (c *change) unskippable(key *mappings.Field) error {
	if key != nil {
		return c.unfit(key)
	}
	return usagef("name one with --key, such as custom_id, or write one into each row with --stamp",
		"--skip-existing: rows have no key by which to tell whether they are there")
}

// chunkRows is how many rows a chunk has unless the user says otherwise. Rows
// that change records are looked up and sent one by one, so that small chunks
// keep all requests busy.
func (c *change) chunkRows(plan *mappings.Plan) int {
	if c.finds() || c.mode != modeCreate && plan.Schema().Index("id") >= 0 {
		return defaultChangeRows
	}
	return defaultChunkRows
}

// question is what is asked before rows are sent to place.
func (c *change) question(file, place string) string {
	if c.mode == modeUpdate {
		return fmt.Sprintf("Change the records of %s at %s?", file, place)
	}
	return fmt.Sprintf("Write the valid rows of %s to %s?", file, place)
}

// decideForms decides in which forms the rows of the run are compared, unless the record
// of an earlier run says so.
func (j *job) decideForms() (err error) {
	if j.change == nil || j.change.compareAsBefore {
		return nil
	}
	j.change.compare, err = j.settings.Compare.InForce(j.resource, j.plan.Key())
	return err
}

// compareAs takes the forms in which fields are compared from the spec of an earlier run.
func (c *change) compareAs(spec *run.RecordedSpec) error {
	c.compare, c.compareAsBefore = spec.Compare, true
	return spec.Compare.CheckForms("the run")
}
