package sinks

import (
	"context"
	"crypto/sha256"
	"strconv"

	"flytt/pipeline"
)

// The limits of a workbook, as Excel has them.
const (
	xlsxRows    = 1 << 20 // of a sheet, its header among them
	xlsxColumns = 1 << 14 // of a sheet
)

// createXLSX writes an Excel workbook: one sheet, Data, whose first row holds
// the names of the fields, bold, frozen and with a filter. What goes beyond
// the rows of a sheet goes on in Data 2, which has a header of its own, and so
// on. Columns are as wide as the first rows need.
//
//	Text, UUID, JSON  text, whatever it looks like: identity and phone numbers stay whole
//	Date, DateTime    a date, shown as in ISO 8601; a time with a zone is in UTC
//	Integer, Number   a number, if it has no more digits than the 15 a spreadsheet keeps
//	Boolean           a boolean
//
// A value that is not of its type, or that a spreadsheet would change (a number
// of 16 digits, a date before March 1900), is a text as it stands. A text is
// never a formula. A null is an empty cell and an empty text an empty string. A
// text that no cell can hold rejects its row.
//
// A workbook is written as the rows come, and needs no more memory for more of
// them. The same rows make the same file; it says nothing of when it was made or
// by whom.
func createXLSX(out *output, schema *pipeline.Schema, _ *FileOptions) (pipeline.Sink, error) {
	switch n := len(schema.Fields); {
	case out.zip != nil:
		return nil, &pipeline.UsageError{Place: out.name, Cause: "a workbook is compressed within, and nothing opens it compressed again", Hint: "leave the second extension out"}
	case n == 0:
		return nil, &pipeline.UsageError{Place: out.name, Cause: "a workbook needs a column"}
	case n > xlsxColumns:
		return nil, &pipeline.UsageError{
			Place: out.name,
			Cause: strconv.Itoa(n) + " columns are more than the " + strconv.Itoa(xlsxColumns) + " of a sheet",
			Hint:  "map fewer fields, or write csv",
		}
	}
	return newXLSXSink(out, schema, xlsxRows), nil
}

// xlsxSink writes a workbook, one part after another: what is the same in all,
// the sheets, and what depends on how many there are. Workers make the cells;
// Write numbers them.
type xlsxSink struct {
	out    *output
	parts  *xlsxPackage
	schema *pipeline.Schema
	cells  *xlsxEncoder
	limit  int    // rows of a sheet, its header among them
	head   []byte // stands in a sheet before its first row of data; nil: nothing is written yet
	sheets []int  // rows of each sheet so far, its header among them
	rows   []byte // buffer
}

func newXLSXSink(out *output, schema *pipeline.Schema, limit int) *xlsxSink {
	return &xlsxSink{
		out:    out,
		parts:  newXLSXPackage(outputWriter{out}),
		schema: schema,
		cells:  newXLSXEncoder(schema),
		limit:  limit,
	}
}

// Encoder returns the encoder of all workers: it keeps nothing between calls.
func (s *xlsxSink) Encoder() pipeline.Encoder { return s.cells }

// Write appends the pending rows of c to the sheet, or to the next.
func (s *xlsxSink) Write(ctx context.Context, c *pipeline.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.Pending() == 0 {
		return nil
	}
	if err := s.begin(&c.Batch); err != nil {
		return err
	}
	if err := s.addRows(c); err != nil {
		return err
	}
	c.SetPending(pipeline.Written)
	return nil
}

// begin writes what comes before the first row, unless that is done. The rows
// of b say how wide the columns are.
func (s *xlsxSink) begin(b *pipeline.Batch) error {
	if s.head != nil {
		return nil
	}
	s.head = s.cells.appendSheetHead(nil, xlsxWidths(s.schema, b))
	for _, p := range xlsxFirstParts {
		if err := s.parts.add(p); err != nil {
			return err
		}
	}
	return s.nextSheet()
}

// nextSheet begins a sheet.
func (s *xlsxSink) nextSheet() error {
	s.sheets = append(s.sheets, 1)
	opening := xlsxSheetOpening
	if len(s.sheets) > 1 {
		opening = xlsxNextSheetOpening
	}
	if err := s.parts.beginLarge(xlsxSheetPart(len(s.sheets))); err != nil {
		return err
	}
	return s.parts.write(append([]byte(opening), s.head...))
}

// endSheet writes what follows the last row of a sheet.
func (s *xlsxSink) endSheet() error {
	return s.parts.write(appendSheetTail(nil, s.extent(len(s.sheets)-1)))
}

// extent returns the range of cells that a sheet fills.
func (s *xlsxSink) extent(sheet int) xlsxExtent {
	return xlsxExtent{columns: len(s.schema.Fields), rows: s.sheets[sheet]}
}

// addRows numbers the rows of c and writes them, in pieces of a size that a
// cache holds.
func (s *xlsxSink) addRows(c *pipeline.Chunk) error {
	const piece = 64 << 10
	s.rows = s.rows[:0]
	for i, fate := range c.Fates {
		if fate != pipeline.Pending {
			continue
		}
		if s.sheets[len(s.sheets)-1] == s.limit {
			if err := s.turnOver(); err != nil {
				return err
			}
		}
		s.sheets[len(s.sheets)-1]++
		s.rows = appendNumbered(s.rows, c.Item(i), s.sheets[len(s.sheets)-1])
		if len(s.rows) >= piece {
			if err := s.parts.write(s.rows); err != nil {
				return err
			}
			s.rows = s.rows[:0]
		}
	}
	return s.parts.write(s.rows)
}

// turnOver ends a sheet with the last rows it has room for and begins the next.
func (s *xlsxSink) turnOver() error {
	if err := s.parts.write(s.rows); err != nil {
		return err
	}
	s.rows = s.rows[:0]
	if err := s.endSheet(); err != nil {
		return err
	}
	return s.nextSheet()
}

// Commit ends the workbook and gives the file its name.
func (s *xlsxSink) Commit(context.Context) error {
	if err := s.begin(&pipeline.Batch{}); err != nil {
		return err
	}
	if err := s.endSheet(); err != nil {
		return err
	}
	if err := s.addLastParts(); err != nil {
		return err
	}
	if err := s.parts.close(); err != nil {
		return err
	}
	return s.out.commit()
}

// addLastParts writes what depends on how many sheets there are.
func (s *xlsxSink) addLastParts() error {
	extents := make([]xlsxExtent, len(s.sheets))
	for i := range extents {
		extents[i] = s.extent(i)
	}
	for _, p := range xlsxLastParts(extents) {
		if err := s.parts.add(p); err != nil {
			return err
		}
	}
	return nil
}

// Abort removes the file, if it has not got its name yet.
func (s *xlsxSink) Abort() (undone bool, err error) {
	s.out.tally.stopped.Store(true)
	s.parts.discard()
	return s.out.abort()
}

// Sum implements Summed.
func (s *xlsxSink) Sum() (sum [sha256.Size]byte, bytes int64) { return s.out.tally.sum() }
