package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sinks/recorder"
	"flytt/sources"
)

// finish closes the files of the run, writes the summary, and says how the run
// ended and what to do next.
func (e *execution) finish(result *pipeline.Report, rec *recorder.Recorder, err error) (*Result, error) {
	s, sum := e.session, e.session.summary
	end := &ending{summary: sum, recorder: rec, err: errors.Join(err, rec.Close())}
	sum.SetResult(result, time.Since(s.started))
	sum.Files = rec.Files()
	end.err = e.target.finish(end)
	e.locate()
	if errors.Is(end.err, pipeline.ErrMaxRejects) {
		end.err = fmt.Errorf("%w: %s of %s read, and --max-rejects is %s", end.err, text.Number(sum.Rows.Rejected), text.Number(sum.Rows.Read), s.spec.MaxRejects)
	}
	if !sum.Balanced {
		end.err = errors.Join(end.err, errors.New("the numbers of the run do not add up, which is a bug in flytt"))
	}
	for _, name := range []string{"mapping.yaml", "log.jsonl", "summary.json"} {
		if name != "mapping.yaml" || e.binding.mapping != nil {
			sum.Files[strings.TrimSuffix(name, filepath.Ext(name))] = s.dir.File(name)
		}
	}
	return s.conclude(end, e.target.next(end))
}

// locate gives the first row of each reason the name that it has in the input.
func (e *execution) locate() {
	if e.input == nil || e.input.CellName == nil {
		return
	}
	cells := cellNames(e.input)
	e.session.summary.NamePlaces(func(field string, row int64) string { return e.binding.place(cells, field, row) })
}

// conclude writes the summary of a run that ended, with what to do next.
func (s *session) conclude(end *ending, next advice.Step) (*Result, error) {
	sum, err := s.summary, end.err
	sum.Exit = exitOf(err, sum.Rows)
	if !next.Command.IsZero() {
		sum.Next = s.observer.Command(next.Command)
	}
	if err != nil {
		sum.Error = s.observer.Failure(err, next)
		s.log.Debug("run failed", "error", sum.Error.Message)
	}
	r := &sum.Rows
	s.log.Debug("run ends", "exit", sum.Exit, "read", r.Read, "valid", r.Valid, "written", r.Written,
		"skipped", r.Skipped, "rejected", r.Rejected, "in_doubt", r.InDoubt, "not_sent", r.NotSent)
	saveErr := errors.Join(s.save(), s.dir.Close())
	if err = errors.Join(err, saveErr); saveErr != nil {
		sum.Exit, sum.Error = report.ExitFatal, s.observer.Failure(err, next)
	}
	return &Result{Summary: sum, Dir: s.dir.Path, Output: s.spec.Output.Path, Next: next}, err
}

func (s *session) save() error {
	data, err := s.summary.JSON()
	if err != nil {
		return err
	}
	if err := s.dir.Replace("summary.json", data); err != nil {
		return fmt.Errorf("summary of the run: %w", err)
	}
	return nil
}

// Failure is err in words, as a summary has it, with what to do next.
func (o *Observer) Failure(err error, next advice.Step) *report.Failure {
	message, hint := Explain(err)
	message = advice.ShowPaths(message, err, o.Path)
	hint = advice.ShowPaths(hint, err, o.Path)
	f := &report.Failure{Message: message, Hint: hint}
	if !next.Command.IsZero() {
		f.Next = o.Command(next.Command)
		f.Hint = strings.ReplaceAll(hint, advice.CommandMark, f.Next)
	}
	return f
}

// Explain returns the text of err without its hint, and the hint. Errors of some
// packages carry the hint in their text, on a line of its own.
func Explain(err error) (message, hint string) {
	message = err.Error()
	if before, after, ok := strings.Cut(message, "\nhint: "); ok && !strings.Contains(after, "\n") {
		return before, after
	}
	var source *sources.Error
	if errors.As(err, &source) {
		return message, source.Hint
	}
	return message, advice.HintOf(err)
}
