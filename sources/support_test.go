package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flytt/pipeline"
)

// write puts content into a file called name and returns its path.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens content as if it came in on standard input.
func open(t testing.TB, content string, o Options) (pipeline.Source, *Info) {
	t.Helper()
	o.Stdin = strings.NewReader(content)
	s, info, err := Open("-", &o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s, info
}

// openFault returns the error of opening content.
func openFault(t testing.TB, content string, o Options) *Error {
	t.Helper()
	o.Stdin = strings.NewReader(content)
	s, _, err := Open("-", &o)
	if err == nil {
		s.Close()
		t.Fatal("Open: no error")
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("Open: %T, want *Error", err)
	}
	if e.Hint == "" {
		t.Errorf("%v: no hint", e)
	}
	return e
}

// dumpRows reads all of s and returns a line for each row and each problem:
//
//	4: a|b|∅ +surplus !code@column(shape)
//
// and the error that ended it, other than io.EOF.
func dumpRows(t testing.TB, s pipeline.Source) ([]string, error) {
	t.Helper()
	d := s.Decoder()
	var (
		block pipeline.Block
		batch pipeline.Batch
		out   []string
	)
	for {
		err := s.Next(context.Background(), &block)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if err := d.Decode(&block, &batch); err != nil {
			t.Fatalf("Decode: %v", err)
		}
		out = append(out, dumpBatch(&batch)...)
	}
}

func dumpBatch(b *pipeline.Batch) []string {
	var out []string
	for _, p := range b.Problems {
		if p.Row == pipeline.None {
			out = append(out, fmt.Sprintf("%s: %s", p.Shape, p.Code))
		}
	}
	for row, line := range b.Rows {
		var cells []string
		for i := range b.Input {
			if v := b.Input[i].Value(row); v == nil {
				cells = append(cells, "∅")
			} else {
				cells = append(cells, string(v))
			}
		}
		s := fmt.Sprintf("%d: %s", line, strings.Join(cells, "|"))
		for _, c := range b.Surplus {
			if int(c.Row) == row {
				s += " +" + c.Cell
			}
		}
		out = append(out, s+dumpProblems(b, row))
	}
	return out
}

func dumpProblems(b *pipeline.Batch, row int) string {
	var notes []string
	for _, p := range b.Problems {
		if int(p.Row) == row {
			notes = append(notes, fmt.Sprintf(" !%s@%d(%s)", p.Code, p.Column, p.Shape))
		}
	}
	slices.Sort(notes)
	if (b.Fates[row] == pipeline.Broken) != (len(notes) > 0) {
		notes = append(notes, fmt.Sprintf(" fate %v", b.Fates[row]))
	}
	return strings.Join(notes, "")
}

// rowsOf returns the rows of content, which must be readable to its end.
func rowsOf(t testing.TB, content string, o Options) []string {
	t.Helper()
	s, _ := open(t, content, o)
	rows, err := dumpRows(t, s)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return rows
}

func lines(s ...string) []string { return s }

// sample is a register of n rows as the benchmarks of the project have it.
func sampleCSV(n int) []byte {
	var b bytes.Buffer
	b.WriteString("Kundnr,Namn,Förnamn,Efternamn,Titel,Personnr,Orgnr,E-post,Telefon,Företag,KundUUID\n")
	companies := []string{"Bygg AB", "Fastigheter AB", "Måleri HB", "Konsult AB", "Städ & Service AB", `"""Hem, och Bygg"" AB"`}
	for i := range n {
		fmt.Fprintf(&b, "K%07d,Åsa Lindström,Åsa,Lindström,Fastighetsskötare,19850102-2399,556016-0680,user%d@example.se,+46701234567,%s,%08x-0000-4000-8000-%012x\n",
			i, i, companies[i%len(companies)], i*2654435761, i)
	}
	return b.Bytes()
}
