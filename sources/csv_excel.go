package sources

import (
	"bytes"

	"flytt/pipeline"
)

// inExcelDialect reports whether a text that is not a rejects file is in the dialect of
// CSV for Excel, which flytt writes and Excel keeps when it saves CSV UTF-8: it has a
// byte order mark, and semicolons between its cells if it has more than one column. A
// spreadsheet never saves the apostrophe that marks a cell as text. So an apostrophe in
// front of a cell that pipeline.GuardCell guards comes from flytt or a similar tool.
func inExcelDialect(marked bool, g grammar, o *Options) bool {
	return marked && (g.delimiter == ';' || g.delimiter == g.eol && o.Delimiter == "")
}

// excelNote returns a note that guards are removed from a text in that dialect; nothing
// if the sample is the whole text and has no guards.
func (s *csvSource) excelNote(t *textInput, h *header) []string {
	if !s.excel || t.whole && !s.guardsIn(t.sample[h.end:]) {
		return nil
	}
	form := "semicolons"
	if h.grammar.delimiter == h.grammar.eol {
		form = "one column"
	}
	return []string{"it is in the form of a CSV for Excel (byte order mark, " + form + "): apostrophes that guard cells against spreadsheets are taken off"}
}

// guardsIn reports whether the rows in text have guards. It does not change text.
func (s *csvSource) guardsIn(text []byte) bool {
	if bytes.IndexByte(text, '\'') < 0 {
		return false
	}
	text, _ = s.layout.grammar.terminate(bytes.Clone(text))
	block := pipeline.Block{Data: text[:s.layout.grammar.scan(text).end]}
	var b pipeline.Batch
	return newDecoder(&s.layout).Decode(&block, &b) == nil && unguard(&b) > 0
}

// excelDecoder decodes that dialect: it removes the guards.
type excelDecoder struct{ pipeline.Decoder }

// Decode implements pipeline.Decoder.
func (x excelDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	if err := x.Decoder.Decode(block, b); err != nil {
		return err
	}
	unguard(b)
	return nil
}

// unguard removes the guards of pipeline.GuardCell from the cells of b and returns how
// many there were.
func unguard(b *pipeline.Batch) (n int) {
	for i := range b.Input {
		c := &b.Input[i]
		for row := range c.Len() {
			v := c.Value(row)
			if guard := len(v) - len(pipeline.UnguardCell(v)); guard > 0 {
				c.DropPrefix(row, guard)
				n++
			}
		}
	}
	for i, s := range b.Surplus {
		if cell := string(pipeline.UnguardCell([]byte(s.Cell))); cell != s.Cell {
			b.Surplus[i].Cell = cell
			n++
		}
	}
	return n
}
