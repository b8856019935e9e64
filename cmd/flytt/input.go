package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/report"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// inputOptions are the flags that say how a file is read.
type inputOptions struct {
	encoding   string
	delimiter  string
	headerRow  int
	sheet      string
	skipHidden bool
	origin     bool // of a rejects file: its rows have the numbers of the input they came from

	was  fs.FileInfo // what the input was when the run first saw it; nil: it has not
	same func() bool // whether an input that was written to since holds what it did; nil: nobody can tell
}

func (o *inputOptions) addFlags(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&o.encoding, "encoding", "", "text encoding `NAME` (default: detected)")
	s.StringVarP(&o.delimiter, "delimiter", "d", "", "`CHAR` between cells, or tab (default: detected)")
	s.IntVar(&o.headerRow, "header-row", 0, "`LINE` or sheet row of the header (default: detected)")
	s.StringVar(&o.sheet, "sheet", "", "sheet of a workbook, by `NAME` or number from 1, -1 being the last (default: the first that shows)")
	s.BoolVar(&o.skipHidden, "skip-hidden", false, "leave hidden rows of a sheet out")
}

func (o *inputOptions) check() error {
	if o.headerRow < 0 {
		return usagef("lines are counted from 1", "--header-row cannot be below 0")
	}
	return nil
}

// open opens file. What the flags do not say the mapping, which may be nil,
// says, and what neither says is detected. Notes are what a person should know
// before trusting the rows.
func (o *inputOptions) open(file string, m *mappings.Mapping, stdin io.Reader) (source pipeline.Source, info *sources.Info, notes []string, err error) {
	var in mappings.Input
	if m != nil && !o.origin {
		in = m.Input
	}
	source, info, err = sources.Open(file, &sources.Options{
		Encoding:        cmp.Or(o.encoding, in.Encoding),
		Delimiter:       cmp.Or(o.delimiter, in.Delimiter),
		HeaderRow:       cmp.Or(o.headerRow, in.HeaderRow),
		Sheet:           cmp.Or(o.sheet, in.Sheet),
		SkipHidden:      o.skipHidden,
		OriginalNumbers: o.origin,
		Stdin:           stdin,
		Previous:        o.was,
		SameContent:     o.same,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if notes = info.Warnings; o.origin {
		info.CellName = nil // it names cells of the file that is read
	}
	if info.Sheet != "" || info.IsRejectsFile {
		return source, info, notes, nil
	}
	switch {
	case o.sheet != "":
		err = usagef("leave it out", "--sheet %s: %s is %s, which has no sheets", o.sheet, file, shortName(info))
		return nil, nil, nil, errors.Join(err, source.Close())
	case in.Sheet != "":
		notes = append(notes, "the mapping names a sheet, which "+shortName(info)+" does not have")
	}
	return source, info, notes, nil
}

// seekable refuses what is there under the name file and can be read once only: a run
// reads its input more than once, and may be gone on with.
func seekable(file string) error {
	info, err := os.Stat(file)
	if file == "-" || err != nil || info.Mode().IsRegular() || info.IsDir() {
		return nil // what is wrong with it shows when it is read
	}
	return usagef("- reads standard input, of which the run keeps a copy: command | flytt … -", "%s is a pipe or a device, not a file", file)
}

// findInput finds what is read: the file, or, where the run can be gone on with, a
// copy of standard input.
func (j *job) findInput() error {
	switch {
	case j.input != "": // of the run that is gone on with
	case j.file == "-" && (j.writing != nil || j.duplicates != nil): // it is read more than once
		return j.spool()
	case j.writing != nil || j.duplicates != nil:
		j.input = j.file
		return seekable(j.file)
	default:
		j.input = j.file
	}
	return nil
}

// openSource opens the input of the run.
func (j *job) openSource() (err error) {
	if err := j.findInput(); err != nil {
		return err
	}
	j.flags.same = j.sameContent
	if j.source, j.info, j.summary.Notes, err = j.flags.inputOptions.open(j.input, j.mapping, j.stdin); err != nil {
		var source *sources.Error
		if j.file == "-" && errors.As(err, &source) {
			source.File = "standard input" // and not its copy, which goes with the run
		}
		return err
	}
	j.closers = append(j.closers, func() error { return j.source.Close() }) // whichever it is by then
	i := j.info
	j.flags.was = i.File
	j.summary.Input = &report.Input{
		File: j.file, Format: i.Format, Encoding: i.Encoding, Evidence: i.Evidence,
		Delimiter: i.Delimiter, HeaderRow: i.HeaderRow, Sheet: i.Sheet,
	}
	return nil
}

// place names the cell that a field of a row comes from, or the row if it comes
// from no single one.
func (j *job) place(field string, row int64) string {
	column := pipeline.None
	if i := j.plan.Schema().Index(field); i >= 0 {
		column = int(j.plan.Columns()[i])
	}
	return cellNames(j.info)(row, column)
}

// cellNames returns what messages call a cell, or the row of column
// pipeline.None: in a sheet what Excel does; elsewhere the row, for messages
// name the column themselves. It is nil where rows are lines.
func cellNames(i *sources.Info) func(row int64, column int) string {
	if i.CellName == nil || i.Sheet != "" {
		return i.CellName
	}
	return func(row int64, _ int) string { return i.CellName(row, pipeline.None) }
}

// delimiterNames has the usual delimiters as a person calls them.
var delimiterNames = map[string]string{";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars", "": "a single column"}

// describe says how an input is read.
func describe(i *sources.Info) string {
	parts := []string{formatName(i)}
	if i.Sheet != "" {
		parts = append(parts, "sheet "+i.Sheet)
	}
	if i.Encoding != "" {
		parts = append(parts, encodingOf(i))
	}
	if delimited(i) {
		parts = append(parts, cmp.Or(delimiterNames[i.Delimiter], "delimiter "+i.Delimiter))
	}
	if i.HeaderRow > 0 {
		parts = append(parts, "header on "+headerPlace(i))
	}
	return strings.Join(parts, ", ")
}

// formatName is the format as a person calls it, and how it is compressed.
func formatName(i *sources.Info) string {
	name := shortName(i)
	if i.IsRejectsFile {
		name = "rejects file of flytt"
	}
	if i.Compression != "" {
		name += " in " + i.Compression
	}
	return name
}

// shortName is the format alone.
func shortName(i *sources.Info) string {
	if i.Format == "parquet" {
		return "Parquet"
	}
	return strings.ToUpper(i.Format)
}

func encodingOf(i *sources.Info) string {
	if i.Evidence == "" {
		return i.Encoding
	}
	return i.Encoding + " (" + i.Evidence + ")"
}

// delimited reports whether something stands between the cells of the input.
func delimited(i *sources.Info) bool { return i.Format == "csv" }

// headerPlace names the row that the header is on.
func headerPlace(i *sources.Info) string {
	if i.Sheet != "" {
		return fmt.Sprintf("row %d", i.HeaderRow)
	}
	return fmt.Sprintf("line %d", i.HeaderRow)
}
