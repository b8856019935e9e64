package recorder

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
)

// What is wrong with a row stands in one cell, for people first:
//
//	ssn from Personnr: wrong check digit (12 digits) [check_digit]; email: not an address [email]
//
// Each problem is a place, a colon, what is wrong, and its code in brackets. A
// problem of the row as a whole has no place. Where cells have names of their
// own, as in a workbook, the place says them:
//
//	ssn from Personnr (Kontakter!F17): wrong check digit (12 digits) [check_digit]
//
// A program splits at "; " and takes the code from the brackets: no name and no
// message has a semicolon or a bracket here, others stand in for them.

// inDoubtReason is what is wrong with a row in doubt.
const inDoubtReason = "sent, no answer that shows it arrived [in_doubt]"

// labels is the names of fields and columns as they stand in messages.
type labels struct {
	fields  []string
	columns []string
}

func newLabels(o *Options) labels {
	var l labels
	for _, f := range o.Fields {
		l.fields = append(l.fields, string(appendPlain(nil, f.Name)))
	}
	for _, c := range o.Columns {
		l.columns = append(l.columns, string(appendPlain(nil, c)))
	}
	return l
}

// appendErrors appends the cell that says what is wrong with row.
func (r *Recorder) appendErrors(dst []byte, c *pipeline.Chunk, row int, problems []pipeline.Problem) []byte {
	start := len(dst)
	if c.Fates[row] == pipeline.InDoubt {
		dst = append(dst, inDoubtReason...)
	}
	for i := range problems {
		if problems[i].Severity == pipeline.Error {
			dst = r.appendProblem(separate(dst, start), c.Rows[row], &problems[i])
		}
	}
	for i := range c.Input {
		v := c.Input[i].Value(row)
		if len(v) <= guardedcsv.MaxCell { // counting the characters costs more
			continue
		}
		if n := utf8.RuneCount(v); n > guardedcsv.MaxCell {
			dst = r.appendLongCell(separate(dst, start), c.Rows[row], i, n)
		}
	}
	return r.enclose(dst, start)
}

func separate(dst []byte, start int) []byte {
	if len(dst) > start {
		dst = append(dst, "; "...)
	}
	return dst
}

func (r *Recorder) appendProblem(dst []byte, number int64, p *pipeline.Problem) []byte {
	dst = r.appendPlace(dst, number, p)
	meaning := ""
	if r.options.Meaning != nil {
		meaning = r.options.Meaning(p.Code)
	}
	if meaning == "" {
		meaning = strings.ReplaceAll(string(p.Code), "_", " ")
	}
	dst = appendPlain(dst, meaning)
	if p.Shape != "" {
		dst = append(dst, " ("...)
		dst = appendPlain(dst, p.Shape)
		dst = append(dst, ')')
	}
	if p.Stage == pipeline.Write && p.Private != "" {
		dst = append(dst, ": "...)
		dst = appendPlain(dst, p.Private)
	}
	return appendCode(dst, p.Code)
}

// appendPlace appends where the problem is: the field, the input column it comes
// from if that has another name, and what the cell is called.
func (r *Recorder) appendPlace(dst []byte, number int64, p *pipeline.Problem) []byte {
	switch {
	case p.Field < 0 && p.Column < 0:
		return r.appendRowPlace(dst, number)
	case p.Field < 0:
		dst = append(dst, r.labels.columns[p.Column]...)
	default:
		field := r.labels.fields[p.Field]
		dst = append(dst, field...)
		if p.Column >= 0 && r.labels.columns[p.Column] != field {
			dst = append(dst, " from "...)
			dst = append(dst, r.labels.columns[p.Column]...)
		}
	}
	return append(r.appendCellPlace(dst, number, int(p.Column)), ": "...)
}

// appendCellPlace appends what the cell in an input column of a row is called,
// or the row without a column, if they have names.
func (r *Recorder) appendCellPlace(dst []byte, number int64, column int) []byte {
	if r.options.Place == nil {
		return dst
	}
	dst = append(dst, " ("...)
	dst = appendPlain(dst, r.options.Place(number, column))
	return append(dst, ')')
}

func (r *Recorder) appendRowPlace(dst []byte, number int64) []byte {
	if r.options.Place == nil {
		return dst
	}
	dst = appendPlain(dst, r.options.Place(number, pipeline.None))
	return append(dst, ": "...)
}

func (r *Recorder) appendLongCell(dst []byte, number int64, column, length int) []byte {
	dst = append(dst, r.labels.columns[column]...)
	dst = r.appendCellPlace(dst, number, column)
	dst = fmt.Appendf(dst, ": longer than a spreadsheet keeps (%d characters, of which it would cut all beyond %d), fix this row in a text editor", length, guardedcsv.MaxCell)
	return appendCode(dst, guardedcsv.CodeLongCell)
}

func appendCode(dst []byte, code pipeline.Code) []byte {
	dst = append(dst, " ["...)
	dst = append(dst, code...)
	return append(dst, ']')
}

// enclose turns the text at dst[start:] into a cell: it appends the cell behind
// the text and moves it there.
func (r *Recorder) enclose(dst []byte, start int) []byte {
	end := len(dst)
	dst = r.dialect.AppendGuarded(dst, dst[start:])
	n := copy(dst[start:], dst[end:])
	return dst[:start+n]
}

// appendPlain appends s on one line and without what separates problems.
func appendPlain(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		switch {
		case c < ' ' || c == 0x7F:
			c = ' '
		case c == ';':
			c = ','
		case c == '[':
			c = '('
		case c == ']':
			c = ')'
		}
		dst = append(dst, c)
	}
	return dst
}
