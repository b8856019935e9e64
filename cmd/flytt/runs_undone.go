package main

import (
	"path/filepath"
	"slices"

	"flytt/internal/report"
)

// undoOf returns the undo among f that took back what r wrote, or was about to: one
// that is not through, if there is one. It is nil if there is none.
func (f family) undoOf(r *pastRun) *pastRun {
	var found *pastRun
	for _, u := range f {
		switch {
		case u.verb() != "undo" || !u.belongsTo(r):
		case u.state != report.StateDone:
			return u
		case u.rows.Written > 0:
			found = u
		}
	}
	return found
}

// goesOn reports whether r, one of f, is to be gone on with: not once an undo was
// begun, unless it got through and r has rows in doubt yet, and no others.
func (f family) goesOn(r *pastRun) bool {
	return r.resumable() && (f.undoOf(r) == nil || r.state == report.StateDone)
}

// undone returns the undo after which there is nothing about r, one of f, that could
// be gone on with; nil: there is something. What r left in doubt is settled by going
// on with it, and by nothing else.
func (f family) undone(r *pastRun) *pastRun {
	u := f.undoOf(r)
	if u == nil || r.rows.InDoubt > 0 || u.rows.Written+u.rows.InDoubt == 0 {
		return nil
	}
	return u
}

// refuseUndone refuses to go on with r, one of f, once it was taken back: what was
// is on record as written, and would not be sent again.
func (f family) refuseUndone(r *pastRun) error {
	u := f.undone(r)
	if u == nil {
		return nil
	}
	hint, next := "import the file anew, as a run of its own", join([]string{"flytt", "runs", "show", r.name()})
	if o := r.order(); o != nil && r.verb() == "import" {
		next = o.command("import")
	}
	if u.state != report.StateDone {
		next = join([]string{"flytt", "resume", u.name()})
		hint = next + " takes back the rest; then import the file anew"
	}
	err := usagef(hint, "%s was taken back by %s: it is not gone on with", r.name(), u.name())
	return &nextError{err, step{command: next}}
}

// kin returns the run at path and those that belong to it, as far as they can be
// read; none if that one cannot.
func kin(path string) family {
	r, err := readRun(path)
	if err != nil {
		return nil
	}
	others, _, err := readRuns(filepath.Dir(path), runsDir)
	if err != nil {
		return family{r}
	}
	far, _ := readFar(path) // those that can be
	return gather(r, slices.Concat(others, far), (*pastRun).belongsTo)
}
