package main

import (
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/run"
	"flytt/sinks"
	"flytt/sources"
)

func exportCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	c := &cobra.Command{
		Use:   "export -o FILE",
		Short: "Write the rows of the API to a file",
		Long: `export reads the list of a resource, page by page, and writes it to FILE, whose
extension says the format: ` + strings.Join(sinks.Formats(), ", ") + `, each also with .gz. With -o - the rows
go to standard output as JSON Lines, or as --format says.

Without --order-by the rows come in the order of creation, and the export proves
that none was missed although others write meanwhile: each record that did not
change is in the file exactly once. Where that cannot be proved the
file is written, its manifest says why, and the exit code is 5.

FILE appears whole or not at all; one that exists is left alone without
--overwrite. FILE.manifest.json beside it tells what is in it: rows, sha256,
filter, order, columns, the server's time, complete or not. --min-rows and
--max-shrink keep an empty or shrunken answer from replacing a good file.

--since sees rows that were created, not those that were changed or deleted: the
API does not say when a record was changed. A copy that is kept up to date with
--since alone goes stale; a full export does not.`,
		Example: `  flytt export -o kontakter.csv --sandbox
  flytt export -o kontakter.csv.gz --overwrite --min-rows 1000 --max-shrink 10%
  flytt export -o ab.jsonl --where 'name__icontains=AB' --where 'email__isnull!=true'
  flytt export -o nya.csv --since 2026-11-01 --select name,email,phone_number
  flytt export -o - --limit 10 | jq .name`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.oneStdout(); err != nil {
				return err
			}
			return a.do(c.Context(), run.Export, f.spec, &f.watch)
		},
	}
	f.addCommon(c)
	addPlace(c, &f.spec.Place)
	addList(c, &f.spec.List, &f.spec.Write)
	f.addOutput(c, "FILE", "the format")
	s, x := c.Flags(), &f.spec.Export
	s.StringVarP(&f.spec.Mapping, "mapping", "m", "", "mapping `FILE`: which columns the file gets, from which fields (default: all fields)")
	s.StringVar(&x.Select, "select", "", "`COLUMNS` to write, in this order, or with a minus those to leave out: name,email or -tags")
	s.BoolVar(&x.Extra, "extra", false, "keep members that the resource does not describe, in a last column "+sources.ExtraColumn+" (jsonl keeps them anyway)")
	s.Int64Var(&x.MinRows, "min-rows", 0, "do not write FILE if fewer than `N` rows come (exit 5)")
	s.StringVar(&x.MaxShrink, "max-shrink", "", "do not replace FILE if it would lose more than `P%` of its rows (exit 5)")
	c.MarkFlagsMutuallyExclusive("mapping", "select")
	return c
}
