package sources

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"flytt/pipeline"
	"flytt/sources/xlsx/xlsxtest"
)

// A broken or hostile workbook costs no more than this.
const (
	hostileBytes = 128 << 20
	hostileTime  = 5 * time.Second // far above what it takes; a machine may be busy
)

// goodBook is a workbook of two columns and a hundred rows with shared strings.
func goodBook() *xlsxtest.Book {
	var rows, table strings.Builder
	rows.WriteString(textRow(1, "Namn", "Ort"))
	for i := range 100 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c><c r="B%d"><v>%d</v></c></row>`, i+2, i+2, i, i+2, i)
		fmt.Fprintf(&table, `<si><t>Person %d</t></si>`, i)
	}
	return &xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Name: "Kontakter", Rows: rows.String()}}, Strings: table.String()}
}

// readBook reads a workbook to its end and returns how many rows it had.
func readBook(t testing.TB, file []byte) (rows int, err error) {
	t.Helper()
	s, _, err := Open("-", &Options{Stdin: bytes.NewReader(file)})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for {
		err := s.Next(context.Background(), &block)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		batch.Reset(len(s.Columns()))
		if err := d.Decode(&block, &batch); err != nil {
			return rows, err
		}
		rows += batch.Len()
	}
}

// spoil returns the file with the bytes of the named part changed by f where
// they lie, packed, in the archive.
func spoil(t *testing.T, file []byte, name string, f func(packed []byte)) []byte {
	t.Helper()
	file = bytes.Clone(file)
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range z.File {
		if part.Name == name {
			at, err := part.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			f(file[at : at+int64(part.CompressedSize64)])
			return file
		}
	}
	t.Fatalf("no part %s", name)
	return nil
}

// stored returns a workbook whose parts are not compressed, so that a changed
// byte changes one byte of XML and nothing but the checksum tells.
func stored(t *testing.T, file []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Store})
		if err == nil {
			_, err = io.Copy(to, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// change turns the only s in packed into as many other bytes.
func change(t *testing.T, s, to string) func([]byte) {
	return func(packed []byte) {
		if len(s) != len(to) || bytes.Count(packed, []byte(s)) != 1 {
			t.Fatalf("%s stands there %d times", s, bytes.Count(packed, []byte(s)))
		}
		copy(packed[bytes.Index(packed, []byte(s)):], to)
	}
}

// bomb returns a workbook whose sheet is mostly white space, n bytes of it.
func bomb(n int) []byte {
	b := goodBook()
	b.Sheets[0].Rows += strings.Repeat(" ", n)
	return b.Zip()
}

func TestHostileWorkbooks(t *testing.T) {
	plain := stored(t, goodBook().Zip())
	whole := goodBook().Zip()
	deep := goodBook()
	deep.Sheets[0].Rows += `<row r="200"><c r="A200" t="inlineStr">` + strings.Repeat("<is>", 1<<20)
	entities := goodBook()
	entities.Sheets[0].XML = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;">]><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
		textRow(1, "Namn", "Ort") + `<row r="2"><c r="A2" t="inlineStr"><is><t>&l2;</t></is></c></row></sheetData></worksheet>`
	twice := goodBook()
	twice.Twice = "xl/worksheets/sheet1.xml"
	tests := []struct {
		name string
		file []byte
		most int // rows that may come before the error
	}{
		{"a byte of the sheet changed", spoil(t, plain, "xl/worksheets/sheet1.xml", change(t, "<v>77</v></c></row>", "<v>78</v></c></row>")), 100},
		{"a byte of the strings changed", spoil(t, plain, "xl/sharedStrings.xml", change(t, "Person 77<", "Person 78<")), 100},
		{"packed bytes overwritten", spoil(t, whole, "xl/worksheets/sheet1.xml", func(p []byte) { copy(p[len(p)/2:], "\x00\xff\x00\xff\x00\xff") }), 100},
		{"cut in the middle", whole[:len(whole)/2], 0},
		{"its directory alone", whole[len(whole)-200:], 0},
		{"a bomb", bomb(256 << 20), 100},
		{"a cell that never ends", deep.Zip(), 100},
		{"entities", entities.Zip(), 1},
		{"a part twice", twice.Zip(), 0},
		{"no sheet", (&xlsxtest.Book{}).Zip(), 0},
		{"charts only", (&xlsxtest.Book{Sheets: []xlsxtest.Sheet{{Kind: "chartsheet", XML: "<chartsheet/>"}}}).Zip(), 0},
		{"an old workbook", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 2000)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			rows, err := readBook(t, tt.file)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			var e *Error
			if !errors.As(err, &e) || e.Hint == "" || e.File == "" {
				t.Errorf("error %v, want an *Error that says what to do", err)
			}
			if err != nil && strings.Contains(err.Error(), "Person") {
				t.Errorf("%v: shows a value", err)
			}
			if rows > tt.most {
				t.Errorf("%d rows", rows)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > hostileBytes {
				t.Errorf("allocates %d MiB", n>>20)
			}
			if took > hostileTime {
				t.Errorf("takes %v", took)
			}
		})
	}
}

func TestSharedStringsThatAreNotThere(t *testing.T) {
	b := goodBook()
	b.Parts = map[string]string{"xl/sharedStrings.xml": `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
		`count="4000000000" uniqueCount="4000000000"><si><t>a</t></si></sst>`}
	rows := rowsOf(t, string(b.Zip()), Options{})
	bad := 0
	for _, line := range rows {
		if strings.Contains(line, "!invalid_cell@0(") {
			bad++
		}
	}
	if len(rows) != 100 || rows[0] != "2: a|0" || bad != 99 {
		t.Errorf("%d of %d rows are rejected, want 99: %q", bad, len(rows), rows[:min(3, len(rows))])
	}
}

// FuzzWorkbookRows reads whatever stands between the tags of a sheet.
func FuzzWorkbookRows(f *testing.F) {
	f.Add(faultyWorkbook.Sheets[0].Rows)
	f.Add(goodBook().Sheets[0].Rows)
	f.Add(`<row><c t="s"><v>0</v></c></row><x:row xmlns:x="y"><x:c><x:is><x:r><x:t>a_x000D_</x:t></x:r></x:is></x:c></x:row><!-- <row> --><![CDATA[<row>]]>`)
	f.Fuzz(func(t *testing.T, rows string) {
		b := &xlsxtest.Book{Styles: dated, Strings: "<si><t>a</t></si>", Sheets: []xlsxtest.Sheet{{Rows: textRow(1, "a", "b") + rows}}}
		readBounded(t, b.Zip())
	})
}

// FuzzWorkbookStrings reads whatever stands in the table of shared strings.
func FuzzWorkbookStrings(f *testing.F) {
	f.Add(`<si><t>a</t></si><si><r><rPr/><t xml:space="preserve"> b</t></r><r><t>c</t></r><rPh><t>x</t></rPh></si>`)
	f.Add(`<si/><si><t>&amp;&#229;&#x1F600;_x000D_</t></si>`)
	f.Fuzz(func(t *testing.T, table string) {
		rows := textRow(1, "a") + `<row r="2"><c r="A2" t="s"><v>0</v></c></row><row r="3"><c r="A3" t="s"><v>1</v></c></row>`
		readBounded(t, (&xlsxtest.Book{Strings: table, Sheets: []xlsxtest.Sheet{{Rows: rows}}}).Zip())
	})
}

// FuzzWorkbookArchive reads whatever is taken for a workbook.
func FuzzWorkbookArchive(f *testing.F) {
	f.Add(goodBook().Zip())
	f.Add(faultyWorkbook.Zip())
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<20 {
			return
		}
		readBounded(t, append([]byte("PK\x03\x04"), bytes.TrimPrefix(file, []byte("PK\x03\x04"))...))
	})
}

// readBounded reads a file that may be anything: it ends, without a panic, and
// without memory that the file does not account for.
func readBounded(t *testing.T, file []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = readBook(t, file)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20+400*uint64(len(file)) {
		t.Fatalf("%d bytes allocate %d MiB", len(file), n>>20)
	}
}
