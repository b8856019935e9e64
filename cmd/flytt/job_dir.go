package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"flytt/internal/report"
	"flytt/pipeline"
	"flytt/sinks/recorder"
)

// makeDir makes the run directory and its log, unless they are there.
func (j *job) makeDir() (err error) {
	switch {
	case j.dir != nil:
		return nil
	case j.kept != nil:
		j.logTo(j.kept)
		return nil
	}
	store, err := j.store()
	if err != nil {
		return err
	}
	if j.dir, err = store.NewDir(j.flags.runDir, j.started); err != nil {
		return err
	}
	j.logTo(j.dir)
	return nil
}

// resumeIn makes dir, which is there, the directory of the run.
func (j *job) resumeIn(dir *report.Dir) { j.kept = dir }

// logTo makes dir the run directory.
func (j *job) logTo(dir *report.Dir) {
	j.dir, j.summary.Run, j.screen.w = dir, dir.ID, j.stderr
	j.log = slog.New(slog.NewMultiHandler(dir.LogHandler(), j.stderrHandler()))
}

// open opens what the rows and the account of them go to.
func (j *job) open(ctx context.Context) (sink pipeline.Sink, chunks pipeline.ChunkLimits, recorder *recorder.Recorder, err error) {
	if j.pass == 1 && j.recorded == nil {
		if err := j.saveMapping(); err != nil {
			return nil, chunks, nil, err
		}
	}
	if j.target != nil {
		if sink, chunks, err = j.target(ctx, j); err != nil {
			return nil, chunks, nil, err
		}
	}
	if err = j.makeBackups(); err == nil {
		recorder, err = j.record()
	}
	if err != nil {
		if sink != nil {
			_, abortErr := sink.Abort()
			err = errors.Join(err, abortErr)
		}
		return nil, chunks, nil, err
	}
	if j.pass == 1 {
		j.announce()
	}
	return sink, chunks, recorder, nil
}

// record makes the recorder. What an earlier pass recorded it records again.
func (j *job) record() (*recorder.Recorder, error) {
	o := recorder.Options{
		Columns: j.source.Columns(), Fields: j.plan.Schema().Fields, Tables: j.plan.Tables(), Meaning: meaning,
		Replace: j.pass > 1 || j.recorded != nil, Planned: j.verb == "plan",
	}
	if j.verb == "undo" {
		o.Written = recorder.WrittenWords{File: "undone", Written: "deleted", Updated: "restored"}
	}
	if j.info != nil {
		o.Place = cellNames(j.info)
		if j.info.Delimiter != "" {
			o.Delimiter = j.info.Delimiter[0]
		}
	}
	return recorder.New(j.dir.Path, o)
}

// saveMapping keeps the mapping of the run, if there is one.
func (j *job) saveMapping() error {
	if j.mapping == nil {
		return nil
	}
	text, err := j.usedMapping()
	if err != nil {
		return err
	}
	if err := j.dir.Write("mapping.yaml", text); err != nil {
		return fmt.Errorf("mapping of the run: %w", err)
	}
	return nil
}

// usedMapping returns the mapping of the run as a file. It lies in another
// directory than the one it was read from, so its tables are named in full.
func (j *job) usedMapping() ([]byte, error) {
	m := *j.mapping
	m.Fields = slices.Clone(m.Fields)
	for i := range m.Fields {
		table := m.Fields[i].Lookup
		if table == nil || filepath.IsAbs(table.File) {
			continue
		}
		path, err := filepath.Abs(filepath.Join(filepath.Dir(j.flags.mapping), table.File))
		if err != nil {
			return nil, err
		}
		moved := *table
		moved.File = path
		m.Fields[i].Lookup = &moved
	}
	return m.YAML()
}

// announce says what is about to happen.
func (j *job) announce() {
	j.log.Debug("run starts", "verb", j.verb, "resource", j.resource.Name, "run", j.dir.ID, "version", buildVersion())
	if i := j.info; i != nil {
		j.log.Debug("input", "format", i.Format, "encoding", i.Encoding, "delimiter", i.Delimiter, "header_row", i.HeaderRow)
	}
	if j.flags.quiet || j.flags.json {
		return
	}
	if j.info != nil {
		j.say("%s: %s\n", j.file, describe(j.info))
	}
	for _, w := range j.summary.Notes {
		j.notice(w)
	}
}

// notice says something on stderr that is no failure, unless nothing is to be said.
func (j *job) notice(text string) {
	if !j.flags.quiet && !j.flags.json {
		j.say("note: %s\n", text)
	}
}

func (j *job) stderrHandler() slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelWarn}
	if j.flags.verbose {
		o.Level = slog.LevelDebug
	}
	if j.flags.logFormat == "json" {
		return slog.NewJSONHandler(&j.screen, o)
	}
	return &lineHandler{w: &j.screen, level: o.Level}
}
