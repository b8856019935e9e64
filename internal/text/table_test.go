package text_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/text"
)

func TestTableFitsTheTerminal(t *testing.T) {
	table := &text.Table{
		Columns: []text.TableColumn{{Head: "#", Right: true}, {Head: "column", Shrink: true}, {Head: "field", Shrink: true}},
		Rows:    [][]string{{"1", "Förnamn", "-"}, {"10", "Fo\u0308rnamn", "first_name 0.90"}, {"11", "山田山田山田", "x"}, {"12", "Personnummer och annat", "x"}},
	}
	if took := table.LayOut(40); took > 40 {
		t.Errorf("it takes %d columns, want 40 at most", took)
	}
	var lines []string
	for _, row := range append([][]string{table.Heads()}, table.Rows...) {
		line := table.Line(row)
		if n := text.Width(line); n > 40 {
			t.Errorf("%q is %d wide", line, n)
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	want := []string{
		"   #  column             field",
		"   1  Förnamn            -",
		"  10  Fo\u0308rnamn            first_name 0.90",
		"  11  山田山田山田       x",
		"  12  Personnummer och…  x",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		in   string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"åäö", 2, "å…"}, {"山田x", 4, "山…"}, {"e\u0301fgh", 3, "e\u0301f…"}} {
		if got := text.Cut(test.in, test.most); got != test.want {
			t.Errorf("Cut(%q, %d) is %q, want %q", test.in, test.most, got, test.want)
		}
	}
}

func TestLineShowsNoControlCharacter(t *testing.T) {
	for in, want := range map[string]string{"a\nb\tc": "a␊b␉c", "\x1b[31m": "␛[31m", "ok\x7f\u0085": "ok␡?", "\u202eabc": "?abc", "Åsa": "Åsa"} {
		if got := text.Line(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
