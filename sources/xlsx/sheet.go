package xlsx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a sheet.
const (
	maxPreamble = 8 << 20 // bytes of XML before the first row
	maxRowXML   = 4 << 20 // bytes of XML of one row
	readAhead   = 64 << 10
)

var (
	errLongRow   = errors.New("a row takes more than 4 MiB")
	errNoRows    = errors.New("it has no place for rows")
	errRowOrder  = errors.New("the rows are not in their order")
	errRowNumber = errors.New("a row has a number that no row of a sheet has")
)

// Sheet cuts the XML of a sheet into blocks of whole rows. It belongs to one
// goroutine; only Progress may be called from others.
type Sheet struct {
	MaxRows int // rows in a block; 0: as many as there is room for

	part       *part
	dimension  int64
	rowStart   []byte // <row, with the prefix that this sheet uses
	rowEnd     []byte
	dataEnd    []byte
	root       []byte // name of the root element
	rest       []byte // read, not handed out; starts outside of rows
	last       int64  // number of the last row handed out
	lastFilled int64  // and of the last one with content
	scanner    Scanner
	err        error // what ended the sheet
}

// Block is a stretch of a sheet that holds whole rows.
type Block struct {
	Data       []byte
	Row        int64 // number of the first row, unless its tag has another
	LastFilled int64 // number of the last row before this block with any content
}

// OpenSheet opens sheet i of w and reads up to its first row.
func (w *Workbook) OpenSheet(i int) (*Sheet, error) {
	info := w.Sheets[i]
	if !info.HasCells() {
		return nil, &Error{Err: fmt.Errorf("the sheet is a %s, which has no cells", info.Kind), Hint: "name a sheet that has"}
	}
	p, err := w.archive.open(info.part)
	if err != nil {
		return nil, err
	}
	s := &Sheet{part: p, dimension: -1}
	if err := s.preamble(); err != nil {
		return nil, err
	}
	return s, nil
}

// Progress returns how many bytes of the archive have been read for the sheet, and
// how many it takes there. It may be called by any goroutine.
func (s *Sheet) Progress() (n, of int64) { return s.part.raw.N(), s.part.packed }

// preamble reads up to the start of the rows.
func (s *Sheet) preamble() error {
	st := newStream(s.part)
	seen := 0
	for {
		t, err := st.next()
		switch {
		case err == io.EOF && s.root != nil:
			return damaged(s.part.name, errNoRows)
		case err == io.EOF:
			return damaged(s.part.name, ErrCutShort)
		case err != nil:
			return err
		case t == tokenOpen && s.root == nil:
			if s.root = bytes.Clone(st.full); string(st.name) != "worksheet" {
				return damaged(s.part.name, fmt.Errorf("it is not a worksheet but a <%.40s>", st.name))
			}
		case t == tokenOpen && string(st.name) == "dimension":
			s.dimension = dimensionRows(st.attr("ref"))
		case t == tokenOpen && string(st.name) == "sheetData":
			s.startRows(st)
			return nil
		}
		if seen += len(st.text) + len(st.attrs); seen > maxPreamble {
			return damaged(s.part.name, ErrTooLarge)
		}
	}
}

// startRows prepares cutting the rows that follow the start tag just read.
func (s *Sheet) startRows(st *stream) {
	prefix := strings.TrimSuffix(string(st.full), "sheetData")
	s.rowStart = []byte("<" + prefix + "row")
	s.rowEnd = []byte("</" + prefix + "row>")
	s.dataEnd = []byte("</" + prefix + "sheetData")
	s.rest = bytes.Clone(st.data[st.pos:])
	if st.empty {
		s.rest = append(append(bytes.Clone(s.dataEnd), '>'), s.rest...)
	}
}

// Next returns the next whole rows, about size bytes of them unless one row is
// longer, in buf's memory if it is large enough. It returns io.EOF after the
// last row of a sheet that is whole; any other error is an *Error, or that of
// ctx.
func (s *Sheet) Next(ctx context.Context, buf []byte, size int) (Block, error) {
	data := append(buf[:0], s.rest...)
	if s.err != nil {
		return Block{Data: buf[:0]}, s.err
	}
	for want := max(size, len(data)); ; want *= 2 {
		var stopped error
		data, stopped = s.fill(ctx, data, want)
		if ctx.Err() != nil {
			return s.end(buf, ctx.Err())
		}
		c := s.cut(data)
		if c.end > 0 {
			return s.emit(data, c), nil
		}
		switch {
		case c.bad != nil:
			return s.end(buf, s.damaged(c.bad))
		case c.closed:
			return s.end(buf, s.checkEnd(ctx, data[c.after:], stopped))
		case stopped == io.EOF:
			return s.end(buf, s.damaged(ErrCutShort))
		case stopped != nil:
			return s.end(buf, s.withRow(stopped))
		case len(data) >= maxRowXML:
			return s.end(buf, s.damaged(errLongRow))
		}
	}
}

// end makes Next return err from now on.
func (s *Sheet) end(buf []byte, err error) (Block, error) {
	s.err, s.rest = err, nil
	return Block{Data: buf[:0], Row: s.last + 1, LastFilled: s.lastFilled}, err
}

func (s *Sheet) damaged(err error) error { return s.withRow(damaged(s.part.name, err)) }

// withRow adds to err the last row that was read.
func (s *Sheet) withRow(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Row = s.last
	}
	return err
}

// fill reads until data has want bytes. It returns the error that prevented that.
func (s *Sheet) fill(ctx context.Context, data []byte, want int) ([]byte, error) {
	if want > cap(data) {
		data = append(make([]byte, 0, want), data...)
	}
	for len(data) < want {
		if err := ctx.Err(); err != nil {
			return data, err
		}
		n, err := s.part.Read(data[len(data):min(want, len(data)+readAhead)])
		data = data[:len(data)+n]
		if err != nil {
			return data, err
		}
	}
	return data, nil
}

// emit returns the block of the rows that c found in data, and keeps the rest.
func (s *Sheet) emit(data []byte, c cut) Block {
	b := Block{Data: data[:c.end], Row: s.last + 1, LastFilled: s.lastFilled}
	s.rest = append(s.rest[:0], data[c.end:]...)
	s.last, s.lastFilled = c.last, max(s.lastFilled, c.filled)
	return b
}

// checkEnd reads the part from the last row to its end: the root element must be
// closed, and the checksum right. data is what was read of that so far; stopped is the
// error that ended the reading.
func (s *Sheet) checkEnd(ctx context.Context, data []byte, stopped error) error {
	const keep = 4 << 10
	for buf := make([]byte, readAhead); stopped == nil; {
		if len(data) > keep {
			data = data[len(data)-keep:]
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int
		n, stopped = s.part.Read(buf)
		data = append(data[:len(data):len(data)], buf[:n]...)
	}
	switch {
	case stopped != io.EOF:
		return s.withRow(stopped)
	case !closes(data, s.root):
		return s.damaged(ErrCutShort)
	}
	return io.EOF
}

// closes reports whether data ends with the end tag of root, except for white space and
// comments.
func closes(data, root []byte) bool {
	for {
		data = bytes.TrimRight(data, " \t\r\n")
		if !bytes.HasSuffix(data, []byte("-->")) {
			break
		}
		start := bytes.LastIndex(data, []byte("<!--"))
		if start < 0 {
			return false
		}
		data = data[:start]
	}
	if !bytes.HasSuffix(data, []byte(">")) {
		return false
	}
	data = bytes.TrimRight(data[:len(data)-1], " \t\r\n")
	return bytes.HasSuffix(data, append([]byte("</"), root...))
}
