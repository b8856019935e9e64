package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func planCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "plan FILE",
		Short: "Say, row by row, what an import would do to the records that are there",
		Long: `plan reads FILE and all records of the resource, and says of each row what an
import with the same flags would do: make a record, change one (and which of its
fields), leave it as it is, or reject the row. A row that would make a record
like one that is there (the same key, ssn, org_no or email) is told apart.
Nothing is sent but reads, and no value that identifies a person stands in an
address: the records are read by listing, and compared here. What only the API
can know, that it minds a row, shows when rows are sent.

plan.csv in the run directory has a line for every row. plan.json is the plan: it
is bound to the input, the mapping, its tables, the tenant, the address, and to
the records as they were read. flytt apply does what it says.`,
		Example: `  flytt plan register.csv -m mapping.yaml --mode upsert --key custom_id
  flytt plan register.csv -m mapping.yaml --json
  flytt apply flytt-runs/20261124-021500-3fa9c1/plan.json`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			f.spec.File = args[0]
			return a.do(c.Context(), run.Plan, f.spec, &f.watch)
		},
	}
	f.addImport(c)
	s := c.Flags()
	s.Bool("dry-run", false, "send nothing: a plan sends nothing")
	s.StringVarP(&f.spec.Output.Path, "output", "o", "", "`FILE` for a copy of the plan (default: "+run.PlanFile+" of the run directory alone)")
	s.BoolVar(&f.spec.Output.Overwrite, "overwrite", false, "replace that FILE if it exists")
	for _, name := range []string{"dry-run", "yes"} {
		if err := s.MarkHidden(name); err != nil {
			panic(err)
		}
	}
	return c
}
