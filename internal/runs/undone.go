package runs

import (
	"flytt/internal/advice"
	"flytt/internal/report"
)

// undoOf returns the undo in the group that undid what r wrote, or began to: one that did
// not finish, if there is one. It is nil if there is none.
func (g Group) undoOf(r *Record) *Record {
	var found *Record
	for _, u := range g {
		switch {
		case u.Verb() != "undo" || !u.belongsTo(r):
		case u.State != report.StateDone:
			return u
		case u.Rows.Written > 0:
			found = u
		}
	}
	return found
}

// resumable reports whether r, one of the group, is to be resumed: not once an undo
// began, unless r finished and left rows in doubt.
func (g Group) resumable(r *Record) bool {
	return r.Resumable() && (g.undoOf(r) == nil || r.State == report.StateDone)
}

// undone returns the undo that left nothing of r, one of the group, to resume; nil if
// there is something. What r left in doubt is settled by resuming it, and by nothing
// else.
func (g Group) undone(r *Record) *Record {
	u := g.undoOf(r)
	if u == nil || r.Rows.InDoubt > 0 || u.Rows.Written+u.Rows.InDoubt == 0 {
		return nil
	}
	return u
}

// RefuseUndone returns why the run at path is not resumed if an undo took it back: its
// journal has its rows as written, and they would not be sent again. A run that cannot
// be read is not refused here.
func (s *Store) RefuseUndone(path string) error {
	g := s.readableGroup(path)
	if len(g) == 0 {
		return nil
	}
	return g.refuseUndone(g[0])
}

// refuseUndone returns why r, one of the group, is not resumed if an undo took it back.
func (g Group) refuseUndone(r *Record) error {
	u := g.undone(r)
	if u == nil {
		return nil
	}
	hint, next := "import the file again, as a new run", advice.Command{Verb: "runs show", Run: r.Name()}
	if spec := r.Spec(); spec != nil && r.Verb() == "import" {
		next = spec.Command("import")
	}
	if u.State != report.StateDone {
		hint, next = advice.CommandMark+" undoes the rest; then import the file again", u.resume().Command
	}
	err := advice.Usagef(hint, "%s was undone by %s and cannot be resumed", advice.Path(r.Name()), advice.Path(u.Name()))
	return advice.Then(err, advice.Step{Command: next})
}
