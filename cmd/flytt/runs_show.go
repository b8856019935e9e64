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
			return a.showRun(append(args, "")[0], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// showRun prints the account of a run: the newest, if it is not named.
func (a *app) showRun(name string, asJSON bool) error {
	w, err := a.wholeAccount(name)
	if err != nil {
		return err
	}
	if asJSON {
		data, err := w.JSON()
		return a.shown(w, printBytes(a.stdout, data, err))
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

// wholeAccount returns the whole account of the run called name, or of the newest of all if
// that is empty, and of those that belong to it, in words.
func (a *app) wholeAccount(name string) (*report.GroupReport, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	find := func() (string, error) { return store.Find(name) }
	if name == "" {
		find = store.Newest
	}
	path, err := find()
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
