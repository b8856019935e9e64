package main

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// textTable is a table for a terminal. Cells take the columns that a terminal
// gives their characters: none for a combining mark, two for a wide one.
type textTable struct {
	columns []textColumn
	rows    [][]string
}

type textColumn struct {
	head   string
	right  bool // aligned
	shrink bool // may be cut to make the table fit
	width  int
}

// narrowest is how far a column is cut.
const narrowest = 8

// gap is what stands between two columns.
const gap = "  "

// layOut sets the width of the columns so that the table is at most total wide,
// if cutting those that may be cut allows that. It returns the width it takes.
func (t *textTable) layOut(total int) int {
	sum := 0
	for i := range t.columns {
		c := &t.columns[i]
		c.width = displayWidth(c.head)
		for _, row := range t.rows {
			c.width = max(c.width, displayWidth(row[i]))
		}
		sum += c.width + len(gap)
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
func (t *textTable) widest() (widest *textColumn) {
	for i := range t.columns {
		c := &t.columns[i]
		if c.shrink && c.width > narrowest && (widest == nil || c.width > widest.width) {
			widest = c
		}
	}
	return widest
}

// line returns cells as a line of the table.
func (t *textTable) line(cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		c := &t.columns[i]
		cell = cutWidth(cell, c.width)
		pad := strings.Repeat(" ", max(c.width-displayWidth(cell), 0))
		b.WriteString(gap)
		if c.right {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return b.String()
}

// heads returns the heads of the columns.
func (t *textTable) heads() []string {
	out := make([]string, len(t.columns))
	for i := range t.columns {
		out[i] = t.columns[i].head
	}
	return out
}

// displayWidth returns how many columns of a terminal s takes.
func displayWidth(s string) int {
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

// cutWidth returns s cut to most columns, with an ellipsis for what is left
// out.
func cutWidth(s string, most int) string {
	if displayWidth(s) <= most {
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
