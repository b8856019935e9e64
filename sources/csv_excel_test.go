package sources

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

// nasty are cells that a spreadsheet would take for something else, cells that
// have apostrophes of their own, and plain ones.
var nasty = []string{
	"'apos", "''x", "'=1", "''=1", "=1", "=cmd|' /C calc'!A0", "+46701740605", "0701740605", "198501022399", "2011-09-24", "'2011-09-24",
	"'t Hooft", "'0701740605", "-1", "@x", " lead", "trail ", "SANT", "1-2", "12,5", "Åsa; \"Kulan\"\nEk", "'", "''", "\u00a0=1", "1E5", "plain",
}

// excelText returns nasty as an export for Excel has it.
func excelText(header string) string {
	var b bytes.Buffer
	b.WriteString(bomUTF8 + header + "\r\n")
	for _, v := range nasty {
		cell := strings.ReplaceAll(string(pipeline.GuardCell(nil, []byte(v))), `"`, `""`)
		b.WriteString(`7;"` + cell + "\"\r\n")
	}
	return b.String()
}

// secondCells returns the cells of the second column of s.
func secondCells(t *testing.T, s pipeline.Source) (cells []string) {
	t.Helper()
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for s.Next(t.Context(), &block) == nil {
		if err := d.Decode(&block, &batch); err != nil {
			t.Fatal(err)
		}
		for i := range batch.Len() {
			cells = append(cells, string(batch.Input[1].Value(i)))
		}
	}
	return cells
}

// asLibreOffice rewrites CSV for Excel as LibreOffice saves it: lines end in LF, and
// every text is in quotes.
func asLibreOffice(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.ReplaceAll(text, "\n7;", "\n\"7\";")
}

func TestCSVForExcelLosesItsGuards(t *testing.T) {
	for name, text := range map[string]string{
		"with ids":            excelText("id;name"),
		"without":             excelText("custom_id;name"),
		"saved by others":     asLibreOffice(excelText("custom_id;name")),
		"below a title":       bomUTF8 + "Kontakter\r\n\r\n" + excelText("nr;name")[len(bomUTF8):],
		"with sep=":           bomUTF8 + "sep=;\r\n" + excelText("nr;name")[len(bomUTF8):],
		"longer than is seen": excelText("nr;name") + strings.Repeat("7;=\r\n", sampleSize/5),
	} {
		s, info := open(t, text, Options{})
		if got := secondCells(t, s); !slices.Equal(got[:len(nasty)], nasty) {
			t.Errorf("%s: got  %q\nwant %q", name, got[:len(nasty)], nasty)
		}
		if n := len(info.Warnings); n == 0 || !strings.Contains(info.Warnings[n-1], "semicolons): apostrophes") || info.IsRejectsFile {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

func TestCSVForExcelOfOneColumnLosesItsGuards(t *testing.T) {
	text := bomUTF8 + "nr\r\n'0123456\r\n't Hooft\r\n''=1\r\n"
	s, info := open(t, text, Options{})
	got, err := dumpRows(t, s)
	if want := lines("2: 0123456", "3: 't Hooft", "4: '=1"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0], "one column): apostrophes") {
		t.Errorf("%q", info.Warnings)
	}
	if got := rowsOf(t, text, Options{Delimiter: "none"}); got[0] != "2: '0123456" {
		t.Errorf("lines as they are: %q", got)
	}
}

func TestTextWithoutGuardsIsAsItWas(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"legacy names":       {bomUTF8 + "nr;name\r\n1;'t Hooft\r\n2;'s-Gravesande\r\n3;'\r\n4;'5\r\n5;''\r\n6;Ludvig '16\r\n", lines("'t Hooft", "'s-Gravesande", "'", "'5", "''", "Ludvig '16")},
		"no apostrophe":      {bomUTF8 + "id;name\r\n1;Bo\r\n", lines("Bo")},
		"no byte order mark": {"id;name\r\n1;'=1\r\n", lines("'=1")},
		"commas":             {bomUTF8 + "id,name\r\n1,'=1\r\n", lines("'=1")},
		"tabs":               {bomUTF8 + "id\tname\r\n1\t'=1\r\n", lines("'=1")},
		"a plain export":     {"id,name\n1,'=1\n", lines("'=1")},
	} {
		s, info := open(t, test.content, Options{})
		if got := secondCells(t, s); !slices.Equal(got, test.want) || len(info.Warnings) > 0 {
			t.Errorf("%s: %q, want %q; %q", name, got, test.want, info.Warnings)
		}
	}
}

// FuzzCSVForExcel holds that every text comes back from CSV for Excel, and that a
// cell without a guard is what it was.
func FuzzCSVForExcel(f *testing.F) {
	for _, v := range nasty {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if len(v) > 4096 || strings.Count(v, "\n") > 900 || strings.ContainsAny(v, "\x00\x1a") || textscan.InvalidUTF8([]byte(v)) >= 0 {
			return
		}
		form := func(cell []byte) string {
			return bomUTF8 + "nr;name\r\n7;\"" + strings.ReplaceAll(string(cell), `"`, `""`) + "\"\r\n"
		}
		for _, cell := range [][]byte{pipeline.GuardCell(nil, []byte(v)), []byte(v)} {
			want := string(pipeline.UnguardCell(cell))
			s, info, err := Open("-", &Options{Delimiter: ";", HeaderRow: 1, Stdin: strings.NewReader(form(cell))})
			if err != nil {
				return // it does not look like text
			}
			if got := secondCells(t, s); !slices.Equal(got, []string{want}) {
				t.Fatalf("%q came back as %q, want %q", cell, got, want)
			}
			if told := len(info.Warnings) > 0; told != (want != string(cell)) {
				t.Fatalf("%q: %q", cell, info.Warnings)
			}
		}
	})
}
