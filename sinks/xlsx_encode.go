package sinks

import (
	"bytes"
	"slices"
	"strconv"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
)

// The codes that a workbook's cells can earn.
const (
	codeCellTooLong pipeline.Code = "cell_too_long"
	codeNotUTF8     pipeline.Code = "not_utf8"
)

var xlsxCodes = []pipeline.CodeInfo{
	{
		Code: codeCellTooLong, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: codeNotUTF8, Stage: pipeline.Write, Severity: pipeline.Error,
	},
}

// xlsxEncoder makes rows of a sheet of the pending rows of a batch. Every cell
// says where it is, as some readers demand, but no worker knows the number of a
// row: rowMark stands for it until appendNumbered puts it in. The encoder keeps
// nothing between calls.
type xlsxEncoder struct {
	schema *pipeline.Schema
	cells  []string // what the cell of each column starts with
}

// rowMark is a byte that is in no XML.
const rowMark = 0

func newXLSXEncoder(schema *pipeline.Schema) *xlsxEncoder {
	x := &xlsxEncoder{schema: schema, cells: make([]string, len(schema.Fields))}
	for i := range x.cells {
		x.cells[i] = `<c r="` + columnName(i+1) + string(rune(rowMark)) + `"`
	}
	return x
}

// appendNumbered appends row with its number in place of the marks.
func appendNumbered(dst, row []byte, number int) []byte {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], int64(number), 10)
	for {
		i := bytes.IndexByte(row, rowMark)
		if i < 0 {
			return append(dst, row...)
		}
		dst = append(dst, row[:i]...)
		dst = append(dst, text...)
		row = row[i+1:]
	}
}

// Encode appends the pending rows of b to e, each as a row of a sheet.
func (x *xlsxEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	e.AppendPending(b, x.appendRow)
	return nil
}

// Elements of a row, and of its cells what follows the place. Styles are those
// of xlsxStyles.
const (
	rowStart      = "<row r=\"\x00\">"
	rowEnd        = `</row>`
	textStart     = ` s="1" t="inlineStr"><is><t>`
	spacedStart   = ` s="1" t="inlineStr"><is><t xml:space="preserve">`
	linesStart    = ` s="8" t="inlineStr"><is><t xml:space="preserve">`
	headerStart   = ` s="7" t="inlineStr"><is><t xml:space="preserve">`
	textEnd       = `</t></is></c>`
	integerStart  = ` s="2"><v>`
	dateStart     = ` s="3"><v>`
	dateTimeStart = ` s="4"><v>`
	numberStart   = ` s="5"><v>`
	valueEnd      = `</v></c>`
	trueCell      = ` s="6" t="b"><v>1</v></c>`
	falseCell     = ` s="6" t="b"><v>0</v></c>`
)

// appendRow appends a row, or nothing if it is rejected for a cell. A null has
// no cell.
func (x *xlsxEncoder) appendRow(dst []byte, b *pipeline.Batch, row int) []byte {
	start := len(dst)
	dst = append(dst, rowStart...)
	for i := range x.schema.Fields {
		if b.Fields[i].Null(row) {
			continue
		}
		var fault pipeline.Problem
		dst = append(dst, x.cells[i]...)
		if dst, fault = appendCell(dst, b.Fields[i].Value(row), x.schema.Fields[i].Type); fault.Code != "" {
			fault.Row, fault.Field = int32(row), int16(i)
			b.Note(fault)
		}
	}
	if b.Fates[row] != pipeline.Pending {
		return dst[:start]
	}
	if bytes.IndexByte(dst[start:], '\n') >= 0 {
		height := ` ht="` + strconv.Itoa(rowHeight(b, row)) + `"`
		dst = slices.Insert(dst, start+len(rowStart)-1, []byte(height)...)
	}
	return append(dst, rowEnd...)
}

// rowHeight returns how high a row is to be, in points, for the text with the
// most lines to be seen, unless those are very many. Without it some show but
// one line.
func rowHeight(b *pipeline.Batch, row int) int {
	const line, most = 15, 20
	lines := 1
	for i := range b.Fields {
		lines = max(lines, 1+bytes.Count(b.Fields[i].Value(row), []byte{'\n'}))
	}
	return line * min(lines, most)
}

// appendHeader appends the row of names.
func (x *xlsxEncoder) appendHeader(dst []byte) []byte {
	header := []byte(rowStart)
	for i, f := range x.schema.Fields {
		header = append(header, x.cells[i]...)
		header = append(header, headerStart...)
		header, _ = appendXMLText(header, []byte(f.Name))
		header = append(header, textEnd...)
	}
	return appendNumbered(dst, append(header, rowEnd...), 1)
}

// AppendCell appends what follows the place of a cell that holds v: as a value
// of type t if it is one that a spreadsheet keeps, as a text otherwise. If it is
// none either, it returns the problem, of which it does not know the place.
func appendCell(dst, v []byte, t pipeline.Type) ([]byte, pipeline.Problem) {
	var ok bool
	switch t {
	case pipeline.Integer:
		dst, ok = appendInteger(dst, v)
	case pipeline.Number:
		dst, ok = appendNumber(dst, v, numberStart)
	case pipeline.Boolean:
		dst, ok = appendBoolean(dst, v)
	case pipeline.Date:
		dst, ok = appendDate(dst, v)
	case pipeline.DateTime:
		dst, ok = appendDateTime(dst, v)
	}
	if ok {
		return dst, pipeline.Problem{}
	}
	return appendTextCell(dst, v)
}

func appendBoolean(dst, v []byte) ([]byte, bool) {
	switch string(v) {
	case "true":
		return append(dst, trueCell...), true
	case "false":
		return append(dst, falseCell...), true
	}
	return dst, false
}

// appendTextCell appends a cell that is a string, never a formula, whatever v
// starts with.
func appendTextCell(dst, v []byte) ([]byte, pipeline.Problem) {
	if len(v) > guardedcsv.MaxCell {
		if n := utf16Length(v); n > guardedcsv.MaxCell {
			return dst, cellProblem(codeCellTooLong, strconv.Itoa(n)+" characters")
		}
	}
	start := len(dst)
	switch {
	case bytes.IndexByte(v, '\n') >= 0:
		dst = append(dst, linesStart...)
	case len(v) > 0 && (isXMLSpace(v[0]) || isXMLSpace(v[len(v)-1])):
		dst = append(dst, spacedStart...)
	default:
		dst = append(dst, textStart...)
	}
	dst, ok := appendXMLText(dst, v)
	if !ok {
		return dst[:start], cellProblem(codeNotUTF8, "")
	}
	return append(dst, textEnd...), pipeline.Problem{}
}

func cellProblem(code pipeline.Code, shape string) pipeline.Problem {
	return pipeline.Problem{Column: pipeline.None, Stage: pipeline.Write, Code: code, Shape: shape}
}
