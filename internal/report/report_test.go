package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

var started = time.Date(2026, 11, 24, 2, 15, 0, 0, time.UTC)

func TestRunDirectoryIsPrivateAndNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	d, err := NewDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write("summary.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{".": 0o700, "summary.json": 0o600, "log.jsonl": 0o600}
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	var bad *DirError
	if _, err := NewDir(path); !errors.As(err, &bad) || bad.Hint() == "" {
		t.Errorf("a directory that is not empty gives %v, want a *DirError with a hint", err)
	}
}

func TestRunDirectoryRefusesWhatIsNoDirectory(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	for _, path := range []string{file, link} {
		var bad *DirError
		if _, err := NewDir(path); !errors.As(err, &bad) {
			t.Errorf("%s gives %v, want a *DirError", path, err)
		}
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	d, err := NewDir(filepath.Join("flytt-runs", NewID(started)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.ID, "20261124-021500-") {
		t.Errorf("the run is called %s, which does not say when it started", d.ID)
	}
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func sample() *Summary {
	s := NewSummary("import")
	s.Resource, s.Target, s.Run = "contact", "api.example.com", "20261124-021500-abcdef"
	s.Input = &Input{File: "kontakter.csv"}
	s.SetResult(&pipeline.Report{
		Rows:    pipeline.Counts{Read: 1250, Valid: 1242, Written: 1200, Rejected: 8, InDoubt: 42},
		Rejects: []pipeline.Tally{{Stage: pipeline.Validate, Field: "ssn", Code: "check_digit", Count: 7, Row: 17}, {Code: "ragged_row", Count: 1, Row: 9}},
		Repairs: []pipeline.Tally{{Stage: pipeline.Map, Field: "ssn", Code: "century_inferred", Count: 1001, Row: 2}},
	}, 2500*time.Millisecond)
	s.Files = map[string]string{"summary": "/r/summary.json", "missing_clients": "/r/missing_clients.csv", "rejects": "/r/rejects.csv"}
	return s
}

func TestTerminalAccount(t *testing.T) {
	var b strings.Builder
	if err := sample().Print(&b, func(c pipeline.Code) string { return "meaning of " + string(c) }); err != nil {
		t.Fatal(err)
	}
	want := `import: kontakter.csv to contact at api.example.com (2.5 s, 500 rows/s)

  read       1,250
  written    1,200
  rejected       8
  in doubt      42   sent, but no answer shows whether they arrived; they are never sent again

Why rows were rejected
  rows  field  code         first    what it means
     7  ssn    check_digit  line 17  meaning of check_digit
     1  (row)  ragged_row   line 9   meaning of ragged_row

Repaired by rule
   rows  field  code              first   what it means
  1,001  ssn    century_inferred  line 2  meaning of century_inferred

Files
  rejects          /r/rejects.csv
  missing_clients  /r/missing_clients.csv
  summary          /r/summary.json
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the account (-want +got):\n%s", diff)
	}
}

// TestSkippedRowsAreToldApart prints runs that skipped rows for one reason, or two.
func TestSkippedRowsAreToldApart(t *testing.T) {
	for want, rows := range map[string]pipeline.Counts{
		"  skipped       12   left out by the mapping\n":                                       {Read: 1250, Skipped: 12, Written: 1238},
		"  skipped       12   already there, with other values\n":                              {Read: 1250, Skipped: 12, Existing: 12, Written: 1238},
		"  skipped       12   5 left out by the mapping, 7 already there, with other values\n": {Read: 1250, Skipped: 12, Existing: 7, Written: 1238},
	} {
		s := sample()
		s.Rows = rows
		whole := GroupReport{Spec: SpecSummary{Verb: "import"}, Account: NewAccount([]Part{{Run: "r", Verb: "import", State: StateDone, Rows: rows}})}
		var summary, account strings.Builder
		if err := errors.Join(s.Print(&summary, func(pipeline.Code) string { return "" }), whole.Print(&account)); err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{summary.String(), account.String()} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in:\n%s", want, got)
			}
		}
		if !whole.Account.Balanced {
			t.Errorf("%v: %q", rows, whole.Account.Discrepancies)
		}
	}
}

func TestFirstRowIsNamedAsInTheSheet(t *testing.T) {
	s := sample()
	s.NamePlaces(func(field string, row int64) string {
		if field == "" {
			return fmt.Sprintf("It's!17!%d", row)
		}
		return fmt.Sprintf("It's!17!F%d", row)
	})
	if got, want := s.Rejects[0].Place, "It's!17!F17"; got != want {
		t.Errorf("the summary has %s, want %s", got, want)
	}
	for i, want := range []string{"F17", "row 9"} {
		if got := s.Rejects[i].first(); got != want {
			t.Errorf("the terminal has %s, want %s", got, want)
		}
	}
	if got := (&Reason{Row: 8, Place: "row 8"}).first(); got != "row 8" {
		t.Errorf("a row of no sheet is %s", got)
	}
}

func TestTerminalPartsTheNewRecordsFromTheChangedOnes(t *testing.T) {
	s := sample()
	s.Rows = pipeline.Counts{Read: 1250, Written: 1200, Updated: 1100, Unchanged: 50}
	var b strings.Builder
	if err := s.Print(&b, func(c pipeline.Code) string { return string(c) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  written    1,200   (100 created, 1,100 updated)\n",
		"  unchanged     50   their records hold the same already\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the account lacks %q:\n%s", want, b.String())
		}
	}
}

func TestTerminalSaysHowManyReasonsItLeavesOut(t *testing.T) {
	s := sample()
	s.Rejects = nil
	for i := range maxReasons + 3 {
		s.Rejects = append(s.Rejects, Reason{Code: "c", Count: int64(100 - i)})
	}
	var b strings.Builder
	if err := s.Print(&b, func(c pipeline.Code) string { return string(c) }); err != nil {
		t.Fatal(err)
	}
	if want := "and 3 more kinds, 261 in all: summary.json has them"; !strings.Contains(b.String(), want) {
		t.Errorf("the account lacks %q:\n%s", want, b.String())
	}
}

func TestSummaryJSONIsOneObjectWithEveryPart(t *testing.T) {
	data, err := sample().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"run", "verb", "resource", "rows", "rejects", "warnings", "repairs", "files", "seconds", "balanced"} {
		if got[key] == nil {
			t.Errorf("%s is missing", key)
		}
	}
	if got["balanced"] != true || got["error"] != nil {
		t.Errorf("balanced %v, error %v", got["balanced"], got["error"])
	}
}
