package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func undoCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Delete what a run made, and restore what it changed",
		Long: `undo reverts what RUN did to the API: records that it created are deleted, and
records that it changed get their earlier values back, in the fields that it
changed. RUN is the id of the run or its directory.

A record whose fields no longer hold what the run wrote was changed since, and so
was one that the run created and that now has a text in a field that the row left
empty: they are left alone. What was undone is in undone.csv; what was not, in
rejects.csv with the reason. Rows that the run left in doubt are left alone and
listed in in_doubt.csv. The input, the mapping and its tables must be
unchanged; if the input was moved, --input says where it is now. An undo is a run
of its own, with a journal: flytt resume resumes one that was interrupted, stopped
or killed, and the same undo twice does no harm. The retries of a run are runs of
their own and undone separately.

The earlier values of records are in the journal of the run, unless it had
--undoable=false; --identity FILE decrypts them if the run had --undo-recipient.`,
		Example: `  flytt undo 20261124-021500-3fa9c1
  flytt undo ./run --identity key.txt --yes`,
		Args: runArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.findRun(args[0])
			if err != nil {
				return err
			}
			return a.about(c, run.Undo, path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addPace(c)
	addYes(c, &f.spec.Place)
	c.Flags().StringVar(&f.spec.Write.Identity, "identity", "", "`FILE` with the age identity that decrypts what --undo-recipient encrypted")
	f.addRunDir(c, "the undo")
	return c
}
