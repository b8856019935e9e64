package sinks

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func isUsage(err error) bool {
	var usage *pipeline.UsageError
	return errors.As(err, &usage)
}

func TestCreateRefusesOutputsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	mustWrite(t, in("input.csv"), "a;b\n")
	mustWrite(t, in("other.csv"), "old")
	must(t, os.Link(in("input.csv"), in("hard.csv")))
	must(t, os.Symlink(in("input.csv"), in("soft.csv")))
	must(t, os.Symlink(in("other.csv"), in("planted.csv")))
	must(t, os.Symlink(in("nowhere"), in("dangling.csv")))
	must(t, os.Symlink("/dev/null", in("null.csv")))
	must(t, os.Mkdir(in("dir.csv"), 0o700))
	before := namesIn(t, dir)

	noExtension := "no format has this extension\nhint: extensions: " + strings.Join(extensions(), ", ")
	tests := []struct {
		name, path string
		options    FileOptions
		want       string
	}{
		{"exists", in("other.csv"), FileOptions{}, "exists already\nhint: --overwrite replaces it"},
		{"is the input", in("input.csv"), FileOptions{Overwrite: true}, "is the input\nhint: write to another file"},
		{"hard link to the input", in("hard.csv"), FileOptions{Overwrite: true}, "is the input\nhint: write to another file"},
		{"symbolic link to the input", in("soft.csv"), FileOptions{Overwrite: true}, "is the input\nhint: write to another file"},
		{"symbolic link", in("planted.csv"), FileOptions{Overwrite: true}, "is a symbolic link\nhint: name the file it leads to, or remove the link"},
		{"dangling link", in("dangling.csv"), FileOptions{}, "is a symbolic link\nhint: name the file it leads to, or remove the link"},
		{"link to a device", in("null.csv"), FileOptions{}, "is a symbolic link\nhint: name the file it leads to, or remove the link"},
		{"directory", in("dir.csv"), FileOptions{Overwrite: true}, "is a directory\nhint: name a file in it"},
		{"no directory", in("no/out.csv"), FileOptions{}, "directory " + in("no") + " does not exist\nhint: create it first, or check the path"},
		{"file as directory", in("other.csv/out.csv"), FileOptions{}, "cannot be read: not a directory"},
		{"unknown extension", in("out.xyz.gz"), FileOptions{}, noExtension},
		{"no extension", in("out"), FileOptions{}, noExtension},
		{"two compressions", in("out.csv.gz"), FileOptions{Format: "csv.zst"}, "its name ends in .gz, but .zst is asked for\nhint: leave one of the two out"},
		{"unknown format", in("out.csv"), FileOptions{Format: "xml"}, "format xml is not known\nhint: formats: " + strings.Join(Formats(), ", ")},
		{"excel as jsonl", in("out.jsonl"), FileOptions{Excel: true}, "only csv is written for Excel, and this is jsonl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Inputs = []string{"-", in("gone.csv"), in("input.csv")}
			_, err := Create(test.path, pipelinetest.Schema("a"), &test.options)
			if !isUsage(err) || err.Error() != test.path+": "+test.want {
				t.Errorf("got  %v\nwant %s: %s", err, test.path, test.want)
			}
		})
	}
	if after := namesIn(t, dir); after != before {
		t.Errorf("left behind: %s, before: %s", after, before)
	}
}

func TestCreateNamesWhatWasNotNamed(t *testing.T) {
	if _, err := Create("", pipelinetest.Schema("a"), nil); !isUsage(err) || err.Error() != "output: no file is named" {
		t.Error(err)
	}
}

func TestCreateLeavesNothingWhenTheFormatRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Create(filepath.Join(dir, "out.jsonl"), pipelinetest.Schema("a", "a.b"), nil)
	if want := "field a.b: a is a field itself and cannot hold another\nhint: map one of the two"; !isUsage(err) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := namesIn(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestCreateRefusesADirectoryThatMayNotBeWritten(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	_, err := Create(filepath.Join(dir, "out.csv"), pipelinetest.Schema("a"), nil)
	if !isUsage(err) || !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

func TestStdoutRedirectedIntoTheInputIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.csv")
	mustWrite(t, path, "a\n")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	defer file.Close()
	_, err = Create("-", pipelinetest.Schema("a"), &FileOptions{Stdout: file, Inputs: []string{path}})
	if want := "stdout: leads into the input\nhint: write to another file"; !isUsage(err) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStdoutGetsJSONLinesUnlessAskedOtherwise(t *testing.T) {
	for _, path := range []string{"-", "/dev/stdout"} {
		for format, want := range map[string]string{"": "{\"a\":\"1\"}\n", "csv": "a\n1\n"} {
			var out bytes.Buffer
			s, err := Create(path, pipelinetest.Schema("a"), &FileOptions{Stdout: &out, Format: format})
			must(t, err)
			writeChunk(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"1"})})
			must(t, s.Commit(context.Background()))
			if out.String() != want {
				t.Errorf("%s as %q: %q, want %q", path, format, out.String(), want)
			}
			if undone, err := s.Abort(); undone || err != nil {
				t.Errorf("abort: undone %v, %v; what went out is out", undone, err)
			}
		}
	}
}

func TestClosedPipeIsAnErrorThatNamesStdout(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer w.Close()
	must(t, r.Close())
	err = writeOne(t, "-", &FileOptions{Stdout: w})
	if !errors.Is(err, syscall.EPIPE) || err.Error() != "stdout: write: broken pipe" {
		t.Error(err)
	}
}

func TestFullDiskIsAnErrorThatNamesTheFile(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	err := writeOne(t, "/dev/full", nil)
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != "/dev/full: write: no space left on device" {
		t.Error(err)
	}
}

// writeOne writes one row to path and returns what the write said.
func writeOne(t *testing.T, path string, o *FileOptions) error {
	t.Helper()
	s, err := Create(path, pipelinetest.Schema("a"), o)
	must(t, err)
	c := &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"1"})}
	must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
	err = s.Write(context.Background(), c)
	if undone, abortErr := s.Abort(); undone || abortErr != nil {
		t.Errorf("abort: undone %v, %v", undone, abortErr)
	}
	return err
}

func TestDevicesAndPipesAreWrittenAtOnce(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "out.csv")
	must(t, syscall.Mkfifo(fifo, 0o600))
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0) // both ends, so that opening does not wait
	must(t, err)
	defer reader.Close()
	for _, path := range []string{"/dev/null", fifo} {
		s, err := Create(path, pipelinetest.Schema("a"), nil)
		must(t, err)
		writeChunk(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"1"})})
		must(t, s.Commit(context.Background()))
		if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s was replaced: %v, %v", path, info.Mode(), err)
		}
	}
	got := make([]byte, 10)
	n, err := reader.Read(got)
	if err != nil || string(got[:n]) != "a\n1\n" {
		t.Errorf("the pipe gave %q, %v", got[:n], err)
	}
}

func TestOpenDescriptorOfAPipeIsWrittenAtOnce(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	path := filepath.Join("/proc/self/fd", strconv.Itoa(int(w.Fd())))
	s, err := Create(path, pipelinetest.Schema("a"), nil)
	must(t, err)
	writeChunk(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"1"})})
	must(t, s.Commit(context.Background()))
	got := make([]byte, 20)
	if n, err := r.Read(got); err != nil || string(got[:n]) != "{\"a\":\"1\"}\n" {
		t.Errorf("the pipe gave %q, %v", got[:n], err)
	}
}

func TestFailedRenameLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	mustWrite(t, path, "old")
	s, err := Create(path, pipelinetest.Schema("a"), &FileOptions{Overwrite: true})
	must(t, err)
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	if err := s.Commit(context.Background()); err == nil {
		t.Error("renamed over a directory")
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
	if got := namesIn(t, filepath.Dir(path)); got != "out.csv" {
		t.Errorf("left behind: %s", got)
	}
}

func TestFileThatAppearsDuringTheRunIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	s, err := Create(path, pipelinetest.Schema("a"), nil)
	must(t, err)
	mustWrite(t, path, "another's")
	err = s.Commit(context.Background())
	if !errors.Is(err, fs.ErrExist) || !strings.HasPrefix(err.Error(), path+": rename: ") {
		t.Error(err)
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
	if data, _ := os.ReadFile(path); string(data) != "another's" || namesIn(t, filepath.Dir(path)) != "out.csv" {
		t.Errorf("%q, %s", data, namesIn(t, filepath.Dir(path)))
	}
}

func TestLinkPlantedDuringTheRunIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "out.csv"), filepath.Join(dir, "victim")
	mustWrite(t, victim, "old")
	s, err := Create(path, pipelinetest.Schema("a"), &FileOptions{Overwrite: true})
	must(t, err)
	must(t, os.Symlink(victim, path))
	if err := s.Commit(context.Background()); err == nil {
		t.Error("committed over a planted link")
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
	if data, _ := os.ReadFile(victim); string(data) != "old" {
		t.Errorf("the link was followed: %q", data)
	}
}

func TestDirectoryRemovedDuringTheRunIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	must(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "out.csv")
	s, err := Create(path, pipelinetest.Schema("a"), nil)
	must(t, err)
	must(t, os.RemoveAll(dir))
	err = s.Commit(context.Background())
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != path+": rename: no such file or directory" {
		t.Error(err)
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
}

func TestFilesAreTheOwnersAloneWhateverTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	s, err := Create(filepath.Join(dir, "out.csv"), pipelinetest.Schema("a"), nil)
	must(t, err)
	for _, when := range []string{"before", "after"} {
		entries, err := os.ReadDir(dir)
		must(t, err)
		info, err := entries[0].Info()
		must(t, err)
		if len(entries) != 1 || info.Mode().Perm() != 0o600 || (when == "before") != strings.HasPrefix(info.Name(), ".flytt-") {
			t.Errorf("%s the commit: %v %s", when, info.Mode(), info.Name())
		}
		if when == "before" {
			must(t, s.Commit(context.Background()))
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t testing.TB, path, data string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(data), 0o600))
}
