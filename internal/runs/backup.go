package runs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flytt/internal/osfile"
	"flytt/internal/report"
)

// editable are the files of a run that a person may edit in place, and that are written
// again when the run is resumed, by their names in the summary.
var editable = []string{"rejects", "in_doubt"}

// backupSuffix is at the end of the name of a backup.
const backupSuffix = "_kept"

// Backups are the earlier versions, which a person may have edited, of files that a run
// writes again. The zero Backups has none.
type Backups struct {
	dir   *report.Dir
	Files []Backup
}

// Backup is one of them.
type Backup struct {
	Name   string // of the file, without .csv
	Path   string // where it is now
	Edited bool   // it is not what the run wrote; or else nobody knows, for the run was killed
}

// Sums returns the sums of those of files that a person may edit, as a run leaves them.
func Sums(files map[string]string) (map[string]string, error) {
	sums := map[string]string{}
	for _, name := range editable {
		if path := files[name]; path != "" {
			is, err := DescribeFile(name, path)
			if err != nil {
				return nil, err
			}
			sums[name] = is.SHA256
		}
	}
	return sums, nil
}

// MakeBackups renames the files in dir, the directory of a run that is resumed, that a
// person may have edited, before they are written again. Ended says whether the journal has
// how the run ended: then the summary has the sums of the files that it left.
func MakeBackups(dir *report.Dir, ended bool) (Backups, error) {
	was := map[string]string(nil) // nobody knows
	if s, err := report.ReadSummary(dir.Path); err == nil && s != nil && ended {
		was = s.Sums
	}
	b := Backups{dir: dir}
	for _, name := range editable {
		if err := b.add(name, was[name]); err != nil {
			return b, fmt.Errorf("%s of the run: %w", name+".csv", osfile.Cause(err))
		}
	}
	return b, nil
}

// add moves the file called name aside, unless its sum is was.
func (b *Backups) add(name, was string) error {
	path := b.dir.File(name + ".csv")
	if !report.IsFile(path) {
		return nil
	}
	is, err := DescribeFile(name, path)
	if err != nil || is.SHA256 == was {
		return err
	}
	file := Backup{Name: name, Edited: was != ""}
	if file.Path, err = moveAside(path, b.dir.File(name+backupSuffix)); err != nil {
		return err
	}
	b.Files = append(b.Files, file)
	return nil
}

// moveAside gives the file at path the name BASE.csv, or, if that is taken,
// BASE-2.csv and so on, and makes it its owner's alone.
func moveAside(path, base string) (string, error) {
	to := base + ".csv"
	for n := 2; ; n++ {
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // so that the name is nobody else's
		if err == nil {
			return to, errors.Join(f.Close(), os.Chmod(path, 0o600), os.Rename(path, to))
		}
		if !errors.Is(err, os.ErrExist) {
			return "", err
		}
		to = base + "-" + strconv.Itoa(n) + ".csv"
	}
}

// Finish removes the backups that nobody edited: the file that the run has written since
// begins with the same bytes. It adds the others to files, by their names in a summary, and
// returns them, because they may have been edited.
func (b *Backups) Finish(files map[string]string) (unknown []Backup, err error) {
	for _, file := range b.Files {
		if !file.Edited {
			same, err := beginsWith(b.dir.File(file.Name+".csv"), file.Path)
			if err == nil && same {
				err = os.Remove(file.Path)
			}
			if err != nil {
				return unknown, err
			}
			if same {
				continue
			}
			unknown = append(unknown, file)
		}
		files[strings.TrimSuffix(filepath.Base(file.Path), ".csv")] = file.Path
	}
	return unknown, nil
}

// beginsWith reports whether the file at path begins with all that is in the one at
// start. A file that is not there is empty.
func beginsWith(path, start string) (bool, error) {
	head, err := DescribeFile("backup", start)
	if err != nil {
		return false, err
	}
	whole, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer whole.Close()
	sum := sha256.New()
	if _, err := io.CopyN(sum, whole, head.Size); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return false, err
	}
	return hex.EncodeToString(sum.Sum(nil)) == head.SHA256, nil
}

// backupsIn returns the backups in the directory of a run, by what an account calls them.
func backupsIn(dir string) map[string]string {
	files := map[string]string{}
	entries, _ := os.ReadDir(dir) // without them there are none to show
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name(), ".csv")
		name, _, found := strings.Cut(base, backupSuffix)
		if found && base != e.Name() && slices.Contains(editable, name) && e.Type().IsRegular() {
			files[base] = filepath.Join(dir, e.Name())
		}
	}
	return files
}
