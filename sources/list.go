package sources

import (
	"context"
	"strings"

	"flytt/pipeline"
	"flytt/sources/json"

	"github.com/go-json-experiment/json/jsontext"
)

// RowReader returns the objects of a list, about a page at a time; *list.Rows is one.
type RowReader interface {
	// Next appends the next whole objects to dst, each valid JSON with white space
	// behind it, and returns dst with them and how many they are. It returns
	// io.EOF after the last. Any other error ends the list; it gives up when ctx
	// ends.
	Next(ctx context.Context, dst []byte) (data []byte, n int, err error)

	// Close releases what the reader holds. It is called once.
	Close() error
}

// Kind says how the value of a column is written in the objects of a list, and what a
// batch gets of it. In every kind, null and a missing member are a null; an empty
// string stays empty.
//
// A value that does not fit the kind is kept as well as possible: a number, true or
// false as it is written, an array or an object as JSON without white space.
type Kind uint8

const (
	// Text is a string, of which the characters are kept. Half of a surrogate pair
	// becomes U+FFFD.
	Text Kind = iota

	// Literal is a number, true or false, kept as JSON has it. A string that holds one
	// ("12.50") counts as one; any other string keeps its quotes.
	Literal

	// JSON is any value, kept as JSON without white space.
	JSON

	// Reference is an object of which the member id is kept, or the bare id. An empty
	// object, and one without an id, is a null.
	Reference
)

// Column is a column of a list.
type Column struct {
	Name string // the member's name; of a Reference with .id behind it: external_client.id
	Kind Kind
}

// ColumnOf returns the column for the field f, whose name is that of its column
// (external_client.id). reference says that lists show the field as an object.
func ColumnOf(f pipeline.Field, reference bool) Column {
	c := Column{Name: f.Name}
	switch f.Type {
	case pipeline.Integer, pipeline.Number, pipeline.Boolean:
		c.Kind = Literal
	case pipeline.JSON:
		c.Kind = JSON
	}
	if reference {
		c.Kind = Reference
	}
	return c
}

// member returns the name of the member the column is made of.
func (c *Column) member() string {
	if c.Kind == Reference {
		return strings.TrimSuffix(c.Name, ".id")
	}
	return c.Name
}

// ExtraColumn is the column for everything that has no column of its own: a JSON object
// of all unknown members, and of the members besides id of references that come
// expanded (external_client.name). A row without any has a null.
const ExtraColumn = "_extra"

// ListOptions says how a list is read.
type ListOptions struct {
	Extra bool // keep unknown members in ExtraColumn, which is the last one; otherwise a warning counts their rows
}

// listSource is the list endpoint of an API as a source: its blocks are pages of JSON
// objects.
type listSource struct {
	rows   RowReader
	layout *json.Layout
	names  []string
	read   int64 // rows handed out
	err    error // what ended the list
}

// NewList returns a source of the objects that rows returns, with the given columns.
// Rows are numbered from 1 in their order; Block.End counts rows. Closing the source
// closes rows.
func NewList(rows RowReader, columns []Column, o ListOptions) pipeline.Source {
	s := &listSource{rows: rows, layout: newListLayout(columns, o.Extra)}
	for i := range columns {
		s.names = append(s.names, columns[i].Name)
	}
	if o.Extra {
		s.names = append(s.names, ExtraColumn)
	}
	return s
}

// Columns implements pipeline.Source.
func (s *listSource) Columns() []string { return s.names }

// Next implements pipeline.Source. Objects that come with an error are handed
// out before it.
func (s *listSource) Next(ctx context.Context, b *pipeline.Block) error {
	b.Data = b.Data[:0]
	n := 0
	for n == 0 && s.err == nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.Data, n, s.err = s.rows.Next(ctx, b.Data)
	}
	if n == 0 {
		b.Data = b.Data[:0]
		return s.err
	}
	b.Row, b.Tag = s.read+1, int64(n)
	s.read += int64(n)
	b.End = s.read
	return nil
}

// Decoder implements pipeline.Source.
func (s *listSource) Decoder() pipeline.Decoder {
	return &listDecoder{json.NewObjectDecoder(s.layout)}
}

// Close implements pipeline.Source.
func (s *listSource) Close() error { return s.rows.Close() }

// forms are what is kept of the values of each Kind; of a Reference it is said of the
// bare id.
var forms = [...]json.Form{Text: json.Text, Literal: json.Literal, JSON: json.Raw, Reference: json.Text}

func newListLayout(columns []Column, extra bool) *json.Layout {
	root := &json.Branch{ByName: make(map[string]json.Slot, len(columns)), Column: pipeline.None}
	for i := range columns {
		name, s := columns[i].member(), json.Slot{Column: i, Form: forms[columns[i].Kind]}
		if columns[i].Kind == Reference {
			s.Nested = reference(name, i)
		}
		root.ByName[name] = s
	}
	return &json.Layout{Columns: len(columns), Root: root, Extra: extra, Unknown: unknownField}
}

// reference returns the branch of an object called name, of which a column is
// the id.
func reference(name string, column int) *json.Branch {
	return &json.Branch{
		ByName: map[string]json.Slot{"id": {Column: column}},
		Prefix: escaped(name) + ".",
		Column: column,
		Shape:  "within " + name,
	}
}

// escaped returns name as it stands between the quotes of a JSON string.
func escaped(name string) string {
	quoted, err := jsontext.AppendQuote(nil, name)
	if err != nil {
		return "" // the name of a field is UTF-8
	}
	return string(quoted[1 : len(quoted)-1])
}
