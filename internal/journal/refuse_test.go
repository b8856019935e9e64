package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

var update = flag.Bool("update", false, "make the run directories in testdata anew")

// The run directories in testdata: one of each version of the format that is
// read, one of a version that is not known yet, and something else.
const (
	fixture1     = "testdata/format1"
	fixtureLater = "testdata/format9"
	fixtureOther = "testdata/other"
)

// fixtureKey is what they were made with: not testKey, which tests change freely.
func fixtureKey() *Key { return newKey([]byte("the key of the journals in testdata")[:keySize]) }

// fixtureChunks are in the journal of fixture1.
func fixtureChunks() []*Entry {
	doubtful := settlementOf(2, 3)
	doubtful.Fates[1], doubtful.Notes = pipeline.InDoubt, []byte("notes")
	return []*Entry{
		{Chunk: chunkOf(0, 3), State: Settled, Settlement: settlementOf(0, 3)},
		{Chunk: chunkOf(1, 3), State: Sending, Sent: []int32{0, 2}},
		{Chunk: chunkOf(2, 3), State: Settled, Settlement: doubtful},
		{Chunk: chunkOf(3, 3), State: Planned},
	}
}

func writeFixtures(t *testing.T) {
	for _, dir := range []string{fixture1, fixtureLater, fixtureOther} {
		must(t, os.RemoveAll(dir))
		must(t, os.MkdirAll(dir, 0o755))
	}
	path := filepath.Join(fixture1, "journal.db")
	j, err := Create(path, testHeader(), fixtureKey())
	must(t, err)
	for _, e := range fixtureChunks() {
		must(t, j.Plan(e.Chunk))
		if e.State == Sending {
			must(t, j.Sending(e.Seq, e.Sent, []byte("image")))
		}
		if e.State == Settled {
			must(t, j.Settle(e.Seq, e.Settlement))
		}
	}
	must(t, j.Finish("interrupted"))
	must(t, j.Close())
	must(t, os.Remove(filepath.Join(fixture1, lockFile)))
	db, err := os.ReadFile(path)
	must(t, err)
	binary.BigEndian.PutUint32(db[60:], 9)
	must(t, os.WriteFile(filepath.Join(fixtureLater, "journal.db"), db[:4096], 0o600))
	must(t, os.WriteFile(filepath.Join(fixtureOther, "journal.db"), []byte("this is not a journal\n"), 0o600))
}

// copied copies a run directory, which opening its journal would change.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(to, os.DirFS(dir)))
	return filepath.Join(to, "journal.db")
}

// A journal of this format, as it was written by the first version that wrote it,
// is read and resumed.
func TestFault39RollingUpgrade(t *testing.T) {
	if *update {
		writeFixtures(t)
	}
	path := copied(t, fixture1)
	for name, open := range openers {
		j, err := open(path, fixtureKey())
		must(t, err)
		if diff := cmp.Diff(testHeader(), j.Header()); diff != "" || j.Outcome() != "interrupted" {
			t.Errorf("%s: outcome %s, header: -want +got\n%s", name, j.Outcome(), diff)
		}
		for _, want := range fixtureChunks() {
			if diff := cmp.Diff(tell(want), found(t, j, want.Seq)); diff != "" {
				t.Errorf("%s: -want +got\n%s", name, diff)
			}
		}
		images, err := j.BeforeImages(1)
		must(t, err)
		if diff := cmp.Diff([]BeforeImage{{1, []byte("image")}}, images); diff != "" {
			t.Errorf("%s: images: -want +got\n%s", name, diff)
		}
		must(t, j.Close())
	}
	j, err := Open(path, fixtureKey())
	must(t, err)
	must(t, j.Settle(1, settlementOf(1, 3)))
	must(t, j.Finish("done"))
	must(t, j.Close())
}

func TestFault39OtherFormats(t *testing.T) {
	older := copied(t, fixture1)
	db, err := os.ReadFile(older)
	must(t, err)
	binary.BigEndian.PutUint32(db[60:], 0)
	must(t, os.WriteFile(older, db, 0o600))
	tests := map[string]struct {
		path string
		is   error
		text string
	}{
		"later":     {copied(t, fixtureLater), ErrVersion, "its format is version 9, and this flytt reads version 1"},
		"older":     {older, ErrVersion, "its format is version 0, and this flytt reads version 1"},
		"other":     {copied(t, fixtureOther), ErrNotJournal, "it is not a journal of flytt"},
		"directory": {t.TempDir(), ErrNotJournal, "it is not a journal of flytt"},
		"none":      {filepath.Join(t.TempDir(), "journal.db"), os.ErrNotExist, "no such file"},
	}
	for name, test := range tests {
		for how, open := range openers {
			before, _ := os.ReadFile(test.path)
			_, err := open(test.path, fixtureKey())
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), "journal "+test.path+": "+test.text) {
				t.Errorf("%s: %s: %v", name, how, err)
			}
			if test.is == ErrVersion && !strings.Contains(hintIn(err), "version of flytt that wrote it") {
				t.Errorf("%s: hint %s", name, hintIn(err))
			}
			if after, _ := os.ReadFile(test.path); !bytes.Equal(before, after) {
				t.Errorf("%s: %s changed it", name, how)
			}
		}
	}
}

// A journal of another key is not called damaged, also one that was not closed,
// and stays what it was.
func TestAnotherKeyIsRefused(t *testing.T) {
	h := newHistory(t)
	h.write(0, 3)
	path := filepath.Join(t.TempDir(), "journal.db")
	db, log := h.files()
	must(t, os.WriteFile(path, db, 0o600))
	must(t, os.WriteFile(path+walSuffix, log, 0o600))
	for how, open := range openers {
		if _, err := open(path, fixtureKey()); !errors.Is(err, ErrOtherKey) || errors.Is(err, ErrDamaged) || hintIn(err) == "" {
			t.Errorf("%s: %v", how, err)
		}
	}
	j, err := Open(path, testKey())
	must(t, err)
	if found(t, j, 2).State != Sending {
		t.Error("chunks are lost")
	}
	must(t, j.Close())
}

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	err := refusedPlace("/mnt/run/journal.db", "nfs")
	if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "/mnt/run/journal.db: it would lie on a network file system (nfs)") ||
		!strings.Contains(hintIn(err), "--run-dir") {
		t.Errorf("%v: %s", err, hintIn(err))
	}
	if kind, err := networkKind(t.TempDir()); kind != "" || err != nil {
		t.Errorf("the temporary directory: %s, %v", kind, err)
	}
}

func TestKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config", "flytt")
	digests := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range digests {
		wg.Go(func() {
			if k, err := LoadKey(dir); err != nil {
				t.Error(err)
			} else {
				digests[i] = k.Digest([]byte("a"))
			}
		})
	}
	wg.Wait()
	for _, d := range digests {
		if !bytes.Equal(d, digests[0]) || len(d) == 0 {
			t.Fatal("another key")
		}
	}
	files, err := os.ReadDir(dir)
	must(t, err)
	info, err := os.Stat(dir)
	must(t, err)
	if len(files) != 1 || files[0].Name() != keyFile || info.Mode().Perm() != 0o700 {
		t.Errorf("%v in a directory of mode %v", files, info.Mode())
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 || info.Size() != keySize {
		t.Errorf("key: %v, %v", info.Mode(), err)
	}
}

func TestUnfitKeysAreRefused(t *testing.T) {
	whole := bytes.Repeat([]byte("k"), keySize)
	tests := map[string]struct {
		make func(path string) error
		text string
	}{
		"others can read it": {func(p string) error { return errors.Join(os.WriteFile(p, whole, 0o600), os.Chmod(p, 0o640)) }, "others can read it (mode 0640)"},
		"short":              {func(p string) error { return os.WriteFile(p, whole[1:], 0o600) }, "it has 31 bytes, not 32"},
		"empty":              {func(p string) error { return os.WriteFile(p, nil, 0o600) }, "it has 0 bytes, not 32"},
		"directory":          {func(p string) error { return os.Mkdir(p, 0o700) }, "it is not a file"},
		"symbolic link": {func(p string) error {
			return errors.Join(os.WriteFile(p+".elsewhere", whole, 0o600), os.Symlink(p+".elsewhere", p))
		}, "it is a symbolic link"},
	}
	for name, test := range tests {
		path := filepath.Join(t.TempDir(), keyFile)
		must(t, test.make(path))
		_, err := LoadKey(filepath.Dir(path))
		if err == nil || !strings.Contains(err.Error(), "journal key "+path+": "+test.text) || hintIn(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What nobody waits for is on the disk soon all the same.
func TestSettlementsAreNotHeldBackForLong(t *testing.T) {
	h := newHistory(t)
	must(t, h.j.Plan(chunkOf(0, 2)))
	h.known[0] = &told{Chunk: chunkOf(0, 2), State: Planned}
	h.note(false)
	deadline := time.Now().Add(10 * time.Second)
	for {
		db, log := h.files()
		calls, err := h.opened(db, log, Read)
		must(t, err)
		if calls == h.calls {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("not written")
		}
		time.Sleep(maxCommitDelay / 2) // until the goroutine's own time is up
	}
}

func TestLinkedLockIsRefused(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	lock := filepath.Join(filepath.Dir(path), lockFile)
	victim := filepath.Join(t.TempDir(), "victim")
	must(t, os.WriteFile(victim, []byte("x"), 0o600))
	must(t, errors.Join(os.Remove(lock), os.Symlink(victim, lock)))
	if _, err := Open(path, testKey()); err == nil {
		t.Error("opened")
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "x" {
		t.Errorf("%s, %v", text, err)
	}
}
