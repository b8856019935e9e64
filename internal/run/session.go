package run

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/pipeline"
)

// session is what a run has, of whatever kind, from its beginning to its end.
type session struct {
	spec     *Spec
	verb     string
	observer *Observer
	started  time.Time
	clock    time.Time // for the rules about dates: when the run began, in whatever process
	resumed  bool      // it began in an earlier process
	summary  *report.Summary
	settings Settings // of the spec, with what flags say over them
	limit    pipeline.RejectLimit

	dir     *report.Dir // nil: it has none yet
	log     *slog.Logger
	closers closers // of what was opened

	counts pipeline.Counts // of the rows accounted for so far
}

// newSession begins a run of verb. The settings that s has are copied.
func newSession(verb string, s *Spec, o Observer) *session {
	now := time.Now()
	return &session{
		spec: s, verb: verb, observer: o.withDefaults(), started: now, clock: now,
		summary: report.NewSummary(verb), settings: s.Settings,
	}
}

// Result is how a run ended that began.
type Result struct {
	Summary *report.Summary
	Dir     string      // of the run, in full
	Output  string      // file of the rows, in full, or -; empty: there is none
	Next    advice.Step // what to do next, if anything
}

// do prepares a run and runs it. Without a Result the run did not begin, and nothing of
// it is left.
func (s *session) do(ctx context.Context, prepare func() (*execution, error)) (result *Result, err error) {
	defer func() { err = errors.Join(err, s.closers.close()) }()
	if s.limit, err = parseRejectLimit(s.spec.MaxRejects); err != nil {
		return nil, err
	}
	e, err := prepare()
	if err != nil {
		return nil, s.discard(err)
	}
	s.observer.Started()
	if err := s.makeDir(); err != nil {
		return nil, err
	}
	return e.run(ctx)
}

// discard removes what was made of a run that could not begin because of err. A run that
// is resumed stays as it was.
func (s *session) discard(err error) error {
	err = errors.Join(err, s.closers.close())
	switch {
	case s.dir == nil:
		return err
	case s.resumed:
		return errors.Join(err, s.dir.Close())
	}
	return errors.Join(err, s.dir.Discard())
}

// makeDir makes the run directory and its log, unless they are there.
func (s *session) makeDir() error {
	if s.dir != nil {
		return nil
	}
	dir, err := s.spec.Store.NewDir(s.spec.RunDir, s.started)
	if err != nil {
		return runs.Unusable(err)
	}
	s.logTo(dir)
	return nil
}

// logTo makes dir the run directory.
func (s *session) logTo(dir *report.Dir) {
	s.dir, s.summary.Run = dir, dir.ID
	handler := dir.LogHandler()
	if s.observer.Log != nil {
		handler = slog.NewMultiHandler(handler, s.observer.Log)
	}
	s.log = slog.New(handler)
}

// copyInput returns where a copy of standard input goes, which is removed when the run
// is over unless a later process may need it.
func (s *session) copyInput(keep bool) (string, error) {
	if err := s.makeDir(); err != nil {
		return "", err
	}
	path := s.dir.File("input")
	if !keep {
		s.closers.add(func() error { return os.Remove(path) })
	}
	return path, nil
}

// remark notes a sentence, in the summary too.
func (s *session) remark(text string) {
	s.summary.Notes = append(s.summary.Notes, text)
	s.observer.Note(Remark(text))
}

// name is what commands call the run by.
func (s *session) name() string { return s.spec.Store.Name(s.dir.Path) }

// link notes in the run at path that this one, which begins, belongs to it.
func (s *session) link(path string) error {
	if s.resumed {
		return nil
	}
	return runs.LinkChild(path, s.dir.Path)
}
