// Package report writes what people and programs read about a run: its
// directory, the summary as JSON, and the short account on the terminal.
package report

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"flytt/internal/journal"
	"flytt/internal/osfile"
)

// Dir is a run directory. It and its files belong to their owner alone,
// because they hold personal data.
type Dir struct {
	ID   string // of the run
	Path string // absolute
	log  *os.File

	made, madeParent bool // the directory, and the one that it is in, were not there before
}

// DirError is a run directory that cannot be what is asked of it.
type DirError struct {
	Path   string
	Cause  string
	Advice string
	Err    error
}

// Error returns the path and what is wrong with it.
func (e *DirError) Error() string { return "run directory " + e.Path + ": " + e.Cause }

// Hint says what to do about it.
func (e *DirError) Hint() string { return e.Advice }

// Unwrap returns what the system said.
func (e *DirError) Unwrap() error { return e.Err }

// NamedPaths returns the path that the message names.
func (e *DirError) NamedPaths() []string { return []string{e.Path} }

// NewDir makes the run directory path, which must be new or empty. Its last element is
// the id of the run.
func NewDir(path string) (*Dir, error) {
	d, err := dirAt(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Dir(d.Path)); errors.Is(err, fs.ErrNotExist) {
		d.madeParent = true
	}
	if d.made, err = makePrivate(d.Path); err != nil {
		return nil, err
	}
	return d.opened(path, os.O_EXCL)
}

// OpenDir opens the directory of a run that is resumed.
func OpenDir(path string) (*Dir, error) {
	d, err := dirAt(path)
	if err != nil {
		return nil, err
	}
	return d.opened(path, os.O_APPEND)
}

func dirAt(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &DirError{Path: path, Cause: err.Error(), Err: err}
	}
	return &Dir{ID: filepath.Base(abs), Path: abs}, nil
}

// opened opens the log of d, which was given as path. IsRunning reports true while it
// is open.
func (d *Dir) opened(path string, how int) (*Dir, error) {
	var err error
	if d.log, err = os.OpenFile(d.File(logFile), os.O_CREATE|os.O_WRONLY|how, 0o600); err != nil {
		return nil, &DirError{Path: path, Cause: "cannot write into it", Err: err}
	}
	_ = journal.LockShared(d.log) // where the file system has no locks it cannot be told
	return d, nil
}

// NewID returns an id for a run that starts now. Ids sort by time:
// 20261124-021500-3fa9c1.
func NewID(now time.Time) string {
	var b [3]byte
	rand.Read(b[:]) // never fails
	return now.Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// makePrivate makes the directory path, or takes an empty one.
func makePrivate(path string) (made bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(path, 0o700); err != nil {
			return false, &DirError{Path: path, Cause: "cannot be made", Advice: "choose another with --run-dir", Err: err}
		}
		return true, nil
	case err != nil:
		return false, &DirError{Path: path, Cause: "cannot be read", Err: err}
	case !info.IsDir():
		return false, &DirError{Path: path, Cause: "is not a directory", Advice: "choose a new or empty directory with --run-dir"}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return false, &DirError{Path: path, Cause: "cannot be read", Err: err}
	}
	if len(entries) > 0 {
		return false, &DirError{Path: path, Cause: "is not empty", Advice: "choose a new or empty directory with --run-dir"}
	}
	return false, os.Chmod(path, 0o700)
}

// File returns the path of the file called name in the directory.
func (d *Dir) File(name string) string { return filepath.Join(d.Path, name) }

// Write writes data as the file called name.
func (d *Dir) Write(name string, data []byte) error {
	return osfile.WriteNew(d.File(name), data)
}

// Replace writes data as the file called name, completely or not at all, in place of an
// existing one.
func (d *Dir) Replace(name string, data []byte) error {
	next := d.File("." + name + ".new")
	if err := osfile.Discard(next); err != nil {
		return err
	}
	return osfile.Replace(d.File(name), next, data)
}

// LogHandler returns a handler that writes to the run's log.jsonl.
func (d *Dir) LogHandler() slog.Handler {
	return slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// initialFiles are the files that a run directory may hold before the run starts.
var initialFiles = []string{"log.jsonl", "mapping.yaml", "input", "journal.db", "journal.db-wal", "journal.db-shm", "journal.lock", "retry.json"}

// Discard closes the directory of a run that could not start, and removes what was
// created.
func (d *Dir) Discard() error {
	err := d.log.Close()
	for _, name := range initialFiles {
		err = errors.Join(err, osfile.Discard(d.File(name)))
	}
	if d.made {
		err = errors.Join(err, os.Remove(d.Path))
	}
	if d.madeParent {
		_ = os.Remove(filepath.Dir(d.Path)) // if it is empty
	}
	return err
}

// Close makes the log durable.
func (d *Dir) Close() error {
	if err := errors.Join(d.log.Sync(), d.log.Close()); err != nil {
		return fmt.Errorf("log of the run: %w", err)
	}
	return nil
}
