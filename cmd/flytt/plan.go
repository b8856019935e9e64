package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/internal/snapshot"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/bulk"
	"flytt/sinks/recorder"
)

// planFile is what a plan is called in its run directory.
const planFile = "plan.json"

func planCommand(a *app) *cobra.Command {
	c, j := newImport(a)
	j.verb = "plan"
	out := &j.writing.planCopy
	j.target = func(ctx context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) { return j.planSink(ctx) }
	c.Use, c.Short = "plan FILE", "Say, row by row, what an import would do to the records that are there"
	c.Long = `plan reads FILE and all records of the resource, and says of each row what an
import with the same flags would do: make a record, change one (and which of its
fields), leave it as it is, or reject the row. A row that would make a record
like one that is there (the same key, ssn, org_no or email) is told apart.
Nothing is sent but reads, and no value that identifies a person stands in an
address: the records are read by listing, and compared here. What only the API
can know, that it minds a row, shows when rows are sent.

plan.csv in the run directory has a line for every row. plan.json is the plan: it
is bound to the input, the mapping, its tables, the tenant, the address, and to
the records as they were read. flytt apply does what it says.`
	c.Example = `  flytt plan register.csv -m mapping.yaml --mode upsert --key custom_id
  flytt plan register.csv -m mapping.yaml --json
  flytt apply flytt-runs/20261124-021500-3fa9c1/plan.json`
	c.RunE = func(c *cobra.Command, args []string) error {
		j.file = args[0]
		if err := j.findLike(); err != nil {
			return err
		}
		return j.run(c.Context())
	}
	s := c.Flags()
	s.StringVarP(&out.path, "output", "o", "", "`FILE` for a copy of the plan (default: "+planFile+" of the run directory alone)")
	s.BoolVar(&out.overwrite, "overwrite", false, "replace that FILE if it exists")
	for _, name := range []string{"dry-run", "yes"} {
		if err := s.MarkHidden(name); err != nil {
			panic(err)
		}
	}
	return c
}

// planSink makes the sink that finds out what an import would do.
func (j *job) planSink(ctx context.Context) (pipeline.Sink, pipeline.ChunkLimits, error) {
	var none pipeline.ChunkLimits
	if err := j.checkPlanCopy(); err != nil {
		return nil, none, err
	}
	if err := j.reach(); err != nil {
		return nil, none, err
	}
	if err := j.openLike(); err != nil {
		return nil, none, err
	}
	var err error
	if j.snapshot, err = j.readSnapshot(ctx, j.dir.Path); err != nil {
		return nil, none, err
	}
	j.closers = append(j.closers, j.snapshot.Close)
	if err := j.beginJournal(); err != nil {
		return nil, none, err
	}
	o, err := j.bulkOptions()
	if err != nil {
		return nil, none, err
	}
	sink, err := bulk.NewPlan(j.plan.Schema(), j.snapshot, o)
	if err != nil {
		return nil, none, err
	}
	j.writing.bulk = sink.Import
	return sink, j.chunkLimits(nil), nil
}

// readSnapshot reads all records of the resource of j. With dir a copy is kept there, until it
// is closed.
func (j *job) readSnapshot(ctx context.Context, dir string) (*snapshot.Snapshot, error) {
	ctx, stop := until(ctx, j.drain)
	defer stop()
	asked := listFlags{pageSize: defaultPageSize}
	query, err := asked.list(j.resource, j.settings)
	if err != nil {
		return nil, err
	}
	client := j.writing.client
	rows := list.Open(client, query, asked.rowsOptions(j.resource, j.settings))
	return snapshot.Read(ctx, rows, snapshot.Options{Resource: j.resource, Key: j.plan.Key(), Finder: client, Dir: dir})
}

// foretell turns the counts of a plan into what would become of the rows.
func (j *job) foretell(recorder *recorder.Recorder) {
	if j.verb != "plan" {
		return
	}
	s := j.summary
	c := &s.Rows
	p := &report.Plan{Create: c.Written - c.Updated, Update: c.Updated, Unchanged: c.Unchanged, Skip: c.Skipped, Reject: c.Rejected, Fields: []report.Reason{}}
	p.DuplicateInFile, p.DuplicateOfRecord = recorder.Twins()
	if j.snapshot != nil {
		p.Records, s.List = j.snapshot.Records(), listed(j.snapshot.Account())
	}
	s.Warnings = slices.DeleteFunc(s.Warnings, func(r report.Reason) bool {
		if r.Code == bulk.CodeWouldChange {
			p.Fields = append(p.Fields, r)
		}
		return r.Code == bulk.CodeWouldChange
	})
	s.Plan = p
	c.Valid, c.Written, c.Updated = c.Written, 0, 0
}

// provedAll says of a plan that it may not know all records.
func (j *job) provedAll() error {
	a := j.snapshot.Account()
	if a.Complete {
		return nil
	}
	return &advice.UncertainError{
		Err:    fmt.Errorf("it is not proved that all records were read: %s", a.Doubt),
		Advice: "the plan may take for new what is there; " + a.Hint,
	}
}

// planned is the file that a plan is.
type planned struct {
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

// writePlan writes the plan, once it is whole.
func (j *job) writePlan() error {
	h := j.writing.journal.Header()
	p := planned{
		Format: 1, Run: j.dir.Path, Made: h.Began, Tool: h.Tool, Resource: h.Resource, Tenant: h.Customer, BaseURL: h.BaseURL,
		Input: h.Input, Files: h.Files, Live: j.snapshot.Mark(), Plan: j.summary.Plan,
	}
	data, err := json.MarshalIndent(&p, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if err := j.dir.Replace(planFile, data); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	j.summary.Files["plan"] = j.dir.File(planFile)
	return j.copyPlan(data)
}

// planCopy is where a copy of a plan goes.
type planCopy struct {
	path      string // empty: nowhere
	overwrite bool
}

// checkPlanCopy sees, before anything is read, whether the copy can be written.
func (j *job) checkPlanCopy() error {
	switch c := &j.writing.planCopy; c.path {
	case "":
		return nil
	case "-":
		return usagef("name a file", "-o -: standard output has the summary")
	default:
		return sinks.Fit(c.path, j.copyOptions())
	}
}

func (j *job) copyOptions() *sinks.FileOptions {
	return &sinks.FileOptions{Overwrite: j.writing.planCopy.overwrite, Inputs: append(j.inputs(), j.settings.ownFiles()...)}
}

// copyPlan writes data, which is the plan, to where a copy was asked for.
func (j *job) copyPlan(data []byte) (err error) {
	path := j.writing.planCopy.path
	if path == "" {
		return nil
	}
	if err := sinks.WriteFile(path, data, j.copyOptions()); err != nil {
		return fmt.Errorf("copy of the plan: %w", err)
	}
	j.summary.Files["output"], err = filepath.Abs(path)
	return err
}

// nextOfPlan returns what to do after a plan was made.
func (j *job) nextOfPlan(err error) step {
	switch p := j.summary.Plan; {
	case err != nil && j.summary.Files["output"] != "" && !j.overwrites():
		return step{command: j.again() + " --overwrite"} // the copy is there
	case err != nil:
		return step{command: j.again()}
	case p.Create+p.Update == 0:
		return step{}
	case p.Reject > 0:
		return step{"mend what rejects.csv lists, and plan again, or go on without those rows", join([]string{"flytt", "apply", shorten(j.dir.File(planFile))})}
	}
	return step{command: join([]string{"flytt", "apply", shorten(j.dir.File(planFile))})}
}

// readPlan returns the directory of the plan that path is: its file, a copy of
// that, or the directory, or the id, of the run that made it.
func (a *app) readPlan(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return a.findRun(path)
	}
	if dir := filepath.Dir(path); filepath.Base(path) == planFile && report.IsRun(dir) {
		return run.At(dir)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", usage(fmt.Errorf("%s: %w", path, osfile.Cause(err)), "flytt plan FILE makes a plan")
	}
	var p planned
	if err := json.Unmarshal(data, &p); err != nil || p.Run == "" {
		return "", usagef("flytt plan FILE makes one", "%s is no plan", path)
	}
	if p.Format != 1 {
		return "", usagef("use the version that made it, or plan again", "%s is a plan of format %d, which this version does not know", path, p.Format)
	}
	return run.At(p.Run)
}
