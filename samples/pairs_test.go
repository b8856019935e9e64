package samples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
	"flytt/sinks"
	"flytt/sources"
)

// compressible are the formats of text, which may be compressed as a whole; the
// others are compressed within.
var compressible = []string{"csv", "jsonl"}

// arrayVariant is JSON as one array of objects, which is read but not written.
const arrayVariant = "json"

// variants returns the extensions of every kind of file that can be written and
// read: each format, as it is and compressed.
func variants() []string {
	var out []string
	for _, f := range sinks.Formats() {
		if !slices.Contains(sources.Formats(), f) {
			continue
		}
		out = append(out, f)
		if slices.Contains(compressible, f) {
			out = append(out, f+".gz", f+".zst")
		}
	}
	return out
}

// formatOf returns the format of a variant.
func formatOf(variant string) string {
	name, _, _ := strings.Cut(variant, ".")
	if name == arrayVariant {
		return "jsonl"
	}
	return name
}

func TestEveryFormatIsReadAndWritten(t *testing.T) {
	if diff := cmp.Diff(sources.Formats(), sinks.Formats()); diff != "" {
		t.Errorf("formats that only one side knows have no test here (-sources +sinks):\n%s", diff)
	}
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "n"}}}
	for _, f := range sinks.Formats() {
		for _, compression := range []string{".gz", ".zst"} {
			var refused *pipeline.UsageError
			sink, err := sinks.Create(filepath.Join(t.TempDir(), "x."+f+compression), schema, nil)
			switch {
			case err == nil:
				if _, err := sink.Abort(); err != nil {
					t.Error(err)
				}
			case !errors.As(err, &refused):
				t.Errorf("%s%s: %v", f, compression, err)
			}
			if want := slices.Contains(compressible, f); want != (err == nil) {
				t.Errorf("%s%s: %v; is the table compressible right?", f, compression, err)
			}
		}
	}
}

// TestSampleGoesThroughEveryPair converts the sample's valid rows from every
// kind of file to every other, through mapping and validation, and back to
// JSONL: it is the same file again.
func TestSampleGoesThroughEveryPair(t *testing.T) {
	c := sampleConverter(t)
	base := filepath.Join(contacts, "expected.jsonl")
	want := read(t, base)
	dir := t.TempDir()
	for _, from := range append(variants(), arrayVariant) {
		input := c.write(t, base, filepath.Join(dir, "in."+from))
		for _, to := range variants() {
			t.Run(from+" to "+to, func(t *testing.T) {
				dir := t.TempDir()
				output := c.write(t, input, filepath.Join(dir, "out."+to))
				back := c.write(t, output, filepath.Join(dir, "back.jsonl"))
				if got := read(t, back); !bytes.Equal(got, want) {
					t.Errorf("the rows are not the same (-sample +got):\n%s", cmp.Diff(string(want), string(got)))
				}
			})
		}
	}
}

// converter turns one file into another through a plan.
type converter struct {
	plan func(t *testing.T, columns []string) *mappings.Plan
	rule func(t *testing.T, plan *mappings.Plan) *mappings.Validator // nil: rows are taken as they are
	want map[pipeline.Code]int                                       // rejects, by code; nil: none
}

// sampleConverter takes the fields of the sample as they are, and holds them
// against the rules of their resource.
func sampleConverter(t *testing.T) *converter {
	t.Helper()
	resource, err := mappings.Lookup(contacts)
	if err != nil {
		t.Fatal(err)
	}
	data := read(t, filepath.Join(contacts, "mapping.yaml"))
	sample, err := mappings.ParseMapping("mapping.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	m := &mappings.Mapping{Resource: contacts}
	for _, f := range sample.Fields {
		m.Fields = append(m.Fields, mappings.Rule{Field: f.Field, From: []string{f.Field}})
	}
	rules := identity.Rules{Today: today}
	return &converter{
		plan: func(t *testing.T, columns []string) *mappings.Plan {
			plan, err := m.Compile(resource, columns, mappings.CompileOptions{Identity: rules})
			if err != nil {
				t.Fatal(err)
			}
			return plan
		},
		rule: func(t *testing.T, plan *mappings.Plan) *mappings.Validator {
			v, err := mappings.NewValidator(resource, plan.Schema(), mappings.ValidateOptions{Identity: rules, Columns: plan.Columns()})
			if err != nil {
				t.Fatal(err)
			}
			return v
		},
	}
}

// write converts the file input to output, and returns output.
func (c *converter) write(t *testing.T, input, output string) string {
	t.Helper()
	src, info, err := sources.Open(input, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}()
	if len(info.Warnings) > 0 {
		t.Errorf("%s: %q", input, info.Warnings)
	}
	return c.run(t, src, output)
}

// run sends what src has to output, and returns output.
func (c *converter) run(t *testing.T, src pipeline.Source, output string) string {
	t.Helper()
	path := output
	if array := filepath.Ext(output) == "."+arrayVariant; array {
		path += ".jsonl"
		defer func() { toArray(t, path, output) }()
	}
	plan := c.plan(t, src.Columns())
	if s, ok := src.(pipeline.ColumnSelector); ok {
		s.Select(plan.UsedColumns())
	}
	sink, err := sinks.Create(path, plan.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	run := pipeline.Run{Source: src, Schema: plan.Schema(), Sink: sink, Steps: func() []pipeline.Step {
		steps := []pipeline.Step{plan.Step()}
		if c.rule != nil {
			steps = append(steps, c.rule(t, plan).Step())
		}
		return steps
	}}
	report, err := run.Do(context.Background())
	if err != nil {
		t.Fatalf("to %s: %v", output, err)
	}
	got := map[pipeline.Code]int{}
	for _, r := range report.Rejects {
		got[r.Code] += int(r.Count)
	}
	if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
		t.Errorf("to %s: rejects (-want +got):\n%s", filepath.Base(output), diff)
	}
	return output
}

// toArray writes the lines of a file of JSONL as one array.
func toArray(t *testing.T, lines, array string) {
	t.Helper()
	body := bytes.ReplaceAll(bytes.TrimSpace(read(t, lines)), []byte("\n"), []byte(",\n"))
	if err := os.WriteFile(array, fmt.Appendf(nil, "[%s]\n", body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// null stands for no value among values.
const null = "\x00null"

// given is a source of rows in memory.
type given struct {
	columns []string
	rows    [][]string
	done    bool
}

func (g *given) Columns() []string { return g.columns }

func (g *given) Next(_ context.Context, b *pipeline.Block) error {
	b.Data = b.Data[:0]
	if g.done {
		return io.EOF
	}
	g.done = true
	return nil
}

func (g *given) Decoder() pipeline.Decoder { return g }

func (g *given) Decode(_ *pipeline.Block, b *pipeline.Batch) error {
	b.Reset(len(g.columns))
	for i, row := range g.rows {
		b.AddRow(int64(i + 1))
		for at, v := range row {
			if v == null {
				b.Input[at].AppendNull()
			} else {
				b.Input[at].Append([]byte(v))
			}
		}
	}
	return nil
}

func (g *given) Close() error { return nil }

// table is the rows of a file: by what stands in the column n, and by column.
type table map[string]map[string]string

// readTable reads a file whole. Values that are not there are left out, and so
// are, unless empty is set, empty ones.
func readTable(t *testing.T, file string, empty bool) table {
	t.Helper()
	src, _, err := sources.Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	columns := src.Columns()
	key := slices.Index(columns, "n")
	if key < 0 {
		t.Fatalf("%s has columns %q, and no n", file, columns)
	}
	out := table{}
	var block pipeline.Block
	var batch pipeline.Batch
	decoder := src.Decoder()
	for {
		if err := src.Next(context.Background(), &block); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		batch.Reset(len(columns))
		if err := decoder.Decode(&block, &batch); err != nil {
			t.Fatal(err)
		}
		for _, p := range batch.Problems {
			t.Errorf("%s row %d: %s %s", file, p.Row, p.Code, p.Shape)
		}
		for row := range batch.Len() {
			values := map[string]string{}
			for at, name := range columns {
				if v := batch.Input[at].Value(row); at != key && (len(v) > 0 || v != nil && empty) {
					values[name] = string(v)
				}
			}
			out[string(batch.Input[key].Value(row))] = values
		}
	}
}
