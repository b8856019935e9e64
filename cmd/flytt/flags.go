package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flytt/internal/run"
)

// specFlags are the flags of a verb that runs something, and the spec that they make.
type specFlags struct {
	spec  run.Spec
	watch watchFlags
}

func newSpecFlags() *specFlags { return &specFlags{spec: run.Defaults()} }

// addFile adds the flags of a verb that reads a file.
func (f *specFlags) addFile(c *cobra.Command) {
	f.addCommon(c)
	s := c.Flags()
	s.StringVarP(&f.spec.Mapping, "mapping", "m", "", "mapping `FILE`: how columns become fields (default: guessed from the headers)")
	addInputFlags(c, &f.spec.Input)
	s.StringVar(&f.spec.MaxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: never)")
}

// addCommon adds the flags of every verb that moves rows.
func (f *specFlags) addCommon(c *cobra.Command) {
	f.watch.add(c)
	s := c.Flags()
	s.StringVar(&f.spec.Resource, "resource", "", "`NAME` of the resource (default: the mapping's, or the only one there is)")
	f.addRunDir(c, "the run")
	s.StringVar(&f.spec.Profile, "profile", "", "`NAME` of a profile in flytt.yaml")
}

// addRunDir adds the flag that says where the files of a run go, which what names.
func (f *specFlags) addRunDir(c *cobra.Command, what string) {
	c.Flags().StringVar(&f.spec.RunDir, "run-dir", "", "new or empty `DIR` for the files of "+what+" (default: flytt-runs/<id>)")
}

// addMoved adds the flag that says where the input of an earlier run is now.
func (f *specFlags) addMoved(c *cobra.Command) {
	c.Flags().StringVar(&f.spec.Earlier.Input, "input", "", "`PATH` of the input of the run, if it was moved or renamed; its content must be the same")
}

// addInputFlags adds the flags that say how a file is read.
func addInputFlags(c *cobra.Command, in *run.Input) {
	s := c.Flags()
	s.StringVar(&in.Encoding, "encoding", "", "text encoding `NAME` (default: detected)")
	s.StringVarP(&in.Delimiter, "delimiter", "d", "", "`CHAR` between cells, or tab (default: detected)")
	s.IntVar(&in.HeaderRow, "header-row", 0, "`LINE` or sheet row of the header (default: detected)")
	s.StringVar(&in.Sheet, "sheet", "", "sheet of a workbook, by `NAME` or number from 1, -1 being the last (default: the first that shows)")
	s.BoolVar(&in.SkipHidden, "skip-hidden", false, "leave hidden rows of a sheet out")
}

// addRecords adds the flags that say what rows do to records that exist.
func (f *specFlags) addRecords(c *cobra.Command) {
	s, change := c.Flags(), &f.spec.Change
	s.StringVar(&change.Mode, "mode", "", "`MODE`: create makes every row a new record, update changes the record of every row, upsert does what applies (default: rows with an id change their record, the others are new)")
	s.StringVar(&change.Key, "key", "", "`FIELD` that identifies a row; update and upsert find the record of a row without an id by it (default: the mapping's key)")
	s.BoolVar(&change.SkipExisting, "skip-existing", false, "skip rows whose key the API already has (looked up before they are sent)")
	s.BoolVar(&change.WriteNulls, "write-nulls", false, "an empty cell clears the field of the record it changes (default: it leaves the field alone)")
	s.StringVar(&f.spec.Duplicates, "duplicates", "", "`POLICY` for duplicate rows of the file: reject all of them, accept the first or the last, or allow them with a warning; for all of key, ssn, org_no and email, or as key=first,email=allow (default: key=reject, the others allow)")
}

// addRows adds the flags that say how rows are sent, which all processes that
// work on a run share.
func (f *specFlags) addRows(c *cobra.Command) {
	s, w := c.Flags(), &f.spec.Write
	s.IntVar(&w.ChunkRows, "chunk-rows", 0, fmt.Sprintf("`ROWS` in a request (default %d; %d where rows may change records)", run.DefaultChunkRows, run.DefaultChangeRows))
	s.BoolVar(&w.Stamp, "stamp", false, "write a key into each row that has none, so that its record can always be looked up; the same row of the same file gets the same key")
	s.StringVar(&w.Like, "like", "", "`RUN`, an earlier import of about the same file: a value that the API stored in another form for that run is no difference now")
	s.BoolVar(&w.Undoable, "undoable", true, "keep the values of records before they are changed, so that flytt undo can restore it (--undoable=false: do not)")
	s.StringSliceVar(&w.UndoRecipients, "undo-recipient", nil, "`KEY` (age1…) that alone can read what is kept for undo; repeatable (default: whoever can read the journal)")
}

// addPace adds the flags that say how fast and how patiently rows are written:
// each process that works on a run may have its own.
func (f *specFlags) addPace(c *cobra.Command) {
	s, w := c.Flags(), &f.spec.Write
	s.IntVar(&w.Concurrency, "concurrency", 0, fmt.Sprintf("at most `N` requests at once; fewer while the API asks for it (default %d)", run.DefaultConcurrency))
	s.Float64Var(&w.Rate, "rate", 0, "at most `N` requests per second (default: no limit)")
	s.DurationVar(&w.Settle, "settle", run.DefaultSettle, "`TIME` after which the API no longer works on a request; rows in doubt are looked up then")
	s.DurationVar(&w.GiveUpAfter, "give-up-after", run.DefaultGiveUpAfter, "`TIME` to wait for an API that does not answer, before the run stops (it can be resumed)")
}

// addReadPace adds the flags that say how fast and how patiently is read.
func (f *specFlags) addReadPace(c *cobra.Command) {
	s, w := c.Flags(), &f.spec.Write
	s.IntVar(&w.Concurrency, "concurrency", 0, "requests at once (default 4)")
	s.Float64Var(&w.Rate, "rate", 0, "at most `N` requests per second (default: no limit)")
	s.DurationVar(&w.GiveUpAfter, "give-up-after", run.DefaultGiveUpAfter, "`TIME` to wait for an API that does not answer")
}

// addPlace adds the flags that say where the API is.
func addPlace(c *cobra.Command, p *run.Place) {
	c.Flags().StringVar(&p.BaseURL, "base-url", "", "the API: prod, dev or a `URL`")
	c.Flags().BoolVar(&p.Sandbox, "sandbox", false, "use a sandbox on this machine, kept in "+run.SandboxDB)
}

func addYes(c *cobra.Command, p *run.Place) {
	c.Flags().BoolVar(&p.Yes, "yes", false, "do not ask before writing")
}

// addList adds the flags that say what is asked of a list, and how.
func addList(c *cobra.Command, l *run.List, w *run.Write) {
	s := c.Flags()
	s.StringArrayVar(&l.Where, "where", nil, "`FILTER` that rows meet, as the API takes it: name__icontains=AB, or negated name__icontains!=AB; may be repeated")
	s.StringArrayVar(&l.OrderBy, "order-by", nil, "`FIELDS` to sort by, with a minus for descending: name,-created_at (default: the order of creation)")
	s.StringVar(&l.Search, "search", "", "`TEXT` for the API to search for")
	s.StringVar(&l.Since, "since", "", "only rows created at `DATE` or later (2026-11-01, or with a time: 2026-11-01T08:00:00+01:00); sees neither changes nor deletions")
	s.Int64Var(&l.Limit, "limit", 0, "`N` rows at most (default: all)")
	s.IntVar(&l.PageSize, "page-size", run.DefaultPageSize, "`N` rows to ask for at a time")
	s.IntVar(&w.Concurrency, "concurrency", 0, fmt.Sprintf("`N` requests at once (default %d)", run.DefaultConcurrency))
	s.Float64Var(&w.Rate, "rate", 0, "at most `N` requests per second (default: no limit)")
}

// over sets in spec, which an earlier run has, the flags that were given to c.
func (f *specFlags) over(spec *run.Spec, c *cobra.Command) (err error) {
	c.Flags().Visit(func(g *pflag.Flag) {
		texts := []string{g.Value.String()}
		if list, ok := g.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		}
		_, setErr := spec.SetFlag(g.Name, texts)
		err = errors.Join(err, setErr)
	})
	if f.spec.File != "" {
		spec.File = f.spec.File
	}
	spec.RunDir, spec.Earlier.Input, spec.Earlier.Again = f.spec.RunDir, f.spec.Earlier.Input, f.spec.Earlier.Again
	spec.Write.Identity = f.spec.Write.Identity
	return err
}

func (f *specFlags) addImport(c *cobra.Command) {
	f.addFile(c)
	f.addRecords(c)
	f.addRows(c)
	f.addPace(c)
	addPlace(c, &f.spec.Place)
	addYes(c, &f.spec.Place)
}

// addOutput adds the flags that say how a file, which the help calls file, is written in
// what it calls format.
func (f *specFlags) addOutput(c *cobra.Command, file, format string) {
	s, o := c.Flags(), &f.spec.Output
	s.StringVarP(&o.Path, "output", "o", "", "`FILE` to write, - for standard output")
	s.BoolVar(&o.Overwrite, "overwrite", false, "replace "+file+" if it exists")
	s.StringVar(&o.Format, "format", "", "`NAME` of "+format+" (default: by extension; jsonl for standard output)")
	s.BoolVar(&o.Excel, "excel", false, "csv for a Swedish Excel: BOM, semicolons, text kept as text")
	s.BoolVar(&o.Nulls, "nulls", false, "jsonl: write fields without a value, as null")
}

// oneStdout refuses to print rows and a summary to the same place.
func (f *specFlags) oneStdout() error {
	if f.spec.Output.Path == "-" && f.watch.json {
		return usagef("leave one of them out; summary.json in the run directory has the summary", "-o - and --json both want standard output")
	}
	return nil
}
