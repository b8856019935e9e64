package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"flytt/internal/report"
)

// damagedRun is a directory that was a run's and cannot be told of.
type damagedRun struct {
	path string
	err  error
}

// family is a run and all that belong to it, as they began; the run first.
type family []*pastRun

// readFamily reads the run at path and those that belong to it.
func readFamily(path string) (family, error) {
	first, err := readFirst(path)
	if err != nil {
		return nil, err
	}
	return familyOf(first)
}

// readFirst reads the run at path, which has to be readable.
func readFirst(path string) (*pastRun, error) {
	r, err := readRun(path)
	if err != nil {
		return nil, unreadableRun(path, err)
	}
	return r, nil
}

// unreadableRun says that err keeps the run at path from being told of.
func unreadableRun(path string, err error) error {
	named := fmt.Errorf("%s: %w", shorten(path), err)
	if diskFailed(err) {
		return named
	}
	return usage(named, cmp.Or(hintOf(err), runsHint))
}

// familyOf reads the runs that belong to first: those that lie beside it, in
// runsDir, or where it says.
func familyOf(first *pastRun) (family, error) {
	path := first.path
	others, damaged, err := readRuns(filepath.Dir(path), runsDir)
	if err != nil {
		return nil, err
	}
	for _, d := range damaged {
		if r, err := readRetry(d.path); err != nil || r != nil && filepath.Base(r.Run) == first.id {
			return nil, usage(fmt.Errorf("%s, which may belong to %s: %w", shorten(d.path), first.id, d.err), "without it the account of the run is not whole")
		}
	}
	f, err := gatherFar(first, others, (*pastRun).belongsTo)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(f[1:], func(a, b *pastRun) int { return cmp.Or(a.began.Compare(b.began), cmp.Compare(a.id, b.id)) })
	return f, nil
}

// gather returns first and all of runs that are bound to it, or to one that is.
func gather(first *pastRun, runs []*pastRun, bound func(r, to *pastRun) bool) family {
	f := family{first}
	for i := 0; i < len(f); i++ {
		for _, r := range runs {
			if bound(r, f[i]) && !f.has(r.path) {
				f = append(f, r)
			}
		}
	}
	return f
}

// gatherFar is gather, with those that lie where one of them says.
func gatherFar(first *pastRun, runs []*pastRun, bound func(r, to *pastRun) bool) (family, error) {
	asked := map[string]bool{}
	for {
		f, more := gather(first, runs, bound), []*pastRun(nil)
		for _, r := range f {
			if asked[r.path] {
				continue
			}
			asked[r.path] = true
			far, err := readFar(r.path)
			if err != nil {
				return nil, err
			}
			more = append(more, far...)
		}
		if len(more) == 0 {
			return f, nil
		}
		runs = slices.Concat(runs, more)
	}
}

func (f family) has(path string) bool {
	return slices.ContainsFunc(f, func(r *pastRun) bool { return r.path == path })
}

// retries returns the retries among f.
func (f family) retries() []*pastRun {
	var out []*pastRun
	for _, r := range f[1:] {
		if r.retry != nil {
			out = append(out, r)
		}
	}
	return out
}

// account adds up what became of the rows.
func (f family) account() (*report.Account, error) {
	again, err := f.undoneAgain()
	if err != nil {
		return nil, err
	}
	parts := make([]report.Part, len(f))
	for i, r := range f {
		parts[i] = r.part()
		parts[i].UndoneBefore = again[r.path]
	}
	return report.NewAccount(parts), nil
}

// readRuns reads the runs in dirs, the newest first, and finds out which are
// damaged.
func readRuns(dirs ...string) (runs []*pastRun, damaged []damagedRun, err error) {
	seen := map[string]bool{}
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, nil, usage(err, runsHint)
		}
		if seen[abs] {
			continue
		}
		seen[abs] = true
		ids, err := runIDs(abs)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			path := filepath.Join(abs, id)
			if !report.IsRun(path) {
				continue
			}
			if r, err := readRun(path); err != nil {
				damaged = append(damaged, damagedRun{path, err})
			} else {
				runs = append(runs, r)
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b *pastRun) int { return cmp.Or(b.began.Compare(a.began), cmp.Compare(b.id, a.id)) })
	return runs, damaged, nil
}

// farFile is the file of a run directory that says where runs lie that belong to
// it, and do not lie beside it: one JSON text to a line.
const farFile = "children.jsonl"

// readFar reads the runs that belong to the one at path and lie elsewhere. What is
// not there any more is none.
func readFar(path string) ([]*pastRun, error) {
	data, err := os.ReadFile(filepath.Join(path, farFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	var runs []*pastRun
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var child string
		if json.Unmarshal(line, &child) != nil || !report.IsRun(child) {
			continue
		}
		r, err := readRun(child)
		if err != nil {
			return nil, usage(fmt.Errorf("%s, which belongs to %s: %w", child, path, err), "without it the account of the run is not whole")
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// noteBegun notes in the run at path that j, which begins, belongs to it.
func (j *job) noteBegun(path string) error {
	if j.pass > 1 || j.recorded != nil {
		return nil
	}
	return noteFar(path, j.dir.Path)
}

// noteFar notes in the run at path that the one at child belongs to it, unless it
// is found beside it.
func noteFar(path, child string) error {
	if filepath.Dir(path) == filepath.Dir(child) {
		return nil
	}
	line, err := json.Marshal(child)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(path, farFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%s of the run: %w", farFile, pathCause(err))
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
