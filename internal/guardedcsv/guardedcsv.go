// Package guardedcsv writes the cells and lines of CSV files so that no
// spreadsheet reads a cell as a formula.
package guardedcsv

import (
	"bytes"

	"flytt/pipeline"
)

// CodeLongCell is what is noted of a cell of more than MaxCell characters.
const CodeLongCell pipeline.Code = "long_cell"

// MaxCell is how many characters a spreadsheet keeps of a cell.
const MaxCell = 32767

// ByteOrderMark is how a file starts that a spreadsheet is to read as UTF-8.
const ByteOrderMark = "\uFEFF"

// Dialect is how cells and lines are put together in a CSV file.
type Dialect struct {
	Delimiter byte
	End       string    // of a line
	quoted    [256]bool // bytes for which a cell is put in quotes
}

// New returns the dialect with a delimiter and an end of lines.
func New(delimiter byte, end string) *Dialect {
	d := &Dialect{Delimiter: delimiter, End: end}
	for _, c := range []byte{delimiter, '"', '\r', '\n'} {
		d.quoted[c] = true
	}
	return d
}

// AppendCell appends v, in quotes if it needs them.
func (d *Dialect) AppendCell(dst, v []byte) []byte { return d.appendWith(dst, v, "") }

// AppendGuarded appends v guarded against spreadsheets, in quotes if it needs
// them.
func (d *Dialect) AppendGuarded(dst, v []byte) []byte {
	if pipeline.Guarded(v) {
		return d.appendWith(dst, v, "'")
	}
	return d.appendWith(dst, v, "")
}

func (d *Dialect) appendWith(dst, v []byte, guard string) []byte {
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

func (d *Dialect) needsQuotes(v []byte) bool {
	for _, c := range v {
		if d.quoted[c] {
			return true
		}
	}
	return false
}
