package sources

import (
	"errors"
	"fmt"
	"io"
	"os"

	"flytt/internal/osfile"
)

// randomAccess returns the whole content of in, decompressed, for reading at any
// position, and its size. A file is read directly; a pipe, standard input and
// compressed data are first copied to a temporary file, which is removed when in is
// closed. Nothing else reads from in afterwards.
func (in *input) randomAccess() (io.ReaderAt, int64, error) {
	if f, ok := in.raw.R.(*os.File); ok && in.size >= 0 && in.compression == "" && in.path != "-" {
		in.inPlace = true
		return f, in.size, nil
	}
	f, err := osfile.Nameless("", "flytt-*")
	if err != nil {
		return nil, 0, in.spoolError(err)
	}
	inner := in.closer
	in.closer = closers{nameless{f}, inner}
	n, err := io.Copy(f, spooled{in})
	var failed readFailure
	switch {
	case errors.As(err, &failed):
		return nil, 0, in.readError(failed.error)
	case err != nil:
		return nil, 0, in.spoolError(err)
	}
	if in.size < 0 {
		in.size = in.End()
	}
	return f, n, nil
}

func (in *input) spoolError(err error) error {
	return in.contentError(0, fmt.Errorf("copying to a temporary file: %w", osfile.Cause(err)),
		"make room in "+os.TempDir()+", or name a file in place of a pipe")
}

// readFailure marks an error of reading, as opposed to writing.
type readFailure struct{ error }

// spooled reads in and marks its errors.
type spooled struct{ in *input }

// Read implements io.Reader.
func (r spooled) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && err != io.EOF {
		err = readFailure{err}
	}
	return n, err
}

// nameless closes a file that osfile.Nameless made.
type nameless struct{ file *os.File }

// Close implements io.Closer.
func (n nameless) Close() error { return osfile.CloseNameless(n.file) }

// closers closes each that is not nil.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, each := range c {
		if each != nil {
			errs = append(errs, each.Close())
		}
	}
	return errors.Join(errs...)
}
