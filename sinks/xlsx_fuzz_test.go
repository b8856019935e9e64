package sinks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// FuzzTextComesBack holds that a spreadsheet reads every text as it was written,
// as a text, or that its row is rejected.
func FuzzTextComesBack(f *testing.F) {
	for _, v := range []string{
		"", " ", "\t\n", "=1+1", "+46", "-1", "@x", "a\r\nb", "_x000D_", "_x005F_x000D_", "_x000D\x0b", "__x0041__", "_X000D_",
		"\x00\x1f\x7f", "\uFFFE\uFFFF\uFEFF", "]]>&lt;<b>", "\U0001F600å", "a\u030a", "\xff", "_xD83D_", "1e5", "2024-01-02", "TRUE",
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		var out bytes.Buffer
		s := xlsxTo(t, &out, pipelinetest.Schema("v", "after"), 10)
		c := &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{v, "end"})}
		must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
		if holds := utf8.ValidString(v) && utf16Length([]byte(v)) <= guardedcsv.MaxCell; v != pipelinetest.Null && holds == (len(c.Problems) > 0) {
			t.Fatalf("%q: %d problems", v, len(c.Problems))
		}
		must(t, s.Write(context.Background(), c))
		must(t, s.Commit(context.Background()))
		if v == pipelinetest.Null || len(c.Problems) > 0 {
			return
		}
		book := openXLSX(t, out.Bytes())
		got, err := book.GetCellValue("Data", "A2")
		must(t, err)
		kind, err := book.GetCellType("Data", "A2")
		must(t, err)
		after, err := book.GetCellValue("Data", "B2")
		must(t, err)
		if got != v || kind != excelize.CellTypeInlineString || after != "end" {
			t.Errorf("%q reads %q, a %v, before %q", v, got, kind, after)
		}
	})
}

// FuzzNumbersKept holds that what is written as a number is one, and that the
// fifteen digits a spreadsheet keeps are all it takes.
func FuzzNumbersKept(f *testing.F) {
	for _, v := range []string{"0", "-0", "0.1", "123456789012345", "1234567890123456", "1e5", "1E+300", "1e308", "0e0", "9.99999999999999e307", "00", "1.", ".1"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if !keepsNumber([]byte(v)) {
			return
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !json.Valid([]byte(v)) {
			t.Fatalf("%q is no number: %v", v, err)
		}
		again, err := strconv.ParseFloat(strconv.FormatFloat(n, 'e', spreadsheetDigits-1, 64), 64)
		if err != nil || again != n {
			t.Errorf("%q has more than %d digits", v, spreadsheetDigits)
		}
		plain, _, scientific := strings.Cut(strings.ToLower(v), "e")
		if digits := strings.Trim(strings.NewReplacer(".", "", "-", "").Replace(plain), "0"); len(digits) > spreadsheetDigits {
			t.Errorf("%q (scientific %v) has %d digits", v, scientific, len(digits))
		}
	})
}

// FuzzMoments holds the days and times of cells to those of the library.
func FuzzMoments(f *testing.F) {
	for _, v := range []string{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123456+14:00", "1900-03-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-02T03:04:05"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		cell, ok := appendDateTime(nil, []byte(v))
		if !ok {
			return
		}
		_, value, _ := strings.Cut(string(cell), "<v>")
		serial, err := strconv.ParseFloat(strings.TrimSuffix(value, valueEnd), 64)
		must(t, err)
		want, err := time.Parse(time.RFC3339Nano, v)
		for _, layout := range []string{"2006-01-02T15:04:05.999999999", time.DateOnly} {
			if err != nil {
				want, err = time.Parse(layout, v)
			}
		}
		if err != nil {
			t.Fatalf("%q is no time: %v", v, err)
		}
		got := time.Unix(0, 0).UTC().AddDate(0, 0, int(serial)-spreadsheetEpoch)
		got = got.Add(time.Duration((serial - float64(int64(serial))) * float64(24*time.Hour)))
		if d := got.Sub(want); d > 50*time.Microsecond || d < -50*time.Microsecond {
			t.Errorf("%q is %v: %v off", v, got, d)
		}
	})
}

// xlsxBench is rows like those of a register of contacts.
func xlsxBench(rows int) (*pipeline.Schema, *pipeline.Batch) {
	schema := pipelinetest.Schema("name", "client", "title", "ssn", "custom_id", "org_no", "first_name", "email", "corporate_name", "phone_number", "last_name")
	schema.Fields[1].Type = pipeline.UUID
	var values [][]string
	for i := range rows {
		values = append(values, []string{
			"Lars Håkansson", fmt.Sprintf("37cb04df-9ee7-4adc-8f8c-%012x", i*7919), "Ekonomichef", fmt.Sprintf("1968%04d-0719", i%10000),
			fmt.Sprintf("K%07d", i), "556640-3571", "Lars", fmt.Sprintf("user%d@example.se", i), "Fastigheter AB",
			fmt.Sprintf("+467055%05d", i%100000), "Håkansson",
		})
	}
	return schema, pipelinetest.Batch(values...)
}

func TestEncodingAWorkbookAllocatesNothingPerRow(t *testing.T) {
	schema, b := xlsxBench(1000)
	e := newXLSXEncoder(schema)
	var out pipeline.Encoded
	must(t, e.Encode(b, &out))
	allocs := testing.AllocsPerRun(5, func() {
		out.Reset()
		must(t, e.Encode(b, &out))
	})
	if allocs > 0 {
		t.Errorf("%v allocations for 1000 rows", allocs)
	}
}

func BenchmarkXLSXEncode(b *testing.B) {
	schema, batch := xlsxBench(2000)
	e := newXLSXEncoder(schema)
	var out pipeline.Encoded
	must(b, e.Encode(batch, &out))
	b.SetBytes(int64(len(out.Data)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		must(b, e.Encode(batch, &out))
	}
}

func BenchmarkXLSXWrite(b *testing.B) {
	schema, batch := xlsxBench(2000)
	to, err := examine("-", &FileOptions{Stdout: io.Discard})
	must(b, err)
	out, err := to.open()
	must(b, err)
	s := newXLSXSink(out, schema, xlsxRows)
	c := &pipeline.Chunk{Batch: *batch}
	must(b, s.Encoder().Encode(&c.Batch, &c.Encoded))
	b.SetBytes(int64(len(c.Data)))
	b.ReportAllocs()
	for b.Loop() {
		clear(c.Fates)
		must(b, s.Write(context.Background(), c))
	}
	must(b, s.Commit(context.Background()))
}
