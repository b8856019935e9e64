package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flytt/internal/report"
)

// mendable are the files of a run that a person may mend where they lie, and that
// whoever goes on with the run writes anew, by what the summary calls them.
var mendable = []string{"rejects", "in_doubt"}

// keptSuffix stands behind the name of one that was put aside.
const keptSuffix = "_kept"

// keptFile is what was found in the place of a file that the run writes anew.
type keptFile struct {
	name, path string
	changed    bool // it is not what the run wrote; or else nobody can tell, for the run was killed
}

// sumsOf returns the sums of the files that a person may mend, as the run left them.
func sumsOf(files map[string]string) (map[string]string, error) {
	sums := map[string]string{}
	for _, name := range mendable {
		if path := files[name]; path != "" {
			is, err := describeFile(name, path)
			if err != nil {
				return nil, err
			}
			sums[name] = is.SHA256
		}
	}
	return sums, nil
}

// keepMended puts aside what a person may have mended of a run that is gone on with,
// before it is written anew.
func (j *job) keepMended() error {
	if j.pass > 1 || j.recorded == nil {
		return nil
	}
	was := map[string]string(nil) // nobody knows
	if s, err := report.ReadSummary(j.dir.Path); err == nil && s != nil && j.writing.journal.Outcome() != "" {
		was = s.Sums
	}
	for _, name := range mendable {
		if err := j.keepFile(name, was); err != nil {
			return fmt.Errorf("%s of the run: %w", name+".csv", pathCause(err))
		}
	}
	return nil
}

// keepFile puts one of them aside, unless it is as was has it.
func (j *job) keepFile(name string, was map[string]string) error {
	path := j.dir.File(name + ".csv")
	if !report.IsFile(path) {
		return nil
	}
	is, err := describeFile(name, path)
	if err != nil || is.SHA256 == was[name] {
		return err
	}
	k := keptFile{name: name, changed: was[name] != ""}
	if k.path, err = moveAside(path, j.dir.File(name+keptSuffix)); err != nil {
		return err
	}
	j.aside = append(j.aside, k)
	if k.changed {
		j.summary.Notes = append(j.summary.Notes, k.note())
	}
	return nil
}

// mendRejects says what to do about the rows that the run rejected.
func (j *job) mendRejects() string {
	for i := range j.aside {
		if k := &j.aside[i]; k.name == "rejects" && k.changed {
			return "mend the rows in rejects.csv, where " + filepath.Base(k.path) + " has what was mended before"
		}
	}
	return "mend the rows in rejects.csv"
}

// note says what became of a file that a person changed.
func (k *keptFile) note() string {
	if k.changed {
		return k.name + ".csv is not what the run wrote, and is kept as " + shorten(k.path)
	}
	return k.name + ".csv may have been changed since the run was killed, and is kept as " + shorten(k.path)
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

// endKept removes what was put aside because nobody could tell whether it had been
// changed, where it shows that it had not: the file of the run, which got further,
// begins with it. The others are files of the run. It notes what the run leaves, for
// who goes on with it.
func (j *job) endKept() error {
	if j.writing == nil {
		return nil // nobody goes on with it
	}
	for i := range j.aside {
		k := &j.aside[i]
		if !k.changed {
			same, err := beginsWith(j.dir.File(k.name+".csv"), k.path)
			if err != nil {
				return err
			}
			if same {
				if err := os.Remove(k.path); err != nil {
					return err
				}
				continue
			}
			j.summary.Notes = append(j.summary.Notes, k.note())
			j.notice(k.note())
		}
		j.summary.Files[strings.TrimSuffix(filepath.Base(k.path), ".csv")] = k.path
	}
	var err error
	j.summary.Sums, err = sumsOf(j.summary.Files)
	return err
}

// beginsWith reports whether the file at path begins with all that is in the one at
// start. A file that is not there is empty.
func beginsWith(path, start string) (bool, error) {
	head, err := os.Open(start)
	if err != nil {
		return false, err
	}
	defer head.Close()
	whole, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	defer whole.Close()
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(head, a)
		if n == 0 {
			return errors.Is(err, io.EOF), noEnd(err)
		}
		m, err := io.ReadFull(whole, b[:n])
		if m < n || !bytes.Equal(a[:n], b[:n]) {
			return false, noEnd(err)
		}
	}
}

// noEnd returns err unless it says that a file ends.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// keptFiles returns the files that were put aside in the directory of a run, by what
// an account calls them.
func keptFiles(dir string) map[string]string {
	files := map[string]string{}
	entries, _ := os.ReadDir(dir) // without them there are none to show
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name(), ".csv")
		name, _, kept := strings.Cut(base, keptSuffix)
		if kept && base != e.Name() && slices.Contains(mendable, name) && e.Type().IsRegular() {
			files[base] = filepath.Join(dir, e.Name())
		}
	}
	return files
}
