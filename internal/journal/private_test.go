package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flytt/pipeline"
)

func TestFilesArePrivate(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Plan(chunkOf(0, 2)))
	must(t, j.Sending(0, []int32{0}, nil))
	files, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(files) < 3 { // the database, its log, the lock
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestNoValueOfARowIsInTheFiles(t *testing.T) {
	const canary = "19121212-1212"
	j, path := newJournal(t)
	must(t, j.Plan(Chunk{Rows: 1, First: 1, Last: 1, Digest: j.Digest([]byte(canary))}))
	must(t, j.Sending(0, []int32{0}, []byte(`{"ssn":"`+canary+`"}`)))
	s := Settlement{Fates: []pipeline.Fate{pipeline.Rejected}, Sums: []uint64{j.Sum([]byte(canary))}, Notes: []byte("ssn " + canary + " is taken")}
	must(t, j.Settle(0, s))
	must(t, j.Finish("failed"))
	search := func() {
		t.Helper()
		seen := 0
		files, err := os.ReadDir(filepath.Dir(path))
		must(t, err)
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
			must(t, err)
			seen += len(data)
			if bytes.Contains(data, []byte(canary)) || bytes.Contains(data, []byte("is taken")) {
				t.Errorf("%s holds a value", f.Name())
			}
		}
		if seen < 8192 {
			t.Errorf("only %d bytes were looked at", seen)
		}
	}
	search()
	if got := found(t, j, 0); !strings.Contains(got.Notes, canary) {
		t.Errorf("notes %s", got.Notes)
	}
	must(t, j.Close())
	search()
}

func TestDigestsTellPartsApart(t *testing.T) {
	k, other := testKey(), newKey(make([]byte, keySize))
	a := k.Digest([]byte("ab"), []byte("c"))
	if len(a) != 32 || bytes.Equal(a, k.Digest([]byte("a"), []byte("bc"))) || bytes.Equal(a, other.Digest([]byte("ab"), []byte("c"))) {
		t.Errorf("digest %x", a)
	}
	if !bytes.Equal(a, k.Digest([]byte("ab"), []byte("c"))) {
		t.Error("another digest for the same")
	}
	once, again := k.Sum([]byte("a")), k.Sum([]byte("a"))
	if once != again || once == k.Sum([]byte("b")) || k.Sum(nil) == 0 || k.Sum(nil) == other.Sum(nil) {
		t.Error("sums")
	}
}

// A journal that was not closed can be read, and is none the worse for it.
func TestJournalOfADeadProcessIsRead(t *testing.T) {
	h := newHistory(t)
	h.write(0, 3)
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	db, log := h.files()
	must(t, errors.Join(os.WriteFile(path, db, 0o600), os.WriteFile(path+walSuffix, log, 0o600)))
	for range 2 {
		j, err := Read(path, testKey())
		must(t, err)
		if got := found(t, j, 2); got == nil || got.State != Sending || j.Outcome() != "interrupted" {
			t.Errorf("read %+v", got)
		}
		must(t, j.Close())
	}
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, db) {
		t.Errorf("the database has changed, or %v", err)
	}
	j, err := Open(path, testKey())
	must(t, err)
	must(t, j.Close())
	files, err = os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%v are left, %v", files, err)
	}
}

func TestVersionsAreComparedByTheirNumbers(t *testing.T) {
	for version, older := range map[string]bool{"3.51.3": false, "3.51.10": false, "3.52.0": false, "4.0": false, "3.51.2": true, "3.9.99": true, "3.51": true, "": true} {
		if olderThan(version, "3.51.3") != older {
			t.Errorf("%s is older: %v", version, !older)
		}
	}
}
