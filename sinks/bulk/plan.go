package bulk

import (
	"bytes"
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
type Plan struct{ *Import }

var _ pipeline.Sink = (*Plan)(nil)

// NewPlan returns a sink that plans what is done to the records that live finds.
func NewPlan(schema *pipeline.Schema, live Finder, o Options) (*Plan, error) {
	s, err := NewImport(nil, schema, o)
	if err != nil {
		return nil, err
	}
	s.finder, s.plans = live, true
	s.shown("") // a copy is not blind
	return &Plan{s}, nil
}

// Write finds out what would become of the rows of c.
func (p *Plan) Write(ctx context.Context, c *pipeline.Chunk) error {
	w := p.writes.Get().(*write)
	w.begin(c)
	err := w.foresee(ctx)
	w.end()
	p.writes.Put(w)
	return err
}

func (w *write) foresee(ctx context.Context) error {
	j := w.bulk.options.Journal
	if j != nil {
		if err := j.Plan(w.plan()); err != nil {
			return err
		}
	}
	create, err := w.change(ctx, slices.Clone(w.pending()))
	if err != nil {
		return err
	}
	if create, err = w.provable(ctx, create); err != nil {
		return err
	}
	for _, row := range create {
		w.chunk.Fates[row] = pipeline.Written
		w.bulk.forms.kept(w.key(row)) // until an answer tells otherwise
	}
	w.keepTwins()
	w.giveIDs()
	if j == nil {
		return nil
	}
	s := journal.Settlement{Fates: w.chunk.Fates, IDs: w.chunk.IDs}
	s.Sums = w.sums
	return j.Settle(w.chunk.Seq, s)
}

// foreseeChanges settles the rows whose records would be changed.
func (w *write) foreseeChanges(changes []change) {
	for i := range changes {
		c := &changes[i]
		w.chunk.Fates[c.row] = pipeline.Updated
		w.setID(c.row, []byte(c.id))
		if j := w.bulk.options.Journal; j != nil {
			w.planSum(c.row, j.Sum(c.patch))
		}
		for name := range jsonscan.Members(c.patch) {
			w.warn(c.row, w.bulk.field(string(jsonscan.Unquote(name))), CodeWouldChange)
		}
	}
}

// keepTwins drops what was said of records like those of rows that make none.
// A row that does shares the id of the record with it.
func (w *write) keepTwins() {
	c := w.chunk
	c.Problems = slices.DeleteFunc(c.Problems, func(p pipeline.Problem) bool {
		if p.Code != CodeDuplicateOfRecord || p.Row < 0 {
			return false
		}
		if c.Fates[p.Row] != pipeline.Written {
			return true
		}
		if len(w.idOf(p.Row)) == 0 {
			w.setID(p.Row, []byte(p.Private))
		}
		return false
	})
}

// Planned is what a Plan had its journal note. A *journal.Journal is one.
type Planned interface {
	Find(seq int64) (*journal.Entry, error)
}

// recallPlan reads what was planned of the chunk.
func (w *write) recallPlan() error {
	w.planned = nil
	if w.bulk.options.Planned == nil || w.chunk.Pending() == 0 {
		return nil
	}
	plan := w.plan()
	e, err := w.bulk.options.Planned.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil, len(e.Fates) != w.chunk.Len(), e.First != plan.First || e.Last != plan.Last || e.Rows != plan.Rows || !bytes.Equal(e.Digest, plan.Digest):
		return &changedInputError{plan.Seq, plan.First, plan.Last}
	}
	w.planned = e
	return nil
}

// asPlanned returns those of rows that were planned to make a record, and rejects
// the others.
func (w *write) asPlanned(rows []int32) []int32 {
	if w.planned == nil {
		return rows
	}
	return slices.DeleteFunc(rows, func(row int32) bool {
		bad := w.planned.Fates[row] != pipeline.Written
		if bad {
			w.note(row, pipeline.None, codeNotAsPlanned, "")
		}
		return bad
	})
}

// changesAsPlanned returns those of changes that were planned, just as they are,
// and rejects the rows of the others.
func (w *write) changesAsPlanned(changes []change) []change {
	if w.planned == nil {
		return changes
	}
	return slices.DeleteFunc(changes, func(c change) bool {
		sums := w.planned.Sums
		bad := w.planned.Fates[c.row] != pipeline.Updated || len(sums) <= int(c.row) || sums[c.row] != w.bulk.options.Journal.Sum(c.patch)
		if bad {
			w.note(c.row, pipeline.None, codeNotAsPlanned, "")
		}
		return bad
	})
}

// planSum keeps the sum of what row would change.
func (w *write) planSum(row int32, sum uint64) {
	if w.sums == nil {
		w.sums = make([]uint64, w.chunk.Len())
	}
	w.sums[row] = sum
}
