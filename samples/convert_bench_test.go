package samples

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sinks/recorder"
	"flytt/sources"
)

// BenchmarkConvert is the whole of a conversion: a register of 20,000 rows is
// cut, decoded, mapped with every kind of rule, validated, encoded and handed
// to a writer, its rejects rendered.
func BenchmarkConvert(b *testing.B) {
	dir := b.TempDir()
	input := filepath.Join(dir, "register.csv")
	options := Options{Rows: 20_000, Seed: 7, Faults: 0.08}
	create(b, input, func(w io.Writer) error { return WriteRegister(w, options, func(*Truth) error { return nil }) })
	create(b, filepath.Join(dir, "clients.csv"), func(w io.Writer) error { return WriteClients(w, options) })
	data, err := os.ReadFile(filepath.Join(contacts, "mapping.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(input)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		convert(b, input, dir, data)
	}
}

func create(b *testing.B, name string, write func(io.Writer) error) {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	if err := write(f); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// convert converts input once, with the mapping file data, whose tables are in
// dir.
func convert(b *testing.B, input, dir string, data []byte) {
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	source, _, err := sources.Open(input, nil)
	must(err)
	m, err := mappings.ParseMapping("mapping.yaml", data)
	must(err)
	resource, err := mappings.Lookup(contacts)
	must(err)
	rules := identity.Rules{Today: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	plan, err := m.Compile(resource, source.Columns(), mappings.CompileOptions{Dir: dir, Identity: rules})
	must(err)
	v, err := mappings.NewValidator(resource, plan.Schema(), mappings.ValidateOptions{Identity: rules, Columns: plan.Columns()})
	must(err)
	sink, err := sinks.Create("-", plan.Schema(), &sinks.FileOptions{Stdout: io.Discard})
	must(err)
	recorder, err := recorder.New(b.TempDir(), recorder.Options{Columns: source.Columns(), Fields: plan.Schema().Fields, Tables: plan.Tables()})
	must(err)
	r := pipeline.Run{
		Source: source, Schema: plan.Schema(), Sink: sink, Recorder: recorder,
		Steps: func() []pipeline.Step { return []pipeline.Step{plan.Step(), v.Step()} },
	}
	report, err := r.Do(b.Context())
	must(err)
	if report.Rows.Written == 0 || report.Rows.Rejected == 0 {
		b.Fatalf("a conversion of nothing: %+v", report.Rows)
	}
	must(recorder.Close())
	must(source.Close())
}
