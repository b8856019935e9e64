package main

import (
	"bytes"
	"io"
	"testing"
)

// TestLinesTakeThePlaceOfTheBar holds what a terminal shows: no line of the log
// begins behind the bar.
func TestLinesTakeThePlaceOfTheBar(t *testing.T) {
	var out bytes.Buffer
	s := screen{w: &out}
	bar := barWriter{&s}
	for _, step := range []struct {
		write string
		bar   bool
	}{{"first\n", false}, {"half", true}, {"one\n", false}, {"two\n", false}, {"more", true}} {
		w := io.Writer(&s)
		if step.bar {
			w = bar
		}
		if n, err := w.Write([]byte(step.write)); n != len(step.write) || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	s.leave()
	if _, err := s.Write([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	const want = "first\nhalf" + eraseLine + "one\ntwo\nmore\n\nend\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
