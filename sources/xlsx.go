package sources

import (
	"context"
	"errors"
	"io"

	"flytt/pipeline"
	"flytt/sources/xlsx"
)

// xlsxMagic are the ways a workbook can start: an archive, or what old
// workbooks and those with a password are.
func xlsxMagic(head []byte) string {
	switch {
	case len(head) >= 4 && string(head[:4]) == "PK\x03\x04":
		return "a ZIP archive or an Excel workbook (XLSX)"
	case len(head) >= len(xlsx.OLE) && string(head[:len(xlsx.OLE)]) == xlsx.OLE:
		return "an old Excel workbook (XLS)"
	}
	return ""
}

// xlsxSource is a sheet of a workbook.
type xlsxSource struct {
	in              *input
	book            *xlsx.Workbook
	sheet           *xlsx.Sheet
	size            int // of a block
	sampled         []xlsx.Block
	layout          xlsxLayout
	guards          bool // a rejects file that was saved as a workbook
	originalNumbers bool // its rows get the numbers that it gives them
	end             int64
	err             error // what ended the sheet
}

// openXLSX opens the sheet of a workbook that o asks for.
func openXLSX(in *input, o *Options) (pipeline.Source, *Info, error) {
	r, size, err := in.randomAccess()
	if err != nil {
		return nil, nil, err
	}
	book, err := xlsx.Open(r, size, nil)
	if err != nil {
		return nil, nil, in.workbookError("", err)
	}
	s := &xlsxSource{in: in, book: book, size: o.blockSize()}
	info, err := s.open(o)
	if err != nil {
		book.Close()
		return nil, nil, err
	}
	return s, info, nil
}

// open finds the sheet and its header.
func (s *xlsxSource) open(o *Options) (*Info, error) {
	n, err := chooseSheet(s.in, s.book.Sheets, o.Sheet)
	if err != nil {
		return nil, err
	}
	name := s.book.Sheets[n].Name
	if s.sheet, err = s.book.OpenSheet(n); err != nil {
		return nil, s.in.workbookError(name, err)
	}
	s.layout = xlsxLayout{in: s.in, sheet: name, skipHidden: o.SkipHidden}
	h, err := s.findHeader(o)
	if err != nil {
		return nil, err
	}
	s.layOut(h, o.OriginalNumbers)
	info := &Info{
		HeaderRow: h.row, IsRejectsFile: s.guards, Sheet: name, Sheets: sheetInfos(s.book), CellName: s.layout.place,
		Warnings: append(otherSheets(s.book.Sheets, n, o.Sheet), h.warnings...),
	}
	return info, nil
}

// maxBatchCells bounds the cells of a batch, which are more than the block has
// bytes for where rows have few of many columns.
const maxBatchCells = 1 << 19

// layOut says where the columns of the sheet go in a batch.
func (s *xlsxSource) layOut(h *sheetHeader, origin bool) {
	l := &s.layout
	s.guards = rejectsHeader(h.names)
	l.header = h.row
	for i, name := range h.names {
		at := int32(notInBatch)
		if !h.leftOut[i] && (!s.guards || !isRejectsColumn(name)) {
			at = int32(len(l.names))
			if s.guards {
				name = string(pipeline.UnguardCell([]byte(name)))
			}
			l.names = append(l.names, name)
			l.positions = append(l.positions, i)
		}
		l.inputs = append(l.inputs, at)
		l.ignored = append(l.ignored, at == notInBatch && !h.leftOut[i])
	}
	if s.originalNumbers = s.guards && origin; s.originalNumbers {
		at := rowColumnAt(h.names)
		l.inputs[at], l.ignored[at] = int32(len(l.names)), false
		l.names, l.positions = append(l.names, pipeline.RowColumn), append(l.positions, at)
	}
	s.sheet.MaxRows = 0
	if n := maxBatchCells / len(l.inputs); n < s.size/smallestRow {
		s.sheet.MaxRows = n
	}
}

// smallestRow is the length of the shortest row that the decoder can read.
const smallestRow = len(`<row><c><v>1</v></c></row>`)

// Columns implements pipeline.Source.
func (s *xlsxSource) Columns() []string {
	names := s.layout.names
	if s.originalNumbers {
		names = names[:len(names)-1]
	}
	return names
}

// Next implements pipeline.Source.
func (s *xlsxSource) Next(ctx context.Context, b *pipeline.Block) error {
	var cut xlsx.Block
	err := s.err
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = ctx.Err()
	case len(s.sampled) > 0:
		cut = s.sampled[0]
		cut.Data = append(b.Data[:0], cut.Data...)
		s.sampled[0].Data = nil
		s.sampled = s.sampled[1:]
	default:
		cut, err = s.sheet.Next(ctx, b.Data, s.size)
	}
	if err != nil {
		b.Data = b.Data[:0]
		s.finish(ctx, err)
	} else {
		s.progress()
		b.Data, b.Row, b.Tag = cut.Data, cut.Row, cut.LastFilled
	}
	b.End = s.end
	return s.err
}

// finish makes Next return err from now on. At the end of the sheet it also checks the
// parts that the sheet shares with others.
func (s *xlsxSource) finish(ctx context.Context, err error) {
	if s.err != nil {
		return
	}
	if err == io.EOF {
		if shared := s.book.CheckRest(); shared != nil {
			err = shared
		} else {
			s.end = s.in.size
		}
	}
	if err != io.EOF && err != ctx.Err() {
		err = s.in.workbookError(s.layout.sheet, err)
	}
	s.err = err
}

// progress estimates how far the input has been read, from the share of the sheet.
func (s *xlsxSource) progress() {
	n, of := s.sheet.Progress()
	s.end = max(s.end, int64(float64(s.in.size)*float64(min(n, of))/float64(max(of, 1))))
}

// Decoder implements pipeline.Source.
func (s *xlsxSource) Decoder() pipeline.Decoder {
	d := &xlsxDecoder{layout: &s.layout, scan: s.book.Scanner()}
	switch {
	case s.originalNumbers:
		return unguarder{originalNumberDecoder{d}}
	case s.guards:
		return unguarder{d}
	}
	return d
}

// Close implements pipeline.Source.
func (s *xlsxSource) Close() error { return errors.Join(s.book.Close(), s.in.Close()) }

// workbookError adds to err where in the workbook it is. sheet is empty if no sheet is
// being read.
func (in *input) workbookError(sheet string, err error) error {
	var e *xlsx.Error
	if !errors.As(err, &e) {
		return in.readError(err)
	}
	out := &Error{File: in.name, Err: err, Hint: e.Hint}
	if sheet != "" {
		out.Place = xlsx.CellName(sheet, e.Row, pipeline.None)
	}
	if out.Hint == "" {
		out.Hint = "check the disk or the network share that it is on"
	}
	return out
}
