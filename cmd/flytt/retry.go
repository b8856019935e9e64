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
	"flytt/internal/run"
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
			name, file := "", args[len(args)-1]
			if len(args) == 2 {
				name = args[0]
			}
			j, err := a.retried(name, file, again)
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
func (a *app) retried(name, file string, again bool) (*job, error) {
	if err := seekable(file); err != nil {
		return nil, err
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	path, err := findRejects(store, name, file)
	if err != nil {
		return nil, err
	}
	if path, err = run.RetryRoot(path); err != nil {
		return nil, err
	}
	first, err := store.ReadNamed(path)
	if err != nil {
		return nil, err
	}
	// As long as its journal is open nobody else resumes or retries the run.
	jr, err := store.Journal(path)
	if err != nil {
		return nil, then(err, a.typed())
	}
	g, err := store.GroupOf(first)
	if err != nil {
		return nil, errors.Join(err, jr.Close())
	}
	j, err := a.retryOf(g, file, jr.Header(), again)
	if err != nil {
		return nil, errors.Join(err, jr.Close())
	}
	j.closers = append(j.closers, jr.Close)
	return j, nil
}

// findRejects returns the path of the run called name, or of the one whose rejects are in
// file.
func findRejects(store *run.Store, name, file string) (string, error) {
	if name != "" {
		return store.Find(name)
	}
	return store.FindRejects(file)
}

// retryOf makes the job that sends file as a retry of the first run of g, whose journal
// has the header h.
func (a *app) retryOf(g run.Group, file string, h journal.Header, again bool) (*job, error) {
	selection, err := g.SelectRetry(file, again)
	if err != nil {
		return nil, err
	}
	j, err := a.jobLike(g[0].Path, h, inputFlags...) // another file may be written otherwise
	if err != nil {
		return nil, err
	}
	j.verb, j.file, j.writing.parent = "retry", file, g[0].Path
	j.retries(selection)
	j.target = func(_ context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
		return j.retrySink(g, selection, &h)
	}
	return j, nil
}

// jobLike makes a job with the mapping and the flags of the run at path, which
// begins anew: how the job is watched and how fast it goes is not taken over, nor
// the flags that others names.
func (a *app) jobLike(path string, h journal.Header, others ...string) (*job, error) {
	o, err := readSpec(path, &h)
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

// retries makes j send the rows of selection, and number them as the run did.
func (j *job) retries(selection *run.RetrySelection) {
	j.flags.inputOptions.origin = true
	j.first = selection.Step()
	j.writing.retry = selection
}

// retrySink makes the sink of a pass of a retry of g. Before the first pass the selection
// of its rows is kept, and the place compared with that of the run, whose header is h.
func (j *job) retrySink(g run.Group, selection *run.RetrySelection, h *journal.Header) (pipeline.Sink, pipeline.ChunkLimits, error) {
	if j.pass == 1 {
		if err := j.keepSelection(g, selection); err != nil {
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

// keepSelection keeps the selection of a retry of g, once it is known which keys its rows
// have. Rows that find their record, by key or by id, make no second one.
func (j *job) keepSelection(g run.Group, selection *run.RetrySelection) error {
	if !j.change.finds() {
		s, _, _, err := j.flags.inputOptions.open(j.input, j.mapping, nil)
		if err != nil {
			return err
		}
		selection.KeyWritten, err = run.RowsOfWrittenKeys(g, j.dir.Path, s, j.plan, selection.Sent())
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	j.retries(selection)
	if err := selection.Write(j.dir); err != nil {
		return err
	}
	return run.LinkChild(selection.Run, j.dir.Path)
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

// keepRetry makes j, which resumes the run at path, keep to the rows that it sends as a
// retry, if it is one.
func (j *job) keepRetry(path string) error {
	selection, err := run.ReadRetry(path)
	if err != nil || selection == nil {
		return err
	}
	j.writing.parent = selection.Run
	j.retries(selection)
	return nil
}
