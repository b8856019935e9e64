package journal

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// networkKind says that the directory lies on the drive of another machine, "" if
// it does not.
func networkKind(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root, err := windows.UTF16PtrFromString(filepath.VolumeName(dir) + `\`)
	if err != nil {
		return "", err
	}
	if windows.GetDriveType(root) == windows.DRIVE_REMOTE {
		return "network drive", nil
	}
	return "", nil
}
