package sources

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sources/textscan"
)

var (
	errBlankOnly     = errors.New("empty file: nothing but blank lines")
	errHeaderEnd     = errors.New("header does not end in the first megabyte")
	errHeaderText    = errors.New("header is not text in the encoding of the file")
	errHeaderData    = errors.New("the first row does not name the columns")
	hintHeaderRow    = "--header-row N says which line has the column names"
	hintHeader       = "give every column a name of its own in the header"
	hintHeaderQuotes = "fix the header, or name the delimiter with -d"
)

// header is what the first lines of a text show.
type header struct {
	grammar  grammar
	line     int64    // physical line it starts on
	next     int64    // physical line after it
	end      int      // where it ends in the sample
	names    []string // of all columns except the nameless ones at the end
	width    int      // number of columns with the nameless ones
	warnings []string
}

// findHeader finds the delimiter and the header of t.
func findHeader(in *input, t *textInput, o *Options) (*header, error) {
	forced, err := parseDelimiter(o.Delimiter, t.eol)
	if err != nil {
		return nil, in.usageError(err, `-d takes ",", ";", "|", "tab", any other character, or "none"`)
	}
	if o.HeaderRow < 0 {
		return nil, in.usageError(fmt.Errorf("header row %d is less than 1", o.HeaderRow), hintHeaderRow)
	}
	from, ok := lineStart(t.sample, t.eol, o.HeaderRow)
	if !ok {
		return nil, in.usageError(fmt.Errorf("has no line %d in its first megabyte", o.HeaderRow), hintHeaderRow)
	}
	line := int64(max(o.HeaderRow, 1))
	if d, end := separatorLine(t.sample, t.eol); o.HeaderRow == 0 && end > 0 {
		forced, from, line = cmp.Or(forced, d), end, 2
	}
	r, err := chooseDialect(in, t, from, line, forced, o.HeaderRow > 0)
	if err != nil {
		return nil, err
	}
	if len(r.records) == 0 {
		return nil, noHeader(in, t, from, line, r.grammar)
	}
	rec := r.records[r.header]
	h := &header{
		grammar: r.grammar, line: rec.line, end: from + rec.end,
		next: rec.line + textscan.LineEnds(t.sample[from+rec.start:from+rec.end], t.eol),
	}
	if t.whole && h.end > len(t.sample) { // the line end that tryDialect added
		h.end = len(t.sample)
	}
	if h.line > 1 {
		h.warnings = append(h.warnings, skipped("line", h.line-1))
	}
	return h, h.name(in, t, r, o)
}

// lineStart returns where physical line n starts; 0 is the first.
func lineStart(sample []byte, eol byte, n int) (int, bool) {
	at := 0
	for ; n > 1; n-- {
		i := bytes.IndexByte(sample[at:], eol)
		if i < 0 {
			return 0, false
		}
		at += i + 1
	}
	return at, at < len(sample)
}

// separatorLine returns the delimiter of a first line such as sep=; which Excel
// understands, and where that line ends; 0 if there is no such line or nothing below
// it.
func separatorLine(sample []byte, eol byte) (delimiter byte, end int) {
	const form = "sep=;"
	i := bytes.IndexByte(sample[:min(len(sample), len(form)+2)], eol)
	if i < len(form) || i+1 == len(sample) {
		return 0, 0
	}
	first := bytes.TrimSuffix(sample[:i], []byte{'\r'})
	if len(first) != len(form) || !strings.EqualFold(string(first[:4]), form[:4]) {
		return 0, 0
	}
	d, err := parseDelimiter(string(first[4:]), eol)
	if err != nil {
		return 0, 0
	}
	return d, i + 1
}

// chooseDialect reads the sample, whose first line is number line, with each possible
// delimiter and picks the one that fits best. If fixed, the header is the first record.
func chooseDialect(in *input, t *textInput, from int, line int64, forced byte, fixed bool) (*dialect, error) {
	with := func(delimiter byte) *dialect {
		return tryDialect(t.sample[from:], grammar{delimiter, t.eol}, line, t.whole)
	}
	if forced != 0 {
		r := with(forced)
		if len(r.records) > 0 && !fixed && !r.findHeader() && r.agreement >= 0.9 {
			return nil, r.narrowHeaderError(in)
		}
		return r, nil
	}
	var best, narrow *dialect
	for _, c := range []byte(delimiters) {
		r := with(c)
		switch {
		case r.blank:
			return r, nil
		case !r.viable():
		case !fixed && !r.findHeader():
			if c != ',' && r.agreement >= 0.9 {
				narrow = r
			}
		case best == nil || r.score() > best.score():
			best = r
		}
	}
	switch {
	case best != nil:
		return best, nil
	case narrow != nil:
		return nil, narrow.narrowHeaderError(in)
	}
	return with(t.eol), nil
}

// narrowHeaderError returns the error for a header with one cell when most records have
// more.
func (r *dialect) narrowHeaderError(in *input) error {
	return in.contentError(r.records[0].line, fmt.Errorf("%w: it has 1 cell, most have %d", errHeaderData, r.width),
		hintHeaderRow+"; -d none takes each line as one cell")
}

// noHeader returns the error for an input without a whole record that is not blank.
func noHeader(in *input, t *textInput, from int, line int64, g grammar) error {
	c := &cutter{in: in, grammar: g, line: line}
	data, stopped := t.sample[from:], error(nil)
	if t.whole {
		stopped = in.err
		data, _ = g.terminate(bytes.Clone(data))
	}
	s := g.scan(data)
	for s.end > 0 && s.end < len(data) { // blank lines before
		c.line += textscan.LineEnds(data[:s.end], g.eol)
		data = data[s.end:]
		s = g.scan(data)
	}
	if s.end == 0 {
		if err := c.recordError(data, s, stopped); err != nil && err != io.EOF {
			return err
		}
	}
	if !t.whole && s.end < len(data) {
		return in.contentError(c.line, errHeaderEnd, hintLong)
	}
	return in.contentError(0, errBlankOnly, hintEmpty)
}

// name takes the names of the columns from the header's record.
func (h *header) name(in *input, t *textInput, r *dialect, o *Options) error {
	rec := r.records[r.header]
	if rec.problem != "" {
		return in.contentError(h.line, fmt.Errorf("header has %s", rec.problem), hintHeaderQuotes)
	}
	for _, cell := range rec.cells {
		name, ok := t.decode(cell)
		if !ok {
			return in.contentError(h.line, errHeaderText, "name the encoding with --encoding")
		}
		h.names = append(h.names, strings.TrimSpace(strings.Trim(name, "\uFEFF")))
	}
	h.width = len(h.names)
	h.dropNameless(r)
	if err := namesError(h.names, columnNumber); err != nil {
		return in.contentError(h.line, err, hintHeader+"; "+hintHeaderRow)
	}
	if i := slices.IndexFunc(h.names, valueLike); i >= 0 && o.HeaderRow == 0 {
		return in.contentError(h.line, fmt.Errorf("%w: column %d holds a value", errHeaderData, i+1), hintHeaderRow)
	}
	return nil
}

// decode returns raw, a cell of the sample, as UTF-8. It reports false if it is not
// text.
func (t *textInput) decode(raw string) (string, bool) {
	if t.table != nil {
		return string(t.table.append(nil, []byte(raw))), !t.table.hasUndefined([]byte(raw))
	}
	return raw, utf8.ValidString(raw)
}

// dropNameless drops the columns at the end that have neither a name nor, in the
// sample, a value: a delimiter at the end of every line makes such a column. In a
// rejects file that a spreadsheet has saved they may have values: the surplus cells of
// ragged rows, which are rejected again.
func (h *header) dropNameless(r *dialect) {
	n := len(h.names)
	for n > 1 && h.names[n-1] == "" {
		n--
	}
	if !rejectsHeader(h.names) && r.valueBeyond(n, h.width) {
		return
	}
	if n < h.width {
		h.warnings = append(h.warnings, fmt.Sprintf("%s at the end without a name or a value left out", count(h.width-n, "column")))
		h.names = h.names[:n]
	}
}

// valueBeyond reports whether a row below the header has a value in the columns
// from n up to width.
func (r *dialect) valueBeyond(n, width int) bool {
	for i := n; i < width; i++ {
		if r.valueUnder(r.header, i) {
			return true
		}
	}
	return false
}

// valueUnder reports whether a record below record h has a value in the column.
func (r *dialect) valueUnder(h, column int) bool {
	return slices.ContainsFunc(r.records[h+1:], func(rec record) bool {
		return column < len(rec.cells) && rec.cells[column] != ""
	})
}

// namesError returns an error that lists the columns without a name and those that share
// a name; nil if there are none. label returns how column i is called in it.
func namesError(names []string, label func(i int) string) error {
	columns := map[string][]string{}
	for i, n := range names {
		columns[n] = append(columns[n], label(i))
	}
	var faults []string
	if at := columns[""]; len(at) == 1 {
		faults = append(faults, fmt.Sprintf("column %s has no name", at[0]))
	} else if len(at) > 1 {
		faults = append(faults, fmt.Sprintf("columns %s have no name", list(at)))
	}
	for i, n := range names {
		if at := columns[n]; n != "" && len(at) > 1 && at[0] == label(i) {
			faults = append(faults, fmt.Sprintf("columns %s are all called %q", list(at), n))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	if more := len(faults) - 5; more > 0 {
		faults = append(faults[:5], fmt.Sprintf("and %d more like it", more))
	}
	return errors.New(strings.Join(faults, "; "))
}

// list returns "2, 5 and 7", no more than ten of them.
func list(parts []string) string {
	if more := len(parts) - 10; more > 0 {
		parts = append(parts[:10:10], fmt.Sprintf("%d more", more))
	}
	return text.AllOf(parts)
}

// columnNumber labels the columns of a text, from 1.
func columnNumber(i int) string { return strconv.Itoa(i + 1) }

// skipped says that the first n lines, or rows, are.
func skipped(what string, n int64) string {
	if n == 1 {
		return what + " 1, before the header, is skipped"
	}
	return fmt.Sprintf("%ss 1 to %d, before the header, are skipped", what, n)
}

// rejectsHeader reports whether names are those of a rejects file.
func rejectsHeader(names []string) bool {
	return slices.Contains(names, pipeline.RowColumn) && slices.Contains(names, pipeline.ErrorsColumn)
}

// startsRejects reports whether sample, the start of a file, is a rejects file of flytt
// by its first record, whatever the options say.
func startsRejects(sample []byte) bool {
	sample = bytes.TrimPrefix(sample, []byte(bomUTF8))
	for _, c := range []byte(delimiters) {
		g := grammar{c, '\n'}
		end := g.firstRecordEnd(sample)
		if end < 0 {
			end = len(sample)
		}
		if end == 0 {
			continue
		}
		r := tryDialect(sample[:end], g, 1, true)
		if len(r.records) > 0 && rejectsHeader(r.records[0].cells) {
			return true
		}
	}
	return false
}
