package sinks

import (
	"strconv"

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
		Meaning: "longer than the 32767 characters of a workbook's cell",
		Fix:     "Shorten the value, or write csv, jsonl or parquet, which hold it.",
	},
	{
		Code: codeNotUTF8, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "not text in UTF-8, which is all that a workbook holds",
		Fix:     "Check the encoding of the input.",
	},
}

// xlsxCells writes the cells of a sheet. It keeps nothing between calls.
//
// Neither rows nor cells say where they are: those of ECMA-376 that do not
// follow the one before, so that a row can be written before anybody knows its
// number. A cell without a value is there, but empty, if another follows.
type xlsxCells struct {
	schema *pipeline.Schema
}

func newXLSXCells(schema *pipeline.Schema) *xlsxCells { return &xlsxCells{schema} }

// xlsxEncoder makes rows of a sheet of the pending rows of a batch. It is for
// one goroutine.
type xlsxEncoder struct {
	*xlsxCells
	packer *xlsxPacker
}

// Encode appends the pending rows of b to e, each as a row of a sheet, and
// after the last of them all rows once more, compressed.
func (x *xlsxEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	for row, fate := range b.Fates {
		if fate == pipeline.Pending {
			e.Data = x.appendRow(e.Data, b, row)
		}
		e.EndRow()
	}
	if len(e.Data) > 0 {
		e.Data = x.packer.appendPacked(e.Data, e.Data)
	}
	return nil
}

// Elements of a row and its cells. Styles are those of xlsxStyles.
const (
	rowStart      = `<row>`
	rowEnd        = `</row>`
	emptyCell     = `<c/>`
	textStart     = `<c s="1" t="inlineStr"><is><t>`
	spacedStart   = `<c s="1" t="inlineStr"><is><t xml:space="preserve">`
	textEnd       = `</t></is></c>`
	integerStart  = `<c s="2"><v>`
	numberStart   = `<c><v>`
	dateStart     = `<c s="3"><v>`
	dateTimeStart = `<c s="4"><v>`
	valueEnd      = `</v></c>`
	trueCell      = `<c t="b"><v>1</v></c>`
	falseCell     = `<c t="b"><v>0</v></c>`
)

// appendRow appends a row, or nothing if it is rejected for a cell.
func (x *xlsxCells) appendRow(dst []byte, b *pipeline.Batch, row int) []byte {
	start := len(dst)
	dst = append(dst, rowStart...)
	empty := 0 // cells passed over
	for i := range x.schema.Fields {
		if b.Fields[i].Null(row) {
			empty++
			continue
		}
		for ; empty > 0; empty-- {
			dst = append(dst, emptyCell...)
		}
		var fault pipeline.Problem
		if dst, fault = appendCell(dst, b.Fields[i].Value(row), x.schema.Fields[i].Type); fault.Code != "" {
			fault.Row, fault.Field = int32(row), int16(i)
			b.Note(fault)
		}
	}
	if b.Fates[row] != pipeline.Pending {
		return dst[:start]
	}
	return append(dst, rowEnd...)
}

// appendCell appends a cell that holds v: as a value of type t if it is one
// that a spreadsheet keeps, as a text otherwise. If it is none either, it
// returns the problem, of which it does not know the place.
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
	if len(v) > spreadsheetCell {
		if n := utf16Length(v); n > spreadsheetCell {
			return dst, cellProblem(codeCellTooLong, strconv.Itoa(n)+" characters")
		}
	}
	start := len(dst)
	if len(v) > 0 && (isXMLSpace(v[0]) || isXMLSpace(v[len(v)-1])) {
		dst = append(dst, spacedStart...)
	} else {
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
