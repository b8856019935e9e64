package run

import (
	"context"

	"flytt/internal/journal"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

// Verify compares each row that the run in the directory s.Earlier.Run wrote with the
// API, and sends nothing but reads. The other fields of s are those of SpecOf.
func Verify(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("verify", &s, o)
	return again(ctx, run, func(r *remote, e *earlier) (target, error) {
		r.parent = e.path
		v := &verification{r, e.journal}
		return target{begin: v.begin, sink: v.sink, resolvable: r.resolvable, finish: r.finish, next: afterWriting{r}.nextOfVerify}, nil
	})
}

// again runs the rows of the earlier run of s once more, to the target that open makes.
func again(ctx context.Context, s *session, to func(*remote, *earlier) (target, error)) (*Result, error) {
	r := newRemote(s)
	return r.do(ctx, func() (target, error) {
		e, err := openEarlier(s, s.spec.Earlier.Run, s.spec.Earlier.Input)
		if err != nil {
			return target{}, err
		}
		r.past = &e.header
		if err := r.follow(e); err != nil {
			return target{}, err
		}
		return to(r, e)
	})
}

type verification struct {
	remote *remote
	past   *journal.Journal
}

func (t *verification) begin(context.Context) error {
	if err := t.remote.reachAgain(t.remote.past); err != nil {
		return err
	}
	return t.remote.session.link(t.remote.parent)
}

func (t *verification) sink(pass int) (sink pipeline.Sink, limits pipeline.ChunkLimits, err error) {
	o, err := t.remote.options(pass)
	if err != nil {
		return nil, limits, err
	}
	v, err := bulk.NewVerify(t.remote.conn.Client, t.remote.rows.binding.plan.Schema(), t.past, bulk.Options{
		Target: o.Target, Comparison: o.Comparison, Drain: o.Drain, Log: o.Log,
	})
	if err != nil {
		return nil, limits, err
	}
	t.remote.engine = v
	return v, t.remote.chunks(nil), nil
}
