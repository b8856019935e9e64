package journal

import (
	"errors"
	"io/fs"
	"strconv"
	"syscall"

	"flytt/internal/osfile"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What a journal is refused for, or fails by. An Error wraps one of them, or what
// the system said.
var (
	ErrNotJournal = errors.New("it is not a journal of flytt")
	ErrVersion    = errors.New("its format is of another version")
	ErrOtherKey   = errors.New("it was made with another key")
	ErrDamaged    = errors.New("it is damaged")
	ErrNetwork    = errors.New("it would lie on a network file system")
	ErrDisk       = errors.New("the disk is full or failed")
	ErrClosed     = errors.New("it is closed")
)

// Error is a problem with a journal or its key.
type Error struct {
	Place  string // journal PATH
	Act    string // what was being done; empty: opening it
	Err    error
	Advice string // what to do about it, if that is known
}

// Error returns the place, the act and the cause.
func (e *Error) Error() string {
	if e.Act == "" {
		return e.Place + ": " + e.Err.Error()
	}
	return e.Place + ": " + e.Act + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *Error) Hint() string { return e.Advice }

// LockedError says that another process has the journal open.
type LockedError struct {
	Path string // of the journal
	PID  int    // 0: it only reads it, or has not said yet who it is
}

// Error names the journal and the process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return "journal " + e.Path + ": another process has it open"
	}
	return "journal " + e.Path + ": process " + strconv.Itoa(e.PID) + " is working on this run"
}

// Hint says what to do about it.
func (e *LockedError) Hint() string {
	return "one process works on a run at a time: wait for it to end, or interrupt it"
}

// cause gives an error a better text, without a path.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// damaged returns an ErrDamaged that says what is damaged.
func damaged(what string) error {
	return &cause{ErrDamaged.Error() + ": " + what, ErrDamaged}
}

// wrapError returns err as an *Error with its place, act and advice; nil if err is nil.
func wrapError(path, act string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Place: "journal " + path, Act: act, Err: classify(err), Advice: advice(err)}
}

// classify turns SQLite's errors about a broken file into ErrDamaged and those about
// the disk into ErrDisk.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return osfile.Cause(err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &cause{ErrDamaged.Error() + ": " + e.Error(), errors.Join(ErrDamaged, err)}
	case sqlite3.SQLITE_IOERR: // of which it does not say that there is no room for its index
		return &cause{ErrDisk.Error() + ": " + e.Error(), errors.Join(ErrDisk, err)}
	case sqlite3.SQLITE_FULL:
		return &cause{e.Error(), errors.Join(ErrDisk, err)}
	}
	return err
}

// advice returns what to do about err; empty if that is not known.
func advice(err error) string {
	switch err = classify(err); {
	case errors.Is(err, ErrDisk), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "nothing is sent that is not in the journal: fix the disk, then use flytt resume"
	case errors.Is(err, ErrOtherKey):
		return "FLYTT_KEY_DIR names the directory of the key that it was made with"
	case errors.Is(err, fs.ErrExist):
		return "flytt resume continues its run"
	case errors.Is(err, ErrDamaged):
		return "it does not show what was sent: fix the disk, restore the run directory from a backup, or compare with the API before sending anything again"
	}
	return ""
}

// DiskFailed reports whether err says that a disk is full, or broken.
func DiskFailed(err error) bool {
	return errors.Is(err, ErrDisk) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}
