package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/pipeline"
)

func TestCountEntry(t *testing.T) {
	entries := []journal.Entry{
		{Chunk: journal.Chunk{Rows: 2}, State: journal.Planned},
		{Chunk: journal.Chunk{Rows: 3}, State: journal.Sending, Sent: []int32{0, 2}},
		{Chunk: journal.Chunk{Rows: 8}, State: journal.Settled, Settlement: journal.Settlement{Fates: []pipeline.Fate{
			pipeline.Written, pipeline.Updated, pipeline.Unchanged, pipeline.Skipped,
			pipeline.Rejected, pipeline.Broken, pipeline.InDoubt, pipeline.NotSent,
		}}},
		{Chunk: journal.Chunk{Rows: 2}, State: journal.Sending, Sent: []int32{1},
			Settlement: journal.Settlement{Fates: []pipeline.Fate{pipeline.Written, pipeline.Pending}}},
	}
	var got pipeline.Counts
	for i := range entries {
		countEntry(&got, &entries[i])
	}
	want := pipeline.Counts{Read: 15, Written: 3, Updated: 1, Unchanged: 1, Skipped: 1, Rejected: 2, InDoubt: 4, NotSent: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseAge(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{"30d": 30 * day, "2w": 14 * day, "12h": 12 * time.Hour, "90m": 90 * time.Minute, "0d": 0} {
		if got, err := parseAge(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "30", "d", "-3d", "-3h", "1.5d", "3y", "999999999d", "w2"} {
		if got, err := parseAge(s); exitCode(err) != exitUsage {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
}

// journalled makes the directory of a run that has a journal, and leaves that open.
func journalled(t *testing.T, dir, id string, h journal.Header) (path string, jr *journal.Journal) {
	t.Helper()
	path = filepath.Join(dir, id)
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "log.jsonl"), []byte(`{"level":"DEBUG","msg":"run starts","verb":"import"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := loadKey()
	if err != nil {
		t.Fatal(err)
	}
	h.Run = id
	if jr, err = journal.Create(filepath.Join(path, "journal.db"), h, key); err != nil {
		t.Fatal(err)
	}
	return path, jr
}

func TestRunIsRunningWhileItsJournalIsHeld(t *testing.T) {
	t.Setenv("FLYTT_KEY_DIR", t.TempDir())
	t.Chdir(t.TempDir())
	path, jr := journalled(t, runsDir, "20261124-021500-000001", journal.Header{Verb: "import", Began: time.Now(), Spec: []byte("{}")})
	r, err := readRun(path)
	if err != nil || r.state != report.StateRunning || r.verb() != "import" || r.resumable() {
		t.Fatalf("%+v, %v", r, err)
	}
	a := &app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	if _, err := a.findRun(""); exitCode(err) != exitUsage {
		t.Errorf("a run that is running is to be gone on with: %v", err)
	}
	p := &purge{app: a, dir: runsDir, all: true}
	account, err := p.choose(time.Now().Add(time.Hour))
	if err != nil || len(account.Deleted) != 0 || len(account.Kept) != 1 || !strings.Contains(account.Kept[0].Reason, "is running") {
		t.Errorf("purge: %+v, %v", account, err)
	}
	if err := p.remove([]purged{{Run: r.id, Path: path}}); err == nil || !report.IsRun(path) {
		t.Errorf("a run that was begun again was deleted: %v", err)
	}
	if err := jr.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = readRun(path); err != nil || r.state != report.StateKilled || !r.resumable() {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err := a.findRun(""); err != nil || filepath.Base(got) != r.id {
		t.Errorf("found %s, %v", got, err)
	}
}

func TestFindRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, id := range []string{"20261124-021500-aaaaaa", "20261124-021500-abbbbb", "20261125-021500-cccccc"} {
		if err := os.MkdirAll(filepath.Join(runsDir, id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(runsDir, id, "log.jsonl"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := &app{stderr: &bytes.Buffer{}}
	for arg, want := range map[string]string{
		"20261125":                                  "20261125-021500-cccccc",
		"20261124-021500-aa":                        "20261124-021500-aaaaaa",
		"20261124-021500-abbbbb":                    "20261124-021500-abbbbb",
		runsDir + "/20261124-021500-aaaaaa":         "20261124-021500-aaaaaa",
		"./" + runsDir + "/20261125-021500-cccccc/": "20261125-021500-cccccc",
	} {
		if got, err := a.findRun(arg); err != nil || filepath.Base(got) != want || !filepath.IsAbs(got) {
			t.Errorf("%s: %s, %v", arg, got, err)
		}
	}
	for _, arg := range []string{"", "20261124", "2027", ".", "..", runsDir, "/"} {
		got, err := a.findRun(arg)
		if exitCode(err) != exitUsage || hintOf(err) == "" {
			t.Errorf("%q: %s, %v", arg, got, err)
		}
	}
}

func TestRowsOfFilesThatAreNotFlytts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"written.csv":  "nr;key\r\n1;a\r\n",
		"rejects.csv":  "Nr;Namn\r\n1;a\r\n",
		"in_doubt.csv": "\uFEFFNr;_row;_errors\r\n1;x;y\r\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := eachRow(path, func(int64) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "is not as flytt wrote it") {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := eachRow(path, func(int64) error { return nil }); err != nil {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
}

func TestWrittenRowsOfAnyDelimiter(t *testing.T) {
	for _, d := range []string{";", ",", "\t", "|"} {
		path := filepath.Join(t.TempDir(), "written.csv")
		text := strings.ReplaceAll("\uFEFFrow;key;id;change\r\n2;\"a\n7\";x;created\r\n3;'=b;y;updated\r\n", ";", d)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := eachKey(path, func(row int64, key []byte) error {
			got = append(got, fmt.Sprintf("%d %s", row, key))
			return nil
		})
		if diff := cmp.Diff([]string{"2 a\n7", "3 =b"}, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", d, err, diff)
		}
	}
}

func TestAFullDiskIsNoDamage(t *testing.T) {
	full := fmt.Errorf("journal: %w", journal.ErrDisk)
	if code := joinedExit(unreadableRun("run", full)); code != exitFatal {
		t.Errorf("exit code %d, want %d", code, exitFatal)
	}
	if code := joinedExit(unreadableRun("run", journal.ErrDamaged)); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
}
