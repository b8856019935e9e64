package bulk

import (
	"bytes"
	"fmt"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// recall takes from the journal what it knows of the chunk, and plans the chunk
// if that is nothing.
func (w *write) recall() error {
	j := w.engine.options.Journal
	if j == nil || w.rows.chunk.Pending() == 0 {
		return nil
	}
	plan := w.journal.identity()
	e, err := j.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil:
		return j.Plan(plan)
	case e.First != plan.First || e.Last != plan.Last || e.Rows != plan.Rows || !bytes.Equal(e.Digest, plan.Digest):
		return &changedInputError{plan.Seq, plan.First, plan.Last}
	}
	w.journal.entry = e
	if err := w.takeOver(e); err != nil {
		return fmt.Errorf("chunk %d: %w", plan.Seq, err)
	}
	return nil
}

// Recall settles those rows of c that earlier passes did, and those that they left in
// doubt. It sends nothing and looks nothing up. Of the chunk that the journal knows
// there may be the first rows only: the run was stopped before the others were read.
func (s *Import) Recall(c *pipeline.Chunk) error {
	if s.engine.options.Journal == nil {
		return nil
	}
	w := s.engine.writes.Get().(*write)
	w.begin(c)
	err := w.remember()
	w.rows.giveIDs()
	w.end()
	s.engine.writes.Put(w)
	return err
}

// remember takes from the journal what it knows of the chunk, or of its first rows.
func (w *write) remember() error {
	plan := w.journal.identity()
	e, err := w.engine.options.Journal.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil, e.First != plan.First, e.Rows < plan.Rows, e.Rows == plan.Rows && !bytes.Equal(e.Digest, plan.Digest):
		return nil
	}
	if err := w.takeOver(e); err != nil {
		return fmt.Errorf("chunk %d: %w", plan.Seq, err)
	}
	w.journal.restoreKept()
	return nil
}

// takeOver settles the rows of which e knows what became, and notes which of
// them are in doubt. What e knows of rows that the chunk does not have is left out.
func (w *write) takeOver(e *journal.Entry) error {
	c := w.rows.chunk
	n, err := readNotes(e.Notes, e.Rows)
	if err != nil || e.Rows < c.Len() || len(e.Fates) > 0 && len(e.Fates) != e.Rows {
		return errNotes
	}
	beyond := func(row int32) bool { return int(row) >= c.Len() }
	n.within(c.Len())
	for _, row := range e.Sent {
		if row < 0 || int(row) >= e.Rows {
			return errNotes
		}
		if !beyond(row) {
			w.journal.announced[row] = true
		}
	}
	for i := range c.Fates {
		if c.Fates[i] == pipeline.Pending {
			w.takeRow(int32(i), e)
		}
	}
	w.storage.stored, w.journal.unmatchedIDs = n.stored, n.loose
	w.storage.learnStored(n.unshown, n.unread)
	for _, row := range n.excused {
		if w.rows.final(row) {
			w.rows.downgrade(row)
		} else {
			w.rows.downgraded[row] = true
		}
	}
	w.journal.restore(n.problems)
	w.journal.keepWitness()
	return nil
}

// takeRow takes over what e knows of row.
func (w *write) takeRow(row int32, e *journal.Entry) {
	fate := pipeline.Pending
	if len(e.Fates) > 0 {
		fate = e.Fates[row]
	}
	switch {
	case w.journal.announced[row], fate == pipeline.InDoubt:
		w.rows.chunk.Fates[row] = pipeline.InDoubt
		w.journal.doubtful = append(w.journal.doubtful, row)
	case fate == pipeline.Pending, fate == pipeline.NotSent:
	default:
		w.rows.chunk.Fates[row] = fate
		if e.IDs.Len() > int(row) {
			w.rows.setID(row, e.IDs.Value(int(row)))
		}
		w.rows.claim(row)
	}
}

// downgrade turns the faults of row into warnings.
func (r *chunkRows) downgrade(row int32) {
	r.downgraded[row] = true
	for _, at := range r.errorsOf(row) {
		r.chunk.Problems[at].Severity = pipeline.Warning
	}
}
