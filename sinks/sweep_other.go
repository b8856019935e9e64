//go:build !unix

package sinks

import "os"

// lock does nothing: a file that is open cannot be removed here.
func lock(*os.File) {}

// removeUnlocked removes the file at path, which fails if it is open.
func removeUnlocked(path string) { _ = os.Remove(path) }
