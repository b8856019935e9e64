package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"flytt/pipeline"
	"flytt/sources/parquet"
	"flytt/sources/textscan"
)

// unreadableValue is the code of values that their column's type does not allow.
const unreadableValue pipeline.Code = "unreadable_value"

// parquetCodes documents the codes that only Parquet files note.
var parquetCodes = []pipeline.CodeInfo{
	{Code: unreadableValue, Stage: pipeline.Read, Severity: pipeline.Error},
}

// A block is as many rows as Options.BlockSize has room for, going by what the
// file says of their size: at most one for each leastRow bytes, as text that
// comes again and again takes next to nothing in the file.
const leastRow = 64

// maxCells bounds the cells of a block, the null ones of columns that nobody asked
// for included.
const maxCells = 1 << 18

// parquetSource is a Parquet file. A block is no bytes but a range of rows of
// one row group: its Row says which is the first, its Note how many they are.
// Decoders share the columns of the file, which keep the pages that blocks under
// way need.
type parquetSource struct {
	in       *input
	file     *parquet.File
	names    []string
	wanted   []bool // nil: nobody said
	block    int64  // bytes of text that make a block
	next     int64  // row, counted from 0
	size     int64  // what End counts up to
	inUse    blocksInUse
	decoders atomic.Int32
}

// startsParquet is the content test of the format.
func startsParquet(head []byte) string {
	if parquet.IsParquet(head) {
		return "a Parquet file"
	}
	return ""
}

func openParquet(in *input, o *Options) (pipeline.Source, *Info, error) {
	r, size, err := in.randomAccess()
	if err != nil {
		return nil, nil, err
	}
	f, err := parquet.Open(r, size)
	if err != nil {
		return nil, nil, parquetError(in, err)
	}
	s := &parquetSource{in: in, file: f, block: int64(min(o.blockSize(), textscan.MaxRecordBytes)), size: in.size}
	for _, c := range f.Columns() {
		s.names = append(s.names, c.Name)
	}
	return s, s.info(), nil
}

func (s *parquetSource) info() *Info {
	i := &Info{CellName: s.place, Rows: s.file.Rows()}
	for _, c := range s.file.Columns() {
		if c.Unreadable != "" {
			i.Warnings = append(i.Warnings, fmt.Sprintf("column %s cannot be read: its values are of type %s", c.Name, c.Unreadable))
		}
	}
	if s.file.Rows() == 0 {
		i.Warnings = append(i.Warnings, "there is no row in it")
	}
	return i
}

// place names a cell, or with column -1 a row.
func (s *parquetSource) place(row int64, column int) string {
	if column < 0 || column >= len(s.names) {
		return fmt.Sprintf("row %d", row)
	}
	return fmt.Sprintf("row %d, column %s", row, s.names[column])
}

// parquetError says where in the input err is.
func parquetError(in *input, err error) error {
	var e *parquet.Error
	if !errors.As(err, &e) {
		return in.contentError(0, err, "copy or export the file again")
	}
	return &Error{File: in.name, Place: e.Place(), Err: e.Err, Hint: e.Hint}
}

// Columns implements pipeline.Source.
func (s *parquetSource) Columns() []string { return s.names }

// Select implements pipeline.ColumnSelector.
func (s *parquetSource) Select(columns []bool) { s.wanted = slices.Clone(columns) }

// wants reports whether steps look at column i. Where nobody said which they
// look at, those that cannot be read are left out.
func (s *parquetSource) wants(i int) bool {
	if s.wanted == nil {
		return s.file.Columns()[i].Unreadable == ""
	}
	return s.wanted[i]
}

// Next implements pipeline.Source.
func (s *parquetSource) Next(ctx context.Context, b *pipeline.Block) error {
	b.Data = b.Data[:0]
	if err := ctx.Err(); err != nil {
		return err
	}
	total := s.file.Rows()
	if s.next >= total {
		return io.EOF
	}
	_, end := s.file.Group(s.next)
	size := max(s.file.AverageRowSize(s.next, s.wants), leastRow)
	count := min(max(min(s.block/size, maxCells/int64(len(s.names))), 1), end-s.next)
	b.Row, b.Tag = s.next+1, count
	s.inUse.add(s.next)
	s.next += count
	b.End = s.size
	if s.next < total {
		b.End = int64(float64(s.size) * (float64(s.next) / float64(total)))
	}
	return nil
}

// Decoder implements pipeline.Source.
func (s *parquetSource) Decoder() pipeline.Decoder {
	d := &parquetDecoder{source: s, block: -1}
	for i, c := range s.file.Columns() {
		switch {
		case s.wants(i):
			d.wanted = append(d.wanted, i)
		case c.Unreadable == "":
			d.others = append(d.others, i)
		}
	}
	// Every other decoder starts in the middle of the columns, so that they do not
	// wait for each other where a row group starts.
	if n := s.decoders.Add(1); n%2 == 0 {
		half := len(d.wanted) / 2
		d.wanted = slices.Concat(d.wanted[half:], d.wanted[:half])
	}
	d.fill = d.fillOthers
	return d
}

// Close implements pipeline.Source.
func (s *parquetSource) Close() error {
	s.file.Close()
	return s.in.Close()
}

// blocksInUse holds the first rows of the blocks that are being decoded. Pages before
// all of them are no longer needed.
type blocksInUse struct {
	mu   sync.Mutex
	rows []int64
}

func (h *blocksInUse) add(row int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows = append(h.rows, row)
}

func (h *blocksInUse) done(row int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.rows, row); i >= 0 {
		h.rows = slices.Delete(h.rows, i, i+1)
	}
}

// first returns the first row of all blocks in use, or row if that is smaller.
func (h *blocksInUse) first(row int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rows {
		row = min(row, r)
	}
	return row
}
