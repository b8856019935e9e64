package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/journal"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sinks/recorder"
)

// spool copies standard input into the run directory, so that the run can be gone
// on with.
func (j *job) spool() error {
	if err := j.makeDir(); err != nil {
		return err
	}
	j.input = j.dir.File("input")
	f, err := os.OpenFile(j.input, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy of standard input: %w", err)
	}
	if _, err := io.Copy(f, j.stdin); err != nil {
		return errors.Join(fmt.Errorf("copy of standard input: %w", err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("copy of standard input: %w", err)
	}
	if j.writing == nil { // nobody goes on with it
		j.closers = append(j.closers, func() error { return os.Remove(j.input) })
	}
	return nil
}

// beginJournal begins the journal of the run, or holds the run against the one
// that it goes on with.
func (j *job) beginJournal() error {
	w := j.writing
	if w.journal != nil {
		return j.checkTarget()
	}
	h, err := j.header()
	if err != nil {
		return err
	}
	key, err := loadKey()
	if err != nil {
		return err
	}
	if w.journal, err = journal.Create(j.dir.File("journal.db"), h, key); err != nil {
		return unusable(err)
	}
	j.closers = append(j.closers, w.journal.Close)
	return nil
}

// checkTarget refuses to go on with a run at another place than it began at.
func (j *job) checkTarget() error {
	h, n := j.writing.journal.Header(), &j.writing.connection
	if address := n.address(j.writing.client); address != h.BaseURL {
		return usagef("use the settings it began with", "the run writes to %s, and the settings say %s", h.BaseURL, address)
	}
	if n.customer != h.Customer {
		return usagef("use the credentials of the tenant it began with", "the run writes to tenant %s, and the credentials are of %s", h.Customer, n.customer)
	}
	return nil
}

// readSpec reads what the run in the directory path was asked to do.
func readSpec(path string, h *journal.Header) (*run.RecordedSpec, error) {
	spec, err := run.ReadSpec(h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return spec, nil
}

// jobOfRun makes the job that the run in the directory path was, by the header h
// of its journal. What the run depends on has to be what it was; its input may have
// been moved.
func (a *app) jobOfRun(path, moved string, h journal.Header) (*job, error) {
	o, err := readSpec(path, &h)
	if err != nil {
		return nil, err
	}
	run.Follow(&h, o, path)
	if err := run.Relocate(&h, o, moved); err != nil {
		return nil, err
	}
	maps.DeleteFunc(o.Flags, func(name string, _ []string) bool { return slices.Contains(run.WatchFlags, name) })
	_, j := newImport(a)
	if err := giveFlags(j.flags.verb.Flags(), o.Flags); err != nil {
		return nil, usage(err, "flytt "+h.Tool+" began the run")
	}
	j.file, j.input, j.recorded, j.clock = o.File, o.Input, o, o.ClockOf(&h)
	j.flags.mapping, j.flags.resource, j.flags.moved = filepath.Join(path, "mapping.yaml"), o.Resource, moved
	j.change.guessed, j.writing.connection.began = o.Guessed, h.BaseURL
	j.writing.likeBeside(path)
	if err := j.change.compareAs(o); err != nil {
		return nil, err
	}
	if err := j.keepRetry(path); err != nil {
		return nil, err
	}
	return j, j.sameFiles(&h)
}

// overlayRecorded lays what the run was told over the settings there are now.
func (j *job) overlayRecorded() {
	if o := j.recorded; o != nil {
		j.settings.ChunkRows, j.settings.Bulk.Atomicity = o.ChunkRows, o.Atomicity
	}
}

// maxPasses bounds how often a run goes over its input to settle what is in
// doubt.
const maxPasses = 5

// passes makes passes over the input until nothing is left that another could
// settle. The account is that of the last.
func (j *job) passes(ctx context.Context) (result *pipeline.Report, recorder *recorder.Recorder, err error) {
	doubtful := int64(0)
	for j.pass = 1; ; j.pass++ {
		var run *pipeline.Run
		if run, recorder, err = j.prepared(ctx); err != nil {
			return nil, nil, err
		}
		run.Drain = j.drain.Done()
		result, err = j.watched(ctx, run)
		if err != nil && ctx.Err() == nil && run.Chunks.Replay != nil && (j.pass > 1 || j.recorded != nil) {
			return j.retold(ctx, result, recorder, err)
		}
		left := result.Rows.InDoubt
		if !j.resolvable(result, err) || j.pass == maxPasses || j.pass > 2 && left >= doubtful {
			return result, recorder, err
		}
		doubtful = left
		if closeErr := errors.Join(recorder.Close(), j.reopen()); closeErr != nil {
			return result, recorder, closeErr
		}
		j.tellPass(left)
	}
}

// watched does run and tells how far it has come.
func (j *job) watched(ctx context.Context, run *pipeline.Run) (*pipeline.Report, error) {
	progress := j.progress()
	defer progress.done()
	run.Progress = func(p pipeline.Progress) {
		j.counts = p.Rows
		progress.update(p)
	}
	return run.Do(ctx)
}

// retold goes over the input once more, after a pass that ended with why and did not
// come to all that earlier ones did, and has the journal tell what became of every
// row. Nothing is sent. If that cannot be done, what the pass told stands.
func (j *job) retold(ctx context.Context, told *pipeline.Report, recorder *recorder.Recorder, why error) (*pipeline.Report, *recorder.Recorder, error) {
	if err := errors.Join(recorder.Close(), j.reopen()); err != nil {
		return told, recorder, errors.Join(why, err)
	}
	j.pass++
	run, again, err := j.prepared(ctx)
	if err != nil {
		return told, recorder, errors.Join(why, err)
	}
	run.Sink, run.Limit = recalling{run.Sink, run.Chunks.Replay}, pipeline.RejectLimit{}
	result, err := j.watched(ctx, run)
	if err != nil {
		j.log.Debug("the account is not of all rows", "error", err)
	}
	return result, again, why
}

// recalling is a sink that sends nothing: rows become what the journal says they
// became.
type recalling struct {
	pipeline.Sink
	recall func(*pipeline.Chunk) error
}

// Write settles the rows of c of which the journal knows what became.
func (r recalling) Write(_ context.Context, c *pipeline.Chunk) error { return r.recall(c) }

// resolvable reports whether another pass may settle what is in doubt.
func (j *job) resolvable(result *pipeline.Report, err error) bool {
	return err == nil && result.Rows.InDoubt > 0 && j.writing != nil && j.writing.doubts.Resolvable()
}

// tellPass says that rows are about to be looked up.
func (j *job) tellPass(doubtful int64) {
	j.log.Info("looking rows in doubt up", "pass", j.pass+1, "rows", doubtful, "settle", j.writing.settle)
	if !j.flags.quiet && !j.flags.json {
		j.say("%s rows are in doubt: waiting %s until the API can no longer be working on them, then looking them up\n",
			text.Number(doubtful), j.writing.settle.Round(time.Millisecond))
	}
}

// prepared opens what a pass needs.
func (j *job) prepared(ctx context.Context) (*pipeline.Run, *recorder.Recorder, error) {
	sink, chunks, recorder, err := j.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &pipeline.Run{
		Source: j.source, Schema: j.plan.Schema(), Steps: j.steps, Sink: sink, Recorder: recorder, Chunks: chunks, Limit: j.limit,
	}, recorder, nil
}

// reopen opens the input anew, to be read from its beginning.
func (j *job) reopen() error {
	if err := j.source.Close(); err != nil {
		return err
	}
	source, _, _, err := j.flags.inputOptions.open(j.input, j.mapping, nil)
	if err != nil {
		return err
	}
	j.source = source
	j.narrow()
	return nil
}

// narrow tells the source which columns are looked at.
func (j *job) narrow() {
	if s, ok := j.source.(pipeline.ColumnSelector); ok {
		s.Select(j.plan.UsedColumns())
	}
}

// endJournal notes how the run ended. The summary tells of it all the same.
func (j *job) endJournal(err error) error {
	if j.writing == nil || j.writing.journal == nil {
		return nil
	}
	state := "done"
	switch {
	case errors.Is(err, pipeline.ErrInterrupted):
		state = "interrupted"
	case err != nil:
		state = "failed"
	}
	return j.writing.journal.Finish(state)
}
