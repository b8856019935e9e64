package run

import (
	"cmp"
	"context"
	"errors"
	"time"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/journal"
	"flytt/internal/runs"
	"flytt/internal/snapshot"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

// remote is how the rows of a file get to the API, or are compared with it. The targets
// of all kinds of run that speak to the API hold one.
type remote struct {
	session *session
	rows    *fileRows
	compare runs.Comparisons // forms in which fields are compared with those of records
	earlier *earlier         // the run that this one is about, or resumes; nil: there is none
	parent  string           // directory of the run that this one belongs to; empty: there is none
	plan    string           // directory of the plan that is applied; empty: there is none
	past    *journal.Header  // of the run whose rows are gone over again; nil: the rows are the run's own
	journal *journal.Journal // of this run; nil: it has none, or none yet

	conn    *Connection
	stored  *StoredPairs // what the run of --like has on record; nil: there is no such run, or it is not opened
	backups runs.Backups
	engine  engine // of the pass; nil: there was none yet
}

// engine is what does the rows of a pass.
type engine interface {
	Resolvable() bool // rows were left in doubt that another pass may settle
	Settles() bool    // rows in doubt can be looked up
}

// header is that of the run that the rows are of; nil: it has not begun.
func (r *remote) header() *journal.Header {
	switch {
	case r.past != nil:
		return r.past
	case r.journal != nil:
		h := r.journal.Header()
		return &h
	}
	return nil
}

// sameContent reports whether the input holds what it did when its digest was taken,
// if it was.
func (r *remote) sameContent() bool {
	h := r.header()
	if h == nil {
		return false
	}
	is, err := runs.DescribeFile("input", r.rows.input.path)
	return err == nil && is.SHA256 == h.Input.SHA256
}

// newRemote returns how rows of s get to the API, before anything of them is read.
func newRemote(s *session) *remote {
	r := &remote{session: s, rows: newFileRows(s, &s.spec.Change)}
	r.rows.stamped, r.rows.input.same = r.header, r.sameContent
	return r
}

// do runs the rows to the target that find returns, once all that can be known of them is.
// An earlier run says in which forms they are compared with records; without one the
// settings do.
func (r *remote) do(ctx context.Context, find func() (target, error)) (*Result, error) {
	return r.session.do(ctx, func() (*execution, error) {
		t, err := find()
		if err != nil {
			return nil, err
		}
		if err := r.rows.prepare(); err != nil {
			return nil, err
		}
		if r.earlier == nil {
			r.compare, err = r.session.settings.Compare.InForce(r.rows.binding.resource, r.rows.binding.plan.Key())
		}
		return r.rows.execution(t), err
	})
}

// reach connects to the API.
func (r *remote) reach() (err error) {
	s := r.session
	w := &s.spec.Write
	began := "" // where the earlier run wrote to, if there is one
	if r.earlier != nil {
		began = r.earlier.header.BaseURL
	}
	if err := s.settings.completeWrites(w, s.spec.Change.chunkRows(r.rows.binding.plan)); err != nil {
		return err
	}
	r.conn, err = Connect(s.spec.Place, &s.settings, ConnectOptions{
		Version: s.spec.Version, GiveUpAfter: w.GiveUpAfter, Drain: s.observer.Drain, Log: s.log, Began: began,
	})
	if err != nil {
		return err
	}
	s.closers.add(r.conn.Close)
	s.summary.Target = r.conn.Host
	return nil
}

// reachAgain connects to the API that the run with the header h wrote to.
func (r *remote) reachAgain(h *journal.Header) error {
	if err := r.reach(); err != nil {
		return err
	}
	return r.conn.checkPlace(h, "wrote")
}

// consent asks q, unless the run began before or nobody has to be asked, and begins the
// journal.
func (r *remote) consent(q Question) error {
	s := r.session
	if !s.resumed && !s.spec.Place.Yes && !r.conn.Client.Loopback() && r.rows.input.file != "-" {
		q.Verb, q.Tenant, q.Host = s.verb, r.conn.Customer, r.conn.Client.Host()
		if err := s.observer.agreed(q); err != nil {
			return err
		}
	}
	return r.beginJournal()
}

// beginJournal begins the journal of the run, or holds the run to the place of the
// journal that it resumes.
func (r *remote) beginJournal() error {
	if r.journal != nil {
		h := r.journal.Header()
		return r.conn.checkPlace(&h, "writes")
	}
	return r.createJournal(nil)
}

// createJournal creates the journal of the run, where seen are the records that there
// were, of a plan.
func (r *remote) createJournal(seen *snapshot.Mark) (err error) {
	s := r.session
	h, err := r.newHeader(seen)
	if err != nil {
		return err
	}
	if r.journal, err = s.spec.Store.CreateJournal(s.dir.Path, h); err != nil {
		return err
	}
	s.closers.add(r.journal.Close)
	return nil
}

// backup moves aside, before the first pass of a run that is resumed, what a person may
// have edited of it.
func (r *remote) backup(pass int) (err error) {
	s := r.session
	if pass > 1 || !s.resumed {
		return nil
	}
	r.backups, err = runs.MakeBackups(s.dir, r.journal.Outcome() != "")
	for _, file := range r.backups.Files {
		if file.Edited {
			s.summary.Notes = append(s.summary.Notes, backupText(s.observer, file))
		}
	}
	return err
}

// options says how the rows are written.
func (r *remote) options(pass int) (o bulk.ImportOptions, err error) {
	s, b := r.session, r.rows.binding
	o = bulk.ImportOptions{
		Target:     bulk.Target{Path: b.resource.Path + "list/", Key: b.plan.Key(), Created: b.resource.CreatedField(), Shared: r.rows.duplicates.shared},
		Comparison: bulk.Comparison{Columns: b.plan.Columns(), Compare: r.compare.Functions()},
		Settle:     s.spec.Write.Settle, Undoable: s.spec.Write.Undoable, Drain: s.observer.Drain, Log: s.log,
	}
	if r.stored != nil {
		o.Like = r.stored
	}
	if r.journal != nil {
		o.Journal, o.Began = withFailpoints(r.journal), r.journal.Header().Began
		if o.Created != "" {
			o.Unmatched, o.KeysLookedUp = r.unmatched, pass > 2 || pass == 2 && s.resumed
		}
	}
	if retry := r.rows.retry; retry != nil && !retry.Began.IsZero() {
		o.Began, o.LookFirst = retry.Began, retry.Conflict.Has
	}
	if o.SealImage, err = sealFor(s.spec.Write.UndoRecipients); err != nil {
		return o, err
	}
	if err = s.spec.Change.writeOptions(b, r.rows.input.source.Columns(), &o); err != nil {
		return o, err
	}
	if o.Atomicity, err = bulk.ParseAtomicity(cmp.Or(s.settings.Bulk.Atomicity, "unknown")); err != nil {
		return o, advice.Usage(err, "bulk.atomicity in flytt.yaml, or FLYTT_BULK_ATOMICITY, is all, partial or unknown")
	}
	return o, nil
}

// chunks says how rows are gathered for the API. Replay, which may be nil, is that of
// the limits.
func (r *remote) chunks(replay func(*pipeline.Chunk) error) pipeline.ChunkLimits {
	s := &r.session.settings
	return pipeline.ChunkLimits{InFlight: s.Concurrency, Rows: s.ChunkRows, SkipPartial: true, Replay: replay}
}

// resolvable reports whether another pass may settle the rows that the last one left
// in doubt, and after how long.
func (r *remote) resolvable() (after time.Duration, ok bool) {
	return r.session.spec.Write.Settle, r.engine.Resolvable()
}

// readSnapshot reads all records of the resource. With dir a copy is kept there, until it
// is closed.
func (r *remote) readSnapshot(ctx context.Context, dir string) (*snapshot.Snapshot, error) {
	s, b := r.session, r.rows.binding
	ctx, stop := s.observer.Drain.Context(ctx)
	defer stop()
	asked := List{PageSize: DefaultPageSize}
	query, err := asked.Query(b.resource, &s.settings)
	if err != nil {
		return nil, err
	}
	rows := list.Open(r.conn.Client, query, asked.Options(b.resource, &s.settings))
	return snapshot.Read(ctx, rows, snapshot.Options{Resource: b.resource, Key: b.plan.Key(), Finder: r.conn.Client, Dir: dir})
}

// finish ends the journal, and adds to the summary what a run with one has.
func (r *remote) finish(e *ending) error {
	err := e.err
	if r.journal != nil {
		err = errors.Join(err, r.journal.Finish(outcome(err)))
	}
	e.summary.Parent = r.parent
	return errors.Join(err, r.finishBackups(e))
}

// outcome is what a journal calls the end of a run with err.
func outcome(err error) string {
	switch {
	case errors.Is(err, pipeline.ErrInterrupted):
		return "interrupted"
	case err != nil:
		return "failed"
	}
	return "done"
}

// finishBackups adds to the summary what is left of the backups, and the sums of what a
// person may edit from now on.
func (r *remote) finishBackups(e *ending) error {
	notes, err := r.backups.Finish(e.summary.Files)
	for _, n := range notes {
		r.session.remark(backupText(r.session.observer, n))
	}
	if err != nil {
		return err
	}
	e.summary.Sums, err = runs.Sums(e.summary.Files)
	return err
}

// backupText says what became of a file that a person may have edited.
func backupText(o *Observer, b runs.Backup) string {
	if b.Edited {
		return b.Name + ".csv is not what the run wrote, and is kept as " + o.Path(b.Path)
	}
	return b.Name + ".csv may have been changed since the run was killed, and is kept as " + o.Path(b.Path)
}
