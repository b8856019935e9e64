package sources

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// randomAccess returns the whole content of in, decompressed, to be read at any
// place, and its size. A file is read where it lies; a pipe, standard input and
// compressed data are first copied to a temporary file, which goes when in is
// closed. Nothing else reads from in afterwards.
func (in *input) randomAccess() (io.ReaderAt, int64, error) {
	if f, ok := in.raw.r.(*os.File); ok && in.size >= 0 && in.compression == "" && in.path != "-" {
		in.inPlace = true
		return f, in.size, nil
	}
	s, err := newSpool()
	if err != nil {
		return nil, 0, in.spoolError(err)
	}
	inner := in.closer
	in.closer = closers{s, inner}
	n, err := io.Copy(s.file, spooled{in})
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
	return s.file, n, nil
}

func (in *input) spoolError(err error) error {
	return in.contentError(0, fmt.Errorf("copying to a temporary file: %w", cause(err)),
		"make room in "+os.TempDir()+", or name a file in place of a pipe")
}

// readFailure tells what failed to be read from what failed to be written.
type readFailure struct{ error }

// spooled is in with its errors marked as such.
type spooled struct{ in *input }

// Read implements io.Reader.
func (r spooled) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && err != io.EOF {
		err = readFailure{err}
	}
	return n, err
}

// spool is a temporary file that nobody else can read. It loses its name at
// once where the system allows, otherwise when it is closed.
type spool struct {
	file  *os.File
	named bool
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "flytt-*") // 0600
	if err != nil {
		return nil, err
	}
	return &spool{file: f, named: os.Remove(f.Name()) != nil}, nil
}

// Close implements io.Closer.
func (s *spool) Close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

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
