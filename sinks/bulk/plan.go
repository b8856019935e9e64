package bulk

import (
	"context"
	"slices"
	"sync"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// Plan is a sink that only reads: it finds out, by the same code, what an Import would
// do. A row that would create a record is Written; a row that would change its record is
// Updated, with a warning for each field that would change; the other rows get the fate
// that they would have. If it has a journal, it records all this there, for Planned.
type Plan struct {
	engine   *engine
	planners sync.Pool // *planner
}

var _ pipeline.Sink = (*Plan)(nil)

// NewPlan returns a sink that plans what is done to records, and notes it in j, unless
// that is nil.
func NewPlan(schema *pipeline.Schema, records Reader, j Journal, o Options) (*Plan, error) {
	e, err := newEngine(records, schema, settings{o.Target, o.Comparison, j, j, o.Drain, o.Log})
	if err != nil {
		return nil, err
	}
	p := &Plan{engine: e}
	p.planners.New = func() any { return newPlanner(e) }
	return p, nil
}

// Encoder returns an encoder of rows as an Import would send them.
func (p *Plan) Encoder() pipeline.Encoder { return p.engine.encoder() }

// Commit does nothing: nothing was sent.
func (p *Plan) Commit(context.Context) error { return nil }

// Abort reports that there is nothing to undo.
func (p *Plan) Abort() (undone bool, err error) { return false, nil }

// Write finds out what would become of the rows of c.
func (p *Plan) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := p.planners.Get().(*planner)
	defer p.planners.Put(w)
	return w.plan(ctx, c)
}

// planner plans the rows of one chunk at a time: by lookup and prober, as a chunkWriter
// does, with actions that only note what would be sent.
type planner struct {
	engine *engine
	state  *chunkState
	lookup *lookup
	prober *prober
}

func newPlanner(e *engine) *planner {
	s := newChunkState(e)
	w := &planner{engine: e, state: s}
	w.lookup = &lookup{engine: e, actions: w, rows: s.rows, matcher: s.matcher}
	w.prober = &prober{engine: e, actions: w, rows: s.rows, matcher: s.matcher}
	return w
}

// makeFirst makes nothing: a snapshot has to show no record to be believed.
func (w *planner) makeFirst(_ context.Context, rows []int32) ([]int32, error) { return rows, nil }

// tryKey takes it that the key is kept: an answer would tell.
func (w *planner) tryKey(_ context.Context, row int32, _ bool) error {
	w.engine.forms.kept(w.state.rows.key(row))
	return nil
}

// plan settles the rows of c by what would become of them, and has the journal note that.
func (w *planner) plan(ctx context.Context, c *pipeline.Chunk) error {
	w.state.begin(c)
	defer w.state.end()
	defer w.lookup.end()
	if j := w.engine.options.Journal; j != nil {
		if err := j.Plan(w.state.journal.identity()); err != nil {
			return err
		}
	}
	create, err := w.lookup.settle(ctx, slices.Clone(w.state.rows.pending()))
	if err != nil {
		return err
	}
	if create, err = w.prober.provable(ctx, create); err != nil {
		return err
	}
	for _, row := range create {
		c.Fates[row] = pipeline.Written
		w.engine.forms.kept(w.state.rows.key(row)) // until an answer tells otherwise
	}
	w.keepDuplicates()
	w.state.rows.giveIDs()
	return w.state.journal.recordFates(nil)
}

// changeRecords settles the rows whose records would be changed.
func (w *planner) changeRecords(_ context.Context, changes []change) error {
	rows := w.state.rows
	for i := range changes {
		c := &changes[i]
		rows.chunk.Fates[c.row] = pipeline.Updated
		rows.setID(c.row, []byte(c.id))
		w.state.journal.planSum(c)
		rows.warnFields(c.row, c.patch, CodeWouldChange)
	}
	return nil
}

// keepDuplicates drops what was said of records like those of rows that make none.
// A row that does shares the id of the record with it.
func (w *planner) keepDuplicates() {
	c := w.state.rows.chunk
	c.Problems = slices.DeleteFunc(c.Problems, func(p pipeline.Problem) bool {
		if p.Code != CodeDuplicateOfRecord || p.Row < 0 {
			return false
		}
		if c.Fates[p.Row] != pipeline.Written {
			return true
		}
		if len(w.state.rows.idOf(p.Row)) == 0 {
			w.state.rows.setID(p.Row, []byte(p.Private))
		}
		return false
	})
}

// Planned is what a Plan had its journal note. A *journal.Journal is one.
type Planned interface {
	Find(seq int64) (*journal.Entry, error)
}

// planCheck holds rows to what was planned of them: one that would do something else now is
// rejected.
type planCheck struct {
	engine  *engine
	rows    *chunkRows
	journal *chunkJournal

	source  Planned        // nil: there is no plan
	planned *journal.Entry // what was planned of the rows; nil: nothing was
}

func (pc *planCheck) load() error {
	pc.planned = nil
	if pc.source == nil || pc.rows.chunk.Pending() == 0 {
		return nil
	}
	e, id, err := pc.journal.find(pc.source)
	switch {
	case err != nil:
		return err
	case e == nil, len(e.Fates) != pc.rows.chunk.Len():
		return changedInput(id)
	}
	pc.planned = e
	return nil
}

// creates returns those of rows that were planned to make a record, and rejects
// the others.
func (pc *planCheck) creates(rows []int32) []int32 {
	if pc.planned == nil {
		return rows
	}
	return slices.DeleteFunc(rows, func(row int32) bool {
		bad := pc.planned.Fates[row] != pipeline.Written
		if bad {
			pc.rows.note(row, pipeline.None, codeNotAsPlanned, "")
		}
		return bad
	})
}

// changes returns those of changes that were planned, just as they are,
// and rejects the rows of the others.
func (pc *planCheck) changes(changes []change) []change {
	if pc.planned == nil {
		return changes
	}
	return slices.DeleteFunc(changes, func(c change) bool {
		sums := pc.planned.Sums
		bad := pc.planned.Fates[c.row] != pipeline.Updated || len(sums) <= int(c.row) || sums[c.row] != pc.engine.options.Digester.Sum(c.patch)
		if bad {
			pc.rows.note(c.row, pipeline.None, codeNotAsPlanned, "")
		}
		return bad
	})
}
