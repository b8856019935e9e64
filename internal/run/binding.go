package run

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// binding is what the rows of a run are: of which resource, by which mapping, under
// which rules.
type binding struct {
	resource  *mappings.Resource
	mapping   *mappings.Mapping // nil: there is none, of an export of all fields
	file      string            // that the mapping was read from; empty: it was not
	guessed   bool              // the mapping was: its conversions are for cells that differ from their record
	plan      *mappings.Plan
	validator *mappings.Validator // nil: rows are taken as they are
}

func readMapping(file string) (*mappings.Mapping, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, advice.Usage(fmt.Errorf("mapping %s: %w", file, osfile.Cause(err)), osfile.NotFoundHint(file, "without -m the mapping is guessed from the headers"))
	}
	return mappings.ParseMapping(file, data)
}

// newBinding reads the mapping that s names, and finds the resource.
func newBinding(s *Spec) (_ *binding, err error) {
	b := &binding{file: s.Mapping}
	if b.mapping, err = readMapping(s.Mapping); err != nil {
		return nil, err
	}
	b.resource, err = chooseResource(s, b.mapping)
	return b, err
}

// chooseResource returns the resource that the rows are of.
func chooseResource(s *Spec, m *mappings.Mapping) (*mappings.Resource, error) {
	name := cmp.Or(s.Resource, s.Settings.Resource)
	if m != nil && m.Resource != "" {
		if name != "" && name != m.Resource && s.Resource != "" {
			return nil, advice.Usagef("leave --resource out, or use another mapping", "%s is for %s, not for %s", s.Mapping, m.Resource, name)
		}
		name = m.Resource
	}
	return ResourceCalled(name)
}

// ResourceCalled returns the resource called name; an empty name is the only one there
// is.
func ResourceCalled(name string) (*mappings.Resource, error) {
	names := mappings.Resources()
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if name == "" {
		return nil, advice.Usagef("the resources are "+strings.Join(names, ", "), "name the resource: --resource NAME")
	}
	r, err := mappings.Lookup(name)
	if err != nil {
		return nil, advice.Usage(err, cmp.Or(advice.HintOf(err), "flytt schema lists the resources"))
	}
	return r, nil
}

// guess makes a mapping from the headers, and notes it.
func (b *binding) guess(columns []string, partial bool, o *Observer) error {
	guess := mappings.AutoMapping
	if partial {
		guess = mappings.PartialMapping
	}
	m, guesses, err := guess(b.resource, columns)
	if err != nil {
		return advice.Usage(err, "write a mapping file and give it with -m; flytt schema "+b.resource.Name+" lists the fields")
	}
	b.mapping, b.guessed = m, true
	text, err := m.YAML()
	if err != nil {
		return err
	}
	o.Note(MappingGuessed{text, guesses})
	return nil
}

// compile makes the plan and the validator for columns. Change is what rows do to
// records; nil: they go to a file. Of a run that is resumed, or about another, guessed
// is what that knew of its mapping.
func (b *binding) compile(columns []string, m *mappings.Mapping, change *Change, today time.Time) (err error) {
	o := b.compileOptions(today)
	v := mappings.ValidateOptions{Identity: m.IdentityRules(o.Identity), Severity: m.Severity}
	if change != nil {
		if err := change.fit(b.resource, m, &o, &v); err != nil {
			return err
		}
	}
	if b.plan, err = m.Compile(b.resource, columns, o); err != nil {
		return err
	}
	v.Columns = b.plan.Columns()
	if b.validator, err = mappings.NewValidator(b.resource, b.plan.Schema(), v); err != nil {
		return advice.Usage(err, "flytt schema "+b.resource.Name+" lists the fields")
	}
	return nil
}

// compileOptions are what the mapping is bound with, where today is the day that rules
// about dates go by.
func (b *binding) compileOptions(today time.Time) mappings.CompileOptions {
	o := mappings.CompileOptions{Identity: identity.Rules{Today: today}}
	if b.file != "" {
		o.Dir = filepath.Dir(b.file)
	}
	return o
}

// copyOfMapping returns the mapping of the run as a file. It lies in another directory
// than the one it was read from, so its tables are named in full.
func (b *binding) copyOfMapping() ([]byte, error) {
	m := *b.mapping
	m.Fields = slices.Clone(m.Fields)
	for i := range m.Fields {
		table := m.Fields[i].Lookup
		if table == nil || filepath.IsAbs(table.File) {
			continue
		}
		path, err := filepath.Abs(filepath.Join(filepath.Dir(b.file), table.File))
		if err != nil {
			return nil, err
		}
		moved := *table
		moved.File = path
		m.Fields[i].Lookup = &moved
	}
	return m.YAML()
}

func (b *binding) tables() []string {
	var paths []string
	if b.mapping == nil {
		return nil
	}
	for i := range b.mapping.Fields {
		table := b.mapping.Fields[i].Lookup
		switch {
		case table == nil:
		case filepath.IsAbs(table.File):
			paths = append(paths, table.File)
		default:
			paths = append(paths, filepath.Join(filepath.Dir(b.file), table.File))
		}
	}
	return paths
}

// place names the cell that a field of a row comes from, or the row if it comes from no
// single one, by what cells are called.
func (b *binding) place(cells func(row int64, column int) string, field string, row int64) string {
	column := pipeline.None
	if i := b.plan.Schema().Index(field); i >= 0 {
		column = int(b.plan.Columns()[i])
	}
	return cells(row, column)
}
