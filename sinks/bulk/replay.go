package bulk

import (
	"bytes"
	"fmt"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// replayer takes from a journal what it knows of the rows of the chunk.
type replayer struct {
	engine  *engine
	rows    *chunkRows
	storage *storage
	journal *chunkJournal
}

// replay takes from the journal what it knows of the chunk. If that is nothing, the
// journal notes which rows the chunk is.
func (rp *replayer) replay() error {
	j := rp.engine.options.Journal
	if j == nil || rp.rows.chunk.Pending() == 0 {
		return nil
	}
	e, id, err := rp.journal.find(j)
	switch {
	case err != nil:
		return err
	case e == nil:
		return j.Plan(id)
	}
	rp.journal.entry = e
	return rp.apply(e)
}

// replayPart takes from the journal what it knows of the chunk, or of its first rows.
func (rp *replayer) replayPart() error {
	id := rp.journal.identity()
	e, err := rp.engine.options.Journal.Find(id.Seq)
	if err != nil || e == nil || e.First != id.First || e.Rows < id.Rows || e.Rows == id.Rows && !bytes.Equal(e.Digest, id.Digest) {
		return err
	}
	err = rp.apply(e)
	if err == nil {
		rp.journal.restoreProblems()
	}
	return err
}

// apply settles the rows of which e knows what became, and notes which of
// them are in doubt. What e knows of rows that the chunk does not have is left out.
func (rp *replayer) apply(e *journal.Entry) error {
	c := rp.rows.chunk
	n, err := readNotes(e.Notes, e.Rows)
	if err != nil || e.Rows < c.Len() || len(e.Fates) > 0 && len(e.Fates) != e.Rows {
		return fmt.Errorf("chunk %d: %w", c.Seq, errNotes)
	}
	n.within(c.Len())
	for _, row := range e.Sent {
		if row < 0 || int(row) >= e.Rows {
			return fmt.Errorf("chunk %d: %w", c.Seq, errNotes)
		}
		if int(row) < c.Len() {
			rp.journal.announced[row] = true
		}
	}
	for i := range c.Fates {
		if c.Fates[i] == pipeline.Pending {
			rp.applyRow(int32(i), e)
		}
	}
	rp.storage.stored, rp.journal.unmatchedIDs = n.stored, n.unmatchedIDs
	rp.storage.learnStored(n.unshown, n.unread)
	for _, row := range n.downgraded {
		if rp.rows.final(row) {
			rp.rows.downgrade(row)
		} else {
			rp.rows.downgraded[row] = true
		}
	}
	rp.journal.keepProblems(n.problems)
	rp.journal.keepKnownKey()
	return nil
}

// applyRow takes over what e knows of row.
func (rp *replayer) applyRow(row int32, e *journal.Entry) {
	fate := pipeline.Pending
	if len(e.Fates) > 0 {
		fate = e.Fates[row]
	}
	switch {
	case rp.journal.announced[row], fate == pipeline.InDoubt:
		rp.rows.chunk.Fates[row] = pipeline.InDoubt
		rp.journal.doubtful = append(rp.journal.doubtful, row)
	case fate == pipeline.Pending, fate == pipeline.NotSent:
	default:
		rp.rows.chunk.Fates[row] = fate
		if e.IDs.Len() > int(row) {
			rp.rows.setID(row, e.IDs.Value(int(row)))
		}
		rp.rows.claim(row)
	}
}

// loadPrior gives the rows of the chunk, which is one of a run that is over, the
// fates and the ids that they had when it ended. Of a chunk that the run did not
// come to they are Skipped.
func (rp *replayer) loadPrior(prior PriorRun) error {
	e, _, err := rp.journal.find(prior)
	if err == nil && e != nil {
		err = rp.apply(e)
	}
	if err != nil {
		return err
	}
	rp.rows.chunk.SetPending(pipeline.Skipped)
	rp.rows.chunk.Problems = rp.rows.chunk.Problems[:rp.rows.before]
	rp.storage.prior = rp.storage.stored
	// What the run left unfinished stays so.
	rp.journal.begin()
	return nil
}
