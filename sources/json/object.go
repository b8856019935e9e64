package json

import (
	"bytes"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Layout says which members of an object belong to which columns. All decoders of a
// source share it.
type Layout struct {
	Columns int           // how many there are
	Root    *Branch       // the row
	Extra   bool          // unknown members are kept, in a column after the others
	Unknown pipeline.Code // the code of unknown members otherwise
}

// Branch is an object of a row: the row itself, or a nested one.
type Branch struct {
	ByName map[string]Slot
	Prefix string // precedes the names of unknown members that are kept, as in a JSON string
	Column int    // the column that a warning of an unknown member names, or pipeline.None
	Shape  string // text of the warning; empty: the member's path
	path   string // the names that lead here, each followed by a dot
}

// Slot says where the value of a member goes.
type Slot struct {
	Column int     // pipeline.None: there is no column for values that are not objects
	Form   Form    // of the column
	Nested *Branch // for values that are objects; nil: they go to the column
}

// Form says what is kept of a value in a column. A value of another form is kept as
// well as possible: a number, true or false as it is written, an array or an object as
// JSON without white space.
type Form uint8

const (
	Text    Form = iota // the characters of a string
	Literal             // a number, true or false, also in a string; any other string with its quotes
	Raw                 // any value as JSON without white space
)

// ObjectDecoder finds the values of objects that are valid JSON, and makes columns
// point to them. Strings with escapes, and values with white space in them, are
// rewritten in place, since neither grows.
//
// The objects of an input are similar, so the decoder expects the member that came next
// in the objects before, and looks up names only if another one comes.
type ObjectDecoder struct {
	*Layout
	root    *branchState
	found   []valueSpan // of each column in the current row
	rest    []byte      // the unknown members of the current row: ,"name":value,…
	unknown pipeline.Problem
	warn    bool // unknown is to be noted
}

// valueSpan is where a value lies in its block; the zero span is a null.
type valueSpan struct {
	start, end int
	is         bool
}

// branchState is what one decoder has learned about the members of a branch.
type branchState struct {
	*Branch
	members []member       // in the order they were first seen
	byRaw   map[string]int // where each stands in members
	next    int            // the one expected next
	spare   member         // for an unknown member beyond maxMembers
}

// member is a member of the objects of a branch.
type member struct {
	raw    []byte // its name with the quotes, as it stands in the object
	column int    // pipeline.None: it has no column of its own
	form   Form
	nested *branchState // for values that are objects; nil: they go to the column
	shape  string       // text of a warning about it
}

const (
	maxMembers  = 256 // names without a column, and spellings of names, remembered for each object
	maxShape    = 80  // characters of a path that a warning shows
	searchAhead = 16  // members compared before a name is looked up
)

// NewObjectDecoder returns a decoder of objects with the layout l.
func NewObjectDecoder(l *Layout) ObjectDecoder {
	return ObjectDecoder{Layout: l, root: newBranchState(l.Root), found: make([]valueSpan, l.Columns)}
}

func newBranchState(b *Branch) *branchState { return &branchState{Branch: b, byRaw: map[string]int{}} }

// extras returns the number of columns besides those of the layout.
func (d *ObjectDecoder) extras() int {
	if d.Extra {
		return 1
	}
	return 0
}

// Open empties b and makes its columns point into text.
func (d *ObjectDecoder) Open(b *pipeline.Batch, text []byte) {
	b.Reset(d.Columns + d.extras())
	for i := range d.Columns {
		b.Input[i].Share(text)
	}
}

// Object finds the values of the object that starts at text[i], which is the next row,
// and returns where it ends.
func (d *ObjectDecoder) Object(text []byte, i int) int { return d.object(text, i, d.root) }

// object finds the values of the object that starts at text[i], one of f, and
// returns where it ends. Of two members with one name the last counts.
func (d *ObjectDecoder) object(text []byte, i int, f *branchState) int {
	f.next = 0
	for i = jsonscan.Skip(text, i+1); text[i] != '}'; i = jsonscan.Skip(text, i) {
		m := f.member(text, i)
		name := i
		i = jsonscan.Skip(text, i+len(m.raw))
		switch {
		case m.nested != nil && text[i] == '{':
			if m.column != pipeline.None {
				d.found[m.column] = valueSpan{}
			}
			i = d.object(text, i, m.nested)
		case m.column != pipeline.None:
			i = d.value(text, i, m)
		case m.nested != nil && text[i] == 'n':
			i += len("null")
		default:
			i = d.unknownMember(text, i, f, text[name:name+len(m.raw)], m.shape)
		}
	}
	return i + 1
}

// member returns the member whose name starts at text[i].
func (f *branchState) member(text []byte, i int) *member {
	for range min(len(f.members), searchAhead) {
		if f.next >= len(f.members) {
			f.next = 0
		}
		m := &f.members[f.next]
		f.next++
		if bytes.HasPrefix(text[i:], m.raw) {
			return m
		}
	}
	raw := text[i:jsonscan.ValueEnd(text, i)]
	if at, ok := f.byRaw[string(raw)]; ok {
		f.next = at + 1
		return &f.members[at]
	}
	return f.addMember(raw)
}

// addMember adds and returns the member of a name that was not seen before. Names beyond
// maxMembers share one member.
func (f *branchState) addMember(raw []byte) *member {
	name := jsonscan.Unquote(raw[1 : len(raw)-1])
	s, known := f.ByName[string(name)]
	if !known {
		s.Column = pipeline.None
	}
	m := &f.spare
	if len(f.members) < len(f.ByName)+maxMembers {
		f.byRaw[string(raw)] = len(f.members)
		f.members = append(f.members, member{})
		f.next = len(f.members)
		m = &f.members[f.next-1]
	}
	*m = member{raw: append(m.raw[:0], raw...), column: s.Column, form: s.Form}
	if s.Nested != nil {
		m.nested = newBranchState(s.Nested)
	}
	if m.column == pipeline.None {
		m.shape = f.shapeOf(name)
	}
	return m
}

// shapeOf returns what a warning says of an unknown member called name.
func (f *branchState) shapeOf(name []byte) string {
	switch {
	case f.Shape != "":
		return f.Shape
	case plainName(name) && len(f.path)+len(name) <= maxShape:
		return f.path + string(name)
	}
	return ""
}

// plainName reports whether name looks like the name of a field, so that it may be
// shown.
func plainName(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 40
}

// value finds the value that starts at text[i] for m's column, and returns where
// it ends.
func (d *ObjectDecoder) value(text []byte, i int, m *member) (end int) {
	at := &d.found[m.column]
	switch c := text[i]; {
	case c == 'n':
		*at, end = valueSpan{}, i+len("null")
	case c == '"' && m.form == Text:
		*at, end = stringAt(text, i)
	case c == '"' && m.form == Literal:
		*at, end = literalAt(text, i)
	default:
		*at, end = rawAt(text, i)
	}
	return end
}

// unknownMember keeps the member of f with the given name whose value starts at
// text[i], or sees to it that a warning is noted. It returns where the value
// ends.
func (d *ObjectDecoder) unknownMember(text []byte, i int, f *branchState, name []byte, shape string) int {
	end := jsonscan.ValueEnd(text, i)
	if d.Extra {
		d.rest = append(append(d.rest, ',', '"'), f.Prefix...)
		d.rest = append(append(d.rest, name[1:]...), ':')
		d.rest = appendCompact(d.rest, text[i:end])
	} else if !d.warn {
		d.warn = true
		d.unknown = pipeline.Problem{
			Field: pipeline.None, Column: int16(f.Column), Severity: pipeline.Warning,
			Stage: pipeline.Read, Code: d.Unknown, Shape: shape,
		}
	}
	return end
}

// Flush adds what was found to the last row of b.
func (d *ObjectDecoder) Flush(b *pipeline.Batch) {
	for i := range d.found {
		if at := &d.found[i]; at.is {
			b.Input[i].AppendSpan(at.start, at.end)
			at.is = false
		} else {
			b.Input[i].AppendNull()
		}
	}
	if d.warn {
		d.warn = false
		d.unknown.Row = int32(b.Len() - 1)
		b.Note(d.unknown)
	}
	if d.Extra {
		d.flushExtra(&b.Input[len(d.found)])
	}
}

func (d *ObjectDecoder) flushExtra(c *pipeline.Column) {
	if len(d.rest) == 0 {
		c.AppendNull()
		return
	}
	d.rest[0] = '{'
	d.rest = append(d.rest, '}')
	c.Append(d.rest)
	d.rest = d.rest[:0]
}
