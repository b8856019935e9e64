package bulk

import (
	"context"
	"slices"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Finder finds records: the API does, and so does a copy of its list.
type Finder interface {
	// FindByKeys is that of api.Client.
	FindByKeys(ctx context.Context, l api.Lookup) (map[string]api.Found, error)

	// FindSimilar is that of api.Client.
	FindSimilar(ctx context.Context, l api.Lookup, parts []string) ([]api.Record, error)

	// Get is that of api.Client.
	Get(ctx context.Context, path, id string, into []byte) (api.Outcome, error)
}

// Plan is a sink that sends nothing: it finds out what a Bulk would do, by the
// same code. A row that would make a record is Written, one that would change its
// record Updated, with a warning for each field that would change; the others are
// what they would be. Its journal, if it has one, notes that, for Planned.
type Plan struct{ engine *engine }

var _ pipeline.Sink = (*Plan)(nil)

// NewPlan returns a sink that plans what is done to the records that live finds.
func NewPlan(schema *pipeline.Schema, live Finder, o Options) (*Plan, error) {
	e, err := newEngine(nil, live, schema, o)
	if err != nil {
		return nil, err
	}
	e.shown("") // a copy is not blind
	return &Plan{e}, nil
}

// Encoder returns an encoder of rows as an Import would send them.
func (p *Plan) Encoder() pipeline.Encoder { return p.engine.encoder() }

// Commit does nothing: nothing was sent.
func (p *Plan) Commit(context.Context) error { return nil }

// Abort reports that there is nothing to take back.
func (p *Plan) Abort() (undone bool, err error) { return false, nil }

// Write finds out what would become of the rows of c.
func (p *Plan) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := p.engine.writes.Get().(*write)
	w.act(planActions{w})
	w.begin(c)
	err := w.foresee(ctx)
	w.end()
	p.engine.writes.Put(w)
	return err
}

// planActions notes what an Import would do.
type planActions struct{ w *write }

func (a planActions) changeRecords(_ context.Context, changes []change) error {
	a.w.foreseeChanges(changes)
	return nil
}

func (a planActions) makeFirst(_ context.Context, rows []int32) ([]int32, error) { return rows, nil }

// tryKey takes it that the key is kept: an answer would tell.
func (a planActions) tryKey(_ context.Context, row int32, _ bool) error {
	a.w.engine.forms.kept(a.w.rows.key(row))
	return nil
}

func (w *write) foresee(ctx context.Context) error {
	j := w.engine.options.Journal
	if j != nil {
		if err := j.Plan(w.journal.identity()); err != nil {
			return err
		}
	}
	create, err := w.lookup.settle(ctx, slices.Clone(w.rows.pending()))
	if err != nil {
		return err
	}
	if create, err = w.prober.provable(ctx, create); err != nil {
		return err
	}
	for _, row := range create {
		w.rows.chunk.Fates[row] = pipeline.Written
		w.engine.forms.kept(w.rows.key(row)) // until an answer tells otherwise
	}
	w.keepTwins()
	w.rows.giveIDs()
	if j == nil {
		return nil
	}
	s := journal.Settlement{Fates: w.rows.chunk.Fates, IDs: w.rows.chunk.IDs}
	s.Sums = w.journal.sums
	return j.Settle(w.rows.chunk.Seq, s)
}

// foreseeChanges settles the rows whose records would be changed.
func (w *write) foreseeChanges(changes []change) {
	for i := range changes {
		c := &changes[i]
		w.rows.chunk.Fates[c.row] = pipeline.Updated
		w.rows.setID(c.row, []byte(c.id))
		if j := w.engine.options.Journal; j != nil {
			w.journal.planSum(c.row, j.Sum(c.patch))
		}
		for name := range jsonscan.Members(c.patch) {
			w.rows.warn(c.row, w.engine.field(string(jsonscan.Unquote(name))), CodeWouldChange)
		}
	}
}

// keepTwins drops what was said of records like those of rows that make none.
// A row that does shares the id of the record with it.
func (w *write) keepTwins() {
	c := w.rows.chunk
	c.Problems = slices.DeleteFunc(c.Problems, func(p pipeline.Problem) bool {
		if p.Code != CodeDuplicateOfRecord || p.Row < 0 {
			return false
		}
		if c.Fates[p.Row] != pipeline.Written {
			return true
		}
		if len(w.rows.idOf(p.Row)) == 0 {
			w.rows.setID(p.Row, []byte(p.Private))
		}
		return false
	})
}

// Planned is what a Plan had its journal note. A *journal.Journal is one.
type Planned interface {
	Find(seq int64) (*journal.Entry, error)
}
