package xlsx

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Fault is what is wrong with a cell.
type Fault uint8

const (
	FaultNone    Fault = iota
	FaultNA            // #N/A: no value, by its own word
	FaultError         // any other error value
	FaultFormula       // a formula without the value it had
	FaultDate          // a number that is not a date, where its format says date
	FaultNumber        // no number, where its type says number
	FaultString        // the number of a shared text that is not there
	FaultBoolean       // no truth value, where its type says one
	FaultType          // a type that cells do not have
	FaultStyle         // a style that the workbook does not have
	FaultPlace         // a place that is not in its row
	FaultText          // a reference that XML does not have
	FaultLong          // more than 1 MiB of text
)

var faultNames = [...]string{
	"", "#N/A", "error value", "formula without its value", "number that is not a date", "not a number",
	"number of a shared text that is not there", "not a truth value", "type that cells do not have",
	"style that the workbook does not have", "place that is not in its row", "reference that XML does not have",
	"more than 1 MiB of text",
}

// String returns the fault as a phrase.
func (f Fault) String() string { return faultNames[f] }

// Value returns the cell as text: nil if it is empty, an empty text if it is
// that. It stays valid until the scanner moves. With a fault it is what can be
// shown of the cell to a person. An error is one of the workbook.
func (s *Scanner) Value() ([]byte, Fault, error) {
	if s.fault != FaultNone {
		return s.raw, s.fault, nil
	}
	if s.formula && (!s.valued || len(s.raw) == 0 && s.typ != typeText && s.typ != typeInline) {
		return nil, FaultFormula, nil
	}
	if !s.valued {
		return nil, FaultNone, nil
	}
	switch s.typ {
	case typeInline, typeText:
		return s.ownText()
	case typeUnknown:
		return s.raw, FaultType, nil
	}
	s.raw = bytes.TrimSpace(s.raw)
	if len(s.raw) == 0 {
		return nil, FaultNone, nil
	}
	switch s.typ {
	case typeShared:
		return s.sharedText()
	case typeBoolean:
		return s.boolean()
	case typeError:
		if string(s.raw) == "#N/A" {
			return nil, FaultNA, nil
		}
		return s.raw, FaultError, nil
	case typeDate:
		return s.isoDate()
	}
	return s.number()
}

// ownText returns the text that stands in the cell.
func (s *Scanner) ownText() ([]byte, Fault, error) {
	switch {
	case len(s.raw) > maxCell:
		return nil, FaultLong, nil
	case len(s.raw) == 0:
		return []byte{}, FaultNone, nil
	case bytes.IndexByte(s.raw, '_') >= 0:
		s.text = append(s.text[:0], s.raw...)
		return unescape(s.text), FaultNone, nil
	}
	return s.raw, FaultNone, nil
}

// sharedText returns the text whose number stands in the cell.
func (s *Scanner) sharedText() ([]byte, Fault, error) {
	i, ok := digits(s.raw)
	if !ok || s.book.strings == nil {
		return s.raw, FaultString, nil
	}
	var err error
	s.text, ok, err = s.book.strings.append(s.text[:0], i, &s.strings)
	switch {
	case err != nil:
		return nil, FaultNone, err
	case !ok:
		return s.raw, FaultString, nil
	case s.text == nil:
		return []byte{}, FaultNone, nil
	}
	return s.text, FaultNone, nil
}

func (s *Scanner) boolean() ([]byte, Fault, error) {
	switch string(s.raw) {
	case "1", "true", "TRUE":
		return append(s.text[:0], "true"...), FaultNone, nil
	case "0", "false", "FALSE":
		return append(s.text[:0], "false"...), FaultNone, nil
	}
	return s.raw, FaultBoolean, nil
}

// isoDate returns a date that is stored as text. Midnight goes: Excel's format
// of a date has no room for there being none.
func (s *Scanner) isoDate() ([]byte, Fault, error) {
	v := s.raw
	if len(v) < len("15:04:05") || v[0] < '0' || v[0] > '9' || !utf8.Valid(v) {
		return v, FaultDate, nil
	}
	v = bytes.TrimSuffix(v, []byte(".000"))
	return bytes.TrimSuffix(v, []byte("T00:00:00")), FaultNone, nil
}

// number returns a number as text, or the date that its format makes of it.
func (s *Scanner) number() ([]byte, Fault, error) {
	if !numeric(s.raw) {
		return s.raw, FaultNumber, nil
	}
	f, ok := s.book.format(s.style)
	if !ok {
		return s.raw, FaultStyle, nil
	}
	if f == formatNumber && asStored(s.raw) {
		return s.raw, FaultNone, nil
	}
	n, err := strconv.ParseFloat(string(s.raw), 64)
	if err != nil {
		return s.raw, FaultNumber, nil
	}
	if f == formatNumber {
		s.text = appendNumber(s.text[:0], n)
		return s.text, FaultNone, nil
	}
	if s.text, ok = appendSerial(s.text[:0], n, f, s.book.date1904); !ok {
		return s.raw, FaultDate, nil
	}
	return s.text, FaultNone, nil
}

// format returns the format of a style. Workbooks without styles have only the
// first.
func (w *Workbook) format(style int) (format, bool) {
	switch {
	case style < len(w.formats):
		return w.formats[style], true
	case style == 0 || w.formats == nil:
		return formatNumber, true
	}
	return formatNumber, false
}

// appendNumber appends the shortest decimal text that is n, without an exponent.
func appendNumber(dst []byte, n float64) []byte {
	if n == 0 {
		return append(dst, '0') // and not -0
	}
	return strconv.AppendFloat(dst, n, 'f', -1, 64)
}

// numeric reports whether v has only what a decimal number is made of: the
// parser would take more.
func numeric(v []byte) bool {
	for _, c := range v {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'E' && c != 'e' {
			return false
		}
	}
	return true
}

// asStored reports whether the number v is text as it should be: a whole number
// of any length, or a decimal fraction that a float64 holds in no shorter form.
func asStored(v []byte) bool {
	if v[0] == '-' {
		v = v[1:]
		if len(v) == 0 || v[0] == '0' && len(v) == 1 {
			return false
		}
	}
	point := -1
	for i, c := range v {
		switch {
		case c == '.' && point < 0:
			point = i
		case c < '0' || c > '9':
			return false
		}
	}
	if point < 0 {
		return len(v) > 0
	}
	return point > 0 && len(v) <= 16 && v[len(v)-1] != '0' && v[len(v)-1] != '.' && (v[0] != '0' || point == 1)
}
