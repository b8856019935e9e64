package sources

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"flytt/pipeline"
	"flytt/sources/json"
	"flytt/sources/textscan"
)

// The codes of delimited text.
const (
	raggedRow      pipeline.Code = "ragged_row"
	bareQuote      pipeline.Code = "bare_quote"
	textAfterQuote pipeline.Code = "text_after_quote"
)

// Codes documents every code that a decoder of this package notes.
var Codes = slices.Concat(
	pipeline.ErrorCodes(pipeline.Read, raggedRow, bareQuote, textAfterQuote, textscan.NULByte, textscan.InvalidEncoding),
	[]pipeline.CodeInfo{{Code: textscan.BlankRow, Stage: pipeline.Read, Severity: pipeline.Warning}},
	json.Codes, listCodes, xlsxCodes, parquetCodes)

// csvSource reads delimited text. Two dialects of flytt's own have cells with the
// guards of pipeline.GuardCell, which are removed: a rejects file, recognised by its
// columns _row and _errors, and CSV for Excel, recognised by inExcelDialect. All other
// text is read literally.
type csvSource struct {
	in              *input
	cut             cutter
	layout          layout
	names           []string
	guards          bool // a rejects file: its cells are guarded
	originalNumbers bool // its rows get the numbers that it gives them
	excel           bool // CSV for Excel: its cells are guarded
}

// openCSV opens delimited text, whatever its delimiter.
func openCSV(in *input, o *Options) (pipeline.Source, *Info, error) {
	if startsRejects(in.peek(sampleSize)) {
		o = &Options{BlockSize: o.BlockSize, OriginalNumbers: o.OriginalNumbers}
	}
	marked := bytes.HasPrefix(in.peek(len(bomUTF8)), []byte(bomUTF8))
	t, err := openText(in, o)
	if err != nil {
		return nil, nil, err
	}
	h, err := findHeader(in, t, o)
	if err != nil {
		return nil, nil, err
	}
	s := &csvSource{
		in: in,
		cut: cutter{
			in: in, grammar: h.grammar, size: min(o.blockSize(), textscan.MaxRecordBytes), line: h.next,
			undecided: t.undecided,
		},
	}
	if t.table != nil {
		s.cut.tag = tagTable
	}
	s.layOut(h, t, o.OriginalNumbers)
	s.excel = !s.guards && inExcelDialect(marked, h.grammar, o)
	info := s.info(t, h)
	in.skip(h.end)
	return s, info, nil
}

// layOut decides where the columns of the text go in a batch, and the table by which
// decoders convert the encoding. Decoders are made after that: while the encoding is
// undecided, the table is that of Windows-1252, which it may turn out to be.
func (s *csvSource) layOut(h *header, t *textInput, origin bool) {
	s.guards = rejectsHeader(h.names)
	s.originalNumbers = s.guards && origin
	s.layout = layout{grammar: h.grammar, width: h.width, table: t.table}
	if t.undecided {
		s.layout.table = newTable(windows, false)
	}
	for _, name := range h.names {
		at := int32(notInBatch)
		if !s.guards || !isRejectsColumn(name) {
			at = int32(len(s.names))
			if s.guards {
				name = string(pipeline.UnguardCell([]byte(name)))
			}
			s.names = append(s.names, name)
		}
		s.layout.inputs = append(s.layout.inputs, at)
	}
	s.layout.columns = len(s.names)
	if s.originalNumbers {
		s.layout.inputs[rowColumnAt(h.names)] = int32(len(s.names))
		s.layout.columns++
	}
}

func (s *csvSource) info(t *textInput, h *header) *Info {
	i := &Info{
		Encoding: t.encoding, Evidence: t.evidence, LineEnd: t.lineEnd, HeaderRow: h.line,
		IsRejectsFile: s.guards, Warnings: h.warnings,
	}
	if h.grammar.delimiter != h.grammar.eol {
		i.Delimiter = string(h.grammar.delimiter)
	}
	i.Warnings = append(i.Warnings, s.excelNote(t, h)...)
	if t.whole && len(bytes.Trim(t.sample[h.end:], "\r\n\x1A")) == 0 {
		i.Warnings = append(i.Warnings, fmt.Sprintf("there is no row below the header on line %d", h.line))
	}
	return i
}

// Columns implements pipeline.Source.
func (s *csvSource) Columns() []string { return s.names }

// Next implements pipeline.Source.
func (s *csvSource) Next(ctx context.Context, b *pipeline.Block) error { return s.cut.next(ctx, b) }

// Decoder implements pipeline.Source.
func (s *csvSource) Decoder() pipeline.Decoder {
	d := newDecoder(&s.layout)
	switch {
	case s.originalNumbers:
		return unguarder{originalNumberDecoder{d}}
	case s.guards:
		return unguarder{d}
	case s.excel:
		return excelDecoder{d}
	}
	return d
}

// unguarder decodes a rejects file: it removes the guards. Bytes of the input that were
// not text are replaced in a rejects file by characters that no person types. A row that
// still has such a character was not fixed, and is rejected again.
type unguarder struct{ pipeline.Decoder }

// hasReplacedBytes reports whether v has a character that the decoder puts in place of
// bytes that are not text: a C1 control character (U+0080 to U+009F) or U+FFFD.
func hasReplacedBytes(v []byte) bool {
	for i := bytes.IndexByte(v, 0xC2); i >= 0 && i+1 < len(v); {
		if v[i+1] >= 0x80 && v[i+1] <= 0x9F {
			return true
		}
		next := bytes.IndexByte(v[i+1:], 0xC2)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return bytes.Contains(v, []byte("\uFFFD"))
}

// Decode implements pipeline.Decoder.
func (u unguarder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	if err := u.Decoder.Decode(block, b); err != nil {
		return err
	}
	unguard(b)
	for i := range b.Input {
		c := &b.Input[i]
		for row := range c.Len() {
			if hasReplacedBytes(c.Value(row)) && b.Fates[row] == pipeline.Pending {
				b.Note(pipeline.Problem{
					Row: int32(row), Field: pipeline.None, Column: int16(min(i, math.MaxInt16)), Severity: pipeline.Error,
					Stage: pipeline.Read, Code: textscan.InvalidEncoding, Shape: "as it was rejected before",
				})
			}
		}
	}
	return nil
}

// Close implements pipeline.Source.
func (s *csvSource) Close() error { return s.in.Close() }
