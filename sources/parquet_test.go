package sources

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	meta "github.com/parquet-go/parquet-go/format"

	"flytt/pipeline"
)

// TestParquetReadsWhatDuckDBReads compares every file of testdata/parquet with
// what DuckDB makes of it.
func TestParquetReadsWhatDuckDBReads(t *testing.T) {
	files, err := filepath.Glob("testdata/parquet/*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		parts := strings.SplitN(strings.TrimSuffix(filepath.Base(path), ".parquet"), "-", 3)
		want, err := os.ReadFile(filepath.Join("testdata/parquet", strings.Join(parts[:min(2, len(parts))], "-")+".jsonl"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compareParquet(t, path, want) })
	}
}

func compareParquet(t *testing.T, path string, want []byte) {
	got := parquetRows(t, path)
	lines := bufio.NewScanner(bytes.NewReader(want))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		if n >= len(got) {
			t.Fatalf("%d rows, want more", len(got))
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &object); err != nil {
			t.Fatal(err)
		}
		for name, v := range object {
			compareValue(t, n+1, got[n], name, v)
		}
	}
	if n != len(got) {
		t.Errorf("%d rows, want %d", len(got), n)
	}
}

// compareValue compares a column, or all columns of a group.
func compareValue(t *testing.T, row int, got map[string]*string, name string, want json.RawMessage) {
	t.Helper()
	cell, ok := got[name]
	var group map[string]json.RawMessage
	switch {
	case ok && !same(cell, want):
		if cell == nil {
			t.Errorf("row %d, %s: null, want %s", row, name, want)
		} else {
			t.Errorf("row %d, %s: %q, want %s", row, name, *cell, want)
		}
	case ok:
	case string(want) == "null":
		for column, v := range got {
			if strings.HasPrefix(column, name+".") && v != nil {
				t.Errorf("row %d, %s: %q, want null", row, column, *v)
			}
		}
	case json.Unmarshal(want, &group) == nil:
		for member, v := range group {
			compareValue(t, row, got, name+"."+member, v)
		}
	default:
		t.Errorf("row %d: no column %s", row, name)
	}
}

var moment = regexp.MustCompile(`^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?$`)

// same reports whether got is how want, as DuckDB writes JSON, is written here.
func same(got *string, want json.RawMessage) bool {
	if got == nil || string(want) == "null" {
		return got == nil && string(want) == "null"
	}
	var text string
	if json.Unmarshal(want, &text) == nil {
		if m := moment.FindStringSubmatch(text); m != nil {
			text = m[1] + "T" + m[2] + strings.Replace(m[3], "+00", "Z", 1)
		}
		return *got == text || plainMoment(*got) == plainMoment(text)
	}
	a, okA := new(big.Rat).SetString(*got)
	b, okB := new(big.Rat).SetString(string(want))
	if okA && okB {
		x, _ := strconv.ParseFloat(*got, 32)
		y, _ := strconv.ParseFloat(string(want), 32)
		return a.Cmp(b) == 0 || float32(x) == float32(y) && len(*got) < 12
	}
	var x, y any
	return json.Unmarshal([]byte(*got), &x) == nil && json.Unmarshal(want, &y) == nil && reflect.DeepEqual(x, y)
}

// plainMoment leaves out zeros at the end of a fraction.
func plainMoment(s string) string {
	s, zone := strings.TrimSuffix(s, "Z"), strings.HasSuffix(s, "Z")
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + strconv.FormatBool(zone)
}

// parquetRows returns the rows of a file, a nil for a null.
func parquetRows(t testing.TB, path string) []map[string]*string {
	t.Helper()
	s, _, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []map[string]*string
	eachBatch(t, s, func(b *pipeline.Batch) {
		for row := range b.Rows {
			m := map[string]*string{}
			for i, name := range s.Columns() {
				m[name] = nil
				if v := b.Input[i].Value(row); v != nil {
					text := string(v)
					m[name] = &text
				}
			}
			out = append(out, m)
		}
	})
	return out
}

// eachBatch decodes all of s.
func eachBatch(t testing.TB, s pipeline.Source, f func(*pipeline.Batch)) {
	t.Helper()
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for {
		err := s.Next(context.Background(), &block)
		if err == io.EOF {
			return
		}
		if err == nil {
			err = d.Decode(&block, &batch)
		}
		if err != nil {
			t.Fatal(err)
		}
		f(&batch)
	}
}

const groupsFile = "testdata/parquet/duckdb-register-groups.parquet"

func TestParquetRowGroups(t *testing.T) {
	rows := parquetRows(t, groupsFile)
	if len(rows) != 5000 {
		t.Fatalf("%d rows, want 5000", len(rows))
	}
	for i, row := range rows {
		want := []string{strconv.Itoa(i), "Kund " + strconv.Itoa(i%7), strconv.FormatBool(i%2 == 0)}
		if got := []string{*row["nr"], *row["name"], *row["even"]}; !slices.Equal(got, want) {
			t.Fatalf("row %d: %q, want %q", i+1, got, want)
		}
	}
}

func TestParquetFillsColumnsNobodyAskedFor(t *testing.T) {
	want, _ := openFile(t, groupsFile)
	all, err := dumpRows(t, want)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := openFile(t, groupsFile)
	s.(pipeline.ColumnSelector).Select([]bool{false, true, false})
	var got []string
	blocks := 0
	eachBatch(t, s, func(b *pipeline.Batch) {
		if !b.Input[0].Null(0) || b.Input[1].Null(0) || !b.Input[2].Null(0) {
			t.Error("columns that nobody asked for were decoded, or the other was not")
		}
		if blocks++; blocks%3 == 0 { // as if a row of every third block was rejected
			if err := b.DecodeRest(b); err != nil {
				t.Fatal(err)
			}
			got = append(got, dumpBatch(b)...)
		}
	})
	for _, line := range got {
		if !slices.Contains(all, line) {
			t.Fatalf("%s: not so when all columns are read", line)
		}
	}
	if len(got) == 0 {
		t.Error("no block was filled")
	}
}

func openFile(t testing.TB, path string) (pipeline.Source, *Info) {
	t.Helper()
	s, info, err := Open(path, &Options{BlockSize: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, info
}

func TestParquetPlaces(t *testing.T) {
	_, info := openFile(t, groupsFile)
	got := []string{info.CellName(17, 1), info.CellName(17, -1), info.Format, info.Encoding + info.Delimiter + info.LineEnd}
	if want := []string{"row 17, column name", "row 17", "parquet", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParquetFromAPipe(t *testing.T) {
	content, err := os.ReadFile(groupsFile)
	if err != nil {
		t.Fatal(err)
	}
	s, info, err := Open("-", &Options{Stdin: bytes.NewReader(content)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if info.Size != int64(len(content)) {
		t.Errorf("size %d, want %d", info.Size, len(content))
	}
	want, _ := openFile(t, groupsFile)
	wantRows, _ := dumpRows(t, want)
	got, err := dumpRows(t, s)
	if diff := cmp.Diff(wantRows, got); err != nil || diff != "" {
		t.Errorf("error %v, rows (-file +pipe):\n%s", err, diff)
	}
}

func TestParquetTypeThatIsNotRead(t *testing.T) {
	const path = "testdata/parquet/duckdb-interval.parquet"
	s, info := openFile(t, path)
	if rows, err := dumpRows(t, s); err != nil || len(rows) != 10 || rows[9] != "10: 9|∅" {
		t.Errorf("nobody said what is wanted: rows %q, error %v", rows, err)
	}
	if want := "column lease cannot be read: its values are of type INTERVAL"; len(info.Warnings) != 1 || info.Warnings[0] != want {
		t.Errorf("warnings %q", info.Warnings)
	}
	s, _ = openFile(t, path)
	s.(pipeline.ColumnSelector).Select([]bool{true, false})
	if rows, err := dumpRows(t, s); err != nil || len(rows) != 10 {
		t.Errorf("not wanted: rows %q, error %v", rows, err)
	}
	s, _ = openFile(t, path)
	s.(pipeline.ColumnSelector).Select([]bool{true, true})
	_, err := readAll(s)
	var e *Error
	if !errors.As(err, &e) || e.Usage || !strings.Contains(e.Error(), "column lease: its values are of type INTERVAL, which is not read") {
		t.Errorf("wanted: error %v", err)
	}
}

func TestParquetWithoutRows(t *testing.T) {
	s, info := openFile(t, "testdata/parquet/duckdb-zero.parquet")
	rows, err := dumpRows(t, s)
	if err != nil || len(rows) != 0 || !slices.Contains(info.Warnings, "there is no row in it") {
		t.Errorf("rows %q, error %v, warnings %q", rows, err, info.Warnings)
	}
	if want := []string{"nr", "name", "hash", "even"}; !slices.Equal(s.Columns(), want) {
		t.Errorf("columns %q, want %q", s.Columns(), want)
	}
}

// readAll decodes all columns of s, those that nobody asked for included, and
// returns how many rows there were.
func readAll(s pipeline.Source) (rows int, err error) {
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for range 1 << 12 {
		err := s.Next(context.Background(), &block)
		if err == io.EOF {
			return rows, nil
		}
		if err == nil {
			err = d.Decode(&block, &batch)
		}
		if err == nil && batch.DecodeRest != nil {
			err = batch.DecodeRest(&batch)
		}
		if err != nil {
			return rows, err
		}
		rows += batch.Len()
	}
	return rows, nil
}

// faultyParquet returns a file with values that their types do not allow.
func faultyParquet(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile("testdata/parquet/duckdb-faults.parquet")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestParquetNotesValuesItsTypesDoNotAllow(t *testing.T) {
	got := rowsOf(t, faultyParquet(t), Options{})
	want := lines(
		`1: 0|text|9999-12-30|["x"]`,
		`2: 1|c3|9999-12-31|["x"] !unreadable_value@1()`,
		`3: 2|text|a1c02c00|["x"] !unreadable_value@2()`,
		`4: 3|text|a2c02c00|["x"] !unreadable_value@2()`,
		`5: 4|c3|a3c02c00|["ff"] !unreadable_value@1() !unreadable_value@2() !unreadable_value@3()`,
		`6: 5|text|a4c02c00|["x"] !unreadable_value@2()`,
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func BenchmarkParquet(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, _, err := Open(groupsFile, nil)
		if err != nil {
			b.Fatal(err)
		}
		if rows, err := readAll(s); err != nil || rows != 5000 {
			b.Fatalf("%d rows, error %v", rows, err)
		}
		s.Close()
	}
}

// TestParquetManyColumns holds blocks of wide files to few rows.
func TestParquetManyColumns(t *testing.T) {
	const columns = 20_000
	content, err := os.ReadFile(groupsFile)
	if err != nil {
		t.Fatal(err)
	}
	wide := remade(t, content, func(m *meta.FileMetaData) {
		m.Schema[0].NumChildren.V = columns
		for len(m.Schema) <= columns {
			m.Schema = append(m.Schema, m.Schema[1])
		}
		for i := range m.RowGroups {
			g := &m.RowGroups[i]
			for len(g.Columns) < columns {
				g.Columns = append(g.Columns, g.Columns[0])
			}
		}
	})
	s, _, err := Open(write(t, "wide.parquet", wide), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.(pipeline.ColumnSelector).Select(append(make([]bool, columns-1), true))
	var block pipeline.Block
	var batch pipeline.Batch
	if err := s.Next(context.Background(), &block); err != nil {
		t.Fatal(err)
	}
	if err := s.Decoder().Decode(&block, &batch); err != nil || batch.Len() > 20 || string(batch.Input[columns-1].Value(1)) != "1" {
		t.Errorf("%d rows in a block, error %v", batch.Len(), err)
	}
}
