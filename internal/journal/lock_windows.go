package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow is nothing here: links take a privilege to make.
const noFollow = 0

// tryLock takes the lock on f without waiting. It ends when f is closed. A lock
// keeps others from reading what it lies on: it lies far behind the end.
func tryLock(f *os.File, shared bool) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// syncDir does nothing: directories cannot be synced here, names are logged.
func syncDir(string) error { return nil }
