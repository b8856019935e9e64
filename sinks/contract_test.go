package sinks

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestFormatsKeepTheContract runs every format in the table through what the
// engine and the user count on.
func TestFormatsKeepTheContract(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			c := contract{format: f}
			t.Run("golden", c.golden)
			t.Run("chunks", c.chunksMakeNoDifference)
			t.Run("concurrent encoders", c.encodersWorkConcurrently)
			t.Run("no rows", c.fileWithoutRowsIsValid)
			t.Run("whole", c.appearsWholeOnCommit)
			t.Run("abort", c.abortLeavesNothing)
			t.Run("failed write", c.failedWriteLeavesRowsPending)
			t.Run("cancelled", c.cancelledWriteLeavesRowsPending)
			t.Run("exists", c.refusesWhatExists)
			t.Run("extensions", c.isChosenByExtension)
		})
	}
}

type contract struct{ format format }

// shown says how a file of a format that is no text is shown as text, in which
// a file without rows is the beginning of one with rows.
var shown = map[string]func(*testing.T, []byte) []byte{
	"parquet": showParquet,
	"xlsx":    showXLSX,
}

// show returns a file as the golden files have it.
func (c contract) show(t *testing.T, file []byte) []byte {
	t.Helper()
	if show, ok := shown[c.format.name]; ok {
		return show(t, file)
	}
	return file
}

func contractSchema() *pipeline.Schema {
	return &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "name"}, {Name: "external_client.id", Type: pipeline.UUID}, {Name: "born", Type: pipeline.Date},
		{Name: "seen_at", Type: pipeline.DateTime}, {Name: "floors", Type: pipeline.Integer},
		{Name: "area", Type: pipeline.Number}, {Name: "active", Type: pipeline.Boolean}, {Name: "extra", Type: pipeline.JSON},
	}}
}

// contractRows holds what makes trouble in one format or another.
func contractRows() [][]string {
	id := "7d444840-9dc0-11d1-b245-5ffdce74fad2"
	return [][]string{
		{"Anna Åström", id, "2024-02-29", "2024-01-02T03:04:05Z", "3", "41.5", "true", `{"a":[1,2]}`},
		{pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
		{"", id, pipelinetest.Null, pipelinetest.Null, "-7", "-0.25", "false", `"text"`},
		{"comma, semicolon; \"quotes\"\r\nand\nlines", id, "2024-01-02", pipelinetest.Null, "0", "1e400", "true", "null"},
		{"=cmd|' /C calc'!A0", id, pipelinetest.Null, pipelinetest.Null, "198501022399", "12345678901.5", pipelinetest.Null, "[]"},
		{"'=1", id, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
		{"0123", id, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, "2.0", pipelinetest.Null, "12"},
		{"\t<b>\u2028&</b>\U0001F600", id, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
		{"1-2", id, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
	}
}

// chunksOf returns the contract's rows in chunks of size rows.
func (c contract) chunksOf(size int) []*pipeline.Chunk {
	var out []*pipeline.Chunk
	rows := contractRows()
	for from := 0; from < len(rows); from += size {
		out = append(out, &pipeline.Chunk{Batch: *pipelinetest.Batch(rows[from:min(from+size, len(rows))]...)})
	}
	return out
}

func (c contract) create(t *testing.T, path string, o FileOptions) pipeline.Sink {
	t.Helper()
	o.Format = c.format.name
	s, err := Create(path, contractSchema(), &o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c contract) path(t *testing.T) string {
	return filepath.Join(t.TempDir(), "out"+c.format.extensions[0])
}

// file writes chunks of size rows and returns what is in the file.
func (c contract) file(t *testing.T, size int, o FileOptions) []byte {
	t.Helper()
	path := c.path(t)
	s := c.create(t, path, o)
	for _, chunk := range c.chunksOf(size) {
		writeChunk(t, s, chunk)
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeChunk(t *testing.T, s pipeline.Sink, c *pipeline.Chunk) {
	t.Helper()
	if err := s.Encoder().Encode(&c.Batch, &c.Encoded); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if n := c.Pending(); n != 0 {
		t.Fatalf("%d rows are pending after the write", n)
	}
}

func (c contract) golden(t *testing.T) {
	compareGolden(t, filepath.Join("testdata", "contract", c.format.name+".golden"), c.show(t, c.file(t, 100, FileOptions{})))
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file (run with -update and look at it): %v", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func (c contract) chunksMakeNoDifference(t *testing.T) {
	want := c.show(t, c.file(t, 100, FileOptions{}))
	for _, size := range []int{1, 2, 5} {
		if got := c.show(t, c.file(t, size, FileOptions{})); !bytes.Equal(got, want) {
			t.Errorf("chunks of %d rows:\n got %q\nwant %q", size, got, want)
		}
	}
}

func (c contract) encodersWorkConcurrently(t *testing.T) {
	path := c.path(t)
	s := c.create(t, path, FileOptions{})
	chunks := c.chunksOf(1)
	var wg sync.WaitGroup
	for worker := range 3 {
		e := s.Encoder()
		wg.Go(func() {
			for i := worker; i < len(chunks); i += 3 {
				if err := e.Encode(&chunks[i].Batch, &chunks[i].Encoded); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, chunk := range chunks {
		if err := s.Write(context.Background(), chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.show(t, data), c.show(t, c.file(t, 100, FileOptions{})); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func (c contract) fileWithoutRowsIsValid(t *testing.T) {
	path := c.path(t)
	s := c.create(t, path, FileOptions{})
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, whole := c.show(t, data), c.show(t, c.file(t, 100, FileOptions{}))
	if !bytes.HasPrefix(whole, got) {
		t.Errorf("%q is no beginning of %q", got, whole)
	}
}

func (c contract) appearsWholeOnCommit(t *testing.T) {
	path := c.path(t)
	s := c.create(t, path, FileOptions{})
	for _, chunk := range c.chunksOf(1) {
		writeChunk(t, s, chunk)
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Fatalf("the file has its name before the commit: %v", err)
		}
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := namesIn(t, filepath.Dir(path)); got != filepath.Base(path) {
		t.Errorf("the directory holds %q", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func namesIn(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func (c contract) abortLeavesNothing(t *testing.T) {
	path := c.path(t)
	s := c.create(t, path, FileOptions{})
	writeChunk(t, s, c.chunksOf(3)[0])
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
	if got := namesIn(t, filepath.Dir(path)); got != "" {
		t.Errorf("the directory holds %q", got)
	}
}

// failedWriteLeavesRowsPending: a format that writes as the rows come says so at
// once. One that gathers rows says so when it commits, and takes them back.
func (c contract) failedWriteLeavesRowsPending(t *testing.T) {
	s := c.create(t, "-", FileOptions{Stdout: brokenWriter{}})
	chunk := c.chunksOf(2)[0]
	if err := s.Encoder().Encode(&chunk.Batch, &chunk.Encoded); err != nil {
		t.Fatal(err)
	}
	err := s.Write(context.Background(), chunk)
	if err != nil && chunk.Pending() != 2 {
		t.Errorf("error %v, %d rows pending, want 2", err, chunk.Pending())
	}
	if err != nil {
		return
	}
	if err := s.Commit(context.Background()); err == nil {
		t.Error("neither the write nor the commit fails")
	}
	if undone, _ := s.Abort(); !undone {
		t.Error("rows that went nowhere count as written")
	}
}

func (c contract) cancelledWriteLeavesRowsPending(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out bytes.Buffer
	s := c.create(t, "-", FileOptions{Stdout: &out})
	chunk := c.chunksOf(3)[0]
	if err := s.Write(ctx, chunk); err == nil || chunk.Pending() != 3 || out.Len() > 0 {
		t.Errorf("error %v, %d rows pending, %d bytes out", err, chunk.Pending(), out.Len())
	}
}

func (c contract) refusesWhatExists(t *testing.T) {
	path := c.path(t)
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, contractSchema(), nil); !isUsage(err) {
		t.Errorf("error %v, want a usage error", err)
	}
	s := c.create(t, path, FileOptions{Overwrite: true})
	writeChunk(t, s, c.chunksOf(100)[0])
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the old file is %q before the commit", data)
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, c.file(t, 100, FileOptions{})) {
		t.Errorf("the old file was not replaced whole: %q", got)
	}
}

func (c contract) isChosenByExtension(t *testing.T) {
	for _, extension := range c.format.extensions {
		path := filepath.Join(t.TempDir(), "out"+strings.ToUpper(extension))
		s, err := Create(path, contractSchema(), nil)
		if err != nil {
			t.Fatal(err)
		}
		writeChunk(t, s, c.chunksOf(100)[0])
		if err := s.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, c.file(t, 100, FileOptions{})) {
			t.Errorf("%s: %q", extension, got)
		}
	}
}
