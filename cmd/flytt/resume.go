package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func resumeCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "resume [RUN]",
		Short: "Resume a run that was interrupted, stopped or killed",
		Long: `resume resumes an import that did not finish: after a crash, a signal, a full
disk, expired credentials, or an API that was down. RUN is the id of the run or
its directory; left out, it is the newest in flytt-runs that can be resumed.

The journal of the run says what was sent and what happened to it. Rows that are
settled stay as they are; rows that may have been sent are looked up in the API
once it can no longer be working on them (--settle), and only those that are
shown not to exist are sent; all others are sent as import would have sent them.
The run is refused, and the difference is named, if the input, the mapping, a
lookup table, the tenant or the address has changed, and if flytt undo reverted
it: then import the file again.

The directory of the run can be moved. If the input was moved or renamed, --input
says where it is now; its content must be the same.`,
		Example: `  flytt resume
  flytt resume 20261124-021500-3fa9c1
  flytt resume ./run --concurrency 2 --settle 1m
  flytt resume ./run --input archive/register.csv`,
		Args: runArgument.optional,
		RunE: func(c *cobra.Command, args []string) error {
			name := append(args, "")[0]
			path, err := a.findRun(name)
			if err != nil {
				return err
			}
			if name == "" {
				a.args = append(a.args, shorten(a.runs.Name(path))) // the newest may be another next time
			}
			return a.about(c, run.Resume, path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addPace(c)
	c.Flags().StringVar(&f.spec.MaxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: as in the run)")
	return c
}
