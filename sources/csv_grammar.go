package sources

import "bytes"

// The grammar of delimited text, which the cutter and the decoder share, is
// RFC 4180 with strict quotes:
//
//   - A record ends with LF, a CR before it not counting, or with CR in a file
//     that has no LF. The last one needs no end. In a file of LF a CR alone is
//     data.
//   - A quote opens only as the first byte of a cell. Elsewhere in a cell
//     without quotes it is data and never changes where the cell ends; its row
//     is rejected (bare_quote).
//   - Within quotes everything is data, "" being one quote, up to the quote
//     that closes. After that the cell must end; if it does not, its row is
//     rejected (text_after_quote) and the rest of the cell is read like one
//     without quotes.
//   - In a text of one column, which has no delimiter, the line end takes its
//     place.
type grammar struct {
	delimiter byte // eol: there is one column
	eol       byte // '\n' or '\r'
}

// maxRecordLines is how many lines one record may have, as MaxRecordBytes is how many
// bytes.
const maxRecordLines = 1000

const quote = '"'

// scanResult is the result of scan.
type scanResult struct {
	end  int  // where the last whole record ends
	open int  // where an unclosed or overlong quote was opened; -1: there is none
	long bool // the record at end has more than maxRecordLines lines
}

// scan finds where records end in data, which starts with a record. It jumps from quote
// to quote, and searches the text between them for line ends only.
func (g grammar) scan(data []byte) scanResult {
	s := scanResult{open: -1}
	from := 0            // outside quotes from here
	multi, lines := 0, 0 // where the last cell of several lines ended, and the line ends in cells of its record
	for {
		q := bytes.IndexByte(data[from:], quote)
		if q < 0 {
			if i := bytes.LastIndexByte(data[from:], g.eol); i >= 0 {
				s.end = from + i + 1
			}
			return s
		}
		q += from
		if i := bytes.LastIndexByte(data[from:q], g.eol); i >= 0 {
			s.end = from + i + 1
		}
		if !g.opens(data, q) {
			from = q + 1
			continue
		}
		end, closed := closing(data, q+1)
		if n := bytes.Count(data[q:end], []byte{g.eol}); n > 0 {
			if s.end >= multi {
				lines = 0
			}
			multi, lines = end, lines+n
		}
		if !closed || lines >= maxRecordLines {
			s.open, s.long = q, lines >= maxRecordLines
			return s
		}
		from = end
	}
}

// opens reports whether the quote at data[q], which is outside quotes, starts a cell.
func (g grammar) opens(data []byte, q int) bool {
	return q == 0 || data[q-1] == g.delimiter || data[q-1] == g.eol
}

// closing returns where the quoted text that starts at from ends: just after its
// closing quote. A quote that is the last byte of data may be the first of a pair, so
// it closes nothing.
func closing(data []byte, from int) (end int, closed bool) {
	for {
		q := bytes.IndexByte(data[from:], quote)
		if q < 0 || from+q+1 == len(data) {
			return len(data), false
		}
		if from += q + 2; data[from-1] != quote {
			return from - 1, true
		}
	}
}

// firstRecordEnd returns where the first record of data ends; -1 if it does not.
func (g grammar) firstRecordEnd(data []byte) int {
	for from, end := 0, -1; ; {
		if end < from {
			i := bytes.IndexByte(data[from:], g.eol)
			if i < 0 {
				return -1
			}
			end = from + i
		}
		q := bytes.IndexByte(data[from:end], quote)
		switch {
		case q < 0:
			return end + 1
		case !g.opens(data, from+q):
			from += q + 1
		default:
			var closed bool
			if from, closed = closing(data, from+q+1); !closed {
				return -1
			}
		}
	}
}
