package sinks

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"testing"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// commitTo writes b through a sink with options o and returns what came out.
func commitTo(t testing.TB, schema *pipeline.Schema, o FileOptions, b *pipeline.Batch) string {
	t.Helper()
	var out bytes.Buffer
	o.Stdout = &out
	s, err := Create("-", schema, &o)
	must(t, err)
	c := &pipeline.Chunk{Batch: *b}
	must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
	must(t, s.Write(context.Background(), c))
	must(t, s.Commit(context.Background()))
	return out.String()
}

func TestCSVTellsNullFromEmpty(t *testing.T) {
	got := commitTo(t, pipelinetest.Schema("a", "b", "c"), FileOptions{Format: "csv"}, pipelinetest.Batch([]string{pipelinetest.Null, "", "x"}, []string{pipelinetest.Null, pipelinetest.Null, pipelinetest.Null}))
	if want := "a,b,c\n,\"\",x\n,,\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCSVOfOneColumnHasNoEmptyLines(t *testing.T) {
	got := commitTo(t, pipelinetest.Schema("a"), FileOptions{Format: "csv"}, pipelinetest.Batch([]string{pipelinetest.Null}, []string{"x"}))
	if want := "a\n\"\"\nx\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCSVQuotesOnlyWhatNeedsIt(t *testing.T) {
	got := commitTo(t, pipelinetest.Schema("plain", "with,comma"), FileOptions{Format: "csv"},
		pipelinetest.Batch([]string{" x;\t'y' ", "a,b"}, []string{"\"", "a\rb"}, []string{"a\nb", "=1"}))
	if want := "plain,\"with,comma\"\n x;\t'y' ,\"a,b\"\n\"\"\"\",\"a\rb\"\n\"a\nb\",=1\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestExcelKeepsTextAsText(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "text"}, {Name: "date", Type: pipeline.Date}, {Name: "integer", Type: pipeline.Integer},
		{Name: "number", Type: pipeline.Number}, {Name: "boolean", Type: pipeline.Boolean},
	}}
	got := commitTo(t, schema, FileOptions{Format: "csv", Excel: true}, pipelinetest.Batch(
		[]string{"Anna; Åsa", "2024-01-02", "-12", "-1.5", "true"},
		[]string{"198501022399", "1/2/2024", "123456789012", "1e5", "sant"},
		[]string{"+46701234567", "=1", "=1", "=1", "=1"},
		[]string{"=cmd|' /C calc'!A0", pipelinetest.Null, "0", "0.25", "false"},
		[]string{"", "-2024", "007", "1.", "1-2"},
	))
	want := "\uFEFFtext;date;integer;number;boolean\r\n" +
		"\"Anna; Åsa\";2024-01-02;-12;-1,5;true\r\n" +
		"'198501022399;'1/2/2024;'123456789012;'1e5;'sant\r\n" +
		"'+46701234567;'=1;'=1;'=1;'=1\r\n" +
		"'=cmd|' /C calc'!A0;;0;0,25;false\r\n" +
		"\"\";'-2024;'007;'1.;'1-2\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestExcelWarnsOfACellThatASpreadsheetWouldCut(t *testing.T) {
	for _, excel := range []bool{false, true} {
		b := pipelinetest.Batch([]string{strings.Repeat("å", guardedcsv.MaxCell)}, []string{strings.Repeat("å", guardedcsv.MaxCell+1)})
		var out pipeline.Encoded
		e := &csvEncoder{schema: pipelinetest.Schema("a"), dialect: guardedcsv.New(';', "\r\n"), excel: excel}
		must(t, e.Encode(b, &out))
		if !excel && len(b.Problems) != 0 {
			t.Errorf("plain CSV warns: %+v", b.Problems)
		}
		if excel && (len(b.Problems) != 1 || b.Problems[0].Row != 1 || b.Problems[0].Code != guardedcsv.CodeLongCell || b.Problems[0].Shape != "32768 characters") {
			t.Errorf("problems %+v", b.Problems)
		}
		if b.Fates[1] != pipeline.Pending || (excel && len(out.Item(1)) != 2*(guardedcsv.MaxCell+1)+2) {
			t.Errorf("the cell was cut, or the row turned away: %v", b.Fates[1])
		}
	}
}

func FuzzCSVIsWhatEncodingCSVReads(f *testing.F) {
	f.Add("", "x", false)
	f.Add("a,\"b\"\r\nc", "=1;", true)
	f.Fuzz(func(t *testing.T, a, b string, excel bool) {
		out := commitTo(t, pipelinetest.Schema("a", "b"), FileOptions{Format: "csv", Excel: excel}, pipelinetest.Batch([]string{a, b}))
		comma := ','
		if excel {
			comma, out = ';', out[len(guardedcsv.ByteOrderMark):]
		}
		rows := readCSV(t, out, comma)
		for i, want := range []string{a, b} {
			got := []byte(rows[1][i])
			if excel {
				got = pipeline.UnguardCell(got)
			}
			if string(got) != linesAsCSVReadsThem(want) {
				t.Fatalf("%q came back as %q", want, got)
			}
		}
	})
}

func readCSV(t testing.TB, text string, comma rune) [][]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader([]byte(text)))
	r.Comma, r.FieldsPerRecord = comma, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return rows
}

// linesAsCSVReadsThem is what encoding/csv makes of s: it takes CRLF for LF.
func linesAsCSVReadsThem(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
