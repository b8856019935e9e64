package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flytt/pipeline"
	"flytt/sources/xlsx"
)

// What is looked at to find the header of a sheet, besides readRecords.
const (
	sampleXML   = 1 << 20
	sampleCells = 1 << 17
	sampleCell  = 1 << 10 // bytes of one cell
)

const hintSheetHeader = "--header-row N says which row of the sheet has the column names"

// sheetHeader is what the first rows of a sheet show.
type sheetHeader struct {
	row      int64
	names    []string // of the columns from A to the last one with a name
	leftOut  []bool   // for each: it has neither a name nor a value
	warnings []string
}

// findHeader finds the row with the names of the columns. The blocks it reads are kept,
// to be handed out later.
func (s *xlsxSource) findHeader(o *Options) (*sheetHeader, error) {
	if o.HeaderRow < 0 {
		return nil, s.in.usageError(fmt.Errorf("header row %d is less than 1", o.HeaderRow), hintSheetHeader)
	}
	r, ended, err := s.sample(int64(o.HeaderRow))
	if err != nil {
		return nil, err
	}
	if len(r.records) == 0 || o.HeaderRow > 0 && r.records[0].line != int64(o.HeaderRow) {
		return nil, s.noHeader(o)
	}
	r.measure()
	if o.HeaderRow == 0 && !r.findHeader() && r.agreement >= 0.9 {
		return nil, s.contentError(r.records[0].line, pipeline.None,
			fmt.Errorf("%w: it has 1 cell, most have %d", errHeaderData, r.width), hintSheetHeader)
	}
	return s.name(r, ended, o)
}

// contentError is an error of the sheet's content.
func (s *xlsxSource) contentError(row int64, column int, err error, hint string) error {
	return &Error{File: s.in.name, Place: xlsx.CellName(s.layout.sheet, row, column), Err: err, Hint: hint}
}

// noHeader returns the error of a sheet without a row that could have names.
func (s *xlsxSource) noHeader(o *Options) error {
	if o.HeaderRow > 0 {
		return s.in.usageError(fmt.Errorf("sheet %q has nothing on row %d", s.layout.sheet, o.HeaderRow), hintSheetHeader)
	}
	return s.contentError(0, pipeline.None, errors.New("the sheet is empty"), "--sheet names another; there are "+sheetNames(s.book.Sheets))
}

// sample reads the first rows, starting with row from, as text. It reports whether the
// sheet ends there.
func (s *xlsxSource) sample(from int64) (r *dialect, ended bool, err error) {
	r = &dialect{grammar: grammar{delimiter: '\n', eol: '\n'}, mayLackNames: true}
	scan := s.book.Scanner()
	s.sheet.MaxRows = maxBatchCells / xlsx.MaxColumns // how many columns there are is not known
	for bytes, cells := 0, 0; ; {
		block, err := s.sheet.Next(context.Background(), nil, s.size)
		if err != nil { // Next says it again when it is asked for more
			if len(r.records) == 0 && block.Row == 1 && s.isSheetError(err) {
				return nil, false, s.in.workbookError(s.layout.sheet, err)
			}
			return r, !s.isSheetError(err), nil
		}
		if from > 0 && block.Row < from {
			s.sampled = s.sampled[:0] // nothing before the header is looked at
		}
		s.sampled = append(s.sampled, block)
		bytes += len(block.Data)
		for scan.Reset(block); scan.NextRow(); {
			if scan.Row < from {
				continue
			}
			rec, err := s.record(scan)
			if err != nil {
				return nil, false, err
			}
			cells += len(rec.cells)
			if rec.filled > 0 {
				r.records = append(r.records, rec)
			}
			if n := len(r.records); n >= readRecords || n >= readLeast && cells >= sampleCells {
				return r, false, nil
			}
		}
		if len(r.records) > 0 && bytes >= sampleXML {
			return r, false, nil
		}
	}
}

// isSheetError reports whether err is something other than the end of the sheet.
func (s *xlsxSource) isSheetError(err error) bool {
	var e *xlsx.Error
	return errors.As(err, &e)
}

// record reads the row that scan is at.
func (s *xlsxSource) record(scan *xlsx.Scanner) (record, error) {
	rec := record{line: scan.Row, start: int(scan.Row), end: int(scan.Row) + 1}
	for scan.NextCell() {
		v, _, err := scan.Value()
		if err != nil {
			return rec, s.in.workbookError(s.layout.sheet, err)
		}
		if len(v) == 0 {
			continue
		}
		if n := scan.Column + 1 - len(rec.cells); n > 0 {
			rec.cells = append(rec.cells, make([]string, n)...)
		}
		rec.cells[scan.Column] = string(v[:min(len(v), sampleCell)])
		rec.filled++
	}
	return rec, nil
}

// name takes the names of the columns from the header's record.
func (s *xlsxSource) name(r *dialect, ended bool, o *Options) (*sheetHeader, error) {
	rec := r.records[r.header]
	h := &sheetHeader{row: rec.line, leftOut: make([]bool, len(rec.cells))}
	var names, without []string
	var positions []int
	for i, cell := range rec.cells {
		name := strings.TrimSpace(strings.Trim(cell, "\uFEFF"))
		h.names = append(h.names, name)
		if name == "" && !r.valueUnder(r.header, i) {
			h.leftOut[i] = true
			without = append(without, xlsx.ColumnName(i))
			continue
		}
		names, positions = append(names, name), append(positions, i)
	}
	letters := func(i int) string { return xlsx.ColumnName(positions[i]) }
	if err := namesError(names, letters); err != nil {
		return nil, s.contentError(h.row, pipeline.None, err, hintHeader+"; "+hintSheetHeader)
	}
	if i := slices.IndexFunc(names, valueLike); i >= 0 && o.HeaderRow == 0 {
		return nil, s.contentError(h.row, positions[i], fmt.Errorf("%w: the cell holds a value", errHeaderData), hintSheetHeader)
	}
	h.warn(r, without, ended)
	return h, nil
}

// warn adds warnings for what is skipped.
func (h *sheetHeader) warn(r *dialect, without []string, ended bool) {
	if r.header > 0 {
		h.warnings = append(h.warnings, skipped("row", h.row-1))
	}
	switch len(without) {
	case 0:
	case 1:
		h.warnings = append(h.warnings, "column "+without[0]+", which has neither a name nor values, is left out")
	default:
		h.warnings = append(h.warnings, "columns "+list(without)+", which have neither names nor values, are left out")
	}
	if ended && len(r.records) == r.header+1 {
		h.warnings = append(h.warnings, fmt.Sprintf("there is no row below the header on row %d", h.row))
	}
}
