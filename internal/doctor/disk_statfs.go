//go:build linux || darwin

package doctor

import "syscall"

// freeSpace returns how many bytes can be written in dir, and whether that is
// known.
func freeSpace(dir string) (bytes uint64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
