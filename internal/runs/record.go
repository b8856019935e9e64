package runs

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
)

// Record is what a run directory says about its run. It is only read.
type Record struct {
	ID, Path string // the path in full

	Summary *report.Summary // nil: it has none, or none yet
	Header  *journal.Header // of its journal; nil: it has none, or a process works on it
	Running bool            // a process works on it: its journal is not read
	State   string          // one of the states of package report
	Rows    pipeline.Counts // what became of them
	Began   time.Time

	retry   *RetrySelection // nil: it is no retry
	outcome string          // how it ended, as its journal says
	store   *Store          // that read it
}

// journalFile is the name of the journal in a run directory.
const journalFile = "journal.db"

// Read reads what the directory path says about its run. An error means that the
// directory is damaged.
func (s *Store) Read(path string) (*Record, error) {
	r := &Record{ID: filepath.Base(path), Path: path, store: s}
	var err error
	if r.Summary, err = report.ReadSummary(path); err != nil && report.HasJournal(path) && !journal.DiskFailed(err) {
		return nil, advice.Then(advice.Usage(err, advice.CommandMark+" writes it anew, by the journal"), r.resume())
	}
	if err != nil {
		return nil, err
	}
	if r.retry, err = ReadRetry(path); err != nil {
		return nil, err
	}
	if r.Running = report.IsRunning(path); !r.Running && report.HasJournal(path) {
		err = r.readJournal()
	}
	if err != nil {
		return nil, err
	}
	if r.Summary != nil {
		r.Rows = r.Summary.Rows
	}
	r.State = r.howEnded()
	if r.Began.IsZero() {
		r.Began = beganAt(path, r.ID)
	}
	return r, nil
}

// ReadNamed is Read for a run that somebody named: an error says which, and how runs
// are found.
func (s *Store) ReadNamed(path string) (*Record, error) {
	r, err := s.Read(path)
	if err == nil {
		return r, nil
	}
	return nil, unreadable(path, err)
}

// unreadable says that err keeps the run at path from being read.
func unreadable(path string, err error) error {
	named := advice.Errorf("%s: %w", advice.Path(path), err)
	if journal.DiskFailed(err) {
		return named
	}
	return advice.Usage(named, cmp.Or(advice.HintOf(err), NamesHint))
}

// Journal opens the journal of the run to read it.
func (r *Record) Journal() (*journal.Journal, error) { return r.store.ReadJournal(r.Path) }

// readJournal reads the head of the run's journal and, if there is no summary of the last
// process that worked on the run, what became of the rows. A process that resumed the run
// and was killed leaves the summary of an earlier process.
func (r *Record) readJournal() error {
	jr, err := r.store.ReadJournal(r.Path)
	if r.Running = isLocked(err); r.Running {
		return nil // its other files are all there is to read
	}
	if err != nil {
		return err
	}
	h := jr.Header()
	r.Header, r.outcome, r.Began = &h, jr.Outcome(), h.Began
	if r.outcome == "" {
		r.Summary = nil
	}
	if r.Summary == nil {
		r.Rows, err = countEntries(jr)
		if h.Verb == "plan" { // its journal has as written what would be
			r.Rows.Valid, r.Rows.Written, r.Rows.Updated = r.Rows.Written, 0, 0
		}
	}
	return errors.Join(err, jr.Close())
}

// isLocked reports whether err says that a process works on the run.
func isLocked(err error) bool {
	var locked *journal.LockedError
	return errors.As(err, &locked)
}

// isRunning reports whether a process works on the run at path, or reads its journal to
// verify, undo or retry it.
func (s *Store) isRunning(path string) bool {
	if report.IsRunning(path) {
		return true
	}
	if !report.HasJournal(path) {
		return false
	}
	jr, err := s.ReadJournal(path)
	if err == nil {
		_ = jr.Close() // nothing was written
	}
	return isLocked(err)
}

// countEntries counts the rows that a journal tells of. Those that were sent, or
// may have been, are in doubt; those that were not are not sent.
func countEntries(jr *journal.Journal) (pipeline.Counts, error) {
	var c pipeline.Counts
	for e, err := range jr.Entries {
		if err != nil {
			return c, err
		}
		countEntry(&c, e)
	}
	return c, nil
}

func countEntry(c *pipeline.Counts, e *journal.Entry) {
	c.Read += int64(e.Rows)
	sent := e.Sent
	for i := range e.Rows {
		fate := pipeline.Pending
		if i < len(e.Fates) {
			fate = e.Fates[i]
		}
		switch {
		case len(sent) > 0 && int(sent[0]) == i:
			fate, sent = pipeline.InDoubt, sent[1:]
		case fate == pipeline.Broken:
			fate = pipeline.Rejected
		case fate == pipeline.Pending:
			fate = pipeline.NotSent
		}
		c.Add(fate)
	}
}

func (r *Record) howEnded() string {
	s := r.Summary
	switch {
	case r.Running:
		return report.StateRunning
	case r.Header != nil && r.outcome == "":
		return report.StateKilled
	case r.Header != nil:
		return r.outcome
	case s == nil:
		return report.StateKilled
	case s.Exit == report.ExitInterrupted:
		return report.StateInterrupted
	case s.Error != nil:
		return report.StateFailed
	}
	return report.StateDone
}

// beganAt returns when a run without a journal began: its id says it, or else
// its log does.
func beganAt(path, id string) time.Time {
	const layout = "20060102-150405"
	if len(id) >= len(layout) {
		if t, err := time.ParseInLocation(layout, id[:len(layout)], time.Local); err == nil {
			return t
		}
	}
	info, err := os.Stat(filepath.Join(path, "log.jsonl"))
	if err != nil {
		info, err = os.Stat(path)
	}
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Verb returns what the run did.
func (r *Record) Verb() string {
	switch {
	case r.Header != nil:
		return r.Header.Verb
	case r.Summary != nil:
		return r.Summary.Verb
	case r.retry != nil:
		return "retry"
	}
	return loggedVerb(r.Path)
}

// loggedVerb returns what a run did as its log says, where nothing else tells.
func loggedVerb(path string) string {
	f, err := os.Open(filepath.Join(path, "log.jsonl"))
	if err != nil {
		return ""
	}
	defer f.Close()
	var line struct{ Verb string }
	for dec := json.NewDecoder(f); line.Verb == "" && dec.Decode(&line) == nil; {
	}
	return line.Verb
}

// File returns what the run read, as it was named.
func (r *Record) File() string {
	if spec := r.Spec(); spec != nil && spec.File != "" {
		return spec.File
	}
	if r.Summary != nil && r.Summary.Input != nil {
		return r.Summary.Input.File
	}
	return ""
}

// Spec returns what the run was asked to do; nil if that is not on record.
func (r *Record) Spec() *RecordedSpec {
	if r.Header == nil {
		return nil
	}
	spec, err := ReadSpec(r.Header)
	if err != nil {
		return nil
	}
	return spec
}

// Parent returns the path of the run that r belongs to, or nothing.
func (r *Record) Parent() string {
	switch {
	case r.Header != nil:
		return r.Header.Parent
	case r.retry != nil:
		return r.retry.Run
	case r.Summary != nil:
		return r.Summary.Parent
	}
	return ""
}

// belongsTo reports whether r says that it belongs to p. Both may have been moved
// together since.
func (r *Record) belongsTo(p *Record) bool {
	parent := r.Parent()
	return parent != "" && (parent == p.Path ||
		filepath.Base(parent) == p.ID && filepath.Dir(r.Path) == filepath.Dir(p.Path))
}

// Name is what commands call the run by: see Store.Name.
func (r *Record) Name() string { return r.store.Name(r.Path) }

// resume is the step that resumes the run.
func (r *Record) resume() advice.Step {
	return advice.Step{Command: advice.Command{Verb: "resume", Run: r.Name()}}
}

// Resumable reports whether the run can be resumed, as far as it knows of itself.
func (r *Record) Resumable() bool {
	switch {
	case r.Header == nil, r.State == report.StateRunning, r.Verb() == "plan":
		return false
	case r.State == report.StateDone:
		return r.Rows.InDoubt > 0
	}
	return true
}

// SendsRows reports whether the run sent rows of its own, so that those it rejected can
// be retried.
func (r *Record) SendsRows() bool {
	v := r.Verb()
	return v != "undo" && v != "verify" && v != "plan"
}

// part is the run as a part of an account.
func (r *Record) part() report.Part {
	p := report.Part{
		Run: r.ID, Path: r.Path, Parent: r.Parent(), Verb: r.Verb(), State: r.State, Began: r.Began, Rows: r.Rows,
	}
	if r.retry != nil {
		p.NotEligible = r.refused()
	}
	return p
}

// writingVerbs are those of runs that keep a journal.
var writingVerbs = []string{"import", "apply", "retry", "undo", "plan"}

// lostJournal reports whether the run at path kept a journal, which is not there any
// more.
func lostJournal(path string) bool {
	if report.HasJournal(path) {
		return false
	}
	s, err := report.ReadSummary(path)
	if err == nil && s != nil {
		return slices.Contains(writingVerbs, s.Verb)
	}
	return report.IsFile(filepath.Join(path, "written.csv"))
}

// NoJournal is the error that the run at path has no journal: it is lost, or, as text
// and hint say, there never was one.
func NoJournal(path, text, hint string) error {
	if lostJournal(path) {
		return advice.Usagef("restore it from a backup: without it only the API shows what the run wrote",
			"%s has lost its journal.db", advice.Path(path))
	}
	return advice.Usagef(hint, "%s %s", advice.Path(path), text)
}
