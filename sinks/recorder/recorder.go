// Package recorder keeps the row-by-row account of a run in its run directory: what
// was rejected and why, what was written, and which keys lookups did not find.
package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"flytt/internal/guardedcsv"
	"flytt/internal/osfile"
	"flytt/pipeline"
)

// Options says what a Recorder needs to know of the run.
type Options struct {
	Columns   []string                   // the input's columns, in order
	Fields    []pipeline.Field           // the schema's fields
	Tables    []string                   // for each field, the lookup table its value comes from, or ""; may be nil
	Delimiter byte                       // the input's; 0: a semicolon
	Meaning   func(pipeline.Code) string // what is wrong, as a short phrase; called concurrently; nil: the code itself

	// Written says how the file of the rows that the API has is called, and what is
	// said there of those that are Written and Updated; the zero value: see Recorder.
	Written WrittenWords

	// Planned says that nothing is sent: plan.csv has for every row what would become
	// of it, in place of the file of the rows that the API has.
	Planned bool

	// Replace removes what an earlier pass over the same input recorded.
	Replace bool

	// Place names the cell of a row and an input column (Kontakter!F17), or the row
	// if the column is pipeline.None. It is called concurrently. Nil: rows are lines,
	// and their numbers name them.
	Place func(row int64, column int) string
}

// WrittenWords are the words of the file that is called written.csv unless they
// say otherwise.
type WrittenWords struct{ File, Written, Updated string }

// Recorder writes the row-by-row account of a run into its run directory, as
// the run goes:
//
//   - rejects.csv: each rejected row as it stood in the input, its number in the
//     file (_row) and everything that is wrong with it (_errors);
//   - in_doubt.csv: the same of rows that were sent and of which nobody knows
//     whether they arrived;
//   - written.csv: number, key and id of each row that the API has, and whether
//     its record was created or updated;
//   - missing_TABLE.csv: each key that a lookup did not find, and the first row
//     that has it.
//
// They exist only if there is something in them, belong to their owner alone
// (0600), and are what a Swedish Excel opens: UTF-8 with a byte order mark, the
// input's delimiter, CRLF. Cells are guarded as pipeline.GuardCell says, those
// of the header too; pipeline.UnguardCell gives back the original bytes. What is
// in a row beyond the last named column follows _errors, so that nothing is
// lost and nothing shifts.
type Recorder struct {
	dir     string
	dialect *guardedcsv.Dialect
	options Options
	labels  labels
	missing missing

	rejects, inDoubt, written recordFile
	planned                   plannedCounts
}

// New returns a Recorder that writes to dir, which must exist. It is a
// *pipeline.UsageError if the input has only one of the columns that a rejects file is
// known by.
func New(dir string, o Options) (*Recorder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &pipeline.UsageError{Place: dir, Cause: "run directory cannot be used", Err: osfile.Cause(err)}
	}
	for _, name := range []string{pipeline.RowColumn, pipeline.ErrorsColumn} {
		if slices.Contains(o.Columns, name) {
			return nil, &pipeline.UsageError{
				Place: "column " + name, Cause: "the name is reserved",
				Hint: "a rejects file has both " + pipeline.RowColumn + " and " + pipeline.ErrorsColumn + "; remove or rename the column",
			}
		}
	}
	if o.Written == (WrittenWords{}) {
		o.Written = WrittenWords{"written", "created", "updated"}
	}
	if o.Delimiter == 0 {
		o.Delimiter = ';'
	}
	r := &Recorder{dir: dir, dialect: guardedcsv.New(o.Delimiter, "\r\n"), options: o, labels: newLabels(&o)}
	whole := r.head(append(slices.Clone(o.Columns), pipeline.RowColumn, pipeline.ErrorsColumn))
	r.rejects = recordFile{name: "rejects", path: filepath.Join(dir, "rejects.csv"), head: whole}
	r.inDoubt = recordFile{name: "in_doubt", path: filepath.Join(dir, "in_doubt.csv"), head: whole}
	r.written = recordFile{name: o.Written.File, path: filepath.Join(dir, o.Written.File+".csv"), head: r.head([]string{"row", "key", "id", "change"})}
	if o.Planned {
		r.written = recordFile{name: "rows", path: filepath.Join(dir, "plan.csv"), head: r.head(planColumns)}
	}
	r.missing.init(r)
	if o.Replace {
		return r, r.removeFiles()
	}
	return r, nil
}

// removeFiles removes the files of a Recorder before this.
func (r *Recorder) removeFiles() error {
	for _, f := range r.files() {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: remove: %w", f.path, osfile.Cause(err))
		}
	}
	return nil
}

func (r *Recorder) head(names []string) []byte {
	head := []byte(guardedcsv.ByteOrderMark)
	for i, name := range names {
		if i > 0 {
			head = append(head, r.dialect.Delimiter)
		}
		head = r.dialect.AppendGuarded(head, []byte(name))
	}
	return append(head, r.dialect.End...)
}

// Render appends the settled rows of c to out. It may be called concurrently.
func (r *Recorder) Render(c *pipeline.Chunk, out *pipeline.Record) {
	problems, surplus := c.Problems, c.Surplus
	for row, fate := range c.Fates {
		var mine []pipeline.Problem
		var beyond []pipeline.Surplus
		mine, problems = takeProblems(problems, int32(row))
		beyond, surplus = takeSurplus(surplus, int32(row))
		if len(mine) > 0 {
			out.Missing = r.missing.render(out.Missing, mine, c.Rows[row])
		}
		if r.options.Planned {
			out.Written = r.appendPlanned(out.Written, c, row, mine)
		}
		switch {
		case fate == pipeline.Rejected, fate == pipeline.Broken:
			out.Rejects = r.appendRow(out.Rejects, c, row, mine, beyond)
		case fate == pipeline.InDoubt:
			out.InDoubt = r.appendRow(out.InDoubt, c, row, mine, beyond)
		case r.options.Planned: // it stands in plan.csv
		case fate == pipeline.Written:
			out.Written = r.appendWritten(out.Written, c, row, r.options.Written.Written)
		case fate == pipeline.Updated:
			out.Written = r.appendWritten(out.Written, c, row, r.options.Written.Updated)
		}
	}
}

// takeProblems splits problems, which are sorted, into those of row and the
// rest. What comes before row, those of no row at all, is dropped.
func takeProblems(problems []pipeline.Problem, row int32) (mine, rest []pipeline.Problem) {
	for len(problems) > 0 && problems[0].Row < row {
		problems = problems[1:]
	}
	n := 0
	for n < len(problems) && problems[n].Row == row {
		n++
	}
	return problems[:n], problems[n:]
}

func takeSurplus(surplus []pipeline.Surplus, row int32) (mine, rest []pipeline.Surplus) {
	n := 0
	for n < len(surplus) && surplus[n].Row == row {
		n++
	}
	return surplus[:n], surplus[n:]
}

// appendRow appends row as it stood in the input, and what is wrong with it.
func (r *Recorder) appendRow(dst []byte, c *pipeline.Chunk, row int, problems []pipeline.Problem, beyond []pipeline.Surplus) []byte {
	d := r.dialect
	for i := range c.Input {
		dst = d.AppendGuarded(dst, c.Input[i].Value(row))
		dst = append(dst, d.Delimiter)
	}
	dst = strconv.AppendInt(dst, c.Rows[row], 10)
	dst = append(dst, d.Delimiter)
	dst = r.appendErrors(dst, c, row, problems)
	for _, s := range beyond {
		dst = append(dst, d.Delimiter)
		dst = d.AppendGuarded(dst, []byte(s.Cell))
	}
	return append(dst, d.End...)
}

func (r *Recorder) appendWritten(dst []byte, c *pipeline.Chunk, row int, change string) []byte {
	d := r.dialect
	dst = strconv.AppendInt(dst, c.Rows[row], 10)
	dst = append(dst, d.Delimiter)
	if c.Keys.Len() > row {
		dst = d.AppendGuarded(dst, c.Keys.Value(row))
	}
	dst = append(dst, d.Delimiter)
	if c.IDs.Len() > row {
		dst = d.AppendGuarded(dst, c.IDs.Value(row))
	}
	dst = append(dst, d.Delimiter)
	dst = append(dst, change...)
	return append(dst, d.End...)
}

// Append writes out, in input order.
func (r *Recorder) Append(out *pipeline.Record) error {
	for _, part := range []struct {
		file *recordFile
		data []byte
	}{{&r.rejects, out.Rejects}, {&r.inDoubt, out.InDoubt}, {&r.written, out.Written}} {
		if err := part.file.write(part.data); err != nil {
			return err
		}
	}
	return r.missing.write(out.Missing)
}

// Close makes the files durable. It is to be called once, after all use.
func (r *Recorder) Close() error {
	errs := []error{r.missing.finish()}
	for _, f := range r.files() {
		errs = append(errs, f.close())
	}
	if len(r.Files()) > 0 {
		if err := osfile.SyncDirectory(r.dir); err != nil {
			errs = append(errs, fmt.Errorf("%s: sync: %w", r.dir, err))
		}
	}
	return errors.Join(errs...)
}

// Files returns the absolute paths of the files that exist, by what the summary
// calls them: rejects, in_doubt, written, missing_TABLE.
func (r *Recorder) Files() map[string]string {
	out := map[string]string{}
	for _, f := range r.files() {
		if f.exists {
			out[f.name] = f.path
		}
	}
	return out
}

func (r *Recorder) files() []*recordFile {
	out := []*recordFile{&r.rejects, &r.inDoubt, &r.written}
	for i := range r.missing.tables {
		out = append(out, &r.missing.tables[i].recordFile)
	}
	return out
}

// recordFile is a file of the run directory, created when there is something to
// write. Every write holds whole rows and goes to the system at once, so that
// a run that is killed leaves what it had found.
type recordFile struct {
	name   string
	path   string
	head   []byte
	file   *os.File
	exists bool
}

func (f *recordFile) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if f.file == nil {
		if err := f.create(); err != nil {
			return err
		}
	}
	if _, err := f.file.Write(data); err != nil {
		return fmt.Errorf("%s: write: %w", f.path, osfile.Cause(err))
	}
	return nil
}

func (f *recordFile) create() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%s: create: %w", f.path, osfile.Cause(err))
	}
	f.file, f.exists = file, true
	return f.write(f.head)
}

func (f *recordFile) close() error {
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	if err := file.Sync(); err != nil {
		return errors.Join(fmt.Errorf("%s: sync: %w", f.path, osfile.Cause(err)), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("%s: close: %w", f.path, osfile.Cause(err))
	}
	return nil
}
