package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func resumeCommand(a *app) *cobra.Command {
	f := newSpecFlags()
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
		Args: runArgument.optional,
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			path, err := a.findRun(name)
			if err != nil {
				return err
			}
			if name == "" {
				a.args = append(a.args, a.nameOfRun(path)) // the newest may be another next time
			}
			return a.about(c, run.Resume, "resume", path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addPace(c)
	c.Flags().StringVar(&f.spec.MaxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: as the run was told)")
	return c
}
