package samples

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sources"
)

// today is the day the samples are read on: nobody in them is born later.
var today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// passage is an input on its way through the pipeline, from file to file.
type passage struct {
	input   string
	mapping string
	output  string
	workers int // 0: as many as there are processors

	// recorder returns the recorder of the run; nil: none.
	recorder func(t *testing.T, info *sources.Info, columns []string, plan *mappings.Plan) pipeline.Recorder
}

// run sends the input through and returns the report.
func (p *passage) run(t *testing.T) *pipeline.Report {
	t.Helper()
	m, resource := p.read(t)
	src, info, err := sources.Open(p.input, &sources.Options{
		Encoding: m.Input.Encoding, Delimiter: m.Input.Delimiter, HeaderRow: m.Input.HeaderRow,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	rules := identity.Rules{Today: today}
	plan, err := m.Compile(resource, src.Columns(), mappings.CompileOptions{Dir: filepath.Dir(p.mapping), Identity: rules})
	if err != nil {
		t.Fatal(err)
	}
	validator, err := mappings.NewValidator(resource, plan.Schema(), mappings.ValidateOptions{
		Identity: rules, Severity: m.Severity, Columns: plan.Columns(),
	})
	if err != nil {
		t.Fatal(err)
	}
	sink, err := sinks.Create(p.output, plan.Schema(), &sinks.FileOptions{Inputs: []string{p.input}})
	if err != nil {
		t.Fatal(err)
	}
	run := pipeline.Run{
		Source: src, Schema: plan.Schema(), Sink: sink, Workers: p.workers,
		Steps: func() []pipeline.Step { return []pipeline.Step{plan.Step(), validator.Step()} },
	}
	if p.recorder != nil {
		run.Recorder = p.recorder(t, info, src.Columns(), plan)
	}
	report, err := run.Do(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !report.Balanced() {
		t.Errorf("the report does not balance: %+v", report.Rows)
	}
	return report
}

// read returns the mapping and the resource it is for.
func (p *passage) read(t *testing.T) (*mappings.Mapping, *mappings.Resource) {
	t.Helper()
	data, err := os.ReadFile(p.mapping)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mappings.ParseMapping(p.mapping, data)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := mappings.Lookup(m.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return m, resource
}
