// Package report is what a run leaves behind for people and programs: its
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
)

// Dir is a run directory. It and its files belong to their owner alone,
// because they hold personal data.
type Dir struct {
	ID   string // of the run
	Path string // absolute
	log  *os.File
	made bool // it was not there before
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

// NewDir makes a run directory: path itself, which must be new or empty, or,
// if path is empty, flytt-runs/<id> in the working directory. Now is when the
// run started.
func NewDir(path string, now time.Time) (*Dir, error) {
	id, err := newID(now)
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = filepath.Join("flytt-runs", id)
	} else {
		id = filepath.Base(filepath.Clean(path))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &DirError{Path: path, Cause: err.Error(), Err: err}
	}
	made, err := makePrivate(abs)
	if err != nil {
		return nil, err
	}
	d := &Dir{ID: id, Path: abs, made: made}
	return d.opened(path, os.O_EXCL)
}

// OpenDir opens the directory of a run to go on with it.
func OpenDir(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &DirError{Path: path, Cause: err.Error(), Err: err}
	}
	d := &Dir{ID: filepath.Base(abs), Path: abs}
	return d.opened(path, os.O_APPEND)
}

// opened returns d, which was asked for as path, with its log open. As long as it
// is, IsRunning tells.
func (d *Dir) opened(path string, how int) (*Dir, error) {
	var err error
	if d.log, err = os.OpenFile(d.File(logFile), os.O_CREATE|os.O_WRONLY|how, 0o600); err != nil {
		return nil, &DirError{Path: path, Cause: "cannot write into it", Err: err}
	}
	_ = journal.LockShared(d.log) // where the file system has no locks it cannot be told
	return d, nil
}

// newID returns a name for a run that sorts by time: 20261124-021500-3fa9c1.
func newID(now time.Time) (string, error) {
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return now.Format("20060102-150405-") + hex.EncodeToString(b[:]), nil
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
		return false, &DirError{Path: path, Cause: "cannot be looked at", Err: err}
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
	return writeNew(d.File(name), data)
}

// Replace writes data as the file called name, whole or not at all, in place of
// the one there is.
func (d *Dir) Replace(name string, data []byte) error {
	next := d.File("." + name + ".new")
	if err := discard(next); err != nil {
		return err
	}
	if err := writeNew(next, data); err != nil {
		return errors.Join(err, discard(next))
	}
	return os.Rename(next, d.File(name))
}

// LogHandler returns a handler that writes to the run's log.jsonl.
func (d *Dir) LogHandler() slog.Handler {
	return slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// initialFiles are the files that a run directory may hold before the run starts.
var initialFiles = []string{"log.jsonl", "mapping.yaml", "input", "journal.db", "journal.db-wal", "journal.db-shm", "journal.lock", "retry.json"}

// Discard closes the directory of a run that could not begin and removes what
// was made of it.
func (d *Dir) Discard() error {
	err := d.log.Close()
	for _, name := range initialFiles {
		err = errors.Join(err, discard(d.File(name)))
	}
	if d.made {
		err = errors.Join(err, os.Remove(d.Path))
		_ = os.Remove(filepath.Dir(d.Path)) // flytt-runs, if it is empty
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
