// Package csvtable reads back the tables that flytt writes of its runs (written.csv,
// undone.csv, plan.csv), a Go struct for each row:
//
//	type writtenRow struct {
//		Row int64  `csv:"row"`
//		Key string `csv:"key"`
//		ID  string `csv:"id"`
//	}
//	err := csvtable.Each(path, func(r writtenRow) error { … })
//
// gocarina/gocsv sets the fields. It is given its rows, one at a time, by a decoder of
// this package: encoding/csv, which it would use itself, turns CRLF within a cell into
// LF, so that a key would come back as another, and knows no guards against
// spreadsheets. Its settings are those of the whole process and stay untouched.
//
// A row costs about 1 µs, nine times what its cells cost (0.13 µs): this is for tables
// that are read back, not for the rows of an import.
package csvtable

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/gocarina/gocsv"

	"flytt/pipeline"
	"flytt/sources"
)

// ErrFormat is what is wrong with a file that is no table of the rows asked for. What
// wraps it says why, without any value.
var ErrFormat = errors.New("not as flytt wrote it")

// Each calls visit with every row of the file, in order. It stops with the first error
// that visit returns. The file has a byte order mark, and a header that starts with the
// first field of T and has all others; what stands behind the first name is the
// delimiter. Columns that T has no field for are passed over. Memory does not grow with
// the file.
func Each[T any](path string, visit func(row T) error) (err error) {
	names := columnsOf(reflect.TypeFor[T]())
	delimiter, err := delimiterOf(path, names[0])
	if err != nil {
		return err
	}
	s, _, err := sources.Open(path, &sources.Options{Encoding: "utf-8", Delimiter: delimiter, HeaderRow: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, name := range names {
		if !slices.Contains(s.Columns(), name) {
			return fmt.Errorf("%w: its header has no column %s", ErrFormat, name)
		}
	}
	d := &decoder{source: s, decoder: s.Decoder(), names: names, guarded: delimiter != ";"} // of those the source takes the guards off
	var failed error
	err = gocsv.UnmarshalDecoderToCallback(d, func(row T) {
		if failed != nil {
			return
		}
		if failed = visit(row); failed != nil {
			d.stopped.Store(true)
		}
	})
	var bad *csv.ParseError
	switch {
	case failed != nil:
		return failed
	case errors.As(err, &bad): // its text has the cell
		return fmt.Errorf("%w: row %d has a value of another kind in column %d", ErrFormat, bad.Line-1, bad.Column)
	}
	return err
}

// columnsOf returns the names that the fields of t have in their tags.
func columnsOf(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("csv")
	}
	return names
}

// delimiterOf returns the character after the name of the first column.
func delimiterOf(path, first string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	start := "\uFEFF" + first
	head := make([]byte, len(start)+1)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(start)]) != start {
		return "", fmt.Errorf("%w: its header is another", ErrFormat)
	}
	return string(head[len(start):]), nil
}

// decoder gives gocsv the rows of a source. gocsv calls it from a goroutine of its own,
// which has ended when UnmarshalDecoderToCallback returns.
type decoder struct {
	source  pipeline.Source
	decoder pipeline.Decoder
	names   []string // of the columns that are wanted; the cells of others stay empty
	guarded bool
	stopped atomic.Bool

	wanted []bool // of each column; nil: the header was not given yet
	block  pipeline.Block
	batch  pipeline.Batch
	next   int // row of batch
	cells  []string
}

// GetCSVRow implements gocsv.SimpleDecoder. The first row is the header. The cells are
// good until the next call.
func (d *decoder) GetCSVRow() ([]string, error) {
	columns := d.source.Columns()
	if d.wanted == nil {
		d.wanted, d.cells = make([]bool, len(columns)), make([]string, len(columns))
		for i, name := range columns {
			d.wanted[i] = slices.Contains(d.names, name)
		}
		return columns, nil
	}
	for d.next == d.batch.Len() {
		if err := d.readBatch(); err != nil {
			return nil, err
		}
	}
	for i, wanted := range d.wanted {
		if !wanted {
			continue
		}
		v := d.batch.Input[i].Value(d.next)
		if d.guarded {
			v = pipeline.UnguardCell(v)
		}
		d.cells[i] = string(v)
	}
	d.next++
	return d.cells, nil
}

func (d *decoder) readBatch() error {
	if d.stopped.Load() {
		return io.EOF
	}
	d.next = 0
	d.batch.Reset(0)
	if err := d.source.Next(context.Background(), &d.block); err != nil {
		return err
	}
	return d.decoder.Decode(&d.block, &d.batch)
}

// GetCSVRows implements gocsv.SimpleDecoder. Nothing that calls for all rows at once is
// used here.
func (d *decoder) GetCSVRows() ([][]string, error) { return nil, errors.ErrUnsupported }
