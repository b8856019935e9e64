package runs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/report"
)

// Group is a run and all runs that belong to it, in the order in which they began. The run
// is the first.
type Group []*Record

// Group reads the run at path and those that belong to it.
func (s *Store) Group(path string) (Group, error) {
	first, err := s.ReadNamed(path)
	if err != nil {
		return nil, err
	}
	return s.GroupOf(first)
}

// GroupOf reads the runs that belong to first: those beside it, those in the store, and
// those that its children file names.
func (s *Store) GroupOf(first *Record) (Group, error) {
	others, damaged, err := s.List(filepath.Dir(first.Path), s.dir)
	if err != nil {
		return nil, err
	}
	for _, d := range damaged {
		if r, err := ReadRetry(d.Path); err != nil || r != nil && filepath.Base(r.Run) == first.ID {
			return nil, incomplete("%s, which may belong to %s: %w", advice.Path(d.Path), first.ID, d.Err)
		}
	}
	g, err := s.gatherLinked(first, others, (*Record).belongsTo)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(g[1:], func(a, b *Record) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID)) })
	return g, nil
}

// readableGroup reads the run at path and those that belong to it, as far as they can
// be read; none if that one cannot.
func (s *Store) readableGroup(path string) Group {
	r, err := s.Read(path)
	if err != nil {
		return nil
	}
	others, _, err := s.List(filepath.Dir(path), s.dir)
	if err != nil {
		return Group{r}
	}
	linked, _ := s.readChildren(path) // those that can be read
	return gather(r, slices.Concat(others, linked), (*Record).belongsTo)
}

// incomplete says that a run of a group cannot be read.
func incomplete(format string, args ...any) error {
	return advice.Usagef("without it the account of the run is incomplete", format, args...)
}

// gather returns first and all of runs that are bound to it, or to one that is.
func gather(first *Record, runs []*Record, bound func(r, to *Record) bool) Group {
	g := Group{first}
	for i := 0; i < len(g); i++ {
		for _, r := range runs {
			if bound(r, g[i]) && !g.has(r.Path) {
				g = append(g, r)
			}
		}
	}
	return g
}

// gatherLinked is gather that also follows the links of each run to its children.
func (s *Store) gatherLinked(first *Record, runs []*Record, bound func(r, to *Record) bool) (Group, error) {
	asked := map[string]bool{}
	for {
		g, more := gather(first, runs, bound), []*Record(nil)
		for _, r := range g {
			if asked[r.Path] {
				continue
			}
			asked[r.Path] = true
			linked, err := s.readChildren(r.Path)
			if err != nil {
				return nil, err
			}
			more = append(more, linked...)
		}
		if len(more) == 0 {
			return g, nil
		}
		runs = slices.Concat(runs, more)
	}
}

func (g Group) has(path string) bool {
	return slices.ContainsFunc(g, func(r *Record) bool { return r.Path == path })
}

// Retries returns the retries of the group.
func (g Group) Retries() []*Record {
	return slices.DeleteFunc(slices.Clone(g[1:]), func(r *Record) bool { return r.retry == nil })
}

// Senders returns the runs of the group that sent rows of its input: the first and its
// retries.
func (g Group) Senders() Group { return append(Group{g[0]}, g.Retries()...) }

// Without returns the runs of the group but for the one at path.
func (g Group) Without(path string) Group {
	return slices.DeleteFunc(slices.Clone(g), func(r *Record) bool { return r.Path == path })
}

// Account adds up what became of the rows.
func (g Group) Account() (*report.Account, error) {
	again, err := g.undoneAgain()
	if err != nil {
		return nil, err
	}
	parts := make([]report.Part, len(g))
	for i, r := range g {
		parts[i] = r.part()
		parts[i].UndoneBefore = again[r.Path]
	}
	return report.NewAccount(parts), nil
}

// LikeRuns returns the run at path, or if it is a retry the run that it belongs to, and all
// retries of that run: the runs that --like uses.
func (s *Store) LikeRuns(path string) (Group, error) {
	if !report.IsRun(path) {
		return nil, advice.Usagef("move the directory back", "%s, which the run has as --like, no longer exists", advice.Path(path))
	}
	path, err := RetryRoot(path)
	if err != nil {
		return nil, err
	}
	g, err := s.Group(path)
	if err != nil {
		return nil, err
	}
	if !g[0].SendsRows() {
		return nil, advice.Usagef("name an import", "--like %s: it is a run of %s, which sent no rows", advice.Path(g[0].Name()), g[0].Verb())
	}
	return g.Senders(), nil
}

// childrenFile is the file of a run directory that has the paths of the runs that belong to
// the run and are not beside it: one JSON string on each line.
const childrenFile = "children.jsonl"

// readChildren reads the runs that belong to the one at path and are elsewhere. Runs that
// no longer exist are left out.
func (s *Store) readChildren(path string) ([]*Record, error) {
	data, err := os.ReadFile(filepath.Join(path, childrenFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	var runs []*Record
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var child string
		if json.Unmarshal(line, &child) != nil || !report.IsRun(child) {
			continue
		}
		r, err := s.Read(child)
		if err != nil {
			return nil, incomplete("%s, which belongs to %s: %w", child, path, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// LinkChild notes in the run at path that the one at child belongs to it, unless it is
// found beside it.
func LinkChild(path, child string) error {
	if filepath.Dir(path) == filepath.Dir(child) {
		return nil
	}
	line, err := json.Marshal(child)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(path, childrenFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return advice.Errorf("%s of the run: %w", childrenFile, osfile.Cause(err))
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

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
