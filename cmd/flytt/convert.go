package main

import (
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/run"
	"flytt/sinks"
)

func convertCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "convert FILE -o OUT",
		Short: "Map and validate a file, and write the valid rows to another",
		Long: `convert reads FILE (- is standard input), maps and validates it as import does,
and writes the valid rows to OUT, whose extension says the format: ` + strings.Join(sinks.Formats(), ", ") + `.
With -o - the rows go to standard output, and the summary to standard error.
OUT appears whole or not at all; one that exists is left alone without
--overwrite.`,
		Example: `  flytt convert kontakter.csv -m mapping.yaml -o kontakter.jsonl
  flytt convert kontakter.csv -m mapping.yaml -o till-excel.csv --excel
  flytt convert kontakter.csv -m mapping.yaml -o - | head`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			f.spec.File = args[0]
			if err := f.oneStdout(); err != nil {
				return err
			}
			return a.do(c.Context(), run.Convert, f.spec, &f.watch)
		},
	}
	f.addFile(c)
	f.addOutput(c, "OUT", "the output's format")
	return c
}
