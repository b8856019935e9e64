package sinks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// showXLSX returns the cells of all sheets as a spreadsheet has them, a line for
// each row: the kind of the cell and what it shows, in quotes.
func showXLSX(t *testing.T, data []byte) []byte {
	t.Helper()
	book := openXLSX(t, data)
	var out bytes.Buffer
	for _, sheet := range book.GetSheetList() {
		fmt.Fprintf(&out, "%s\n", sheet)
		for _, row := range xlsxCellsOf(t, book, sheet) {
			fmt.Fprintf(&out, "%s\n", strings.Join(row, " | "))
		}
	}
	return out.Bytes()
}

func openXLSX(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return book
}

// kinds of cells; a date is a number with a style.
var xlsxKinds = map[excelize.CellType]string{
	excelize.CellTypeUnset: "number", excelize.CellTypeBool: "boolean", excelize.CellTypeInlineString: "text",
}

// xlsxCellsOf returns the cells of a sheet, those before its last row and column
// that are empty among them.
func xlsxCellsOf(t testing.TB, book *excelize.File, sheet string) [][]string {
	t.Helper()
	extent, err := book.GetDefinedName(), error(nil)
	if len(extent) == 0 || err != nil {
		t.Fatal("no names are defined")
	}
	var columns, rows int
	for _, n := range extent {
		if n.Scope == sheet && n.Name == "_xlnm._FilterDatabase" {
			_, corner, _ := strings.Cut(n.RefersTo, ":")
			columns, rows, err = excelize.CellNameToCoordinates(strings.ReplaceAll(corner, "$", ""))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]string, rows)
	for row := range out {
		for column := range columns {
			out[row] = append(out[row], xlsxCellAt(t, book, sheet, column+1, row+1))
		}
	}
	return out
}

func xlsxCellAt(t testing.TB, book *excelize.File, sheet string, column, row int) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := book.GetCellType(sheet, name)
	if err != nil {
		t.Fatal(err)
	}
	value, err := book.GetCellValue(sheet, name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := book.GetCellValue(sheet, name, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	formula, err := book.GetCellFormula(sheet, name)
	if err != nil || formula != "" {
		t.Errorf("%s: formula %q, %v", name, formula, err)
	}
	label, known := xlsxKinds[kind]
	switch {
	case !known:
		t.Errorf("%s: a cell of type %d", name, kind)
	case label == "number" && value == "":
		return ""
	case label == "number" && value != raw:
		return fmt.Sprintf("%s %s %q", label, raw, value)
	}
	return fmt.Sprintf("%s %q", label, value)
}

// xlsxFile writes rows of schema, in chunks of size rows, with at most limit
// rows in a sheet.
func xlsxFile(t testing.TB, schema *pipeline.Schema, limit, size int, rows ...[]string) []byte {
	t.Helper()
	var out bytes.Buffer
	s := xlsxTo(t, &out, schema, limit)
	for from := 0; from < len(rows); from += size {
		c := &pipeline.Chunk{Batch: *pipelinetest.Batch(rows[from:min(from+size, len(rows))]...)}
		if err := s.Encoder().Encode(&c.Batch, &c.Encoded); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func xlsxTo(t testing.TB, w io.Writer, schema *pipeline.Schema, limit int) *xlsxSink {
	t.Helper()
	to, err := examine("-", &FileOptions{Stdout: w})
	if err != nil {
		t.Fatal(err)
	}
	out, err := to.open()
	if err != nil {
		t.Fatal(err)
	}
	return newXLSXSink(out, schema, limit)
}

// sheetRows returns what the cells of a sheet show, rows cut after their last
// cell that holds something.
func sheetRows(t testing.TB, book *excelize.File, sheet string) [][]string {
	t.Helper()
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestAFullSheetIsFollowedByTheNext(t *testing.T) {
	var rows [][]string
	for i := range 10 {
		rows = append(rows, []string{strconv.Itoa(i)})
	}
	for _, test := range []struct {
		limit, rows int
		want        string
	}{
		{limit: 4, rows: 0, want: "Data[n]"},
		{limit: 4, rows: 3, want: "Data[n 0 1 2]"},
		{limit: 4, rows: 4, want: "Data[n 0 1 2] Data 2[n 3]"},
		{limit: 4, rows: 6, want: "Data[n 0 1 2] Data 2[n 3 4 5]"},
		{limit: 4, rows: 10, want: "Data[n 0 1 2] Data 2[n 3 4 5] Data 3[n 6 7 8] Data 4[n 9]"},
		{limit: 2, rows: 3, want: "Data[n 0] Data 2[n 1] Data 3[n 2]"},
		{limit: 100, rows: 10, want: "Data[n 0 1 2 3 4 5 6 7 8 9]"},
	} {
		for _, size := range []int{1, 2, 3, 7, 100} {
			book := openXLSX(t, xlsxFile(t, pipelinetest.Schema("n"), test.limit, size, rows[:test.rows]...))
			var got []string
			for _, sheet := range book.GetSheetList() {
				got = append(got, fmt.Sprint(sheet, flatten(sheetRows(t, book, sheet))))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("limit %d, %d rows, chunks of %d (-want +got):\n%s", test.limit, test.rows, size, diff)
			}
		}
	}
}

func flatten(rows [][]string) []string {
	var out []string
	for _, row := range rows {
		out = append(out, row...)
	}
	return out
}

func TestRejectedRowsTakeNoPlaceInASheet(t *testing.T) {
	var out bytes.Buffer
	s := xlsxTo(t, &out, pipelinetest.Schema("n"), 3)
	c := &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"a"}, []string{"b"}, []string{"c"}, []string{"d"}, []string{"e"}, []string{"f"})}
	c.Fates[0], c.Fates[2], c.Fates[5] = pipeline.Rejected, pipeline.Skipped, pipeline.Rejected
	writeChunk(t, s, c)
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	book := openXLSX(t, out.Bytes())
	got := fmt.Sprint(sheetRows(t, book, "Data"), sheetRows(t, book, "Data 2"))
	if want := "[[n] [b] [d]] [[n] [e]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValuesOfEachTypeBecomeCells(t *testing.T) {
	const short, long = "number", "text"
	for _, test := range []struct {
		kind pipeline.Type
		want string
		in   []string
	}{
		{pipeline.Integer, short, []string{"0", "7", "-7", "198501022399", "999999999999999", "2.0", "1e3", "100000000000000000000"}},
		{pipeline.Integer, long, []string{"1234567890123456", "007", "-0", "+1", "", "-", "1 000", "0x10", "NaN", "12a", "٣"}},
		{pipeline.Number, short, []string{"0", "0.1", "-0.25", "1e-7", "1E+5", "0.000000000000001", "12345.6789012345", "41.50", "9.99e307"}},
		{pipeline.Number, long, []string{"1e400", "1e308", "1e-400", "0.1234567890123456", "1.", ".5", "-0.0", "1e", "1e+", "e5", "Infinity", "1,5", "1_000"}},
		{pipeline.Boolean, "boolean", []string{"true", "false"}},
		{pipeline.Boolean, long, []string{"TRUE", "1", "ja", ""}},
		{pipeline.Date, short, []string{"1900-03-01", "2024-02-29", "9999-12-31"}},
		{pipeline.Date, long, []string{"1900-02-28", "1850-01-01", "2023-02-29", "2024-1-2", "2024-01-02T00:00:00Z", "20240102", "0000-00-00", ""}},
		{pipeline.DateTime, short, []string{"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123456+01:00", "2024-01-02T03:04:05", "2024-01-02"}},
		{pipeline.DateTime, long, []string{"1899-12-31T23:59:59Z", "2024-01-02T03:04:05.1234567Z", "2024-01-02T24:00:00Z", "9999-12-31T23:59:59-01:00", "idag"}},
		{pipeline.Text, long, []string{"1", "true", "2024-01-02", "=1+1", "+46701234567", "-1", "@SUM(A1)", "\t=1", "#N/A", "_x000D_", ""}},
		{pipeline.UUID, long, []string{"7d444840-9dc0-11d1-b245-5ffdce74fad2", "12345678901234567890", "1e10"}},
		{pipeline.JSON, long, []string{"1", "true", "null", `{"a":1}`, "=1"}},
	} {
		for _, v := range test.in {
			schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "v", Type: test.kind}}}
			book := openXLSX(t, xlsxFile(t, schema, 10, 1, []string{v}))
			kind, err := book.GetCellType("Data", "A2")
			if got := xlsxKinds[kind]; err != nil || got != test.want {
				t.Errorf("%v %q is a %s (%v), want a %s", test.kind, v, got, err, test.want)
			}
			if test.want != long {
				continue
			}
			if got, err := book.GetCellValue("Data", "A2"); err != nil || got != v {
				t.Errorf("%v %q reads %q, %v", test.kind, v, got, err)
			}
		}
	}
}

func TestNumbersKeepTheirValue(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "v", Type: pipeline.Number}}}
	for _, v := range []string{"0.1", "-0.25", "1e-7", "12345.6789012345", "41.50", "999999999999999", "9.99e307"} {
		book := openXLSX(t, xlsxFile(t, schema, 10, 1, []string{v}))
		got, err := book.GetCellValue("Data", "A2", excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := strconv.ParseFloat(got, 64)
		b, err2 := strconv.ParseFloat(v, 64)
		if a != b || err1 != nil || err2 != nil {
			t.Errorf("%s reads %s", v, got)
		}
	}
}

func TestMomentsKeepTheirMicroseconds(t *testing.T) {
	for v, want := range map[string]string{
		"1900-03-01T00:00:00Z":             "61",
		"2024-01-02T00:00:00Z":             "45293",
		"2024-01-02T12:00:00Z":             "45293.5",
		"2024-01-02T00:30:00+01:00":        "45292.97916666667",
		"2024-01-02T03:04:05.123456Z":      "45293.12783707704",
		"2024-01-02T03:04:05.123457Z":      "45293.127837077052",
		"9999-12-31T23:59:59.999999+00:00": "2958465.9999999999",
	} {
		cell, ok := appendDateTime(nil, []byte(v))
		text := strings.TrimSuffix(strings.TrimPrefix(string(cell), dateTimeStart), valueEnd)
		got, err1 := strconv.ParseFloat(text, 64)
		expected, err2 := strconv.ParseFloat(want, 64)
		if !ok || err1 != nil || err2 != nil || got-expected > 1e-10 || expected-got > 1e-10 {
			t.Errorf("%s is %s, want %s", v, text, want)
		}
	}
}

func TestTextThatNoCellHoldsRejectsItsRow(t *testing.T) {
	const limit = guardedcsv.MaxCell
	rows := [][]string{
		{"first", "1"},
		{strings.Repeat("å", limit), "as long as may be"},
		{strings.Repeat("å", limit+1), strings.Repeat("x", 40000)},
		{strings.Repeat("\U0001F600", limit/2), "two units each"},
		{strings.Repeat("\U0001F600", limit/2+1), "too many"},
		{"\xff", "not UTF-8"},
		{"cut \xc3", "not UTF-8"},
		{"last", "2"},
	}
	var out bytes.Buffer
	s := xlsxTo(t, &out, pipelinetest.Schema("a", "b"), xlsxRows)
	c := &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)}
	writeChunk(t, s, c)
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Problems {
		got = append(got, fmt.Sprintf("row %d field %d %v %s %s %q", p.Row, p.Field, p.Severity, p.Stage, p.Code, p.Shape))
	}
	want := []string{
		`row 2 field 0 error write cell_too_long "32768 characters"`,
		`row 2 field 1 error write cell_too_long "40000 characters"`,
		`row 4 field 0 error write cell_too_long "32768 characters"`,
		`row 5 field 0 error write not_utf8 ""`,
		`row 6 field 0 error write not_utf8 ""`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	written := [][]string{{"a", "b"}, rows[0], rows[1], rows[3], rows[7]}
	if diff := cmp.Diff(written, sheetRows(t, openXLSX(t, out.Bytes()), "Data")); diff != "" {
		t.Error("the other rows are not as they were")
	}
}

func TestAWorkbookHasALimitOfColumns(t *testing.T) {
	names := make([]string, xlsxColumns+1)
	for i := range names {
		names[i] = "f" + strconv.Itoa(i)
	}
	o := &FileOptions{Stdout: io.Discard, Format: "xlsx"}
	if _, err := Create("-", pipelinetest.Schema(names[:xlsxColumns]...), o); err != nil {
		t.Errorf("%d columns: %v", xlsxColumns, err)
	}
	for _, schema := range []*pipeline.Schema{pipelinetest.Schema(names...), {}} {
		if _, err := Create("-", schema, o); !isUsage(err) {
			t.Errorf("%d columns: error %v, want a usage error", len(schema.Fields), err)
		}
	}
}

func TestAWorkbookIsNotCompressedAgain(t *testing.T) {
	_, err := Create("-", pipelinetest.Schema("a"), &FileOptions{Stdout: io.Discard, Format: "xlsx.gz"})
	if !isUsage(err) {
		t.Errorf("error %v, want a usage error", err)
	}
}

func TestAWorkbookThatFailsItsCheckHasNoName(t *testing.T) {
	path := t.TempDir() + "/out.xlsx"
	refusal := errors.New("refused")
	s, err := Create(path, pipelinetest.Schema("a"), &FileOptions{Check: func() error { return refusal }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(context.Background()); !errors.Is(err, refusal) {
		t.Errorf("error %v, want the check's", err)
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
}
