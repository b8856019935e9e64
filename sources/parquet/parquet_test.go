package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
)

// kind is a column that parquet-go writes and this package has to read.
type kind struct {
	name  string
	node  pq.Node
	value func(i int) any    // as it is stored
	text  func(i int) string // as it is read
}

var letters = []rune("Åsa Öberg, Malmö")

func word(i int) string { return string(letters[:i%4*3]) + fmt.Sprint(i/3) }

func number(i int) int64 { return int64(i)*int64(i)*7919 - 1_000_000 }

var kinds = []kind{
	{"bool", pq.Leaf(pq.BooleanType), func(i int) any { return i%3 == 0 }, func(i int) string { return fmt.Sprint(i%3 == 0) }},
	{"bool_rle", pq.Encoded(pq.Leaf(pq.BooleanType), &pq.RLE), func(i int) any { return i%9 < 7 }, func(i int) string { return fmt.Sprint(i%9 < 7) }},
	{"int32", pq.Leaf(pq.Int32Type), func(i int) any { return int32(number(i)) }, func(i int) string { return fmt.Sprint(int32(number(i))) }},
	{"int32_delta", pq.Encoded(pq.Int(32), &pq.DeltaBinaryPacked), func(i int) any { return int32(number(i)) }, func(i int) string { return fmt.Sprint(int32(number(i))) }},
	{"int32_dict", pq.Encoded(pq.Int(32), &pq.RLEDictionary), func(i int) any { return int32(i % 70) }, func(i int) string { return fmt.Sprint(i % 70) }},
	{"int64", pq.Leaf(pq.Int64Type), func(i int) any { return number(i) }, func(i int) string { return fmt.Sprint(number(i)) }},
	{"int64_delta", pq.Encoded(pq.Int(64), &pq.DeltaBinaryPacked), func(i int) any { return number(i) << 30 }, func(i int) string { return fmt.Sprint(number(i) << 30) }},
	{"int64_split", pq.Encoded(pq.Int(64), &pq.ByteStreamSplit), func(i int) any { return number(i) }, func(i int) string { return fmt.Sprint(number(i)) }},
	{"uint32", pq.Uint(32), func(i int) any { return uint32(3_000_000_000 + i) }, func(i int) string { return fmt.Sprint(3_000_000_000 + i) }},
	{"int96", pq.Leaf(pq.Int96Type), func(i int) any { return deprecated.Int96{uint32(i) * 1_000_000, 0, 2440589} },
		func(i int) string {
			return time.Unix(86400, int64(i)*1_000_000).UTC().Format("2006-01-02T15:04:05") + millis(i)
		}},
	{"float", pq.Leaf(pq.FloatType), func(i int) any { return float32(i) / 10 }, func(i int) string { return fmt.Sprint(float32(i) / 10) }},
	{"double_split", pq.Encoded(pq.Leaf(pq.DoubleType), &pq.ByteStreamSplit), func(i int) any { return float64(i) / 10 }, func(i int) string { return fmt.Sprint(float64(i) / 10) }},
	{"string", pq.String(), func(i int) any { return word(i) }, word},
	{"string_dict", pq.Encoded(pq.String(), &pq.RLEDictionary), func(i int) any { return word(i % 60) }, func(i int) string { return word(i % 60) }},
	{"string_length", pq.Encoded(pq.String(), &pq.DeltaLengthByteArray), func(i int) any { return word(i) }, word},
	{"string_delta", pq.Encoded(pq.String(), &pq.DeltaByteArray), func(i int) any { return word(i) }, word},
	{"bytes", pq.Leaf(pq.ByteArrayType), func(i int) any { return []byte(word(i)) }, word},
	{"fixed", pq.Leaf(pq.FixedLenByteArrayType(5)), func(i int) any { return []byte(fmt.Sprintf("%05d", i)) }, func(i int) string { return fmt.Sprintf("%05d", i) }},
	{"fixed_delta", pq.Encoded(pq.Leaf(pq.FixedLenByteArrayType(5)), &pq.DeltaByteArray), func(i int) any { return []byte(fmt.Sprintf("%05d", i)) }, func(i int) string { return fmt.Sprintf("%05d", i) }},
	{"date", pq.Date(), func(i int) any { return int32(i) }, func(i int) string { return time.Unix(int64(i)*86400, 0).UTC().Format(time.DateOnly) }},
	{"stamp", pq.Timestamp(pq.Millisecond), func(i int) any { return int64(i) },
		func(i int) string {
			return time.UnixMilli(int64(i)).UTC().Format("2006-01-02T15:04:05") + millis(i) + "Z"
		}},
	{"decimal", pq.Decimal(2, 9, pq.Int32Type), func(i int) any { return int32(i - 100) }, func(i int) string { return fmt.Sprint(float64(i-100) / 100) }},
	{"uuid", pq.UUID(), func(i int) any { return [16]byte{15: byte(i), 0: 0xAB} },
		func(i int) string { return fmt.Sprintf("ab000000-0000-0000-0000-0000000000%02x", byte(i)) }},
}

func millis(i int) string {
	if i%1000 == 0 {
		return ""
	}
	return fmt.Sprintf(".%03d", i%1000)
}

const kindRows = 700

// null reports whether row i of column k is a null.
func null(k, i int) bool { return k%2 == 1 && i%5 == k%5 }

// written returns a file of all kinds, every other of them with nulls.
func written(t *testing.T, options ...pq.WriterOption) *File {
	t.Helper()
	group := pq.Group{}
	for k, c := range kinds {
		if group[c.name] = c.node; k%2 == 1 {
			group[c.name] = pq.Optional(c.node)
		}
	}
	schema := pq.NewSchema("kinds", group)
	var b bytes.Buffer
	w := pq.NewWriter(&b, append(options, schema)...)
	for i := range kindRows {
		if _, err := w.WriteRows([]pq.Row{kindRow(schema, i)}); err != nil {
			t.Fatal(err)
		}
		if i == kindRows/2 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, b.Bytes())
}

func kindRow(schema *pq.Schema, i int) pq.Row {
	row := make(pq.Row, len(kinds))
	for k, c := range kinds {
		leaf, _ := schema.Lookup(c.name)
		v := pq.Value{}
		level := 0
		if !null(k, i) {
			v = pq.ValueOf(c.value(i))
			level = k % 2
		}
		row[leaf.ColumnIndex] = v.Level(0, level, leaf.ColumnIndex)
	}
	return row
}

func open(t testing.TB, content []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// column returns the values of a column, a nil for a null, read in ranges of up
// to most rows.
func column(t testing.TB, f *File, c *Column, most int64) []any {
	t.Helper()
	var out []any
	for row := int64(0); row < f.Rows(); {
		_, end := f.Group(row)
		r := Range{From: row, To: min(row+1+rand.Int64N(most), end), Keep: row}
		segments, _, err := c.Read(nil, r, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range segments {
			for i := max(r.From, s.First); i < min(r.To, s.End()); i++ {
				span := s.Spans[i-s.First]
				if span.Null() {
					out = append(out, nil)
				} else {
					out = append(out, string(s.Text[span.Start:span.End]))
				}
			}
		}
		row = r.To
	}
	return out
}

func TestReadsAllEncodingsAndCodecs(t *testing.T) {
	codecs := []compress.Codec{&pq.Uncompressed, &pq.Snappy, &pq.Gzip, &pq.Brotli, &pq.Zstd, &pq.Lz4Raw}
	for _, codec := range codecs {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprintf("%v v%d", codec, version), func(t *testing.T) {
				f := written(t, pq.Compression(codec), pq.DataPageVersion(version), pq.PageBufferSize(512))
				for _, c := range f.Columns() {
					k := slices.IndexFunc(kinds, func(k kind) bool { return k.name == c.Name })
					got := column(t, f, c, 100)
					if len(got) != kindRows {
						t.Fatalf("%s: %d rows", c.Name, len(got))
					}
					for i, v := range got {
						if want := kinds[k].text(i); null(k, i) && v != nil || !null(k, i) && v != want {
							t.Fatalf("%s, row %d: %v, want %v", c.Name, i+1, v, want)
						}
					}
				}
			})
		}
	}
}

type person struct {
	Name  string            `parquet:"name"`
	Tags  []string          `parquet:"tags,list"`
	Bare  []int32           `parquet:"bare"`
	Homes []home            `parquet:"homes,list"`
	Words map[string]*int64 `parquet:"words"`
	Inner inner             `parquet:"inner"`
}

type home struct {
	Street *string  `parquet:"street,optional" json:"street"`
	Rooms  []string `parquet:"rooms,list" json:"rooms"`
}

type inner struct {
	Deep struct {
		Codes []float64 `parquet:"codes,list"`
		Note  *string   `parquet:"note,optional"`
	} `parquet:"deep"`
}

func people() []person {
	out := make([]person, 500)
	street := `Gatan "1"`
	for i := range out {
		p := &out[i]
		p.Name = fmt.Sprint("n", i)
		for j := range i % 7 {
			p.Tags = append(p.Tags, word(i+j))
			p.Bare = append(p.Bare, int32(i*j))
			h := home{}
			for range j % 3 {
				h.Rooms = append(h.Rooms, fmt.Sprint("rum ", j))
			}
			if j%2 == 0 {
				h.Street = &street
			}
			p.Homes = append(p.Homes, h)
		}
		if i%3 > 0 {
			n := int64(i)
			p.Words = map[string]*int64{"k": &n}
			p.Inner.Deep.Codes = []float64{float64(i) / 2, 1e300}
			p.Inner.Deep.Note = &street
		}
	}
	return out
}

// listJSON returns v as JSON in which a list that is nil is an empty one: what
// parquet-go writes does not tell them apart.
func listJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if string(b) == "null" {
		return "[]"
	}
	return strings.ReplaceAll(string(b), `"rooms":null`, `"rooms":[]`)
}

func TestReadsNestedColumns(t *testing.T) {
	want := people()
	for version := 1; version <= 2; version++ {
		var b bytes.Buffer
		w := pq.NewGenericWriter[person](&b, pq.DataPageVersion(version), pq.PageBufferSize(300), pq.MaxRowsPerRowGroup(200))
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f := open(t, b.Bytes())
		expect := map[string]func(p *person) any{
			"name":             func(p *person) any { return p.Name },
			"tags":             func(p *person) any { return listJSON(p.Tags) },
			"bare":             func(p *person) any { return listJSON(p.Bare) },
			"homes":            func(p *person) any { return listJSON(p.Homes) },
			"inner.deep.codes": func(p *person) any { return listJSON(p.Inner.Deep.Codes) },
			"words": func(p *person) any {
				if p.Words == nil {
					return "{}"
				}
				return listJSON(p.Words)
			},
			"inner.deep.note": func(p *person) any {
				if p.Inner.Deep.Note == nil {
					return nil
				}
				return *p.Inner.Deep.Note
			},
		}
		if len(f.Columns()) != len(expect) {
			t.Errorf("%d columns, want %d", len(f.Columns()), len(expect))
		}
		for _, c := range f.Columns() {
			for i, v := range column(t, f, c, 90) {
				if w := expect[c.Name](&want[i]); v != w {
					t.Fatalf("version %d, %s, row %d: %v, want %v", version, c.Name, i+1, v, w)
				}
			}
		}
	}
}

// TestGoroutinesShareColumns has several of them read neighbouring ranges, and
// holds them to what one reads.
func TestGoroutinesShareColumns(t *testing.T) {
	f := written(t, pq.PageBufferSize(700))
	c := f.Columns()[slices.IndexFunc(f.Columns(), func(c *Column) bool { return c.Name == "string" })]
	want := column(t, f, c, 50)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for row := int64(w * 10); row+10 <= kindRows/2; row += 40 {
				r := Range{From: row, To: row + 10, Keep: max(row-80, 0)}
				segments, done, err := c.Read(nil, r, row%20 == 0)
				for ; !done && err == nil; segments, done, err = c.Read(nil, r, true) {
				}
				if err != nil {
					t.Error(err)
					return
				}
				for _, s := range segments {
					for i := max(r.From, s.First); i < min(r.To, s.End()); i++ {
						span := s.Spans[i-s.First]
						if got := string(s.Text[span.Start:span.End]); got != want[i] {
							t.Errorf("row %d: %q, want %q", i, got, want[i])
						}
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestKeepsOnlyPagesThatAreNeeded holds that memory does not grow with the file.
func TestKeepsOnlyPagesThatAreNeeded(t *testing.T) {
	f := written(t, pq.PageBufferSize(256))
	for _, c := range f.Columns() {
		column(t, f, c, 20)
		if len(c.segments) > 4 {
			t.Errorf("%s: %d segments are kept", c.Name, len(c.segments))
		}
		c.reset()
	}
	if n := f.budget.used.Load(); n != 0 {
		t.Errorf("%d bytes are still taken off the budget", n)
	}
}

func TestNamesDamagedPages(t *testing.T) {
	var b bytes.Buffer
	w := pq.NewGenericWriter[person](&b, pq.Compression(&pq.Uncompressed))
	if _, err := w.Write(people()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content := b.Bytes()
	content[bytes.Index(content, []byte("n17"))] ^= 1
	_, _, err := open(t, content).Columns()[0].Read(nil, Range{To: 10}, true)
	var e *Error
	if !errors.As(err, &e) || err.Error() != "row group 1, column "+e.Column+": a page is damaged: its checksum is wrong" {
		t.Errorf("error %v", err)
	}
}
