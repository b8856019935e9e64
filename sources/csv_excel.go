package sources

import (
	"bytes"

	"flytt/pipeline"
)

// inExcelDialect reports whether a text that is no rejects file is in the dialect of
// CSV for Excel, which flytt writes and Excel keeps when it saves CSV UTF-8: it has a
// byte order mark, and semicolons between its cells, if it has more than one column.
// A spreadsheet never saves the apostrophe that tells it that a cell is text. So one
// before what pipeline.GuardCell guards was put there by flytt, or by a tool like it.
func inExcelDialect(marked bool, g grammar, o *Options) bool {
	return marked && (g.delimiter == ';' || g.delimiter == g.eol && o.Delimiter == "")
}

// excelNote says of a text in that dialect that guards are taken off; nothing if all
// of it has been seen, and there are none.
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

// guardsIn reports whether the rows in text, which it leaves alone, have guards.
func (s *csvSource) guardsIn(text []byte) bool {
	if bytes.IndexByte(text, '\'') < 0 {
		return false
	}
	text, _ = s.layout.grammar.terminate(bytes.Clone(text))
	block := pipeline.Block{Data: text[:s.layout.grammar.scan(text).end]}
	var b pipeline.Batch
	return newDecoder(&s.layout).Decode(&block, &b) == nil && unguard(&b) > 0
}

// excelDecoder decodes that dialect: it takes the guards off.
type excelDecoder struct{ pipeline.Decoder }

// Decode implements pipeline.Decoder.
func (x excelDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	if err := x.Decoder.Decode(block, b); err != nil {
		return err
	}
	unguard(b)
	return nil
}

// unguard takes the guards off the cells of b that keep them safe in a
// spreadsheet, see pipeline.GuardCell, and returns how many there were.
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
