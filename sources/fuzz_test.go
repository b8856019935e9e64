package sources

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flytt/internal/osfile"
	"flytt/pipeline"
	"flytt/sources/textscan"
)

// cutAndDecode runs cutter and decoder, without detection, over content and
// returns the rows and the error that ended them.
func cutAndDecode(t *testing.T, content []byte, g grammar, size, columns int) ([]string, error) {
	in := &input{name: "fuzz", raw: &osfile.Counter{R: bytes.NewReader(content)}}
	in.r = in.raw
	names := make([]int32, columns)
	for i := range names {
		names[i] = int32(i)
	}
	s := &csvSource{
		in: in, cut: cutter{in: in, grammar: g, size: size, line: 1, undecided: true}, names: make([]string, columns),
		layout: layout{grammar: g, inputs: names, width: columns, columns: columns, table: newTable(windows, false)},
	}
	return dumpRows(t, s)
}

// FuzzBlockSize holds that where blocks end changes nothing, and that every
// line of the input is accounted for.
func FuzzBlockSize(f *testing.F) {
	f.Add([]byte("a,b\n\"x\ny\",2\nbare\"quote,\"text\"after\n\n,\n"), uint8(0), uint8(7))
	f.Add([]byte("a;b\r\n\"x\"\"y\";2\r\n\"open"), uint8(1), uint8(1))
	f.Add([]byte("\xC3\xA5;\xE5\n\x00\n\x1a"), uint8(1), uint8(3))
	f.Add([]byte("a\rb\r\"c\rd\""), uint8(5), uint8(2))
	f.Add([]byte("x\n\"y\"\n"), uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, content []byte, kind, size uint8) {
		if len(content) > 4096 {
			return
		}
		g := fuzzGrammar(kind)
		columns := 1 + int(kind)%3
		want, wantErr := cutAndDecode(t, content, g, textscan.MaxRecordBytes, columns)
		for _, size := range []int{1, int(size) + 1, 64} {
			got, err := cutAndDecode(t, content, g, size, columns)
			if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
				t.Fatalf("blocks of %d (-1 MiB +got):\n%s", size, diff)
			}
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("blocks of %d: error %v, want %v", size, err, wantErr)
			}
		}
	})
}

func fuzzGrammar(kind uint8) grammar {
	g := grammar{delimiter: ",;"[kind&1], eol: '\n'}
	if kind&2 != 0 {
		g.delimiter = '\n'
	}
	if kind&4 != 0 {
		g.eol = '\r'
		if kind&2 != 0 {
			g.delimiter = '\r'
		}
	}
	return g
}

// FuzzAgainstEncodingCSV holds that, where encoding/csv and this package both
// accept an input, they read the same cells. encoding/csv drops empty lines and
// turns CR LF within quotes into LF.
func FuzzAgainstEncodingCSV(f *testing.F) {
	f.Add("a,b\n1,2\n\"x\"\"y\",\"z\nw\"\n")
	f.Add("a,b\r\n\"x\r\ny\",2\r\n\r\n3,4")
	f.Add("\"\",\n,\"\"\n\"\n\"\n")
	f.Add("a,\xC3\xA5\n\"\r\n\r\",b\r")
	f.Fuzz(func(t *testing.T, content string) {
		if len(content) > 4096 || strings.ContainsAny(content, "\x00\x1a") || textscan.InvalidUTF8([]byte(content)) >= 0 {
			return
		}
		r := csv.NewReader(strings.NewReader(content))
		r.FieldsPerRecord = -1
		theirs, err := r.ReadAll()
		if err != nil {
			return
		}
		ours, ok := readWhole(t, content)
		if !ok {
			return
		}
		theirs = slices.DeleteFunc(theirs, func(r []string) bool { return strings.Join(r, "") == "" })
		if diff := cmp.Diff(theirs, ours, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("rows (-encoding/csv +ours):\n%s", diff)
		}
	})
}

// readWhole reads content as records of any width, and reports false if it has
// a fault.
func readWhole(t *testing.T, content string) ([][]string, bool) {
	g := grammar{',', '\n'}
	in := &input{name: "fuzz", raw: &osfile.Counter{R: strings.NewReader(content)}}
	in.r = in.raw
	c := cutter{in: in, grammar: g, size: 64, line: 1}
	d := newDecoder(&layout{grammar: g})
	var rows [][]string
	for {
		var block pipeline.Block
		var b pipeline.Batch
		if err := c.next(context.Background(), &block); err == io.EOF {
			return rows, true
		} else if err != nil {
			return nil, false
		}
		if err := d.Decode(&block, &b); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Problems {
			if p.Code != raggedRow && p.Code != textscan.BlankRow {
				return nil, false
			}
		}
		first := len(rows)
		rows = append(rows, make([][]string, b.Len())...)
		for _, s := range b.Surplus {
			row := &rows[first+int(s.Row)]
			*row = append(*row, strings.ReplaceAll(s.Cell, "\r\n", "\n"))
		}
	}
}

// FuzzOpen holds that nothing panics, that reading ends, and that the numbers
// of rows rise, whatever is opened.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("Kundlista\n\nNamn;Telefon;Titel\nAnna;08-1;VD\n"))
	f.Add([]byte("\xFF\xFEa\x00\n\x001\x00"))
	f.Add(gzipped(f, []byte("a,b\n1,2\n")))
	f.Add([]byte("\xEF\xBB\xBFa;_row;_errors\r\n1;2;x\r\n"))
	f.Add([]byte("a;b;\r1;2;\r"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		s, info, err := Open("-", &Options{Stdin: bytes.NewReader(content), BlockSize: 64})
		if err != nil {
			return
		}
		defer s.Close()
		var block pipeline.Block
		var batch pipeline.Batch
		last := info.HeaderRow
		for s.Next(context.Background(), &block) == nil {
			if err := s.Decoder().Decode(&block, &batch); err != nil {
				t.Fatal(err)
			}
			for _, n := range batch.Rows {
				if n <= last {
					t.Fatalf("row %d after %d", n, last)
				}
				last = n
			}
			if len(batch.Input) != len(s.Columns()) {
				t.Fatalf("%d columns, want %d", len(batch.Input), len(s.Columns()))
			}
			for i := range batch.Input {
				if batch.Input[i].Len() != batch.Len() {
					t.Fatalf("column %d has %d values in %d rows", i, batch.Input[i].Len(), batch.Len())
				}
			}
		}
	})
}
