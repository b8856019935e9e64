package run

import (
	"context"

	"flytt/pipeline"
	"flytt/sinks/bulk"
)

// Validate says which rows of s.File are wrong, and sends nothing.
func Validate(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("validate", &s, o)
	rows := newFileRows(run, &s.Change)
	return run.do(ctx, func() (*execution, error) {
		if err := findLike(&s); err != nil {
			return nil, err
		}
		if err := rows.prepare(); err != nil {
			return nil, err
		}
		if _, err := run.settings.Compare.InForce(rows.binding.resource, rows.binding.plan.Key()); err != nil {
			return nil, err
		}
		return rows.execution(target{begin: beginNothing, sink: noSink, resolvable: neverResolvable, finish: unchanged, next: rows.nextOfValidate}), nil
	})
}

// Import sends the valid rows of s.File to the API. What became of each is in the files
// of the run directory.
func Import(ctx context.Context, s Spec, o Observer) (*Result, error) {
	r := newRemote(newSession("import", &s, o))
	return r.do(ctx, func() (target, error) { return r.importTarget(), findLike(&s) })
}

// importTarget writes rows to the API.
func (r *remote) importTarget() target {
	return target{begin: r.beginImport, sink: r.writer(nil), resolvable: r.resolvable, finish: r.finish, next: afterWriting{r}.nextOfImport}
}

// beginImport connects to the API, asks whether to go on, and begins the journal.
func (r *remote) beginImport(context.Context) error {
	if err := r.reach(); err != nil {
		return err
	}
	if err := r.openLike(); err != nil {
		return err
	}
	return r.consent(Question{Changes: r.session.spec.Change.Mode == ModeUpdate, File: r.rows.input.file})
}

// writer makes the sinks of passes that write rows, as planned has it if that is not nil.
// One chunk more than there are requests at once is on its way: it is put on record,
// which takes a sync of the disk, while the others are answered. Not where chunks are to
// go one by one.
func (r *remote) writer(planned bulk.Planned) func(pass int) (pipeline.Sink, pipeline.ChunkLimits, error) {
	return func(pass int) (sink pipeline.Sink, limits pipeline.ChunkLimits, err error) {
		o, err := r.options(pass)
		if err != nil {
			return nil, limits, err
		}
		o.Planned = planned
		w, err := bulk.NewImport(r.conn.Client, r.rows.binding.plan.Schema(), o)
		if err != nil {
			return nil, limits, err
		}
		r.engine = w
		limits = r.chunks(w.Recall)
		if limits.InFlight > 1 && w.Ahead() {
			limits.InFlight++
		}
		return w, limits, r.backup(pass)
	}
}
