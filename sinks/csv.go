package sinks

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
)

// createCSV writes CSV as in RFC 4180, other than that lines end in LF: commas,
// a header of field names, quotes where a cell holds a comma, a quote or a line
// break. A null is an empty cell and an empty text is "", so that a reader can
// tell them apart; where there is but one column a null is "" as well, for a
// reader takes an empty line for no row.
//
// For Excel it is what a Swedish Excel opens without asking: a byte order mark,
// semicolons, CRLF, decimal commas. Text stays text: cells that a spreadsheet
// would take for a formula, a number or a date are guarded as pipeline.GuardCell
// says, unless the field's type is one that is meant to be a number or a date.
func createCSV(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	e := &csvEncoder{schema: schema, dialect: guardedcsv.New(',', "\n"), excel: o.Excel}
	var head []byte
	if o.Excel {
		e.dialect = guardedcsv.New(';', "\r\n")
		head = append(head, guardedcsv.ByteOrderMark...)
	}
	for i, f := range schema.Fields {
		if i > 0 {
			head = append(head, e.dialect.Delimiter)
		}
		head = e.dialect.AppendCell(head, []byte(f.Name))
	}
	return &fileSink{out: out, head: append(head, e.dialect.End...), encoder: e}, nil
}

// csvEncoder writes each pending row as a CSV record. It keeps nothing between
// calls.
type csvEncoder struct {
	dialect *guardedcsv.Dialect
	schema  *pipeline.Schema
	excel   bool
}

// Encode appends the pending rows of b to e, each as one record.
func (s *csvEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	e.AppendPending(b, s.appendRow)
	return nil
}

func (s *csvEncoder) appendRow(dst []byte, b *pipeline.Batch, row int) []byte {
	for i := range s.schema.Fields {
		if i > 0 {
			dst = append(dst, s.dialect.Delimiter)
		}
		v := b.Fields[i].Value(row)
		switch {
		case len(v) > 0 && s.excel:
			if len(v) > guardedcsv.MaxCell {
				noteLongCell(b, row, i, utf8.RuneCount(v))
			}
			dst = s.appendTyped(dst, v, s.schema.Fields[i].Type)
		case len(v) > 0:
			dst = s.dialect.AppendCell(dst, v)
		case !b.Fields[i].Null(row) || len(s.schema.Fields) == 1:
			dst = append(dst, '"', '"')
		}
	}
	return append(dst, s.dialect.End...)
}

// noteLongCell warns of a cell that a spreadsheet would cut.
func noteLongCell(b *pipeline.Batch, row, field, length int) {
	if length <= guardedcsv.MaxCell {
		return
	}
	b.Note(pipeline.Problem{
		Row: int32(row), Field: int16(field), Column: pipeline.None, Severity: pipeline.Warning,
		Stage: pipeline.Write, Code: guardedcsv.CodeLongCell, Shape: strconv.Itoa(length) + " characters",
	})
}

// appendTyped appends v for a spreadsheet to read: as what it is if it is a
// value of a type that a spreadsheet has too, as guarded text otherwise.
func (s *csvEncoder) appendTyped(dst, v []byte, t pipeline.Type) []byte {
	switch {
	case t == pipeline.Boolean && (string(v) == "true" || string(v) == "false"),
		t == pipeline.Date && consistsOf(v, "0123456789-") && v[0] != '-',
		t == pipeline.Integer && isExcelNumber(v):
		return s.dialect.AppendCell(dst, v)
	case t == pipeline.Number && isExcelNumber(v):
		start := len(dst)
		dst = append(dst, v...)
		if point := bytes.IndexByte(dst[start:], '.'); point >= 0 {
			dst[start+point] = ','
		}
		return dst
	}
	return s.dialect.AppendGuarded(dst, v)
}

// isExcelNumber reports whether v is a number that a spreadsheet keeps and shows
// in full: eleven digits at most, and no exponent.
func isExcelNumber(v []byte) bool {
	if v[0] == '-' {
		v = v[1:]
	}
	whole, fraction, found := bytes.Cut(v, []byte{'.'})
	digits := len(whole) + len(fraction)
	return len(whole) > 0 && digits <= 11 && (!found || len(fraction) > 0) &&
		consistsOf(whole, "0123456789") && consistsOf(fraction, "0123456789") &&
		(whole[0] != '0' || len(whole) == 1)
}

func consistsOf(v []byte, chars string) bool {
	for _, c := range v {
		if strings.IndexByte(chars, c) < 0 {
			return false
		}
	}
	return true
}
