package run

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/internal/snapshot"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sinks/recorder"
)

// PlanFile is what a plan is called in its run directory.
const PlanFile = "plan.json"

// Plan says what an import of s.File would do to the records that there are, and sends
// nothing but reads. A copy of the plan goes to s.Output.
func Plan(ctx context.Context, s Spec, o Observer) (*Result, error) {
	p := &planning{remote: newRemote(newSession("plan", &s, o))}
	t := target{begin: p.begin, sink: p.sink, resolvable: neverResolvable, finish: p.finish, next: p.next, account: recorder.Options{Planned: true}}
	return p.remote.do(ctx, func() (target, error) { return t, findLike(&s) })
}

type planning struct {
	remote   *remote
	snapshot *snapshot.Snapshot // of the records
	wrote    bool               // the copy of the plan is there
}

func (p *planning) begin(ctx context.Context) (err error) {
	r := p.remote
	if err := p.checkCopy(); err != nil {
		return err
	}
	if err := r.reach(); err != nil {
		return err
	}
	if err := r.openLike(); err != nil {
		return err
	}
	if p.snapshot, err = r.readSnapshot(ctx, r.session.dir.Path); err != nil {
		return err
	}
	r.session.closers.add(p.snapshot.Close)
	r.rows.last = p.step
	return r.createJournal(p.snapshot.Mark())
}

func (p *planning) sink(pass int) (sink pipeline.Sink, limits pipeline.ChunkLimits, err error) {
	r := p.remote
	o, err := r.options(pass)
	if err != nil {
		return nil, limits, err
	}
	plan, err := bulk.NewPlan(r.rows.binding.plan.Schema(), p.snapshot, o.Journal, bulk.Options{
		Target: o.Target, Comparison: o.Comparison, Drain: o.Drain, Log: o.Log,
	})
	if err != nil {
		return nil, limits, err
	}
	return plan, r.chunks(nil), nil
}

// step makes the step that finds records like rows.
func (p *planning) step() pipeline.Step {
	b := p.remote.rows.binding
	reader := b.plan.MatchReader(b.resource, p.remote.rows.change.byRecord())
	return p.snapshot.Step(reader, b.plan.Columns(), bulk.CodeDuplicateOfRecord)
}

// finish turns the counts into what would become of the rows, and writes the plan once it
// is complete.
func (p *planning) finish(e *ending) error {
	p.count(e)
	if err := p.remote.finish(e); err != nil {
		return err
	}
	if err := p.write(e.summary); err != nil {
		return err
	}
	a := p.snapshot.Account()
	if a.Complete {
		return nil
	}
	return &advice.UncertainError{
		Err:    fmt.Errorf("it is not proved that all records were read: %s", a.Doubt),
		Advice: "the plan may treat as new what exists; " + a.Hint,
	}
}

// count turns the counts of the summary into what would become of the rows.
func (p *planning) count(e *ending) {
	s := e.summary
	c := &s.Rows
	plan := &report.Plan{Create: c.Written - c.Updated, Update: c.Updated, Unchanged: c.Unchanged, Skip: c.Skipped, Reject: c.Rejected, Fields: []report.Reason{}}
	plan.DuplicateInFile, plan.DuplicateOfRecord = e.recorder.Duplicates()
	plan.Records, s.List = p.snapshot.Records(), listed(p.snapshot.Account())
	s.Warnings = slices.DeleteFunc(s.Warnings, func(r report.Reason) bool {
		if r.Code == bulk.CodeWouldChange {
			plan.Fields = append(plan.Fields, r)
		}
		return r.Code == bulk.CodeWouldChange
	})
	s.Plan = plan
	c.Valid, c.Written, c.Updated = c.Written, 0, 0
}

// listed is what a summary tells of a list.
func listed(a *list.Account) *report.List {
	return &report.List{Complete: a.Complete, Doubt: a.Doubt, Requests: a.Requests, Duplicates: a.Duplicates, Drifts: a.Drifts}
}

// planDocument is the file that a plan is.
type planDocument struct {
	Format   int            `json:"format"` // 1
	Run      string         `json:"run"`    // directory with the rest of the plan
	Made     time.Time      `json:"made"`
	Tool     string         `json:"tool"`
	Resource string         `json:"resource"`
	Tenant   string         `json:"tenant"`
	BaseURL  string         `json:"base_url"`
	Input    journal.File   `json:"input"`
	Files    []journal.File `json:"files"` // the mapping and its tables
	Live     *snapshot.Mark `json:"live"`
	Plan     *report.Plan   `json:"plan"`
}

func (p *planning) write(summary *report.Summary) error {
	s, h := p.remote.session, p.remote.journal.Header()
	doc := planDocument{
		Format: 1, Run: s.dir.Path, Made: h.Began, Tool: h.Tool, Resource: h.Resource, Tenant: h.Customer, BaseURL: h.BaseURL,
		Input: h.Input, Files: h.Files, Live: p.snapshot.Mark(), Plan: summary.Plan,
	}
	data, err := json.MarshalIndent(&doc, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if err := s.dir.Replace(PlanFile, data); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	summary.Files["plan"] = s.dir.File(PlanFile)
	return p.writeCopy(data, summary)
}

// checkCopy sees, before anything is read, whether the copy can be written.
func (p *planning) checkCopy() error {
	switch path := p.remote.session.spec.Output.Path; path {
	case "":
		return nil
	case "-":
		return advice.Usagef("name a file", "-o -: standard output has the summary")
	default:
		return sinks.Fit(path, p.copyOptions())
	}
}

func (p *planning) copyOptions() *sinks.FileOptions {
	s := p.remote.session
	return &sinks.FileOptions{Overwrite: s.spec.Output.Overwrite, Inputs: append(p.remote.rows.inputs(), s.settings.Files...)}
}

// writeCopy writes data, which is the plan, to where a copy was asked for.
func (p *planning) writeCopy(data []byte, summary *report.Summary) (err error) {
	path := p.remote.session.spec.Output.Path
	if path == "" {
		return nil
	}
	if err := sinks.WriteFile(path, data, p.copyOptions()); err != nil {
		return fmt.Errorf("copy of the plan: %w", err)
	}
	p.wrote = true
	summary.Files["output"], err = filepath.Abs(path)
	return err
}

// next says what to do after a plan was made.
func (p *planning) next(e *ending) advice.Step {
	s := p.remote.session
	switch plan := s.summary.Plan; {
	case e.err != nil && p.wrote && !s.spec.Output.Overwrite:
		return advice.Step{Command: sameCommand("--overwrite")} // the copy is there
	case e.err != nil:
		return advice.Step{Command: sameCommand()}
	case plan.Create+plan.Update == 0:
		return advice.Step{}
	}
	apply := advice.Step{Command: advice.Command{Verb: "apply", File: s.dir.File(PlanFile)}}
	if s.summary.Plan.Reject > 0 {
		apply.Before = advice.Task{Name: advice.FixRejectsOrApply}
	}
	return apply
}

// FindPlan returns the directory of the plan that path is: its file, a copy of that, or
// the directory, or the id, of the run that made it.
func FindPlan(s *runs.Store, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return s.Find(path)
	}
	if dir := filepath.Dir(path); filepath.Base(path) == PlanFile && report.IsRun(dir) {
		return runs.At(dir)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", advice.Usage(fmt.Errorf("%s: %w", path, osfile.Cause(err)), "make one with flytt plan FILE")
	}
	var doc planDocument
	if err := json.Unmarshal(data, &doc); err != nil || doc.Run == "" {
		return "", advice.Usagef("make one with flytt plan FILE", "%s is not a plan", path)
	}
	if doc.Format != 1 {
		return "", advice.Usagef("use the version that made it, or make a new plan", "%s is a plan of format %d, which this version does not know", path, doc.Format)
	}
	return runs.At(doc.Run)
}
