package mappings

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"flytt/internal/text"
)

// yamlFile is a YAML file read node by node, so that every fault can point at
// its place and nothing is converted behind the writer's back: a number is no
// text, and an unknown or repeated key is a fault. Anchors, aliases, merge
// keys and tags are refused: neither kind of file needs them.
type yamlFile struct {
	name  string
	lines []string
}

// yamlEntry is one key of a mapping node with its value.
type yamlEntry struct {
	key   string
	at    *token.Token // the key's place
	value ast.Node
}

// parseYAML reads the one document of data.
func parseYAML(name string, data []byte) (*yamlFile, ast.Node, error) {
	if !utf8.Valid(data) {
		return nil, nil, notUTF8(name, data)
	}
	source := strings.TrimPrefix(string(data), "\uFEFF")
	f := &yamlFile{name: name, lines: strings.Split(strings.ReplaceAll(source, "\r\n", "\n"), "\n")}
	file, err := parser.ParseBytes([]byte(source), 0)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) {
			return nil, nil, f.syntax(at.GetToken(), at.GetMessage())
		}
		return nil, nil, f.syntax(nil, err.Error())
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case root != nil:
			return nil, nil, f.fault(startToken(doc.Body), "a second document: the file holds one")
		default:
			root = doc.Body
		}
	}
	if root == nil {
		return nil, nil, f.fault(nil, "the file is empty")
	}
	return f, root, nil
}

// notUTF8 points at the first byte of data that is not UTF-8.
func notUTF8(file string, data []byte) *FileError {
	at := firstInvalid(data)
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	line, _, _ := bytes.Cut(data[start:], []byte("\n"))
	return &FileError{
		File: file, Line: 1 + bytes.Count(data[:at], []byte("\n")), Column: 1 + utf8.RuneCount(data[start:at]),
		Text: string(bytes.ToValidUTF8(bytes.TrimRight(line, "\r"), []byte("\uFFFD"))),
		Msg:  "not UTF-8", Hint: "save the file as UTF-8",
	}
}

// syntax returns the fault at at that the YAML library describes by message.
func (f *yamlFile) syntax(at *token.Token, message string) *FileError {
	what, hint := text.YAML(message)
	e := f.fault(at, "%s", what)
	e.Hint = hint
	return e
}

// fault returns a FileError at at, of the whole file if at is nil.
func (f *yamlFile) fault(at *token.Token, format string, args ...any) *FileError {
	e := &FileError{File: f.name, Msg: fmt.Sprintf(format, args...)}
	if at == nil || at.Position == nil || at.Position.Line < 1 {
		return e
	}
	e.Line, e.Column = at.Position.Line, max(1, at.Position.Column)
	if e.Line <= len(f.lines) {
		e.Text = strings.TrimRight(f.lines[e.Line-1], "\r")
		e.Column = min(e.Column, utf8.RuneCountInString(e.Text)+1)
	}
	return e
}

// unknown returns the fault of a name at at that is none of known.
func (f *yamlFile) unknown(at *token.Token, what, name string, known []string) *FileError {
	e := f.fault(at, "%s %s is not known", what, name)
	e.Hint = text.Known(name, known)
	return e
}

// mapping returns the entries of n, which must be a mapping with text keys,
// each once.
func (f *yamlFile) mapping(n ast.Node, what string) ([]yamlEntry, error) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return nil, f.kind(n, what, "keys with values")
	}
	entries := make([]yamlEntry, 0, len(m.Values))
	seen := map[string]bool{}
	for _, v := range m.Values {
		at := v.Key.GetToken()
		key, err := f.text(v.Key, "a key")
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, f.fault(at, "key %s appears twice", key)
		}
		seen[key] = true
		entries = append(entries, yamlEntry{key, at, v.Value})
	}
	return entries, nil
}

// list returns the items of n, which must be a list.
func (f *yamlFile) list(n ast.Node, what string) ([]ast.Node, error) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, f.kind(n, what, "a list")
	}
	return s.Values, nil
}

// text returns the text of n. A number or a word like true is none unless it
// is quoted.
func (f *yamlFile) text(n ast.Node, what string) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		e := f.kind(n, what, "text")
		if at := n.GetToken(); at.Type != token.ImplicitNullType {
			e.Hint = "put it in quotes: \"" + at.Value + "\""
		}
		return "", e
	}
	return "", f.kind(n, what, "text")
}

// boolean returns the value of n, which must be true or false.
func (f *yamlFile) boolean(n ast.Node, what string) (bool, error) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return false, f.kind(n, what, "true or false")
	}
	return b.Value, nil
}

// number returns the value of n, which must be an integer or a decimal number.
func (f *yamlFile) number(n ast.Node, what string) (float64, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			return float64(v), nil
		case uint64:
			return float64(v), nil
		}
	case *ast.FloatNode:
		return n.Value, nil
	}
	return 0, f.kind(n, what, "a number")
}

// kind returns the fault of a node of another kind than what wants.
func (f *yamlFile) kind(n ast.Node, what, want string) *FileError {
	if n == nil {
		return f.fault(nil, "%s needs %s, not nothing", what, want)
	}
	return f.fault(startToken(n), "%s needs %s, not %s", what, want, kindName(n))
}

// startToken returns where n starts. The parser's own token of a mapping is
// the colon after its first key.
func startToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	if n == nil {
		return nil
	}
	return n.GetToken()
}

func kindName(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.InfinityNode, *ast.NanNode:
		return "an infinity or NaN"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	case *ast.MergeKeyNode:
		return "a merge key"
	}
	return "text"
}
