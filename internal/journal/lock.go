package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockFile lies beside the journal. The process that works on the run holds a lock of
// the operating system on it, which ends with the process however it dies. The file
// holds the process id, for the message to other processes.
const lockFile = "journal.lock"

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked")

// lock takes the lock beside the journal at path, or returns a LockedError. Readers
// share it.
func lock(path string, shared bool) (*os.File, error) {
	name := filepath.Join(filepath.Dir(path), lockFile)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, wrapError(path, "opening "+lockFile, err)
	}
	switch err := tryLock(f, shared); {
	case errors.Is(err, errLocked):
		return nil, errors.Join(&LockedError{Path: path, PID: holder(f)}, f.Close())
	case err != nil:
		return nil, errors.Join(wrapError(path, "locking "+lockFile, err), f.Close())
	}
	// An id that is there now is of a process that has died.
	pid := ""
	if !shared {
		pid = strconv.Itoa(os.Getpid()) + "\n"
	}
	if err := writeText(f, pid); err != nil {
		return nil, errors.Join(wrapError(path, "writing "+lockFile, err), f.Close())
	}
	return f, nil
}

// unlock gives the lock up.
func unlock(f *os.File, shared bool) error {
	if shared {
		return f.Close()
	}
	return errors.Join(writeText(f, ""), f.Close())
}

// LockShared takes a lock of the operating system on f that others can share. It ends
// when f is closed, or with the process, however that dies.
func LockShared(f *os.File) error { return tryLock(f, true) }

// IsLocked reports whether a process has the file at path locked: see LockShared.
func IsLocked(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR|noFollow, 0)
	if err != nil {
		return false
	}
	err = tryLock(f, false)
	return errors.Is(errors.Join(err, f.Close()), errLocked)
}

// writeText replaces the content of f by text.
func writeText(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// holder returns the id of the process that holds the lock; 0 if it is not known.
func holder(f *os.File) int {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}
