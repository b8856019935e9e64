package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func verifyCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "verify RUN",
		Short: "Compare every row that a run wrote with the API, field by field",
		Long: `verify reads the input of RUN again and compares each row that the run wrote, or
found in the API, with the record as the API has it now. It sends nothing
but reads. RUN is the id of the run or its directory.

A row whose record has its values is as sent. The others are in rejects.csv with
the reason: the fields that differ, a missing record, several records with the
row's key. Rows that the run left in doubt are still in doubt: flytt resume
settles those. The input, the mapping and its tables must be unchanged; if the
input was moved, --input says where it is now. The retries of a run are runs of
their own and verified separately.`,
		Example: `  flytt verify 20261124-021500-3fa9c1
  flytt verify ./run --json`,
		Args: runArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.findRun(args[0])
			if err != nil {
				return err
			}
			return a.about(c, run.Verify, path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addReadPace(c)
	c.Flags().StringVar(&f.spec.RunDir, "run-dir", "", "new or empty `DIR` for what is found (default: flytt-runs/<id>)")
	return c
}
