package mappings

// Resource describes one kind of API object: what its descriptor file says.
// A resource is data; adding one is adding a file.
type Resource struct {
	Name        string            `yaml:"resource"`    // externalclientcontactperson
	Application string            `yaml:"application"` // organization
	Path        string            `yaml:"path"`        // with slashes at both ends: /organization/externalclientcontactperson/
	Title       map[string]string `yaml:"title"`       // by language: en, sv
	Key         string            `yaml:"key"`         // the field that identifies a row where the mapping does not say: custom_id
	Fields      []Field           `yaml:"fields"`
	Search      []string          `yaml:"search"` // fields that _search looks into
}

// Field describes one field of a resource.
type Field struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"` // string, uuid, date, date-time, integer, number, boolean, reference, references, any
	To       string `yaml:"to"`   // reference, references: the resource referred to
	Required bool   `yaml:"required"`
	Nullable bool   `yaml:"nullable"` // null is a value
	ReadOnly bool   `yaml:"read_only"`
	Unique   bool   `yaml:"unique"`
	Private  bool   `yaml:"private"` // identifies a person: never in a URL of our own making

	MinLength int      `yaml:"min_length"` // characters; 0: no bound
	MaxLength int      `yaml:"max_length"` // characters; 0: no bound
	Minimum   *float64 `yaml:"minimum"`
	Maximum   *float64 `yaml:"maximum"`
	Pattern   string   `yaml:"pattern"` // RE2, must match as written
	Format    string   `yaml:"format"`  // email, personnummer, organisationsnummer, luhn, phone, gln13
	Enum      []string `yaml:"enum"`

	Together []string `yaml:"together"` // must be set together with these
	AnyOf    []string `yaml:"any_of"`   // this or at least one of these must be set
	Excludes []string `yaml:"excludes"` // cannot be set when one of these is set
	Requires []string `yaml:"requires"` // when set, these must be set

	Apply   []string            `yaml:"apply"`   // the natural conversions of automatic mapping: [personnummer]
	Aliases map[string][]string `yaml:"aliases"` // headers that mean this field, by language: sv, en
	Filters string              `yaml:"filters"` // text, reference, time, or empty: the operators its list filter takes
	Help    string              `yaml:"help"`
}

// Column returns the name of the field's column in a batch: external_client.id
// for a reference, the name itself for all others.
func (f *Field) Column() string {
	if f.Type == "reference" {
		return f.Name + ".id"
	}
	return f.Name
}
