package sources

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flytt/pipeline"
)

// changes are the ways in which a file does not stay what it was, and what is said
// of each.
var changes = map[string]struct {
	do  func(t *testing.T, path string, was []byte)
	how string
}{
	"shorter": {func(t *testing.T, path string, was []byte) { rewrite(t, path, was[:len(was)/2]) }, "it has "},
	"longer":  {func(t *testing.T, path string, was []byte) { rewrite(t, path, append(was, '\n')) }, "it has 1 bytes more"},
	"as long": {func(t *testing.T, path string, was []byte) { was[len(was)/2]++; rewrite(t, path, was) }, "it has as many bytes, written "},
	"touched": {func(t *testing.T, path string, _ []byte) { touch(t, path) }, "it has as many bytes, written "},
	"replaced": {func(t *testing.T, path string, was []byte) {
		rewrite(t, path+".new", was)
		rename(t, path+".new", path)
	}, "another file has its name, with as many bytes, written "},
	"replaced by a longer": {func(t *testing.T, path string, was []byte) {
		rewrite(t, path+".new", append(was, '\n'))
		rename(t, path+".new", path)
	}, "another file has its name, with 1 bytes more"},
}

// later is a time that no file of a test has by itself.
var later = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
}

func rewrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, path)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// contractCopy copies a fixture to where it can be changed.
func contractCopy(t *testing.T, fixture string) (path string, content []byte) {
	t.Helper()
	content, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Base(fixture), content), content
}

// readOn decodes all blocks that s has left and returns what ended it.
func readOn(s pipeline.Source) (blocks int, err error) {
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for ; ; blocks++ {
		if err := s.Next(context.Background(), &block); err != nil {
			return blocks, err
		}
		if err := d.Decode(&block, &batch); err != nil {
			return blocks, err
		}
	}
}

func wantChanged(t *testing.T, err error, path, how string) {
	t.Helper()
	var e *Error
	if !errors.Is(err, ErrChanged) || !errors.As(err, &e) {
		t.Fatalf("error %v, want ErrChanged in an *Error", err)
	}
	if e.File != path || e.Hint == "" || e.Usage || !strings.Contains(e.Error(), how) {
		t.Errorf("%v (hint %q), want one that names %s and says %q", e, e.Hint, path, how)
	}
}

func TestAFileThatChangesEndsInAnError(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/contract/*")
	if err != nil || len(fixtures) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, fixture := range fixtures {
		for name, change := range changes {
			t.Run(filepath.Base(fixture)+" "+name, func(t *testing.T) {
				path, content := contractCopy(t, fixture)
				s, _ := mustOpen(t, path, 64)
				if err := s.Next(t.Context(), &pipeline.Block{}); err != nil {
					t.Fatal(err)
				}
				change.do(t, path, content)
				blocks, err := readOn(s)
				wantChanged(t, err, path, change.how)
				if blocks > 0 {
					t.Errorf("%d blocks were handed out after the change", blocks)
				}
				if again := s.Next(t.Context(), &pipeline.Block{}); !errors.Is(again, ErrChanged) {
					t.Errorf("and then %v", again)
				}
			})
		}
	}
}

// TestAFileThatChangesAfterItsLastBlock changes files once all is cut: what the
// decoders of Parquet read comes later still.
func TestAFileThatChangesAfterItsLastBlock(t *testing.T) {
	path, content := contractCopy(t, "testdata/contract/parquet.parquet")
	s, _ := mustOpen(t, path, 1<<20)
	var block, end pipeline.Block
	if err := s.Next(t.Context(), &block); err != nil {
		t.Fatal(err)
	}
	for s.Next(t.Context(), &end) == nil {
	}
	content[5]++
	rewrite(t, path, content)
	wantChanged(t, s.Decoder().Decode(&block, &pipeline.Batch{}), path, "it has as many bytes")
}

// TestAFileThatIsGone removes the name of a file that is open: all of it is there.
func TestAFileThatIsGone(t *testing.T) {
	path, _ := contractCopy(t, "testdata/contract/csv.csv")
	s, _ := mustOpen(t, path, 64)
	rename(t, path, path+".away")
	if blocks, err := readOn(s); err != io.EOF || blocks == 0 {
		t.Errorf("%d blocks, %v", blocks, err)
	}
}

// TestAFileThatHoldsTheSame touches, and replaces, a file whose content somebody
// can vouch for.
func TestAFileThatHoldsTheSame(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			path, content := contractCopy(t, "testdata/contract/csv.csv")
			sum, asked := sha256.Sum256(content), 0
			s, _, err := Open(path, &Options{BlockSize: 64, SameContent: func() bool {
				asked++
				now, err := os.ReadFile(path)
				return err == nil && sha256.Sum256(now) == sum
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			change.do(t, path, content)
			_, err = readOn(s)
			if name == "touched" || name == "replaced" {
				if err != io.EOF || asked != 1 {
					t.Errorf("%v; asked %d times", err, asked)
				}
				return
			}
			wantChanged(t, err, path, change.how)
		})
	}
}

// TestAFileThatIsOpenedAgain changes a file between one reading and the next.
func TestAFileThatIsOpenedAgain(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			path, content := contractCopy(t, "testdata/contract/csv.csv")
			_, info := mustOpen(t, path, 0)
			mustOpenAgain(t, path, info.File, nil)
			if err := Unchanged(path, info.File); err != nil {
				t.Error(err)
			}
			change.do(t, path, content)
			s, _, err := Open(path, &Options{Previous: info.File})
			if err == nil {
				s.Close()
			}
			wantChanged(t, err, path, change.how)
			wantChanged(t, Unchanged(path, info.File), path, change.how)
			if name == "touched" {
				mustOpenAgain(t, path, info.File, func() bool { return true })
			}
		})
	}
}

func mustOpenAgain(t *testing.T, path string, was fs.FileInfo, same func() bool) {
	t.Helper()
	s, _, err := Open(path, &Options{Previous: was, SameContent: same})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readOn(s); err != io.EOF {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
