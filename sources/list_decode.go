package sources

import (
	"bytes"
	"fmt"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// unknownField is the code of members that no column is for.
const unknownField pipeline.Code = "unknown_field"

// listCodes documents the codes that only lists note.
var listCodes = []pipeline.CodeInfo{
	{Code: unknownField, Stage: pipeline.Read, Severity: pipeline.Warning,
		Meaning: "fields the API sends and flytt does not know, left out",
		Fix:     "Export with --extra to keep them in a column of their own, " + ExtraColumn + "."},
}

// listDecoder turns blocks of JSON objects into batches whose columns point
// into the block; strings with escapes, and values with white space in them, it
// rewrites there, as neither grows. That the objects are valid JSON has been
// checked when they came in: it is not checked again.
//
// The objects of a list come alike, so the decoder expects the member that came
// next in the objects before, and looks names up only where it does not come.
type listDecoder struct {
	*listLayout
	members []listMember // in the order they were first seen
	next    int          // the one expected next
	spare   listMember   // of a name beyond maxMembers
	found   []place      // of each column in the current row
	rest    []byte       // the unknown members of the current row: ,"name":value,…
	strange pipeline.Problem
	warn    bool // strange is to be noted
}

// place is where a value lies in its block; the zero place is a null.
type place struct {
	start, end int
	is         bool
}

// listMember is a member that objects of the list have.
type listMember struct {
	raw    []byte // its name with the quotes, as it stands in the object
	column int    // pipeline.None: unknown
	shape  string // what a warning says of an unknown one
}

// maxMembers bounds what is remembered of the names in a list.
const maxMembers = 256

// Decode implements pipeline.Decoder.
func (d *listDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	b.Reset(len(d.columns) + d.extras())
	for i := range d.columns {
		b.Input[i].Share(block.Data)
	}
	text := block.Data
	i := space(text, 0)
	for ; i < len(text); i = space(text, i) {
		if text[i] != '{' {
			return fmt.Errorf("row %d of the list: not an object", block.Row+int64(b.Len()))
		}
		i = d.object(text, i)
		b.AddRow(block.Row + int64(b.Len()))
		d.flush(b)
	}
	if int64(b.Len()) != block.Note {
		return fmt.Errorf("row %d of the list: %d objects came as a page of %d", block.Row, b.Len(), block.Note)
	}
	return nil
}

// extras returns the number of columns besides those of fields.
func (d *listDecoder) extras() int {
	if d.extra {
		return 1
	}
	return 0
}

// space returns the first place from i on that is not white space, which may be
// the end of text.
func space(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' {
		i++
	}
	return i
}

// object finds the values of the object that starts at text[i] and returns
// where it ends. Of two members with one name the last counts.
func (d *listDecoder) object(text []byte, i int) int {
	d.next = 0
	for i = jsonscan.Skip(text, i+1); text[i] != '}'; i = jsonscan.Skip(text, i) {
		m := d.member(text, i)
		i = jsonscan.Skip(text, i+len(m.raw))
		if m.column == pipeline.None {
			i = d.unknown(text, i, "", m.raw, pipeline.None, m.shape)
			continue
		}
		i = d.value(text, i, m.column)
	}
	return i + 1
}

// member returns the member whose name starts at text[i].
func (d *listDecoder) member(text []byte, i int) *listMember {
	for range d.members {
		if d.next == len(d.members) {
			d.next = 0
		}
		m := &d.members[d.next]
		d.next++
		if bytes.HasPrefix(text[i:], m.raw) {
			return m
		}
	}
	return d.meet(text[i:jsonscan.ValueEnd(text, i)])
}

// meet returns the member with a name that was not seen before, or was one too
// many.
func (d *listDecoder) meet(raw []byte) *listMember {
	m := &d.spare
	if len(d.members) < maxMembers {
		d.members = append(d.members, listMember{})
		d.next = len(d.members)
		m = &d.members[d.next-1]
	}
	m.raw, m.column, m.shape = append(m.raw[:0], raw...), pipeline.None, ""
	name := jsonscan.Unquote(raw[1 : len(raw)-1])
	if column, ok := d.byName[string(name)]; ok {
		m.column = column
	} else if plainName(name) {
		m.shape = string(name)
	}
	return m
}

// plainName reports whether name looks like the name of a field, and so may be
// shown.
func plainName(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 40
}

// value finds the value that starts at text[i] for a column, and returns where
// it ends.
func (d *listDecoder) value(text []byte, i, column int) int {
	kind, at := d.columns[column].kind, &d.found[column]
	var end int
	switch c := text[i]; {
	case c == 'n':
		*at, end = place{}, i+len("null")
	case c == '"' && (kind == Text || kind == Reference):
		*at, end = stringAt(text, i)
	case c == '"' && kind == Literal:
		*at, end = literalAt(text, i)
	case c == '{' && kind == Reference:
		*at, end = d.reference(text, i, column)
	default:
		*at, end = rawAt(text, i)
	}
	return end
}

// reference finds the id within the object that starts at text[i], and returns
// where the object ends.
func (d *listDecoder) reference(text []byte, i, column int) (id place, end int) {
	for i = jsonscan.Skip(text, i+1); text[i] != '}'; i = jsonscan.Skip(text, i) {
		end = jsonscan.ValueEnd(text, i)
		name := text[i:end]
		i = jsonscan.Skip(text, end)
		switch {
		case !jsonscan.NameIs(name[1:len(name)-1], "id"):
			c := &d.columns[column]
			i = d.unknown(text, i, c.prefix, name, column, c.shape)
		case text[i] == 'n':
			id, i = place{}, i+len("null")
		case text[i] == '"':
			id, i = stringAt(text, i)
		default:
			id, i = rawAt(text, i)
		}
	}
	return id, i + 1
}

// unknown keeps the member with the given name whose value starts at text[i], or
// sees to it that a warning is noted. It returns where the value ends.
func (d *listDecoder) unknown(text []byte, i int, prefix string, name []byte, column int, shape string) int {
	end := jsonscan.ValueEnd(text, i)
	if d.extra {
		d.rest = append(append(d.rest, ',', '"'), prefix...)
		d.rest = append(append(d.rest, name[1:]...), ':')
		d.rest = appendCompact(d.rest, text[i:end])
	} else if !d.warn {
		d.warn = true
		d.strange = pipeline.Problem{
			Field: pipeline.None, Column: int16(column), Severity: pipeline.Warning,
			Stage: pipeline.Read, Code: unknownField, Shape: shape,
		}
	}
	return end
}

// flush adds what was found to the last row of b.
func (d *listDecoder) flush(b *pipeline.Batch) {
	for i := range d.found {
		if at := &d.found[i]; at.is {
			b.Input[i].Point(at.start, at.end)
			at.is = false
		} else {
			b.Input[i].AppendNull()
		}
	}
	if d.warn {
		d.warn = false
		d.strange.Row = int32(b.Len() - 1)
		b.Note(d.strange)
	}
	if d.extra {
		d.flushExtra(&b.Input[len(d.found)])
	}
}

func (d *listDecoder) flushExtra(c *pipeline.Column) {
	if len(d.rest) == 0 {
		c.AppendNull()
		return
	}
	d.rest[0] = '{'
	d.rest = append(d.rest, '}')
	c.Append(d.rest)
	d.rest = d.rest[:0]
}
