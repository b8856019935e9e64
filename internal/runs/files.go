package runs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"flytt/internal/journal"
	"flytt/internal/osfile"
)

// DescribeFile reads the file at path to its end, and describes it under name.
func DescribeFile(name, path string) (journal.File, error) {
	d := journal.File{Name: name, Path: path}
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	sum := sha256.New()
	if d.Size, err = io.Copy(sum, f); err != nil {
		return d, fmt.Errorf("%s %s: %w", name, path, osfile.Cause(err))
	}
	d.SHA256, d.ModTime = hex.EncodeToString(sum.Sum(nil)), info.ModTime()
	return d, nil
}
