package run

import (
	"context"
	"fmt"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/runs"
)

// Resume continues the run in the directory s.Earlier.Run, which did not get through.
// Rows that are settled stay as they are; rows that may have been sent are looked up. The
// other fields of s are those of SpecOf.
func Resume(ctx context.Context, s Spec, o Observer) (*Result, error) {
	run := newSession("resume", &s, o)
	run.resumed = true
	r := newRemote(run)
	return r.do(ctx, r.resume)
}

// resume opens the run to resume, and returns where its rows go.
func (r *remote) resume() (target, error) {
	s := r.session
	path := s.spec.Earlier.Run
	if err := s.spec.Store.RefuseUndone(path); err != nil {
		return target{}, err
	}
	e, err := openEarlier(s, path, s.spec.Earlier.Input)
	if err != nil {
		return target{}, err
	}
	s.verb, s.summary.Verb = e.header.Verb, e.header.Verb
	if s.verb == "plan" {
		err := advice.Usagef("make a new plan with flytt plan", "%s is an incomplete plan: flytt plan did not finish", advice.Path(path))
		return target{}, advice.Then(err, advice.Step{Command: e.spec.Command("plan")})
	}
	if err := r.follow(e); err != nil {
		return target{}, err
	}
	s.settings.ChunkRows, s.settings.Bulk.Atomicity = e.spec.ChunkRows, e.spec.Atomicity
	dir, err := report.OpenDir(path)
	if err != nil {
		return target{}, runs.Unusable(err)
	}
	s.logTo(dir)
	r.journal = e.journal
	return r.resumedTarget(e)
}

// resumedTarget returns where the rows of e go, which is resumed.
func (r *remote) resumedTarget(e *earlier) (target, error) {
	switch e.header.Verb {
	case "import", "retry":
		return r.importTarget(), nil
	case "apply":
		r.plan = runs.Moved(e.spec.Plan, e.path)
		plan, err := openEarlier(r.session, r.plan, "")
		if err != nil {
			return target{}, err
		}
		return r.applyTarget(plan), nil
	case "undo":
		return r.resumedUndo(e)
	}
	return target{}, fmt.Errorf("%s: a run of %s cannot be resumed", e.path, e.header.Verb)
}

// resumedUndo returns where the rows of the undo e go, which is resumed.
func (r *remote) resumedUndo(e *earlier) (target, error) {
	r.session.spec.Write.Identity = e.spec.Identity
	path := runs.Moved(e.header.Parent, e.path)
	if err := r.keepRetry(path); err != nil {
		return target{}, err
	}
	past, err := openEarlier(r.session, path, "")
	r.parent = path
	return r.undoTarget(past), err
}
