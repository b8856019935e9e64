package sinks

import (
	"strconv"
	"unicode/utf8"

	"flytt/pipeline"
)

// What a sheet starts with. The first one is the one that is shown.
const (
	xlsxSheetOpening     = xmlDeclaration + worksheetStart + `<sheetView tabSelected="1" workbookViewId="0">`
	xlsxNextSheetOpening = xmlDeclaration + worksheetStart + `<sheetView workbookViewId="0">`

	worksheetStart = `<worksheet xmlns="` + mainNamespace + `">` +
		`<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews>`
	frozenHeader = `<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>` +
		`<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>` +
		`<sheetFormatPr defaultRowHeight="15"/>`
)

// appendSheetHead appends what follows the opening of a sheet up to its first
// row of data: how it is looked at, the columns with their widths, and the
// header. The elements of a sheet have an order (ECMA-376, part 1, 18.3.1.99).
func (x *xlsxEncoder) appendSheetHead(dst []byte, widths []int) []byte {
	dst = append(dst, frozenHeader...)
	dst = append(dst, "<cols>"...)
	for i, f := range x.schema.Fields {
		dst = append(dst, `<col min="`...)
		dst = strconv.AppendInt(dst, int64(i+1), 10)
		dst = append(dst, `" max="`...)
		dst = strconv.AppendInt(dst, int64(i+1), 10)
		dst = append(dst, `" width="`...)
		dst = strconv.AppendInt(dst, int64(widths[i]), 10)
		dst = append(dst, `" style="`...)
		dst = append(dst, columnStyle(f.Type))
		dst = append(dst, `" customWidth="1"/>`...)
	}
	return x.appendHeader(append(dst, "</cols><sheetData>"...))
}

// columnStyle returns the style of what is typed into a column below the rows:
// text stays text.
func columnStyle(t pipeline.Type) byte {
	switch t {
	case pipeline.Integer:
		return '2'
	case pipeline.Date:
		return '3'
	case pipeline.DateTime:
		return '4'
	case pipeline.Number:
		return '5'
	case pipeline.Boolean:
		return '6'
	}
	return '1'
}

// appendSheetTail appends what follows the last row of a sheet: the filter, how
// it is printed (A4, as wide as the page), and that a number kept as text is no
// mistake.
func appendSheetTail(dst []byte, e xlsxExtent) []byte {
	dst = append(dst, `</sheetData><autoFilter ref="`...)
	dst = append(dst, e.ref()...)
	dst = append(dst, `"/><pageMargins left="0.5" right="0.5" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>`+
		`<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>`+
		`<headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter></headerFooter>`+
		`<ignoredErrors><ignoredError sqref="`...)
	dst = append(dst, e.ref()...)
	return append(dst, `" twoDigitTextYear="1" numberStoredAsText="1"/></ignoredErrors></worksheet>`...)
}

// xlsxExtent is the cells that a sheet fills, its header among them.
type xlsxExtent struct{ columns, rows int }

// ref returns the extent as a sheet names it: A1:K17.
func (e xlsxExtent) ref() string {
	return "A1:" + columnName(e.columns) + strconv.Itoa(e.rows)
}

// columnName returns the name of a column, of which the first is 1: A.
func columnName(n int) string {
	name := ""
	for ; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

const (
	widthRows = 1000 // so many rows say how wide a column is
	minWidth  = 8
	maxWidth  = 60
	cellRoom  = 2 // around a text
	arrowRoom = 4 // around a name, with the arrow of the filter
)

// xlsxWidths returns how many characters wide each column is to be, for its
// name and the first pending rows of b.
func xlsxWidths(schema *pipeline.Schema, b *pipeline.Batch) []int {
	widths := make([]int, len(schema.Fields))
	for i, f := range schema.Fields {
		width := textWidth([]byte(f.Name)) + arrowRoom
		if i < len(b.Fields) {
			width = max(width, columnWidth(b, i, f.Type)+cellRoom)
		}
		widths[i] = min(max(width, minWidth), maxWidth)
	}
	return widths
}

// columnWidth returns the width of the widest of the first pending values of a
// field.
func columnWidth(b *pipeline.Batch, field int, t pipeline.Type) int {
	width, rows := 0, 0
	for row, fate := range b.Fates {
		if fate != pipeline.Pending {
			continue
		}
		if rows++; rows > widthRows || width >= maxWidth {
			break
		}
		width = max(width, textWidth(b.Fields[field].Value(row)))
	}
	if t == pipeline.DateTime {
		width = min(width, len("2006-01-02 15:04:05"))
	}
	return width
}

// textWidth returns how wide the widest line of v is: one for each character,
// two for those that East Asian scripts write wide, and no more than maxWidth.
func textWidth(v []byte) int {
	widest, width := 0, 0
	for len(v) > 0 && width < maxWidth {
		r, size := utf8.DecodeRune(v)
		v = v[size:]
		switch {
		case r == '\n':
			width = 0
			continue
		case r >= 0x1100 && (r < 0x1160 || r >= 0x2E80):
			width += 2
		default:
			width++
		}
		widest = max(widest, width)
	}
	return min(widest, maxWidth)
}
