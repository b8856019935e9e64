package run

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/mappings"
	"flytt/pipeline"
)

// fileRows are the rows of a file on their way through a mapping and the rules of a
// resource.
type fileRows struct {
	session    *session
	input      *input
	binding    *binding
	change     *Change     // what rows do to records; nil: they go to a file
	duplicates *duplicates // nil: rows that are alike are not looked for
	retry      *runs.RetrySelection
	guessed    bool // an earlier run, which these are the rows of, guessed the mapping

	stamped func() *journal.Header // of the run that the keys of rows without one are made for; nil result: it has not begun
	last    func() pipeline.Step   // the step after all others; nil: there is none
}

// newFileRows returns the rows of s.File. Change is what they do to records; nil: they go
// to a file.
func newFileRows(s *session, change *Change) *fileRows {
	in := &input{file: s.spec.File, path: s.spec.File, stdin: s.spec.Stdin, options: s.spec.Input}
	return &fileRows{session: s, input: in, change: change}
}

// prepare finds out all that can be known before a row is read. A copy of standard input
// stays if the run keeps a journal.
func (f *fileRows) prepare() (err error) {
	s := f.session
	if err := s.spec.Input.check(); err != nil {
		return err
	}
	if f.change != nil {
		if err := f.change.check(); err != nil {
			return err
		}
		if f.duplicates, err = parseDuplicates(s.spec.Duplicates); err != nil {
			return err
		}
	}
	if f.binding, err = newBinding(s.spec); err != nil {
		return err
	}
	f.binding.guessed = f.guessed
	s.summary.Resource, f.input.mapping = f.binding.resource.Name, f.binding.mapping
	if f.change != nil && f.input.path == f.input.file { // or an earlier run has done so
		if err := f.input.readTwice(func() (string, error) { return s.copyInput(f.stamped != nil) }); err != nil {
			return err
		}
	}
	return f.open()
}

// open opens the input and binds the mapping, which is guessed if there is none, to its
// columns.
func (f *fileRows) open() error {
	s, in := f.session, f.input
	if err := in.openFirst(); err != nil {
		return err
	}
	s.closers.add(func() error { return in.source.Close() }) // whichever it is by then
	i := in.info
	s.summary.Notes, s.summary.Input = in.notes, &report.Input{
		File: in.file, Format: i.Format, Encoding: i.Encoding, Evidence: i.Evidence, Delimiter: i.Delimiter, HeaderRow: i.HeaderRow, Sheet: i.Sheet,
	}
	columns := in.source.Columns()
	if f.binding.mapping == nil {
		partial := f.change != nil && f.change.Mode == ModeUpdate
		if err := f.binding.guess(columns, partial, s.observer); err != nil {
			return err
		}
	}
	m, err := f.withKey()
	if err != nil {
		return err
	}
	if err := f.binding.compile(columns, m, f.change, s.clock); err != nil {
		return err
	}
	selectColumns(in.source, f.binding.plan)
	return nil
}

// withKey returns the mapping, with the resource's own key if rows are to be stamped.
func (f *fileRows) withKey() (*mappings.Mapping, error) {
	if f.stamped == nil || !f.session.spec.Write.Stamp {
		return f.binding.mapping, nil
	}
	if f.change.Mode == ModeUpdate {
		return nil, advice.Usagef("leave --stamp out", "--stamp gives keys to new records, and --mode update creates none")
	}
	m, err := f.binding.mapping.WithKey(f.binding.resource)
	if err != nil {
		return nil, advice.Usage(err, "leave --stamp out, or that key")
	}
	return m, nil
}

func (f *fileRows) current() pipeline.Source { return f.input.source }

// reopen opens the input anew, to be read from its beginning.
func (f *fileRows) reopen() error {
	if err := f.input.reopen(); err != nil {
		return err
	}
	selectColumns(f.input.source, f.binding.plan)
	return nil
}

// steps makes the steps of one worker.
func (f *fileRows) steps() (steps []pipeline.Step) {
	if f.retry != nil {
		steps = append(steps, f.retry.Step())
	}
	steps = append(steps, f.binding.plan.Step())
	if step := f.stampStep(); step != nil {
		steps = append(steps, step)
	}
	steps = append(steps, f.binding.validator.Step())
	if step := f.duplicates.step(f.binding.plan.Columns()); step != nil {
		steps = append(steps, step)
	}
	if f.last != nil {
		steps = append(steps, f.last())
	}
	return steps
}

// inputs returns the paths of all files that are read.
func (f *fileRows) inputs() []string {
	var paths []string
	for _, path := range []string{f.input.file, f.binding.file} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return append(paths, f.binding.tables()...)
}

func (f *fileRows) execution(t target) *execution {
	return &execution{
		session: f.session, binding: f.binding, source: f, steps: f.steps, target: t, input: f.input.info,
		before: f.findDuplicates, announce: f.announce,
	}
}

// announce tells how the input is read, and what is remarkable about it.
func (f *fileRows) announce() {
	s, i := f.session, f.input.info
	s.log.Debug("input", "format", i.Format, "encoding", i.Encoding, "delimiter", i.Delimiter, "header_row", i.HeaderRow)
	s.observer.Note(InputOpened{f.input.file, i})
	for _, text := range s.summary.Notes {
		s.observer.Note(Remark(text))
	}
}

// stampLength is how many characters of its digest a stamp has: 100 bits, so that
// no two of any number of rows that there will ever be are alike.
const stampLength = 20

var stampDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// stampStep returns the step that writes a key into rows that have none; nil if
// they are not to be stamped, or not yet: what their keys are made of is known
// once the run has begun. The key of a row is the same whoever imports the same
// file for the same tenant, and whenever: flytt- and a digest of the tenant, the
// resource, the digest of the input, the name of its sheet if it has sheets, and the
// number of the row in it. None of them is a value of the row.
func (f *fileRows) stampStep() pipeline.Step {
	if f.stamped == nil || !f.session.spec.Write.Stamp {
		return nil
	}
	h := f.stamped()
	if h == nil {
		return nil
	}
	seed := []byte(h.Customer + "\x00" + h.Resource + "\x00" + h.Input.SHA256 + "\x00")
	if sheet := f.input.info.Sheet; sheet != "" {
		seed = append(seed, sheet+"\x00"...)
	}
	n := len(seed)
	return f.binding.plan.GenerateKeys(f.change.byRecord(), func(out []byte, row int64) []byte {
		seed = strconv.AppendInt(seed[:n], row, 10)
		sum := sha256.Sum256(seed)
		var text [52]byte
		stampDigits.Encode(text[:], sum[:])
		return append(append(out, "flytt-"...), text[:stampLength]...)
	})
}
