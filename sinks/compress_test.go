package sinks

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// noise is a batch of rows rows that hardly compress, so that there are several
// blocks of them.
func noise(rows int) *pipeline.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]string, rows)
	for i := range out {
		v := make([]byte, 500)
		for j := range v {
			v[j] = byte(' ' + r.IntN(90))
		}
		out[i] = []string{string(v), "end"}
	}
	return pipelinetest.Batch(out...)
}

// chunked writes b in chunks of size rows to path and returns what is there.
func chunked(t *testing.T, path string, b *pipeline.Batch, size int, o FileOptions) (data []byte, sink pipeline.Sink) {
	t.Helper()
	s, err := Create(path, pipelinetest.Schema("a", "b"), &o)
	must(t, err)
	for from := 0; from < b.Len(); from += size {
		var rows [][]string
		for i := from; i < min(from+size, b.Len()); i++ {
			rows = append(rows, []string{string(b.Fields[0].Value(i)), string(b.Fields[1].Value(i))})
		}
		writeChunk(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)})
	}
	must(t, s.Commit(context.Background()))
	data, err = os.ReadFile(path)
	must(t, err)
	return data, s
}

// decompressors read what compressions write, by their extensions. They read one
// member, or frame, and no more.
var decompressors = map[string]func(r io.Reader) (io.Reader, error){
	".gz": func(r io.Reader) (io.Reader, error) {
		z, err := gzip.NewReader(r)
		if err == nil {
			z.Multistream(false)
		}
		return z, err
	},
	".zst": func(r io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
	},
}

// unpack returns the text that data is in the compression of the given
// extension, whatever the case of that.
func unpack(t *testing.T, extension string, data []byte) string {
	t.Helper()
	r, err := decompressors[strings.ToLower(extension)](bytes.NewReader(data))
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	return string(text)
}

func TestEveryCompressionIsTested(t *testing.T) {
	for _, c := range compressions {
		if decompressors[c.extension] == nil {
			t.Errorf("nothing undoes %s here", c.extension)
		}
	}
}

func TestCompressedFilesHoldWhatPlainOnesDo(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	rows := noise(25000) // 12 MB: several jobs of Zstandard
	for _, extension := range []string{".csv", ".jsonl", ".ndjson", ".CSV"} {
		plain, _ := chunked(t, filepath.Join(dir, "plain"+extension), rows, 7000, FileOptions{})
		for _, packed := range []string{".gz", ".ZST"} {
			first, _ := chunked(t, filepath.Join(dir, "first"+extension+packed), rows, 7000, FileOptions{})
			second, _ := chunked(t, filepath.Join(dir, "second"+extension+packed), rows, 411, FileOptions{})
			if !bytes.Equal(first, second) {
				t.Errorf("%s%s: the bytes depend on the chunks, or the name", extension, packed)
			}
			if unpack(t, packed, first) != string(plain) {
				t.Errorf("%s%s: not the plain file", extension, packed)
			}
			if want := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0}; packed == ".gz" && !bytes.HasPrefix(first, want) {
				t.Errorf("%s: the header has a time or a name: % x", extension, first[:10])
			}
		}
	}
}

func TestCompressionDoesNotDependOnTheProcessors(t *testing.T) {
	rows := noise(25000)
	for extension := range decompressors {
		var want []byte
		for _, n := range []int{1, 2, 5} {
			before := runtime.GOMAXPROCS(n)
			got, _ := chunked(t, filepath.Join(t.TempDir(), "a.csv"+extension), rows, 7000, FileOptions{})
			runtime.GOMAXPROCS(before)
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: with %d processors other bytes", extension, n)
			}
		}
	}
}

func TestAFileWithoutRowsHasItsHeader(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{"a.csv": "a,b\n", "a.jsonl": ""} {
		for _, packed := range []string{"", ".gz", ".zst"} {
			s, err := Create(filepath.Join(dir, name+packed), pipelinetest.Schema("a", "b"), nil)
			must(t, err)
			must(t, s.Commit(context.Background()))
			data, err := os.ReadFile(filepath.Join(dir, name+packed))
			must(t, err)
			if packed != "" {
				if len(data) == 0 {
					t.Errorf("%s%s is empty, which is nothing compressed", name, packed)
				}
				data = []byte(unpack(t, packed, data))
			}
			if string(data) != want {
				t.Errorf("%s%s: %q, want %q", name, packed, data, want)
			}
		}
	}
}

func TestAStreamIsCompressedWhereItsFormatSaysSo(t *testing.T) {
	for extension := range decompressors {
		var out bytes.Buffer
		s, err := Create("-", pipelinetest.Schema("a", "b"), &FileOptions{Stdout: &out, Format: "csv" + extension})
		must(t, err)
		writeChunk(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"1", "2"})})
		must(t, s.Commit(context.Background()))
		if got := unpack(t, extension, out.Bytes()); got != "a,b\n1,2\n" {
			t.Errorf("%s: got %q", extension, got)
		}
	}
}

func TestAnAbortedStreamDoesNotLookWhole(t *testing.T) {
	defer goleak.VerifyNone(t)
	for extension, open := range decompressors {
		for _, rows := range []int{1, 25000} {
			var out bytes.Buffer
			s, err := Create("-", pipelinetest.Schema("a", "b"), &FileOptions{Stdout: &out, Format: "jsonl" + extension})
			must(t, err)
			writeChunk(t, s, &pipeline.Chunk{Batch: *noise(rows)})
			if undone, err := s.Abort(); undone || err != nil {
				t.Errorf("undone %v, error %v", undone, err)
			}
			empty := out.Len() == 0
			r, err := open(&out)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) && !empty {
				t.Errorf("%s, %d rows: it reads as if it were whole: %v", extension, rows, err)
			}
			if rows > 1 && empty {
				t.Errorf("%s: nothing was written of %d rows", extension, rows)
			}
		}
	}
}

func TestAFailedWriteOfACompressedFileIsFound(t *testing.T) {
	defer goleak.VerifyNone(t)
	for extension := range decompressors {
		for _, rows := range []int{1, 3000, 25000} {
			s, err := Create("-", pipelinetest.Schema("a", "b"), &FileOptions{Stdout: brokenWriter{}, Format: "csv" + extension})
			must(t, err)
			c := &pipeline.Chunk{Batch: *noise(rows)}
			must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
			err = s.Write(context.Background(), c)
			if err == nil {
				err = s.Commit(context.Background())
			}
			if err == nil || err.Error() != "stdout: write: broken" {
				t.Errorf("%s, %d rows: error %v", extension, rows, err)
			}
			if _, err := s.Abort(); err != nil {
				t.Error(err)
			}
		}
	}
}

// failsLater takes room bytes and fails then, as a disk that fills up.
type failsLater struct{ room int }

func (f *failsLater) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("broken")
	}
	return len(p), nil
}

func TestADiskThatFillsUpDuringCompressionIsFound(t *testing.T) {
	defer goleak.VerifyNone(t)
	for extension := range decompressors {
		for _, room := range []int{10, 100 << 10, 600 << 10, 1 << 20, 5 << 20} {
			s, err := Create("-", pipelinetest.Schema("a", "b"), &FileOptions{Stdout: &failsLater{room}, Format: "csv" + extension})
			must(t, err)
			c := &pipeline.Chunk{Batch: *noise(25000)}
			must(t, s.Encoder().Encode(&c.Batch, &c.Encoded))
			if err = s.Write(context.Background(), c); err == nil {
				err = s.Commit(context.Background())
			}
			if err == nil || !strings.HasSuffix(err.Error(), "write: broken") {
				t.Errorf("%s, room for %d bytes: error %v", extension, room, err)
			}
			if _, err := s.Abort(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAnAbortedCompressedFileLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	for extension := range decompressors {
		s, err := Create(filepath.Join(dir, "a.csv"+extension), pipelinetest.Schema("a", "b"), nil)
		must(t, err)
		writeChunk(t, s, &pipeline.Chunk{Batch: *noise(3000)})
		if undone, err := s.Abort(); !undone || err != nil {
			t.Errorf("undone %v, error %v", undone, err)
		}
	}
	if got := namesIn(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestSumIsOfTheFileAsItLies(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "a.jsonl", "a.csv.gz", "a.csv.zst"} {
		for _, asked := range []bool{false, true} {
			data, s := chunked(t, filepath.Join(dir, name), noise(2000), 300, FileOptions{Overwrite: true, Sum: asked})
			want := [sha256.Size]byte{}
			if asked {
				want = sha256.Sum256(data)
			}
			sum, n := s.(Summed).Sum()
			if sum != want || n != int64(len(data)) {
				t.Errorf("%s: sum %x of %d bytes, want %x of %d", name, sum, n, want, len(data))
			}
		}
	}
}

func TestCheckHasTheLastWord(t *testing.T) {
	refused := errors.New("too few rows")
	for _, name := range []string{"a.csv", "a.csv.gz", "a.jsonl.zst"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		mustWrite(t, path, "old")
		s, err := Create(path, pipelinetest.Schema("a", "b"), &FileOptions{Overwrite: true, Check: func() error { return refused }})
		must(t, err)
		writeChunk(t, s, &pipeline.Chunk{Batch: *noise(10)})
		if err := s.Commit(context.Background()); err != refused {
			t.Errorf("%s: error %v, want that of the check", name, err)
		}
		if undone, err := s.Abort(); !undone || err != nil {
			t.Errorf("%s: undone %v, error %v", name, undone, err)
		}
		data, err := os.ReadFile(path)
		if err != nil || string(data) != "old" || namesIn(t, dir) != name {
			t.Errorf("%s: the old file is %q, %v; there are %s", name, data, err, namesIn(t, dir))
		}
		checked := 0
		if _, s := chunked(t, path, noise(10), 3, FileOptions{Overwrite: true, Check: func() error { checked++; return nil }}); s == nil || checked != 1 {
			t.Errorf("%s: checked %d times", name, checked)
		}
	}
}

func TestCheckOfAStreamFailsTheCommit(t *testing.T) {
	refused := errors.New("too few rows")
	var out bytes.Buffer
	s, err := Create("-", pipelinetest.Schema("a", "b"), &FileOptions{Stdout: &out, Check: func() error { return refused }})
	must(t, err)
	writeChunk(t, s, &pipeline.Chunk{Batch: *noise(1)})
	if err := s.Commit(context.Background()); err != refused {
		t.Errorf("error %v, want that of the check", err)
	}
	if undone, err := s.Abort(); undone || err != nil || out.Len() == 0 {
		t.Errorf("undone %v, error %v, %d bytes went out", undone, err, out.Len())
	}
}

func BenchmarkWriteCompressed(b *testing.B) {
	for _, c := range compressions {
		b.Run(c.extension, func(b *testing.B) { benchCompressed(b, c.extension) })
	}
}

func benchCompressed(b *testing.B, extension string) {
	s, err := Create("-", contactFields(), &FileOptions{Stdout: io.Discard, Format: "csv" + extension})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var data []byte
	for i := range 2000 { // rows that differ where those of a register do
		n := r.Uint64()
		data = fmt.Appendf(data, "Anna-Karin Åström,%016x-%016x,Kontaktperson,19%010d,,K-%d,Anna-Karin,Åström,user%d@example.se,+4670%07d,\n",
			n, r.Uint64(), n%1e10, i, n%1e6, n%1e7)
	}
	c := &pipeline.Chunk{Encoded: pipeline.Encoded{Data: data}}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := s.Write(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Commit(context.Background()); err != nil {
		b.Fatal(err)
	}
}
