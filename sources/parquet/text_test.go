package parquet

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"
)

func le32(v int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func le64(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

func TestText(t *testing.T) {
	bigDecimal := func(scale int) render {
		return func(dst, v []byte) ([]byte, bool) { return appendBigDecimal(dst, v, scale) }
	}
	smallDecimal := func(scale int) render {
		return func(dst, v []byte) ([]byte, bool) {
			return appendDecimal(dst, int64(binary.LittleEndian.Uint64(v)), scale), true
		}
	}
	micros, nanos := timestampText(time.Microsecond, true), timestampText(time.Nanosecond, false)
	tests := []struct {
		name   string
		render render
		v      []byte
		want   string // empty: it is refused
	}{
		{"zero", smallDecimal(2), le64(0), "0"},
		{"trailing zeros", smallDecimal(3), le64(198501022399000), "198501022399"},
		{"small", smallDecimal(5), le64(-42), "-0.00042"},
		{"no scale", smallDecimal(0), le64(1200), "1200"},
		{"least", smallDecimal(4), le64(math.MinInt64), "-922337203685477.5808"},
		{"bytes", bigDecimal(1), []byte{0xFF, 0x38}, "-20"},
		{"nine bytes", bigDecimal(2), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0}, "184467440737095516.16"},
		{"nine negative bytes", bigDecimal(0), []byte{0xFF, 0, 0, 0, 0, 0, 0, 0, 0}, "-18446744073709551616"},
		{"no bytes", bigDecimal(2), nil, ""},
		{"too many bytes", bigDecimal(2), make([]byte, 513), ""},
		{"integer as double", doubleText, le64(int64(math.Float64bits(198501022399))), "198501022399"},
		{"double", doubleText, le64(int64(math.Float64bits(0.1))), "0.1"},
		{"large double", doubleText, le64(int64(math.Float64bits(1e22))), "1e+22"},
		{"float", floatText, le32(int32(math.Float32bits(0.1))), "0.1"},
		{"not a number", floatText, le32(int32(math.Float32bits(float32(math.NaN())))), "NaN"},
		{"infinity", doubleText, le64(int64(math.Float64bits(math.Inf(-1)))), "-Infinity"},
		{"half", halfText, []byte{0x00, 0xC1}, "-2.5"},
		{"smallest half", halfText, []byte{0x01, 0x00}, "5.9604645e-08"},
		{"date", dateText, le32(-1), "1969-12-31"},
		{"year 1", dateText, le32(-719162), "0001-01-01"},
		{"year 0", dateText, le32(-719163), ""},
		{"year 9999", dateText, le32(2932896), "9999-12-31"},
		{"year 10000", dateText, le32(2932897), ""},
		{"time", clockText(time.Millisecond), le32(86399999), "23:59:59.999"},
		{"time in nanoseconds", clockText(time.Nanosecond), le64(1), "00:00:00.000000001"},
		{"24 hours", clockText(time.Microsecond), le64(86400_000_000), ""},
		{"negative time", clockText(time.Millisecond), le32(-1), ""},
		{"before 1970", micros, le64(-1), "1969-12-31T23:59:59.999999Z"},
		{"whole second", micros, le64(1_700_000_000_000_000), "2023-11-14T22:13:20Z"},
		{"nanoseconds", nanos, le64(-999_000_000), "1969-12-31T23:59:59.001"},
		{"beyond the years", micros, le64(math.MaxInt64), ""},
		{"least timestamp", nanos, le64(math.MinInt64), "1677-09-21T00:12:43.145224192"},
		{"int96", int96Text, append(le64(1), le32(julianEpoch)...), "1970-01-01T00:00:00.000000001"},
		{"int96 of 25 hours", int96Text, append(le64(int64(25*time.Hour)), le32(julianEpoch)...), ""},
		{"uuid", uuidText, []byte("\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0"), "12345678-9abc-def0-1234-56789abcdef0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.render([]byte(">"), tt.v)
			if ok != (tt.want != "") || ok && string(got) != ">"+tt.want {
				t.Errorf("%q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestTextThatIsNotUTF8IsAFault(t *testing.T) {
	v, err := plainBytes([]byte("\x02\x00\x00\x00\xC3\xA5\x02\x00\x00\x00\xE5b\x01\x00\x00\x00c"), 3)
	if err != nil {
		t.Fatal(err)
	}
	v.checkText()
	var got []string
	for _, s := range v.spans {
		got = append(got, string(v.text[s.Start:s.End]))
	}
	if want := []string{"å", "e562", "c"}; !slices.Equal(got, want) || !slices.Equal(v.faults, []int32{1}) {
		t.Errorf("%q, faults %v, want %q", got, v.faults, want)
	}
}

// TestFaultsMoveWithNulls holds that the fault of a value stays at its row when
// nulls come before it, and with a dictionary at all its rows.
func TestFaultsMoveWithNulls(t *testing.T) {
	p := page{def: []byte{0, 1, 0, 1, 1}}
	dict := values{text: []byte("ab"), spans: []Span{{0, 1}, {1, 2}}, faults: []int32{1}}
	var err error
	if p.values, err = dict.pick([]byte{1, 0x03, 0b011}, 3); err != nil {
		t.Fatal(err)
	}
	p.insertNulls(1, 5)
	want := []Span{nullSpan, {1, 2}, nullSpan, {1, 2}, {0, 1}}
	if !slices.Equal(p.spans, want) || !slices.Equal(p.faults, []int32{1, 3}) {
		t.Errorf("%v, faults %v, want %v", p.spans, p.faults, want)
	}
}

func TestOldLevels(t *testing.T) {
	got := make([]byte, 8) // the example of the format's Encodings.md
	used, err := legacyLevels(got, []byte{0b00000101, 0b00111001, 0b01110111, 0xFF}, 3)
	if want := []byte{0, 1, 2, 3, 4, 5, 6, 7}; err != nil || used != 3 || !slices.Equal(got, want) {
		t.Errorf("%v, %d bytes used, error %v, want %v", got, used, err, want)
	}
}

// FuzzPacked holds the decoders of packed numbers to give what was asked for or
// an error, and no more.
func FuzzPacked(f *testing.F) {
	f.Add([]byte{0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00}, uint16(5), uint8(3))
	f.Add([]byte{0x10, 0x01, 0x03, 0xFF}, uint16(9), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, n uint16, width uint8) {
		if out, _, err := deltas(b, int(n)); err == nil && len(out) != int(n) {
			t.Errorf("%d numbers, want %d", len(out), n)
		}
		if err := hybrid(make([]uint32, n), b, int(width%33)); err != nil && err != errShort && err != errPacked {
			t.Error(err)
		}
		if v, err := deltaBytes(b, int(n)); err == nil && len(v.spans) != int(n) {
			t.Errorf("%d values, want %d", len(v.spans), n)
		}
	})
}

// FuzzThrift holds the walk over a struct to the limits.
func FuzzThrift(f *testing.F) {
	f.Add([]byte{0x15, 0x02, 0x19, 0x2C, 0x00, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := walker{b: b, limit: 1 << 20}
		if err := w.structure(0, 0); err == nil && (w.at > len(b) || w.limit < 0) {
			t.Errorf("walked to %d of %d, limit %d", w.at, len(b), w.limit)
		}
	})
}
