package sources

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	"flytt/sources/xlsx/xlsxtest"
)

// textRow is a row with these texts as cells from column A on.
func textRow(row int, cells ...string) string {
	out := fmt.Sprintf(`<row r="%d">`, row)
	for i, c := range cells {
		if c != "" {
			out += fmt.Sprintf(`<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, row, c)
		}
	}
	return out + "</row>"
}

// dated has one style that is a date.
const dated = `<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>`

// faultyWorkbook has every fault a cell can have.
var faultyWorkbook = &xlsxtest.Book{Styles: dated, Sheets: []xlsxtest.Sheet{{Rows: textRow(1, "a", "b") +
	`<row r="3" hidden="1"><c r="A3" t="e"><v>#N/A</v></c><c r="B3" t="e"><v>#REF!</v></c></row>` +
	`<row r="4"><c r="A4"><f>1+1</f></c><c r="B4" s="1"><v>60</v></c></row>` +
	`<row r="5"><c r="A5"><v>x</v></c><c r="C5"><v>1</v></c></row>` +
	`<row r="6"><c r="B7"><v>1</v></c></row>`,
}}}

func openBook(t *testing.T, b *xlsxtest.Book, o Options) (pipeline.Source, *Info) {
	t.Helper()
	return open(t, string(b.Zip()), o)
}

func TestWorkbookFaults(t *testing.T) {
	got := rowsOf(t, string(faultyWorkbook.Zip()), Options{})
	want := lines(
		"row 2: blank_row",
		"3: ∅|#REF! !error_cell@1(#REF!) !hidden_row@-1() !na_cell@0()",
		"4: ∅|60 !formula_without_value@0() !impossible_serial@1(number that is not a date)",
		"5: x|∅ +1 !invalid_cell@0(not a number) !ragged_row@-1(1 cell outside of the 2 named columns)",
		"6: ∅|∅ !invalid_cell@-1(place that is not in its row)",
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWorkbookHeader(t *testing.T) {
	table := textRow(1, "Namn", "Ort") + textRow(2, "Anna", "Lund")
	tests := []struct {
		name, rows string
		o          Options
		columns    string
		row        int64
		warning    string
	}{
		{"first row", table, Options{}, "Namn|Ort", 1, ""},
		{"title above", textRow(1, "Kunder") + textRow(3, "Namn", "Ort", "Tel") + textRow(4, "Anna", "Lund", "08-1234567"), Options{}, "Namn|Ort|Tel", 3, "rows 1 to 2, before the header, are skipped"},
		{"margin", textRow(2, "", "Namn", "Ort") + textRow(3, "", "Anna", "Lund"), Options{}, "Namn|Ort", 2, "column A, which has neither a name nor values, is left out"},
		{"told", textRow(1, "x", "y") + textRow(4, "Namn", "Ort") + textRow(5, "a", "b"), Options{HeaderRow: 4}, "Namn|Ort", 4, ""},
		{"told, many blocks on", textRow(1, "x") + textRow(2, strings.Repeat("y", 200)) + textRow(9, "Namn", "Ort") + textRow(10, "a", "b"), Options{HeaderRow: 9, BlockSize: 64}, "Namn|Ort", 9, ""},
		{"nothing below", textRow(1, "Namn", "Ort"), Options{}, "Namn|Ort", 1, "there is no row below the header on row 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, info := openBook(t, xlsxtest.One(tt.rows), tt.o)
			if got := strings.Join(s.Columns(), "|"); got != tt.columns || info.HeaderRow != tt.row {
				t.Errorf("columns %s on row %d, want %s on %d", got, info.HeaderRow, tt.columns, tt.row)
			}
			if got := strings.Join(info.Warnings, "; "); got != tt.warning {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
			if rows, err := dumpRows(t, s); err != nil || len(rows) != 1 && tt.name != "nothing below" {
				t.Errorf("rows %q, error %v", rows, err)
			}
		})
	}
}

func TestWorkbookHeaderThatIsNone(t *testing.T) {
	tests := []struct {
		name, rows string
		o          Options
		want       string
	}{
		{"empty sheet", "", Options{}, "standard input Sheet1: the sheet is empty"},
		{"styles only", `<row r="1"><c r="A1" s="0"/></row>`, Options{}, "standard input Sheet1: the sheet is empty"},
		{"no such row", textRow(1, "a"), Options{HeaderRow: 7}, `standard input: sheet "Sheet1" has nothing on row 7`},
		{"blank row", textRow(1, "a") + textRow(9, "b"), Options{HeaderRow: 7}, `standard input: sheet "Sheet1" has nothing on row 7`},
		{"negative", textRow(1, "a"), Options{HeaderRow: -1}, "standard input: header row -1 is less than 1"},
		{"same name", textRow(1, "Namn", "Ort", "Namn"), Options{}, `standard input Sheet1!1: columns A and C are all called "Namn"`},
		{"no name", textRow(1, "Namn", "", "Ort") + textRow(2, "a", "b", "c"), Options{}, "standard input Sheet1!1: column B has no name"},
		{"a value", textRow(1, "Namn", "anna@example.se") + textRow(2, "a", "b"), Options{}, "standard input Sheet1!B1: the first row does not name the columns: the cell holds a value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if e := openFault(t, string(xlsxtest.One(tt.rows).Zip()), tt.o); e.Error() != tt.want {
				t.Errorf("%v, want %s", e, tt.want)
			}
		})
	}
}

// manySheets has a sheet of every sort.
var manySheets = &xlsxtest.Book{Sheets: []xlsxtest.Sheet{
	{Name: "Diagram", Kind: "chartsheet", XML: "<chartsheet/>"},
	{Name: "Dold", State: "hidden", Rows: textRow(1, "dold") + textRow(2, "x")},
	{Name: "Mina kontakter", Rows: textRow(1, "Namn") + textRow(2, "x")},
	{Name: "2", Rows: textRow(1, "two") + textRow(2, "x")},
}}

func TestSheetIsChosen(t *testing.T) {
	for asked, want := range map[string]string{
		"": "Namn", "Dold": "dold", "mina KONTAKTER": "Namn", "2": "two", "3": "Namn", "-1": "two", "-3": "dold",
	} {
		s, info := openBook(t, manySheets, Options{Sheet: asked})
		if s.Columns()[0] != want {
			t.Errorf("%q: column %s of sheet %s, want %s", asked, s.Columns()[0], info.Sheet, want)
		}
		if len(info.Sheets) != 4 || !info.Sheets[1].Hidden || info.Sheets[2].Rows != 1 || info.Sheets[0].Rows != -1 {
			t.Errorf("%q: sheets %+v", asked, info.Sheets)
		}
	}
	_, info := openBook(t, manySheets, Options{})
	if got := info.CellName(17, 0); got != "'Mina kontakter'!A17" {
		t.Errorf("place %s", got)
	}
	if got := info.CellName(17, pipeline.None); got != "'Mina kontakter'!17" {
		t.Errorf("place of a row %s", got)
	}
	if want := []string{`sheet "Mina kontakter" is read, 1 other not: --sheet names another`}; !slices.Equal(info.Warnings, want) {
		t.Errorf("warnings %q", info.Warnings)
	}
}

func TestSheetThatIsNotThere(t *testing.T) {
	const all = `1 "Diagram" (chartsheet), 2 "Dold" (hidden), 3 "Mina kontakter", 4 "2"`
	tests := []struct{ sheet, want, hint string }{
		{"Kontakter", `standard input: has no sheet "Kontakter"; it has ` + all, ""},
		{"Mina kontaker", `standard input: has no sheet "Mina kontaker"; it has ` + all, `did you mean --sheet "Mina kontakter"?`},
		{"5", `standard input: has no sheet "5"; it has ` + all, ""},
		{"-5", `standard input: has no sheet "-5"; it has ` + all, ""},
		{"1", `standard input: sheet "Diagram" has no cells: it is a chartsheet`, ""},
	}
	for _, tt := range tests {
		e := openFault(t, string(manySheets.Zip()), Options{Sheet: tt.sheet})
		if e.Error() != tt.want || !e.Usage || tt.hint != "" && e.Hint != tt.hint {
			t.Errorf("%s: %v (%s), want %s (%s)", tt.sheet, e, e.Hint, tt.want, tt.hint)
		}
	}
	charts := &xlsxtest.Book{Sheets: manySheets.Sheets[:1]}
	if e := openFault(t, string(charts.Zip()), Options{}); e.Error() != `standard input: has no sheet with cells: only 1 "Diagram" (chartsheet)` || e.Usage {
		t.Error(e)
	}
	none := &xlsxtest.Book{}
	if e := openFault(t, string(none.Zip()), Options{}); e.Error() != "standard input: xl/workbook.xml: it has no sheet" {
		t.Error(e)
	}
}

func TestHiddenAndBlankRows(t *testing.T) {
	rows := textRow(1, "Namn", "Ort") + `<row r="2" hidden="1"><c r="A2"><v>1</v></c></row>` +
		`<row r="3"><c r="A3" s="0"/></row><row r="6"><c r="A6"><v>2</v></c></row>` +
		`<row r="7"><c r="A7" t="inlineStr"><is><t></t></is></c></row><row r="8" hidden="true"/><row r="9"/>`
	for size := 1; size < 1<<10; size *= 2 {
		got := rowsOf(t, string(xlsxtest.One(rows).Zip()), Options{BlockSize: size})
		slices.Sort(got)
		want := lines("2: 1|∅ !hidden_row@-1()", "6: 2|∅", "row 3: blank_row", "row 4: blank_row", "row 5: blank_row")
		if diff := cmp.Diff(want, dropFates(got)); diff != "" {
			t.Fatalf("blocks of %d (-want +got):\n%s", size, diff)
		}
		got = rowsOf(t, string(xlsxtest.One(rows).Zip()), Options{BlockSize: size, SkipHidden: true})
		slices.Sort(got)
		want = lines("6: 2|∅", "row 2: hidden_row", "row 3: blank_row", "row 4: blank_row", "row 5: blank_row")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("blocks of %d, without hidden rows (-want +got):\n%s", size, diff)
		}
	}
}

// dropFates drops what dumpBatch says of rows that have no more than warnings.
func dropFates(rows []string) []string {
	for i := range rows {
		rows[i] = strings.TrimSuffix(rows[i], " fate pending")
	}
	return rows
}

func TestRejectsSavedAsWorkbook(t *testing.T) {
	rows := textRow(1, "Namn", "_row", "_errors", "Kod") + textRow(2, "Anna", "17", "x", "&apos;0123")
	s, info := openBook(t, xlsxtest.One(rows), Options{})
	got, err := dumpRows(t, s)
	if err != nil || !info.IsRejectsFile || !slices.Equal(s.Columns(), []string{"Namn", "Kod"}) || !slices.Equal(got, []string{"2: Anna|0123"}) {
		t.Errorf("columns %q, rows %q, rejects %v, error %v", s.Columns(), got, info.IsRejectsFile, err)
	}
	if got := info.CellName(2, 1); got != "Sheet1!D2" {
		t.Errorf("place %s", got)
	}
}

func TestWorkbookOfManyColumns(t *testing.T) {
	var row strings.Builder
	row.WriteString(`<row r="1">`)
	for i := range 16384 {
		fmt.Fprintf(&row, `<c t="inlineStr"><is><t>c%d</t></is></c>`, i)
	}
	row.WriteString("</row>")
	for i := range 2000 {
		fmt.Fprintf(&row, `<row r="%d"><c><v>1</v></c></row>`, i+2)
	}
	s, _ := openBook(t, xlsxtest.One(row.String()), Options{})
	if n := len(s.Columns()); n != 16384 {
		t.Fatalf("%d columns", n)
	}
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	rows := 0
	for s.Next(t.Context(), &block) == nil {
		if err := d.Decode(&block, &batch); err != nil {
			t.Fatal(err)
		}
		if rows += batch.Len(); batch.Len() > 512 {
			t.Fatalf("%d rows of 16,384 columns in one batch", batch.Len())
		}
	}
	if rows != 2000 {
		t.Errorf("%d rows, want 2000", rows)
	}
}

func TestWorkbookErrorsNameThePlace(t *testing.T) {
	good := xlsxtest.One(textRow(1, "Namn", "Ort") + textRow(2, "a", "b") + textRow(3, "c", "d"))
	sheet := string(mustPart(t, good, "xl/worksheets/sheet1.xml"))
	cut := func(at string) *xlsxtest.Book {
		before, _, _ := strings.Cut(sheet, at)
		return &xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Name: "Mina rader", XML: before}}}
	}
	tests := []struct {
		name string
		book *xlsxtest.Book
		want string
		rows int
	}{
		{"cut within a row", cut(`<c r="B3"`), "'Mina rader'!2: xl/worksheets/sheet1.xml: it ends too early", 1},
		{"cut between rows", cut(`<row r="3"`), "'Mina rader'!2: xl/worksheets/sheet1.xml: it ends too early", 1},
		{"cut before the rows end", cut(`</sheetData>`), "'Mina rader'!3: xl/worksheets/sheet1.xml: it ends too early", 2},
		{"cut before the sheet ends", cut(`</worksheet>`), "'Mina rader'!3: xl/worksheets/sheet1.xml: it ends too early", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := openBook(t, tt.book, Options{})
			rows, err := dumpRows(t, s)
			var e *Error
			if !errors.As(err, &e) || e.Error() != "standard input "+tt.want || e.Hint == "" || e.Usage {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if len(rows) != tt.rows {
				t.Errorf("rows %q before it", rows)
			}
		})
	}
}

func mustPart(t *testing.T, b *xlsxtest.Book, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b.Zip()), int64(len(b.Zip())))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestSpooledInputLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	whole := xlsxtest.One(textRow(1, "Namn") + textRow(2, "Anna")).Zip()
	for _, content := range []string{string(whole), string(whole[:100]), string(gzipped(t, whole))} {
		s, _, err := Open("-", &Options{Stdin: strings.NewReader(content)})
		if err == nil {
			if _, err = dumpRows(t, s); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}
