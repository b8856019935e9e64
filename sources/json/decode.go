package json

import (
	"bytes"
	"fmt"
	"math"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

// decoder turns blocks of JSON Lines, or of array elements, into batches. It checks
// each row before it searches it for values.
type decoder struct {
	ObjectDecoder
	check checker
	array bool
	batch *pipeline.Batch
	valid bool // all of the block is UTF-8
}

// Decode implements pipeline.Decoder.
func (d *decoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	d.Open(b, block.Data)
	d.batch, d.valid = b, textscan.InvalidUTF8(block.Data) < 0
	switch {
	case d.array:
		d.elements(block)
	case block.Tag == tagLong:
		d.broken(block.Row, longObject, "")
	default:
		d.lines(block)
	}
	d.batch = nil
	return nil
}

// lines decodes lines, each of which has its line end.
func (d *decoder) lines(block *pipeline.Block) {
	data, line := block.Data, block.Row
	for from := 0; from < len(data); line++ {
		to := from + bytes.IndexByte(data[from:], '\n')
		d.line(data[:to], from, line)
		from = to + 1
	}
}

// line decodes the line in text that starts at from.
func (d *decoder) line(text []byte, from int, number int64) {
	start := SkipSpace(text, from)
	if start == len(text) {
		return
	}
	if text[start] == '{' && d.isUTF8(text[start:]) {
		if end := d.check.value(text, start); end >= 0 && d.check.skip(end) == len(text) {
			d.row(text, start, number, number)
			return
		}
	}
	d.reject(text, start, number)
}

// elements decodes the elements of an array with the separators between them.
// elementEnd has found each of them to be whole, and the commas were checked. Lines are
// counted before an element is decoded, because decoding replaces escapes by line ends.
func (d *decoder) elements(block *pipeline.Block) {
	data, line, number := block.Data, block.Tag, block.Row
	for i := 0; ; number++ {
		start := elementStart(data, i)
		if start == len(data) {
			return
		}
		line += textscan.LineEnds(data[i:start], '\n')
		number = max(number, line)
		end, sound := d.element(data, start)
		begins := line
		line += textscan.LineEnds(data[start:end], '\n')
		if i = end; sound {
			d.row(data, start, number, begins)
		} else {
			d.reject(data[:end], start, number)
		}
	}
}

// element returns where the element ends that starts at start, and whether it is a row.
func (d *decoder) element(data []byte, start int) (end int, sound bool) {
	if data[start] == '{' {
		if end = d.check.value(data, start); end >= 0 && d.isUTF8(data[start:end]) {
			return end, true
		}
	}
	if end, _ = elementEnd(data, start); end < 0 {
		end = len(data)
	}
	return end, false
}

func (d *decoder) isUTF8(text []byte) bool { return d.valid || textscan.InvalidUTF8(text) < 0 }

// row adds the object at start, which was checked. An object without any value does not
// count as a row.
func (d *decoder) row(text []byte, start int, number, line int64) {
	d.Object(text, start)
	if d.blank() {
		clear(d.found)
		d.batch.Note(pipeline.Problem{
			Row: pipeline.None, Field: pipeline.None, Column: pipeline.None,
			Severity: pipeline.Warning, Stage: pipeline.Read, Code: textscan.BlankRow, Shape: fmt.Sprintf("line %d", line),
		})
		return
	}
	d.batch.AddRow(number)
	d.Flush(d.batch)
	if d.check.nul {
		d.noteNULs()
	}
}

// blank reports whether nothing was found but nulls and empty strings.
func (d *decoder) blank() bool {
	for i := range d.found {
		if f := &d.found[i]; f.is && f.end > f.start {
			return false
		}
	}
	return !d.warn
}

// noteNULs notes the columns of the last row that have the character U+0000.
func (d *decoder) noteNULs() {
	row := d.batch.Len() - 1
	for i := range d.batch.Input {
		if textscan.HasNUL(d.batch.Input[i].Value(row)) {
			d.note(i, textscan.NULByte, "a NUL byte")
		}
	}
}

// reject adds a row without values for the text from start on, which becomes a surplus
// cell, and notes what is wrong with it and where.
func (d *decoder) reject(text []byte, start int, number int64) {
	text = bytes.TrimRight(text, " \t\r\n")
	f, _ := d.check.row(text, start)
	d.broken(number, f.code, f.describe(text, start))
	d.batch.Surplus = append(d.batch.Surplus, pipeline.Surplus{Row: int32(d.batch.Len() - 1), Cell: string(text[start:])})
}

// broken adds a row without values that has the given problem.
func (d *decoder) broken(number int64, code pipeline.Code, shape string) {
	d.batch.AddRow(number)
	for i := range d.batch.Input {
		d.batch.Input[i].AppendNull()
	}
	d.note(pipeline.None, code, shape)
}

// note records a problem of the last row.
func (d *decoder) note(column int, code pipeline.Code, shape string) {
	d.batch.Note(pipeline.Problem{
		Row: int32(d.batch.Len() - 1), Field: pipeline.None, Column: int16(min(column, math.MaxInt16)),
		Severity: pipeline.Error, Stage: pipeline.Read, Code: code, Shape: shape,
	})
}
