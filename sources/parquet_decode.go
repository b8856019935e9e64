package sources

import (
	"fmt"
	"math"

	"flytt/pipeline"
	"flytt/sources/parquet"
)

// parquetDecoder turns ranges of rows into batches whose columns point into the
// pages of the file. It belongs to one goroutine.
type parquetDecoder struct {
	source    *parquetSource
	wanted    []int // columns that steps look at, in the order they are read in
	others    []int // columns that nobody asked for
	fill      func(*pipeline.Batch) error
	block     int64 // first row of the current block, which DecodeRest may still need; -1: none
	rows      parquet.Range
	text      int // bytes of the batch
	segments  []*parquet.Segment
	postponed []int
}

// Decode implements pipeline.Decoder.
func (d *parquetDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	s := d.source
	if d.block >= 0 {
		s.inUse.done(d.block)
	}
	d.block = block.Row - 1
	d.rows = parquet.Range{From: d.block, To: d.block + block.Tag, Keep: s.inUse.first(d.block)}
	d.text = 0
	b.Reset(len(s.names))
	for i := range block.Tag {
		b.AddRow(block.Row + i)
	}
	if err := d.read(b, d.wanted, b.Note); err != nil {
		return err
	}
	for i := range s.names {
		if b.Input[i].Len() == 0 {
			appendNulls(&b.Input[i], int(block.Tag))
		}
	}
	if len(d.others) > 0 {
		b.DecodeRest = d.fill
	}
	return nil
}

// maxTextUnderWay bounds the text of a batch. Cells may all point to the same
// text, but they are going to be written one by one.
const maxTextUnderWay = 128 << 20

// addTextSize adds the size of values to the size of the batch. It returns an error if
// that becomes too large.
func (d *parquetDecoder) addTextSize(spans []parquet.Span) error {
	for _, s := range spans {
		if !s.Null() {
			d.text += int(s.End - s.Start)
		}
	}
	if d.text <= maxTextUnderWay {
		return nil
	}
	return &Error{
		File: d.source.in.name, Place: fmt.Sprintf("row %d", d.rows.From+1),
		Err:  fmt.Errorf("this and the %d rows behind it hold more than %d MiB of text", d.rows.To-d.rows.From-1, maxTextUnderWay>>20),
		Hint: "leave columns with very long text out of the mapping",
	}
}

// fillOthers decodes the columns that no step uses.
func (d *parquetDecoder) fillOthers(b *pipeline.Batch) error {
	return d.read(b, d.others, func(pipeline.Problem) {})
}

// read decodes the given columns of the current rows. Columns that another goroutine is
// reading are postponed until the others are done.
func (d *parquetDecoder) read(b *pipeline.Batch, columns []int, note func(pipeline.Problem)) error {
	d.postponed = d.postponed[:0]
	for _, i := range columns {
		done, err := d.column(b, i, note, false)
		if err != nil {
			return err
		}
		if !done {
			d.postponed = append(d.postponed, i)
		}
	}
	for _, i := range d.postponed {
		if _, err := d.column(b, i, note, true); err != nil {
			return err
		}
	}
	return nil
}

// column decodes column i. It reports false if it did not, because another
// goroutine is reading it.
func (d *parquetDecoder) column(b *pipeline.Batch, i int, note func(pipeline.Problem), wait bool) (bool, error) {
	var done bool
	var err error
	d.segments, done, err = d.source.file.Columns()[i].Read(d.segments[:0], d.rows, wait)
	if err != nil {
		return false, parquetError(d.source.in, err)
	}
	if !done {
		return false, nil
	}
	c := &b.Input[i]
	c.Reset()
	if len(d.segments) == 1 {
		c.Share(d.segments[0].Text)
	}
	for _, s := range d.segments {
		from, to := int(max(d.rows.From-s.First, 0)), int(min(d.rows.To, s.End())-s.First)
		if err := d.addTextSize(s.Spans[from:to]); err != nil {
			return false, err
		}
		if len(d.segments) == 1 {
			point(c, s.Spans[from:to])
		} else {
			copySpans(c, s.Text, s.Spans[from:to])
		}
		for _, f := range s.Faults {
			if row := s.First + int64(f) - d.rows.From; int(f) >= from && int(f) < to {
				note(pipeline.Problem{
					Row: int32(row), Field: pipeline.None, Column: int16(min(i, math.MaxInt16)),
					Severity: pipeline.Error, Stage: pipeline.Read, Code: unreadableValue,
				})
			}
		}
	}
	clear(d.segments)
	return true, nil
}

func appendNulls(c *pipeline.Column, n int) {
	for range n {
		c.AppendNull()
	}
}

// point appends values that lie in the text c shares.
func point(c *pipeline.Column, spans []parquet.Span) {
	for _, s := range spans {
		if s.Null() {
			c.AppendNull()
			continue
		}
		c.AppendSpan(int(s.Start), int(s.End))
	}
}

// copySpans appends copies of values that lie in text.
func copySpans(c *pipeline.Column, text []byte, spans []parquet.Span) {
	for _, s := range spans {
		if s.Null() {
			c.AppendNull()
			continue
		}
		c.Append(text[s.Start:s.End:s.End])
	}
}
