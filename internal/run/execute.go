package run

import (
	"context"
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

// target is where the rows of a run go.
type target struct {
	// begin is called once, before the first pass. It checks what can be checked before a row
	// is read, and asks the user if necessary.
	begin func(context.Context) error

	// sink makes the sink of a pass, counted from 1.
	sink func(pass int) (pipeline.Sink, pipeline.ChunkLimits, error)

	// resolvable reports whether another pass may settle the rows that the last one left
	// in doubt, and after how long.
	resolvable func() (after time.Duration, ok bool)

	// finish is called when all passes are over, with how the run ended, and completes the
	// summary. It returns the error that the run ends with.
	finish func(e *ending) error

	// next says what to do after the run.
	next func(e *ending) advice.Step

	// account is how the recorder tells of the rows, as far as that is the target's matter.
	account recorder.Options
}

// neverResolvable is resolvable of a target that leaves no row in doubt.
func neverResolvable() (time.Duration, bool) { return 0, false }

// beginNothing is begin of a target that needs nothing before its first pass.
func beginNothing(context.Context) error { return nil }

// noSink is sink of a target that sends its rows nowhere.
func noSink(int) (pipeline.Sink, pipeline.ChunkLimits, error) {
	return nil, pipeline.ChunkLimits{}, nil
}

// ending is how a run ended, for what is told of it.
type ending struct {
	summary  *report.Summary
	recorder *recorder.Recorder
	err      error // nil: it got through
}

// reader is where rows come from, as often as they are needed.
type reader interface {
	current() pipeline.Source
	reopen() error
}

// execution is a run over rows: passes from a source through steps to a target, until
// nothing is left that another pass could settle.
type execution struct {
	session  *session
	binding  *binding
	source   reader
	steps    func() []pipeline.Step // of one worker
	target   target
	input    *sources.Info               // of a file
	before   func(context.Context) error // reads the input before the first pass
	announce func()                      // tells what is about to happen
	pass     int
}

// maxPasses bounds how often a run goes over its input to settle what is in
// doubt.
const maxPasses = 5

// run makes the passes and finishes the run.
func (e *execution) run(ctx context.Context) (*Result, error) {
	if err := e.before(ctx); err != nil {
		return nil, e.session.discard(err)
	}
	result, rec, err := e.passes(ctx)
	if result == nil {
		return nil, e.notBegun(err)
	}
	return e.finish(result, rec, err)
}

// notBegun ends a run of which no pass could begin because of err. What an earlier pass
// did stays.
func (e *execution) notBegun(err error) error {
	s := e.session
	if e.pass == 1 || s.resumed {
		return s.discard(err)
	}
	err = errors.Join(err, s.closers.close(), s.dir.Close())
	return advice.Then(err, advice.Step{Command: s.resumeCommand()})
}

// passes makes passes over the input until nothing is left that another could
// settle. The account is that of the last.
func (e *execution) passes(ctx context.Context) (result *pipeline.Report, rec *recorder.Recorder, err error) {
	doubtful := int64(0)
	for e.pass = 1; ; e.pass++ {
		var run *pipeline.Run
		if run, rec, err = e.open(ctx); err != nil {
			return nil, nil, err
		}
		run.Drain = e.session.observer.Drain.Done()
		result, err = e.watch(ctx, run)
		if err != nil && ctx.Err() == nil && run.Chunks.Replay != nil && (e.pass > 1 || e.session.resumed) {
			return e.replay(ctx, result, rec, err)
		}
		left := result.Rows.InDoubt
		after, ok := e.target.resolvable()
		if err != nil || left == 0 || !ok || e.pass == maxPasses || e.pass > 2 && left >= doubtful {
			return result, rec, err
		}
		doubtful = left
		if err := errors.Join(rec.Close(), e.source.reopen()); err != nil {
			return result, rec, err
		}
		e.session.log.Info("looking up rows in doubt", "pass", e.pass+1, "rows", left, "settle", after)
		e.session.observer.Note(DoubtsLookedUp{left, after})
	}
}

// replay reads the input once more, after a pass that ended early with why, and takes from
// the journal what became of the rows that earlier passes settled. Nothing is sent. If the
// replay cannot begin, the account of the pass stays as it is.
func (e *execution) replay(ctx context.Context, told *pipeline.Report, rec *recorder.Recorder, why error) (*pipeline.Report, *recorder.Recorder, error) {
	if err := errors.Join(rec.Close(), e.source.reopen()); err != nil {
		return told, rec, errors.Join(why, err)
	}
	e.pass++
	run, again, err := e.open(ctx)
	if err != nil {
		return told, rec, errors.Join(why, err)
	}
	run.Sink, run.Limit = replaying{run.Sink, run.Chunks.Replay}, pipeline.RejectLimit{}
	result, err := e.watch(ctx, run)
	if err != nil {
		e.session.log.Debug("the summary does not cover all rows", "error", err)
	}
	return result, again, why
}

// replaying is a sink that sends nothing: rows get the fates that the journal has.
type replaying struct {
	pipeline.Sink
	replay func(*pipeline.Chunk) error
}

// Write settles the rows of c of which the journal knows what became.
func (r replaying) Write(_ context.Context, c *pipeline.Chunk) error { return r.replay(c) }

// watch does run and reports its progress.
func (e *execution) watch(ctx context.Context, run *pipeline.Run) (*pipeline.Report, error) {
	s := e.session
	last := Progress{Size: -1, Started: s.started, Verb: s.verb}
	if e.input != nil {
		last.Size = e.input.Size
	}
	logged := s.started
	run.Progress = func(p pipeline.Progress) {
		s.counts, last.Progress = p.Rows, p
		s.observer.Progress(last)
		if now, every := time.Now(), s.observer.LogEvery; every > 0 && now.Sub(logged) >= every {
			logged = now
			s.log.Info("progress", "rows", p.Rows.Read, "rejected", p.Rows.Rejected, "bytes", p.Bytes)
		}
	}
	report, err := run.Do(ctx)
	last.Over = true
	s.observer.Progress(last)
	return report, err
}

// open opens what the rows of a pass, and the account of them, go to.
func (e *execution) open(ctx context.Context) (*pipeline.Run, *recorder.Recorder, error) {
	s := e.session
	first := e.pass == 1
	if first {
		if err := e.begin(ctx); err != nil {
			return nil, nil, err
		}
	}
	sink, chunks, err := e.target.sink(e.pass)
	if err != nil {
		return nil, nil, err
	}
	rec, err := e.newRecorder()
	if err != nil {
		if sink != nil {
			_, abortErr := sink.Abort()
			err = errors.Join(err, abortErr)
		}
		return nil, nil, err
	}
	if first {
		s.log.Debug("run starts", "verb", s.verb, "resource", e.binding.resource.Name, "run", s.dir.ID, "version", s.spec.Version)
		e.announce()
	}
	return &pipeline.Run{
		Source: e.source.current(), Schema: e.binding.plan.Schema(), Steps: e.steps, Sink: sink, Recorder: rec, Chunks: chunks, Limit: s.limit,
	}, rec, nil
}

// newRecorder makes the recorder. It records again what an earlier pass recorded.
func (e *execution) newRecorder() (*recorder.Recorder, error) {
	plan := e.binding.plan
	o := e.target.account
	o.Columns, o.Fields, o.Tables = e.source.current().Columns(), plan.Schema().Fields, plan.Tables()
	o.Meaning, o.Replace = text.Meaning, e.pass > 1 || e.session.resumed
	if i := e.input; i != nil {
		o.Place = cellNames(i)
		if i.Delimiter != "" {
			o.Delimiter = i.Delimiter[0]
		}
	}
	return recorder.New(e.session.dir.Path, o)
}

// begin keeps the mapping of a run that begins, if there is one, and begins the target.
func (e *execution) begin(ctx context.Context) error {
	if err := e.saveMapping(); err != nil {
		return err
	}
	return e.target.begin(ctx)
}

func (e *execution) saveMapping() error {
	if e.binding.mapping == nil || e.session.resumed {
		return nil
	}
	text, err := e.binding.copyOfMapping()
	if err != nil {
		return err
	}
	if err := e.session.dir.Write("mapping.yaml", text); err != nil {
		return fmt.Errorf("mapping of the run: %w", err)
	}
	return nil
}

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
		sum.Error = s.observer.failure(err, next)
		s.log.Debug("run failed", "error", sum.Error.Message)
	}
	r := &sum.Rows
	s.log.Debug("run ends", "exit", sum.Exit, "read", r.Read, "valid", r.Valid, "written", r.Written,
		"skipped", r.Skipped, "rejected", r.Rejected, "in_doubt", r.InDoubt, "not_sent", r.NotSent)
	saveErr := errors.Join(s.save(), s.dir.Close())
	if err = errors.Join(err, saveErr); saveErr != nil {
		sum.Exit, sum.Error = report.ExitFatal, s.observer.failure(err, next)
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

// failure is err in words, as a summary has it, with what to do next.
func (o *Observer) failure(err error, next advice.Step) *report.Failure {
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
