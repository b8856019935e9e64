package sources

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

// delimiters are the candidates for detection. If several fit equally well, the first
// one wins.
const delimiters = ",;\t|"

// What detection decodes of the sample.
const (
	readRecords = 200     // at most
	readBytes   = 1 << 16 // and no more than this, if that is
	readLeast   = 10      // records
)

// parseDelimiter parses the delimiter that a person has named: a character, tab, or
// none, for which it returns eol. Zero means detection.
func parseDelimiter(s string, eol byte) (byte, error) {
	switch strings.ToLower(s) {
	case "":
		return 0, nil
	case "none":
		return eol, nil
	case "tab", `\t`:
		return '\t', nil
	}
	if len(s) != 1 || s[0] >= 0x80 || s[0] == quote || s[0] < ' ' && s[0] != '\t' || s[0] == 0x7F {
		return 0, fmt.Errorf("delimiter %q is not one ASCII character", s)
	}
	return s[0], nil
}

// record is one record of the sample, as raw text.
type record struct {
	line       int64
	start, end int // where it stands in the sample
	cells      []string
	filled     int // number of cells that are not empty
	problem    string
}

// dialect is the sample as it reads with one delimiter, and how well that fits.
type dialect struct {
	grammar      grammar
	records      []record // without blank ones
	width        int      // how many cells most records have
	agreement    float64  // share of the records that have as many
	blank        bool     // there are only blank rows
	header       int      // index of the header among the records
	mayLackNames bool     // a column without values needs no name
}

// tryDialect decodes the start of sample, whose first line has the number line, by the
// grammar g. If the sample is whole, a last record without a line end counts.
func tryDialect(sample []byte, g grammar, line int64, whole bool) *dialect {
	if whole {
		sample, _ = g.terminate(sample[:len(sample):len(sample)])
	}
	r := &dialect{grammar: g}
	end := 0
	empty := string([]byte{g.delimiter, g.eol, '\r', quote})
	for n := 0; n < readRecords && (n < readLeast || end < readBytes); {
		next := g.firstRecordEnd(sample[end:])
		if next < 0 {
			break
		}
		if len(bytes.Trim(sample[end:end+next], empty)) > 0 {
			n++
		}
		r.records = append(r.records, record{line: line, start: end, end: end + next})
		line += textscan.LineEnds(sample[end:end+next], g.eol)
		end += next
	}
	if end > 0 {
		r.decode(sample[:end])
		r.blank = len(r.records) == 0
	}
	r.measure()
	return r
}

// decode fills in the cells of the records, which are all in data, and drops records
// without cells. For a decoder without columns, all cells are surplus.
func (r *dialect) decode(data []byte) {
	var b pipeline.Batch
	block := &pipeline.Block{Data: bytes.Clone(data), Row: r.records[0].line, Tag: tagRaw}
	newDecoder(&layout{grammar: r.grammar}).Decode(block, &b)
	at := 0
	for i, line := range b.Rows {
		for r.records[at].line != line {
			at++
		}
		r.records[i] = r.records[at]
	}
	r.records = r.records[:b.Len()]
	for _, s := range b.Surplus {
		rec := &r.records[s.Row]
		rec.cells = append(rec.cells, s.Cell)
		if s.Cell != "" {
			rec.filled++
		}
	}
	for _, p := range b.Problems {
		if p.Row >= 0 && p.Code != raggedRow {
			r.records[p.Row].problem = p.Shape
		}
	}
}

// measure finds out how many cells most records have.
func (r *dialect) measure() {
	counts := map[int]int{}
	for _, rec := range r.records {
		counts[len(rec.cells)]++
	}
	best := 0
	for cells, n := range counts {
		if cells > 1 && (n > best || n == best && cells > r.width) {
			r.width, best = cells, n
		}
	}
	if best > 0 {
		r.agreement = float64(best) / float64(len(r.records))
	}
}

// viable reports whether the delimiter is possible: most records agree on the number of
// cells, or the first line has more than one and is not prose.
func (r *dialect) viable() bool {
	if r.width < 2 {
		return false
	}
	return r.agreement >= 0.5 || len(r.records[0].cells) > 1 && !r.looksLikeProse(r.records[0].cells)
}

// looksLikeProse reports whether the commas separate words, not cells: a space follows.
func (r *dialect) looksLikeProse(cells []string) bool {
	spaced := func(cell string) bool { return strings.HasPrefix(cell, " ") }
	return r.grammar.delimiter == ',' && slices.ContainsFunc(cells[1:], spaced)
}

// score returns how well the delimiter fits: records agree, also the first one, and
// many cells are better than few.
func (r *dialect) score() float64 {
	s := r.agreement * r.agreement * math.Log2(float64(r.width))
	if len(r.records[0].cells) != r.width {
		s /= 2
	}
	return s
}

// findHeader sets the header to the first record, or to a later one if those before it
// are clearly a title. It reports false if the first record is too narrow to be a
// header and no other one looks like it.
func (r *dialect) findHeader() bool {
	title := func(rec record) bool { return rec.filled*2 <= r.width }
	h := 0
	for h < len(r.records) && title(r.records[h]) {
		h++
	}
	if h == 0 || h < len(r.records) && r.looksLikeHeader(h) {
		r.header = h
		return true
	}
	return len(r.records[0].cells) > 1 || r.width < 2
}

// looksLikeHeader reports whether record h, which is not the first, is a header: it has
// the names of columns, and either the values below are of another kind or there is a
// blank line above.
func (r *dialect) looksLikeHeader(h int) bool {
	names := trimmed(r.records[h].cells)
	if r.looksLikeProse(r.records[h].cells) {
		return false
	}
	below := r.records[h+1:]
	seen := map[string]bool{}
	typed := false
	for j, name := range names {
		if name == "" && r.mayLackNames && !r.valueUnder(h, j) {
			continue
		}
		if seen[name] || !nameLike(name) {
			return false
		}
		seen[name] = true
		digits, values := 0, 0
		for _, rec := range below {
			if j >= len(rec.cells) || rec.cells[j] == "" {
				continue
			}
			if strings.TrimSpace(rec.cells[j]) == name {
				return false
			}
			if values++; strings.ContainsAny(rec.cells[j], "0123456789@") {
				digits++
			}
		}
		typed = typed || values > 0 && digits*5 >= values*4 && !strings.ContainsAny(name, "0123456789")
	}
	return typed || r.records[h].start > r.records[h-1].end
}

// trimmed returns the cells without the empty ones at the end.
func trimmed(cells []string) []string {
	names := make([]string, len(cells))
	last := 0
	for i, c := range cells {
		if names[i] = strings.TrimSpace(c); names[i] != "" {
			last = i + 1
		}
	}
	return names[:last]
}

// nameLike reports whether s could be the name of a column.
func nameLike(s string) bool {
	return s != "" && len(s) <= 100 && !valueLike(s) && strings.IndexFunc(s, func(r rune) bool {
		return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= 0x80
	}) >= 0
}

// valueLike reports whether s is clearly a value: an e-mail address, or a long number.
func valueLike(s string) bool {
	if at := strings.IndexByte(s, '@'); at > 0 && strings.Contains(s[at:], ".") {
		return true
	}
	digits := 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			return false
		}
	}
	return digits >= 8
}
