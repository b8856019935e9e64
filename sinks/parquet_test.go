package sinks

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"flytt/internal/jsonobject"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// openParquet opens a file as the library does, which checks its page index and
// the checksums of pages that are read.
func openParquet(t testing.TB, data []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// showParquet returns the schema of a file and its rows, a line each.
func showParquet(t *testing.T, data []byte) []byte {
	t.Helper()
	f := openParquet(t, data)
	out := bytes.NewBufferString(f.Schema().String() + "\n")
	for _, row := range parquetRows(t, f) {
		fmt.Fprintf(out, "%s\n", strings.Join(row, " | "))
	}
	return out.Bytes()
}

// parquetRows returns the cells of all rows, <null> for a null and text quoted.
func parquetRows(t testing.TB, f *parquet.File) [][]string {
	t.Helper()
	var out [][]string
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				var cells []string
				for _, v := range row {
					cells = append(cells, parquetCell(v))
				}
				out = append(out, cells)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func parquetCell(v parquet.Value) string {
	if v.Kind() == parquet.ByteArray && !v.IsNull() {
		return fmt.Sprintf("%q", v.ByteArray())
	}
	return v.String()
}

// writeParquet writes rows of schema in one chunk and returns the file, and the
// chunk with what was noted.
func writeParquet(t testing.TB, schema *pipeline.Schema, o *FileOptions, rows ...[]string) ([]byte, *pipeline.Chunk) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.parquet")
	s, err := Create(path, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	c := &pipeline.Chunk{}
	if len(rows) > 0 {
		c.Batch = *pipelinetest.Batch(rows...)
		encodeAndWrite(t, s, c)
	}
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data, c
}

func encodeAndWrite(t testing.TB, s pipeline.Sink, c *pipeline.Chunk) {
	t.Helper()
	if err := s.Encoder().Encode(&c.Batch, &c.Encoded); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func TestParquetKeepsValuesOfEveryType(t *testing.T) {
	long := strings.Repeat("å", 300_000)
	for _, test := range []struct {
		kind     pipeline.Type
		in, want string
	}{
		{pipeline.Text, pipelinetest.Null, "<null>"},
		{pipeline.Text, "", `""`},
		{pipeline.Text, "null", `"null"`},
		{pipeline.Text, "å ä ö a\u030a \U0001F600 \uFEFF", "\"å ä ö a\u030a \U0001F600 \\ufeff\""},
		{pipeline.Text, "a\xffb", `"a�b"`},
		{pipeline.Text, "a\x00\r\n\t=b", `"a\x00\r\n\t=b"`},
		{pipeline.Text, long, `"` + long + `"`},
		{pipeline.UUID, "7D444840-9dc0-11d1-b245-5ffdce74fad2", `"7D444840-9dc0-11d1-b245-5ffdce74fad2"`},
		{pipeline.JSON, `{"a": [1, 2],` + "\n" + `"b": "ö"}`, `"{\"a\": [1, 2],\n\"b\": \"ö\"}"`},
		{pipeline.JSON, "12345678901234567890.10", `"12345678901234567890.10"`},
		{pipeline.Date, "1970-01-01", "0"},
		{pipeline.Date, "1900-01-01", "-25567"},
		{pipeline.Date, "1969-12-31", "-1"},
		{pipeline.Date, "0001-01-01", "-719162"},
		{pipeline.Date, "9999-12-31", "2932896"},
		{pipeline.Date, "2024-02-29", "19782"},
		{pipeline.DateTime, "1970-01-01T00:00:00Z", "0"},
		{pipeline.DateTime, "2024-02-29T23:30:00.1234567+01:00", "1709245800123456"},
		{pipeline.DateTime, "1969-12-31T23:59:59.999999Z", "-1"},
		{pipeline.DateTime, "1900-01-01T00:00:00-00:30", "-2208987000000000"},
		{pipeline.DateTime, "9999-12-31T23:59:59.999999Z", "253402300799999999"},
		{pipeline.Integer, "-9223372036854775808", "-9223372036854775808"},
		{pipeline.Integer, "9223372036854775807", "9223372036854775807"},
		{pipeline.Integer, "0", "0"},
		{pipeline.Number, "-0.25", "-0.25"},
		{pipeline.Number, "1e300", "1e+300"},
		{pipeline.Number, "0.1", "0.1"},
		{pipeline.Boolean, "true", "true"},
		{pipeline.Boolean, "false", "false"},
	} {
		schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a.b", Type: test.kind}}}
		data, c := writeParquet(t, schema, nil, []string{test.in})
		if len(c.Problems) > 0 {
			t.Errorf("%v %.40q: %v", test.kind, test.in, c.Problems)
			continue
		}
		if got := parquetRows(t, openParquet(t, data)); !cmp.Equal(got, [][]string{{test.want}}) {
			t.Errorf("%v %.40q is read as %.60q, want %.60q", test.kind, test.in, got, test.want)
		}
	}
}

func TestParquetRejectsWhatItsTypesCannotHold(t *testing.T) {
	for kind, values := range map[pipeline.Type][]string{
		pipeline.Integer: {"", "1.5", "9223372036854775808", "-9223372036854775809", "12a", "+1", "007", "1e3"},
		pipeline.Number:  {"", "1e400", "-1e400", "NaN", "Infinity", "0x10", "1_000", "1,5", ".5", "true", "--1"},
		pipeline.Boolean: {"", "1", "True", "ja"},
		pipeline.Date:    {"", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "20240101", "2024-1-1", "10000-01-01", "2024-01-01T00:00:00Z", "2024-0a-01"},
		pipeline.DateTime: {"", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
			"2016-12-31T23:59:60Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+25:00", "2024-01-01T0a:00:00Z", "2024-02-30T00:00:00Z"},
		pipeline.JSON: {"", "{", "åäö", "\"\xff\"", "01"},
	} {
		schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "text"}, {Name: "typed", Type: kind}}}
		for _, v := range values {
			data, c := writeParquet(t, schema, nil, []string{"before", pipelinetest.Null}, []string{"bad", v}, []string{"after", pipelinetest.Null})
			if c.Fates[1] != pipeline.Rejected || len(c.Problems) != 1 {
				t.Errorf("%v %q is %v, %v", kind, v, c.Fates[1], c.Problems)
				continue
			}
			p := c.Problems[0]
			if p.Field != 1 || p.Stage != pipeline.Write || p.Shape+p.Private != "" || !isDocumented(p.Code) {
				t.Errorf("%v %q: %+v", kind, v, p)
			}
			want := [][]string{{`"before"`, "<null>"}, {`"after"`, "<null>"}}
			if got := parquetRows(t, openParquet(t, data)); !cmp.Equal(got, want) {
				t.Errorf("%v %q: the file holds %v", kind, v, got)
			}
		}
	}
}

func isDocumented(code pipeline.Code) bool {
	for _, c := range Codes {
		if c.Code == code {
			return c.Stage == pipeline.Write
		}
	}
	return false
}

func TestParquetNotesEveryBadCellOfARow(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a", Type: pipeline.Date}, {Name: "b", Type: pipeline.Integer}}}
	_, c := writeParquet(t, schema, nil, []string{"x", "y"})
	if len(c.Problems) != 2 || c.Problems[0].Code != codeNotDate || c.Problems[1].Code != codeNotInteger {
		t.Errorf("%+v", c.Problems)
	}
}

func TestParquetColumnsKeepNamesAndOrder(t *testing.T) {
	schema := pipelinetest.Schema("z", "external_client.id", "a", "external_client", "Förnamn och annat")
	data, _ := writeParquet(t, schema, nil)
	want := [][]string{{"z"}, {"external_client.id"}, {"a"}, {"external_client"}, {"Förnamn och annat"}}
	if got := openParquet(t, data).Schema().Columns(); !cmp.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

func TestParquetRefusesWhatCannotBeAFile(t *testing.T) {
	for name, schema := range map[string]*pipeline.Schema{"no columns": {}, "twice": pipelinetest.Schema("a", "b", "a")} {
		dir := t.TempDir()
		if _, err := Create(filepath.Join(dir, "out.parquet"), schema, nil); !isUsage(err) {
			t.Errorf("%s: error %v, want a usage error", name, err)
		}
		if got := namesIn(t, dir); got != "" {
			t.Errorf("%s: the directory holds %q", name, got)
		}
	}
	if _, err := Create(filepath.Join(t.TempDir(), "out.parquet.gz"), pipelinetest.Schema("a"), nil); !isUsage(err) {
		t.Errorf("compressed again: error %v, want a usage error", err)
	}
}

func TestParquetSaysWhatItIs(t *testing.T) {
	o := &FileOptions{Creator: "flytt version 1.2", Metadata: map[string]string{"flytt.resource": "externalclient", "flytt.filter": "name=å"}}
	data, _ := writeParquet(t, pipelinetest.Schema("a"), o, []string{"x"})
	f := openParquet(t, data)
	if got := f.Metadata().CreatedBy; got != o.Creator {
		t.Errorf("created by %q", got)
	}
	for key, want := range o.Metadata {
		if got, ok := f.Lookup(key); !ok || got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	plain, _ := writeParquet(t, pipelinetest.Schema("a"), nil)
	if got := openParquet(t, plain).Metadata().CreatedBy; got != "flytt" {
		t.Errorf("created by %q without a version", got)
	}
}

// manyRows writes count rows of schema, in chunks of size, and returns the file.
func manyRows(t testing.TB, schema *pipeline.Schema, count, size int, row func(i int) []string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.parquet")
	s, err := Create(path, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < count; from += size {
		var rows [][]string
		for i := from; i < min(from+size, count); i++ {
			rows = append(rows, row(i))
		}
		encodeAndWrite(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)})
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

// mixedRow has a column of few values, one of different ones, one with nulls.
func mixedRow(i int) []string {
	seen := pipelinetest.Null
	if i%3 == 0 {
		seen = fmt.Sprintf("2024-01-01T00:00:%02dZ", i%60)
	}
	return []string{[]string{"Örebro", "Malmö", ""}[i%3], fmt.Sprintf("user%d@example.se", i), seen, fmt.Sprint(-i)}
}

func mixedSchema() *pipeline.Schema {
	return &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "town"}, {Name: "email"}, {Name: "seen", Type: pipeline.DateTime}, {Name: "n", Type: pipeline.Integer},
	}}
}

func TestParquetWritesRowGroupsInOrder(t *testing.T) {
	const rows = 2*parquetGroupRows + parquetGroupRows/3
	data := manyRows(t, mixedSchema(), rows, 1500, mixedRow)
	f := openParquet(t, data)
	groups := f.RowGroups()
	if len(groups) != 3 || groups[0].NumRows() != parquetGroupRows || f.NumRows() != rows {
		t.Fatalf("%d rows in %d groups, the first with %d", f.NumRows(), len(groups), groups[0].NumRows())
	}
	for i, row := range parquetRows(t, f) {
		want := mixedRow(i)
		if row[0] != fmt.Sprintf("%q", want[0]) || row[1] != `"`+want[1]+`"` || (row[2] == "<null>") != (want[2] == pipelinetest.Null) || row[3] != want[3] {
			t.Fatalf("row %d is %q, want %q", i, row, want)
		}
	}
	if !bytes.Equal(data, manyRows(t, mixedSchema(), rows, 7001, mixedRow)) {
		t.Error("the file depends on the size of the chunks")
	}
}

func TestParquetGroupsAreBoundedInBytes(t *testing.T) {
	const size = 1 << 20
	text := strings.Repeat("x", size)
	const rows = 2*parquetGroupBytes/size + 1
	data := manyRows(t, pipelinetest.Schema("a"), rows, 4, func(i int) []string { return []string{fmt.Sprint(i, text)} })
	f := openParquet(t, data)
	if n := len(f.RowGroups()); n != 3 || f.NumRows() != rows {
		t.Errorf("%d rows in %d groups, want %d in 3", f.NumRows(), n, rows)
	}
}

// chunkOf returns the description of a column in a row group.
func chunkOf(f *parquet.File, group, column int) (codec string, dictionary bool, low, high string) {
	m := f.Metadata().RowGroups[group].Columns[column].MetaData
	return m.Codec.String(), m.DictionaryPageOffset != 0, string(m.Statistics.MinValue), string(m.Statistics.MaxValue)
}

func TestParquetColumnsHaveDictionariesWhereValuesRepeat(t *testing.T) {
	const rows = parquetGroupRows + 5000
	data := manyRows(t, pipelinetest.Schema("few", "many", "few, then many", "none"), rows, 1500, func(i int) []string {
		late := "same"
		if i >= parquetGroupRows {
			late = fmt.Sprint(i)
		}
		return []string{fmt.Sprint(i % 50), fmt.Sprint(i), late, pipelinetest.Null}
	})
	f := openParquet(t, data)
	for group, wants := range [][]bool{{true, false, true, false}, {true, false, false, false}} {
		for column, want := range wants {
			codec, dictionary, _, _ := chunkOf(f, group, column)
			if dictionary != want || codec != "ZSTD" {
				t.Errorf("group %d column %d: dictionary %v, want %v; %s", group, column, dictionary, want, codec)
			}
		}
	}
}

func TestParquetHasStatisticsAndAPageIndex(t *testing.T) {
	long := strings.Repeat("ö", 100)
	data := manyRows(t, pipelinetest.Schema("a", "b"), 60_000, 1500, func(i int) []string {
		if i == 17 {
			return []string{long, pipelinetest.Null}
		}
		return []string{fmt.Sprintf("%06d", i), fmt.Sprint(i % 2)}
	})
	f := openParquet(t, data)
	if _, _, low, high := chunkOf(f, 0, 0); low != "000000" || high != long {
		t.Errorf("bounds %q and %q", low, high)
	}
	if n := f.Metadata().RowGroups[0].Columns[1].MetaData.Statistics.NullCount; n != 1 {
		t.Errorf("%d nulls counted, want 1", n)
	}
	index, err := f.RowGroups()[0].ColumnChunks()[0].ColumnIndex()
	if err != nil || index.NumPages() < 2 {
		t.Fatalf("%d pages, %v", index.NumPages(), err)
	}
	if got := index.MaxValue(0).String(); got < long || len(got) > parquetBound {
		t.Errorf("the index bounds a page with %q, which the longest value exceeds", got)
	}
	if got := index.MinValue(1).String(); got <= "000000" || len(got) != 6 {
		t.Errorf("the second page starts with %q", got)
	}
}

func TestParquetStopsItsGoroutinesWhenAborted(t *testing.T) {
	before := runtime.NumGoroutine()
	path := filepath.Join(t.TempDir(), "out.parquet")
	s, err := Create(path, mixedSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < parquetGroupRows+1; from += 10_000 {
		var rows [][]string
		for i := range 10_000 {
			rows = append(rows, mixedRow(from+i))
		}
		encodeAndWrite(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch(rows...)})
	}
	if undone, err := s.Abort(); !undone || err != nil {
		t.Errorf("abort: undone %v, %v", undone, err)
	}
	if got := namesIn(t, filepath.Dir(path)); got != "" {
		t.Errorf("the directory holds %q", got)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func TestParquetEndsSoonWhenItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := newParquetGroups(io.Discard, []parquetColumn{{name: "a"}}, parquetOptions(&FileOptions{}))
	stuck := newParquetGroup() // nobody will ever encode it
	g.sealed = append(g.sealed, stuck)
	cancel()
	if err := g.finish(ctx); err != context.Canceled {
		t.Errorf("error %v, want that of the context", err)
	}
	g.stop()
}

func TestParquetGoesToAStream(t *testing.T) {
	var out bytes.Buffer
	s, err := Create("-", mixedSchema(), &FileOptions{Stdout: &out, Format: "parquet"})
	if err != nil {
		t.Fatal(err)
	}
	encodeAndWrite(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch(mixedRow(0), mixedRow(1))})
	if err := s.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(parquetRows(t, openParquet(t, out.Bytes()))); n != 2 {
		t.Errorf("%d rows in the stream, want 2", n)
	}
	if _, bytes := s.(Summed).Sum(); bytes != int64(out.Len()) {
		t.Errorf("%d bytes counted of %d", bytes, out.Len())
	}
}

func TestParquetNamesTheOutputThatFails(t *testing.T) {
	s, err := Create("-", pipelinetest.Schema("a"), &FileOptions{Stdout: brokenWriter{}, Format: "parquet"})
	if err != nil {
		t.Fatal(err)
	}
	encodeAndWrite(t, s, &pipeline.Chunk{Batch: *pipelinetest.Batch([]string{"x"})})
	if err := s.Commit(context.Background()); err == nil || !strings.HasPrefix(err.Error(), "stdout: write: ") {
		t.Errorf("error %v", err)
	}
}

func TestParquetKeepsExtraMembersInAColumn(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a"}, {Name: jsonobject.ExtraField, Type: pipeline.JSON}}}
	data, _ := writeParquet(t, schema, nil, []string{"x", `{"b":1}`}, []string{"y", pipelinetest.Null})
	want := [][]string{{`"x"`, `"{\"b\":1}"`}, {`"y"`, "<null>"}}
	if got := parquetRows(t, openParquet(t, data)); !cmp.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

func BenchmarkParquet(b *testing.B) {
	var rows [][]string
	for i := range 1500 {
		rows = append(rows, mixedRow(i))
	}
	batch := pipelinetest.Batch(rows...)
	s, err := Create("-", mixedSchema(), &FileOptions{Stdout: io.Discard, Format: "parquet"})
	if err != nil {
		b.Fatal(err)
	}
	e := s.Encoder()
	c := &pipeline.Chunk{Batch: *batch}
	b.ReportAllocs()
	for b.Loop() {
		c.Encoded.Reset()
		for i := range c.Fates {
			c.Fates[i] = pipeline.Pending
		}
		if err := e.Encode(&c.Batch, &c.Encoded); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(c.Data)))
		if err := s.Write(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Commit(context.Background()); err != nil {
		b.Fatal(err)
	}
}
