package mappings

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ParseResource parses a descriptor. It is strict: unknown keys, values of the wrong
// kind and rules that contradict each other are errors, each a *FileError that shows
// the line. file is the name for messages.
func ParseResource(file string, data []byte) (*Resource, error) {
	f, root, err := parseYAML(file, data)
	if err != nil {
		return nil, err
	}
	d := &descriptor{file: f, resource: &Resource{}}
	if d.nodes, err = readKeys(f, root, "the descriptor", resourceKeys, d.resource); err != nil {
		return nil, err
	}
	if err := d.readFields(); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.resource, nil
}

// descriptor is a descriptor file while it is parsed. The nodes are kept for the
// positions of faults.
type descriptor struct {
	file     *yamlFile
	resource *Resource
	nodes    map[string]ast.Node   // the values of the resource's keys
	fields   []map[string]ast.Node // the same for each field
}

// key is one key of a descriptor: its name and how its value is read into T.
type key[T any] struct {
	name string
	read func(f *yamlFile, n ast.Node, into *T) error
}

var resourceKeys = []key[Resource]{
	{"resource", textKey("resource", func(r *Resource) *string { return &r.Name })},
	{"application", textKey("application", func(r *Resource) *string { return &r.Application })},
	{"path", textKey("path", func(r *Resource) *string { return &r.Path })},
	{"title", languageKey("title", func(r *Resource) *map[string]string { return &r.Title })},
	{"key", textKey("key", func(r *Resource) *string { return &r.Key })},
	{"search", listKey("search", func(r *Resource) *[]string { return &r.Search })},
	{"parameters", listKey("parameters", func(r *Resource) *[]string { return &r.Parameters })},
	{"fields", func(*yamlFile, ast.Node, *Resource) error { return nil }}, // by readFields
}

var fieldKeys = []key[Field]{
	{"name", textKey("name", func(f *Field) *string { return &f.Name })},
	{"type", textKey("type", func(f *Field) *string { return &f.Type })},
	{"to", textKey("to", func(f *Field) *string { return &f.To })},
	{"required", booleanKey("required", func(f *Field) *bool { return &f.Required })},
	{"nullable", booleanKey("nullable", func(f *Field) *bool { return &f.Nullable })},
	{"read_only", booleanKey("read_only", func(f *Field) *bool { return &f.ReadOnly })},
	{"unique", booleanKey("unique", func(f *Field) *bool { return &f.Unique })},
	{"private", booleanKey("private", func(f *Field) *bool { return &f.Private })},
	{"min_length", lengthKey("min_length", func(f *Field) *int { return &f.MinLength })},
	{"max_length", lengthKey("max_length", func(f *Field) *int { return &f.MaxLength })},
	{"minimum", boundKey("minimum", func(f *Field) **float64 { return &f.Minimum })},
	{"maximum", boundKey("maximum", func(f *Field) **float64 { return &f.Maximum })},
	{"pattern", textKey("pattern", func(f *Field) *string { return &f.Pattern })},
	{"format", textKey("format", func(f *Field) *string { return &f.Format })},
	{"enum", listKey("enum", func(f *Field) *[]string { return &f.Enum })},
	{"together", listKey("together", func(f *Field) *[]string { return &f.Together })},
	{"any_of", listKey("any_of", func(f *Field) *[]string { return &f.AnyOf })},
	{"excludes", listKey("excludes", func(f *Field) *[]string { return &f.Excludes })},
	{"requires", listKey("requires", func(f *Field) *[]string { return &f.Requires })},
	{"compare", compareKey},
	{"apply", listKey("apply", func(f *Field) *[]string { return &f.Apply })},
	{"aliases", aliasesKey},
	{"filters", textKey("filters", func(f *Field) *string { return &f.Filters })},
	{"help", textKey("help", func(f *Field) *string { return &f.Help })},
}

// readKeys reads the mapping n into into and returns the values' nodes.
func readKeys[T any](f *yamlFile, n ast.Node, what string, keys []key[T], into *T) (map[string]ast.Node, error) {
	entries, err := f.mapping(n, what)
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]ast.Node, len(entries))
	for _, e := range entries {
		k := findKey(keys, e.key)
		if k == nil {
			return nil, f.unknown(e.at, "key", e.key, keyNames(keys))
		}
		if err := k.read(f, e.value, into); err != nil {
			return nil, err
		}
		nodes[e.key] = e.value
	}
	return nodes, nil
}

func findKey[T any](keys []key[T], name string) *key[T] {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

func keyNames[T any](keys []key[T]) []string {
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = keys[i].name
	}
	return names
}

func (d *descriptor) readFields() error {
	n := d.nodes["fields"]
	if n == nil {
		return d.file.fault(nil, "the key fields is missing")
	}
	items, err := d.file.list(n, "fields")
	if err != nil {
		return err
	}
	for _, item := range items {
		var field Field
		nodes, err := readKeys(d.file, item, "a field", fieldKeys, &field)
		if err != nil {
			return err
		}
		if nodes["name"] == nil {
			return d.file.fault(startToken(item), "a field without a name")
		}
		d.resource.Fields = append(d.resource.Fields, field)
		d.fields = append(d.fields, nodes)
	}
	if len(items) == 0 {
		return d.file.fault(startToken(n), "a resource without fields")
	}
	return nil
}

// at returns the position of field i's key, or of its name if it does not have that
// key.
func (d *descriptor) at(i int, key string) *token.Token {
	if n := d.fields[i][key]; n != nil {
		return startToken(n)
	}
	return startToken(d.fields[i]["name"])
}

// itemAt returns the place of item j of a list.
func itemAt(n ast.Node, j int) *token.Token {
	if s, ok := n.(*ast.SequenceNode); ok && j < len(s.Values) {
		return startToken(s.Values[j])
	}
	return startToken(n)
}

func textKey[T any](name string, field func(*T) *string) func(*yamlFile, ast.Node, *T) error {
	return func(f *yamlFile, n ast.Node, into *T) error {
		v, err := f.text(n, name)
		if err == nil && v == "" {
			err = f.fault(startToken(n), "%s is empty", name)
		}
		*field(into) = v
		return err
	}
}

func booleanKey[T any](name string, field func(*T) *bool) func(*yamlFile, ast.Node, *T) error {
	return func(f *yamlFile, n ast.Node, into *T) (err error) {
		*field(into), err = f.boolean(n, name)
		return err
	}
}

func lengthKey[T any](name string, field func(*T) *int) func(*yamlFile, ast.Node, *T) error {
	return func(f *yamlFile, n ast.Node, into *T) error {
		v, err := f.number(n, name)
		if err != nil {
			return err
		}
		if v < 1 || v > 1<<31 || v != float64(int(v)) {
			return f.fault(startToken(n), "%s needs a whole number of characters, at least 1", name)
		}
		*field(into) = int(v)
		return nil
	}
}

// boundKey parses a bound. Integers are compared exactly, so a bound must be one that a
// float64 can hold exactly.
func boundKey(name string, field func(*Field) **float64) func(*yamlFile, ast.Node, *Field) error {
	return func(f *yamlFile, n ast.Node, into *Field) error {
		v, err := f.number(n, name)
		if err != nil {
			return err
		}
		if !(v >= -maxExact && v <= maxExact) {
			return f.fault(startToken(n), "%s is beyond 2^53, the largest that is stored exactly", name)
		}
		*field(into) = &v
		return nil
	}
}

const maxExact = 1 << 53

func listKey[T any](name string, field func(*T) *[]string) func(*yamlFile, ast.Node, *T) error {
	return func(f *yamlFile, n ast.Node, into *T) (err error) {
		*field(into), err = f.texts(n, name)
		return err
	}
}

func languageKey[T any](name string, field func(*T) *map[string]string) func(*yamlFile, ast.Node, *T) error {
	return func(f *yamlFile, n ast.Node, into *T) (err error) {
		*field(into), err = byLanguage(f, n, name, f.text)
		return err
	}
}

func aliasesKey(f *yamlFile, n ast.Node, into *Field) (err error) {
	into.Aliases, err = byLanguage(f, n, "aliases", f.texts)
	return err
}

// byLanguage reads what there is in each language.
func byLanguage[V any](f *yamlFile, n ast.Node, name string, read func(ast.Node, string) (V, error)) (map[string]V, error) {
	entries, err := f.mapping(n, name)
	if err != nil {
		return nil, err
	}
	all := map[string]V{}
	for _, e := range entries {
		if err := f.language(e); err != nil {
			return nil, err
		}
		if all[e.key], err = read(e.value, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// languages are those that titles and aliases are given in.
var languages = []string{"sv", "en"}

func (f *yamlFile) language(e yamlEntry) error {
	if slices.Contains(languages, e.key) {
		return nil
	}
	return f.unknown(e.at, "language", e.key, languages)
}

// texts returns the items of n, a list of different texts, none empty.
func (f *yamlFile) texts(n ast.Node, what string) ([]string, error) {
	items, err := f.list(n, what)
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, len(items))
	seen := map[string]bool{}
	for _, item := range items {
		v, err := f.text(item, "an item of "+what)
		switch {
		case err != nil:
			return nil, err
		case v == "":
			return nil, f.fault(startToken(item), "an item of %s is empty", what)
		case seen[v]:
			return nil, f.fault(startToken(item), "%s appears twice in %s", v, what)
		}
		seen[v] = true
		texts = append(texts, v)
	}
	return texts, nil
}
