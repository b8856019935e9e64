package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func applyCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do exactly what a plan says",
		Long: `apply does what PLAN says, which flytt plan made: it is the import with the
mapping and the flags that were planned. PLAN is a plan.json, or the id or the
directory of the run that made it.

It is refused if the input, the mapping, a lookup table, the tenant, the address
or the records have changed. Each row is checked against the plan once more when
it is sent: one that would do something else now is rejected (not_as_planned). An
apply is a run like an import: resume, verify, retry and undo work on it too.`,
		Example: `  flytt apply flytt-runs/20261124-021500-3fa9c1/plan.json
  flytt apply plan.json --yes --concurrency 8`,
		Args: planArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			store, err := a.store()
			if err != nil {
				return err
			}
			path, err := run.FindPlan(store, args[0])
			if err != nil {
				return err
			}
			return a.about(c, run.Apply, path, f)
		},
	}
	f.watch.add(c)
	f.addMoved(c)
	f.addPace(c)
	addYes(c, &f.spec.Place)
	f.addRunDir(c, "the run")
	return c
}
