package sources

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sources/textscan"
)

// decoder turns blocks of delimited text into batches whose columns point into the
// block. It belongs to one goroutine.
type decoder struct {
	layout      *layout
	stops       [256]bool // the bytes that end the fast scan of a cell without quotes
	cells       []*pipeline.Column
	unusedCells pipeline.Column // receives the cells of columns that are not in the batch
	spare       pipeline.Column
	text        []byte // buffer for converted blocks
	batch       *pipeline.Batch
	data        []byte
	line        int64 // physical line of what is being read
}

// layout is what all decoders of a source share.
type layout struct {
	grammar grammar
	table   *charTable // for blocks with tagTable
	inputs  []int32    // for each named column of the text its column in the batch, or notInBatch
	width   int        // columns the header has, nameless ones at its end included
	columns int        // columns of the batch
}

// notInBatch stands for the place of a column that the batch does not have.
const notInBatch = -1

func newDecoder(l *layout) *decoder {
	d := &decoder{layout: l, cells: make([]*pipeline.Column, len(l.inputs))}
	d.stops[l.grammar.delimiter], d.stops[l.grammar.eol], d.stops[quote] = true, true, true
	return d
}

// Decode implements pipeline.Decoder.
func (d *decoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	l := d.layout
	t := (*charTable)(nil)
	if block.Tag == tagTable {
		t = l.table
	}
	slow := t != nil && !t.clean(block.Data)
	if t != nil && !slow {
		d.text = t.append(d.text[:0], block.Data)
		block.Data, d.text = d.text, block.Data
	}
	invalid := block.Tag == tagUTF8 && textscan.InvalidUTF8(block.Data) >= 0
	nul := bytes.IndexByte(block.Data, 0) >= 0

	d.open(block, b)
	d.rows()
	if nul {
		d.noteEach(textscan.HasNUL, textscan.NULByte, "a NUL byte")
	}
	if invalid {
		d.noteEach(notUTF8, textscan.InvalidEncoding, "bytes that are not UTF-8")
	}
	if slow {
		d.noteUntrusted(t)
		d.transcode(t)
	}
	d.batch, d.data = nil, nil
	return nil
}

// open makes the decoder and the columns of b point at block.
func (d *decoder) open(block *pipeline.Block, b *pipeline.Batch) {
	b.Reset(d.layout.columns)
	d.batch, d.data, d.line = b, block.Data, block.Row
	d.unusedCells.Share(block.Data)
	for i, at := range d.layout.inputs {
		d.cells[i] = &d.unusedCells
		if at != notInBatch {
			d.cells[i] = &b.Input[at]
			d.cells[i].Share(block.Data)
		}
	}
}

// rows decodes all rows. The block must end with a line end: nothing else stops the
// inner loop.
func (d *decoder) rows() {
	data, cells, eol := d.data, d.cells, d.layout.grammar.eol
	stops := &d.stops
	for pos := 0; pos < len(data); {
		if next, blank := d.blank(pos); blank {
			pos = next
			continue
		}
		d.batch.AddRow(d.line)
		beyond := len(d.batch.Surplus)
		column := 0
		for ended := false; !ended; column++ {
			start := pos
			for !stops[data[pos]] {
				pos++
			}
			end := pos
			if data[pos] == quote {
				start, end, pos = d.quoted(start, pos, column)
			} else if data[pos] == '\n' && end > start && data[end-1] == '\r' && eol == '\n' {
				end--
			}
			if column < len(cells) {
				cells[column].AppendSpan(start, end)
			} else {
				d.surplus(data[start:end])
			}
			ended = data[pos] == eol
			pos++
		}
		d.line++
		if column != len(cells) {
			d.ragged(column, beyond)
		}
	}
}

// blank reports whether the row at pos has only empty cells, and where the next row
// starts. It notes the line: such rows do not count.
func (d *decoder) blank(pos int) (next int, blank bool) {
	g := d.layout.grammar
	for ; ; pos++ {
		switch c := d.data[pos]; {
		case c == g.eol:
			d.batch.Note(pipeline.Problem{
				Row: pipeline.None, Field: pipeline.None, Column: pipeline.None,
				Severity: pipeline.Warning, Stage: pipeline.Read, Code: textscan.BlankRow,
				Shape: "line " + strconv.FormatInt(d.line, 10),
			})
			d.line++
			return pos + 1, true
		case c == g.delimiter || c == '\r' && d.data[pos+1] == '\n' && g.eol == '\n':
		case c == quote && g.opens(d.data, pos) && d.data[pos+1] == quote && d.endsCell(pos+2):
			pos++
		default:
			return 0, false
		}
	}
}

func (d *decoder) endsCell(pos int) bool {
	g := d.layout.grammar
	switch d.data[pos] {
	case g.delimiter, g.eol:
		return true
	case '\r':
		return g.eol == '\n' && d.data[pos+1] == '\n'
	}
	return false
}

// quoted reads the cell that starts at start and has its first quote at q. It
// returns the cell and where its delimiter or line end is.
func (d *decoder) quoted(start, q, column int) (from, to, next int) {
	if q > start {
		d.note(bareQuote, column, "a quote in a cell without quotes")
		return d.unquoted(start, q)
	}
	closed, _ := closing(d.data, q+1)
	d.line += textscan.LineEnds(d.data[q:closed], d.layout.grammar.eol)
	if !d.endsCell(closed) {
		d.note(textAfterQuote, column, "text after the closing quote")
		return d.unquoted(start, closed)
	}
	next = closed
	if d.data[next] == '\r' && d.layout.grammar.eol == '\n' {
		next++
	}
	return q + 1, q + 1 + unescape(d.data[q+1:closed-1]), next
}

// unquoted reads to the end of the cell; quotes are data.
func (d *decoder) unquoted(start, pos int) (from, to, next int) {
	g := d.layout.grammar
	for d.data[pos] != g.delimiter && d.data[pos] != g.eol {
		pos++
	}
	end := pos
	if g.eol == '\n' && d.data[pos] == '\n' && d.data[pos-1] == '\r' {
		end--
	}
	return start, end, pos
}

// unescape makes each "" of v one quote, in place, and returns the length left.
func unescape(v []byte) int {
	n := bytes.IndexByte(v, quote)
	if n < 0 {
		return len(v)
	}
	for i := n; i < len(v); i++ {
		v[n] = v[i]
		n++
		if v[i] == quote {
			i++
		}
	}
	return n
}

// surplus keeps a cell beyond the last named column of the row being read.
func (d *decoder) surplus(cell []byte) {
	row := int32(d.batch.Len() - 1)
	d.batch.Surplus = append(d.batch.Surplus, pipeline.Surplus{Row: row, Cell: string(cell)})
}

// ragged handles a row of n cells whose header has another number of columns. Missing
// cells become null. Empty cells below the nameless columns at the end of the header are
// dropped. beyond is where the row's cells start in Surplus.
func (d *decoder) ragged(n, beyond int) {
	l := d.layout
	for i := n; i < len(d.cells); i++ {
		d.cells[i].AppendNull()
	}
	if n > len(l.inputs) && n <= l.width && d.empty(beyond) {
		d.batch.Surplus = d.batch.Surplus[:beyond]
		return
	}
	d.note(raggedRow, pipeline.None, fmt.Sprintf("%s, %s", count(n, "cell"), count(len(l.inputs), "column")))
}

func (d *decoder) empty(beyond int) bool {
	for _, s := range d.batch.Surplus[beyond:] {
		if s.Cell != "" {
			return false
		}
	}
	return true
}

// note records a problem of the row being read.
func (d *decoder) note(code pipeline.Code, column int, shape string) {
	d.noteRow(d.batch.Len()-1, code, d.inputColumn(column), shape)
}

func (d *decoder) noteRow(row int, code pipeline.Code, column int16, shape string) {
	d.batch.Note(pipeline.Problem{
		Row: int32(row), Field: pipeline.None, Column: column,
		Severity: pipeline.Error, Stage: pipeline.Read, Code: code, Shape: shape,
	})
}

// inputColumn returns the column of the batch for column i of the text; pipeline.None
// if it is not in the batch, or too large for a Problem.
func (d *decoder) inputColumn(i int) int16 {
	if i < 0 || i >= len(d.layout.inputs) || d.layout.inputs[i] > math.MaxInt16 {
		return pipeline.None
	}
	return int16(d.layout.inputs[i])
}

// noteEach notes code for every cell that is bad.
func (d *decoder) noteEach(bad func([]byte) bool, code pipeline.Code, shape string) {
	for i := range d.batch.Input {
		c, column := &d.batch.Input[i], int16(pipeline.None)
		if i <= math.MaxInt16 {
			column = int16(i)
		}
		for row := range c.Len() {
			if bad(c.Value(row)) {
				d.noteRow(row, code, column, shape)
			}
		}
	}
	for _, s := range d.batch.Surplus {
		if bad([]byte(s.Cell)) {
			d.noteRow(int(s.Row), code, pipeline.None, shape)
		}
	}
}

// noteUntrusted notes the cells, still in the encoding of t, that cannot be converted
// reliably.
func (d *decoder) noteUntrusted(t *charTable) {
	d.noteEach(t.hasUndefined, textscan.InvalidEncoding, "a byte without a character in "+t.name)
	if !t.requested {
		d.noteEach(hasUTF8, textscan.InvalidEncoding, "UTF-8 in a file of "+t.name)
	}
}

// transcode converts the cells of the batch, one by one, from the encoding of t to
// UTF-8.
func (d *decoder) transcode(t *charTable) {
	for i := range d.batch.Input {
		from := &d.batch.Input[i]
		d.spare.Reset()
		for row := range from.Len() {
			v := from.Value(row)
			if v != nil {
				d.text = t.append(d.text[:0], v)
				v = d.text
			}
			d.spare.Append(v)
		}
		*from, d.spare = d.spare, *from
	}
	for i := range d.batch.Surplus {
		s := &d.batch.Surplus[i]
		s.Cell = string(t.append(nil, []byte(s.Cell)))
	}
}

func notUTF8(v []byte) bool { return textscan.InvalidUTF8(v) >= 0 }

// count returns "1 cell" or "9 cells".
func count(n int, what string) string {
	return strconv.Itoa(n) + " " + text.Plural(n, what, what+"s")
}
