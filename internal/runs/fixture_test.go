package runs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/pipeline"
)

// directory is a store with what puts runs into it.
type directory struct {
	*runs.Store
	t    *testing.T
	path string
	key  *journal.Key
	made int
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	key, err := journal.LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{t: t, path: t.TempDir(), key: key}
	if d.Store, err = runs.NewStore(d.path, func() (*journal.Key, error) { return key, nil }); err != nil {
		t.Fatal(err)
	}
	return d
}

// made is a run as a process leaves it.
type made struct {
	verb    string // import, if it is empty
	parent  string // path
	outcome string // done, interrupted or failed; empty: the process was killed
	input   string // path of what was read
	spec    runs.RecordedSpec
	fates   map[int64]pipeline.Fate // of the rows
	reasons string                  // why rows were rejected
	retry   *runs.RetrySelection
	exit    int
}

// add makes a run in the store, and returns its path.
func (d *directory) add(m made) string {
	d.t.Helper()
	d.made++
	return d.addAt(filepath.Join(d.path, fmt.Sprintf("20261124-0215%02d-aaaaaa", d.made)), m)
}

// addAt makes a run in the directory path.
func (d *directory) addAt(path string, m made) string {
	d.t.Helper()
	if m.verb == "" {
		m.verb = "import"
	}
	dir, err := report.NewDir(path)
	d.check(err)
	if m.retry != nil {
		d.check(m.retry.Write(dir))
	}
	d.check(dir.Write("mapping.yaml", []byte("resource: externalclientcontactperson\nkey: custom_id\nfields:\n  custom_id: Nr\n  name: Namn\n")))
	d.writeLists(dir, m)
	d.writeJournal(dir, m)
	if m.outcome != "" {
		d.writeSummary(dir, m)
	}
	d.check(dir.Close())
	return path
}

func (d *directory) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *directory) writeJournal(dir *report.Dir, m made) {
	d.t.Helper()
	spec, err := json.Marshal(m.spec)
	d.check(err)
	h := journal.Header{
		Run: dir.ID, Verb: m.verb, Parent: m.parent, Began: time.Date(2026, 11, 24, 2, 15, d.made, 0, time.UTC),
		BaseURL: "https://api.example", Customer: "tenant", Resource: "externalclientcontactperson", Spec: spec,
	}
	h.Files = []journal.File{d.describe(runs.OwnMapping, dir.File("mapping.yaml"))}
	if m.input != "" {
		h.Input = d.describe("input", m.input)
	}
	jr, err := journal.Create(dir.File("journal.db"), h, d.key)
	d.check(err)
	for seq, row := range slices.Sorted(maps.Keys(m.fates)) {
		d.check(jr.Plan(journal.Chunk{Seq: int64(seq), First: row, Last: row, Rows: 1}))
		s := journal.Settlement{Fates: []pipeline.Fate{m.fates[row]}}
		s.IDs.Append(fmt.Appendf(nil, "id-%d", row))
		d.check(jr.Settle(int64(seq), s))
	}
	if m.outcome != "" {
		d.check(jr.Finish(m.outcome))
	}
	d.check(jr.Close())
}

func (d *directory) describe(name, path string) journal.File {
	d.t.Helper()
	file, err := runs.DescribeFile(name, path)
	d.check(err)
	return file
}

// writeLists writes the lists of rows, which have the keys K-2, K-3, ….
func (d *directory) writeLists(dir *report.Dir, m made) {
	d.t.Helper()
	written := "written.csv"
	if m.verb == "undo" {
		written = "undone.csv"
	}
	lists := map[pipeline.Fate]struct{ name, head, line string }{
		pipeline.Written:  {written, "row;key;id;change", "%[1]d;K-%[1]d;id-%[1]d;created"},
		pipeline.Rejected: {"rejects.csv", "Nr;Namn;_row;_errors", "K-%[1]d;Bo;%[1]d;" + m.reasons},
		pipeline.InDoubt:  {"in_doubt.csv", "Nr;Namn;_row;_errors", "K-%[1]d;Bo;%[1]d;in doubt"},
	}
	for fate, list := range lists {
		text := ""
		for _, row := range slices.Sorted(maps.Keys(m.fates)) {
			if m.fates[row] == fate {
				text += fmt.Sprintf(list.line, row) + "\r\n"
			}
		}
		if text != "" {
			d.check(dir.Write(list.name, []byte("\uFEFF"+list.head+"\r\n"+text)))
		}
	}
}

func (d *directory) writeSummary(dir *report.Dir, m made) {
	d.t.Helper()
	s := report.NewSummary(m.verb)
	s.Run, s.Parent, s.Exit = dir.ID, m.parent, m.exit
	s.Rows.Read = int64(len(m.fates))
	for _, fate := range m.fates {
		switch fate {
		case pipeline.Written:
			s.Rows.Written++
		case pipeline.Rejected:
			s.Rows.Rejected++
		case pipeline.InDoubt:
			s.Rows.InDoubt++
		case pipeline.Pending:
			s.Rows.NotSent++
		}
	}
	if s.Rows.Rejected > 0 {
		s.Rejects = []report.Reason{{Code: "key_conflict", Count: s.Rows.Rejected}}
	}
	if m.outcome != report.StateDone {
		s.Error = &report.Failure{Message: "it was stopped"}
	}
	for _, name := range []string{"rejects", "in_doubt"} {
		if report.IsFile(dir.File(name + ".csv")) {
			s.Files[name] = dir.File(name + ".csv")
		}
	}
	var err error
	s.Sums, err = runs.Sums(s.Files)
	d.check(err)
	data, err := s.JSON()
	d.check(err)
	d.check(dir.Write("summary.json", data))
}

// group reads the run at path and those that belong to it.
func (d *directory) group(path string) runs.Group {
	d.t.Helper()
	g, err := d.Group(path)
	d.check(err)
	return g
}

// file writes a file outside the store.
func (d *directory) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), name)
	d.check(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// rejects writes a file with rejects of the rows, as somebody fixed them.
func (d *directory) rejects(rows ...int64) string {
	text := "\uFEFFNr;Namn;_row;_errors\r\n"
	for _, row := range rows {
		text += fmt.Sprintf("K-%d;Fixed;%d;\r\n", row, row)
	}
	return d.file("fixed.csv", text)
}

// wantUsage holds that err cannot work as it was asked for, that its text has message,
// and that the command to run next is next, if that is not empty.
func wantUsage(t *testing.T, err error, message string, next advice.Command) {
	t.Helper()
	var usage *advice.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), message) {
		t.Errorf("error %v, want usage that says %q", err, message)
		return
	}
	var known *advice.NextError
	switch {
	case errors.As(err, &known):
		if diff := cmp.Diff(next, known.Next.Command); diff != "" {
			t.Errorf("next of %v: %s", err, diff)
		}
	case !next.IsZero():
		t.Errorf("no command after %v, want %v", err, next)
	}
}
