package run

import (
	"context"
	"errors"
	"fmt"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/snapshot"
	"flytt/internal/text"
)

// Apply does what the plan in the directory s.Earlier.Run says. The other fields of s are
// those of SpecOf.
func Apply(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("apply", &s, o)
	return again(ctx, run, func(r *remote, e *earlier) (target, error) {
		if e.journal.Outcome() != "done" {
			return target{}, advice.Usagef("make a new plan with flytt plan", "%s is incomplete: flytt plan did not finish", advice.Path(e.path))
		}
		r.plan = e.path // and the run belongs to none
		return r.applyTarget(e), nil
	})
}

// applyTarget does what the plan says that e made.
func (r *remote) applyTarget(e *earlier) target {
	t := &applying{r, e}
	return target{begin: t.begin, sink: r.writer(e.journal), resolvable: r.resolvable, finish: r.finish, next: afterWriting{r}.nextOfImport}
}

type applying struct {
	remote *remote
	plan   *earlier
}

// begin sees, for a run that begins, whether the records are what they were, and asks.
func (t *applying) begin(ctx context.Context) error {
	r := t.remote
	if err := r.reachAgain(&t.plan.header); err != nil {
		return err
	}
	if err := r.openLike(); err != nil {
		return err
	}
	if !r.session.resumed {
		if err := t.sameRecords(ctx); err != nil {
			return err
		}
	}
	q := Question{Run: r.plan}
	if s, err := report.ReadSummary(r.plan); err == nil && s != nil {
		q.Plan = s.Plan
	}
	if err := r.consent(q); err != nil {
		return err
	}
	return r.session.link(r.plan)
}

// sameRecords refuses to apply a plan to records that are not those it was made for.
func (t *applying) sameRecords(ctx context.Context) (err error) {
	then := t.plan.spec.Live
	if then == nil {
		return advice.Usagef("make a new plan with flytt plan", "the plan does not say which records there were")
	}
	now, err := t.remote.readSnapshot(ctx, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, now.Close()) }()
	return sameMark(then, now.Mark())
}

func sameMark(then, now *snapshot.Mark) error {
	if *now == *then {
		return nil
	}
	what := fmt.Sprintf("%s then, %s now", text.Counted(then.Records, "record"), text.Number(now.Records))
	if now.Records == then.Records {
		what = "the same number of records, but not the same ones"
	}
	return advice.Usagef("make a new plan with flytt plan: see what is different", "the records have changed since the plan was made: %s", what)
}
