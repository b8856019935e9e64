package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
	"flytt/internal/runs"
)

func retryCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "retry [RUN] FILE",
		Short: "Send the fixed rejects of a run, counted together with it",
		Long: `retry sends the rows of FILE, the rejects.csv of RUN with its rows fixed, with
the mapping and the flags of that run and to the same API. It is a run of its own,
which belongs to RUN: flytt runs show RUN has the account of both, in which each
row of the original input is counted once. RUN is the id of the run or its directory;
left out, it is the run in whose directory FILE is, or else the newest in
` + runsDir + ` that rejected rows.

The column _row tells which row of the original input a row is; the column
_errors is ignored, and rows may be missing or in any order. A row that
arrived already, or that RUN did not reject, is rejected and not sent. A file
that was sent before, byte by byte, is refused, unless --again says otherwise.
A run that did not finish has to be resumed first.`,
		Example: `  flytt retry fixed.csv
  flytt retry 20261124-021500-3fa9c1 fixed.csv
  flytt retry ./run ./run/rejects.csv --max-rejects 0`,
		Args: retryArguments,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.findRejects(args)
			if err != nil {
				return err
			}
			f.spec.File = args[len(args)-1]
			return a.about(c, run.Retry, path, f)
		},
	}
	f.watch.add(c)
	f.addPace(c)
	addYes(c, &f.spec.Place)
	s := c.Flags()
	s.StringVar(&f.spec.MaxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: never)")
	f.addRunDir(c, "the retry")
	s.BoolVar(&f.spec.Earlier.Again, "again", false, "send a file that was sent before")
	return c
}

// findRejects returns the path of the run that the rows of a file are of: the one that
// args, of retry, name before the file, or else the one that the file tells.
func (a *app) findRejects(args []string) (string, error) {
	store, err := a.store()
	if err != nil {
		return "", err
	}
	file := args[len(args)-1]
	if err := run.Seekable(file); err != nil {
		return "", err
	}
	var path string
	if len(args) == 2 {
		path, err = store.Find(args[0])
	} else {
		path, err = store.FindRejects(file)
	}
	if err != nil {
		return "", err
	}
	return runs.RetryRoot(path)
}
