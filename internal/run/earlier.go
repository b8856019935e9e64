package run

import (
	"os"
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/runs"
)

// SpecOf returns the spec of a run of verb (resume, retry, verify, undo or apply) that is
// about the run in the directory path: what that was asked to do, as its journal has it.
// How fast and how patiently a process works is taken over by resume alone. Settings are
// for the caller to fill in, by the Profile; flags that the caller was given go over the
// others with SetFlag.
func SpecOf(store *runs.Store, verb, path string) (Spec, error) {
	s := Defaults()
	h, err := headerOf(store, verb, path)
	if err != nil {
		return s, err
	}
	recorded, err := runs.ReadSpec(h)
	if err != nil {
		return s, advice.Errorf("%s: %w", advice.Path(path), err)
	}
	skip := func(f *flag) bool {
		return verb != "resume" && f.pace || verb == "retry" && f.kind == InputFlag // another file may be written otherwise
	}
	if err := s.setRecorded(recorded.Flags, skip); err != nil {
		return s, advice.Usage(err, "flytt "+h.Tool+" began the run")
	}
	if verb != "resume" {
		s.Write.ChunkRows = recorded.ChunkRows
	}
	if s.Write.Like != "" {
		s.Write.Like = runs.Moved(s.Write.Like, path)
	}
	s.File, s.Resource = recorded.File, recorded.Resource
	s.Mapping = filepath.Join(path, "mapping.yaml")
	s.Store, s.Earlier.Run = store, path
	return s, nil
}

// headerOf returns the header of the run in the directory path, if a run of verb can be
// about it.
func headerOf(store *runs.Store, verb, path string) (*journal.Header, error) {
	if !report.HasJournal(path) {
		if verb == "resume" {
			err := runs.NoJournal(path, "did not write to the API: there is nothing to resume", "start it again with its own command")
			return nil, advice.Then(err, advice.Step{Command: advice.Command{Verb: "runs show", Run: store.Name(path)}})
		}
		return nil, runs.NoJournal(path, "did not write to the API", runs.NamesHint)
	}
	jr, err := store.ReadJournal(path)
	if err != nil {
		return nil, err
	}
	h := jr.Header()
	if err := jr.Close(); err != nil {
		return nil, err
	}
	return &h, checkVerb(verb, h.Verb, path)
}

// checkVerb reports why no run of verb can be about the run at path, which is of was.
func checkVerb(verb, was, path string) error {
	name := advice.Path(path)
	switch {
	case verb == "resume", verb == "retry":
		return nil
	case was == "undo":
		return advice.Usagef(runs.NamesHint, "%s is the undo of another run and wrote no rows of its own", name)
	case was == "plan" && verb != "apply":
		return advice.Usagef("flytt apply does what it plans", "%s is a plan: it wrote nothing", name)
	case was != "plan" && verb == "apply":
		return advice.Usagef("make one with flytt plan FILE", "%s is not a plan", name)
	}
	return nil
}

// earlier is the run that another is about. As long as its journal is open nobody else
// resumes or retries it.
type earlier struct {
	path    string
	journal *journal.Journal
	header  journal.Header
	spec    *runs.RecordedSpec
}

// openEarlier opens the run at path for s, whose input was moved to the path moved,
// unless that is empty.
func openEarlier(s *session, path, moved string) (*earlier, error) {
	jr, err := s.spec.Store.Journal(path)
	if err != nil {
		return nil, err
	}
	s.closers.add(jr.Close)
	e := &earlier{path: path, journal: jr, header: jr.Header()}
	if e.spec, err = runs.ReadSpec(&e.header); err != nil {
		return nil, advice.Errorf("%s: %w", advice.Path(path), err)
	}
	runs.Follow(&e.header, e.spec, path)
	return e, runs.Relocate(&e.header, e.spec, moved)
}

// follow makes the rows of r those of e, in the forms and by the rules of its day. The
// files that e depended on have to be what they were.
func (r *remote) follow(e *earlier) error {
	in := r.rows.input
	in.file, in.path = e.spec.File, e.spec.Input
	r.session.clock = e.spec.ClockOf(&e.header)
	if err := r.followRules(e); err != nil {
		return err
	}
	if err := r.keepRetry(e.path); err != nil {
		return err
	}
	return r.sameFiles(&e.header)
}

// followRules makes the rows of r be understood as those of e were.
func (r *remote) followRules(e *earlier) error {
	r.earlier, r.compare, r.rows.guessed = e, e.spec.Compare, e.spec.Guessed
	return r.compare.CheckForms("the run")
}

// sameFiles returns an error if a file that the run with the header h depended on is
// not what it was. The input has to stay what it is from now on.
func (r *remote) sameFiles(h *journal.Header) error {
	was, err := os.Stat(h.Input.Path)
	if err := runs.SameFiles(h); err != nil {
		return err
	}
	r.rows.input.was = was
	return err
}

// keepRetry makes r send the same rows as the run at path if that is a retry.
func (r *remote) keepRetry(path string) error {
	selection, err := runs.ReadRetry(path)
	if err != nil || selection == nil {
		return err
	}
	r.parent = selection.Run
	r.retries(selection)
	return nil
}

// retries makes r send the rows that selection says, and number them as it does.
func (r *remote) retries(selection *runs.RetrySelection) {
	r.rows.retry, r.rows.input.rejects = selection, true
}
