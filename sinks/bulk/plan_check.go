package bulk

import (
	"slices"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// planCheck holds rows to what was planned of them: one that would do something else now is
// rejected.
type planCheck struct {
	engine  *engine
	rows    *chunkRows
	journal *chunkJournal

	planned *journal.Entry // what was planned of the rows; nil: nothing was
}

// load reads what was planned of the chunk.
func (pc *planCheck) load() error {
	pc.planned = nil
	if pc.engine.options.Planned == nil || pc.rows.chunk.Pending() == 0 {
		return nil
	}
	id := pc.journal.identity()
	e, err := pc.engine.options.Planned.Find(id.Seq)
	switch {
	case err != nil:
		return err
	case e == nil, len(e.Fates) != pc.rows.chunk.Len(), !sameChunk(e, id):
		return &changedInputError{id.Seq, id.First, id.Last}
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
		bad := pc.planned.Fates[c.row] != pipeline.Updated || len(sums) <= int(c.row) || sums[c.row] != pc.engine.options.Journal.Sum(c.patch)
		if bad {
			pc.rows.note(c.row, pipeline.None, codeNotAsPlanned, "")
		}
		return bad
	})
}
