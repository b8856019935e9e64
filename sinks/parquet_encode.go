package sinks

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// The codes of values that a typed column cannot hold.
const (
	codeNotInteger  pipeline.Code = "not_integer"
	codeNotNumber   pipeline.Code = "not_number"
	codeNotBoolean  pipeline.Code = "not_boolean"
	codeNotDate     pipeline.Code = "not_date"
	codeNotDateTime pipeline.Code = "not_date_time"
)

// parquetCodes documents them.
var parquetCodes = []pipeline.CodeInfo{
	{
		Code: codeNotInteger, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: codeNotNumber, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: codeNotBoolean, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: codeNotDate, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: codeNotDateTime, Stage: pipeline.Write, Severity: pipeline.Error,
	},
}

// parquetEncoder makes of each pending row its cells, one after another in the
// order of the columns. A cell starts with a byte, or a number, that is 0 for a
// null:
//
//	text, JSON               length plus one as a varint, then the bytes
//	date                     1, then the days since 1970 in 4 bytes
//	integer, number, moment  1, then 8 bytes
//	boolean                  1 for false, 2 for true
//
// It keeps nothing between calls, so that one encoder serves all workers.
type parquetEncoder struct{ columns []parquetColumn }

// Encode appends the pending rows of b to e.
func (p *parquetEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	e.AppendPending(b, p.appendRow)
	return nil
}

// appendRow appends the cells of a row, or nothing if one of them is not of its
// column's type: each of those is noted.
func (p *parquetEncoder) appendRow(dst []byte, b *pipeline.Batch, row int) []byte {
	start, bad := len(dst), false
	for i := range p.columns {
		v := b.Fields[i].Value(row)
		if v == nil {
			dst = append(dst, 0)
			continue
		}
		var code pipeline.Code
		if dst, code = appendParquetCell(dst, v, p.columns[i].kind); code != "" {
			b.Note(pipeline.Problem{Row: int32(row), Field: int16(i), Column: pipeline.None, Stage: pipeline.Write, Code: code})
			bad = true
		}
	}
	if bad {
		return dst[:start]
	}
	return dst
}

// appendParquetCell appends v, which is no null, as kind has it, or returns the
// code of what is wrong with it.
func appendParquetCell(dst, v []byte, kind parquetKind) ([]byte, pipeline.Code) {
	switch kind {
	case parquetText:
		return appendParquetText(dst, v), ""
	case parquetJSON:
		if !jsonobject.PlainInteger(v) && !(utf8.Valid(v) && json.Valid(v)) {
			return dst, jsonobject.CodeNotJSON
		}
		return appendParquetBytes(dst, v), ""
	case parquetDate:
		date, ok := parseDate(v)
		if !ok {
			return dst, codeNotDate
		}
		return binary.LittleEndian.AppendUint32(append(dst, 1), uint32(date.Unix()/secondsOfDay)), ""
	case parquetDateTime:
		at, ok := parseDateTime(v)
		if !ok {
			return dst, codeNotDateTime
		}
		return appendParquetWord(dst, uint64(at.UnixMicro())), ""
	case parquetInteger:
		n, ok := parseInteger(v)
		if !ok {
			return dst, codeNotInteger
		}
		return appendParquetWord(dst, uint64(n)), ""
	case parquetNumber:
		n, ok := parseNumber(v)
		if !ok {
			return dst, codeNotNumber
		}
		return appendParquetWord(dst, math.Float64bits(n)), ""
	}
	switch string(v) {
	case "false":
		return append(dst, 1), ""
	case "true":
		return append(dst, 2), ""
	}
	return dst, codeNotBoolean
}

// appendParquetText appends v as text: readers refuse a file with a string that
// is no UTF-8, so what is none becomes U+FFFD.
func appendParquetText(dst, v []byte) []byte {
	if !isASCII(v) && !utf8.Valid(v) {
		v = bytes.ToValidUTF8(v, []byte("\uFFFD"))
	}
	return appendParquetBytes(dst, v)
}

// isASCII reports whether v is ASCII: the common case, and cheaper to see, eight
// bytes at a time, than UTF-8.
func isASCII(v []byte) bool {
	const tops = 0x8080808080808080
	if n := len(v); n >= 8 {
		bits := binary.LittleEndian.Uint64(v[n-8:])
		for i := 0; i < n-8; i += 8 {
			bits |= binary.LittleEndian.Uint64(v[i:])
		}
		return bits&tops == 0
	}
	bits := byte(0)
	for _, c := range v {
		bits |= c
	}
	return bits < utf8.RuneSelf
}

func appendParquetBytes(dst, v []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))+1), v...)
}

func appendParquetWord(dst []byte, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 1), v)
}

// parseInteger returns the integer of 64 bits that v is.
func parseInteger(v []byte) (int64, bool) {
	if !jsonobject.PlainInteger(v) {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// parseNumber returns the double nearest to the JSON number v.
func parseNumber(v []byte) (float64, bool) {
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') || !json.Valid(v) {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(v)), 64)
	return n, err == nil
}

// cutParquetColumn puts the cells of a column into dst, of which those that
// starts leads to in data are, and moves starts on to the next column. Text
// points into data.
func cutParquetColumn(dst []parquet.Value, data []byte, starts []uint32, kind parquetKind, column int) []parquet.Value {
	dst = dst[:len(starts)]
	null := parquet.Value{}.Level(0, 0, column)
	for i, start := range starts {
		cell := data[start:]
		if cell[0] == 0 {
			dst[i] = null
			starts[i]++
			continue
		}
		v, size := cutParquetCell(cell, kind)
		dst[i] = v.Level(0, 1, column)
		starts[i] += uint32(size)
	}
	return dst
}

// cutParquetCell returns the value of the cell that starts with data and is no
// null, and the size of the cell.
func cutParquetCell(data []byte, kind parquetKind) (v parquet.Value, size int) {
	switch kind {
	case parquetText, parquetJSON:
		start, size := parquetBytes(data)
		return parquet.ByteArrayValue(data[start:size]), size
	case parquetDate:
		return parquet.Int32Value(int32(binary.LittleEndian.Uint32(data[1:]))), 5
	case parquetDateTime, parquetInteger:
		return parquet.Int64Value(int64(binary.LittleEndian.Uint64(data[1:]))), 9
	case parquetNumber:
		return parquet.DoubleValue(math.Float64frombits(binary.LittleEndian.Uint64(data[1:]))), 9
	}
	return parquet.BooleanValue(data[0] == 2), 1
}

// parquetBytes returns where the bytes of a cell start, and end.
func parquetBytes(data []byte) (start, end int) {
	if data[0] < 0x80 {
		return 1, int(data[0])
	}
	length, n := binary.Uvarint(data)
	return n, n + int(length) - 1
}
