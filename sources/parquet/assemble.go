package parquet

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	segmentRows = 4096    // of a nested column
	segmentText = 1 << 20 // bytes after which a segment ends early
	maxCell     = 16 << 20
)

// assembler makes JSON from the leaves of a nested column, as Dremel does: the
// repetition level of an entry says where a new element starts, its definition level
// how many of the fields on the path are present.
type assembler struct {
	column  *Column
	cursors []cursor
	left    int64 // rows left
	text    []byte
	start   int  // of the row in text
	fault   bool // in the row
	err     error
}

// cursor points to an entry of a leaf.
type cursor struct {
	r *chunkReader
	p *page
	i int // entry of p
	f int // the next fault of p
}

func newAssembler(c *Column, readers []*chunkReader, rows int64) *assembler {
	a := &assembler{column: c, left: rows, cursors: make([]cursor, len(readers))}
	for i, r := range readers {
		a.cursors[i].r = r
	}
	return a
}

// next implements segmentReader. It skips nothing.
func (a *assembler) next(int64) (*Segment, int64, error) {
	if a.left == 0 {
		return nil, 0, nil
	}
	s := &Segment{}
	a.text = make([]byte, 0, segmentText/8)
	for len(s.Spans) < segmentRows && a.left > 0 && len(a.text) < segmentText {
		if err := a.row(s); err != nil {
			return nil, 0, err
		}
	}
	s.Text = a.text
	s.cost = int64(len(a.text)) + entryCost*int64(len(s.Spans))
	return s, 0, a.column.file.budget.take(s.cost)
}

func (a *assembler) close() {
	for i := range a.cursors {
		c := &a.cursors[i]
		c.release()
		c.r.close()
	}
}

// row appends the next row to s. A list that is null, or is in a group that is null, is
// a null.
func (a *assembler) row(s *Segment) error {
	a.start, a.fault = len(a.text), false
	shape := a.column.shape
	null := a.def(shape) < shape.def
	a.value(shape)
	for i := range a.cursors {
		if _, rep, ok := a.peek(i); ok && rep != 0 {
			a.fail(corrupt("its fields do not have the same number of elements"))
		}
	}
	if a.err != nil {
		return a.err
	}
	a.left--
	if a.fault {
		s.Faults = append(s.Faults, int32(len(s.Spans)))
	}
	span := Span{uint32(a.start), uint32(len(a.text))}
	if null {
		a.text, span = a.text[:a.start], nullSpan
	}
	s.Spans = append(s.Spans, span)
	return nil
}

func (a *assembler) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// value appends the next value of s.
func (a *assembler) value(s *shape) {
	if s.leaves == 0 {
		a.text = append(a.text, "{}"...)
		return
	}
	if s.optional && a.def(s) < s.def {
		a.text = append(a.text, "null"...)
		a.skip(s)
		return
	}
	switch s.kind {
	case scalarShape:
		a.scalar(s)
	case objectShape:
		a.object(s)
	case listShape:
		a.elements(s, '[', ']', func() { a.value(s.members[0]) })
	case mapShape:
		a.elements(s, '{', '}', func() {
			a.key(s.members[0])
			a.text = append(a.text, ':')
			a.value(s.members[1])
		})
	}
}

func (a *assembler) object(s *shape) {
	a.text = append(a.text, '{')
	for i, m := range s.members {
		if i > 0 {
			a.text = append(a.text, ',')
		}
		a.quote(m.name)
		a.text = append(a.text, ':')
		a.value(m)
	}
	a.text = append(a.text, '}')
}

// elements appends the elements of s; f appends one of them.
func (a *assembler) elements(s *shape, open, end byte, f func()) {
	a.text = append(a.text, open)
	if a.def(s) < s.elementDef {
		a.skip(s)
		a.text = append(a.text, end)
		return
	}
	for {
		f()
		if _, rep, ok := a.peek(s.first); !ok || rep != s.elementRep {
			break
		}
		if len(a.text)-a.start > maxCell {
			a.fail(&Error{Err: fmt.Errorf("a list is more than %d MiB long as JSON", maxCell>>20), Hint: "leave the column out of the mapping"})
		}
		if a.err != nil {
			break
		}
		a.text = append(a.text, ',')
	}
	a.text = append(a.text, end)
}

// scalar appends the value at the cursor of s.
func (a *assembler) scalar(s *shape) {
	v, ok := a.take(s.first)
	l := a.column.leaves[s.first]
	switch {
	case !ok:
		a.text = append(a.text, "null"...)
	case l.bare && jsontext.Value(v).IsValid():
		a.text = append(a.text, v...)
	default:
		a.quote(string(v))
	}
}

// key appends the key of a map as a JSON string.
func (a *assembler) key(s *shape) {
	v, _ := a.take(s.first)
	a.quote(string(v))
}

// quote appends v as a JSON string. Text of the file was checked to be UTF-8; a name in
// its schema may not be.
func (a *assembler) quote(v string) {
	text, err := jsontext.AppendQuote(a.text, v)
	if err != nil {
		text, _ = jsontext.AppendQuote(a.text, fmt.Sprintf("%x", v))
	}
	a.text = text
}

// def returns the definition level of the next entry of s.
func (a *assembler) def(s *shape) byte {
	def, _, ok := a.peek(s.first)
	if !ok {
		a.fail(errShort)
	}
	return def
}

// skip skips one entry of each leaf of s.
func (a *assembler) skip(s *shape) {
	for i := range s.leaves {
		a.take(s.first + i)
	}
}

// take returns the value at the i-th cursor and moves the cursor on. It reports false
// for a null.
func (a *assembler) take(i int) ([]byte, bool) {
	if _, _, ok := a.peek(i); !ok {
		a.fail(errShort)
		return nil, false
	}
	c := &a.cursors[i]
	span := c.p.spans[c.i]
	if c.f < len(c.p.faults) && int(c.p.faults[c.f]) == c.i {
		c.f++
		a.fault = true
	}
	c.i++
	if span.Null() {
		return nil, false
	}
	return c.p.text[span.Start:span.End], true
}

// peek returns the levels of the entry at the i-th cursor. It reports false after the
// last.
func (a *assembler) peek(i int) (def, rep byte, ok bool) {
	c := &a.cursors[i]
	if c.p == nil || c.i >= c.p.entries() {
		if a.err != nil || !a.nextPage(c) {
			return 0, 0, false
		}
	}
	def = c.r.leaf.maxDef
	if c.p.def != nil {
		def = c.p.def[c.i]
	}
	if c.p.rep != nil {
		rep = c.p.rep[c.i]
	}
	return def, rep, true
}

// nextPage moves c to the next page, if there is one.
func (a *assembler) nextPage(c *cursor) bool {
	c.release()
	p, err := c.r.next(nil)
	if err != nil {
		a.fail(err)
	}
	c.p = p
	return p != nil
}

func (c *cursor) release() {
	if c.p != nil {
		c.r.file.budget.give(c.p.cost)
	}
	c.p, c.i, c.f = nil, 0, 0
}
