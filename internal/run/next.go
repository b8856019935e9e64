package run

import (
	"errors"
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/pipeline"
	"flytt/sinks/bulk"
	"flytt/sources"
)

// sameCommand is the command that was given, with more arguments, in another run
// directory.
func sameCommand(more ...string) advice.Command {
	return advice.Command{Same: true, NewDir: true, Args: more}
}

// resumeCommand is the command that resumes the run, with more arguments.
func (s *session) resumeCommand(more ...string) advice.Command {
	return resumeCommand(s.name(), s.spec, more...)
}

// resumeCommand is the command that resumes the run called name, with more arguments.
func resumeCommand(name string, s *Spec, more ...string) advice.Command {
	c := advice.Command{Verb: "resume", Run: name}
	if s.Earlier.Input != "" {
		c.Args = append(c.Args, "--input", s.Earlier.Input)
	}
	c.Args = append(c.Args, more...)
	return c
}

// showCommand is the command that shows the run called name.
func showCommand(name string) advice.Command {
	return advice.Command{Verb: "runs show", Run: name}
}

// nextOfFailure says what to do after a run that wrote nothing to the API and failed.
func (s *session) nextOfFailure(end *ending) advice.Step {
	file := s.spec.File
	switch {
	case errors.Is(end.err, pipeline.ErrMaxRejects):
		return advice.Step{Before: advice.Task{Name: advice.FixMappingReasons, File: file}, Command: sameCommand()}
	case errors.Is(end.err, sources.ErrChanged):
		return advice.Step{Before: advice.Task{Name: advice.LeaveFileAlone, File: file}, Command: sameCommand()}
	case isUnreadable(end.err):
		return advice.Step{Before: advice.Task{Name: advice.FixFile, File: file}, Command: sameCommand()}
	}
	return advice.Step{Command: sameCommand()}
}

// isUnreadable reports whether err is about the input itself.
func isUnreadable(err error) bool {
	var source *sources.Error
	return errors.As(err, &source)
}

// nextOfValidate says what to do after rows were validated.
func (f *fileRows) nextOfValidate(end *ending) advice.Step {
	s := f.session.spec
	switch {
	case end.err != nil:
		return f.session.nextOfFailure(end)
	case end.summary.Rows.Read == 0:
		return advice.Step{}
	case end.summary.Files["rejects"] != "":
		return advice.Step{Before: advice.Task{Name: advice.FixRowsInFile, File: s.File}, Command: sameCommand()}
	}
	return advice.Step{Command: advice.Command{Verb: "import", File: s.File, Args: s.Args(MeaningFlag, InputFlag, TargetFlag)}}
}

// nextOfConvert says what to do after rows were converted. The rejects file needs no flags
// of the input: it is in a dialect of its own.
func (f *fileRows) nextOfConvert(end *ending) advice.Step {
	s, rejects := f.session.spec, end.summary.Files["rejects"]
	switch {
	case end.err != nil:
		return f.session.nextOfFailure(end)
	case end.summary.Rows.Read == 0, rejects == "":
		return advice.Step{}
	}
	out := "-"
	if s.Output.Path != "-" {
		out = "fixed" + filepath.Ext(s.Output.Path)
	}
	return advice.Step{Before: advice.Task{Name: advice.FixRejects}, Command: advice.Command{
		Verb: "convert", File: rejects, Args: append(s.Args(MeaningFlag, TargetFlag), "-o", out),
	}}
}

// afterWriting says what to do after a run that speaks to the API.
type afterWriting struct{ remote *remote }

// nextOfImport says what to do after rows were written to the API.
func (a afterWriting) nextOfImport(end *ending) advice.Step {
	s, rejects := a.remote.session, end.summary.Files["rejects"]
	switch {
	case end.err != nil || end.summary.Rows.InDoubt > 0:
		return a.nextOfWriting(end)
	case end.summary.Rows.Read == 0, rejects == "":
		return advice.Step{}
	}
	before := advice.Task{Name: advice.FixRejects}
	for _, file := range a.remote.backups.Files {
		if file.Name == "rejects" && file.Edited {
			before = advice.Task{Name: advice.FixRejectsAgain, File: filepath.Base(file.Path)}
		}
	}
	return advice.Step{Before: before, Command: advice.Command{Verb: "retry", Run: s.name(), File: rejects}}
}

// nextOfUndo says what to do after a run was undone.
func (a afterWriting) nextOfUndo(end *ending) advice.Step {
	switch {
	case end.err == nil && end.summary.Rows.InDoubt == 0:
		return advice.Step{}
	case end.err == nil && !a.remote.engine.Resolvable() && a.parentSettles():
		return a.nextOfDoubtful()
	}
	return a.nextOfWriting(end)
}

// nextOfWriting says what to do after a run that wrote to the API and did not
// get through, or left rows in doubt.
func (a afterWriting) nextOfWriting(end *ending) advice.Step {
	s, err := a.remote.session, end.err
	rows, file := &end.summary.Rows, a.remote.rows.input.file
	nothing := rows.Written+rows.InDoubt == 0
	switch {
	case errors.Is(err, sources.ErrChanged) && nothing:
		return advice.Step{Before: advice.Task{Name: advice.LeaveFileAlone, File: file}, Command: sameCommand()}
	case errors.Is(err, sources.ErrChanged):
		return advice.Step{Before: advice.Task{Name: advice.RestoreFile, File: file}, Command: s.resumeCommand()}
	case err != nil && nothing && (isUnreadable(err) || errors.Is(err, pipeline.ErrMaxRejects)):
		return a.nextAnew(advice.Task{Name: advice.FixMapping, File: file})
	case errors.Is(err, pipeline.ErrMaxRejects):
		return advice.Step{Before: advice.Task{Name: advice.AllowMoreRejects}, Command: s.resumeCommand("--max-rejects", "100%")}
	case errors.Is(err, bulk.ErrMostRefused) && nothing:
		return a.nextAnew(advice.Task{Name: advice.FixMappingRefused, File: file})
	case err == nil && !a.remote.engine.Resolvable():
		return advice.Step{Before: advice.Task{Name: advice.CompareByHand}, Command: showCommand(s.name())}
	case err == nil:
		return advice.Step{Before: advice.Task{Name: advice.SeeLog}, Command: s.resumeCommand()}
	case isUnreadable(err):
		return advice.Step{Before: advice.Task{Name: advice.FixFileRest, File: file}, Command: sameCommand("--skip-existing")}
	}
	return advice.Step{Command: s.resumeCommand()}
}

// nextAnew says what to do after a run that wrote nothing: the fixed input needs a new run,
// because this run can only be resumed with the input that it read. A retry must be resumed
// before it can be started again.
func (a afterWriting) nextAnew(fix advice.Task) advice.Step {
	s := a.remote.session
	switch {
	case s.verb == "retry":
		return advice.Step{Before: advice.Task{Name: advice.AllowMoreRejects}, Command: s.resumeCommand("--max-rejects", "100%")}
	case s.resumed && s.verb == "import":
		return advice.Step{Before: fix, Command: a.remote.earlier.spec.Command(s.verb)}
	case s.resumed && s.verb == "apply":
		return advice.Step{Before: fix, Command: a.remote.earlier.spec.Command("plan")}
	}
	return advice.Step{Before: fix, Command: sameCommand()}
}

// nextOfVerify says what to do after the rows of a run were compared.
func (a afterWriting) nextOfVerify(end *ending) advice.Step {
	name, rows := a.remote.session.spec.Store.Name(a.remote.parent), &end.summary.Rows
	switch {
	case end.err != nil:
		return advice.Step{Command: sameCommand()}
	case rows.InDoubt > 0 && a.parentSettles():
		return advice.Step{Command: resumeCommand(name, a.remote.session.spec)}
	case rows.Rejected+rows.InDoubt > 0:
		return advice.Step{Before: advice.Task{Name: advice.SeeFiles}, Command: showCommand(name)}
	}
	return advice.Step{}
}

// nextOfDoubtful says what to do after all was undone but for the rows that
// the run left in doubt: they are settled by resuming it.
func (a afterWriting) nextOfDoubtful() advice.Step {
	name := a.remote.session.spec.Store.Name(a.remote.parent)
	if s, err := report.ReadSummary(a.remote.parent); err == nil && s != nil && s.Error == nil {
		return advice.Step{Command: resumeCommand(name, a.remote.session.spec)}
	}
	return advice.Step{Before: advice.Task{Name: advice.CompareOrResume}, Command: showCommand(name)}
}

// parentSettles reports whether the run that this one is about left rows in doubt that
// it settles when it is resumed.
func (a afterWriting) parentSettles() bool {
	return a.remote.engine != nil && a.remote.engine.Settles() && runs.LeftDoubts(a.remote.parent)
}
