package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func validateCommand(a *app) *cobra.Command {
	j := &job{app: a, verb: "validate", change: &change{}, duplicates: &duplicates{}}
	c := &cobra.Command{
		Use:   "validate FILE",
		Short: "Say which rows are wrong, and why, without sending anything",
		Long: `validate reads FILE (- is standard input), maps its columns to the fields of the
resource and holds every row against the rules, on the same path as import, and
sends nothing. rejects.csv in the run directory lists each row that would be
turned away, with all its reasons. What only the API can know, that a referred
record exists or a value is taken, it cannot tell.`,
		Example: `  flytt validate kontakter.csv
  flytt validate kontakter.csv -m mapping.yaml --json
  gunzip -c register.csv.gz | flytt validate - -m mapping.yaml`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			j.file = args[0]
			return j.run(c.Context())
		},
	}
	j.flags.add(c)
	j.change.addFlags(c)
	j.duplicates.addFlag(c)
	return c
}

// oneFile is the arguments of a verb that reads one file.
func oneFile(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("which file to read is not said")
	case 1:
		return nil
	}
	return fmt.Errorf("one file is read at a time, and %d are named", len(args))
}
