package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Table is a table for a terminal. Cells take the columns that a terminal
// gives their characters: none for a combining mark, two for a wide one.
type Table struct {
	Columns []TableColumn
	Rows    [][]string // a cell for each column
}

// TableColumn is a column of a table.
type TableColumn struct {
	Head   string
	Right  bool // aligned
	Shrink bool // may be cut to make the table fit
	width  int
}

// Width returns how wide the column is, once the table is laid out.
func (c *TableColumn) Width() int { return c.width }

// narrowest is how far a column is cut.
const narrowest = 8

// Gap is what stands before each column.
const Gap = "  "

// LayOut sets the width of the columns so that the table is at most total wide,
// if cutting those that may be cut allows that. It returns the width it takes.
func (t *Table) LayOut(total int) int {
	sum := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		c.width = Width(c.Head)
		for _, row := range t.Rows {
			c.width = max(c.width, Width(row[i]))
		}
		sum += c.width + len(Gap)
	}
	for sum > total {
		widest := t.widest()
		if widest == nil {
			break
		}
		widest.width--
		sum--
	}
	return sum
}

// widest returns the widest column that may still be cut.
func (t *Table) widest() (widest *TableColumn) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Shrink && c.width > narrowest && (widest == nil || c.width > widest.width) {
			widest = c
		}
	}
	return widest
}

// Line returns cells as a line of the table.
func (t *Table) Line(cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		c := &t.Columns[i]
		cell = Cut(cell, c.width)
		pad := strings.Repeat(" ", max(c.width-Width(cell), 0))
		b.WriteString(Gap)
		if c.Right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return b.String()
}

// Heads returns the heads of the columns.
func (t *Table) Heads() []string {
	out := make([]string, len(t.Columns))
	for i := range t.Columns {
		out[i] = t.Columns[i].Head
	}
	return out
}

// Columns returns the rows of a table as aligned lines: the first columns to the left,
// the columns from number numbers on to the right.
func Columns(table [][]string, numbers int) []string {
	width := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(table))
	for n, row := range table {
		padded := make([]string, len(row))
		for i, cell := range row {
			fill := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if padded[i] = cell + fill; i >= numbers {
				padded[i] = fill + cell
			}
		}
		lines[n] = strings.TrimRight(strings.Join(padded, "  "), " ")
	}
	return lines
}

// Width returns how many columns of a terminal s takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cut returns s cut to most columns, with an ellipsis for what is left
// out.
func Cut(s string, most int) string {
	if Width(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}
