package mappings

import (
	"embed"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"flytt/internal/text"
	"flytt/pipeline"
)

// Resource describes one kind of API object, as its descriptor file says. A resource is
// data; to add one, add a file. Resources are shared and must not be changed.
type Resource struct {
	Name        string            // externalclientcontactperson
	Application string            // organization
	Path        string            // with slashes at both ends: /organization/externalclientcontactperson/
	Title       map[string]string // by language: en, sv
	Key         string            // the field that identifies a row unless the mapping says otherwise: custom_id
	Fields      []Field
	Search      []string // fields that the sandbox's _search searches; the API does not say which it searches
	Parameters  []string // what its list accepts besides filters: _page, _page_size, tags
}

// Field describes one field of a resource.
type Field struct {
	Name     string
	Type     string // one of FieldTypes
	To       string // reference, references: the resource referred to
	Required bool   // must be given when a record is created
	Nullable bool   // null is a value
	ReadOnly bool   // never written
	Unique   bool   // among all records; only the API can tell
	Private  bool   // identifies a person: must not be part of a URL

	MinLength int // characters; 0: no bound
	MaxLength int // characters; 0: no bound
	Minimum   *float64
	Maximum   *float64
	Pattern   string // RE2, found anywhere in the value unless it is anchored
	Format    string // one of FieldFormats, or empty
	Enum      []string

	Together []string // must be set together with these
	AnyOf    []string // this or at least one of these must be set
	Excludes []string // cannot be set when one of these is set
	Requires []string // when set, these must be set

	Compare Comparison          // forms in which two texts of the field are one value, whichever of them a record holds
	Apply   []string            // the default conversions of automatic mapping: [personnummer]
	Aliases map[string][]string // headers that mean this field, by language: sv, en
	Filters string              // the operators its list filter takes: text, reference, time, or empty
	Help    string
}

// FieldTypes are the types a field can have.
var FieldTypes = []string{"string", "uuid", "date", "date-time", "integer", "number", "boolean", "reference", "references", "any"}

// FieldFormats are the formats that the text of a field can be required to have.
var FieldFormats = []string{"email", "personnummer", "organisationsnummer", "luhn", "phone", "gln13"}

var columnTypes = map[string]pipeline.Type{
	"string": pipeline.Text, "uuid": pipeline.UUID, "date": pipeline.Date, "date-time": pipeline.DateTime,
	"integer": pipeline.Integer, "number": pipeline.Number, "boolean": pipeline.Boolean,
	"reference": pipeline.UUID, "references": pipeline.JSON, "any": pipeline.JSON,
}

// filterOperators are the operators of list filters, besides exact, by the name that a
// descriptor uses for the set. Each can be negated.
var filterOperators = map[string][]string{
	"text":      {"contains", "endswith", "icontains", "iendswith", "iexact", "in", "isnull", "istartswith", "startswith"},
	"reference": {"in", "isnull"},
	"time":      {"gt", "gte", "in", "isnull", "lt", "lte"},
}

// filterSets are the names of filterOperators, in the order they are shown.
var filterSets = []string{"text", "reference", "time"}

// Column returns the name of the field's column in a batch: external_client.id
// for a reference, the name itself for all others.
func (f *Field) Column() string {
	if f.Type == "reference" {
		return f.Name + ".id"
	}
	return f.Name
}

// Operators returns the operators of the field's list filter besides exact,
// nil if it has no filter.
func (f *Field) Operators() []string { return filterOperators[f.Filters] }

// Field returns the field called name, by its own name or by that of its
// column (external_client and external_client.id are the same), or nil.
func (r *Resource) Field(name string) *Field {
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Name == name || f.Column() == name {
			return f
		}
	}
	return nil
}

// Columns returns the names of the columns of all fields, in order.
func (r *Resource) Columns() []string {
	columns := make([]string, len(r.Fields))
	for i := range r.Fields {
		columns[i] = r.Fields[i].Column()
	}
	return columns
}

// Schema returns the schema of a batch with the given columns of fields. It is an error
// if a name is unknown or occurs twice.
func (r *Resource) Schema(columns []string) (*pipeline.Schema, error) {
	s := &pipeline.Schema{Fields: make([]pipeline.Field, 0, len(columns))}
	for _, name := range columns {
		f := r.Field(name)
		if f == nil {
			return nil, withHint("resource "+r.Name+" has no field "+name, text.Known(name, r.Columns()))
		}
		if s.Index(f.Column()) >= 0 {
			return nil, errors.New("field " + f.Column() + " appears twice")
		}
		s.Fields = append(s.Fields, pipeline.Field{Name: f.Column(), Type: columnTypes[f.Type]})
	}
	return s, nil
}

//go:embed resources/*.yaml
var descriptors embed.FS

// Resources returns the names of all resources, sorted.
func Resources() []string {
	files, err := fs.Glob(descriptors, "resources/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(file, "resources/"), ".yaml")
	}
	slices.Sort(files)
	return files
}

var parsed sync.Map // name → func() (*Resource, error), once for each name

// Lookup returns the resource called name. It is parsed at the first call.
func Lookup(name string) (*Resource, error) {
	if !slices.Contains(Resources(), name) {
		return nil, withHint("resource "+name+" is not known", text.Known(name, Resources()))
	}
	once, _ := parsed.LoadOrStore(name, sync.OnceValues(func() (*Resource, error) {
		file := "resources/" + name + ".yaml"
		data, err := descriptors.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return ParseResource(file, data)
	}))
	return once.(func() (*Resource, error))()
}

// withHint returns an error whose text has the hint, if any, on a line of its
// own.
func withHint(msg, hint string) error {
	if hint == "" {
		return errors.New(msg)
	}
	return errors.New(msg + "\nhint: " + hint)
}
