package osfile

import (
	"io/fs"
	"testing"
)

func TestCauseLeavesOtherErrorsAlone(t *testing.T) {
	if err := Cause(fs.ErrInvalid); err != fs.ErrInvalid {
		t.Error(err)
	}
}
