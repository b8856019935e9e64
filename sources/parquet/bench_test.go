package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// benchRow is a row as registers have them.
type benchRow struct {
	ID     string  `parquet:"id"`
	City   string  `parquet:"city,dict"`
	Email  *string `parquet:"email,optional"`
	Number int64   `parquet:"number"`
	Rent   float64 `parquet:"rent"`
	Active bool    `parquet:"active"`
}

const benchRows = 100_000

func benchFile(b *testing.B) []byte {
	var out bytes.Buffer
	w := pq.NewGenericWriter[benchRow](&out, pq.Compression(&pq.Zstd), pq.MaxRowsPerRowGroup(64<<10))
	for i := range benchRows {
		r := benchRow{ID: fmt.Sprintf("%08x-42a9-437a-8488-%012x", i*2654435761&0xFFFFFFFF, i), City: "Malmö", Number: int64(i), Rent: float64(i%9000) + 0.5, Active: i%3 > 0}
		if i%4 > 0 {
			email := fmt.Sprintf("person%d@example.com", i*7919%benchRows)
			r.Email = &email
		}
		if _, err := w.Write([]benchRow{r}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkRead compares this package with the two ways in which parquet-go reads.
// Each makes the same text of all values; the library's is not kept.
func BenchmarkRead(b *testing.B) {
	content := benchFile(b)
	want, err := readOwn(content)
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name string
		read func([]byte) (int, error)
	}{{"own", readOwn}, {"parquet-go pages", readPages}, {"parquet-go rows", readRows}} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := way.read(content); err != nil || n != want {
					b.Fatalf("%d bytes of text, error %v, want %d", n, err, want)
				}
			}
		})
	}
}

// readOwn returns how many bytes of text the values of all rows are.
func readOwn(content []byte) (text int, err error) {
	f, err := Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	const block = 1 << 10
	var segments []*Segment
	for from := int64(0); from < f.Rows(); {
		_, end := f.Group(from)
		to := min(from+block, end)
		for _, c := range f.Columns() {
			if segments, _, err = c.Read(segments[:0], Range{From: from, To: to, Keep: from}, true); err != nil {
				return 0, err
			}
			for _, s := range segments {
				for _, v := range s.Spans[max(from-s.First, 0) : min(to, s.End())-s.First] {
					if !v.Null() {
						text += int(v.End - v.Start)
					}
				}
			}
		}
		from = to
	}
	return text, nil
}

func readPages(content []byte) (text int, err error) {
	f, err := pq.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return 0, err
	}
	for _, g := range f.RowGroups() {
		for _, c := range g.ColumnChunks() {
			pages := c.Pages()
			for {
				page, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					return 0, errors.Join(err, pages.Close())
				}
				n, err := pageText(page.Values())
				if text += n; err != nil {
					return 0, errors.Join(err, pages.Close())
				}
				pq.Release(page)
			}
			if err := pages.Close(); err != nil {
				return 0, err
			}
		}
	}
	return text, nil
}

func pageText(r pq.ValueReader) (text int, err error) {
	var values [1 << 10]pq.Value
	var buf []byte
	for {
		n, err := r.ReadValues(values[:])
		for _, v := range values[:n] {
			buf = appendValue(buf[:0], v)
			text += len(buf)
		}
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func readRows(content []byte) (text int, err error) {
	f, err := pq.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return 0, err
	}
	var buf []byte
	rows := make([]pq.Row, 1<<10)
	for _, g := range f.RowGroups() {
		r := g.Rows()
		for {
			n, err := r.ReadRows(rows)
			for _, row := range rows[:n] {
				for _, v := range row {
					buf = appendValue(buf[:0], v)
					text += len(buf)
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return 0, errors.Join(err, r.Close())
			}
		}
		if err := r.Close(); err != nil {
			return 0, err
		}
	}
	return text, nil
}

func appendValue(dst []byte, v pq.Value) []byte {
	switch v.Kind() {
	case pq.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case pq.Int64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case pq.Double:
		return strconv.AppendFloat(dst, v.Double(), 'f', -1, 64)
	case pq.ByteArray:
		return append(dst, v.ByteArray()...)
	}
	return dst // null
}
