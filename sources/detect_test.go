package sources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// register is n rows of a contact register with the given delimiter.
func register(delimiter string, n int) string {
	var b strings.Builder
	row := func(cells ...string) { b.WriteString(strings.Join(cells, delimiter) + "\r\n") }
	row("Kundnr", "Namn", "Titel", "Telefon", "E-post", "Belopp")
	for i := range n {
		row(fmt.Sprintf("K%04d", i), "Åsa Öberg", "VD", "08-123 45 67", fmt.Sprintf("asa%d@example.se", i), "1 250")
	}
	return b.String()
}

func TestDelimiterAndHeader(t *testing.T) {
	people := "Anna Ek%s08-123 45 67%sVD\nBo Berg%s08-123 45 68%sKassör\n"
	with := func(d string) string { return fmt.Sprintf(people, d, d, d, d) }
	tests := []struct {
		name, content, delimiter string
		header                   int64
		columns                  string
	}{
		{"comma", register(",", 20), ",", 1, "Kundnr|Namn|Titel|Telefon|E-post|Belopp"},
		{"semicolon", register(";", 20), ";", 1, "Kundnr|Namn|Titel|Telefon|E-post|Belopp"},
		{"tab", register("\t", 20), "\t", 1, "Kundnr|Namn|Titel|Telefon|E-post|Belopp"},
		{"bar", register("|", 20), "|", 1, "Kundnr|Namn|Titel|Telefon|E-post|Belopp"},
		{"only a header", "a;b;c\n", ";", 1, "a|b|c"},
		{"only a header, without an end", "a,b,c", ",", 1, "a|b|c"},
		{"one column", "Namn\nAnna\nBo\n", "", 1, "Namn"},
		{"one column with commas in prose", "Namn\nEk, Anna\nBerg, Bo\n", "", 1, "Namn"},
		{"one column of addresses", "Adress\nStorgatan 1, 111 22 Stockholm, Sverige\nLillgatan 2, 222 33 Lund, Norge\n", "", 1, "Adress"},
		{"one column, a blank line after each", "Namn\n\nEk, Anna\n\nBerg, Bo\n", "", 1, "Namn"},
		{"one column with a comma in its name", "Namn, helt\nAnna\nBo\nEva\n", "", 1, "Namn, helt"},
		{"decimal commas", "Konto;Belopp;Saldo\n1;1,50;2,50\n2;3,25;4,75\n3;1,00;2,00\n", ";", 1, "Konto|Belopp|Saldo"},
		{"decimal commas in two columns", "Konto;Belopp\n1;1,50\n2;3,25\n3;1,00\n", ";", 1, "Konto|Belopp"},
		{"commas in prose", "Namn;Adress;Ort\nA;Gatan 1, 2 tr;X\nB;Gatan 2, 1 tr;Y\n", ";", 1, "Namn|Adress|Ort"},
		{"semicolons within quotes", "a,b\n\"x;y;z\",1\n\"x;y;z\",2\n", ",", 1, "a|b"},
		{"delimiters of another kind in many rows", "a;b;c\n1;2;3\n1,2,3\n4,5,6\n7;8;9\n", ";", 1, "a|b|c"},
		{"most rows ragged", "a;b;c\n1\n2\n3\n4;5\n", ";", 1, "a|b|c"},
		{"title", "Kundlista 2026\n" + "Namn;Telefon;Titel\n" + with(";"), ";", 2, "Namn|Telefon|Titel"},
		{"title with a comma", "Kunder, alla\nNamn;Telefon;Titel\n" + with(";"), ";", 2, "Namn|Telefon|Titel"},
		{"title and a blank line", "Kundlista\n\nNamn;Telefon;Titel\n" + with(";"), ";", 3, "Namn|Telefon|Titel"},
		{"title, date and blank lines", "\nKundlista\nUtskriven;2026-01-01\n\n\nNamn;Telefon;Titel;Ort\n1;08-1;2;3\n", ";", 6, "Namn|Telefon|Titel|Ort"},
		{"title padded by a spreadsheet", "Kundlista;;\n;;\nNamn;Telefon;Titel\n" + with(";"), ";", 3, "Namn|Telefon|Titel"},
		{"title in a comma file", "Kundlista\nNamn,Telefon,Titel\n" + with(","), ",", 2, "Namn|Telefon|Titel"},
		{"title, blank line, no rows", "Kundlista\n\nNamn;Telefon;Titel\n", ";", 3, "Namn|Telefon|Titel"},
		{"title with a quote in it", "Kunder på \"Storgatan\n\nNamn;Telefon;Titel\n" + with(";"), ";", 3, "Namn|Telefon|Titel"},
		{"blank lines", "\n\nNamn;Telefon;Titel\n" + with(";"), ";", 3, "Namn|Telefon|Titel"},
		{"header of several lines", "Namn;\"Telefon\n(mobil)\";Titel\n" + with(";"), ";", 1, "Namn|Telefon\n(mobil)|Titel"},
		{"header with few names in common with a title", "A;B\n1;2\n3;4\n", ";", 1, "A|B"},
		{"names are trimmed", " Namn ;\tTelefon;Titel\u00a0\n" + with(";"), ";", 1, "Namn|Telefon|Titel"},
		{"separator line of Excel", "sep=|\r\nNamn|Ort, land\r\nAnna|Lund, Sverige\r\n", "|", 2, "Namn|Ort, land"},
		{"separator line and nothing below", "sep=;\n", ";", 1, "sep="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, info := open(t, tt.content, Options{})
			if got := strings.Join(s.Columns(), "|"); got != tt.columns {
				t.Errorf("columns %q, want %q", got, tt.columns)
			}
			if info.Delimiter != tt.delimiter || info.HeaderRow != tt.header {
				t.Errorf("delimiter %q, header on line %d; want %q, %d", info.Delimiter, info.HeaderRow, tt.delimiter, tt.header)
			}
			if said := strings.Contains(strings.Join(info.Warnings, "\n"), "before the header"); said != (tt.header > 1) {
				t.Errorf("warnings %q", info.Warnings)
			}
		})
	}
}

func TestRowsBelowATitleHaveTheirPhysicalLines(t *testing.T) {
	want := lines("5: Anna|08-1|VD", "6: Bo|08-2|VD")
	got := rowsOf(t, "Kundlista\n\nNamn;\"Tele\nfon\";Titel\nAnna;08-1;VD\nBo;08-2;VD\n", Options{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOptionsOverrideDetection(t *testing.T) {
	content := "a,b;c\n1,2;3\n4,5;6\n"
	tests := []struct {
		o       Options
		columns string
		first   string
	}{
		{Options{Delimiter: ","}, "a|b;c", "2: 1|2;3"},
		{Options{Delimiter: ";"}, "a,b|c", "2: 1,2|3"},
		{Options{Delimiter: "none"}, "a,b;c", "2: 1,2;3"},
		{Options{Delimiter: "b"}, "a,|;c", "2: 1,2;3|∅ !ragged_row@-1(1 cell, 2 columns)"},
		{Options{HeaderRow: 2, Delimiter: ","}, "1|2;3", "3: 4|5;6"},
		{Options{HeaderRow: 1}, "a|b;c", "2: 1|2;3"},
	}
	for _, tt := range tests {
		s, info := open(t, content, tt.o)
		rows, err := dumpRows(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.Columns(), "|"); got != tt.columns || rows[0] != tt.first {
			t.Errorf("%+v: columns %q, first row %q; want %q, %q (%+v)", tt.o, got, rows[0], tt.columns, tt.first, info)
		}
	}
	s, _ := open(t, "Lista\na\tb\n1\t2\n", Options{Delimiter: "tab", HeaderRow: 2})
	if got := strings.Join(s.Columns(), "|"); got != "a|b" {
		t.Errorf("tab: columns %q", got)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	tests := []struct {
		o    Options
		want string
	}{
		{Options{Encoding: "klingon"}, `standard input: unknown encoding "klingon"`},
		{Options{Delimiter: ";;"}, `standard input: delimiter ";;" is not one ASCII character`},
		{Options{Delimiter: `"`}, `standard input: delimiter "\"" is not one ASCII character`},
		{Options{Delimiter: "§"}, `standard input: delimiter "§" is not one ASCII character`},
		{Options{HeaderRow: -1}, "standard input: header row -1 is less than 1"},
		{Options{HeaderRow: 4}, "standard input: has no line 4 in its first megabyte"},
	}
	for _, tt := range tests {
		if e := openFault(t, "a;b\n1;2\n3;4\n", tt.o); e.Error() != tt.want || !e.Usage {
			t.Errorf("%q, usage %v; want %q", e, e.Usage, tt.want)
		}
	}
}

// in returns s in another encoding.
func in(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEncodings(t *testing.T) {
	const plain = "Namn;Företag\nÅsa Öberg;Städ & Söner €\nBjörn;Ärtan\n"
	dos := strings.ReplaceAll(plain, " €", "")
	little := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	big := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	tests := []struct {
		name, content, asked, encoding, evidence, text string
	}{
		{"UTF-8", plain, "", "utf-8", "valid UTF-8", plain},
		{"UTF-8 with a mark", bomUTF8 + plain, "", "utf-8", "byte order mark", plain},
		{"UTF-8 with a mark, asked for", bomUTF8 + plain, "UTF8", "utf-8", "byte order mark", plain},
		{"UTF-16LE with a mark", in(t, little, plain), "", "utf-16le", "byte order mark", plain},
		{"UTF-16BE with a mark", in(t, big, plain), "", "utf-16be", "byte order mark", plain},
		{"UTF-16 asked for, big-endian", in(t, big, plain), "utf-16", "utf-16be", "byte order mark", plain},
		{"UTF-16LE asked for", in(t, little, plain)[2:], "utf-16le", "utf-16le", "as asked", plain},
		{"UTF-16BE asked for", in(t, big, plain)[2:], "utf-16be", "utf-16be", "as asked", plain},
		{"Windows-1252", in(t, charmap.Windows1252, plain), "", "windows-1252", "line 1 is not UTF-8", plain},
		{"Windows-1252 further down", in(t, charmap.Windows1252, "Namn;Bolag\na;b\nÅsa;b\n"), "", "windows-1252", "line 3 is not UTF-8", "Namn;Bolag\na;b\nÅsa;b\n"},
		{"ASCII", "Namn;Bolag\na;b\n", "", "ascii", "only ASCII so far", "Namn;Bolag\na;b\n"},
		{"ISO 8859-1", in(t, charmap.ISO8859_1, dos), "latin1", "iso-8859-1", "as asked", dos},
		{"cp850", in(t, charmap.CodePage850, dos), "cp850", "cp850", "as asked", dos},
		{"cp437", in(t, charmap.CodePage437, dos), "IBM437", "cp437", "as asked", dos},
		{"cp865", in(t, charmap.CodePage865, dos), "cp865", "cp865", "as asked", dos},
		{"macintosh", in(t, charmap.Macintosh, plain), "MacRoman", "macintosh", "as asked", plain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := rowsOf(t, tt.text, Options{})
			s, info := open(t, tt.content, Options{Encoding: tt.asked, BlockSize: 64})
			if info.Encoding != tt.encoding || info.Evidence != tt.evidence {
				t.Errorf("%s, %s; want %s, %s", info.Encoding, info.Evidence, tt.encoding, tt.evidence)
			}
			head := strings.Join(s.Columns(), ";")
			if first, _, _ := strings.Cut(tt.text, "\n"); head != first {
				t.Errorf("columns %q, want %q", head, first)
			}
			rows, err := dumpRows(t, s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodingFaults(t *testing.T) {
	const plain = "Namn;Företag\nÅsa Öberg;Städ\nBjörn;Ärtan\n"
	little := in(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), plain)
	tests := []struct {
		name, content, asked, want, hint string
	}{
		{"mixed", "Namn;Ort\nÅsa;Lund\nBj\xF6rn;x\n", "", "standard input line 3: not UTF-8, though other characters of the file are", "--encoding utf-8"},
		{"mixed the other way", "Namn;Ort\nBj\xF6rn;x\nÅsa;Lund\n", "", "standard input line 2: not UTF-8, though other characters of the file are", "--encoding windows-1252"},
		{"UTF-16LE without a mark", little, "", "standard input: looks like UTF-16 without a byte order mark", "--encoding utf-16le"},
		{"UTF-32", "\xFF\xFE\x00\x00N\x00\x00\x00", "", "standard input: it is text in UTF-32; this version reads " + names(), "CSV"},
		{"DOS", in(t, charmap.CodePage850, plain), "", "standard input line 1: looks like text in a DOS code page (å ä ö of cp850)", "--encoding cp850"},
		{"Macintosh", in(t, charmap.Macintosh, plain), "", "standard input line 1: looks like text of an old Macintosh (å ä ö of macintosh)", "--encoding macintosh"},
		{"header that is not UTF-8", "Namn;F\xF6retag\n1;2\n", "utf-8", "standard input line 1: header is not text in the encoding of the file", "--encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := openFault(t, tt.content, Options{Encoding: tt.asked})
			if e.Error() != tt.want || !strings.Contains(e.Hint, tt.hint) || e.Usage {
				t.Errorf("%q (hint %q), usage %v\nwant %q (hint with %q)", e, e.Hint, e.Usage, tt.want, tt.hint)
			}
		})
	}
	e := openFault(t, bomUTF8+plain, Options{Encoding: "windows-1252"})
	if want := "standard input: begins with the byte order mark of utf-8, but windows-1252 was asked for"; e.Error() != want || !e.Usage {
		t.Errorf("%q, usage %v; want %q", e, e.Usage, want)
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	tests := []struct {
		name, content, asked string
		want                 []string
	}{
		{"in UTF-8 as asked", "a;b\nÅsa;\xF6\nx;y\n", "utf-8", lines("2: Åsa|\xF6 !invalid_encoding@1(bytes that are not UTF-8)", "3: x|y")},
		{"in UTF-8 with a mark", bomUTF8 + "a;b\n\xC3;Åsa;\xE4\n", "", lines("2: \xC3|Åsa +\xE4 !invalid_encoding@-1(bytes that are not UTF-8) !invalid_encoding@0(bytes that are not UTF-8) !ragged_row@-1(3 cells, 2 columns)")},
		{"holes of Windows-1252", "a;b\n\xC5sa;\x81\nx;\xF6\n", "", lines("2: Åsa|\u0081 !invalid_encoding@1(a byte without a character in windows-1252)", "3: x|ö")},
		{"half a pair in UTF-16", in(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "a;b\n1;2\nå;😀\n") + "x\x00;\x00\x00\xD8\n\x00\x00\xDC;\x00y\x00", "", lines(
			"2: 1|2", "3: å|😀", "4: x|\xED\xA0\x80 !invalid_encoding@1(bytes that are not UTF-8)", "5: \xED\xB0\x80|y !invalid_encoding@0(bytes that are not UTF-8)")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 16, 0} {
				got := rowsOf(t, tt.content, Options{Encoding: tt.asked, BlockSize: size})
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("blocks of %d: rows (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

// filler is ASCII rows of n bytes, more than detection looks at.
func filler(n int) (text string, rows int) {
	const row = "1;some text that is plain\n"
	rows = n/len(row) + 1
	return strings.Repeat(row, rows), rows
}

func TestEncodingIsDecidedAtTheFirstByteThatIsNotASCII(t *testing.T) {
	fill, n := filler(sampleSize)
	tests := []struct{ name, tail, want, fault string }{
		{"UTF-8", "2;Åsa\n3;Örjan\n", "Åsa Örjan", ""},
		{"Windows-1252", "2;\xC5sa\n3;\xD6rjan\n", "Åsa Örjan", ""},
		{"UTF-8, later not", "2;Åsa\n" + fill + "3;\xD6rjan\n", "Åsa !invalid", ""},
		{"Windows-1252, later UTF-8", "2;\xC5sa\n" + fill + "3;Örjan\n", "Åsa !invalid", ""},
		{"mixed", "2;Åsa\n3;\xD6rjan\n", "", fmt.Sprintf("standard input line %d: not UTF-8, though other characters of the file are", n+3)},
		{"cut in the middle of a character", "2;Åsa" + strings.Repeat("å", decideSize/2) + "\n", "Åsaå", ""},
		{"no line end", "2;\xC5sa", "Åsa", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var first []string
			for _, size := range []int{1000, 0, 1 << 20} {
				s, info := open(t, "Id;Text\n"+fill+tt.tail, Options{BlockSize: size})
				if info.Encoding != ascii {
					t.Fatalf("encoding %s, want ascii", info.Encoding)
				}
				rows, err := dumpRows(t, s)
				if (err == nil) != (tt.fault == "") || err != nil && err.Error() != tt.fault {
					t.Fatalf("error %v, want %q", err, tt.fault)
				}
				if tt.fault != "" && len(rows) != n {
					t.Errorf("%d rows before the error, want %d", len(rows), n)
				}
				tail := strings.Join(rows[n:], "\n")
				for _, want := range strings.Fields(tt.want) {
					if !strings.Contains(tail, want) {
						t.Errorf("no %q in the last rows", want)
					}
				}
				if first == nil {
					first = rows
				} else if diff := cmp.Diff(first, rows); diff != "" {
					t.Errorf("blocks of %d differ from those of 1000:\n%s", size, diff)
				}
			}
		})
	}
}

func TestEncodingTablesLeaveASCIIAlone(t *testing.T) {
	for _, c := range charmaps {
		table := newTable(c.name, true)
		for i := range 0x80 {
			if got := string(table.append(nil, []byte{byte(i)})); got != string(rune(i)) || table.undefined[i] {
				t.Errorf("%s: byte %#x is %q", c.name, i, got)
			}
		}
	}
	for alias, name := range encodingAliases {
		if got, err := encodingName(alias); err != nil || got != name {
			t.Errorf("%s: %s, %v", alias, got, err)
		}
	}
}
