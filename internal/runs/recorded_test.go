package runs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
)

// TestFilesOfARunThatChanged names the file that is not what it was, and says how.
func TestFilesOfARunThatChanged(t *testing.T) {
	d := newDirectory(t)
	write := func(path, text string) func() error {
		return func() error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	input, mapping := d.file("in.csv", "Nr\r\n1\r\n"), d.file("mapping.yaml", "fields: {}\n")
	tests := map[string]struct {
		change        func() error
		message, hint string // no message: it may be resumed
	}{
		"as it was":       {func() error { return nil }, "", ""},
		"longer":          {write(input, "Nr\r\n1\r\n2\r\n"), "input " + input + " is not what it was when the run began: it has 3 bytes more", "put it back"},
		"shorter":         {write(input, "Nr\r\n"), "it has 3 bytes fewer", "put it back"},
		"other content":   {write(input, "Nr\r\n2\r\n"), "same size, different content", "put it back"},
		"gone":            {func() error { return os.Remove(input) }, "in.csv", "--input PATH"},
		"mapping changed": {write(mapping, "fields: []\n"), "mapping", "the run has a copy of its own"},
		"mapping gone":    {func() error { return os.Remove(mapping) }, "", ""},
	}
	for name, test := range tests {
		d.check(write(input, "Nr\r\n1\r\n")())
		d.check(write(mapping, "fields: {}\n")())
		h := journal.Header{Input: d.describe("input", input), Files: []journal.File{d.describe("mapping", mapping)}}
		d.check(test.change())
		err := runs.SameFiles(&h)
		switch {
		case test.message == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.message != "":
			wantUsage(t, err, test.message, advice.Command{})
			if hint := advice.HintOf(err); !strings.Contains(hint, test.hint) {
				t.Errorf("%s: hint %q", name, hint)
			}
		}
	}
}

func TestInputThatWasMoved(t *testing.T) {
	d := newDirectory(t)
	h := journal.Header{Input: d.describe("input", d.file("in.csv", "Nr\r\n1\r\n"))}
	spec := runs.RecordedSpec{Input: h.Input.Path}
	d.check(runs.Relocate(&h, &spec, ""))
	wantUsage(t, runs.Relocate(&h, &spec, d.file("in.csv", "Nr\r\n2\r\n")), "is not what the run read: same size, different content", advice.Command{})
	wantUsage(t, runs.Relocate(&h, &spec, d.file("in.txt", "Nr\r\n1\r\n")), `its extension was ".csv"`, advice.Command{})
	wantUsage(t, runs.Relocate(&h, &spec, filepath.Join(t.TempDir(), "none.csv")), "none.csv", advice.Command{})
	now := d.file("other.CSV", "Nr\r\n1\r\n")
	if err := runs.Relocate(&h, &spec, now); err != nil || h.Input.Path != now || spec.Input != now {
		t.Errorf("%v, %s, %s", err, h.Input.Path, spec.Input)
	}
}

// TestARunThatWasMovedFindsItsFiles lets files of its own directory follow it, and no others.
func TestARunThatWasMovedFindsItsFiles(t *testing.T) {
	h := journal.Header{
		Input: journal.File{Name: "input", Path: "/was/run/input"},
		Files: []journal.File{{Name: runs.OwnMapping, Path: "/was/run/mapping.yaml"}, {Name: "mapping", Path: "/home/m.yaml"}},
	}
	before := h.Files
	spec := runs.RecordedSpec{Input: "/was/run/input"}
	runs.Follow(&h, &spec, "/now/run")
	want := []journal.File{{Name: runs.OwnMapping, Path: "/now/run/mapping.yaml"}, {Name: "mapping", Path: "/home/m.yaml"}}
	if diff := cmp.Diff(want, h.Files); diff != "" || h.Input.Path != "/now/run/input" || spec.Input != "/now/run/input" {
		t.Errorf("%s, %s, %s", diff, h.Input.Path, spec.Input)
	}
	if before[0].Path != "/was/run/mapping.yaml" {
		t.Error("the files of the header that was given are changed")
	}
}

func TestRecordedSpec(t *testing.T) {
	h := journal.Header{Began: time.Unix(1, 0), Spec: []byte(`{"file":"in.csv","input":"/in.csv","flags":{"json":["true"],"key":["custom_id"]},"guessed":true,"resource":"r","chunk_rows":7,"atomicity":"all"}`)}
	spec, err := runs.ReadSpec(&h)
	if err != nil || spec.ChunkRows != 7 || !spec.Guessed || !spec.ClockOf(&h).Equal(h.Began) {
		t.Errorf("%+v, %v", spec, err)
	}
	spec.Clock = time.Unix(2, 0)
	if !spec.ClockOf(&h).Equal(spec.Clock) {
		t.Error("the clock of the spec is not used")
	}
	if diff := cmp.Diff(advice.Command{Verb: "plan", File: "/in.csv", Args: []string{"--key=custom_id"}}, spec.Command("plan")); diff != "" {
		t.Error(diff)
	}
	if _, err := runs.ReadSpec(&journal.Header{Spec: []byte("[]")}); err == nil {
		t.Error("a spec of another form is read")
	}
}

// TestBackups keeps what a person edited of a run that is resumed, and nothing else.
func TestBackups(t *testing.T) {
	const whole = "\uFEFFNr;Namn;_row;_errors\r\nK-2;Bo;2;\r\n"
	tests := map[string]struct {
		edited  bool // by a person
		ended   bool // the journal says how
		anew    string
		backups []string // among the files at the end
		notes   int
	}{
		"as the run left it":           {ended: true, anew: whole},
		"edited":                       {edited: true, ended: true, anew: whole, backups: []string{"rejects_kept"}, notes: 1},
		"killed, and gets further":     {anew: whole + "K-3;Bo;3;\r\n"},
		"killed, and not known":        {edited: true, anew: whole, backups: []string{"rejects_kept"}, notes: 1},
		"killed, and writes less anew": {anew: whole[:strings.Index(whole, "K-2")], backups: []string{"rejects_kept"}, notes: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDirectory(t)
			path := d.add(made{outcome: report.StateInterrupted, fates: fate{2: pipeline.Rejected}})
			rejects := filepath.Join(path, "rejects.csv")
			if test.edited {
				d.check(os.WriteFile(rejects, []byte(whole+"edited"), 0o600))
			}
			dir, err := report.OpenDir(path)
			d.check(err)
			b, err := runs.MakeBackups(dir, test.ended)
			d.check(err)
			known := 0
			for _, file := range b.Files {
				if file.Edited {
					known++
				}
			}
			if known > 0 != (test.edited && test.ended) {
				t.Errorf("edited: %+v", b.Files)
			}
			d.check(os.WriteFile(rejects, []byte(test.anew), 0o600))
			files := map[string]string{}
			notes, err := b.Finish(files)
			d.check(err)
			if got := len(notes) + known; got != test.notes || len(files) != len(test.backups) {
				t.Errorf("%d notes, files %v", got, files)
			}
			for _, name := range test.backups {
				if !report.IsFile(files[name]) {
					t.Errorf("%s is not among %v", name, files)
				}
			}
			d.check(dir.Close())
			if w, err := d.group(path).Whole(); err != nil || (w.Files["rejects_kept"] != "") != (len(test.backups) > 0) {
				t.Errorf("%v, %v", err, w)
			}
		})
	}
}

func TestComparisons(t *testing.T) {
	r := &mappings.Resource{Name: "person", Fields: []mappings.Field{
		{Name: "custom_id", Type: "string"}, {Name: "email", Type: "string", Compare: mappings.Comparison{"lower"}},
		{Name: "name", Type: "string"}, {Name: "id", Type: "string", ReadOnly: true}, {Name: "floor", Type: "integer"},
	}}
	c := runs.Comparisons{"name": {"collapse", "lower"}, "email": {}}
	d := newDirectory(t)
	d.check(c.CheckForms("flytt.yaml"))
	forms, err := c.InForce(r, "custom_id")
	d.check(err)
	if diff := cmp.Diff(runs.Comparisons{"name": {"collapse", "lower"}}, forms); diff != "" {
		t.Error(diff)
	}
	if got := forms.Functions()["name"]("Bo  EK"); got != "bo ek" {
		t.Errorf("compared as %q", got)
	}
	if forms, err = (runs.Comparisons)(nil).InForce(r, "custom_id"); err != nil || forms.String() != "email lower" {
		t.Errorf("what the descriptor says: %s, %v", forms, err)
	}
	over := runs.Comparisons{"name": {"upper"}}.Over(c)
	if diff := cmp.Diff(runs.Comparisons{"name": {"upper"}, "email": {}}, over); diff != "" {
		t.Error(diff)
	}
	wantUsage(t, runs.Comparisons{"email": {"lowr"}}.CheckForms("flytt.yaml"), `flytt.yaml: compare of email: unknown form "lowr"`, advice.Command{})
	wantUsage(t, runs.Comparisons{"email": nil}.CheckForms("flytt.yaml"), "no form", advice.Command{})
	for field, message := range map[string]string{"nme": "has no such field", "floor": "only a text", "id": "only a text", "custom_id": "it is the key"} {
		_, err := runs.Comparisons{field: {"lower"}}.InForce(r, "custom_id")
		wantUsage(t, err, message, advice.Command{})
	}
}
