package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"flytt/internal/advice"
	"flytt/internal/inspect"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
)

// inspector is one run of inspect.
type inspector struct {
	app        *app
	spec       run.Spec
	json       bool
	noProgress bool
	count      bool
	showValues bool

	started time.Time
	input   *run.Opened
	found   *inspect.Report
}

func inspectCommand(a *app) *cobra.Command {
	v := &inspector{app: a, spec: run.Defaults()}
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a file holds: its format, its columns and what is in them",
		Long: `inspect reads FILE (- is standard input) and shows its format and encoding. For
each column it shows the field that the header matches, with a score from 0 to 1;
the kind of its values, and how many are of that kind; how many cells are empty;
how many values are distinct; the length of the longest; and the most frequent
values, masked: letters as a and A, digits as 9.

It looks into the first rows only, which is quick at any size; --count reads the
whole file. No value of a row is shown without --show-values.`,
		Example: `  flytt inspect kontakter.csv
  flytt inspect register.xlsx --sheet Kontakter
  flytt inspect register.csv.gz --count --json`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			v.spec.File = args[0]
			return v.run(c.Context())
		},
	}
	addInputFlags(c, &v.spec.Input)
	s := c.Flags()
	s.StringVar(&v.spec.Resource, "resource", "", "`NAME` of the resource whose fields to guess (default: the only one there is)")
	s.StringVar(&v.spec.Profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	s.BoolVar(&v.count, "count", false, "read the whole file: the number of rows is exact, and columns are described over all rows")
	s.BoolVar(&v.showValues, "show-values", false, "show values as they are")
	s.BoolVar(&v.json, "json", false, "print what was found as one JSON object")
	s.BoolVar(&v.noProgress, "no-progress", false, "show no progress bar")
	return c
}

func (v *inspector) run(ctx context.Context) (err error) {
	v.started = time.Now()
	resource, err := v.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.input.Source.Close()) }()
	if err := v.inspect(ctx, resource); err != nil {
		return err
	}
	if v.json {
		return v.app.printJSON(v.found)
	}
	if err := v.print(v.app.stdout); err != nil {
		return stdoutError(err)
	}
	v.app.sayNext(v.next())
	return nil
}

// prepare opens the file, and returns the resource whose fields to guess; nil if it is not
// known.
func (v *inspector) prepare() (resource *mappings.Resource, err error) {
	if err := v.app.complete(&v.spec); err != nil {
		return nil, err
	}
	if name := cmp.Or(v.spec.Resource, v.spec.Settings.Resource); name != "" || len(mappings.Resources()) == 1 {
		if resource, err = run.ResourceCalled(name); err != nil {
			return nil, err
		}
	}
	v.input, err = run.OpenInput(&v.spec)
	return resource, err
}

// inspect looks into the file, with a bar where somebody sees it while all of it is read.
func (v *inspector) inspect(ctx context.Context, resource *mappings.Resource) (err error) {
	in := v.input
	o := inspect.Options{Source: in.Source, Info: in.Info, Resource: resource, Whole: v.count, Values: v.showValues, Today: v.started}
	var shown *bar // once there is something to show
	if isTerminal(v.app.stderr) && !v.noProgress {
		o.Progress = func(p pipeline.Progress) {
			if shown == nil {
				shown = newBar(&screen{w: v.app.stderr}, in.Info.Size)
			}
			shown.update(run.Progress{Progress: p, Started: v.started})
		}
	}
	v.found, err = inspect.Inspect(ctx, o)
	if shown != nil {
		shown.done()
	}
	if err != nil {
		return err
	}
	v.found.Verb, v.found.File = "inspect", v.spec.File
	v.found.Notes = append(v.found.Notes, in.Notes...)
	v.found.Seconds = float64(time.Since(v.started).Milliseconds()) / 1000
	return nil
}

// next says what to do next: see which rows are wrong, with a mapping of one's own where
// the headers do not tell enough.
func (v *inspector) next() advice.Step {
	only := run.Spec{Resource: v.spec.Resource, Profile: v.spec.Profile, Input: v.spec.Input}
	c := advice.Command{Verb: "validate", File: v.spec.File, Args: only.Args(run.MeaningFlag, run.InputFlag)}
	if len(v.found.Missing) == 0 {
		return advice.Step{Command: c}
	}
	c.Args = append(c.Args, "-m", "mapping.yaml")
	return advice.Step{Before: advice.Task{Name: advice.MapRequiredColumns}, Command: c}
}

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
