package sources

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	meta "github.com/parquet-go/parquet-go/format"

	"flytt/pipeline"
)

// hostileLimit is the memory that no broken file may take more of.
const hostileLimit = 128 << 20

// hostile is a file that has to be refused.
type hostile struct {
	name    string
	content []byte
	says    string // part of the error
}

// hostileFiles are broken in all the ways that files of others were.
func hostileFiles(t testing.TB) []hostile {
	good, err := os.ReadFile(groupsFile)
	if err != nil {
		t.Fatal(err)
	}
	tail := func(footer uint32, magic string) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, footer), magic...)
	}
	files := []hostile{
		{"eight bytes", []byte("PAR1PAR1"), "too short"},
		{"twelve bytes", []byte("PAR1\xFF\xFF\xFF\xFFPAR1"), "has no room for"},
		{"no footer", []byte("PAR1\x00\x00\x00\x00PAR1"), "has no room for"},
		{"encrypted", append([]byte("PARE"), good[4:]...), "encrypted"},
		{"encrypted footer", slices.Concat(good[:len(good)-4], []byte("PARE")), "encrypted"},
		{"cut short", good[:len(good)/2], "cut short"},
		{"a huge footer", slices.Concat(good[:len(good)-8], tail(0x7FFFFFFF, "PAR1")), "has no room for"},
		{"a footer over all", slices.Concat(good[:len(good)-8], tail(uint32(len(good)-12), "PAR1")), "the footer"},
		{"a footer of lists", slices.Concat([]byte("PAR1"), lists(), tail(uint32(len(lists())), "PAR1")), "the footer"},
		{"deep", slices.Concat([]byte("PAR1"), bytes.Repeat([]byte{0x1C}, 1<<20), tail(1<<20, "PAR1")), "nest deeper"},
		{"a long list of nothing", heavy(), "more than fits into memory"},
		{"a page flipped", flip(good, 4), "row group 1, column nr"},
	}
	for _, m := range mutations {
		files = append(files, hostile{m.name, remade(t, good, m.change), m.says})
	}
	return append(files,
		hostile{"a page of 2 GiB", pageFile(t, meta.PageHeader{UncompressedPageSize: 1<<31 - 1, CompressedPageSize: 30}, meta.Zstd, nil), "a page holds 2047 MiB"},
		hostile{"a compressed page of 2 GiB", pageFile(t, meta.PageHeader{UncompressedPageSize: 30, CompressedPageSize: 1<<31 - 1}, meta.Zstd, nil), "a page claims 2147483647 bytes"},
		hostile{"a page of 200 MiB", pageFile(t, meta.PageHeader{UncompressedPageSize: 200 << 20, CompressedPageSize: 30}, meta.Zstd, nil), "more than 64 MiB of memory"},
		hostile{"a snappy page of 50 MiB", pageFile(t, meta.PageHeader{UncompressedPageSize: 50 << 20, CompressedPageSize: 30}, meta.Snappy, nil), "a page of 30 bytes claims to hold"},
		hostile{"a zstd page of 50 MiB", pageFile(t, meta.PageHeader{UncompressedPageSize: 50 << 20, CompressedPageSize: 30}, meta.Zstd, nil), "decompressing ZSTD"},
		hostile{"a negative page", pageFile(t, meta.PageHeader{UncompressedPageSize: -1, CompressedPageSize: 30}, meta.Zstd, nil), "a page of 30 bytes claims to hold -1"},
		hostile{"too many values", pageFile(t, meta.PageHeader{UncompressedPageSize: 30, CompressedPageSize: 30}, meta.Uncompressed, nil), "a page claims 1000 values, where 100 are left"},
		hostile{"a delta of 2^60 values", pageFile(t, deltaHeader, meta.Uncompressed, deltaClaim), "claims to hold"},
		hostile{"an old lz4", pageFile(t, meta.PageHeader{UncompressedPageSize: 30, CompressedPageSize: 30}, meta.Lz4, nil), "compressed with LZ4, which is not read"},
	)
}

// lists returns a footer whose every list claims more than is there.
func lists() []byte { return bytes.Repeat([]byte{0x29, 0xFC, 0xFF, 0xFF, 0xFF, 0x07}, 100) }

// heavy returns a file whose footer has 8 million column chunks of no bytes.
func heavy() []byte {
	const n = 8 << 20
	footer := binary.AppendUvarint([]byte{0x49, 0x1C, 0x19, 0xFC}, n) // row groups, one of them, its columns
	footer = append(footer, make([]byte, n+8)...)
	b := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
}

func flip(content []byte, at int) []byte {
	out := slices.Clone(content)
	for i := range 24 {
		out[at+i] ^= 0xFF
	}
	return out
}

// mutations are footers that say what is not so.
var mutations = []struct {
	name   string
	change func(*meta.FileMetaData)
	says   string
}{
	{"fewer rows", func(m *meta.FileMetaData) { m.NumRows-- }, "its row groups"},
	{"negative rows", func(m *meta.FileMetaData) { m.RowGroups[0].NumRows = -5 }, "row group 1: it is said to have -5 rows"},
	{"too many rows", func(m *meta.FileMetaData) { m.NumRows++; m.RowGroups[0].NumRows++ }, "values for"},
	{"2^40 rows", func(m *meta.FileMetaData) {
		m.RowGroups = m.RowGroups[:1]
		m.RowGroups[0].NumRows, m.NumRows = 1<<40, 1<<40
		for i := range m.RowGroups[0].Columns {
			m.RowGroups[0].Columns[i].MetaData.NumValues = 1 << 40
		}
	}, "row group 1, column nr"},
	{"no schema", func(m *meta.FileMetaData) { m.Schema = nil }, "no schema"},
	{"no columns", func(m *meta.FileMetaData) {
		m.Schema[0].NumChildren.V, m.Schema = 0, m.Schema[:1]
		for i := range m.RowGroups {
			m.RowGroups[i].Columns = nil
		}
	}, "no column"},
	{"a column too few", func(m *meta.FileMetaData) { m.RowGroups[1].Columns = m.RowGroups[1].Columns[1:] }, "row group 2"},
	{"another type", func(m *meta.FileMetaData) { m.Schema[2].Type.V = meta.Double }, "row group 1, column name: its values are of type STRING stored as DOUBLE, which is not read"},
	{"a wrong logical type", func(m *meta.FileMetaData) {
		m.Schema[1].ConvertedType = thrift.Null[deprecated.ConvertedType]{}
		m.Schema[1].LogicalType = meta.LogicalType{Value: &meta.DateType{}}
	}, "row group 1, column nr: its values are of type DATE stored as INT64, which is not read"},
	{"data beyond the end", func(m *meta.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = 1 << 40 }, "outside of the file"},
	{"a negative place", func(m *meta.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset = -4 }, "outside of the file"},
	{"a size beyond the end", func(m *meta.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = 1 << 62 }, "outside of the file"},
	{"a group of 2^31", func(m *meta.FileMetaData) { m.Schema[0].NumChildren.V = 1<<31 - 1 }, "the schema: a group of"},
	{"too few children", func(m *meta.FileMetaData) { m.Schema[0].NumChildren.V = 1 }, "belong to no group"},
	{"another codec", func(m *meta.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.Codec = 77 }, "which is not read"},
	{"in another file", func(m *meta.FileMetaData) { m.RowGroups[0].Columns[0].FilePath = "other" }, "another file"},
}

// remade returns content with another footer.
func remade(t testing.TB, content []byte, change func(*meta.FileMetaData)) []byte {
	t.Helper()
	size := int(binary.LittleEndian.Uint32(content[len(content)-8:]))
	start := len(content) - 8 - size
	var m meta.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), content[start:start+size], &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	return withFooter(t, content[:start], &m)
}

func withFooter(t testing.TB, data []byte, m *meta.FileMetaData) []byte {
	t.Helper()
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), m)
	if err != nil {
		t.Fatal(err)
	}
	b := slices.Concat(data, footer)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
}

// deltaHeader is of a page that holds 100 numbers, or so it says.
var deltaHeader = meta.PageHeader{
	UncompressedPageSize: 30, CompressedPageSize: 30,
	DataPageHeader: thrift.New(meta.DataPageHeader{NumValues: 100, Encoding: meta.DeltaBinaryPacked, DefinitionLevelEncoding: meta.RLE, RepetitionLevelEncoding: meta.RLE}),
}

// deltaClaim is the start of numbers that say they are 2^60.
var deltaClaim = append([]byte{0x80, 0x01, 0x04}, binary.AppendUvarint(nil, 1<<60)...)

// pageFile returns a file of a column of 100 numbers whose only page has header h
// and starts with body.
func pageFile(t testing.TB, h meta.PageHeader, codec meta.CompressionCodec, body []byte) []byte {
	t.Helper()
	if !h.DataPageHeader.Valid {
		h.DataPageHeader = thrift.New(meta.DataPageHeader{NumValues: 100, DefinitionLevelEncoding: meta.RLE, RepetitionLevelEncoding: meta.RLE})
		if codec == meta.Uncompressed {
			h.DataPageHeader.V.NumValues = 1000
		}
	}
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte("PAR1"), head...)
	data = append(append(data, body...), make([]byte, 64)...)
	size := int64(len(head) + 30)
	m := meta.FileMetaData{
		Version: 1, NumRows: 100,
		Schema: []meta.SchemaElement{
			{Name: "root", NumChildren: thrift.New[int32](1)},
			{Name: "nr", Type: thrift.New(meta.Int64), RepetitionType: thrift.New(meta.Required)},
		},
		RowGroups: []meta.RowGroup{{NumRows: 100, Columns: []meta.ColumnChunk{{MetaData: meta.ColumnMetaData{
			Type: meta.Int64, Codec: codec, NumValues: 100, DataPageOffset: 4, TotalCompressedSize: size,
			TotalUncompressedSize: 1 << 40, PathInSchema: []string{"nr"}, Encoding: []meta.Encoding{meta.Plain},
		}}}}},
	}
	return withFooter(t, data, &m)
}

const hostileVariable = "FLYTT_TEST_HOSTILE"

// TestParquetHostileFiles holds broken files to an error that names the place,
// in under a second and 128 MiB of memory, those of the process included.
func TestParquetHostileFiles(t *testing.T) {
	if dir := os.Getenv(hostileVariable); dir != "" {
		readHostile(t, dir)
		return
	}
	dir := t.TempDir()
	for i, h := range hostileFiles(t) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.parquet", i)), h.content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestParquetHostileFiles$", "-test.v")
	child.Env = append(os.Environ(), hostileVariable+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// readHostile reads what TestParquetHostileFiles wrote, in a process of its own.
func readHostile(t *testing.T, dir string) {
	for i, h := range hostileFiles(t) {
		t.Run(h.name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			err := readFile(filepath.Join(dir, fmt.Sprintf("%02d.parquet", i)))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var e *Error
			switch {
			case !errors.As(err, &e):
				t.Fatalf("error %v, want *Error", err)
			case e.Usage || e.Hint == "" || !strings.Contains(e.Error(), h.says):
				t.Errorf("error %q, hint %q, want %q", e, e.Hint, h.says)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > hostileLimit || took > time.Second && !raceDetector {
				t.Errorf("%d MiB allocated in %v", n>>20, took)
			}
			t.Logf("%v", e)
		})
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil && !raceDetector {
		var kib int
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		if _, err := fmt.Sscan(peak, &kib); err != nil || kib > hostileLimit>>10 {
			t.Errorf("%d MiB resident, %v", kib>>10, err)
		}
	}
}

func readFile(path string) error {
	s, _, err := Open(path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	if n, ok := s.(pipeline.ColumnSelector); ok {
		n.Select(slices.Repeat([]bool{true}, len(s.Columns())))
	}
	_, err = readAll(s)
	return err
}

// TestParquetFlippedBytes holds that no byte of a file can be changed so that
// reading it panics, takes long or takes much memory.
func TestParquetFlippedBytes(t *testing.T) {
	for _, path := range []string{"testdata/parquet/duckdb-types-zstd.parquet", "testdata/parquet/apache-nullable.impala.parquet"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 4; at < len(content)-8; at += 7 {
			changed := slices.Clone(content)
			changed[at] ^= byte(1 << (at % 8))
			holdToLimits(t, changed)
		}
	}
}

// holdToLimits reads content as a Parquet file.
func holdToLimits(t testing.TB, content []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	s, _, err := Open("-", &Options{Stdin: bytes.NewReader(content)})
	if err == nil {
		_, err = readAll(s)
		s.Close()
	}
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("%T, want *Error: %v", err, err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2*hostileLimit || time.Since(start) > 5*time.Second {
		t.Fatalf("%d MiB allocated in %v: %v", n>>20, time.Since(start), err)
	}
}

// FuzzParquet holds any content to the limits.
func FuzzParquet(f *testing.F) {
	files, err := filepath.Glob("testdata/parquet/*.parquet")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 5000 {
			f.Add(content)
		}
	}
	for _, h := range hostileFiles(f) {
		if len(h.content) < 5000 {
			f.Add(h.content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if startsParquet(content) != "" {
			holdToLimits(t, content)
		}
	})
}
