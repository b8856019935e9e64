package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"flytt/internal/advice"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// input is the file that a run reads, as often as it needs to.
type input struct {
	file    string // as it was named
	path    string // that is read: file, or a copy of standard input
	stdin   io.Reader
	options Input
	mapping *mappings.Mapping // what it says of the input; nil: nothing
	rejects bool              // it is a rejects file: its rows have the numbers of the input they came from

	was  fs.FileInfo // what the input was when the run first saw it; nil: it has not
	same func() bool // whether an input that was written to since holds what it did; nil: it cannot be told

	source pipeline.Source
	info   *sources.Info
	notes  []string // what a person should know before trusting the rows
}

// Opened is an input that was opened to look at it.
type Opened struct {
	Source pipeline.Source
	Info   *sources.Info
	Notes  []string // what a person should know before trusting the rows
}

// OpenInput opens the file that s names, - being s.Stdin, to look at it. What s does not
// say is detected.
func OpenInput(s *Spec) (*Opened, error) {
	if err := s.Input.check(); err != nil {
		return nil, err
	}
	in := input{file: s.File, path: s.File, stdin: s.Stdin, options: s.Input}
	if err := in.open(); err != nil {
		return nil, err
	}
	return &Opened{in.source, in.info, in.notes}, nil
}

func (in *input) open() (err error) {
	var says mappings.Input
	if in.mapping != nil && !in.rejects {
		says = in.mapping.Input
	}
	o := &in.options
	source, info, err := sources.Open(in.path, &sources.Options{
		Encoding:        cmp.Or(o.Encoding, says.Encoding),
		Delimiter:       cmp.Or(o.Delimiter, says.Delimiter),
		HeaderRow:       cmp.Or(o.HeaderRow, says.HeaderRow),
		Sheet:           cmp.Or(o.Sheet, says.Sheet),
		SkipHidden:      o.SkipHidden,
		OriginalNumbers: in.rejects,
		Stdin:           in.stdin,
		Previous:        in.was,
		SameContent:     in.same,
	})
	if err != nil {
		return in.namedByUser(err)
	}
	in.source, in.info, in.notes = source, info, info.Warnings
	if in.rejects {
		info.CellName = nil // it names cells of the file that is read
	}
	if info.Sheet != "" || info.IsRejectsFile {
		return nil
	}
	switch {
	case o.Sheet != "":
		err = advice.Usagef("leave it out", "--sheet %s: %s is %s, which has no sheets", o.Sheet, in.path, FormatName(info))
		return errors.Join(err, source.Close())
	case says.Sheet != "":
		in.notes = append(in.notes, "the mapping names a sheet, which "+FormatName(info)+" does not have")
	}
	return nil
}

// namedByUser returns err with the name that the user knows the input by, where it is
// about the copy of standard input, which goes with the run.
func (in *input) namedByUser(err error) error {
	var source *sources.Error
	if in.file == "-" && errors.As(err, &source) {
		source.File = "standard input"
	}
	return err
}

// openFirst opens the input for the first time, and holds it to what it is now.
func (in *input) openFirst() error {
	if err := in.open(); err != nil {
		return err
	}
	in.was = in.info.File
	return nil
}

// reopen opens the input anew, to be read from its beginning.
func (in *input) reopen() error {
	if err := in.source.Close(); err != nil {
		return err
	}
	info, notes := in.info, in.notes
	defer func() { in.info, in.notes = info, notes }()
	return in.open()
}

// copyOf opens the input once more, beside the source that there is.
func (in *input) copyOf() (pipeline.Source, error) {
	again := *in
	if err := again.open(); err != nil {
		return nil, err
	}
	return again.source, nil
}

// readTwice sees to it that the input can be read more than once: standard input is
// copied to path, which dir makes the directory of.
func (in *input) readTwice(path func() (string, error)) (err error) {
	if in.file != "-" {
		in.path = in.file
		return Seekable(in.file)
	}
	if in.path, err = path(); err != nil {
		return err
	}
	f, err := os.OpenFile(in.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy of standard input: %w", err)
	}
	if _, err := io.Copy(f, in.stdin); err != nil {
		return errors.Join(fmt.Errorf("copy of standard input: %w", err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("copy of standard input: %w", err)
	}
	return nil
}

// FormatName is the format of an input as a person calls it.
func FormatName(i *sources.Info) string {
	if i.Format == "parquet" {
		return "Parquet"
	}
	return strings.ToUpper(i.Format)
}

// Seekable refuses what is there under the name file and can be read once only: a run
// reads its input more than once, and may be resumed.
func Seekable(file string) error {
	info, err := os.Stat(file)
	if file == "-" || err != nil || info.Mode().IsRegular() || info.IsDir() {
		return nil // what is wrong with it shows when it is read
	}
	return advice.Usagef("- reads standard input, of which the run keeps a copy: command | flytt … -", "%s is a pipe or a device, not a file", file)
}

// selectColumns tells source which columns plan reads.
func selectColumns(source pipeline.Source, plan *mappings.Plan) {
	if s, ok := source.(pipeline.ColumnSelector); ok {
		s.Select(plan.UsedColumns())
	}
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
