package sources

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

func TestRows(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string
	}{
		{"LF", "a,b\n1,2\n3,4\n", lines("2: 1|2", "3: 3|4")},
		{"CRLF", "a,b\r\n1,2\r\n3,4\r\n", lines("2: 1|2", "3: 3|4")},
		{"CR", "a,b\r1,2\r3,4\r", lines("2: 1|2", "3: 3|4")},
		{"last line without an end", "a,b\n1,2\n3,4", lines("2: 1|2", "3: 3|4")},
		{"last line without an end, CRLF", "a,b\r\n1,2\r\n3,4\r", lines("2: 1|2", "3: 3|4")},
		{"last cell empty at the end of the file", "a,b\n1,", lines("2: 1|")},
		{"a CR alone is data where lines end with LF", "a,b\n1,x\ry\n\r2,3\n", lines("2: 1|x\ry", "3: \r2|3")},
		{"LF is data where lines end with CR, within quotes", "a,b\r1,2\r", lines("2: 1|2")},
		{"quotes", "a,b\n\"1\",\"x,y\"\n\"\",\"\"\"\"\n", lines("2: 1|x,y", "3: |\"")},
		{"quotes doubled at both ends", "a,b\n\"\"\"Hem, och Bygg\"\" AB\",2\n", lines("2: \"Hem, och Bygg\" AB|2")},
		{"several lines in a cell keep their bytes", "a,b\n1,\"x\r\ny\nz\"\n2,3\n", lines("2: 1|x\r\ny\nz", "5: 2|3")},
		{"quotes and CRLF", "a,b\r\n\"1\",\"2\"\r\n", lines("2: 1|2")},
		{"space around a cell is data", "a,b\n 1 , 2\n", lines("2:  1 | 2")},
		{"a quote after a space does not open", "a,b\n1, \"x\"\n", lines(`2: 1| "x" !bare_quote@1(a quote in a cell without quotes)`)},
		{"bare quote", "a,b\n1,5\" pipe\n2,3\n", lines(`2: 1|5" pipe !bare_quote@1(a quote in a cell without quotes)`, "3: 2|3")},
		{"bare quote before a delimiter", "a,b\n5\",x\n\"2\",3\n", lines(`2: 5"|x !bare_quote@0(a quote in a cell without quotes)`, "3: 2|3")},
		{"text after a quote", "a,b\n\"x\"y,2\n3,4\n", lines(`2: "x"y|2 !text_after_quote@0(text after the closing quote)`, "3: 3|4")},
		{"text after a quote with a quote in it", "a,b\n\"x\"y\"\"z,\"2\"\n3,4\n", lines(`2: "x"y""z|2 !text_after_quote@0(text after the closing quote)`, "3: 3|4")},
		{"a CR after a quote is text", "a,b\n\"x\"\ry,2\n", lines("2: \"x\"\ry|2 !text_after_quote@0(text after the closing quote)")},
		{"two faults in a row", "a,b\nx\"y,\"z\" \n", lines(`2: x"y|"z"  !bare_quote@0(a quote in a cell without quotes) !text_after_quote@1(text after the closing quote)`)},
		{"too few cells", "a,b,c\n1\n2,3\n4,5,6\n", lines("2: 1|∅|∅ !ragged_row@-1(1 cell, 3 columns)", "3: 2|3|∅ !ragged_row@-1(2 cells, 3 columns)", "4: 4|5|6")},
		{"too many cells", "a,b\n1,2,3,\n4,5\n", lines("2: 1|2 +3 + !ragged_row@-1(4 cells, 2 columns)", "3: 4|5")},
		{"blank rows", "a,b\n\n1,2\n,\n\"\",\"\"\n\r\n3,4\n\n", lines("line 2: blank_row", "line 4: blank_row", "line 5: blank_row", "line 6: blank_row", "line 8: blank_row", "3: 1|2", "7: 3|4")},
		{"a row that only starts blank", "a,b,c\n,,x\n\"\",,\"y\"\n", lines("2: ||x", "3: ||y")},
		{"NUL", "a,b\n1,x\x00y\n2,3\n\x00,4,5\x00\n", lines("2: 1|x\x00y !nul_byte@1(a NUL byte)", "3: 2|3", "4: \x00|4 +5\x00 !nul_byte@-1(a NUL byte) !nul_byte@0(a NUL byte) !ragged_row@-1(3 cells, 2 columns)")},
		{"Ctrl-Z at the end", "a,b\n1,2\n\x1a", lines("2: 1|2")},
		{"Ctrl-Z at the end of the last line", "a,b\r\n1,2\x1a", lines("2: 1|2")},
		{"Ctrl-Z elsewhere is data", "a,b\n1,\x1a\n2,3\n", lines("2: 1|\x1a", "3: 2|3")},
		{"U+FEFF within a cell", "a,b\n1,x\ufeffy\n", lines("2: 1|x\ufeffy")},
		{"only a header", "a,b\n", nil},
		{"only a header without an end", "a,b", nil},
		{"one column", "a\n1\n2\n", lines("2: 1", "3: 2")},
		{"one column with commas", "Namn\nEk, Anna\nBerg, Erik\nLind, Åsa\n", lines("2: Ek, Anna", "3: Berg, Erik", "4: Lind, Åsa")},
		{"one column in quotes", "Namn\r\n\"Ek\r\nAnna\"\r\n\"Berg\"\r\n", lines("2: Ek\r\nAnna", "4: Berg")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := rowsOf(t, tt.content, Options{})
			if diff := cmp.Diff(tt.want, want); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			for size := 1; size < 40; size++ {
				if diff := cmp.Diff(sorted(want), sorted(rowsOf(t, tt.content, Options{BlockSize: size}))); diff != "" {
					t.Fatalf("blocks of %d (-256 KiB +got):\n%s", size, diff)
				}
			}
		})
	}
}

// sorted orders rows as one batch and several list them: a batch has its blank
// rows first.
func sorted(rows []string) []string {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return rows
}

func TestNamelessColumnsAtTheEnd(t *testing.T) {
	t.Run("empty all over", func(t *testing.T) {
		s, info := open(t, "a;b;;\n1;2;;\n3;4\n5;6;\n;;;\n", Options{})
		rows, err := dumpRows(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines("line 5: blank_row", "2: 1|2", "3: 3|4", "4: 5|6"), rows); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"a", "b"}, s.Columns()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"2 columns at the end without a name or a value left out"}, info.Warnings); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a value below is named", func(t *testing.T) {
		e := openFault(t, "a;b;\n1;2;\n5;6;x\n", Options{})
		if want := "standard input line 1: column 3 has no name"; e.Error() != want {
			t.Errorf("%q, want %q", e, want)
		}
	})
	t.Run("a value far below rejects its row", func(t *testing.T) {
		rows := rowsOf(t, "a;b;\n"+strings.Repeat("1;2;\n", 500)+"5;6;x\n7;8;;\n", Options{})
		want := lines("502: 5|6 +x !ragged_row@-1(3 cells, 2 columns)", "503: 7|8 + + !ragged_row@-1(4 cells, 2 columns)")
		if diff := cmp.Diff(want, rows[500:]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestHeaderFaults(t *testing.T) {
	long := strings.Repeat("x", 100)
	tests := []struct{ name, content, want string }{
		{"duplicates", "Namn,Ort,Namn\n1,2,3\n", `standard input line 1: columns 1 and 3 are all called "Namn"`},
		{"duplicates after trimming", "Namn, Namn ,b\n1,2,3\n", `standard input line 1: columns 1 and 2 are all called "Namn"`},
		{"two kinds", "Namn,,b,Namn,,b\n1,2,3,4,5,6\n", `standard input line 1: columns 2 and 5 have no name; columns 1 and 4 are all called "Namn"; columns 3 and 6 are all called "b"`},
		{"an empty one", "a;;c\n1;2;3\n", "standard input line 1: column 2 has no name"},
		{"nothing", "", "standard input: empty file"},
		{"blank lines", "\n\r\n\n", "standard input: empty file: nothing but blank lines"},
		{"blank cells", ";;;\n;;;\n", "standard input: empty file: nothing but blank lines"},
		{"byte order mark alone", "\xEF\xBB\xBF", "standard input: empty file: nothing but a byte order mark"},
		{"Ctrl-Z alone", "\x1a", "standard input: empty file: nothing but blank lines"},
		{"unclosed quote", "\"a,b\n1,2\n", "standard input line 1: quote opened here is not closed before the end of the file"},
		{"unclosed quote and many lines", "\"a;b;c\n" + strings.Repeat("1;2;3\n", 2000), "standard input line 1: quote opened here is not closed within 1,000 lines"},
		{"unclosed quote after blank lines", "\n\n\"a;b;c\n" + strings.Repeat("1;2;3\n", 2000), "standard input line 3: quote opened here is not closed within 1,000 lines"},
		{"no end in sight", "\n" + strings.Repeat("a;b;", 1<<18) + "\n1\n", "standard input line 2: header does not end in the first megabyte"},
		{"bare quote", "a,b\"c\n1,2\n", "standard input line 1: header has a quote in a cell without quotes"},
		{"NUL", "a,b\x00\n1,2\n", "standard input line 1: header has a NUL byte"},
		{"data in place of names", "K1,anna@example.se,Ek\nK2,bo@example.se,Ek\n", "standard input line 1: the first row does not name the columns: column 2 holds a value"},
		{"title of one cell and nothing that shows where the header is", "Kunder\nAnna;Ek;VD\nBo;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\nEva;Ek;VD\n",
			"standard input line 1: the first row does not name the columns: it has 1 cell, most have 3"},
		{"long record", strings.Repeat(long, 11000) + "\n", "standard input line 1: record is longer than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if e := openFault(t, tt.content, Options{}); e.Error() != tt.want || e.Usage {
				t.Errorf("%q, usage %v\nwant %q", e, e.Usage, tt.want)
			}
		})
	}
}

func TestNamesWithLongLists(t *testing.T) {
	e := openFault(t, "a"+strings.Repeat(",", 30)+"b\n", Options{})
	if want := "standard input line 1: columns 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 19 more have no name"; e.Error() != want {
		t.Errorf("%q, want %q", e, want)
	}
}

func TestRejectsFileIsReadInItsOwnDialect(t *testing.T) {
	content := "\xEF\xBB\xBFid;Namn;_row;_errors\r\n1;Åsa;7;\"email: bad; \"\"x\"\"\"\r\n2;\xFF;8;x\r\n3;Bo;9;x;4\r\n"
	s, info := open(t, content, Options{Encoding: "windows-1252", Delimiter: ",", HeaderRow: 2})
	if !info.IsRejectsFile || info.Encoding != utf8Enc || info.Delimiter != ";" || info.HeaderRow != 1 {
		t.Errorf("%+v", *info)
	}
	if diff := cmp.Diff([]string{"id", "Namn"}, s.Columns()); diff != "" {
		t.Error(diff)
	}
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	want := lines("2: 1|Åsa", "3: 2|\xFF !invalid_encoding@1(bytes that are not UTF-8)", "4: 3|Bo +4 !ragged_row@-1(5 cells, 4 columns)")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestRejectsFileThatASpreadsheetSaved(t *testing.T) {
	text := "\uFEFFid;Namn;_row;_errors;\r\n'0012;'=Bo;2;id: no uuid [uuid];\r\n3;Bo;4;5 cells, 4 columns [ragged_row];x\r\n"
	s, info := open(t, text, Options{})
	if !info.IsRejectsFile || len(s.Columns()) != 2 {
		t.Fatalf("rejects %v, columns %v", info.IsRejectsFile, s.Columns())
	}
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	want := lines("2: 0012|=Bo", "3: 3|Bo +x !ragged_row@-1(5 cells, 4 columns)")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestRejectsFileHasBytesThatWereNoText(t *testing.T) {
	s, _ := open(t, "\uFEFFid;Namn;_row;_errors\n1;Bj\u0081rn;2;[invalid_encoding]\n2;Bj\uFFFDrn;3;[invalid_encoding]\n3;Björn Â;4;\n", Options{})
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	want := lines("2: 1|Bj\u0081rn !invalid_encoding@1(as it was rejected before)",
		"3: 2|Bj\uFFFDrn !invalid_encoding@1(as it was rejected before)", "4: 3|Björn Â")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestOneOfTheTwoNamesIsAnOrdinaryColumn(t *testing.T) {
	s, info := open(t, "id,_row\n1,2\n", Options{})
	if info.IsRejectsFile || len(s.Columns()) != 2 {
		t.Errorf("rejects %v, columns %v", info.IsRejectsFile, s.Columns())
	}
}

func TestManyColumns(t *testing.T) {
	const n = 100_000
	header := strings.Builder{}
	for i := range n {
		header.WriteString("c")
		header.WriteString(strings.Repeat("x", i%3))
		for v := i; v > 0; v /= 26 {
			header.WriteByte(byte('a' + v%26))
		}
		header.WriteByte("0,"[min(1, n-1-i)])
	}
	row := strings.TrimSuffix(strings.Repeat("1,", n), ",")
	bare := strings.TrimSuffix(strings.Repeat("1,", n-1), ",") + ",x\"y"
	s, _ := open(t, header.String()+"\n"+row+"\n"+bare+"\n"+row+",2\n", Options{})
	if len(s.Columns()) != n {
		t.Fatalf("%d columns, want %d", len(s.Columns()), n)
	}
	rows, err := dumpRows(t, s)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, error %v", len(rows), err)
	}
	for i, want := range []string{"", "!bare_quote@-1(a quote in a cell without quotes)", "!ragged_row@-1(100001 cells, 100000 columns)"} {
		if !strings.HasSuffix(rows[i], want) {
			t.Errorf("row %d does not end with %q", i, want)
		}
	}
}

func TestEveryCodeNotedIsListed(t *testing.T) {
	listed := map[pipeline.Code]bool{}
	for _, c := range Codes {
		if listed[c.Code] {
			t.Errorf("%s: listed twice", c.Code)
		}
		listed[c.Code] = true
	}
	rows := rowsOf(t, "a,b\nx\"y,\"z\"z\n\n1\n\x00,\xFF\n", Options{Encoding: "utf-8"})
	rows = append(rows, decodeList(t, `{"nickname":1}`, contactColumns(), ListOptions{}))
	rows = append(rows, rowsOf(t, faultyJSONL, Options{})...)
	rows = append(rows, rowsOf(t, faultyParquet(t), Options{})...)
	rows = append(rows, rowsOf(t, string(faultyWorkbook.Zip()), Options{})...)
	all := strings.Join(rows, "\n")
	for code := range listed {
		if !strings.Contains(all, string(code)) {
			t.Errorf("%s is listed but was not noted", code)
		}
	}
	for _, code := range []pipeline.Code{raggedRow, bareQuote, textAfterQuote, textscan.NULByte, textscan.InvalidEncoding, textscan.BlankRow, unknownField} {
		if !listed[code] {
			t.Errorf("%s is noted but not listed", code)
		}
	}
}
