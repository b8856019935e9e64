package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/internal/run"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

// What an import does unless it is told otherwise.
const (
	defaultChunkRows   = 500
	defaultChangeRows  = 100
	defaultConcurrency = 4
	mostConcurrency    = 64
	mostChunkRows      = 100_000
)

// How long the API is waited for, unless it is said.
const (
	defaultSettle      = 30 * time.Second
	defaultGiveUpAfter = 10 * time.Minute
)

// writing is how rows get to the API: the flags of import alone, and what is made
// of them.
type writing struct {
	chunkRows   int
	concurrency int
	rate        float64
	settle      time.Duration // after which the API is not working on a request any more
	giveUpAfter time.Duration
	stamp       bool   // rows without a key get one
	parent      string // directory of the run that this one belongs to

	like   string           // an earlier run: what the API made of its values is no difference; empty: there is none
	stored *run.StoredPairs // what that has on record; nil: there is no such run, or it is not opened

	retry *run.RetrySelection // of the rows, which another run rejected; nil: they are the run's own

	past *journal.Header // of the run whose rows are gone over again; nil: the rows are the run's own

	plan     string   // directory of the plan that is applied; empty: there is none
	planCopy planCopy // of the plan that is made

	undoable       bool     // what records held before they are changed is kept
	undoRecipients []string // who can read that: age1…; none: whoever can read the journal
	identity       string   // file of the identities that an undo opens it with; empty: none

	connection connection

	client  *api.Client
	journal *journal.Journal
	doubts  doubts // of the pass: what can be done about rows in doubt
}

// doubts says of the rows that a sink leaves in doubt what can be done about them.
type doubts interface {
	Resolvable() bool // by another pass
	Settles() bool    // at all
}

func importCommand(a *app) *cobra.Command {
	c, _ := newImport(a)
	return c
}

// newImport returns the verb, and the job that it does.
func newImport(a *app) (*cobra.Command, *job) {
	w := &writing{}
	j := &job{app: a, verb: "import", change: &change{}, duplicates: &duplicates{}, writing: w}
	j.target = func(context.Context, *job) (pipeline.Sink, pipeline.ChunkLimits, error) { return j.bulkSink() }
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
machine that keeps its rows in ` + sandboxDB + `.`,
		Example: `  flytt import kontakter.csv -m mapping.yaml --sandbox
  flytt import kontakter.csv -m mapping.yaml --dry-run
  flytt import kontakter.csv -m mapping.yaml --profile prod --max-rejects 2%
  flytt export -o contacts.csv && flytt import contacts.csv
  flytt import contacts.csv --mode update --write-nulls
  flytt import register.csv -m mapping.yaml --mode upsert --key custom_id
  flytt import register.csv -m mapping.yaml --mode upsert --like 20261124-021500-3fa9c1`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			j.file = args[0]
			if err := j.findLike(); err != nil {
				return err
			}
			if dryRun {
				j.verb, j.target, j.writing = "validate", nil, nil
			}
			return j.run(c.Context())
		},
	}
	j.flags.add(c)
	j.change.addFlags(c)
	j.duplicates.addFlag(c)
	w.addRowFlags(c)
	w.addFlags(c)
	w.connection.addFlags(c)
	w.connection.addYes(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "send nothing: the same as validate")
	return c, j
}

// addRowFlags adds the flags that say how rows are sent, which all processes that
// work on a run share.
func (w *writing) addRowFlags(c *cobra.Command) {
	s := c.Flags()
	s.IntVar(&w.chunkRows, "chunk-rows", 0, fmt.Sprintf("`ROWS` in a request (default %d; %d where rows may change records)", defaultChunkRows, defaultChangeRows))
	s.BoolVar(&w.stamp, "stamp", false, "write a key into each row that has none, so that what becomes of it can always be looked up: the same for the same row of the same file")
	s.StringVar(&w.like, "like", "", "`RUN`, an earlier import of about the same file: what a record holds because the API stored a value of that run so is no difference to that value now")
	s.BoolVar(&w.undoable, "undoable", true, "keep what records hold before they are changed, so that flytt undo can restore it (--undoable=false: do not)")
	s.StringSliceVar(&w.undoRecipients, "undo-recipient", nil, "`KEY` (age1…) that alone can read what is kept for undo; repeatable (default: who can read the journal)")
}

// addFlags adds the flags that say how fast and how patiently rows are written:
// each process that works on a run may have its own.
func (w *writing) addFlags(c *cobra.Command) {
	s := c.Flags()
	s.IntVar(&w.concurrency, "concurrency", 0, fmt.Sprintf("requests under way at once, at most `N`; fewer while the API asks for it (default %d)", defaultConcurrency))
	s.Float64Var(&w.rate, "rate", 0, "at most `N` requests per second (default: no limit)")
	s.DurationVar(&w.settle, "settle", defaultSettle, "`TIME` after which the API is not working on a request any more; rows in doubt are looked up then")
	s.DurationVar(&w.giveUpAfter, "give-up-after", defaultGiveUpAfter, "`TIME` to wait for an API that does not answer, before the run stops (it can be resumed)")
}

// bulkSink makes the sink of a pass. Before the first it connects to the API, asks
// whether to go on, and begins the journal.
func (j *job) bulkSink() (pipeline.Sink, pipeline.ChunkLimits, error) {
	var limits pipeline.ChunkLimits
	if j.pass == 1 {
		if err := j.connect(); err != nil {
			return nil, limits, err
		}
	}
	o, err := j.bulkOptions()
	if err != nil {
		return nil, limits, err
	}
	return j.importSink(o)
}

// importSink returns the sink of an import with o.
func (j *job) importSink(o bulk.Options) (pipeline.Sink, pipeline.ChunkLimits, error) {
	sink, err := bulk.NewImport(j.writing.client, j.plan.Schema(), o)
	if err != nil {
		return nil, pipeline.ChunkLimits{}, err
	}
	j.writing.doubts = sink
	return sink, j.writeLimits(sink), nil
}

// bulkOptions says how the rows of the run are written.
func (j *job) bulkOptions() (o bulk.Options, err error) {
	w := j.writing
	o = bulk.Options{
		Path: j.resource.Path + "list/", Key: j.plan.Key(), Columns: j.plan.Columns(), Log: j.log, Drain: j.drain,
		Created: created(j.resource), Journal: withFailpoints(w.journal), Settle: w.settle, Shared: j.duplicates.shared, Undoable: w.undoable,
	}
	if w.stored != nil {
		o.Like = w.stored
	}
	if w.journal != nil {
		o.Began = w.journal.Header().Began
		if o.Created != "" {
			o.Strays, o.Sought = j.unmatched, j.soughtByKey()
		}
	}
	if w.retry != nil && !w.retry.Began.IsZero() {
		o.Began, o.LookFirst = w.retry.Began, w.retry.Conflict.Has
	}
	if o.SealImage, err = sealFor(w.undoRecipients); err != nil {
		return o, err
	}
	if err = j.change.options(j.resource, j.plan, j.source.Columns(), &o); err != nil {
		return o, err
	}
	if o.Atomicity, err = bulk.ParseAtomicity(cmp.Or(j.settings.Bulk.Atomicity, "unknown")); err != nil {
		return o, usage(err, "bulk.atomicity in flytt.yaml, or FLYTT_BULK_ATOMICITY, is all, partial or unknown")
	}
	return o, nil
}

// soughtByKey reports whether an earlier pass has looked rows in doubt up by their keys. The
// first pass of a run that is begun has none yet.
func (j *job) soughtByKey() bool { return j.pass > 2 || j.pass == 2 && j.recorded != nil }

// writeLimits is chunkLimits for rows that go to the API in bulk. One chunk more than
// there are requests at once is on its way: it is put on record, which takes a sync of
// the disk, while the others are answered. Not where chunks are to go one by one.
func (j *job) writeLimits(sink *bulk.Import) pipeline.ChunkLimits {
	limits := j.chunkLimits(sink.Recall)
	if limits.InFlight > 1 && sink.Ahead() {
		limits.InFlight++
	}
	return limits
}

// chunkLimits says how rows are gathered for the API. Recall, which may be nil, is
// that of the limits.
func (j *job) chunkLimits(recall func(*pipeline.Chunk) error) pipeline.ChunkLimits {
	return pipeline.ChunkLimits{InFlight: j.settings.Concurrency, Rows: j.settings.ChunkRows, SkipPartial: true, Replay: recall}
}

// connect gets at the API, asks whether rows may be written, and begins the
// journal.
func (j *job) connect() error {
	if err := j.reach(); err != nil {
		return err
	}
	if err := j.openLike(); err != nil {
		return err
	}
	return j.consent()
}

// consent asks whether rows may be written, unless the run was begun before, and
// begins the journal.
func (j *job) consent() error {
	if j.recorded == nil {
		if err := j.confirm(&j.writing.connection, j.writing.client); err != nil {
			return err
		}
	}
	return j.beginJournal()
}

// reach gets at the API.
func (j *job) reach() (err error) {
	w := j.writing
	if err := j.settings.overlayImport(w, j.change.chunkRows(j.plan)); err != nil {
		return err
	}
	w.connection.giveUpAfter, w.connection.drain = w.giveUpAfter, j.drain
	j.closers = append(j.closers, w.connection.close)
	if w.client, err = w.connection.open(j.settings, j.log); err != nil {
		return err
	}
	j.host = w.connection.host(w.client)
	return nil
}

// overlayImport lays the flags over the settings, and the defaults below them.
func (s *settings) overlayImport(w *writing, chunkRows int) error {
	overlay(&s.ChunkRows, w.chunkRows)
	if s.ChunkRows == 0 {
		s.ChunkRows = chunkRows
	}
	if s.ChunkRows < 1 || s.ChunkRows > mostChunkRows {
		return usagef(fmt.Sprintf("it is from 1 to %d", mostChunkRows), "--chunk-rows %d is out of range", s.ChunkRows)
	}
	if w.settle < 0 || w.giveUpAfter <= 0 {
		return usagef("--settle 30s --give-up-after 10m", "--settle and --give-up-after are times, and not below 0")
	}
	return s.overlayRequests(w.concurrency, w.rate)
}

// confirm asks before rows go to a host that is not this machine, if there is
// somebody to ask.
func (j *job) confirm(n *connection, client *api.Client) error {
	if !n.needsConsent(client) || j.file == "-" || !j.canAsk() {
		return nil
	}
	question := j.change.question(j.file, n.place(client))
	switch j.verb {
	case "undo":
		question = undoQuestion(j.writing.parent, n.place(client))
	case "apply":
		question = applyQuestion(j.writing.plan, n.place(client))
	}
	return j.agreed(question, "written", "--yes writes without asking")
}
