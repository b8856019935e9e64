package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flytt/internal/report"
)

// runsHint says where the names of runs are found.
const runsHint = "flytt runs list shows the runs in " + runsDir

// findRun returns the absolute path of the directory of a run: one in runsDir by
// its id, or by the beginning of one that no other has, or any by its path. If arg
// is empty it is the newest in runsDir that can be gone on with.
func (a *app) findRun(arg string) (path string, err error) {
	if arg == "" {
		return newestRun("that can be gone on with", unfinished)
	}
	for _, path := range []string{filepath.Join(runsDir, arg), arg} {
		if info, err := os.Stat(path); err == nil && info.IsDir() && !dotted(arg, path) {
			return runAt(path)
		}
	}
	return runByPrefix(arg)
}

// dotted reports whether path leads out of runsDir, or to all of it, because arg is
// a path and no id.
func dotted(arg, path string) bool {
	return path != arg && filepath.Base(path) != arg
}

// runAt returns the absolute path of the run in the directory path.
func runAt(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", usage(err, runsHint)
	}
	if !report.IsRun(abs) {
		return "", usagef(runsHint, "%s is not the directory of a run", path)
	}
	return abs, nil
}

// runByPrefix returns the path of the one run in runsDir whose id begins with
// prefix.
func runByPrefix(prefix string) (string, error) {
	ids, err := runIDs(runsDir)
	if err != nil {
		return "", err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) })
	switch len(ids) {
	case 0:
		return "", usagef(runsHint, "there is no run %s", prefix)
	case 1:
		return runAt(filepath.Join(runsDir, ids[0]))
	}
	return "", usagef("say more of the id: "+ids[0]+" is the newest of them", "%d runs begin with %s", len(ids), prefix)
}

// newestRun returns the path of the newest run in runsDir that is fit.
func newestRun(what string, fit func(path string) bool) (string, error) {
	ids, err := runIDs(runsDir)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		return beganAt(filepath.Join(runsDir, b), b).Compare(beganAt(filepath.Join(runsDir, a), a))
	})
	for _, id := range ids {
		if path, err := runAt(filepath.Join(runsDir, id)); err == nil && fit(path) {
			return path, nil
		}
	}
	return "", usagef("name it by its id or its directory; "+runsHint, "there is no run in %s %s", runsDir, what)
}

// runIDs returns the names of the directories in dir, the newest run first. There
// are none if dir is not there.
func runIDs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, usage(fmt.Errorf("%s: %w", dir, pathCause(err)), "name the run by its directory")
	}
	var ids []string
	for _, e := range slices.Backward(entries) {
		if e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// unfinished reports whether the run at path wrote to the API, did not get
// through, nobody works on it, and nobody took it back.
func unfinished(path string) bool {
	if !report.HasJournal(path) {
		return false
	}
	r, err := readRun(path)
	if err != nil || r.running || r.verb() == "plan" {
		return false
	}
	s := r.summary
	if s != nil && s.Error == nil && s.Rows.InDoubt == 0 && s.Rows.NotSent == 0 {
		return false
	}
	f := kin(path)
	return len(f) > 0 && (f.undoOf(f[0]) == nil || r.state == report.StateDone)
}
