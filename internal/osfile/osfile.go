// Package osfile has what files need beyond package os.
package osfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Cause takes from err the names that the system call was given: messages name
// the target, not the temporary file.
func Cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// SyncDirectory makes the names in dir durable, where the file system can.
func SyncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return Cause(err)
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
