package pipeline

// span is where a value lies in its column's text. A span that ends before it starts is
// a null.
type span struct{ start, end uint32 }

var nullSpan = span{start: 1, end: 0}

// Column holds the values of one column, one per row, as spans of one text.
// Several columns may share a text: a decoder points all of them at its
// block, a map step points its own at the decoder's. Nothing is copied until
// a value changes. A text is at most 4 GiB; blocks are far smaller.
//
// The zero Column is empty and ready to use.
type Column struct {
	text     []byte
	spans    []span
	borrowed bool   // text belongs to another column or block
	own      []byte // while text is borrowed: the buffer to return to
}

// Len returns the number of rows.
func (c *Column) Len() int { return len(c.spans) }

// Null reports whether row i has no value.
func (c *Column) Null(i int) bool { return c.spans[i].start > c.spans[i].end }

// noText is an empty value that is not nil: a slice of a nil text would be nil, and nil
// is a null.
var noText = []byte{}

// Value returns the value of row i, nil for a null and empty but not nil for
// an empty one. It stays valid until the column is reset, and is not to be
// changed.
func (c *Column) Value(i int) []byte {
	s := c.spans[i]
	switch {
	case s.start > s.end:
		return nil
	case s.start == s.end:
		return noText
	}
	return c.text[s.start:s.end:s.end]
}

// Reset empties the column and keeps its buffers; the column owns its text
// again.
func (c *Column) Reset() {
	c.spans = c.spans[:0]
	if c.borrowed {
		c.text, c.borrowed = c.own, false
	}
	c.text = c.text[:0]
}

// borrow lets the column point into text, which it does not own.
func (c *Column) borrow(text []byte) {
	if !c.borrowed {
		c.own, c.borrowed = c.text, true
	}
	c.text = text
}

// Share empties the column and lets it point into text, which it does not own:
// only AppendSpan and AppendNull may add rows until the next Reset.
func (c *Column) Share(text []byte) {
	c.spans = c.spans[:0]
	c.borrow(text)
}

// AppendSpan appends a row whose value is text[start:end] of the shared text.
func (c *Column) AppendSpan(start, end int) {
	c.spans = append(c.spans, span{uint32(start), uint32(end)})
}

// AppendNull appends a row without a value.
func (c *Column) AppendNull() { c.spans = append(c.spans, nullSpan) }

// Append appends a row with a copy of v; a nil v is a null.
func (c *Column) Append(v []byte) {
	if v == nil {
		c.AppendNull()
		return
	}
	start := len(c.text)
	c.text = append(c.text, v...)
	c.spans = append(c.spans, span{uint32(start), uint32(len(c.text))})
}

// Grow lets f append the next row's value to the column's text: it is given
// the text and returns it with the value added, or reports false for a null.
func (c *Column) Grow(f func(text []byte) ([]byte, bool)) {
	start := len(c.text)
	text, ok := f(c.text)
	if !ok {
		c.text = text[:start]
		c.AppendNull()
		return
	}
	c.text = text
	c.spans = append(c.spans, span{uint32(start), uint32(len(text))})
}

// appendRows appends copies of rows from to to of src.
func (c *Column) appendRows(src *Column, from, to int) {
	for i := from; i < to; i++ {
		c.Append(src.Value(i))
	}
}

// Trim makes c a view of from: the same values without the white space around
// them (space, tab, CR, LF, no-break space), the empty ones null. c does not
// own its text afterwards.
func (c *Column) Trim(from *Column) {
	c.borrow(from.text)
	c.spans = append(c.spans[:0], from.spans...)
	for i := range c.spans {
		c.spans[i] = trimSpan(from.text, c.spans[i])
	}
}

// View makes c a view of from: the same values, with empty ones as null. c does not own
// its text afterwards.
func (c *Column) View(from *Column) {
	c.borrow(from.text)
	c.spans = append(c.spans[:0], from.spans...)
	for i, s := range c.spans {
		if s.start == s.end {
			c.spans[i] = nullSpan
		}
	}
}

// Mirror makes c a view of from: the same values, both empty and null ones. c does not
// own its text afterwards.
func (c *Column) Mirror(from *Column) {
	c.borrow(from.text)
	c.spans = append(c.spans[:0], from.spans...)
}

// DropPrefix removes the first n bytes of row i's value.
func (c *Column) DropPrefix(i, n int) { c.spans[i].start += uint32(n) }

// SetNull takes row i's value away.
func (c *Column) SetNull(i int) { c.spans[i] = nullSpan }

func trimSpan(text []byte, s span) span {
	for s.start < s.end {
		n := spaceAt(text[s.start:s.end])
		if n == 0 {
			break
		}
		s.start += n
	}
	for s.start < s.end {
		n := spaceBefore(text[s.start:s.end])
		if n == 0 {
			break
		}
		s.end -= n
	}
	if s.start >= s.end {
		return nullSpan
	}
	return s
}

// spaceAt returns the length of the white space character v starts with, or 0.
func spaceAt(v []byte) uint32 {
	switch {
	case v[0] > ' ' && v[0] < 0x80:
		return 0
	case v[0] == ' ' || v[0] >= '\t' && v[0] <= '\r':
		return 1
	case v[0] == 0xC2 && len(v) > 1 && v[1] == 0xA0:
		return 2
	}
	return 0
}

// spaceBefore returns the length of the white space character v ends with, or 0.
func spaceBefore(v []byte) uint32 {
	last := v[len(v)-1]
	switch {
	case last > ' ' && last < 0x80:
		return 0
	case last == ' ' || last >= '\t' && last <= '\r':
		return 1
	case last == 0xA0 && len(v) > 1 && v[len(v)-2] == 0xC2:
		return 2
	}
	return 0
}

// Surplus is a cell beyond the last named column of a row. It is kept so that the
// rejects file loses nothing.
type Surplus struct {
	Row  int32 // index of the row in the batch
	Cell string
}

// Batch is decoded rows, held column by column. All its columns and slices
// have one entry per row. It belongs to one goroutine at a time and is reused
// for the next block when its rows are accounted for.
type Batch struct {
	Rows     []int64   // each row's number in its file: the physical line it starts on, or the sheet row
	Input    []Column  // the columns as they stand in the input
	Fields   []Column  // the fields of the resource, in the order of the mapping's schema
	Keys     Column    // what identifies each row; empty where the mapping names no key
	Fates    []Fate    // what became of each row; Pending while it is in progress
	Problems []Problem // what is wrong, or was repaired, in any order
	Surplus  []Surplus // cells beyond the last column, in order

	// DecodeRest, unless nil, decodes the input columns that the decoder left null
	// because no step uses them. The engine calls it once, on the goroutine that decoded
	// the batch, when all columns are needed: a row was rejected, or the rows go to an
	// API, which may reject any of them.
	DecodeRest func(*Batch) error
}

// Len returns the number of rows.
func (b *Batch) Len() int { return len(b.Rows) }

// Reset empties the batch and gives it columns columns, keeping its buffers.
func (b *Batch) Reset(columns int) {
	b.Rows = b.Rows[:0]
	b.Input = sized(b.Input, columns)
	for i := range b.Input {
		b.Input[i].Reset()
	}
	b.Fields = b.Fields[:0]
	b.Keys.Reset()
	b.Fates = b.Fates[:0]
	clear(b.Problems)
	b.Problems = b.Problems[:0]
	clear(b.Surplus)
	b.Surplus = b.Surplus[:0]
	b.DecodeRest = nil
}

// SizeFields gives the batch n fields and returns them. They hold buffers of earlier
// use: fill each with Reset, Trim, View or Mirror first.
func (b *Batch) SizeFields(n int) []Column {
	b.Fields = sized(b.Fields, n)
	return b.Fields
}

func sized(columns []Column, n int) []Column {
	if n <= cap(columns) {
		return columns[:n]
	}
	return append(columns[:cap(columns)], make([]Column, n-cap(columns))...)
}

// AddRow appends the row whose number in the file is number. The decoder adds
// one value to every input column for it.
func (b *Batch) AddRow(number int64) {
	b.Rows = append(b.Rows, number)
	b.Fates = append(b.Fates, Pending)
}

// Note records p. An Error rejects its row; one of stage Read makes it Broken.
func (b *Batch) Note(p Problem) {
	b.Problems = append(b.Problems, p)
	switch {
	case p.Severity != Error || p.Row < 0 || b.Fates[p.Row] == Broken:
	case p.Stage == Read:
		b.Fates[p.Row] = Broken
	default:
		b.Fates[p.Row] = Rejected
	}
}
