package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"flytt/internal/inspect"
	"flytt/internal/text"
)

const (
	usualWidth  = 100 // of a terminal that does not tell, and of a file
	leastWidth  = 60
	samplesRoom = 24 // that samples need to stand on the line of their column
)

func (v *inspector) print(w io.Writer) error {
	var b strings.Builder
	v.printFile(&b)
	v.printSheets(&b)
	v.printColumns(&b, terminalWidth(w))
	v.printNotes(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(width, leastWidth)
		}
	}
	return usualWidth
}

func (v *inspector) printFile(b *strings.Builder) {
	i := v.input.Info
	fmt.Fprintf(b, "%s\n\n", text.Line(v.spec.File))
	say := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-8s %s\n", name, fmt.Sprintf(format, args...))
	}
	if i.Size >= 0 {
		say("format", "%s, %s", formatName(i), text.Size(i.Size))
	} else {
		say("format", "%s", formatName(i))
	}
	if i.Encoding != "" {
		parts := []string{encodingOf(i)}
		if delimited(i) {
			parts = append(parts, cmp.Or(delimiterNames[i.Delimiter], "delimiter "+i.Delimiter))
		}
		if i.LineEnd != "" {
			parts = append(parts, i.LineEnd+" line ends")
		}
		say("text", "%s", strings.Join(parts, ", "))
	}
	if i.Sheet != "" {
		say("sheet", "%s", text.Line(i.Sheet))
	}
	if i.HeaderRow > 0 {
		say("header", "on %s", headerPlace(i))
	}
	say("rows", "%s", v.rowCount())
}

// rowCount says how many rows there are, and how sure that is.
func (v *inspector) rowCount() string {
	r := v.found.Rows
	n := text.Number(r.Count)
	switch {
	case r.Exact:
		return n
	case r.Count < 0:
		return fmt.Sprintf("at least %s; --count counts them", text.Number(r.LookedAt))
	case r.Stated:
		return fmt.Sprintf("about %s, as the sheet says; --count counts them", n)
	}
	return fmt.Sprintf("about %s, judging by the first; --count counts them", n)
}

func (v *inspector) printSheets(b *strings.Builder) {
	if len(v.found.Sheets) < 2 {
		return
	}
	t := &text.Table{Columns: []text.TableColumn{{Head: "#", Right: true}, {Head: "sheet", Shrink: true}, {Head: "rows", Right: true}, {}}}
	for i, s := range v.found.Sheets {
		rows, note := "?", ""
		if s.Rows >= 0 {
			rows = text.Number(s.Rows)
		}
		switch {
		case s.Name == v.input.Info.Sheet:
			note = "is read"
		case s.Hidden:
			note = "hidden"
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(i + 1), text.Line(s.Name), rows, note})
	}
	b.WriteString("\nSheets (--sheet reads another)\n")
	t.LayOut(leastWidth)
	for _, row := range append([][]string{t.Heads()}, t.Rows...) {
		b.WriteString(strings.TrimRight(t.Line(row), " ") + "\n")
	}
}

func (v *inspector) printColumns(b *strings.Builder, width int) {
	of := "of all rows"
	if n := v.found.Rows.LookedAt; !v.found.Rows.Exact || n < v.found.Rows.Count {
		of = fmt.Sprintf("of the first %s rows", text.Number(n))
	}
	fmt.Fprintf(b, "\nColumns, %s\n", of)
	t := &text.Table{Columns: []text.TableColumn{
		{Head: "#", Right: true}, {Head: "column", Shrink: true}, {Head: "field", Shrink: true}, {Head: "kind", Shrink: true},
		{Head: "empty", Right: true}, {Head: "distinct", Right: true}, {Head: "longest", Right: true},
	}}
	for i := range v.found.Columns {
		t.Rows = append(t.Rows, cells(&v.found.Columns[i], i))
	}
	room := width - t.LayOut(width) - len(text.Gap)
	inline := room >= samplesRoom
	head := t.Line(t.Heads())
	if inline {
		head += text.Gap + "looks like"
	}
	b.WriteString(head + "\n")
	indent := strings.Repeat(" ", len(text.Gap)+t.Columns[0].Width()+len(text.Gap))
	for i, row := range t.Rows {
		samples := strings.Join(v.found.Columns[i].Samples, " · ")
		b.WriteString(strings.TrimRight(t.Line(row), " "))
		switch {
		case samples == "":
		case inline:
			b.WriteString(text.Gap + text.Cut(samples, room))
		default:
			b.WriteString("\n" + indent + text.Cut(samples, width-len(indent)))
		}
		b.WriteString("\n")
	}
}

// cells returns the column as a row of the table.
func cells(c *inspect.Column, at int) []string {
	kind := cmp.Or(c.Kind, "-")
	if c.Kind != "" && c.Fits < 1 {
		kind += " " + percent(c.Fits)
	}
	return []string{strconv.Itoa(at + 1), text.Line(c.Name), guessed(c), kind, percent(c.Empty), distinct(c), strconv.Itoa(c.Longest)}
}

// guessed is the field and its score, in brackets if it was not taken.
func guessed(c *inspect.Column) string {
	switch {
	case c.Field == "":
		return "-"
	case c.Used:
		return fmt.Sprintf("%s %.2f", c.Field, c.Score)
	}
	return fmt.Sprintf("(%s %.2f)", c.Field, c.Score)
}

func distinct(c *inspect.Column) string {
	n := text.Number(c.Distinct)
	switch {
	case c.MoreDistinct:
		return "> " + n
	case c.Distinct == c.Values && c.Values > 1:
		return "all " + n
	}
	return n
}

// percent returns a share for people. Nothing but all is 100 %, and nothing but
// none is 0 %.
func percent(share float64) string {
	switch p := 100 * share; {
	case p > 0 && p < 1:
		return "<1 %"
	case p > 99 && p < 100:
		return "99 %"
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

func (v *inspector) printNotes(b *strings.Builder) {
	var notes []string
	for _, n := range v.found.Notes {
		notes = append(notes, text.Line(n))
	}
	for i := range v.found.Problems {
		p := &v.found.Problems[i]
		notes = append(notes, fmt.Sprintf("%s of %s %s (%s)%s", p.Code, text.Number(p.Count),
			text.Plural(p.Count, "row", "rows"), text.Meaning(p.Code), text.Line(p.First())))
	}
	for i := range v.found.Columns {
		if c := &v.found.Columns[i]; c.Field != "" && !c.Used {
			notes = append(notes, fmt.Sprintf("%s is not used for %s: %s", text.Line(c.Name), c.Field, c.Reason))
		}
	}
	if len(v.found.Missing) > 0 {
		notes = append(notes, "no column fits the required "+text.Plural(len(v.found.Missing), "field", "fields")+" "+strings.Join(v.found.Missing, ", "))
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range notes {
		fmt.Fprintf(b, "note: %s\n", n)
	}
}
