package runs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
)

// recordFiles writes the lists of rows that a run leaves, and returns the run.
func recordFiles(t *testing.T, dir, id string, fates map[int64]pipeline.Fate, retry *RetrySelection) *Record {
	t.Helper()
	r := &Record{
		ID: id, Path: filepath.Join(dir, id), State: report.StateDone, outcome: report.StateDone, retry: retry, store: &Store{},
		Summary: report.NewSummary("import"), Header: &journal.Header{Verb: "import"},
	}
	if retry != nil {
		r.Header.Verb, r.Header.Parent = "retry", retry.Run
	}
	text := map[string]string{}
	for row, fate := range fates {
		r.Rows.Add(fate)
		r.Rows.Read++
		switch fate {
		case pipeline.Written:
			text["written.csv"] += fmt.Sprintf("%d;k;i;created\r\n", row)
		case pipeline.Rejected:
			text["rejects.csv"] += fmt.Sprintf("x;%d;e\r\n", row)
		case pipeline.InDoubt:
			text["in_doubt.csv"] += fmt.Sprintf("x;%d;e\r\n", row)
		}
	}
	heads := map[string]string{"written.csv": "row;key;id;change", "rejects.csv": "Nr;_row;_errors", "in_doubt.csv": "Nr;_row;_errors"}
	for name, rows := range text {
		if err := os.MkdirAll(r.Path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.Path, name), []byte("\uFEFF"+heads[name]+"\r\n"+rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.Summary.Rows = r.Rows
	return r
}

// TestRetriesAddUp runs random retries of random rows, of which the plan says
// which may be sent, and holds the account against what became of each row.
func TestRetriesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 19))
	some := []pipeline.Fate{pipeline.Written, pipeline.Unchanged, pipeline.Skipped, pipeline.Rejected, pipeline.Rejected}
	for range 60 {
		dir := t.TempDir()
		now := map[int64]pipeline.Fate{}
		for row := int64(2); row < 30; row++ {
			now[row] = some[r.IntN(len(some))]
		}
		f := Group{recordFiles(t, dir, "run", now, nil)}
		for n := range r.IntN(4) {
			f = append(f, randomRetry(t, r, f, now, n, some))
		}
		a, err := f.Account()
		if err == nil {
			err = f.checkRows(a)
		}
		if err != nil || !a.Balanced {
			t.Fatalf("%v, faults %q", err, a.Discrepancies)
		}
		want := pipeline.Counts{Read: int64(len(now))}
		for _, fate := range now {
			want.Add(fate)
		}
		if diff := cmp.Diff(want, a.Rows); diff != "" {
			t.Fatal(diff)
		}
	}
}

// randomRetry sends random rows as the n-th retry of f and notes in now what
// became of them.
func randomRetry(t *testing.T, r *rand.Rand, f Group, now map[int64]pipeline.Fate, n int, some []pipeline.Fate) *Record {
	t.Helper()
	rows := []int64{900, 901} // which the run never had
	for row := range now {
		if r.IntN(2) == 0 {
			rows = append(rows, row)
		}
	}
	record, err := f.selectRows("fixed.csv", rowsOf(rows...))
	if err != nil {
		t.Fatal(err)
	}
	b := &pipeline.Batch{}
	b.Reset(0)
	for _, row := range rows {
		b.AddRow(row)
	}
	if err := record.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	fates := map[int64]pipeline.Fate{}
	for i, row := range rows {
		sent := b.Fates[i] == pipeline.Pending
		if was, known := now[row]; sent != (known && was == pipeline.Rejected) {
			t.Fatalf("row %d, %v before: sent is %v", row, was, sent)
		}
		if fates[row] = pipeline.Rejected; sent {
			fates[row] = some[r.IntN(len(some))]
			now[row] = fates[row]
		}
	}
	run := recordFiles(t, filepath.Dir(f[0].Path), fmt.Sprintf("retry%d", n), fates, record)
	for code, list := range map[pipeline.Code]RowSet{alreadyWritten: record.Written, notRejected: record.Settled} {
		run.Summary.Rejects = append(run.Summary.Rejects, report.Reason{Code: code, Count: list.Len()})
	}
	return run
}

func TestRowsThatArrivedTwiceAreFound(t *testing.T) {
	dir := t.TempDir()
	run := recordFiles(t, dir, "run", map[int64]pipeline.Fate{2: pipeline.Written, 3: pipeline.Rejected, 4: pipeline.Rejected}, nil)
	record := &RetrySelection{Run: run.Path, Rows: rowsOf(2, 3)}
	retry := recordFiles(t, dir, "retry", map[int64]pipeline.Fate{2: pipeline.Written, 3: pipeline.Written}, record)
	other := recordFiles(t, dir, "other", map[int64]pipeline.Fate{3: pipeline.Written}, &RetrySelection{Run: run.Path, Rows: rowsOf(3)})
	f := Group{run, retry, other}
	a, err := f.Account()
	if err == nil {
		err = f.checkRows(a)
	}
	if err != nil {
		t.Fatal(err)
	}
	faults := strings.Join(a.Discrepancies, "\n")
	for _, want := range []string{
		"other wrote 1 rows that another retry had written",
		"1 rows were written by the run, and again by a retry",
		"1 rows were retried that the run had not rejected",
	} {
		if a.Balanced || !strings.Contains(faults, want) {
			t.Errorf("%q is not among\n%s", want, faults)
		}
	}
}

func TestRowsInDoubtAreNotRetried(t *testing.T) {
	dir := t.TempDir()
	f := Group{recordFiles(t, dir, "run", map[int64]pipeline.Fate{2: pipeline.InDoubt, 3: pipeline.Rejected}, nil)}
	if _, err := f.selectRows("fixed.csv", rowsOf(3)); err != nil {
		t.Error(err)
	}
	_, err := f.selectRows("fixed.csv", rowsOf(2, 3))
	var usage *advice.UsageError
	var next *advice.NextError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "1 row is in doubt, row 2 first") || !errors.As(err, &next) || next.Next.Command.Verb != "resume" {
		t.Errorf("%v, hint %s", err, advice.HintOf(err))
	}
}
