// Package guardedcsv puts together the cells and lines of CSV files, so that no
// spreadsheet takes a cell for a formula.
package sinks

import (
	"bytes"

	"flytt/pipeline"
)

// codeLongCell is what is noted of a cell of more than spreadsheetCell characters.
const codeLongCell pipeline.Code = "long_cell"

// spreadsheetCell is how many characters a spreadsheet keeps of a cell.
const spreadsheetCell = 32767

// byteOrderMark is how a file starts that a spreadsheet is to read as UTF-8.
const byteOrderMark = "\uFEFF"

// dialect is how cells and lines are put together in a CSV file.
type dialect struct {
	delimiter byte
	end       string    // of a line
	quoted    [256]bool // bytes for which a cell is put in quotes
}

func newDialect(delimiter byte, end string) *dialect {
	d := &dialect{delimiter: delimiter, end: end}
	for _, c := range []byte{delimiter, '"', '\r', '\n'} {
		d.quoted[c] = true
	}
	return d
}

// appendCell appends v, in quotes if it needs them.
func (d *dialect) appendCell(dst, v []byte) []byte { return d.appendWith(dst, v, "") }

// appendGuarded appends v guarded against spreadsheets, in quotes if it needs
// them.
func (d *dialect) appendGuarded(dst, v []byte) []byte {
	if pipeline.Guarded(v) {
		return d.appendWith(dst, v, "'")
	}
	return d.appendWith(dst, v, "")
}

func (d *dialect) appendWith(dst, v []byte, guard string) []byte {
	if !d.needsQuotes(v) {
		dst = append(dst, guard...)
		return append(dst, v...)
	}
	dst = append(dst, '"')
	dst = append(dst, guard...)
	for {
		i := bytes.IndexByte(v, '"')
		if i < 0 {
			break
		}
		dst = append(dst, v[:i+1]...)
		dst = append(dst, '"')
		v = v[i+1:]
	}
	dst = append(dst, v...)
	return append(dst, '"')
}

func (d *dialect) needsQuotes(v []byte) bool {
	for _, c := range v {
		if d.quoted[c] {
			return true
		}
	}
	return false
}
