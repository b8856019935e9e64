package run

import (
	"context"

	"flytt/internal/advice"
	"flytt/internal/journal"
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

	stamped func() *journal.Header // of the run that the keys of rows without one are made for; nil result: it has not begun
	last    func() pipeline.Step   // the step after all others; nil: there is none
}

// toFile are the rows of a run that goes from file to file.
func toFile(s *session) (*fileRows, error) {
	f := &fileRows{session: s, input: newInput(s.spec)}
	if err := s.spec.Input.check(); err != nil {
		return nil, err
	}
	if err := f.bind(); err != nil {
		return nil, err
	}
	return f, f.open()
}

// toRecords are the rows of a run that sends them to the API, or says what that would do.
func toRecords(s *session) (_ *fileRows, err error) {
	f := newRecordRows(s)
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := f.bind(); err != nil {
		return nil, err
	}
	if err := f.readTwice(); err != nil {
		return nil, err
	}
	return f, f.open()
}

func newInput(s *Spec) *input {
	return &input{file: s.File, path: s.File, stdin: s.Stdin, options: s.Input}
}

func newRecordRows(s *session) *fileRows {
	return &fileRows{session: s, input: newInput(s.spec), change: &s.spec.Change}
}

// check reports what cannot be meant, before anything is read.
func (f *fileRows) check() (err error) {
	s := f.session.spec
	if err := s.Input.check(); err != nil {
		return err
	}
	if err := s.Change.check(); err != nil {
		return err
	}
	f.duplicates, err = parseDuplicates(s.Duplicates)
	return err
}

// bind reads the mapping and finds the resource.
func (f *fileRows) bind() (err error) {
	if f.binding, err = newBinding(f.session.spec); err != nil {
		return err
	}
	f.session.summary.Resource = f.binding.resource.Name
	f.input.mapping = f.binding.mapping
	return nil
}

// readTwice sees to it that the input can be read more than once. A copy of standard
// input stays if the run keeps a journal.
func (f *fileRows) readTwice() error {
	return f.input.readTwice(func() (string, error) { return f.session.copyInput(f.stamped != nil) })
}

// open opens the input and binds the mapping, which is guessed if there is none, to its
// columns.
func (f *fileRows) open() error {
	s, in := f.session, f.input
	if err := in.openFirst(); err != nil {
		return err
	}
	s.closers.add(func() error { return in.source.Close() }) // whichever it is by then
	s.summary.Notes, s.summary.Input = in.notes, inputOf(in.file, in.info)
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
		return nil, advice.Usagef("leave --stamp out", "--stamp makes keys of new records, and --mode update makes none")
	}
	m, err := f.binding.mapping.WithKey(f.binding.resource)
	if err != nil {
		return nil, advice.Usage(err, "leave --stamp out, or that key")
	}
	return m, nil
}

// current returns where the rows come from.
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

// execution returns the run of the rows to t.
func (f *fileRows) execution(t target) *execution {
	return &execution{
		session: f.session, binding: f.binding, source: f, steps: f.steps, target: t, input: f.input.info,
		announce: func() { f.session.noteInput(f.input.file, f.input.info) },
	}
}

// run finds rows that are alike, and does e.
func (f *fileRows) run(ctx context.Context, e *execution) (*Result, error) {
	if err := f.findDuplicates(ctx); err != nil {
		return nil, f.session.discard(err)
	}
	return e.run(ctx)
}
