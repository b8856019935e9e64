package run

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"flytt/internal/journal"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/sources"
)

// TestRowsOfWrittenKeys finds the row whose key a row of the run, or of a retry, has.
func TestRowsOfWrittenKeys(t *testing.T) {
	key, err := journal.LoadKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store, err := runs.NewStore(t.TempDir(), func() (*journal.Key, error) { return key, nil })
	if err != nil {
		t.Fatal(err)
	}
	first := wroteKeys(t, store, "import", "", "2;K-2;id-2;created\r\n")
	wroteKeys(t, store, "retry", first, "4;K-4;id-4;created\r\n")
	wroteKeys(t, store, "undo", first, "5;K-9;id-9;created\r\n") // sent no rows
	g, err := store.Group(first)
	if err != nil {
		t.Fatal(err)
	}
	// Row 3 has the key of row 2 now, and row 5 that of row 4; row 6 is not sent.
	file := filepath.Join(t.TempDir(), "fixed.csv")
	text := "Nr;Namn;_row;_errors\r\nK-2;Bo;3;\r\nK-4;Bo;5;\r\nK-9;Bo;7;\r\n;Bo;8;\r\nK-2;Bo;6;\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	source, _, err := sources.Open(file, &sources.Options{OriginalNumbers: true})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	sent := runs.RowSet{}
	for _, row := range []int64{3, 5, 7, 8} {
		sent.Add(row)
	}
	rows, err := RowsOfWrittenKeys(g, t.TempDir(), source, keyedPlan(t, source.Columns()), sent)
	if err != nil || rows.Len() != 2 || !rows.Has(3) || !rows.Has(5) {
		t.Errorf("%v, %v", rows, err)
	}
}

// wroteKeys makes a run of verb that belongs to parent and wrote rows, and returns its
// path.
func wroteKeys(t *testing.T, store *runs.Store, verb, parent, rows string) string {
	t.Helper()
	dir, err := store.NewDir("", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if verb == "retry" {
		err = (&runs.RetrySelection{Run: parent}).Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Write("written.csv", []byte("\uFEFFrow;key;id;change\r\n"+rows)); err != nil {
		t.Fatal(err)
	}
	jr, err := store.CreateJournal(dir.Path, journal.Header{Verb: verb, Parent: parent, Began: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := jr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	return dir.Path
}

// keyedPlan binds the columns Nr and Namn.
func keyedPlan(t *testing.T, columns []string) *mappings.Plan {
	t.Helper()
	const resource = "externalclientcontactperson"
	m, err := mappings.ParseMapping("mapping.yaml", []byte("resource: "+resource+"\nkey: custom_id\nfields:\n  custom_id: Nr\n  name: Namn\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := mappings.Lookup(resource)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Compile(r, columns, mappings.CompileOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
