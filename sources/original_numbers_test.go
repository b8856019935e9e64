package sources

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/sources/xlsx/xlsxtest"
)

func TestRejectsFileNumbersRowsByTheirOrigin(t *testing.T) {
	text := "\uFEFFid;_row;Namn;_errors\r\n1;4711;'=Bo;x\r\n2;17;Åsa;y\r\n3;;Bo;\r\n4;x;Bo;\r\n5;-2;Bo;\r\n6;3;Bo;z;surplus\r\n"
	s, info := open(t, text, Options{OriginalNumbers: true, Delimiter: ",", HeaderRow: 3})
	if diff := cmp.Diff([]string{"id", "Namn"}, s.Columns()); diff != "" || !info.IsRejectsFile {
		t.Fatalf("rejects %v, columns %s", info.IsRejectsFile, diff)
	}
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	want := lines("4711: 1|=Bo", "17: 2|Åsa", "0: 3|Bo", "0: 4|Bo", "0: 5|Bo", "3: 6|Bo +surplus !ragged_row@-1(5 cells, 4 columns)")
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestOriginIsOfRejectsFilesAlone(t *testing.T) {
	want := lines("2: 1|7")
	if diff := cmp.Diff(want, rowsOf(t, "id,_row\n1,7\n", Options{OriginalNumbers: true})); diff != "" {
		t.Error(diff)
	}
}

func TestWorkbookNumbersRowsByTheirOrigin(t *testing.T) {
	rows := textRow(1, "_row", "Namn", "_errors", "Kod") + textRow(2, "17", "Anna", "x", "&apos;0123") + textRow(3, "", "Bo")
	s, _ := openBook(t, xlsxtest.One(rows), Options{OriginalNumbers: true})
	got, err := dumpRows(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Namn", "Kod"}, s.Columns()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(lines("17: Anna|0123", "0: Bo|∅"), got); diff != "" {
		t.Error(diff)
	}
}
