package main

import (
	"github.com/spf13/cobra"

	"flytt/internal/run"
)

func importCommand(a *app) *cobra.Command {
	f := newSpecFlags()
	var dryRun bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Send the valid rows of a file to the API, and list the others with their reasons",
		Long: `import reads FILE (- is standard input), maps its columns to the fields of the
resource, holds every row against the rules, and sends the valid ones to the API
in chunks. The run directory tells what became of each row: written.csv (row,
key, id, created or updated), rejects.csv (the row and all that is wrong with
it), in_doubt.csv (sent, and no answer shows whether it arrived). Nothing in
doubt is sent again before a look into the API has shown that it is not there.
Its journal says what was sent before it is: flytt resume goes on with a run
that was interrupted, stopped or killed.

A row with an id, as in a file that flytt export wrote, is compared with the
record that has it: what differs, and nothing else, is sent; a record that holds
the same is left alone and the row counts as unchanged. A row without an id
becomes a new record. --mode says otherwise: create makes every row a new record,
update changes the record of every row, upsert does what applies; update and
upsert find the record of a row without an id by its key: that of the mapping, or
--key. A row whose record is not there, or whose key several records have, is
rejected: nothing is guessed. An empty cell leaves the field of a record alone,
unless --write-nulls clears it. Without a mapping file a cell that is just what
the record holds is no change, in whatever form or however wrong it is; one that
was edited is converted and held against the rules. A run that only changes
records can be repeated safely.

Where the API stores values in another form than it is sent them, each import of
the same file finds the same differences. --like RUN, an earlier import, knows
from its journal what the API makes of each value: where a record holds that,
nothing is sent. compare in flytt.yaml says the same of a field, once for all:
compare: {email: lower}.

The API and the credentials come from the environment or flytt.yaml:
FLYTT_BASE_URL (prod, dev or a URL), FLYTT_CUSTOMER_ID, FLYTT_APPLICATION_ID,
FLYTT_SERVICE_ID, FLYTT_SERVICE_VERSION_ID, FLYTT_CLIENT_CT, FLYTT_CLIENT_ENTITY,
FLYTT_CLIENT_SECRET. --sandbox needs none of them: it sends to an API on this
machine that keeps its rows in ` + run.SandboxDB + `.`,
		Example: `  flytt import kontakter.csv -m mapping.yaml --sandbox
  flytt import kontakter.csv -m mapping.yaml --dry-run
  flytt import kontakter.csv -m mapping.yaml --profile prod --max-rejects 2%
  flytt export -o contacts.csv && flytt import contacts.csv
  flytt import contacts.csv --mode update --write-nulls
  flytt import register.csv -m mapping.yaml --mode upsert --key custom_id
  flytt import register.csv -m mapping.yaml --mode upsert --like 20261124-021500-3fa9c1`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			f.spec.File = args[0]
			if dryRun {
				return a.do(c.Context(), run.Validate, f.spec, &f.watch)
			}
			return a.do(c.Context(), run.Import, f.spec, &f.watch)
		},
	}
	f.addImport(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "send nothing: the same as validate")
	return c
}
