package dedup

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"flytt/internal/osfile"
)

// RemoveLeftovers removes the files that a process which was killed left in dir.
func RemoveLeftovers(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, ".sort-*"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// Spool keeps objects in a file that has no name. Append everything, Flush, then Read: Read
// may be called by several goroutines at once.
type Spool struct {
	file *os.File
	out  *bufio.Writer
	size int64
}

// NewSpool returns an empty spool with its file in dir.
func NewSpool(dir string) (*Spool, error) {
	f, err := temporary(dir)
	if err != nil {
		return nil, err
	}
	return &Spool{file: f, out: bufio.NewWriterSize(f, fileBuffer)}, nil
}

// Append adds object and returns where it is.
func (s *Spool) Append(object []byte) (at int64, err error) {
	at = s.size
	n, err := s.out.Write(object)
	s.size += int64(n)
	if err != nil {
		err = fmt.Errorf("copy of the records: %w", err)
	}
	return at, err
}

// Flush makes what was appended ready to be read.
func (s *Spool) Flush() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("copy of the records: %w", err)
	}
	return nil
}

// Read returns the object of size bytes that is at some place.
func (s *Spool) Read(at int64, size uint64) ([]byte, error) {
	object := make([]byte, size)
	if _, err := s.file.ReadAt(object, at); err != nil {
		return nil, fmt.Errorf("copy of the records: %w", err)
	}
	return object, nil
}

// Close removes the file.
func (s *Spool) Close() error { return osfile.CloseNameless(s.file) }
