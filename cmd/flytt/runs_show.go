package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/report"
)

func runsShowCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show the whole account of a run and its retries",
		Long: `show says what a run was asked to do, what it and the runs that belong to it
(retries, undo, verify) did, and the result of each row of its input: each row is
counted once, as the last run that had it left it. A row that the run rejected
and a retry wrote is written. The numbers are checked against each other, against
the journal, and against the rows in the files of the run directories; what does
not add up is named, and the exit code is 4 then.

RUN is the id of a run or its directory; left out, it is the newest there is.`,
		Example: `  flytt runs show
  flytt runs show 20261124-021500-3fa9c1
  flytt runs show ./run --json`,
		Args: runArgument.optional,
		RunE: func(_ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return a.showRun(name, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// showRun prints the account of a run: the newest, if it is not named.
func (a *app) showRun(name string, asJSON bool) error {
	path, err := a.findAnyRun(name)
	if err != nil {
		return err
	}
	w, err := a.wholeAccount(path)
	if err != nil {
		return err
	}
	if asJSON {
		data, err := w.JSON()
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(data)
		return a.shown(w, stdoutError(err))
	}
	if err := w.Print(a.stdout); err != nil {
		return stdoutError(err)
	}
	err = a.shown(w, nil)
	if w.Next != "" {
		a.sayCommand("", w.Next)
	}
	return err
}

// shown sets the exit code of an account that was printed.
func (a *app) shown(w *report.GroupReport, err error) error {
	if err == nil && !w.Account.Balanced {
		a.say("flytt: the account of %s does not add up\n", w.Run)
		a.code = exitFatal
	}
	return err
}

// findAnyRun is findRun, but for the newest run of all where none is named.
func (a *app) findAnyRun(name string) (string, error) {
	if name != "" {
		return a.findRun(name)
	}
	store, err := a.store()
	if err != nil {
		return "", err
	}
	return store.Newest()
}

// wholeAccount returns the whole account of the run at path and those that belong to it,
// in words.
func (a *app) wholeAccount(path string) (*report.GroupReport, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	g, err := store.Group(path)
	if err != nil {
		return nil, err
	}
	w, err := g.Whole()
	if err != nil {
		return nil, err
	}
	w.Spec.Mapping = shorten(w.Spec.Mapping)
	if next := g.Next(w.Account); !next.IsZero() {
		w.Next = a.words(next.Command)
	}
	return w, nil
}
