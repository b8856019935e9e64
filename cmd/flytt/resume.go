package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flytt/internal/report"
	"flytt/internal/run"
)

func resumeCommand(a *app) *cobra.Command {
	var own runFlags
	var w writing
	var maxRejects string
	c := &cobra.Command{
		Use:   "resume [RUN]",
		Short: "Go on with a run that was interrupted, stopped or killed",
		Long: `resume goes on with an import that did not get through: after a crash, a signal,
a full disk, credentials that expired, or an API that was down. RUN is the id of
the run or its directory; left out, it is the newest in flytt-runs that can be
gone on with.

The run's own record says what was sent and what became of it. Rows that are
settled stay as they are; rows that may have been sent are looked up in the API
once it can no longer be working on them (--settle), and only those that are
shown not to be there are sent; all others are sent as import would have sent
them. The run is refused, and what differs is named, if the input, the mapping,
a lookup table, the tenant or the address is not what it was, and if flytt undo
took it back: then the file is imported anew.

The directory of the run can be moved. If the input was moved or renamed, --input
says where it is now; its content has to be the same.`,
		Example: `  flytt resume
  flytt resume 20261124-021500-3fa9c1
  flytt resume ./run --concurrency 2 --settle 1m
  flytt resume ./run --input archive/register.csv`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("one run is resumed at a time")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			run := ""
			if len(args) > 0 {
				run = args[0]
			}
			path, err := a.findRun(run)
			if err != nil {
				return err
			}
			again := a.typed()
			if run == "" {
				again += " " + quote(a.nameOfRun(path))
			}
			j, err := a.resumed(path, own.moved)
			if err == nil {
				err = j.runLike(c)
			}
			return then(err, again)
		},
	}
	own.addWatching(c)
	own.addMoved(c)
	w.addFlags(c)
	c.Flags().StringVar(&maxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: as the run was told)")
	return c
}

// runLike runs j, with the flags that were given to c.
func (j *job) runLike(c *cobra.Command) error {
	if err := takeFlags(j.flags.verb.Flags(), c.Flags()); err != nil {
		return errors.Join(err, j.close())
	}
	return j.run(c.Context())
}

// takeFlags sets in flags those that were given in own, but for those that own
// alone has.
func takeFlags(flags, own *pflag.FlagSet) (err error) {
	own.Visit(func(f *pflag.Flag) {
		if flags.Lookup(f.Name) != nil {
			err = errors.Join(err, flags.Set(f.Name, f.Value.String()))
		}
	})
	return err
}

// resumed returns the job that goes on with the run at path, whose input was moved if
// that is not empty.
func (a *app) resumed(path, moved string) (*job, error) {
	if !report.HasJournal(path) {
		err := run.NoJournal(path, "did not write to the API: there is nothing to go on with", "it is begun again, by the command that began it")
		return nil, then(err, join([]string{"flytt", "runs", "show", a.nameOfRun(path)}))
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	if err := store.RefuseUndone(path); err != nil {
		return nil, err
	}
	jr, err := store.Journal(path)
	if err != nil {
		return nil, err
	}
	j, err := a.jobOfRun(path, moved, jr.Header())
	if err != nil {
		return nil, errors.Join(err, jr.Close())
	}
	dir, err := report.OpenDir(path)
	if err != nil {
		return nil, errors.Join(unusable(err), jr.Close())
	}
	j.writing.journal, j.verb = jr, jr.Header().Verb
	j.closers = append(j.closers, jr.Close)
	j.resumeIn(dir)
	switch j.verb {
	case "plan":
		err := usagef("flytt plan makes another", "%s is a plan, which was not made to its end", shorten(path))
		return nil, then(errors.Join(err, j.close(), dir.Close()), commandText(j.recorded.Command(j.verb)))
	case "apply":
		if err := j.applies(run.Moved(j.recorded.Plan, path)); err != nil {
			return nil, errors.Join(err, j.close(), dir.Close())
		}
	case "undo":
		j.writing.identity = j.recorded.Identity
		if err := j.undoes(run.Moved(jr.Header().Parent, path)); err != nil {
			return nil, errors.Join(err, j.close(), dir.Close())
		}
	}
	return j, nil
}
