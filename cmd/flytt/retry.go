package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
)

func retryCommand(a *app) *cobra.Command {
	var own runFlags
	var w writing
	var maxRejects string
	var again bool
	c := &cobra.Command{
		Use:   "retry [RUN] FILE",
		Short: "Send the mended rejects of a run, so that the account adds up over both",
		Long: `retry sends the rows of FILE, a rejects.csv of RUN that was mended, with the
mapping and the flags of that run and to the same place. It is a run of its own,
which belongs to RUN: flytt runs show RUN has the account of both, in which each
row of the original input stands once. RUN is the id of the run or its directory;
left out, it is the run in whose directory FILE is, or else the newest in
` + runsDir + ` that rejected rows.

The column _row tells which row of the original input a row is; the column
_errors is ignored, and rows may be missing or stand in any order. A row that
arrived already, or that RUN did not reject, is rejected and not sent. A file
that was sent before, byte by byte, is refused, unless --again says otherwise.
A run that did not get through is resumed first.`,
		Example: `  flytt retry mended.csv
  flytt retry 20261124-021500-3fa9c1 mended.csv
  flytt retry ./run ./run/rejects.csv --max-rejects 0`,
		Args: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return errors.New("the file with the mended rows is not said")
			case 1, 2:
				return nil
			}
			return errors.New("a retry is of one run and sends one file")
		},
		RunE: func(c *cobra.Command, args []string) error {
			run, file := "", args[len(args)-1]
			if len(args) == 2 {
				run = args[0]
			}
			j, err := a.retried(run, file, again)
			if err != nil {
				return err
			}
			return then(j.runLike(c), a.typed())
		},
	}
	own.addWatching(c)
	w.addFlags(c)
	w.connection.addYes(c)
	s := c.Flags()
	s.StringVar(&maxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: never)")
	s.StringVar(&own.runDir, "run-dir", "", "new or empty `DIR` for the files of the retry (default: flytt-runs/<id>)")
	s.BoolVar(&again, "again", false, "send a file that was sent before")
	return c
}

// retried returns the job that sends file as a retry of a run.
func (a *app) retried(run, file string, again bool) (*job, error) {
	if err := seekable(file); err != nil {
		return nil, err
	}
	path, err := a.findRejects(run, file)
	if err != nil {
		return nil, err
	}
	if path, err = rootOf(path); err != nil {
		return nil, err
	}
	first, err := readFirst(path)
	if err != nil {
		return nil, err
	}
	// As long as its journal is open nobody else goes on with the run, or retries it.
	jr, err := openRun(path)
	if err != nil {
		return nil, then(err, a.typed())
	}
	j, err := a.retryOf(first, file, jr.Header(), again)
	if err != nil {
		return nil, errors.Join(err, jr.Close())
	}
	j.closers = append(j.closers, jr.Close)
	return j, nil
}

// findRejects returns the path of the run that file is of.
func (a *app) findRejects(run, file string) (string, error) {
	if run != "" {
		return a.findRun(run)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", usage(err, runsHint)
	}
	if dir := filepath.Dir(abs); report.IsRun(dir) {
		return dir, nil
	}
	return newestRun("that rejected rows", func(path string) bool {
		s, err := report.ReadSummary(path)
		return err == nil && s != nil && report.HasJournal(path) && s.Rows.Rejected > 0
	})
}

// rootOf returns the path of the run whose rows the one at path sent: its own, or,
// if it is a retry, those of another.
func rootOf(path string) (string, error) {
	if !report.HasJournal(path) {
		return "", noJournal(path, "did not write to the API: there is nothing to retry", "a run of validate or convert is begun again")
	}
	r, err := readRetry(path)
	if err != nil || r == nil {
		return path, err
	}
	return runAt(nowAt(r.Run, path))
}

// nowAt returns where the run is now that was at path: there, or beside another
// run, if they were moved together.
func nowAt(path, other string) string {
	if beside := filepath.Join(filepath.Dir(other), filepath.Base(path)); !report.IsRun(path) && report.IsRun(beside) {
		return beside
	}
	return path
}

// retryOf makes the job that sends file as a retry of the run first, whose journal
// has the header h.
func (a *app) retryOf(first *pastRun, file string, h journal.Header, again bool) (*job, error) {
	f, err := familyOf(first)
	if err != nil {
		return nil, err
	}
	if err := f.retryable(file, again); err != nil {
		return nil, err
	}
	rows, err := rowsOfFile(file)
	if err != nil {
		return nil, err
	}
	record, err := f.plan(file, rows)
	if err != nil {
		return nil, err
	}
	j, err := a.jobLike(first.path, h, inputFlags...) // another file may be written otherwise
	if err != nil {
		return nil, err
	}
	j.verb, j.file, j.writing.parent = "retry", file, first.path
	j.retries(record)
	j.target = func(_ context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
		return j.retrySink(f, record, &h)
	}
	return j, nil
}

// retryable reports, as an error, why file cannot be sent now.
func (f family) retryable(file string, again bool) error {
	if !f[0].sends() {
		return usagef(runsHint, "%s is a run of %s, which has no rows to send", f[0].id, f[0].verb())
	}
	if err := f.refuseUndone(f[0]); err != nil && f[0].state != report.StateDone {
		return err
	}
	for _, r := range f {
		switch {
		case r != f[0] && r.retry == nil, r.state == report.StateDone:
		case r.state == report.StateRunning:
			return usagef("wait until it is through", "%s is running", r.id)
		default:
			resume := join([]string{"flytt", "resume", r.name()})
			return &nextError{usagef(resume+" goes on with it", "%s did not get through (%s), and has rows to send yet", r.id, r.state), step{command: resume}}
		}
	}
	is, err := describeFile("file", file)
	if err != nil {
		return usage(err, "FILE is a rejects.csv of the run, mended")
	}
	for _, r := range f.retries() {
		if r.header != nil && r.header.Input.SHA256 == is.SHA256 && !again {
			return usagef("--again sends the rows of it that are rejected still", "%s was sent already, as %s", file, r.id)
		}
	}
	return nil
}

// jobLike makes a job with the mapping and the flags of the run at path, which
// begins anew: how the job is watched and how fast it goes is not taken over, nor
// the flags that others names.
func (a *app) jobLike(path string, h journal.Header, others ...string) (*job, error) {
	o, err := readOrder(path, &h)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(o.Flags, func(name string, _ []string) bool {
		return slices.Contains(others, name) || slices.Contains(passing, name)
	})
	_, j := newImport(a)
	if err := giveFlags(j.flags.verb.Flags(), o.Flags); err != nil {
		return nil, usage(err, "flytt "+h.Tool+" began the run")
	}
	j.flags.mapping, j.flags.resource = filepath.Join(path, "mapping.yaml"), o.Resource
	j.change.guessed, j.writing.connection.began = o.Guessed, h.BaseURL
	j.writing.likeBeside(path)
	if err := j.change.compareAs(o); err != nil {
		return nil, err
	}
	return j, j.flags.verb.Flags().Set("chunk-rows", strconv.Itoa(o.ChunkRows))
}

// retries makes j send the rows that record says, and number them as it does.
func (j *job) retries(record *retryRecord) {
	j.flags.inputOptions.origin = true
	j.first = record.step()
	j.writing.retry = record
}

// retrySink makes the sink of a pass of a retry of f. Before the first the record of
// its rows is kept, and the place held against that of the run, whose header is h.
func (j *job) retrySink(f family, record *retryRecord, h *journal.Header) (pipeline.Sink, pipeline.ChunkLimits, error) {
	if j.pass == 1 {
		if err := j.keepRecord(f, record); err != nil {
			return nil, pipeline.ChunkLimits{}, err
		}
	}
	sink, limits, err := j.bulkSink()
	if err != nil || j.pass > 1 {
		return sink, limits, err
	}
	if err := j.sameTarget(h); err != nil {
		_, abortErr := sink.Abort()
		return nil, limits, errors.Join(err, abortErr)
	}
	return sink, limits, nil
}

// keepRecord keeps the record of a retry of f, once it is known which keys its rows
// have.
func (j *job) keepRecord(f family, record *retryRecord) error {
	if err := j.noteWrittenKeys(f, record); err != nil {
		return err
	}
	j.retries(record)
	if err := record.write(j.dir); err != nil {
		return err
	}
	return noteFar(record.Run, j.dir.Path)
}

// sameTarget refuses to send rows of a run to another place than it wrote to.
func (j *job) sameTarget(h *journal.Header) error {
	n := &j.writing.connection
	if address := n.address(j.writing.client); address != h.BaseURL {
		return usagef("use the settings it was begun with", "the run wrote to %s, and the settings say %s", h.BaseURL, address)
	}
	if n.customer != h.Customer {
		return usagef("use the credentials of the tenant it wrote to", "the run wrote to tenant %s, and the credentials are of %s", h.Customer, n.customer)
	}
	return nil
}

// keepRetry makes j, which goes on with the run at path, hold to what it was told
// as a retry, if it is one.
func (j *job) keepRetry(path string) error {
	record, err := readRetry(path)
	if err != nil || record == nil {
		return err
	}
	j.writing.parent = record.Run
	j.retries(record)
	return nil
}
