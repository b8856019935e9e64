package samples

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sinks/recorder"
	"flytt/sources"
)

var update = flag.Bool("update", false, "write the samples and what is expected of them anew")

// sampled is the register in the sample's folder.
var sampled = Options{Rows: 360, Seed: 7, Faults: 0.1}

const contacts = "externalclientcontactperson"

// folders returns the samples: folders with a mapping file.
func folders(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/mapping.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for i, file := range files {
		files[i] = filepath.Dir(file)
	}
	return files
}

func TestEveryResourceHasASample(t *testing.T) {
	names := folders(t)
	for _, resource := range mappings.Resources() {
		if !slices.Contains(names, resource) {
			t.Errorf("resource %s has no folder here with a register, a mapping.yaml, an expected.jsonl and an expected_rejects.csv", resource)
		}
	}
}

func TestSampleIsWhatTheGeneratorWrites(t *testing.T) {
	var clients bytes.Buffer
	if err := WriteClients(&clients, sampled); err != nil {
		t.Fatal(err)
	}
	data, _ := register(t, sampled)
	golden(t, filepath.Join(contacts, "register.csv"), data)
	golden(t, filepath.Join(contacts, "clients.csv"), clients.Bytes())
}

func TestSampleHasEveryFault(t *testing.T) {
	_, truths := register(t, sampled)
	seen := map[string]bool{}
	blank, skipped := 0, 0
	for _, r := range truths {
		switch r.Fate {
		case Rejected:
			seen[r.Fault] = true
		case Blank:
			blank++
		case Skipped:
			skipped++
		}
		for _, p := range r.Problems {
			seen[p.Code] = true
		}
	}
	for _, f := range faults {
		if !seen[f.name] {
			t.Errorf("the sample lacks %s", f.name)
		}
	}
	for _, code := range []string{"century_inferred", "leading_zero", "coordination_date", "prefix_16", "vat_number", "personnummer_as_org_no"} {
		if !seen[code] {
			t.Errorf("the sample lacks a row with %s", code)
		}
	}
	if blank == 0 || skipped == 0 {
		t.Errorf("the sample has %d blank and %d skipped rows, want some of each", blank, skipped)
	}
}

func TestSamples(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			inputs, err := filepath.Glob(filepath.Join(folder, "register.*"))
			if err != nil || len(inputs) == 0 {
				t.Fatalf("no register: %v", err)
			}
			for _, input := range inputs {
				testSample(t, folder, input)
			}
		})
	}
}

// testSample holds one input of a sample, in whatever format, against what is
// expected of it.
func testSample(t *testing.T, folder, input string) {
	dir := t.TempDir()
	output := filepath.Join(dir, "out.jsonl")
	p := passage{input: input, mapping: filepath.Join(folder, "mapping.yaml"), output: output, recorder: recorderIn(dir)}
	p.run(t)
	golden(t, filepath.Join(folder, "expected.jsonl"), read(t, output))
	golden(t, filepath.Join(folder, "expected_rejects.csv"), read(t, filepath.Join(dir, "rejects.csv")))
}

// recorderIn returns a maker of recorders that write to dir, as the command
// line does it.
func recorderIn(dir string) func(*testing.T, *sources.Info, []string, *mappings.Plan) pipeline.Recorder {
	return func(t *testing.T, info *sources.Info, columns []string, plan *mappings.Plan) pipeline.Recorder {
		r, err := recorder.New(dir, recorder.Options{
			Columns: columns, Fields: plan.Schema().Fields, Tables: plan.Tables(), Delimiter: info.Delimiter[0], Meaning: meaning,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		return r
	}
}

// meaning returns what a code stands for.
func meaning(code pipeline.Code) string {
	return text.Meaning(code)
}

// golden holds data against the file called name, or writes it with -update.
func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := read(t, name)
	if bytes.Equal(data, want) {
		return
	}
	wants, gots := bytes.Split(want, []byte("\n")), bytes.Split(data, []byte("\n"))
	line := 0
	for line < min(len(wants), len(gots)) && bytes.Equal(wants[line], gots[line]) {
		line++
	}
	t.Errorf("%s (go test ./samples -update writes it anew) has %d lines, want %d; line %d is\n%s\nwant\n%s",
		name, len(gots), len(wants), line+1, lineOf(gots, line), lineOf(wants, line))
}

func lineOf(lines [][]byte, i int) []byte {
	if i < len(lines) {
		return lines[i]
	}
	return []byte("not there")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// write has fill write the file called name.
func write(t *testing.T, name string, fill func(io.Writer) error) {
	t.Helper()
	var data bytes.Buffer
	if err := fill(&data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
