package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
)

// pastRun is a run as its directory tells of it.
type pastRun struct {
	id, path string

	summary *report.Summary // nil: it has none, or none yet
	header  *journal.Header // nil: it did not write to the API
	retry   *retryRecord    // nil: it is no retry
	outcome string          // how it ended, as its journal says
	running bool            // a process works on it: its journal is not read
	rows    pipeline.Counts
	state   string
	began   time.Time
}

// readRun reads what the directory path tells of its run. An error means that it
// cannot be told: the directory is damaged.
func readRun(path string) (*pastRun, error) {
	r := &pastRun{id: filepath.Base(path), path: path}
	var err error
	if r.summary, err = report.ReadSummary(path); err != nil && report.HasJournal(path) && !diskFailed(err) {
		resume := join([]string{"flytt", "resume", nameOfRun(path)})
		return nil, &nextError{usage(err, resume+" writes it anew, by the journal"), step{command: resume}}
	}
	if err != nil {
		return nil, err
	}
	if r.retry, err = readRetry(path); err != nil {
		return nil, err
	}
	if r.running = report.IsRunning(path); !r.running && report.HasJournal(path) {
		err = r.readJournal()
	}
	if err != nil {
		return nil, err
	}
	if r.summary != nil {
		r.rows = r.summary.Rows
	}
	r.state = r.howEnded()
	if r.began.IsZero() {
		r.began = beganAt(path, r.id)
	}
	return r, nil
}

// readJournal reads the head of the run's journal and, where there is no summary
// that tells of it, what became of the rows. A summary is none of a process that
// went on with the run after it, and ended without a word.
func (r *pastRun) readJournal() error {
	key, err := loadKey()
	if err != nil {
		return err
	}
	jr, err := journal.Read(filepath.Join(r.path, "journal.db"), key)
	if r.running = isLocked(err); r.running {
		return nil // and tells no more than its other files do
	}
	if err != nil {
		return err
	}
	h := jr.Header()
	r.header, r.outcome, r.began = &h, jr.Outcome(), h.Began
	if r.outcome == "" {
		r.summary = nil
	}
	if r.summary == nil {
		r.rows, err = countEntries(jr)
		if h.Verb == "plan" { // it has it what would have been written
			r.rows.Valid, r.rows.Written, r.rows.Updated = r.rows.Written, 0, 0
		}
	}
	return errors.Join(err, jr.Close())
}

// isLocked reports whether err says that a process works on the run.
func isLocked(err error) bool {
	var locked *journal.LockedError
	return errors.As(err, &locked)
}

// isRunning reports whether a process works on the run at path, or on one that
// looks back at it.
func isRunning(path string) bool {
	if report.IsRunning(path) {
		return true
	}
	key, err := loadKey()
	if err != nil || !report.HasJournal(path) {
		return false
	}
	jr, err := journal.Read(filepath.Join(path, "journal.db"), key)
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
		if len(sent) > 0 && int(sent[0]) == i {
			fate, sent = pipeline.InDoubt, sent[1:]
		}
		countFate(c, fate)
	}
}

// countFate counts a row of which a journal says fate.
func countFate(c *pipeline.Counts, fate pipeline.Fate) {
	switch fate {
	case pipeline.Updated:
		c.Written++
		c.Updated++
	case pipeline.Written:
		c.Written++
	case pipeline.Unchanged:
		c.Unchanged++
	case pipeline.Skipped:
		c.Skipped++
	case pipeline.Existing:
		c.Skipped++
		c.Existing++
	case pipeline.Rejected, pipeline.Broken:
		c.Rejected++
	case pipeline.InDoubt:
		c.InDoubt++
	default:
		c.NotSent++
	}
}

// howEnded returns the state of the run.
func (r *pastRun) howEnded() string {
	s := r.summary
	switch {
	case r.running:
		return report.StateRunning
	case r.header != nil && r.outcome == "":
		return report.StateKilled
	case r.header != nil:
		return r.outcome
	case s == nil:
		return report.StateKilled
	case s.Exit == exitInterrupted:
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

// verb returns what the run did.
func (r *pastRun) verb() string {
	switch {
	case r.header != nil:
		return r.header.Verb
	case r.summary != nil:
		return r.summary.Verb
	case r.retry != nil:
		return "retry"
	}
	return loggedVerb(r.path)
}

// loggedVerb returns what a run did as its log says, for one of which nothing else
// tells.
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

// file returns what the run read, as it was named.
func (r *pastRun) file() string {
	if o := r.order(); o != nil && o.File != "" {
		return o.File
	}
	if r.summary != nil && r.summary.Input != nil {
		return r.summary.Input.File
	}
	return ""
}

// order returns what the run was told; nil if it does not say.
func (r *pastRun) order() *order {
	if r.header == nil {
		return nil
	}
	var o order
	if err := json.Unmarshal(r.header.Spec, &o); err != nil {
		return nil
	}
	return &o
}

// parent returns the path of the run that r belongs to, or nothing.
func (r *pastRun) parent() string {
	switch {
	case r.header != nil:
		return r.header.Parent
	case r.retry != nil:
		return r.retry.Run
	case r.summary != nil:
		return r.summary.Parent
	}
	return ""
}

// belongsTo reports whether r says that it belongs to p. Both may have been moved
// together since.
func (r *pastRun) belongsTo(p *pastRun) bool {
	parent := r.parent()
	return parent != "" && (parent == p.path ||
		filepath.Base(parent) == p.id && filepath.Dir(r.path) == filepath.Dir(p.path))
}

// name is what verbs call the run by.
func (r *pastRun) name() string { return nameOfRun(r.path) }

// nameOfRun is what verbs call the run at path by.
func nameOfRun(path string) string {
	if in, err := filepath.Abs(runsDir); err == nil && filepath.Dir(path) == in {
		return filepath.Base(path)
	}
	return shorten(path)
}

// resumable reports whether the run can be gone on with.
func (r *pastRun) resumable() bool {
	switch {
	case r.header == nil, r.state == report.StateRunning, r.verb() == "plan":
		return false
	case r.state == report.StateDone:
		return r.rows.InDoubt > 0
	}
	return true
}

// sends reports whether what the run rejected can be sent as a retry: it is about
// rows of its own.
func (r *pastRun) sends() bool {
	v := r.verb()
	return v != "undo" && v != "verify" && v != "plan"
}

// part is the run as a part of an account.
func (r *pastRun) part() report.Part {
	p := report.Part{
		Run: r.id, Path: r.path, Parent: r.parent(), Verb: r.verb(), State: r.state, Began: r.began, Rows: r.rows,
	}
	if r.retry != nil {
		p.NotEligible = r.refused()
	}
	return p
}
