package sinks

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// xlsxParts returns the parts of a workbook, in order, each read to its end
// with its checksum.
func xlsxParts(t testing.TB, data []byte) (names []string, parts map[string][]byte) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	parts = map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		names = append(names, f.Name)
		parts[f.Name] = part
	}
	return names, parts
}

func TestThePartsOfAWorkbook(t *testing.T) {
	rows := contractRows()
	data := xlsxFile(t, contractSchema(), len(rows), 4, rows...)
	names, parts := xlsxParts(t, data)
	var out bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&out, "== %s\n%s\n", name, bytes.ReplaceAll(parts[name], []byte("><"), []byte(">\n<")))
	}
	compareGolden(t, filepath.Join("testdata", "xlsx_parts.golden"), out.Bytes())
}

// TestTheElementsOfASheetAreInOrder holds the sheets to the sequence of
// ECMA-376, part 1, 18.3.1.99: Excel repairs, or refuses, a sheet in another.
func TestTheElementsOfASheetAreInOrder(t *testing.T) {
	order := strings.Fields(`sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection
		protectedRanges scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells phoneticPr
		conditionalFormatting dataValidations hyperlinks printOptions pageMargins pageSetup headerFooter rowBreaks
		colBreaks customProperties cellWatches ignoredErrors smartTags drawing`)
	_, parts := xlsxParts(t, xlsxFile(t, contractSchema(), 4, 3, contractRows()...))
	for n := 1; n <= 3; n++ {
		at := -1
		for _, name := range children(t, parts[xlsxSheetPart(n)]) {
			next := indexOf(order, name)
			if next <= at {
				t.Errorf("sheet %d: %s comes too late, or is none", n, name)
			}
			at = next
		}
	}
}

func indexOf(list []string, want string) int {
	for i, s := range list {
		if s == want {
			return i
		}
	}
	return -1
}

// children returns the names of the elements within the outermost one.
func children(t *testing.T, document []byte) (names []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(document))
	for depth := 0; ; {
		token, err := d.Token()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				names = append(names, e.Name.Local)
			}
		case xml.EndElement:
			depth--
		}
	}
}

func TestAllPartsAreWellFormed(t *testing.T) {
	schema := pipelinetest.Schema(`<&>"'_x000D_`, "\x01\r\n", "å")
	_, parts := xlsxParts(t, xlsxFile(t, schema, 2, 1, []string{"]]>", "&amp;", "\x00"}, []string{"1", "2", "3"}))
	if len(parts) != 9 {
		t.Errorf("%d parts, want 9", len(parts))
	}
	for name, part := range parts {
		if len(children(t, part)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

func TestColumnsHaveNames(t *testing.T) {
	for n, want := range map[int]string{1: "A", 26: "Z", 27: "AA", 52: "AZ", 702: "ZZ", 703: "AAA", xlsxColumns: "XFD"} {
		if got := columnName(n); got != want {
			t.Errorf("column %d is %s, want %s", n, got, want)
		}
	}
}

func TestColumnsAreAsWideAsTheFirstRowsNeed(t *testing.T) {
	b := pipelinetest.Batch(
		[]string{"short", strings.Repeat("x", 200), pipelinetest.Null, "日本語日本語\nå", "2024-01-02T03:04:05.123456+01:00"},
		[]string{"a little longer", "y", pipelinetest.Null, "", ""},
		[]string{strings.Repeat("rejected", 4), "y", pipelinetest.Null, "", ""},
	)
	b.Fates[2] = pipeline.Rejected
	schema := pipelinetest.Schema("a", "b", "c", "d", "e")
	schema.Fields[4].Type = pipeline.DateTime
	if got, want := fmt.Sprint(xlsxWidths(schema, b)), "[17 60 8 14 21]"; got != want {
		t.Errorf("widths %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(xlsxWidths(pipelinetest.Schema("a", "a_longer_name"), &pipeline.Batch{})), "[8 17]"; got != want {
		t.Errorf("without rows %s, want %s", got, want)
	}
}

func TestAWorkbookIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	var rows [][]string
	for i := range 8000 {
		rows = append(rows, []string{fmt.Sprint(i), strings.Repeat("värde ", i%30), "slut"})
	}
	var want []byte
	for _, n := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(n)
		got := xlsxFile(t, pipelinetest.Schema("a", "b", "c"), xlsxRows, 1000, rows...)
		runtime.GOMAXPROCS(before)
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("with %d processors other bytes", n)
		}
	}
	got := sheetRows(t, openXLSX(t, want), "Data")
	if len(got) != len(rows)+1 {
		t.Fatalf("%d rows, want %d", len(got), len(rows)+1)
	}
	for i, row := range rows {
		if strings.Join(got[i+1], "|") != strings.Join(row, "|") {
			t.Fatalf("row %d is not as it was", i)
		}
	}
}

// fullWriter has room for a few bytes only.
type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errors.New("no space")
	}
	return len(p), nil
}

func TestAWriteThatFailsLaterFailsTheWorkbook(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	for _, room := range []int{0, 100, 10_000, 100_000} {
		s := xlsxTo(t, &fullWriter{room}, pipelinetest.Schema("a", "b"), 5000)
		var err error
		for range 30 {
			c := &pipeline.Chunk{Batch: *noise(1000)}
			must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
			if err = s.Write(context.Background(), c); err != nil {
				break
			}
		}
		if err == nil {
			err = s.Commit(context.Background())
		}
		if err == nil || err.Error() != "stdout: write: no space" {
			t.Errorf("room for %d bytes: error %v", room, err)
		}
		if _, err := s.Abort(); err != nil {
			t.Error(err)
		}
	}
	goleak.VerifyNone(t, leaks)
}

func TestAWorkbookGivenUpLeavesNothingRunning(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	for _, chunks := range []int{0, 1, 20} {
		path := filepath.Join(t.TempDir(), "out.xlsx")
		s, err := Create(path, pipelinetest.Schema("a", "b"), nil)
		must(t, err)
		for range chunks {
			writeChunk(t, s, &pipeline.Chunk{Batch: *noise(1000)})
		}
		if undone, err := s.Abort(); !undone || err != nil {
			t.Errorf("abort: undone %v, %v", undone, err)
		}
		if got := namesIn(t, filepath.Dir(path)); got != "" {
			t.Errorf("the directory holds %q", got)
		}
	}
	goleak.VerifyNone(t, leaks)
}

func TestExtraIsAColumnOfAWorkbook(t *testing.T) {
	book := openXLSX(t, xlsxFile(t, extraSchema(), xlsxRows, 1, []string{"A", "1", `{"x":1}`}, []string{"B", "2", pipelinetest.Null}))
	got := fmt.Sprint(sheetRows(t, book, "Data"))
	if want := `[[name external_client.id _extra] [A 1 {"x":1}] [B 2]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRowsAreAsHighAsTheirLines(t *testing.T) {
	many := strings.Repeat("line\n", 100)
	book := openXLSX(t, xlsxFile(t, pipelinetest.Schema("a", "b"), xlsxRows, 10, []string{"one", "one"}, []string{"a\nb\nc", "a\r\nb"}, []string{pipelinetest.Null, many}))
	for row, want := range map[int]float64{2: 15, 3: 45, 4: 300} {
		if got, err := book.GetRowHeight("Data", row); err != nil || got != want {
			t.Errorf("row %d is %v high (%v), want %v", row, got, err, want)
		}
	}
}
