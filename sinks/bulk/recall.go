package bulk

import (
	"bytes"
	"fmt"
	"slices"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// recall takes from the journal what it knows of the chunk, and plans the chunk
// if that is nothing.
func (w *write) recall() error {
	j := w.bulk.options.Journal
	if j == nil || w.chunk.Pending() == 0 {
		return nil
	}
	plan := w.plan()
	e, err := j.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil:
		return j.Plan(plan)
	case e.First != plan.First || e.Last != plan.Last || e.Rows != plan.Rows || !bytes.Equal(e.Digest, plan.Digest):
		return &changedInputError{plan.Seq, plan.First, plan.Last}
	}
	w.entry = e
	if err := w.takeOver(e); err != nil {
		return fmt.Errorf("chunk %d: %w", plan.Seq, err)
	}
	return nil
}

// Recall settles those rows of c that earlier passes did, and those that they left in
// doubt. It sends nothing and looks nothing up. Of the chunk that the journal knows
// there may be the first rows only: the run was stopped before the others were read.
func (s *Import) Recall(c *pipeline.Chunk) error {
	if s.options.Journal == nil {
		return nil
	}
	w := s.writes.Get().(*write)
	w.begin(c)
	err := w.remember()
	w.giveIDs()
	w.end()
	s.writes.Put(w)
	return err
}

// remember takes from the journal what it knows of the chunk, or of its first rows.
func (w *write) remember() error {
	plan := w.plan()
	e, err := w.bulk.options.Journal.Find(plan.Seq)
	switch {
	case err != nil:
		return err
	case e == nil, e.First != plan.First, e.Rows < plan.Rows, e.Rows == plan.Rows && !bytes.Equal(e.Digest, plan.Digest):
		return nil
	}
	if err := w.takeOver(e); err != nil {
		return fmt.Errorf("chunk %d: %w", plan.Seq, err)
	}
	w.restoreKept()
	return nil
}

// takeOver settles the rows of which e knows what became, and notes which of
// them are in doubt. What e knows of rows that the chunk does not have is left out.
func (w *write) takeOver(e *journal.Entry) error {
	c := w.chunk
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
			w.announced[row] = true
		}
	}
	for i := range c.Fates {
		if c.Fates[i] == pipeline.Pending {
			w.takeRow(int32(i), e)
		}
	}
	w.stored, w.loose = n.stored, n.loose
	w.learnStored(n.unshown, n.unread)
	for _, row := range n.excused {
		if w.final(row) {
			w.pardon(row)
		} else {
			w.excused[row] = true
		}
	}
	w.restore(n.problems)
	w.keepWitness()
	return nil
}

// takeRow takes over what e knows of row.
func (w *write) takeRow(row int32, e *journal.Entry) {
	fate := pipeline.Pending
	if len(e.Fates) > 0 {
		fate = e.Fates[row]
	}
	switch {
	case w.announced[row], fate == pipeline.InDoubt:
		w.chunk.Fates[row] = pipeline.InDoubt
		w.doubtful = append(w.doubtful, row)
	case fate == pipeline.Pending, fate == pipeline.NotSent:
	default:
		w.chunk.Fates[row] = fate
		if e.IDs.Len() > int(row) {
			w.setID(row, e.IDs.Value(int(row)))
		}
		w.claim(row)
	}
}

// claim claims the record of row, which an earlier pass settled, or left in
// doubt for ever.
func (w *write) claim(row int32) {
	if !w.bulk.changes && !w.bulk.options.SkipExisting || w.chunk.Fates[row] == pipeline.Rejected {
		return
	}
	id := w.id(row)
	if len(id) == 0 {
		id = w.idOf(row)
	}
	if len(id) > 0 {
		w.bulk.claims.Take(idClaim, id)
	}
	if key := w.key(row); w.bulk.byKey && len(w.id(row)) == 0 && len(key) > 0 {
		w.bulk.claims.Take(keyClaim, key)
	}
	if w.chunk.Fates[row] == pipeline.Written {
		w.claimCreated(row)
	}
}

// idOf returns the id that was set for row, or nothing.
func (w *write) idOf(row int32) []byte {
	at := w.ids[row]
	return w.idText[at.start:at.end]
}

// final reports whether nothing more happens to row.
func (w *write) final(row int32) bool {
	fate := w.chunk.Fates[row]
	return fate != pipeline.Pending && fate != pipeline.InDoubt
}

// restore notes again what was said of rows; of those in doubt it is kept until
// it is known whether they are sent again, for then it will be said anew.
func (w *write) restore(problems []pipeline.Problem) {
	for i := range problems {
		if w.final(problems[i].Row) {
			w.chunk.Problems = append(w.chunk.Problems, problems[i])
		} else {
			w.kept = append(w.kept, problems[i])
		}
	}
}

// restoreKept notes again what was said of rows in doubt that were not sent again.
func (w *write) restoreKept() {
	for i := range w.kept {
		if w.stillSaid(&w.kept[i]) {
			w.chunk.Problems = append(w.chunk.Problems, w.kept[i])
		}
	}
	w.kept = w.kept[:0]
	for _, row := range w.doubtful {
		if w.excused[row] && !w.again[row] {
			w.pardon(row)
		}
	}
}

// stillSaid reports whether p, which was said of a row in doubt, is to be said of
// it still.
func (w *write) stillSaid(p *pipeline.Problem) bool {
	return !w.again[p.Row] && (p.Severity != pipeline.Error || w.chunk.Fates[p.Row] == pipeline.InDoubt)
}

// pardon turns the faults of row into warnings.
func (w *write) pardon(row int32) {
	w.excused[row] = true
	for _, at := range w.faults(row) {
		w.chunk.Problems[at].Severity = pipeline.Warning
	}
}

// learnStored learns from the rows that earlier passes wrote how the API stores what it
// is sent, but for those of which it was not shown.
func (w *write) learnStored(unshown, unread []int32) {
	skip := cleared[bool](nil, w.chunk.Len())
	for _, row := range unshown {
		skip[row] = true
		read := !slices.Contains(unread, row)
		w.unshown = append(w.unshown, sentRow{row: row, placed: !read, read: read})
	}
	for i, fate := range w.chunk.Fates {
		row := int32(i)
		if fate != pipeline.Written || skip[i] {
			continue
		}
		w.bulk.fields.learn(w.item(row), w.stored[row])
		switch key := w.key(row); {
		case !w.bulk.options.KeyLookup || len(key) == 0:
		case w.rekeyed(row):
			w.bulk.forms.changed(key)
		default:
			w.bulk.forms.kept(key)
		}
	}
}
