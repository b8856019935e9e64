package sources

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"flytt/pipeline"
	"flytt/sources/textscan"
	"flytt/sources/xlsx"
)

// The codes of workbooks. Blank rows, rows with cells outside of the named
// columns and texts that are none have the codes of delimited text.
const (
	naCell           pipeline.Code = "na_cell"
	errorCell        pipeline.Code = "error_cell"
	formulaNoValue   pipeline.Code = "formula_without_value"
	impossibleSerial pipeline.Code = "impossible_serial"
	invalidCell      pipeline.Code = "invalid_cell"
	hiddenRow        pipeline.Code = "hidden_row"
)

var xlsxCodes = []pipeline.CodeInfo{
	{Code: naCell, Stage: pipeline.Read, Severity: pipeline.Warning},
	{Code: errorCell, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: formulaNoValue, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: impossibleSerial, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: invalidCell, Stage: pipeline.Read, Severity: pipeline.Error},
	{Code: hiddenRow, Stage: pipeline.Read, Severity: pipeline.Warning},
}

// Limits of a batch of a workbook.
const (
	maxSheetText = 32 << 20 // bytes of text: a few cells can refer to a long one many times over
	maxBlankRows = 10_000   // blank rows that are counted in one batch
)

var errLongText = errors.New("the rows that follow hold more than 32 MiB of text within 256 KiB of the sheet")

// xlsxLayout is what all decoders of a sheet share.
type xlsxLayout struct {
	in         *input
	sheet      string
	header     int64    // the row of the header
	inputs     []int32  // for each column of the sheet its column in the batch, or notInBatch
	ignored    []bool   // for each column of the sheet: it is left out, whatever it holds
	names      []string // of the columns of the batch
	positions  []int    // their places in the sheet
	skipHidden bool
}

// place returns Excel's name of a cell or a row.
func (l *xlsxLayout) place(row int64, column int) string {
	if column >= 0 && column < len(l.positions) {
		column = l.positions[column]
	} else {
		column = pipeline.None
	}
	return xlsx.CellName(l.sheet, row, column)
}

// xlsxDecoder turns blocks of a sheet into batches. It belongs to one goroutine.
type xlsxDecoder struct {
	layout     *xlsxLayout
	scan       *xlsx.Scanner
	batch      *pipeline.Batch
	lastFilled int64 // number of the last row with any content
	text       int   // bytes of text in the batch
	blankRows  int   // blank rows noted
	row        int   // index of the current row; -1 until it has content
	empty      []int // columns of its empty texts, until then
	beyond     int   // cells outside the named columns
}

// Decode implements pipeline.Decoder.
func (d *xlsxDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	l := d.layout
	b.Reset(len(l.names))
	d.batch, d.text, d.blankRows = b, 0, 0
	d.lastFilled = max(block.Tag, l.header)
	d.scan.Reset(xlsx.Block{Data: block.Data, Row: block.Row})
	for d.scan.NextRow() {
		if d.scan.Row <= l.header {
			continue
		}
		if err := d.readRow(); err != nil {
			return err
		}
	}
	d.batch = nil
	if err := d.scan.Err(); err != nil {
		return l.in.workbookError(l.sheet, err)
	}
	return nil
}

// readRow reads the row that the scanner is at.
func (d *xlsxDecoder) readRow() error {
	d.row, d.empty, d.beyond = -1, d.empty[:0], 0
	hidden := d.scan.Hidden
	leave := hidden && d.layout.skipHidden
	filled := false
	for d.scan.NextCell() {
		filled = filled || d.scan.HasContent()
		if leave {
			continue
		}
		if err := d.cell(); err != nil {
			return err
		}
	}
	if !filled {
		return nil
	}
	d.noteBlankRows()
	switch {
	case leave:
		d.noteMissing(hiddenRow, d.scan.Row)
	case d.row < 0:
		d.noteMissing(textscan.BlankRow, d.scan.Row)
	default:
		d.endRow(hidden)
	}
	return nil
}

// noteBlankRows notes the rows without content between the last row with content and the
// current one. Blank rows at the end of a sheet are not noted.
func (d *xlsxDecoder) noteBlankRows() {
	for n := d.lastFilled + 1; n < d.scan.Row && d.blankRows < maxBlankRows; n++ {
		d.noteMissing(textscan.BlankRow, n)
		d.blankRows++
	}
	d.lastFilled = d.scan.Row
}

// noteMissing notes a row of the sheet that is not in the batch.
func (d *xlsxDecoder) noteMissing(code pipeline.Code, row int64) {
	d.batch.Note(pipeline.Problem{
		Row: pipeline.None, Field: pipeline.None, Column: pipeline.None,
		Severity: pipeline.Warning, Stage: pipeline.Read, Code: code,
		Shape: "row " + strconv.FormatInt(row, 10),
	})
}

// endRow completes the row: missing cells are null.
func (d *xlsxDecoder) endRow(hidden bool) {
	for i := range d.batch.Input {
		if c := &d.batch.Input[i]; c.Len() == d.row {
			c.AppendNull()
		}
	}
	if hidden {
		d.note(hiddenRow, pipeline.Warning, pipeline.None, "")
	}
	if d.beyond > 0 {
		d.note(raggedRow, pipeline.Error, pipeline.None,
			fmt.Sprintf("%s outside of the %s", count(d.beyond, "cell"), count(len(d.layout.names), "named column")))
	}
}

// cell reads the cell that the scanner is at.
func (d *xlsxDecoder) cell() error {
	l := d.layout
	v, fault, err := d.scan.Value()
	if err != nil {
		return l.in.workbookError(l.sheet, err)
	}
	if d.text += len(v); d.text > maxSheetText {
		return &Error{
			File: l.in.name, Place: xlsx.CellName(l.sheet, d.scan.Row, pipeline.None), Err: errLongText,
			Hint: "save the sheet as CSV, where repeated long texts do no harm",
		}
	}
	if v == nil && fault == xlsx.FaultNone {
		return nil
	}
	column := d.scan.Column
	if column >= len(l.inputs) || l.inputs[column] == notInBatch {
		d.outside(column, v)
		return nil
	}
	d.setCell(int(l.inputs[column]), v, fault)
	return nil
}

// outside handles a cell that has no column in the batch.
func (d *xlsxDecoder) outside(column int, v []byte) {
	if len(v) == 0 || column < len(d.layout.ignored) && d.layout.ignored[column] {
		return
	}
	d.startRow()
	d.beyond++
	d.batch.Surplus = append(d.batch.Surplus, pipeline.Surplus{Row: int32(d.row), Cell: string(v)})
}

// startRow adds the row to the batch, unless it is there already, with the empty texts
// seen so far.
func (d *xlsxDecoder) startRow() {
	if d.row >= 0 {
		return
	}
	d.batch.AddRow(d.scan.Row)
	d.row = d.batch.Len() - 1
	for _, i := range d.empty {
		d.append(i, []byte{})
	}
}

// setCell sets column i of the row to v.
func (d *xlsxDecoder) setCell(i int, v []byte, fault xlsx.Fault) {
	if d.row < 0 && len(v) == 0 && fault == xlsx.FaultNone {
		d.empty = append(d.empty, i)
		return
	}
	d.startRow()
	switch {
	case fault == xlsx.FaultPlace:
		d.note(invalidCell, pipeline.Error, pipeline.None, fault.String())
		return
	case d.append(i, v) && fault == xlsx.FaultNone:
		d.check(i, v)
	}
	if fault != xlsx.FaultNone {
		d.noteFault(fault, i)
	}
}

// append appends v to column i. It reports false if the row has a value there
// already.
func (d *xlsxDecoder) append(i int, v []byte) bool {
	c := &d.batch.Input[i]
	if c.Len() > d.row {
		d.note(invalidCell, pipeline.Error, i, "two cells in one place")
		return false
	}
	c.Append(v)
	return true
}

// check notes a value that is no text.
func (d *xlsxDecoder) check(i int, v []byte) {
	if !utf8.Valid(v) {
		d.note(textscan.InvalidEncoding, pipeline.Error, i, "bytes that are not UTF-8")
	}
	if bytes.IndexByte(v, 0) >= 0 {
		d.note(textscan.NULByte, pipeline.Error, i, "a NUL byte")
	}
}

// noteFault notes what is wrong with the cell of column i.
func (d *xlsxDecoder) noteFault(fault xlsx.Fault, i int) {
	code, severity, shape := invalidCell, pipeline.Error, fault.String()
	switch fault {
	case xlsx.FaultNA:
		code, severity, shape = naCell, pipeline.Warning, ""
	case xlsx.FaultError:
		code, shape = errorCell, d.scan.ErrorValue()
	case xlsx.FaultFormula:
		code, shape = formulaNoValue, ""
	case xlsx.FaultDate:
		code = impossibleSerial
	}
	d.note(code, severity, i, shape)
}

// note records a problem of the row being read.
func (d *xlsxDecoder) note(code pipeline.Code, severity pipeline.Severity, column int, shape string) {
	if column > math.MaxInt16 {
		column = pipeline.None
	}
	d.batch.Note(pipeline.Problem{
		Row: int32(d.row), Field: pipeline.None, Column: int16(column),
		Severity: severity, Stage: pipeline.Read, Code: code, Shape: shape,
	})
}
