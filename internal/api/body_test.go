package api

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestByteOrderMarkIsSkippedOnceAndAtTheStart(t *testing.T) {
	for body, want := range map[string]string{
		"": "", "x": "x", "\xEF": "\xEF", "\xEF\xBB": "\xEF\xBB", "\xEF\xBBx": "\xEF\xBBx", "ab": "ab",
		byteOrderMark: "", byteOrderMark + "{}": "{}", byteOrderMark + byteOrderMark: byteOrderMark, "[]" + byteOrderMark: "[]" + byteOrderMark,
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"at once":             func(r io.Reader) io.Reader { return r },
			"byte by byte":        iotest.OneByteReader,
			"with its end":        iotest.DataErrReader,
			"byte, with its end ": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
		} {
			if got, err := io.ReadAll(&markSkipper{body: wrap(strings.NewReader(body))}); err != nil || string(got) != want {
				t.Errorf("%q, %s: %q, %v", body, name, got, err)
			}
		}
	}
	broken := errors.New("broken")
	r := &markSkipper{body: io.MultiReader(strings.NewReader("\xEF\xBB"), iotest.ErrReader(broken))}
	if got, err := io.ReadAll(r); string(got) != "\xEF\xBB" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
}
