package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// render appends a stored value as text; it reports false if the value is invalid for
// its type.
type render func(dst, v []byte) ([]byte, bool)

// textForm is how the values of a leaf become text.
type textForm struct {
	render     render // nil: they are text, which has to be UTF-8
	bare       bool   // in JSON they have no quotes, because they are JSON themselves
	null       bool   // there is never a value
	unreadable string // the type, if it cannot be read
}

// textOf returns how the values of e become text.
func textOf(e *format.SchemaElement) textForm {
	t, ok := logicalText(e)
	if !ok {
		t = convertedText(e)
	}
	if t.render == nil && t.unreadable == "" && !t.null && !isBytes(e.Type.V) {
		return physicalText(e.Type.V)
	}
	return t
}

func isBytes(t format.Type) bool { return t == format.ByteArray || t == format.FixedLenByteArray }

// ifStoredAs returns t if the values are stored as one of types; otherwise that they
// cannot be read.
func ifStoredAs(e *format.SchemaElement, t textForm, name string, types ...format.Type) textForm {
	if slices.Contains(types, e.Type.V) {
		return t
	}
	return textForm{unreadable: fmt.Sprintf("%s stored as %s", name, e.Type.V)}
}

// logicalText decides by the logical type. It reports false if there is none.
func logicalText(e *format.SchemaElement) (textForm, bool) {
	switch l := e.LogicalType.Value.(type) {
	case *format.StringType, *format.EnumType:
		return ifStoredAs(e, textForm{}, l.String(), format.ByteArray, format.FixedLenByteArray), true
	case *format.JsonType:
		return ifStoredAs(e, textForm{bare: true}, l.String(), format.ByteArray, format.FixedLenByteArray), true
	case *format.UUIDType:
		if e.TypeLength.V != 16 {
			return textForm{unreadable: fmt.Sprintf("UUID of %d bytes", e.TypeLength.V)}, true
		}
		return ifStoredAs(e, textForm{render: uuidText}, "UUID", format.FixedLenByteArray), true
	case *format.DecimalType:
		return decimal(e, l.Scale), true
	case *format.DateType:
		return ifStoredAs(e, textForm{render: dateText}, "DATE", format.Int32), true
	case *format.TimeType:
		return clockOf(e, unitOf(l.Unit)), true
	case *format.TimestampType:
		return ifStoredAs(e, textForm{render: timestampText(unitOf(l.Unit), l.IsAdjustedToUTC)}, "TIMESTAMP", format.Int64), true
	case *format.IntType:
		return integer(e, l.BitWidth == 64, l.IsSigned), true
	case *format.Float16Type:
		if e.TypeLength.V != 2 {
			return textForm{unreadable: fmt.Sprintf("FLOAT16 of %d bytes", e.TypeLength.V)}, true
		}
		return ifStoredAs(e, textForm{render: halfText, bare: true}, "FLOAT16", format.FixedLenByteArray), true
	case *format.NullType:
		return textForm{null: true}, true
	case nil:
		return textForm{}, false
	default:
		return textForm{unreadable: l.String()}, true
	}
}

// convertedText decides by the type that files had before there were logical types.
func convertedText(e *format.SchemaElement) textForm {
	if !e.ConvertedType.Valid {
		return textForm{}
	}
	switch t := e.ConvertedType.V; t {
	case deprecated.UTF8, deprecated.Enum:
		return ifStoredAs(e, textForm{}, "STRING", format.ByteArray, format.FixedLenByteArray)
	case deprecated.Json:
		return ifStoredAs(e, textForm{bare: true}, "JSON", format.ByteArray, format.FixedLenByteArray)
	case deprecated.Decimal:
		return decimal(e, e.Scale.V)
	case deprecated.Date:
		return ifStoredAs(e, textForm{render: dateText}, "DATE", format.Int32)
	case deprecated.TimeMillis:
		return clockOf(e, time.Millisecond)
	case deprecated.TimeMicros:
		return clockOf(e, time.Microsecond)
	case deprecated.TimestampMillis:
		return ifStoredAs(e, textForm{render: timestampText(time.Millisecond, true)}, "TIMESTAMP", format.Int64)
	case deprecated.TimestampMicros:
		return ifStoredAs(e, textForm{render: timestampText(time.Microsecond, true)}, "TIMESTAMP", format.Int64)
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return integer(e, t == deprecated.Uint64, false)
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return integer(e, t == deprecated.Int64, true)
	case deprecated.Bson:
		return textForm{unreadable: "BSON"}
	case deprecated.Interval:
		return textForm{unreadable: "INTERVAL"}
	}
	return textForm{}
}

// physicalText decides by how values are stored, if nothing else is known.
func physicalText(t format.Type) textForm {
	switch t {
	case format.Boolean:
		return textForm{render: booleanText, bare: true}
	case format.Int32:
		return textForm{render: int32Text, bare: true}
	case format.Int64:
		return textForm{render: int64Text, bare: true}
	case format.Int96:
		return textForm{render: int96Text}
	case format.Float:
		return textForm{render: floatText, bare: true}
	}
	return textForm{render: doubleText, bare: true}
}

func unitOf(u format.TimeUnit) time.Duration {
	if u.Value == nil {
		return time.Microsecond
	}
	return u.Value.Duration()
}

func clockOf(e *format.SchemaElement, unit time.Duration) textForm {
	t := textForm{render: clockText(unit)}
	if unit == time.Millisecond {
		return ifStoredAs(e, t, "TIME in milliseconds", format.Int32)
	}
	return ifStoredAs(e, t, "TIME", format.Int64)
}

func integer(e *format.SchemaElement, long, signed bool) textForm {
	switch {
	case long && signed:
		return ifStoredAs(e, textForm{render: int64Text, bare: true}, "INT", format.Int64)
	case long:
		return ifStoredAs(e, textForm{render: uint64Text, bare: true}, "UINT", format.Int64)
	case signed:
		return ifStoredAs(e, textForm{render: int32Text, bare: true}, "INT", format.Int32)
	}
	return ifStoredAs(e, textForm{render: uint32Text, bare: true}, "UINT", format.Int32)
}

func booleanText(dst, v []byte) ([]byte, bool) { return strconv.AppendBool(dst, v[0] != 0), true }

func int32Text(dst, v []byte) ([]byte, bool) {
	return strconv.AppendInt(dst, int64(int32(binary.LittleEndian.Uint32(v))), 10), true
}

func int64Text(dst, v []byte) ([]byte, bool) {
	return strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(v)), 10), true
}

func uint32Text(dst, v []byte) ([]byte, bool) {
	return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(v)), 10), true
}

func uint64Text(dst, v []byte) ([]byte, bool) {
	return strconv.AppendUint(dst, binary.LittleEndian.Uint64(v), 10), true
}

func floatText(dst, v []byte) ([]byte, bool) {
	return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(v))), 32), true
}

func doubleText(dst, v []byte) ([]byte, bool) {
	return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(v)), 64), true
}

// halfText renders a number of IEEE 754's binary16.
func halfText(dst, v []byte) ([]byte, bool) {
	h := binary.LittleEndian.Uint16(v)
	exponent, fraction := int(h>>10&0x1F), float64(h&0x3FF)/1024
	var f float64
	switch exponent {
	case 0x1F:
		if f = math.Inf(1); fraction != 0 {
			f = math.NaN()
		}
	case 0:
		f = math.Ldexp(fraction, -14)
	default:
		f = math.Ldexp(1+fraction, exponent-15)
	}
	if h>>15 != 0 {
		f = -f
	}
	return appendFloat(dst, f, 32), true
}

// appendFloat appends f as JSON writes numbers: with an exponent only if it is very
// small or very large.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, bits)
}

const hexDigits = "0123456789abcdef"

func uuidText(dst, v []byte) ([]byte, bool) {
	for i, c := range v {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&0xF])
	}
	return dst, true
}

const (
	maxScale        = 1000
	maxDecimalBytes = 512 // of an unscaled value: more digits than any precision there is
)

func decimal(e *format.SchemaElement, scale int32) textForm {
	if scale < 0 || scale > maxScale {
		return textForm{unreadable: fmt.Sprintf("DECIMAL of scale %d", scale)}
	}
	n := int(scale)
	t := textForm{bare: true}
	switch e.Type.V {
	case format.Int32:
		t.render = func(dst, v []byte) ([]byte, bool) {
			return appendDecimal(dst, int64(int32(binary.LittleEndian.Uint32(v))), n), true
		}
	case format.Int64:
		t.render = func(dst, v []byte) ([]byte, bool) {
			return appendDecimal(dst, int64(binary.LittleEndian.Uint64(v)), n), true
		}
	default:
		t.render = func(dst, v []byte) ([]byte, bool) { return appendBigDecimal(dst, v, n) }
	}
	return ifStoredAs(e, t, "DECIMAL", format.Int32, format.Int64, format.ByteArray, format.FixedLenByteArray)
}

func appendDecimal(dst []byte, unscaled int64, scale int) []byte {
	var digits [20]byte
	if unscaled < 0 {
		return appendScaled(append(dst, '-'), strconv.AppendUint(digits[:0], -uint64(unscaled), 10), scale)
	}
	return appendScaled(dst, strconv.AppendUint(digits[:0], uint64(unscaled), 10), scale)
}

// appendBigDecimal appends a number in two's complement, its highest byte first.
func appendBigDecimal(dst, v []byte, scale int) ([]byte, bool) {
	if len(v) == 0 || len(v) > maxDecimalBytes {
		return dst, false
	}
	if len(v) <= 8 {
		u := int64(int8(v[0]))
		for _, c := range v[1:] {
			u = u<<8 | int64(c)
		}
		return appendDecimal(dst, u, scale), true
	}
	n := new(big.Int).SetBytes(v)
	if v[0]&0x80 != 0 {
		n.Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))), n)
		dst = append(dst, '-')
	}
	return appendScaled(dst, n.Append(nil, 10), scale), true
}

// appendScaled inserts the decimal point before the last scale digits and drops zeros
// at the end.
func appendScaled(dst, digits []byte, scale int) []byte {
	whole, missing := len(digits)-scale, 0
	if whole < 0 {
		whole, missing = 0, scale-len(digits)
	}
	if whole == 0 {
		dst = append(dst, '0')
	}
	dst = append(dst, digits[:whole]...)
	fraction := digits[whole:]
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if len(fraction) == 0 {
		return dst
	}
	dst = append(dst, '.')
	for range missing {
		dst = append(dst, '0')
	}
	return append(dst, fraction...)
}
