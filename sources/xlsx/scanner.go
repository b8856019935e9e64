package xlsx

import (
	"bytes"
	"strings"
)

// cellType is the type a cell says it has.
type cellType uint8

const (
	typeNumber  cellType = iota
	typeShared           // a text of the shared ones
	typeInline           // a text of its own
	typeText             // a text that a formula made
	typeBoolean          // 0 or 1
	typeError            // #N/A and its like
	typeDate             // a date in ISO 8601
	typeUnknown          // none there is
)

// Scanner walks the rows and cells of blocks. It belongs to one goroutine.
//
//	for s.Reset(block); s.NextRow(); {
//		for s.NextCell() {
//			value, fault, err := s.Value()
//		}
//	}
//	err := s.Err()
type Scanner struct {
	Row    int64 // number of the row
	Hidden bool  // the row is
	Column int   // number of the cell's column, from 0

	book     *Workbook
	lex      lexer
	expect   int64 // number of the next row if its tag has none
	numbered bool  // the tag of the row has its number
	inRow    bool
	reason   error // why the block does not have rows of a sheet
	err      error

	next    int // column of the next cell if its tag has none
	typ     cellType
	style   int
	raw     []byte // characters of the value
	valued  bool   // there is a value, although it may be empty
	formula bool
	fault   Fault // in the tag of the cell

	joined  []byte // raw, if it is not contiguous in the block
	text    []byte // what Value returns
	strings stringCache
}

// Scanner returns a new scanner of sheets of w.
func (w *Workbook) Scanner() *Scanner { return &Scanner{book: w} }

// Reset lets s start with b.
func (s *Scanner) Reset(b Block) {
	s.lex = lexer{data: b.Data}
	s.expect, s.inRow, s.reason, s.err = max(b.Row, 1), false, nil, nil
	s.Row = s.expect - 1
}

// NextRow moves to the next row.
func (s *Scanner) NextRow() bool {
	for s.inRow {
		if !s.NextCell() && s.err != nil {
			return false
		}
	}
	if s.err != nil || s.lex.pos == len(s.lex.data) { // a block ends with its last row
		return false
	}
	if s.row() == tokenOpen {
		return true
	}
	if s.reason == nil {
		s.reason = ErrMalformed
	}
	s.err = &Error{Row: s.Row, Err: s.reason, Hint: hintDamaged}
	return false
}

// NextCell moves to the next cell of the row.
func (s *Scanner) NextCell() bool {
	switch s.cell() {
	case tokenOpen:
		return true
	case tokenClose:
		return false
	}
	if s.reason == nil {
		s.reason = ErrMalformed
	}
	s.err = &Error{Row: s.Row, Err: s.reason, Hint: hintDamaged}
	return false
}

// Err returns why the block could not be read to its end, an *Error.
func (s *Scanner) Err() error { return s.err }

// row moves past the start tag of the next row. It returns tokenClose at the end of all
// rows, tokenNone if there is no whole tag, and tokenBad with a reason.
func (s *Scanner) row() token {
	for {
		switch t := s.lex.next(); t {
		case tokenOpen:
			if string(s.lex.name) != "row" {
				return s.bad(ErrMalformed)
			}
			return s.rowStart()
		case tokenClose:
			if string(s.lex.name) != "sheetData" {
				return s.bad(ErrMalformed)
			}
			return tokenClose
		case tokenText:
			if len(bytes.TrimSpace(s.lex.text)) > 0 {
				return s.bad(ErrMalformed)
			}
		case tokenNone:
			return tokenNone
		default:
			return s.bad(ErrMalformed)
		}
	}
}

func (s *Scanner) bad(reason error) token {
	s.reason = reason
	return tokenBad
}

// rowStart reads the start tag of a row.
func (s *Scanner) rowStart() token {
	number := s.expect
	s.Hidden, s.numbered, s.next = false, false, 0
	for rest := s.lex.attrs; ; {
		var name, value []byte
		name, value, rest = attribute(rest)
		if len(name) == 0 {
			break
		}
		switch string(name) {
		case "r":
			n, ok := digits(bytes.TrimSpace(value))
			if !ok || n < 1 {
				return s.bad(errRowNumber)
			}
			number, s.numbered = n, true
		case "hidden":
			s.Hidden = truth(string(value))
		}
	}
	switch {
	case number > MaxRows:
		return s.bad(errRowNumber)
	case number < s.expect:
		return s.bad(errRowOrder)
	}
	s.Row, s.expect, s.inRow = number, number+1, !s.lex.empty
	return tokenOpen
}

// cell moves past the next cell. It returns tokenClose at the end of the row.
func (s *Scanner) cell() token {
	for s.inRow {
		switch t := s.lex.next(); t {
		case tokenOpen:
			if string(s.lex.name) == "c" {
				return s.read()
			}
		case tokenClose:
			switch string(s.lex.name) {
			case "row":
				s.inRow = false
			case "sheetData":
				return s.bad(ErrMalformed)
			}
		case tokenNone:
			return tokenNone
		case tokenBad:
			return s.bad(ErrMalformed)
		}
	}
	return tokenClose
}

// read reads the cell whose start tag was just passed.
func (s *Scanner) read() token {
	s.raw, s.valued, s.formula, s.fault = nil, false, false, FaultNone
	s.typ, s.style = typeNumber, 0
	s.Column = s.next
	s.attributes()
	s.next = s.Column + 1
	if s.next > MaxColumns {
		s.Column, s.fault = MaxColumns-1, FaultPlace
	}
	if s.lex.empty || s.quickValue() {
		return tokenOpen
	}
	return s.value()
}

// attributes reads the place, the type and the style of the cell.
func (s *Scanner) attributes() {
	for rest := s.lex.attrs; ; {
		var name, value []byte
		name, value, rest = attribute(rest)
		if len(name) == 0 {
			return
		}
		if len(name) > 1 {
			continue
		}
		switch name[0] {
		case 'r':
			column, row, ok := position(value)
			if !ok || row != s.Row {
				s.fault = FaultPlace
				continue
			}
			s.Column = column
		case 's':
			n, ok := digits(value)
			if !ok {
				s.fault = FaultStyle
			}
			s.style = int(n)
		case 't':
			s.typ = typeOf(value)
		}
	}
}

func typeOf(name []byte) cellType {
	switch string(name) {
	case "n", "":
		return typeNumber
	case "s":
		return typeShared
	case "inlineStr":
		return typeInline
	case "str":
		return typeText
	case "b":
		return typeBoolean
	case "e":
		return typeError
	case "d":
		return typeDate
	}
	return typeUnknown
}

// The forms in which nearly all values come.
const (
	startValue  = "<v>"
	endValue    = "</v></c>"
	startInline = "<is><t"
	endInline   = "</t></is></c>"
	preserve    = ` xml:space="preserve">`
)

// quickValue reads a value in one of those forms.
func (s *Scanner) quickValue() bool {
	rest := s.lex.data[s.lex.pos:]
	start, end := 0, ""
	switch {
	case len(rest) > 3 && string(rest[:3]) == startValue:
		start, end = len(startValue), endValue
	case len(rest) > 30 && string(rest[:6]) == startInline && s.typ == typeInline:
		start, end = len(startInline)+1, endInline
		if rest[6] != '>' {
			if string(rest[6:6+len(preserve)]) != preserve {
				return false
			}
			start += len(preserve) - 1
		}
	default:
		return false
	}
	n := bytes.IndexByte(rest[start:], '<')
	if n < 0 || !bytes.HasPrefix(rest[start+n:], []byte(end)) {
		return false
	}
	s.raw = rest[start : start+n]
	s.valued = true
	s.lex.pos += start + n + len(end)
	if bytes.IndexByte(s.raw, '&') >= 0 || bytes.IndexByte(s.raw, '\r') >= 0 {
		s.joined = s.joined[:0]
		s.join(s.raw)
		s.raw = s.joined
	}
	return true
}

// join appends characters to the value.
func (s *Scanner) join(raw []byte) {
	whole := true
	if s.joined, whole = appendText(s.joined, raw); !whole {
		s.fault = FaultText
	}
}

// value reads the elements of a cell, to its end tag.
func (s *Scanner) value() token {
	s.joined = s.joined[:0]
	take, phonetic := false, false
	for {
		switch t := s.lex.next(); t {
		case tokenOpen:
			switch string(s.lex.name) {
			case "is":
				s.joined = s.joined[:0]
				s.valued = true
			case "v", "t":
				s.valued = s.valued || !phonetic
				take = !s.lex.empty && !phonetic
			case "f":
				s.formula = true
			case "rPh":
				phonetic = !s.lex.empty
			case "c", "row":
				return s.bad(ErrMalformed)
			}
		case tokenClose:
			switch string(s.lex.name) {
			case "v", "t":
				take = false
			case "rPh":
				phonetic = false
			case "c":
				s.raw = s.joined
				return tokenOpen
			case "row", "sheetData":
				return s.bad(ErrMalformed)
			}
		case tokenText:
			if take {
				s.join(s.lex.text)
			}
		case tokenCDATA:
			if take {
				s.joined = append(s.joined, s.lex.text...)
			}
		case tokenNone:
			return tokenNone
		default:
			return s.bad(ErrMalformed)
		}
	}
}

// HasContent reports whether the cell has any content; a style alone does not count.
func (s *Scanner) HasContent() bool { return len(s.raw) > 0 || s.formula }

// knownErrors are the error values of cells.
const knownErrors = " #NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #GETTING_DATA #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #UNKNOWN! #BUSY! #PYTHON! "

// ErrorValue returns the error value that the cell holds, or nothing if it is
// none that Excel has.
func (s *Scanner) ErrorValue() string {
	if s.typ != typeError || !strings.Contains(knownErrors, " "+string(s.raw)+" ") {
		return ""
	}
	return string(s.raw)
}
