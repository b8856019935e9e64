package run

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

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sources"
)

// Export writes the records of the API that s.List asks for to s.Output, with a
// manifest beside the file.
func Export(ctx context.Context, s Spec, o Observer) (*Result, error) {
	e := &exporting{session: newSession("export", &s, o), shrink: -1}
	return e.session.do(ctx, e.prepare)
}

// exporting reads a list of the API and writes it to a file.
type exporting struct {
	session *session
	binding *binding
	query   *list.Query
	extra   bool
	columns []sources.Column
	shrink  float64          // share of the rows of the last export that may be missing, in percent; below 0: any
	last    *report.Manifest // of the file that is there; nil: there is none

	rows     *list.Rows
	source   pipeline.Source
	sink     pipeline.Sink
	manifest report.Manifest
}

// prepare finds out everything that can be known before anything is asked.
func (e *exporting) prepare() (_ *execution, err error) {
	s := e.session
	if err := e.check(); err != nil {
		return nil, err
	}
	if err := s.spec.List.Check(); err != nil {
		return nil, err
	}
	if err := s.settings.CompleteRequests(s.spec.Write.Concurrency, s.spec.Write.Rate); err != nil {
		return nil, err
	}
	if e.binding, err = newBinding(s.spec); err != nil {
		return nil, err
	}
	s.summary.Resource = e.binding.resource.Name
	if e.query, err = s.spec.List.Query(e.binding.resource, &s.settings); err != nil {
		return nil, err
	}
	if err := e.bind(); err != nil {
		return nil, err
	}
	return &execution{
		session: s, binding: e.binding, source: e, announce: func() {}, before: func(context.Context) error { return nil },
		steps:  func() []pipeline.Step { return []pipeline.Step{e.binding.plan.Step()} },
		target: target{begin: e.begin, sink: e.open, resolvable: neverResolvable, finish: e.finish, next: e.next},
	}, nil
}

func (e *exporting) check() (err error) {
	s := e.session.spec
	switch x := &s.Export; {
	case s.Output.Path == "":
		return advice.Usagef("-o contacts.csv, or -o - for standard output", "name the output: -o FILE")
	case s.Output.Path == "-" && (x.MinRows > 0 || x.MaxShrink != ""):
		return advice.Usagef("write to a file", "--min-rows and --max-shrink protect a file, and -o - writes none")
	case samePath(s.Output.Path, s.RunDir):
		return advice.Usagef("choose another", "-o and --run-dir are the same")
	case x.MinRows < 0:
		return advice.Usagef("leave it out for any number", "--min-rows cannot be below 0")
	}
	e.shrink, err = parseShrink(s.Export.MaxShrink)
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
		return 0, advice.Usagef("give a share of the rows from 0% to 100%: --max-shrink 10%", "--max-shrink %s is not a percentage", text)
	}
	return p, nil
}

// bind makes the plan: all fields, those that are selected, or the mapping's
// columns.
func (e *exporting) bind() (err error) {
	s, b := e.session.spec, e.binding
	o := s.fileOptions()
	format, err := sinks.FormatOf(s.Output.Path, &o)
	if err != nil {
		return err
	}
	whole := b.mapping == nil && s.Export.Select == ""
	e.extra = s.Export.Extra || whole && format == "jsonl"
	var names []string
	for _, f := range b.resource.Readable() {
		e.columns = append(e.columns, sources.ColumnOf(f.Field, f.Reference))
		names = append(names, f.Name)
	}
	if e.extra {
		names = append(names, sources.ExtraColumn)
	}
	if b.mapping != nil {
		b.plan, err = b.mapping.CompileExport(b.resource, names, b.compileOptions(e.session.started))
		return err
	}
	sel, err := ParseSelect(s.Export.Select)
	if err != nil {
		return err
	}
	if b.plan, err = mappings.ExportPlan(b.resource, names, sel); err != nil {
		message, hint := Explain(err)
		return advice.Usage(errors.New("--select: "+message), hint)
	}
	return nil
}

func (e *exporting) current() pipeline.Source { return e.source }

// reopen is not called: an export has one pass.
func (e *exporting) reopen() error { return errors.New("a list is read once") }

// begin connects to the API, and opens the list.
func (e *exporting) begin(context.Context) error {
	s := e.session
	out := s.spec.Output.Path
	if out != "-" {
		if err := report.CheckManifest(out); err != nil {
			return advice.Usage(err, "move it away, or write to another file")
		}
	}
	if err := e.readLast(); err != nil {
		return err
	}
	conn, err := Connect(s.spec.Place, &s.settings, ConnectOptions{Version: s.spec.Version, Drain: s.observer.Drain, Log: s.log})
	if err != nil {
		return err
	}
	s.closers.add(conn.Close)
	s.summary.Target = conn.Host
	e.describe(conn)
	if e.last != nil && !e.last.SameQuery(&e.manifest) {
		return advice.Usagef("leave --max-shrink out this time; the next export compares with this one",
			"%s: the last export of this file had another query, so --max-shrink has nothing to compare with", out)
	}
	e.rows = list.Open(conn.Client, e.query, s.spec.List.Options(e.binding.resource, &s.settings))
	e.source = sources.NewList(e.rows, e.columns, sources.ListOptions{Extra: e.extra})
	s.closers.add(e.source.Close)
	return nil
}

// open opens the output.
func (e *exporting) open(int) (_ pipeline.Sink, none pipeline.ChunkLimits, err error) {
	s := e.session
	o := s.spec.fileOptions()
	o.Flat = e.binding.mapping != nil // its names are columns, whatever is in them
	o.Check, o.Sum = e.enough, true
	o.Metadata["flytt.filter"] = strings.Join(e.manifest.Filter, "&")
	o.Metadata["flytt.search"] = e.manifest.Search
	o.Metadata["flytt.order"] = strings.Join(e.manifest.Order, ",")
	if e.binding.file != "" {
		o.Inputs = append(o.Inputs, e.binding.file)
	}
	o.Inputs = append(append(o.Inputs, e.binding.tables()...), s.settings.Files...)
	e.sink, err = s.createOutput(e.binding, &o)
	return e.sink, none, err
}

// readLast reads the manifest of the file that is there.
func (e *exporting) readLast() (err error) {
	if e.shrink < 0 {
		return nil
	}
	e.last, err = report.ReadManifest(e.session.spec.Output.Path)
	if err != nil {
		return advice.Usage(err, "move the manifest away to export without comparing")
	}
	if e.last == nil {
		e.session.log.Warn("no manifest of an earlier export is beside the file, so --max-shrink has nothing to compare with")
	}
	return nil
}

// describe fills in what the manifest tells of the question.
func (e *exporting) describe(conn *Connection) {
	m, s, b := &e.manifest, e.session, e.binding
	m.File, m.Run, m.Tool = filepath.Base(s.spec.Output.Path), s.dir.ID, "flytt "+s.spec.Version
	m.Target, m.Tenant, m.Resource = conn.Host, conn.Customer, b.resource.Name
	m.Filter, m.Search, m.Order, m.Limit = e.query.Filters(), e.query.SearchText(), e.query.Order(), s.spec.List.Limit
	if len(m.Order) == 0 {
		m.Order = naturalOrder(b.resource)
	}
	m.Started = report.Timestamp(s.started)
	for _, f := range b.plan.Schema().Fields {
		m.Columns = append(m.Columns, report.ManifestColumn{Name: f.Name, Type: f.Type.String()})
	}
	if b.mapping != nil {
		if text, err := b.copyOfMapping(); err == nil {
			sum := sha256.Sum256(text)
			m.Mapping, m.MappingSum = filepath.Base(b.file), hex.EncodeToString(sum[:])
		}
	}
}

// enough refuses to write a file of too few rows.
func (e *exporting) enough() error {
	const hint = "check whether the API shows everything; the existing file was kept"
	n, s := e.session.counts.Written, e.session.spec
	if n < s.Export.MinRows {
		return &advice.UncertainError{
			Err:    fmt.Errorf("%s: not written: %s came, and --min-rows is %s", s.Output.Path, text.Counted(n, "row"), text.Number(s.Export.MinRows)),
			Advice: hint,
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
			s.Output.Path, text.Counted(n, "row"), lost, text.Number(e.last.Rows), s.Export.MaxShrink),
		Advice: hint,
	}
}

// finish writes the manifest of a file that was written, and says whether the export is
// proved complete.
func (e *exporting) finish(end *ending) error {
	account := e.rows.Account()
	e.note(&account)
	if end.err != nil {
		return end.err
	}
	end.summary.List = listed(&account)
	if e.session.spec.Output.Path != "-" {
		if err := e.writeManifest(end.summary, &account); err != nil {
			return err
		}
	}
	if account.Complete {
		return nil
	}
	return &advice.UncertainError{Err: fmt.Errorf("the export is not proved complete: %s", account.Doubt), Advice: "the rows that were read are written; " + account.Hint}
}

// note tells what was noticed about the list.
func (e *exporting) note(a *list.Account) {
	e.session.log.Debug("list read", "rows", a.Rows, "requests", a.Requests, "pages", a.Pages, "duplicates", a.Duplicates,
		"drifts", a.Drifts, "complete", a.Complete)
	notes := slices.Clone(a.Notes)
	if a.Duplicates > 0 {
		notes = append(notes, text.Number(a.Duplicates)+" records came more than once and were written once")
	}
	if a.Drifts > 0 {
		notes = append(notes, "the list changed while it was read; what moved was read again "+text.Number(a.Drifts)+" times")
	}
	for _, note := range notes {
		e.session.remark(note)
	}
}

func (e *exporting) writeManifest(summary *report.Summary, a *list.Account) (err error) {
	out, m := e.session.spec.Output.Path, &e.manifest
	m.Rows, m.Duplicates, m.Drifts, m.Requests = summary.Rows.Written, a.Duplicates, a.Drifts, a.Requests
	m.Complete, m.Doubt, m.First, m.Last = a.Complete, a.Doubt, a.First, a.Last
	m.ServerTime = report.Timestamp(a.ServerTime)
	if s, ok := e.sink.(sinks.Summed); ok {
		sum, size := s.Sum()
		m.SHA256, m.Bytes = hex.EncodeToString(sum[:]), size
	}
	file, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	summary.Files["output"] = file
	if err := m.Write(out); err != nil {
		return err
	}
	summary.Files["manifest"] = report.ManifestPath(file)
	return nil
}

// next says what to do after an export.
func (e *exporting) next(end *ending) advice.Step {
	switch {
	case end.err == nil:
		return advice.Step{}
	case end.summary.Files["output"] != "" && !e.session.spec.Output.Overwrite:
		return advice.Step{Command: sameCommand("--overwrite")} // what was written is there
	}
	return e.session.nextOfFailure(end)
}
