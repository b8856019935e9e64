package pipeline

// account adds up what became of the rows. It is used by one goroutine.
type account struct {
	schema   *Schema
	recorder Recorder
	progress func(Progress)
	counts   Counts
	bytes    int64
	tallies  tallies
	failed   bool // the recorder has failed; it is not called again
}

func newAccount(r *Run) account {
	return account{schema: r.Schema, recorder: r.Recorder, progress: r.Progress, tallies: tallies{}}
}

// add accounts for one unit, in input order.
func (a *account) add(u *unit) error {
	a.counts.Read += int64(u.chunk.Len())
	a.counts.Valid += u.valid
	a.counts.Add(u.chunk.Fates...)
	a.tallies.add(a.schema, &u.chunk.Batch)
	a.bytes = u.end
	a.reportProgress()
	if a.recorder == nil || a.failed {
		return nil
	}
	err := a.recorder.Append(&u.rec)
	a.failed = err != nil
	return err
}

// reportProgress calls progress with how far the run has come.
func (a *account) reportProgress() {
	if a.progress != nil {
		a.progress(Progress{Rows: a.counts, Bytes: a.bytes})
	}
}

// undo removes what was written to a sink that was aborted.
func (a *account) undo() {
	a.counts.NotSent += a.counts.Written
	a.counts.Written = 0
}

func (a *account) report(checked bool) *Report {
	return &Report{
		Rows:     a.counts,
		Rejects:  a.tallies.list(Error),
		Warnings: a.tallies.list(Warning),
		Repairs:  a.tallies.list(Repair),
		checked:  checked,
	}
}
