package sources

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"flytt/pipeline"
)

// nasty are cells that a spreadsheet would take for something else, cells that
// have apostrophes of their own, and plain ones.
var nasty = []string{
	"'apos", "''x", "'=1", "''=1", "=1", "=cmd|' /C calc'!A0", "+46701740605", "0701740605", "198501022399", "2011-09-24", "'2011-09-24",
	"'0701740605", "-1", "@x", " lead", "trail ", "SANT", "1-2", "12,5", "Åsa; \"Kulan\"\nEk", "'", "''", "\u00a0=1", "1E5", "plain",
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

func TestExcelExportLosesItsGuards(t *testing.T) {
	s, info := open(t, excelText("id;name"), Options{})
	if got := secondCells(t, s); !slices.Equal(got, nasty) {
		t.Errorf("got  %q\nwant %q", got, nasty)
	}
	if len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0], "apostrophes") || info.Rejects {
		t.Errorf("%+v", info)
	}
}

func TestOtherTextKeepsItsApostrophes(t *testing.T) {
	for name, content := range map[string]string{
		"no column id":       bomUTF8 + "nr;name\r\n1;'=1\r\n",
		"no byte order mark": "id;name\r\n1;'=1\r\n",
		"commas":             bomUTF8 + "id,name\r\n1,'=1\r\n",
		"a plain export":     "id,name\n1,'=1\n",
	} {
		s, info := open(t, content, Options{})
		if got := secondCells(t, s); !slices.Equal(got, []string{"'=1"}) || len(info.Warnings) > 0 {
			t.Errorf("%s: %q, %q", name, got, info.Warnings)
		}
	}
}
