package runs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/pipeline"
)

func TestSelectionOfARetry(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, reasons: "the key is taken [key_conflict]",
		fates: fate{2: pipeline.Written, 3: pipeline.Rejected, 4: pipeline.Rejected, 5: pipeline.Unchanged}})
	g := d.group(first)
	s, err := g.SelectRetry(d.rejects(2, 3, 4, 5, 77), false)
	d.check(err)
	var sent, codes []string
	b := &pipeline.Batch{}
	b.Reset(0)
	for _, row := range []int64{2, 3, 4, 5, 77} {
		b.AddRow(row)
		if s.Sent().Has(row) {
			sent = append(sent, fmt.Sprint(row))
		}
	}
	d.check(s.Step().Apply(b))
	for _, p := range b.Problems {
		codes = append(codes, fmt.Sprintf("%d %s", b.Rows[p.Row], p.Code))
	}
	if diff := cmp.Diff([]string{"3", "4"}, sent); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if diff := cmp.Diff([]string{"2 already_written", "5 not_rejected", "77 not_rejected"}, codes); diff != "" {
		t.Errorf("rejected: %s", diff)
	}
	if !s.Conflict.Has(3) || !s.Conflict.Has(4) || s.Conflict.Len() != 2 {
		t.Errorf("rows whose key was taken: %v", s.Conflict)
	}

	dir, err := d.NewDir("", s.Began)
	d.check(err)
	d.check(s.Write(dir))
	d.check(dir.Close())
	again, err := runs.ReadRetry(dir.Path)
	if diff := cmp.Diff(s, again); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// TestConflictsOfRejectsThatWereSavedInAnotherForm looks up all rows where the reasons
// cannot be read: as UTF-16, which spreadsheets call Unicode text.
func TestConflictsOfRejectsThatWereSavedInAnotherForm(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected, 3: pipeline.Rejected}})
	text := []byte{0xff, 0xfe}
	for _, r := range "Nr;Namn;_row;_errors\r\nK-2;Bo;2;x\r\nK-3;Bo;3;x\r\n" {
		text = append(text, byte(r), 0)
	}
	d.check(os.WriteFile(filepath.Join(first, "rejects.csv"), text, 0o600))
	s, err := d.group(first).SelectRetry(d.rejects(2, 3), false)
	if err != nil || s.Conflict.Len() != 2 {
		t.Errorf("%v: rows that may have a record are sent without a look: %+v", err, s)
	}
}

func TestFilesThatAreNotRetried(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected, 3: pipeline.Rejected}})
	for text, message := range map[string]string{
		"Nr;Namn\r\nK-2;Bo\r\n":                         "is not a rejects file",
		"\uFEFFNr;_row;_errors\r\nK-2;2;\r\nK-2;2;\r\n": "rows 1 and 2 below the header are both row 2",
		"\uFEFFNr;_row;_errors\r\nK-2;;\r\n":            "row 1 below the header has no number",
		"\uFEFFNr;_row;_errors\r\n":                     "holds no rows of a run",
	} {
		_, err := d.group(first).SelectRetry(d.file("fixed.csv", text), false)
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: %v, want %q", text, err, message)
		}
	}
	_, err := d.group(first).SelectRetry(filepath.Join(t.TempDir(), "none.csv"), false)
	wantUsage(t, err, "none.csv", advice.Command{})
}

func TestAFileIsSentOnce(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected, 3: pipeline.Rejected}})
	file := d.rejects(2, 3)
	s, err := d.group(first).SelectRetry(file, false)
	d.check(err)
	d.add(made{verb: "retry", parent: first, outcome: report.StateDone, input: file, retry: s, fates: fate{2: pipeline.Written, 3: pipeline.Rejected}})
	_, err = d.group(first).SelectRetry(file, false)
	wantUsage(t, err, "was sent already", advice.Command{})
	s, err = d.group(first).SelectRetry(file, true)
	if err != nil || !s.Written.Has(2) || s.Sent().Has(2) || !s.Sent().Has(3) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAGroupThatCannotBeRetried(t *testing.T) {
	tests := map[string]struct {
		first, other made
		message      string
		resume       int // the run to resume first, counted from 1; 0: none
	}{
		"interrupted":    {first: made{outcome: report.StateInterrupted}, message: "did not get through (interrupted)", resume: 1},
		"a verify":       {first: made{verb: "verify", outcome: report.StateDone}, message: "is a run of verify"},
		"a killed retry": {first: made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected}}, other: made{verb: "retry"}, message: "did not get through (killed)", resume: 2},
		"in doubt":       {first: made{outcome: report.StateDone, fates: fate{2: pipeline.InDoubt}}, message: "1 row is in doubt", resume: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDirectory(t)
			paths := []string{d.add(test.first)}
			if test.other.verb != "" {
				test.other.parent, test.other.retry = paths[0], &runs.RetrySelection{Run: paths[0]}
				paths = append(paths, d.add(test.other))
			}
			next := advice.Command{}
			if test.resume > 0 {
				next = advice.Command{Verb: "resume", Run: d.Name(paths[test.resume-1])}
			}
			_, err := d.group(paths[0]).SelectRetry(d.rejects(2), false)
			wantUsage(t, err, test.message, next)
		})
	}
}

func TestFindRejects(t *testing.T) {
	d := newDirectory(t)
	rejected := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected}})
	other := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Written}})
	for file, want := range map[string]string{
		filepath.Join(other, "rejects.csv"): other,
		d.rejects(2):                        rejected,
	} {
		if path, err := d.FindRejects(file); err != nil || path != want {
			t.Errorf("%s: %s, %v", file, path, err)
		}
	}
}
