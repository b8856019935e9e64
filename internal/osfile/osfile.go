// Package osfile has what files need beyond package os.
package osfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"

	"flytt/internal/text"
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

// NotFoundHint returns the hint for path, which does not exist: the name of a file beside
// it that is like it, or otherwise if there is none.
func NotFoundHint(path, otherwise string) string {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil || name == "" {
		return otherwise
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if near := text.Suggest(name, names); near != "" {
		return "did you mean " + text.Printable(dir+near) + "?"
	}
	return otherwise
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

// Nameless makes a file in dir, the system's own for temporary files if that is empty, which is
// gone when it is closed with CloseNameless, or when its process ends, however that is: for what
// is known of many people. Only its owner can read it. Where an open file cannot be removed it
// has a name made from pattern as os.CreateTemp makes it.
func Nameless(dir, pattern string) (*os.File, error) {
	f, err := os.CreateTemp(dir, pattern) // 0600
	if err == nil {
		_ = os.Remove(f.Name())
	}
	return f, err
}

// CloseNameless closes f, which Nameless made, and removes it if it has a name.
func CloseNameless(f *os.File) error { return errors.Join(f.Close(), Discard(f.Name())) }

// OthersCanRead reports whether others than the owner of a file can read it, where its
// permissions say so.
func OthersCanRead(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
}

// Discard removes a file that may not be there.
func Discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// WriteNew writes data to a file that must not be there yet, durably, for its owner alone.
func WriteNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Replace writes data to the file at path by way of one at temp, in the same directory, which
// must not be there yet: whole or not at all, in place of an older one.
func Replace(path, temp string, data []byte) error {
	if err := WriteNew(temp, data); err != nil {
		return errors.Join(err, Discard(temp))
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, Discard(temp))
	}
	return nil
}

// ReadJSON reads the file at path, which is called name in errors. It returns nil if there is none.
// A file that is no JSON of T, or not valid, is an error that says it is not what.
func ReadJSON[T any](path, name, what string, valid func(*T) bool) (*T, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, Cause(err))
	}
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil || !valid(v) {
		return nil, fmt.Errorf("%s: not %s", name, what)
	}
	return v, nil
}

// Counter counts what is read from R. The count may be asked for by any goroutine.
type Counter struct {
	R io.Reader
	n atomic.Int64
}

// Read implements io.Reader.
func (c *Counter) Read(p []byte) (int, error) {
	n, err := c.R.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// N returns how many bytes have been read.
func (c *Counter) N() int64 { return c.n.Load() }
