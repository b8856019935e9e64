//go:build unix

package run

import (
	"io/fs"
)

// loose reports whether others than the owner can read the file.
func loose(info fs.FileInfo) bool { return info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 }
