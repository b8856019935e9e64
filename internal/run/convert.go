package run

import (
	"context"
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/pipeline"
	"flytt/sinks"
)

// Convert writes the valid rows of s.File to s.Output.
func Convert(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("convert", &s, o)
	rows := newFileRows(run, nil)
	return run.do(ctx, func() (*execution, error) {
		if s.Output.Path == "" {
			return nil, advice.Usagef("-o contacts.jsonl, or -o - for standard output", "name the output: -o FILE")
		}
		if err := rows.prepare(); err != nil {
			return nil, err
		}
		return rows.execution(target{begin: beginNothing, sink: rows.openFile, resolvable: neverResolvable, finish: run.finishFile, next: rows.nextOfConvert}), nil
	})
}

// openFile opens the file that the rows go to.
func (f *fileRows) openFile(int) (pipeline.Sink, pipeline.ChunkLimits, error) {
	s := f.session
	o := s.spec.fileOptions()
	o.Inputs = append(f.inputs(), s.settings.Files...)
	sink, err := s.createOutput(f.binding, &o)
	return sink, pipeline.ChunkLimits{}, err
}

// createOutput opens the file that the rows of b go to.
func (s *session) createOutput(b *binding, o *sinks.FileOptions) (pipeline.Sink, error) {
	out := s.spec.Output.Path
	if abs, err := filepath.Abs(out); err == nil && out != "-" && filepath.Dir(abs) == s.dir.Path {
		return nil, advice.Usagef("choose another directory", "%s: is in the run directory, which is for the files of the run", out)
	}
	o.Metadata["flytt.resource"], o.Metadata["flytt.time"] = b.resource.Name, report.Timestamp(s.started)
	return sinks.Create(out, b.plan.Schema(), o)
}

// finishFile tells of the output, if it is there.
func (s *session) finishFile(e *ending) (err error) {
	if out := s.spec.Output.Path; out != "-" && e.err == nil {
		e.summary.Files["output"], e.err = filepath.Abs(out)
	}
	return e.err
}

// unchanged is finish of a target that has nothing to tell.
func unchanged(e *ending) error { return e.err }
