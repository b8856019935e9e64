package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sources"
)

// export is one run of the verb: from the list of a resource to a file.
type export struct {
	*job
	api       connection
	list      listFlags
	file      sinks.FileOptions
	out       string
	selection string
	extra     bool
	minRows   int64
	maxShrink string

	asked    *list.Query
	columns  []sources.Column
	rows     *list.Rows
	sink     pipeline.Sink
	shrink   float64          // share of the rows that may be gone, in percent; below 0: not looked at
	manifest report.Manifest  // of this export
	last     *report.Manifest // of the file that is there; nil: there is none
}

func exportCommand(a *app) *cobra.Command {
	e := &export{job: &job{app: a, verb: "export"}, file: sinks.FileOptions{Stdout: a.stdout}}
	c := &cobra.Command{
		Use:   "export -o FILE",
		Short: "Write the rows of the API to a file",
		Long: `export reads the list of a resource, page by page, and writes it to FILE, whose
extension says the format: ` + strings.Join(sinks.Formats(), ", ") + `, each also with .gz. With -o - the rows
go to standard output as JSON Lines, or as --format says.

Without --order-by the rows come in the order in which they were made, and the
export proves that none was missed though others write meanwhile: each record
that stood still is in the file exactly once. Where that cannot be proved the
file is written, its manifest says why, and the exit code is 5.

FILE appears whole or not at all; one that exists is left alone without
--overwrite. FILE.manifest.json beside it tells what is in it: rows, sha256,
filter, order, columns, the server's time, complete or not. --min-rows and
--max-shrink keep an empty or shrunken answer from replacing a good file.

--since sees rows that were made, not those that were changed or deleted: the
API does not tell when a record was changed. A copy that is kept up by --since
alone goes stale; a full export does not.`,
		Example: `  flytt export -o kontakter.csv --sandbox
  flytt export -o kontakter.csv.gz --overwrite --min-rows 1000 --max-shrink 10%
  flytt export -o ab.jsonl --where 'name__icontains=AB' --where 'email__isnull!=true'
  flytt export -o nya.csv --since 2026-11-01 --select name,email,phone_number
  flytt export -o - --limit 10 | jq .name`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e.prepare, e.target, e.settle = e.ready, e.open, e.settled
			return e.run(c.Context())
		},
	}
	e.flags.addCommon(c)
	e.api.addFlags(c)
	e.list.add(c)
	s := c.Flags()
	s.StringVarP(&e.out, "output", "o", "", "`FILE` to write, - for standard output")
	s.StringVarP(&e.flags.mapping, "mapping", "m", "", "mapping `FILE`: which columns the file gets, from which fields (default: all fields)")
	s.StringVar(&e.selection, "select", "", "`COLUMNS` to write, in this order, or with a minus those to leave out: name,email or -tags")
	s.BoolVar(&e.extra, "extra", false, "keep members that the resource does not describe, in a last column "+sources.ExtraColumn+" (jsonl keeps them anyway)")
	s.BoolVar(&e.file.Overwrite, "overwrite", false, "replace FILE if it exists")
	s.StringVar(&e.file.Format, "format", "", "`NAME` of the format (default: by extension; jsonl for standard output)")
	s.BoolVar(&e.file.Excel, "excel", false, "csv for a Swedish Excel: BOM, semicolons, text kept as text")
	s.BoolVar(&e.file.Nulls, "nulls", false, "jsonl: write fields without a value, as null")
	s.Int64Var(&e.minRows, "min-rows", 0, "do not write FILE if fewer than `N` rows come (exit 5)")
	s.StringVar(&e.maxShrink, "max-shrink", "", "do not replace FILE if it would lose more than `P%` of its rows (exit 5)")
	c.MarkFlagsMutuallyExclusive("mapping", "select")
	return c
}

// ready finds out everything that can be known before anything is asked.
func (e *export) ready() (err error) {
	if err := e.checkExport(); err != nil {
		return err
	}
	if e.settings, err = loadSettings(e.flags.profile); err != nil {
		return err
	}
	if err := e.list.check(e.settings); err != nil {
		return err
	}
	if err := e.readMapping(); err != nil {
		return err
	}
	if err := e.chooseResource(); err != nil {
		return err
	}
	if e.asked, err = e.list.list(e.resource, e.settings); err != nil {
		return err
	}
	return e.bind()
}

func (e *export) checkExport() (err error) {
	if err := e.checkFlags(); err != nil {
		return err
	}
	switch {
	case e.out == "":
		return usagef("-o contacts.csv, or -o - for standard output", "where the rows go is not said; -o FILE says it")
	case e.out == "-" && e.flags.json:
		return usagef("leave one of them out; summary.json in the run directory has the summary", "-o - and --json both want standard output")
	case e.out == "-" && (e.minRows > 0 || e.maxShrink != ""):
		return usagef("write to a file", "--min-rows and --max-shrink keep a file from being replaced, and -o - has none")
	case samePath(e.out, e.flags.runDir):
		return usagef("choose another", "-o and --run-dir are the same")
	case e.minRows < 0:
		return usagef("leave it out for any number", "--min-rows cannot be below 0")
	}
	e.shrink, err = parseShrink(e.maxShrink)
	return err
}

// samePath reports whether a and b name the same place.
func samePath(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

// parseShrink reads P%, or P. Empty is below 0.
func parseShrink(text string) (float64, error) {
	if text == "" {
		return -1, nil
	}
	p, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(p >= 0 && p <= 100) {
		return 0, usagef("give a share of the rows from 0% to 100%: --max-shrink 10%", "--max-shrink %s is no percentage", text)
	}
	return p, nil
}

// bind makes the plan: all fields, those that are selected, or the mapping's
// columns.
func (e *export) bind() (err error) {
	format, err := sinks.FormatOf(e.out, &e.file)
	if err != nil {
		return err
	}
	whole := e.mapping == nil && e.selection == ""
	e.extra = e.extra || whole && format == "jsonl"
	var names []string
	for _, f := range e.resource.Readable() {
		e.columns = append(e.columns, sources.ColumnOf(f.Field, f.Reference))
		names = append(names, f.Name)
	}
	if e.extra {
		names = append(names, sources.ExtraColumn)
	}
	if e.mapping != nil {
		e.file.Flat = true // its names are columns, whatever is in them
		e.plan, err = e.mapping.CompileExport(e.resource, names, mappings.CompileOptions{
			Dir: filepath.Dir(e.flags.mapping), Identity: identity.Rules{Today: e.started},
		})
		return err
	}
	sel, err := selection(e.selection)
	if err != nil {
		return err
	}
	e.plan, err = mappings.ExportPlan(e.resource, names, sel)
	if err != nil {
		message, hint := split(err)
		return usage(errors.New("--select: "+message), hint)
	}
	return nil
}

// open gets at the API and opens the output.
func (e *export) open(context.Context, *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
	none := pipeline.ChunkLimits{}
	if e.out != "-" {
		if err := report.CheckManifest(e.out); err != nil {
			return nil, none, usage(err, "move it away, or write to another file")
		}
	}
	if err := e.compare(); err != nil {
		return nil, none, err
	}
	e.closers = append(e.closers, e.api.close)
	e.api.drain = e.drain
	client, err := e.api.open(e.settings, e.log)
	if err != nil {
		return nil, none, err
	}
	e.host = e.api.host(client)
	e.describe()
	if e.last != nil && !e.last.SameQuery(&e.manifest) {
		return nil, none, usagef("leave --max-shrink out this once; then it compares with what is written now",
			"%s: the last export of this file asked something else, so --max-shrink has nothing to compare with", e.out)
	}
	e.rows = list.Open(client, e.asked, e.list.rowsOptions(e.resource, e.settings))
	e.source = sources.NewList(e.rows, e.columns, sources.ListOptions{Extra: e.extra})
	e.closers = append(e.closers, e.source.Close)
	e.file.Check, e.file.Sum = e.enough, true
	e.file.Metadata = map[string]string{
		"flytt.filter": strings.Join(e.manifest.Filter, "&"), "flytt.search": e.manifest.Search, "flytt.order": strings.Join(e.manifest.Order, ","),
	}
	sink, limits, err := e.fileSink(e.out, &e.file)
	e.sink = sink
	return sink, limits, err
}

// compare reads the manifest of the file that is there.
func (e *export) compare() (err error) {
	if e.shrink < 0 {
		return nil
	}
	e.last, err = report.ReadManifest(e.out)
	if err != nil {
		return usage(err, "move the manifest away to export without comparing")
	}
	if e.last == nil {
		e.log.Warn("no manifest of an earlier export lies beside the file, so --max-shrink has nothing to compare with")
	}
	return nil
}

// describe fills in what the manifest tells of the question.
func (e *export) describe() {
	m := &e.manifest
	m.File, m.Run, m.Tool = filepath.Base(e.out), e.dir.ID, "flytt "+buildVersion()
	m.Target, m.Tenant, m.Resource = e.host, e.api.customer, e.resource.Name
	m.Filter, m.Search, m.Order, m.Limit = e.asked.Filters(), e.asked.SearchText(), e.asked.Order(), e.list.limit
	if len(m.Order) == 0 {
		m.Order = e.list.natural(e.resource)
	}
	m.Started = report.Timestamp(e.started)
	for _, f := range e.plan.Schema().Fields {
		m.Columns = append(m.Columns, report.ManifestColumn{Name: f.Name, Type: f.Type.String()})
	}
	if e.mapping != nil {
		text, err := e.usedMapping()
		if err == nil {
			sum := sha256.Sum256(text)
			m.Mapping, m.MappingSum = filepath.Base(e.flags.mapping), hex.EncodeToString(sum[:])
		}
	}
}

// enough refuses to write a file of too few rows.
func (e *export) enough() error {
	n := e.counts.Written
	if n < e.minRows {
		return &advice.UncertainError{
			Err:    fmt.Errorf("%s: not written: %s came, and --min-rows is %s", e.out, text.Counted(n, "row"), text.Number(e.minRows)),
			Advice: "see whether the API shows everything; the file that was there stands",
		}
	}
	if e.last == nil || e.last.Rows == 0 {
		return nil
	}
	lost := 100 * float64(e.last.Rows-n) / float64(e.last.Rows)
	if lost <= e.shrink {
		return nil
	}
	return &advice.UncertainError{
		Err: fmt.Errorf("%s: not replaced: %s came, %.1f%% fewer than the %s of the last export, and --max-shrink is %s",
			e.out, text.Counted(n, "row"), lost, text.Number(e.last.Rows), e.maxShrink),
		Advice: "see whether the API shows everything; the file that was there stands",
	}
}

// settled writes the manifest of a file that was written, and says whether the
// export is proved complete.
func (e *export) settled(result *pipeline.Report, err error) error {
	account := e.rows.Account()
	e.note(&account)
	if err != nil {
		return err
	}
	e.summary.List = listed(&account)
	if e.out != "-" {
		if err := e.writeManifest(result, &account); err != nil {
			return err
		}
	}
	if account.Complete {
		return nil
	}
	return &advice.UncertainError{Err: fmt.Errorf("the export is not proved complete: %s", account.Doubt), Advice: "the rows that came are written; " + account.Hint}
}

// listed is what a summary tells of a list.
func listed(a *list.Account) *report.List {
	return &report.List{Complete: a.Complete, Doubt: a.Doubt, Requests: a.Requests, Duplicates: a.Duplicates, Drifts: a.Drifts}
}

// note tells what was noticed about the list.
func (e *export) note(a *list.Account) {
	e.log.Debug("list read", "rows", a.Rows, "requests", a.Requests, "pages", a.Pages, "duplicates", a.Duplicates,
		"drifts", a.Drifts, "complete", a.Complete)
	notes := slices.Clone(a.Notes)
	if a.Duplicates > 0 {
		notes = append(notes, text.Number(a.Duplicates)+" records came more than once and were written once")
	}
	if a.Drifts > 0 {
		notes = append(notes, "the list changed while it was read; what moved was read again "+text.Number(a.Drifts)+" times")
	}
	e.summary.Notes = append(e.summary.Notes, notes...)
	if e.flags.quiet || e.flags.json {
		return
	}
	for _, text := range notes {
		e.say("note: %s\n", text)
	}
}

func (e *export) writeManifest(result *pipeline.Report, a *list.Account) error {
	m := &e.manifest
	m.Rows, m.Duplicates, m.Drifts, m.Requests = result.Rows.Written, a.Duplicates, a.Drifts, a.Requests
	m.Complete, m.Doubt, m.First, m.Last = a.Complete, a.Doubt, a.First, a.Last
	m.ServerTime = report.Timestamp(a.ServerTime)
	if s, ok := e.sink.(sinks.Summed); ok {
		sum, size := s.Sum()
		m.SHA256, m.Bytes = hex.EncodeToString(sum[:]), size
	}
	e.files = map[string]string{"output": e.output}
	if err := m.Write(e.out); err != nil {
		return err
	}
	e.files["manifest"] = report.ManifestPath(e.output)
	return nil
}
