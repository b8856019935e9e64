package samples

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// The pipeline must say of every row exactly what the generator did to it, no
// more and no less, and must make of the others exactly what they stand for.
func TestPipelineTellsTheTruth(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
	}{
		{"the sample", sampled},
		{"many rows", Options{Rows: 20_000, Seed: 7, Faults: 0.1}},
		{"faults only, utf-8", Options{Rows: 3000, Seed: 8, Faults: 1, Encoding: UTF8}},
		{"no faults", Options{Rows: 3000, Seed: 9}},
	} {
		t.Run(c.name, func(t *testing.T) { testTruth(t, c.options) })
	}
}

func testTruth(t *testing.T, o Options) {
	dir := t.TempDir()
	data, truths := register(t, o)
	write(t, filepath.Join(dir, "register.csv"), func(w io.Writer) error { _, err := w.Write(data); return err })
	write(t, filepath.Join(dir, "clients.csv"), func(w io.Writer) error { return WriteClients(w, o) })
	write(t, filepath.Join(dir, "mapping.yaml"), func(w io.Writer) error {
		_, err := w.Write(read(t, filepath.Join(contacts, "mapping.yaml")))
		return err
	})
	l := &ledger{}
	p := passage{
		input: filepath.Join(dir, "register.csv"), mapping: filepath.Join(dir, "mapping.yaml"),
		output: filepath.Join(dir, "out.jsonl"), recorder: l.recorder,
	}
	report := p.run(t)
	compareRows(t, truths, l.rows)
	compareRecords(t, truths, read(t, p.output))
	compareCounts(t, truths, report)
}

func FuzzPipelineTellsTheTruth(f *testing.F) {
	f.Add(uint64(1), byte(100), true)
	f.Add(uint64(2), byte(0), false)
	f.Fuzz(func(t *testing.T, seed uint64, faults byte, utf8 bool) {
		o := Options{Rows: 100, Seed: seed, Faults: float64(faults) / 255}
		if utf8 {
			o.Encoding = UTF8
		}
		testTruth(t, o)
	})
}

// ledger is a recorder that keeps the account of every row, in memory.
type ledger struct {
	schema *pipeline.Schema
	rows   []Truth
}

func (l *ledger) recorder(_ *testing.T, _ *sources.Info, _ []string, plan *mappings.Plan) pipeline.Recorder {
	l.schema = plan.Schema()
	return l
}

// Render implements pipeline.Recorder: one JSON line per row.
func (l *ledger) Render(c *pipeline.Chunk, r *pipeline.Record) {
	rows := make([]Truth, len(c.Rows))
	for i, number := range c.Rows {
		rows[i] = Truth{Row: number, Fate: c.Fates[i].String()}
	}
	for _, p := range c.Problems {
		if p.Row < 0 {
			continue
		}
		found := Problem{Code: string(p.Code), Severity: p.Severity.String()}
		if p.Field >= 0 {
			found.Field = l.schema.Fields[p.Field].Name
		}
		rows[p.Row].Problems = append(rows[p.Row].Problems, found)
	}
	out := bytes.NewBuffer(r.Rejects)
	enc := json.NewEncoder(out)
	for i := range rows {
		if err := enc.Encode(&rows[i]); err != nil {
			panic(err) // strings and numbers
		}
	}
	r.Rejects = out.Bytes()
}

// Append implements pipeline.Recorder.
func (l *ledger) Append(r *pipeline.Record) error {
	dec := json.NewDecoder(bytes.NewReader(r.Rejects))
	for {
		var row Truth
		if err := dec.Decode(&row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		l.rows = append(l.rows, row)
	}
}

// compareRows holds fate and problems of every row against the truth.
func compareRows(t *testing.T, truths, rows []Truth) {
	t.Helper()
	var want []Truth
	for i := range truths {
		if r := told(&truths[i]); r.Fate != Blank {
			want = append(want, r)
		}
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	wrong := 0
	for i := range want {
		fault := want[i].Fault
		want[i].Fault = ""
		sortProblems(rows[i].Problems)
		diff := cmp.Diff(want[i], rows[i], cmp.AllowUnexported(Truth{}))
		if diff == "" {
			continue
		}
		if wrong++; wrong <= 10 {
			t.Errorf("line %d, fault %q: -truth +pipeline\n%s", want[i].Row, fault, diff)
		}
	}
	if wrong > 10 {
		t.Errorf("%d rows more are wrong", wrong-10)
	}
}

// told returns the truth as a ledger has it: the rows for a file sink are
// rendered by the workers, before they are written.
func told(r *Truth) Truth {
	out := Truth{Row: r.Row, Fate: r.Fate, Fault: r.Fault, Problems: r.Problems}
	if out.Fate == Valid {
		out.Fate = pipeline.Pending.String()
	}
	sortProblems(out.Problems)
	return out
}

func sortProblems(problems []Problem) {
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Field+a.Code, b.Field+b.Code) })
}

// compareRecords holds what was written against what the rows stand for.
func compareRecords(t *testing.T, truths []Truth, output []byte) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(output))
	wrong := 0
	for i := range truths {
		if truths[i].Fate != Valid {
			continue
		}
		var object map[string]any
		if err := dec.Decode(&object); err != nil {
			t.Fatalf("record of line %d: %v", truths[i].Row, err)
		}
		want := truths[i].Record()
		want["organization.id"] = organization
		if diff := cmp.Diff(want, flat(object)); diff != "" {
			if wrong++; wrong <= 10 {
				t.Errorf("line %d: -truth +pipeline\n%s", truths[i].Row, diff)
			}
		}
	}
	if wrong > 10 {
		t.Errorf("%d records more are wrong", wrong-10)
	}
	if dec.More() {
		t.Error("more records than valid rows")
	}
}

// organization is the one that the mapping says all contacts belong to.
const organization = "5d3c1c2e-6d0e-4a53-9a5f-0d2f6f0b7a11"

// flat returns the fields of an object that are not null, nested ones by their
// dotted names.
func flat(object map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range object {
		switch v := v.(type) {
		case nil:
		case map[string]any:
			for inner, value := range flat(v) {
				out[name+"."+inner] = value
			}
		case string:
			out[name] = v
		default:
			out[name] = "no string"
		}
	}
	return out
}

// compareCounts holds the report's sums against the truth's.
func compareCounts(t *testing.T, truths []Truth, report *pipeline.Report) {
	t.Helper()
	var want pipeline.Counts
	tallies := map[Problem]int64{}
	for i := range truths {
		r := &truths[i]
		switch r.Fate {
		case Valid:
			want.Valid++
			want.Written++
		case Skipped:
			want.Skipped++
		case Rejected:
			want.Rejected++
		}
		for _, p := range r.Problems {
			tallies[p]++
		}
	}
	want.Read = want.Written + want.Skipped + want.Rejected
	if diff := cmp.Diff(want, report.Rows); diff != "" {
		t.Errorf("counts: -truth +report\n%s", diff)
	}
	got := map[Problem]int64{}
	for severity, list := range map[string][]pipeline.Tally{failure: report.Rejects, warning: report.Warnings, repair: report.Repairs} {
		for _, tally := range list {
			got[Problem{Field: tally.Field, Code: string(tally.Code), Severity: severity}] += tally.Count
		}
	}
	if diff := cmp.Diff(tallies, got); diff != "" {
		t.Errorf("problems: -truth +report\n%s", diff)
	}
}

// What comes out does not depend on how many work on it.
func TestWorkersDoNotChangeTheOutcome(t *testing.T) {
	dir := t.TempDir()
	o := Options{Rows: 10_000, Seed: 12, Faults: 0.2}
	write(t, filepath.Join(dir, "register.csv"), func(w io.Writer) error { return WriteRegister(w, o, nil) })
	write(t, filepath.Join(dir, "clients.csv"), func(w io.Writer) error { return WriteClients(w, o) })
	write(t, filepath.Join(dir, "mapping.yaml"), func(w io.Writer) error {
		_, err := w.Write(read(t, filepath.Join(contacts, "mapping.yaml")))
		return err
	})
	outcome := func(workers int) (out, rejects []byte, report *pipeline.Report) {
		runDir := t.TempDir()
		p := passage{
			input: filepath.Join(dir, "register.csv"), mapping: filepath.Join(dir, "mapping.yaml"),
			output: filepath.Join(runDir, "out.jsonl"), workers: workers, recorder: recorderIn(runDir),
		}
		report = p.run(t)
		return read(t, p.output), read(t, filepath.Join(runDir, "rejects.csv")), report
	}
	out, rejects, report := outcome(1)
	for _, workers := range []int{2, 5} {
		o, r, rep := outcome(workers)
		if !bytes.Equal(o, out) || !bytes.Equal(r, rejects) {
			t.Errorf("%d workers write other files than one", workers)
		}
		if diff := cmp.Diff(report, rep, cmp.AllowUnexported(pipeline.Report{})); diff != "" {
			t.Errorf("%d workers report otherwise than one:\n%s", workers, diff)
		}
	}
}
