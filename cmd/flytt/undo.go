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
		Long: `undo takes back what RUN did to the API: records that it made are deleted, and
records that it changed get back what they held before, in the fields that it
changed. RUN is the id of the run or its directory.

A record that holds something else now in a field that the run wrote was changed
since, and so was one that the run made and that holds a text now in a field that
the row left empty: they are left alone. What was taken back is in undone.csv; what was not, in
rejects.csv with the reason. Rows that the run left in doubt are left alone and
listed in in_doubt.csv. The input, the mapping and its tables have to be what
they were; if the input was moved, --input says where it is now. An undo is a run of its own, with a journal: flytt resume goes on with
one that was interrupted, stopped or killed, and the same undo twice does no
harm. The retries of a run are runs of their own and undone by themselves.

What records held before they were changed is in the journal of the run, unless
it was told --undoable=false; --identity FILE opens it if it was sealed with
--undo-recipient.`,
		Example: `  flytt undo 20261124-021500-3fa9c1
  flytt undo ./run --identity key.txt --yes`,
		Args: runArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.findRun(args[0])
			if err != nil {
				return err
			}
			return a.about(c, run.Undo, "undo", path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addPace(c)
	addYes(c, &f.spec.Place)
	c.Flags().StringVar(&f.spec.Write.Identity, "identity", "", "`FILE` with the age identity that opens what was sealed with --undo-recipient")
	f.addRunDir(c, "the undo")
	return c
}
