package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRowsOutliveTheSandbox(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a b?c#d%41.db")
	s, err := sandbox.New(sandbox.Options{DB: file, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	before := do(s, "POST", base+"list/", bulk(person("A", ""), person("B", "")))
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("%d files after closing, want the database alone", len(entries))
	}
	again := open(t, sandbox.Options{DB: file, Tenants: []string{"other"}})
	if got := do(again, "GET", base+"list/", ""); got.body != before.body {
		t.Errorf("after reopening: %s", got.body)
	}
}

func TestNothingIsLeftOfASandboxInMemory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, do(s, "POST", base, person("A", "")), 201)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files left", len(left))
	}
	wantStatus(t, do(s, "POST", base, person("A", "")), 500)
}

func TestDatabasesRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(text, link); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{text, link, dir, filepath.Join(dir, "missing", "x.db")} {
		if _, err := sandbox.New(sandbox.Options{DB: file}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestADatabaseOfOtherFieldsIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	r := &mappings.Resource{Name: "a", Path: "/a/a/", Fields: []mappings.Field{{Name: "id", Type: "uuid", ReadOnly: true}}}
	s, err := sandbox.New(sandbox.Options{DB: file, Resources: []*mappings.Resource{r}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r.Fields = append(r.Fields, mappings.Field{Name: "name", Type: "string"})
	_, err = sandbox.New(sandbox.Options{DB: file, Resources: []*mappings.Resource{r}})
	if err == nil || !strings.Contains(err.Error(), "other fields") {
		t.Errorf("%v", err)
	}
}
