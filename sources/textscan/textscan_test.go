package textscan

import (
	"strings"
	"testing"
)

// TestInvalidUTF8IsFoundWhereverItStands moves a bad byte past the eight bytes that
// are looked at together.
func TestInvalidUTF8IsFoundWhereverItStands(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 40), strings.Repeat("å", 20), strings.Repeat("abcdefgå", 5)} {
		if at := InvalidUTF8([]byte(text)); at != -1 {
			t.Errorf("%q: %d is said to be invalid", text, at)
		}
		for i := range text { // the places where a character starts
			for _, bad := range []string{"\xff", "\xc3", "\xed\xa0\x80"} {
				if at := InvalidUTF8([]byte(text[:i] + bad + "a")); at != i {
					t.Errorf("%q: invalid at %d, want %d", text[:i]+bad, at, i)
				}
			}
		}
	}
}

func TestASCIILen(t *testing.T) {
	for n := range 40 {
		text := []byte(strings.Repeat("a", n))
		if got := ASCIILen(text); got != n {
			t.Errorf("%d of %d", got, n)
		}
		if got := ASCIILen(append(text, "å1234567"...)); got != n {
			t.Errorf("%d, want %d", got, n)
		}
	}
}

func TestLineEndsAndNULs(t *testing.T) {
	if n := LineEnds([]byte("a\r\nb\n\n"), '\n'); n != 3 {
		t.Errorf("%d line ends, want 3", n)
	}
	if HasNUL([]byte("a0")) || !HasNUL([]byte("a\x00")) {
		t.Error("HasNUL is wrong")
	}
}
