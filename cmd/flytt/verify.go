package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

func verifyCommand(a *app) *cobra.Command {
	var own runFlags
	var w writing
	c := &cobra.Command{
		Use:   "verify RUN",
		Short: "Compare every row that a run wrote with the API, field by field",
		Long: `verify goes over the input of RUN again and compares each row that the run wrote,
or found to be there, with the record as the API has it now. It sends nothing
but reads. RUN is the id of the run or its directory.

A row that its record holds is as sent. The others are in rejects.csv with the
reason: the fields that differ, a record that is not there, several records with
the row's key. Rows that the run left in doubt are in doubt still: flytt resume
settles those. The input, the mapping and its tables have to be what they were;
if the input was moved, --input says where it is now.
The retries of a run are runs of their own and verified by themselves.`,
		Example: `  flytt verify 20261124-021500-3fa9c1
  flytt verify ./run --json`,
		Args: oneRun,
		RunE: func(c *cobra.Command, args []string) error {
			j, past, err := a.lookBack(args[0], "verify", own.moved)
			if err != nil {
				return err
			}
			j.target = func(context.Context, *job) (pipeline.Sink, pipeline.ChunkLimits, error) { return j.verifySink(past) }
			return then(j.runLike(c), a.typed())
		},
	}
	own.addWatching(c)
	own.addMoved(c)
	w.addReadFlags(c)
	c.Flags().StringVar(&own.runDir, "run-dir", "", "new or empty `DIR` for what is found (default: flytt-runs/<id>)")
	return c
}

// addReadFlags adds the flags that say how fast and how patiently is read.
func (w *writing) addReadFlags(c *cobra.Command) {
	s := c.Flags()
	s.IntVar(&w.concurrency, "concurrency", 0, "requests under way at once (default 4)")
	s.Float64Var(&w.rate, "rate", 0, "at most `N` requests per second (default: no limit)")
	s.DurationVar(&w.giveUpAfter, "give-up-after", defaultGiveUpAfter, "`TIME` to wait for an API that does not answer")
}

func oneRun(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("the run is not said")
	case 1:
		return nil
	}
	return errors.New("it is about one run at a time")
}

// lookBack returns the job that goes over the rows of a run again, as a run of
// verb, and the journal of that run. Its input was moved if that is not empty. As long
// as the journal is open nobody goes on with the run.
func (a *app) lookBack(name, verb, moved string) (*job, *journal.Journal, error) {
	path, err := a.findRun(name)
	if err != nil {
		return nil, nil, err
	}
	if !report.HasJournal(path) {
		return nil, nil, run.NoJournal(path, "did not write to the API", run.NamesHint)
	}
	past, err := a.openRun(path)
	if err != nil {
		return nil, nil, then(err, a.typed())
	}
	j, err := a.replay(path, past.Header(), verb, moved)
	if err != nil {
		return nil, nil, errors.Join(err, past.Close())
	}
	j.closers = append(j.closers, past.Close)
	return j, past, nil
}

// replay makes the job that goes over the rows of the run at path, whose journal
// has the header h, as a run of verb. Its input was moved if that is not empty.
func (a *app) replay(path string, h journal.Header, verb, moved string) (*job, error) {
	switch {
	case h.Verb == "undo":
		return nil, usagef(run.NamesHint, "%s took back what another run did: it wrote no rows of its own", shorten(path))
	case h.Verb == "plan" && verb != "apply":
		return nil, usagef("flytt apply does what it says", "%s is a plan: it wrote nothing", shorten(path))
	case h.Verb != "plan" && verb == "apply":
		return nil, usagef("flytt plan FILE makes one", "%s is no plan", shorten(path))
	}
	o, err := readSpec(path, &h)
	if err != nil {
		return nil, err
	}
	run.Follow(&h, o, path)
	if err := run.Relocate(&h, o, moved); err != nil {
		return nil, then(err, a.typed())
	}
	j, err := a.jobLike(path, h)
	if err != nil {
		return nil, err
	}
	if err := j.keepRetry(path); err != nil {
		return nil, err
	}
	j.flags.moved = moved
	j.verb, j.file, j.input, j.clock, j.writing.past = verb, o.File, o.Input, o.ClockOf(&h), &h
	if verb == "apply" {
		j.writing.plan = path // and the run belongs to none
	} else {
		j.writing.parent = path
	}
	return j, then(j.sameFiles(&h), a.typed())
}

// verifySink makes the sink that compares rows with what the API has of them.
func (j *job) verifySink(past *journal.Journal) (pipeline.Sink, pipeline.ChunkLimits, error) {
	h := past.Header()
	if err := j.reachAgain(&h); err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	if err := j.linkTo(j.writing.parent); err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	o, err := j.bulkOptions()
	if err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	sink, err := bulk.NewVerify(j.writing.client, j.plan.Schema(), past, o)
	if err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	j.writing.doubts = sink
	return sink, j.chunkLimits(nil), nil
}

// reachAgain gets at the API in the first pass: that which the run whose journal
// has the header h wrote to.
func (j *job) reachAgain(h *journal.Header) error {
	if j.pass > 1 {
		return nil
	}
	if err := j.reach(); err != nil {
		return err
	}
	return j.sameTarget(h)
}

// nextOfVerify returns what to do after the rows of a run were compared.
func (j *job) nextOfVerify(err error) step {
	run := shorten(j.writing.parent)
	switch {
	case err != nil:
		return step{command: j.again()}
	case j.summary.Rows.InDoubt > 0 && j.parentSettles():
		return step{command: j.resume(run)}
	case j.summary.Rows.Rejected+j.summary.Rows.InDoubt > 0:
		return step{"see in the files which rows are not as they were sent, or cannot be told", join([]string{"flytt", "runs", "show", run})}
	}
	return step{}
}

// parentSettles reports whether the run that j looks back at left rows in doubt that
// it settles when it is gone on with.
func (j *job) parentSettles() bool {
	return j.writing.doubts != nil && j.writing.doubts.Settles() && run.LeftDoubts(j.writing.parent)
}
