package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func validateCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "validate FILE",
		Short: "Say which rows are wrong, and why, without sending anything",
		Long: `validate reads FILE (- is standard input), maps its columns to the fields of the
resource and checks every row against the rules, exactly as import does, and sends
nothing. rejects.csv in the run directory lists each row that would be rejected,
with all its reasons. It cannot check what only the API knows: whether a
referenced record exists, or a value is already used.`,
		Example: `  flytt validate kontakter.csv
  flytt validate kontakter.csv -m mapping.yaml --json
  gunzip -c register.csv.gz | flytt validate - -m mapping.yaml`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			f.spec.File = args[0]
			return a.do(c.Context(), run.Validate, f.spec, &f.watch)
		},
	}
	f.addFile(c)
	f.addRecords(c)
	return c
}
