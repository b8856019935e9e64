package sinks

import (
	"io/fs"
	"testing"
)

func TestCauseLeavesOtherErrorsAlone(t *testing.T) {
	if err := cause(fs.ErrInvalid); err != fs.ErrInvalid {
		t.Error(err)
	}
}
