package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
)

// storeIn returns a store of runs in dir, with a key of its own.
func storeIn(t *testing.T, dir string) *Store {
	t.Helper()
	keys := t.TempDir()
	store, err := NewStore(dir, func() (*journal.Key, error) { return journal.LoadKey(keys) })
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func isUsage(err error) bool {
	var usage *advice.UsageError
	return errors.As(err, &usage)
}

// journalled makes the directory of a run in store that has a journal, and leaves that open.
func journalled(t *testing.T, store *Store, id string, h journal.Header) (path string, jr *journal.Journal) {
	t.Helper()
	path = filepath.Join(store.dir, id)
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "log.jsonl"), []byte(`{"level":"DEBUG","msg":"run starts","verb":"import"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := store.key()
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
	store := storeIn(t, t.TempDir())
	path, jr := journalled(t, store, "20261124-021500-000001", journal.Header{Verb: "import", Began: time.Now(), Spec: []byte("{}")})
	r, err := store.Read(path)
	if err != nil || r.State != report.StateRunning || r.Verb() != "import" || r.Resumable() {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := store.NewestUnfinished(); !isUsage(err) {
		t.Errorf("a run that is running is to be resumed: %v", err)
	}
	old, err := store.Old(store.dir, time.Now().Add(time.Hour), true)
	if err != nil || len(old.Delete) != 0 || len(old.Keep) != 1 || !strings.Contains(old.Keep[0].Reason, "is running") {
		t.Errorf("purge: %+v, %v", old, err)
	}
	if err := store.Delete(store.dir, []OldRun{{Run: r.ID, Path: path}}); err == nil || !report.IsRun(path) {
		t.Errorf("a run that was resumed was deleted: %v", err)
	}
	if err := jr.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = store.Read(path); err != nil || r.State != report.StateKilled || !r.Resumable() {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err := store.NewestUnfinished(); err != nil || got != path {
		t.Errorf("found %s, %v", got, err)
	}
	if old, err = store.Old(store.dir, time.Now().Add(time.Hour), false); err != nil || len(old.Keep) != 1 || !strings.Contains(old.Keep[0].Reason, "can be gone on with") {
		t.Errorf("purge: %+v, %v", old, err)
	}
	if err := store.Delete(store.dir, []OldRun{{Run: r.ID, Path: path}}); err != nil || report.IsRun(path) {
		t.Errorf("a run is not deleted: %v", err)
	}
}

// logged makes the directory of a run that has nothing but a log.
func logged(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "log.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	store := storeIn(t, "runs")
	for _, id := range []string{"20261124-021500-aaaaaa", "20261124-021500-abbbbb", "20261125-021500-cccccc"} {
		logged(t, filepath.Join("runs", id))
	}
	for name, want := range map[string]string{
		"20261125":                       "20261125-021500-cccccc",
		"20261124-021500-aa":             "20261124-021500-aaaaaa",
		"20261124-021500-abbbbb":         "20261124-021500-abbbbb",
		"runs/20261124-021500-aaaaaa":    "20261124-021500-aaaaaa",
		"./runs/20261125-021500-cccccc/": "20261125-021500-cccccc",
	} {
		if got, err := store.Find(name); err != nil || filepath.Base(got) != want || !filepath.IsAbs(got) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"20261124", "2027", ".", "..", "runs", "/"} {
		if got, err := store.Find(name); !isUsage(err) || advice.HintOf(err) == "" {
			t.Errorf("%q: %s, %v", name, got, err)
		}
	}
	if got, err := store.NewestUnfinished(); !isUsage(err) {
		t.Errorf("a run that sent nothing is to be resumed: %s, %v", got, err)
	}
	if got, err := store.Newest(); err != nil || store.Name(got) != "20261125-021500-cccccc" {
		t.Errorf("newest: %s, %v", got, err)
	}
}

func TestStoreWithoutADirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	store := storeIn(t, "")
	for name, act := range map[string]func() error{
		"new":        func() error { _, err := store.NewDir("", time.Now()); return err },
		"newest":     func() error { _, err := store.Newest(); return err },
		"unfinished": func() error { _, err := store.NewestUnfinished(); return err },
		"by id":      func() error { _, err := store.Find("2026"); return err },
	} {
		if err := act(); !isUsage(err) || !strings.Contains(advice.HintOf(err), "FLYTT_RUNS_DIR") {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir, err := store.NewDir("own", time.Now())
	if err != nil || dir.ID != "own" || store.Name(dir.Path) != dir.Path {
		t.Fatalf("a run with a directory of its own: %+v, %v", dir, err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if path, err := store.Find("own"); err != nil || path != dir.Path {
		t.Errorf("found %s, %v", path, err)
	}
}

func TestAFullDiskIsNoDamage(t *testing.T) {
	full := fmt.Errorf("journal: %w", journal.ErrDisk)
	if err := unreadable("run", full); isUsage(err) {
		t.Errorf("the user is told to do something else: %v", err)
	}
	if err := unreadable("run", journal.ErrDamaged); !isUsage(err) || advice.HintOf(err) == "" {
		t.Errorf("no advice: %v", err)
	}
}
