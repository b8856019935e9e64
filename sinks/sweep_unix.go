//go:build unix

package sinks

import (
	"os"
	"syscall"
)

// lock marks f as being written to, until it is closed. Where the file system
// has no locks, f is not marked, and never swept either.
func lock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// removeUnlocked removes the file at path if nobody holds its lock.
func removeUnlocked(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.Remove(path)
	}
}
