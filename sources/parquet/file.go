package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic          = "PAR1"
	encryptedMagic = "PARE"
	tailSize       = 8 // the footer's length and the magic
	maxFooter      = 16 << 20
	maxMetadata    = 64 << 20 // of the footer once it is decoded
)

// IsParquet reports whether a Parquet file starts with head, readable or encrypted.
func IsParquet(head []byte) bool {
	return len(head) >= 4 && (string(head[:4]) == magic || string(head[:4]) == encryptedMagic)
}

// File is an open Parquet file. Its methods may be called by several goroutines.
type File struct {
	r       io.ReaderAt
	data    int64 // where the footer starts: pages are before it
	rows    int64
	groups  []group
	columns []*Column
	zstd    *zstd.Decoder
	budget  budget
}

// group is a row group.
type group struct {
	first, rows int64 // its first row in the file, from 0
	chunks      []chunk
}

// chunk is where the pages of one leaf in one row group are, as the footer says.
type chunk struct {
	start, size int64
	values      int64
	text        int64 // bytes after decompression
	codec       format.CompressionCodec
	physical    format.Type
	encrypted   bool
	external    bool // it is in another file
}

// budget is the memory that pages may take, for all columns together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes n bytes from the budget, or returns an error.
func (b *budget) take(n int64) error {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return &Error{Err: fmt.Errorf("its pages take more than %d MiB of memory together", b.limit>>20), Hint: hintSmaller}
	}
	return nil
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// budgetOf returns the budget of a file of the given size: what well compressed data
// needs, and no more than a small file should need.
func budgetOf(size int64) int64 {
	return max(64<<20, min(size, math.MaxInt64/64)*64)
}

// Open reads the footer of the file of the given size. Every error is an *Error.
func Open(r io.ReaderAt, size int64) (f *File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, corrupt("the footer is malformed: %v", p)
		}
	}()
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	meta := new(format.FileMetaData)
	n, err := unmarshal(footer, meta, maxMetadata)
	switch {
	case errors.Is(err, errThriftHeavy):
		return nil, &Error{Err: fmt.Errorf("the footer: %w", err), Hint: "write it with fewer row groups and try again"}
	case err != nil:
		return nil, corrupt("the footer: %w", err)
	case n != len(footer) && meta.EncryptionAlgorithm.Value == nil:
		return nil, corrupt("the footer: %d bytes stand behind its end", len(footer)-n)
	}
	f = &File{r: r, data: size - tailSize - int64(len(footer))}
	f.budget.limit = budgetOf(size)
	if err := f.readMetadata(meta); err != nil {
		return nil, err
	}
	if f.zstd, err = newZstd(); err != nil {
		return nil, &Error{Err: err, Hint: hintAgain}
	}
	return f, nil
}

// readFooter returns the footer, after it has checked both magics and the length.
func readFooter(r io.ReaderAt, size int64) ([]byte, error) {
	if size < int64(len(magic)+tailSize) {
		return nil, corrupt("a file of %d bytes, which is too short for Parquet", size)
	}
	var head [len(magic)]byte
	var tail [tailSize]byte
	if err := readAt(r, head[:], 0); err != nil {
		return nil, err
	}
	if err := readAt(r, tail[:], size-tailSize); err != nil {
		return nil, err
	}
	end := string(tail[4:])
	switch {
	case string(head[:]) == encryptedMagic, end == encryptedMagic:
		return nil, &Error{Err: errors.New("the file is encrypted"), Hint: hintCSV}
	case string(head[:]) != magic:
		return nil, corrupt("it does not start as a Parquet file does")
	case end != magic:
		return nil, corrupt("it does not end as a Parquet file does: it is cut short, or still being written")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:4]))
	switch {
	case length > size-int64(len(magic)+tailSize) || length == 0:
		return nil, corrupt("the footer is said to be %d bytes long, which a file of %d bytes has no room for", length, size)
	case length > maxFooter:
		return nil, &Error{
			Err:  fmt.Errorf("the footer is %d bytes long, more than %d MiB", length, maxFooter>>20),
			Hint: "write it with fewer row groups and try again",
		}
	}
	footer := make([]byte, length)
	return footer, readAt(r, footer, size-tailSize-length)
}

// readAt fills p, starting at offset off.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return corrupt("it ends at byte %d, before what is to be read there", off+int64(n))
	}
	return &Error{Err: fmt.Errorf("reading: %w", err), Hint: "check the disk or the network share that it is on"}
}

// readMetadata takes from meta the little that is needed.
func (f *File) readMetadata(meta *format.FileMetaData) error {
	s, err := newSchema(meta.Schema)
	if err != nil {
		return err
	}
	if len(s.columns) == 0 {
		return &Error{Err: errors.New("it has no column"), Hint: "export it again with its columns"}
	}
	for i := range meta.RowGroups {
		if err := f.addGroup(&meta.RowGroups[i], i, s); err != nil {
			return err
		}
	}
	if meta.NumRows != f.rows && meta.NumRows != 0 { // some writers leave it out
		return corrupt("the footer says %d rows, its row groups %d", meta.NumRows, f.rows)
	}
	for _, c := range s.columns {
		c.file = f
		f.columns = append(f.columns, c)
	}
	return nil
}

func (f *File) addGroup(g *format.RowGroup, i int, s *schema) error {
	switch {
	case g.NumRows < 0 || g.NumRows > math.MaxInt64/2-f.rows:
		return &Error{Group: i + 1, Err: fmt.Errorf("it is said to have %d rows", g.NumRows), Hint: hintAgain}
	case len(g.Columns) != len(s.leaves):
		return &Error{Group: i + 1, Err: fmt.Errorf("%d columns where the schema has %d", len(g.Columns), len(s.leaves)), Hint: hintAgain}
	case g.NumRows == 0:
		return nil
	}
	chunks := make([]chunk, len(g.Columns))
	for j := range g.Columns {
		chunks[j] = chunkOf(&g.Columns[j])
	}
	f.groups = append(f.groups, group{first: f.rows, rows: g.NumRows, chunks: chunks})
	f.rows += g.NumRows
	return nil
}

func chunkOf(c *format.ColumnChunk) chunk {
	m := &c.MetaData
	start := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	return chunk{
		start: start, size: m.TotalCompressedSize, values: m.NumValues, text: m.TotalUncompressedSize, codec: m.Codec, physical: m.Type,
		encrypted: c.CryptoMetadata.Value != nil || len(c.EncryptedColumnMetadata) > 0,
		external:  c.FilePath != "",
	}
}

// Rows returns how many rows there are.
func (f *File) Rows() int64 { return f.rows }

// Columns returns the columns in the order of the schema.
func (f *File) Columns() []*Column { return f.columns }

// Group returns the rows of the row group that row is in, the end excluded.
func (f *File) Group(row int64) (first, end int64) {
	g := &f.groups[f.groupOf(row)]
	return g.first, g.first + g.rows
}

// AverageRowSize returns the average number of bytes of a row, in the row group of the
// given row and in the columns for which wanted returns true, according to the footer.
func (f *File) AverageRowSize(row int64, wanted func(column int) bool) int64 {
	g := &f.groups[f.groupOf(row)]
	var sum int64
	for i, c := range f.columns {
		if !wanted(i) {
			continue
		}
		for _, l := range c.leaves {
			sum += min(max(g.chunks[l.index].text, 0), math.MaxInt64/int64(len(g.chunks)))
		}
	}
	return sum / g.rows
}

func (f *File) groupOf(row int64) int {
	return sort.Search(len(f.groups), func(i int) bool { return f.groups[i].first > row }) - 1
}

// Close releases the memory for reading. It does not close what Open was given.
func (f *File) Close() { f.zstd.Close() }
