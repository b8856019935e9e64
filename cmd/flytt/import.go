package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"flytt/internal/api"
	"flytt/pipeline"
	"flytt/sinks"
)

// What an import does unless it is told otherwise.
const (
	defaultChunkRows   = 500
	defaultChangeRows  = 100
	defaultConcurrency = 4
	mostConcurrency    = 64
	mostChunkRows      = 100_000
)

// importFlags are the flags of import alone.
type importFlags struct {
	chunkRows   int
	concurrency int
	rate        float64
	connection  connection
}

func importCommand(a *app) *cobra.Command {
	j := &job{app: a, verb: "import", change: &change{}}
	var f importFlags
	var dryRun bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Send the valid rows of a file to the API, and list the others with their reasons",
		Long: `import reads FILE (- is standard input), maps its columns to the fields of the
resource, holds every row against the rules, and sends the valid ones to the API
in chunks. The run directory tells what became of each row: written.csv (row,
key, id, created or updated), rejects.csv (the row and all that is wrong with
it), in_doubt.csv (sent, and no answer shows whether it arrived). Nothing in
doubt is sent again.

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

The API and the credentials come from the environment or flytt.yaml:
FLYTT_BASE_URL (prod, dev or a URL), FLYTT_CUSTOMER_ID, FLYTT_APPLICATION_ID,
FLYTT_SERVICE_ID, FLYTT_SERVICE_VERSION_ID, FLYTT_CLIENT_CT, FLYTT_CLIENT_ENTITY,
FLYTT_CLIENT_SECRET. --sandbox needs none of them: it sends to an API on this
machine that keeps its rows in ` + sandboxDB + `.`,
		Example: `  flytt import kontakter.csv -m mapping.yaml --sandbox
  flytt import kontakter.csv -m mapping.yaml --dry-run
  flytt import kontakter.csv -m mapping.yaml --profile prod --max-rejects 2%
  flytt export -o contacts.csv && flytt import contacts.csv
  flytt import contacts.csv --mode update --write-nulls
  flytt import register.csv -m mapping.yaml --mode upsert --key custom_id`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			j.file = args[0]
			if dryRun {
				j.verb = "validate"
				return j.run(c.Context())
			}
			j.target = func(ctx context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
				return j.bulkSink(&f)
			}
			return j.run(c.Context())
		},
	}
	j.flags.add(c)
	j.change.addFlags(c)
	c.Flags().IntVar(&f.chunkRows, "chunk-rows", 0, fmt.Sprintf("`ROWS` in a request (default %d; %d where rows may change records)", defaultChunkRows, defaultChangeRows))
	c.Flags().IntVar(&f.concurrency, "concurrency", 0, fmt.Sprintf("requests under way at once, `N` (default %d)", defaultConcurrency))
	c.Flags().Float64Var(&f.rate, "rate", 0, "at most `N` requests per second (default: no limit)")
	f.connection.addFlags(c)
	f.connection.addYes(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "send nothing: the same as validate")
	return c
}

// bulkSink connects to the API and asks whether to go on.
func (j *job) bulkSink(f *importFlags) (pipeline.Sink, pipeline.ChunkLimits, error) {
	var limits pipeline.ChunkLimits
	if err := j.settings.overlayImport(f, j.change.chunkRows(j.plan)); err != nil {
		return nil, limits, err
	}
	o := sinks.BulkOptions{Path: j.resource.Path + "list/", Key: j.plan.Key(), Columns: j.plan.Columns(), Log: j.log}
	if err := j.change.options(j.resource, j.plan, j.source.Columns(), &o); err != nil {
		return nil, limits, err
	}
	j.closers = append(j.closers, f.connection.close)
	client, err := f.connection.open(j.settings, j.log)
	if err != nil {
		return nil, limits, err
	}
	j.host = f.connection.host(client)
	if err := j.confirm(&f.connection, client); err != nil {
		return nil, limits, err
	}
	o.Atomicity, err = sinks.ParseAtomicity(cmp.Or(j.settings.Bulk.Atomicity, "unknown"))
	if err != nil {
		return nil, limits, usage(err, "bulk.atomicity in flytt.yaml, or FLYTT_BULK_ATOMICITY, is all, partial or unknown")
	}
	sink, err := sinks.NewBulk(client, j.plan.Schema(), o)
	if err != nil {
		return nil, limits, err
	}
	j.repeatable = sink.Repeatable
	return sink, pipeline.ChunkLimits{InFlight: j.settings.Concurrency, Rows: j.settings.ChunkRows}, nil
}

// overlayImport lays the flags over the settings, and the defaults below them.
func (s *settings) overlayImport(f *importFlags, chunkRows int) error {
	overlay(&s.ChunkRows, f.chunkRows)
	if s.ChunkRows == 0 {
		s.ChunkRows = chunkRows
	}
	if s.ChunkRows < 1 || s.ChunkRows > mostChunkRows {
		return usagef(fmt.Sprintf("it is from 1 to %d", mostChunkRows), "--chunk-rows %d is out of range", s.ChunkRows)
	}
	return s.overlayRequests(f.concurrency, f.rate)
}

// confirm asks before rows go to a host that is not this machine, if there is
// somebody to ask.
func (j *job) confirm(n *connection, client *api.Client) error {
	if !n.needsConsent(client) || j.file == "-" || !j.canAsk() {
		return nil
	}
	if j.ask(j.change.question(j.file, n.place(client))) {
		return nil
	}
	return usagef("--yes writes without asking", "nothing was written: the question was not answered with yes")
}
