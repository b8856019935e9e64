package mappings

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"

	"flytt/internal/text"
	"flytt/mappings/format"
)

var (
	snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	pathForm  = regexp.MustCompile(`^/([a-z0-9_-]+/)+$`)
)

// listParameters are the parameters that lists of the API know besides filters.
var listParameters = []string{
	"_jsonl", "_order_by", "_page", "_page_size", "_search", "_slim", "_statistics",
	"customer_columns", "global_realestates", "global_segments", "tags",
}

// check checks the descriptor for contradictions.
func (d *descriptor) check() error {
	if err := d.checkNames(); err != nil {
		return err
	}
	for i := range d.resource.Fields {
		for _, check := range []func(int) error{d.checkType, d.checkText, d.checkBounds, d.checkEnum, d.checkCompare, d.checkWriting, d.checkRules, d.checkContradictions} {
			if err := check(i); err != nil {
				return err
			}
		}
	}
	if err := d.checkAliases(); err != nil {
		return err
	}
	return d.checkResource()
}

// checkNames checks the names of resource and fields, on which all else rests.
func (d *descriptor) checkNames() error {
	r := d.resource
	for _, key := range []string{"resource", "application", "path"} {
		if d.nodes[key] == nil {
			return d.file.fault(nil, "the key %s is missing", key)
		}
	}
	if !snakeCase.MatchString(r.Name) {
		return d.file.fault(startToken(d.nodes["resource"]), "%s is not a name for a resource: lower-case letters, digits and _", r.Name)
	}
	if !pathForm.MatchString(r.Path) {
		return d.file.fault(startToken(d.nodes["path"]), "%s is not a path: lower-case, with a slash at both ends", r.Path)
	}
	seen := map[string]bool{}
	for i := range r.Fields {
		name := r.Fields[i].Name
		if !snakeCase.MatchString(name) {
			return d.file.fault(d.at(i, "name"), "%s is not a name for a field: lower-case letters, digits and _", name)
		}
		if seen[name] {
			return d.file.fault(d.at(i, "name"), "field %s appears twice", name)
		}
		seen[name] = true
	}
	return nil
}

func (d *descriptor) checkType(i int) error {
	f := &d.resource.Fields[i]
	if d.fields[i]["type"] == nil {
		return d.file.fault(d.at(i, "name"), "field %s has no type", f.Name)
	}
	if !slices.Contains(FieldTypes, f.Type) {
		return d.file.unknown(d.at(i, "type"), "type", f.Type, FieldTypes)
	}
	refers := f.Type == "reference" || f.Type == "references"
	if refers && f.To == "" {
		return d.file.fault(d.at(i, "type"), "a %s says with the key to which resource it refers to", f.Type)
	}
	for _, only := range keysOfTypes {
		if d.fields[i][only.key] != nil && !slices.Contains(only.types, f.Type) {
			return d.file.fault(d.at(i, only.key), "%s is for the type %s, not for %s", only.key, strings.Join(only.types, " or "), f.Type)
		}
	}
	return nil
}

// keysOfTypes are the keys that mean something for some types only.
var keysOfTypes = []struct {
	key   string
	types []string
}{
	{"to", []string{"reference", "references"}},
	{"min_length", []string{"string"}},
	{"max_length", []string{"string"}},
	{"pattern", []string{"string"}},
	{"format", []string{"string"}},
	{"minimum", []string{"integer", "number"}},
	{"maximum", []string{"integer", "number"}},
	{"enum", []string{"string", "integer"}},
	{"compare", []string{"string"}},
	{"apply", []string{"string", "uuid", "date", "date-time", "integer", "number", "boolean", "reference"}},
}

func (d *descriptor) checkText(i int) error {
	f := &d.resource.Fields[i]
	if f.MaxLength > 0 && f.MinLength > f.MaxLength {
		return d.file.fault(d.at(i, "min_length"), "min_length %d is above max_length %d", f.MinLength, f.MaxLength)
	}
	if f.Pattern != "" {
		if _, err := format.CompilePattern(f.Pattern); err != nil {
			return d.file.fault(d.at(i, "pattern"), "%v", err)
		}
	}
	if f.Format != "" && !slices.Contains(FieldFormats, f.Format) {
		return d.file.unknown(d.at(i, "format"), "format", f.Format, FieldFormats)
	}
	if f.Filters != "" && filterOperators[f.Filters] == nil {
		return d.file.unknown(d.at(i, "filters"), "filter set", f.Filters, filterSets)
	}
	return nil
}

func (d *descriptor) checkBounds(i int) error {
	f := &d.resource.Fields[i]
	if f.Minimum != nil && f.Maximum != nil && *f.Minimum > *f.Maximum {
		return d.file.fault(d.at(i, "minimum"), "minimum %v is above maximum %v", *f.Minimum, *f.Maximum)
	}
	return nil
}

// checkEnum checks that every value of an enum could pass the other rules.
func (d *descriptor) checkEnum(i int) error {
	f := &d.resource.Fields[i]
	n := d.fields[i]["enum"]
	if n != nil && len(f.Enum) == 0 {
		return d.file.fault(d.at(i, "enum"), "an enum without values")
	}
	for j, v := range f.Enum {
		switch length := utf8.RuneCountInString(v); {
		case f.Type == "integer" && !format.Integer([]byte(v)):
			return d.file.fault(itemAt(n, j), "%s in enum is not an integer", v)
		case f.MaxLength > 0 && length > f.MaxLength:
			return d.file.fault(itemAt(n, j), "%s in enum is longer than max_length %d", v, f.MaxLength)
		case length < f.MinLength:
			return d.file.fault(itemAt(n, j), "%s in enum is shorter than min_length %d", v, f.MinLength)
		}
	}
	return nil
}

// checkCompare checks the forms that a field is compared in.
func (d *descriptor) checkCompare(i int) error {
	f := &d.resource.Fields[i]
	n := d.fields[i]["compare"]
	switch {
	case n == nil:
		return nil
	case len(f.Compare) == 0:
		return d.file.fault(startToken(n), "compare names no form")
	case f.ReadOnly:
		return d.file.fault(startToken(n), "field %s is read_only: an import compares only fields that it writes", f.Name)
	case f.Name == d.resource.Key:
		return d.file.fault(startToken(n), "%s is the key: records are looked up by its exact text, so it cannot be compared in another form", f.Name)
	}
	if form, unknown := f.Compare.UnknownForm(); unknown {
		return d.file.unknown(itemAt(n, slices.Index(f.Compare, form)), "form", form, CompareForms())
	}
	return nil
}

func (d *descriptor) checkWriting(i int) error {
	f := &d.resource.Fields[i]
	if f.ReadOnly && f.Required {
		return d.file.fault(d.at(i, "required"), "field %s is read_only, so it cannot be required: required speaks of writing", f.Name)
	}
	if f.ReadOnly && len(f.Apply) > 0 {
		return d.file.fault(d.at(i, "apply"), "field %s is read_only: there is nothing to apply", f.Name)
	}
	return nil
}

// fieldRule is a rule between fields, as a key of a descriptor.
type fieldRule struct {
	key    string
	others func(*Field) []string
}

// fieldRules are the rules between fields, by their keys in a descriptor.
var fieldRules = []fieldRule{
	{"together", func(f *Field) []string { return f.Together }},
	{"any_of", func(f *Field) []string { return f.AnyOf }},
	{"excludes", func(f *Field) []string { return f.Excludes }},
	{"requires", func(f *Field) []string { return f.Requires }},
}

// checkRules checks that the rules between fields name other, writable fields.
func (d *descriptor) checkRules(i int) error {
	f := &d.resource.Fields[i]
	for _, rule := range fieldRules {
		n := d.fields[i][rule.key]
		if n != nil && len(rule.others(f)) == 0 {
			return d.file.fault(startToken(n), "%s names no field", rule.key)
		}
		for j, name := range rule.others(f) {
			if err := d.checkOther(f, rule.key, name, itemAt(n, j)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *descriptor) checkOther(f *Field, rule, name string, at *token.Token) error {
	other := d.resource.own(name)
	switch {
	case other == nil:
		return d.file.unknown(at, "field", name, d.fieldNames())
	case other == f:
		return d.file.fault(at, "%s of %s names the field itself", rule, name)
	case other.ReadOnly || f.ReadOnly:
		return d.file.fault(at, "%s is for fields that are written, and %s is read_only", rule, readOnlyOf(f, other).Name)
	}
	return nil
}

func readOnlyOf(a, b *Field) *Field {
	if a.ReadOnly {
		return a
	}
	return b
}

// checkContradictions finds fields that no record could satisfy.
func (d *descriptor) checkContradictions(i int) error {
	f := &d.resource.Fields[i]
	for j, name := range f.Excludes {
		at := itemAt(d.fields[i]["excludes"], j)
		other := d.resource.own(name)
		switch {
		case slices.Contains(f.Requires, name), slices.Contains(f.Together, name),
			slices.Contains(other.Requires, f.Name), slices.Contains(other.Together, f.Name):
			return d.file.fault(at, "%s excludes %s and requires it at the same time", f.Name, name)
		case f.Required && other.Required:
			return d.file.fault(at, "%s excludes %s, and both are required", f.Name, name)
		}
	}
	return nil
}

// checkAliases checks that no header could mean two fields.
func (d *descriptor) checkAliases() error {
	owner := map[string]string{}
	for i := range d.resource.Fields {
		f := &d.resource.Fields[i]
		owner[foldHeader(f.Name)] = f.Name
		owner[foldHeader(f.Column())] = f.Name
	}
	for i := range d.resource.Fields {
		for _, language := range languages {
			for j, alias := range d.resource.Fields[i].Aliases[language] {
				if err := d.checkAlias(i, alias, owner, d.aliasAt(i, language, j)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (d *descriptor) checkAlias(i int, alias string, owner map[string]string, at *token.Token) error {
	folded, name := foldHeader(alias), d.resource.Fields[i].Name
	if folded == "" {
		return d.file.fault(at, "alias %s has neither letter nor digit", alias)
	}
	if other, taken := owner[folded]; taken && other != name {
		return d.file.fault(at, "alias %s means both %s and %s", alias, other, name)
	}
	owner[folded] = name
	return nil
}

func (d *descriptor) aliasAt(i int, language string, j int) *token.Token {
	entries, err := d.file.mapping(d.fields[i]["aliases"], "aliases")
	if err != nil {
		return d.at(i, "aliases")
	}
	for _, e := range entries {
		if e.key == language {
			return itemAt(e.value, j)
		}
	}
	return d.at(i, "aliases")
}

// foldHeader returns the part of a header that counts when it is compared with an
// alias: letters and digits, without case.
func foldHeader(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text.Fold(header))
}

func (d *descriptor) checkResource() error {
	r := d.resource
	if r.Key != "" {
		f := d.resource.own(r.Key)
		at := startToken(d.nodes["key"])
		switch {
		case f == nil:
			return d.file.unknown(at, "field", r.Key, d.fieldNames())
		case !slices.Contains([]string{"string", "uuid", "integer"}, f.Type):
			return d.file.fault(at, "a field of type %s cannot be the key", f.Type)
		}
	}
	if err := d.checkList("search", r.Search, "field", d.fieldNames()); err != nil {
		return err
	}
	return d.checkList("parameters", r.Parameters, "parameter", listParameters)
}

// checkList checks that the items of the resource's key are all known.
func (d *descriptor) checkList(key string, items []string, what string, known []string) error {
	n := d.nodes[key]
	for j, item := range items {
		if !slices.Contains(known, item) {
			return d.file.unknown(itemAt(n, j), what, item, known)
		}
	}
	return nil
}

func (d *descriptor) fieldNames() []string {
	return d.resource.named(func(*Field) bool { return true })
}
