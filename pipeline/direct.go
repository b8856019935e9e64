package pipeline

import "slices"

// direct writes each unit as it comes, in input order. It is for files and dry runs.
type direct struct{ engine *engine }

func (d direct) add(u *unit) bool {
	e := d.engine
	if e.spec.Sink != nil && !e.stopped() {
		if err := e.spec.Sink.Write(e.ctx, &u.chunk); err != nil {
			e.fail(err)
		}
		d.renderAgain(u)
	}
	e.record(u)
	if e.tooManyRejects() {
		e.fail(ErrMaxRejects)
		return false
	}
	return true
}

func (d direct) finish(bool) {}

// renderAgain renders u again if the write has changed more than the workers could
// know. Files report nothing about single rows.
func (d direct) renderAgain(u *unit) {
	r := d.engine.spec.Recorder
	named := u.chunk.IDs.Len() > 0
	if r == nil || !named && rejectedByWrite(u) == 0 && !slices.Contains(u.chunk.Fates, InDoubt) {
		return
	}
	u.rec.reset()
	render(r, u)
	if !named {
		u.rec.Written = u.rec.Written[:0] // as in the units that were not rendered again
	}
}
