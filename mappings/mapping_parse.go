package mappings

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"flytt/pipeline"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"flytt/internal/text"
)

// The keys a mapping file may have, in the order they are written: its own,
// those of input, of one field, and of a lookup.
var (
	MappingKeys   = []string{"resource", "input", "fields", "where", "key", "severity"}
	InputKeys     = []string{"encoding", "delimiter", "sheet", "header_row", "nulls", "trim"}
	FieldRuleKeys = []string{"from", "const", "expr", "apply", "lookup", "default"}
	LookupKeys    = []string{"file", "key", "value"}
)

// ParseMapping reads a mapping file; file is its name for messages. It checks
// everything that can be checked without the resource and the input. The error
// holds every fault found, each a *FileError.
func ParseMapping(file string, data []byte) (*Mapping, error) {
	f, root, err := parseYAML(file, data)
	if err != nil {
		return nil, err
	}
	m := &Mapping{file: f, marks: map[string]*token.Token{}}
	r := mappingReader{faults: m.faults(), m: m}
	r.mapping(root)
	if len(r.list) == 0 {
		m.check(r.faults)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// firstInvalid returns the index of the first byte of data that is not UTF-8.
func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// mappingReader turns the nodes of a mapping file into a Mapping. It continues after a
// fault, to find all of them.
type mappingReader struct {
	*faults
	m *Mapping
}

// entries calls read for each key of n, which must be one of known.
func (r *mappingReader) entries(n ast.Node, what string, known []string, read func(e yamlEntry)) {
	entries, err := r.file.mapping(n, what)
	if err != nil {
		r.addError(err)
		return
	}
	for _, e := range entries {
		if known != nil && !slices.Contains(known, e.key) {
			r.add(e.at, text.Known(e.key, known), "unknown key %q", e.key)
			continue
		}
		read(e)
	}
}

func (r *mappingReader) mapping(root ast.Node) {
	r.entries(root, "a mapping file", MappingKeys, func(e yamlEntry) {
		r.m.mark(e.key, e.at)
		switch e.key {
		case "resource":
			r.m.Resource = r.text(e)
		case "input":
			r.input(e.value)
		case "fields":
			r.entries(e.value, "fields", nil, r.field)
		case "where":
			r.m.Where = r.text(e)
			r.m.mark("where", startToken(e.value))
		case "key":
			r.m.Key = r.text(e)
			r.m.mark("key", startToken(e.value))
		case "severity":
			r.entries(e.value, "severity", nil, r.severity)
		}
	})
}

// text returns the text of e, which must not be empty.
func (r *mappingReader) text(e yamlEntry) string {
	text, err := r.file.text(e.value, e.key)
	switch {
	case err != nil:
		r.addError(err)
	case strings.TrimSpace(text) == "":
		r.add(startToken(e.value), "", "%s is empty", e.key)
	}
	return text
}

// texts returns the items of the list in e.
func (r *mappingReader) texts(e yamlEntry, text func(n ast.Node, what string) (string, error)) []string {
	nodes, err := r.file.list(e.value, e.key)
	r.addError(err)
	texts := make([]string, 0, len(nodes))
	for _, n := range nodes {
		s, err := text(n, e.key)
		r.addError(err)
		texts = append(texts, s)
	}
	return texts
}

// scalar returns n as it is written: text, a number, or a word such as true.
func (r *mappingReader) scalar(n ast.Node, what string) (string, error) {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return r.file.text(n, what)
}

// word is scalar for the words that mean no value, which may include NULL.
func (r *mappingReader) word(n ast.Node, what string) (string, error) {
	if null, ok := n.(*ast.NullNode); ok && null.GetToken().Type == token.NullType {
		return strings.TrimSpace(null.GetToken().Value), nil
	}
	return r.scalar(n, what)
}

func (r *mappingReader) input(n ast.Node) {
	in := &r.m.Input
	r.entries(n, "input", InputKeys, func(e yamlEntry) {
		switch e.key {
		case "encoding":
			in.Encoding = r.text(e)
		case "delimiter":
			in.Delimiter = r.delimiter(e)
		case "sheet":
			in.Sheet = r.text(e)
		case "header_row":
			in.HeaderRow = r.headerRow(e)
		case "nulls":
			in.Nulls = r.texts(e, r.word)
		case "trim":
			trim, err := r.file.boolean(e.value, e.key)
			r.addError(err)
			in.Trim = &trim
		}
	})
}

func (r *mappingReader) delimiter(e yamlEntry) string {
	text, err := r.file.text(e.value, e.key)
	switch {
	case err != nil:
		r.addError(err)
	case utf8.RuneCountInString(text) != 1 || strings.ContainsAny(text, "\"\r\n"):
		r.add(startToken(e.value), `a tab is written "\t"`, "delimiter is not one character")
	}
	return text
}

func (r *mappingReader) headerRow(e yamlEntry) int {
	v, err := r.file.number(e.value, e.key)
	switch {
	case err != nil:
		r.addError(err)
	case v < 1 || v > maxHeaderRow || v != float64(int(v)):
		r.add(startToken(e.value), "", "header_row is a row number, counted from 1")
	default:
		return int(v)
	}
	return 0
}

var severities = []pipeline.Severity{pipeline.Error, pipeline.Warning}

func (r *mappingReader) severity(e yamlEntry) {
	if !slices.Contains(severityCodes(), e.key) {
		r.add(e.at, text.Known(e.key, severityCodes()), "unknown code %q", e.key)
		return
	}
	text := r.text(e)
	for _, s := range severities {
		if s.String() == text {
			if r.m.Severity == nil {
				r.m.Severity = map[pipeline.Code]pipeline.Severity{}
			}
			r.m.Severity[pipeline.Code(e.key)] = s
			return
		}
	}
	r.add(startToken(e.value), "", "severity of %s is error or warning", e.key)
}

// field reads one entry of fields.
func (r *mappingReader) field(e yamlEntry) {
	path := "fields/" + e.key
	rule := Rule{Field: e.key}
	r.m.mark(path, e.at)
	switch e.value.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		rule.From = []string{r.text(e)}
		r.m.mark(path+"/from/0", startToken(e.value))
	case *ast.MappingNode:
		r.entries(e.value, e.key, FieldRuleKeys, func(part yamlEntry) { r.part(&rule, path, part) })
	case *ast.SequenceNode:
		r.add(startToken(e.value), "several columns are written {from: [A, B]}", "field %s needs a column, or keys", e.key)
	default:
		_, err := r.file.text(e.value, "field "+e.key)
		r.addError(err)
	}
	r.m.Fields = append(r.m.Fields, rule)
}

// part reads one key of a field's rule.
func (r *mappingReader) part(rule *Rule, path string, e yamlEntry) {
	path += "/" + e.key
	r.m.mark(path, e.at)
	switch e.key {
	case "from":
		rule.From = r.from(path, e)
	case "const":
		rule.Const = r.value(e)
	case "default":
		rule.Default = r.value(e)
	case "expr":
		rule.Expr = r.text(e)
		r.m.mark(path, startToken(e.value))
	case "apply":
		rule.Apply = r.apply(path, e)
	case "lookup":
		rule.Lookup = r.lookup(path, e)
	}
}

func (r *mappingReader) value(e yamlEntry) *string {
	text, err := r.scalar(e.value, e.key)
	if err != nil {
		r.addError(err)
	} else if text == "" {
		r.add(startToken(e.value), "leave the key out for no value", "%s is empty", e.key)
	}
	return &text
}

func (r *mappingReader) from(path string, e yamlEntry) []string {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		r.m.mark(path+"/0", startToken(e.value))
		return []string{r.text(e)}
	}
	if len(list.Values) == 0 {
		r.add(startToken(e.value), "", "from names no column")
	}
	var columns []string
	for i, n := range list.Values {
		r.m.mark(fmt.Sprint(path, "/", i), startToken(n))
		column := r.text(yamlEntry{key: e.key, value: n})
		if slices.Contains(columns, column) {
			r.add(startToken(n), "", "column %q appears twice", column)
		}
		columns = append(columns, column)
	}
	return columns
}

func (r *mappingReader) lookup(path string, e yamlEntry) *TableLookup {
	l := &TableLookup{}
	into := map[string]*string{"file": &l.File, "key": &l.Key, "value": &l.Value}
	before := len(r.list)
	r.entries(e.value, "lookup", LookupKeys, func(part yamlEntry) {
		*into[part.key] = r.text(part)
		r.m.mark(path+"/"+part.key, startToken(part.value))
	})
	for _, key := range LookupKeys {
		if *into[key] == "" && len(r.list) == before {
			r.add(e.at, "lookup: {file: clients.csv, key: legacy_id, value: id}", "lookup has no %s", key)
		}
	}
	return l
}
