package runs

import (
	"fmt"
	"path/filepath"
	"slices"

	"flytt/internal/advice"
	"flytt/internal/text"
)

// rowStatus is what became of rows in a run and its retries. A row that is in none of the
// sets is in no list: it was unchanged or skipped, or is not a row of the input.
type rowStatus struct {
	rejected, written, inDoubt RowSet
}

// forget removes what is known of rows.
func (s *rowStatus) forget(rows RowSet) {
	for _, set := range []RowSet{s.rejected, s.written, s.inDoubt} {
		set.minus(rows)
	}
}

// statusOf returns what became of rows.
func (g Group) statusOf(rows RowSet) (*rowStatus, error) {
	status := &rowStatus{rejected: RowSet{}, written: RowSet{}, inDoubt: RowSet{}}
	for _, r := range g {
		asked := rows
		switch {
		case r.retry != nil:
			asked = rows.and(r.retry.Sent())
			status.forget(asked) // unless a list of the retry has them
		case r != g[0]:
			continue
		}
		if err := r.updateStatus(status, asked); err != nil {
			return nil, err
		}
	}
	return status, nil
}

// updateStatus replaces what status has of the rows asked for by what the lists of r
// have.
func (r *Record) updateStatus(status *rowStatus, asked RowSet) error {
	for _, each := range []struct {
		name string
		is   RowSet
	}{{"rejects.csv", status.rejected}, {"in_doubt.csv", status.inDoubt}, {"written.csv", status.written}} {
		listed := RowSet{}
		err := eachRow(filepath.Join(r.Path, each.name), func(row int64) error {
			if asked.Has(row) {
				listed.Add(row)
			}
			return nil
		})
		if err != nil {
			return err
		}
		status.forget(listed)
		each.is.join(listed)
	}
	return nil
}

// selectRows returns which of rows, those of file, a retry sends. It is an error if some
// of them are in doubt.
func (g Group) selectRows(file string, rows RowSet) (*RetrySelection, error) {
	status, err := g.statusOf(rows)
	if err != nil {
		return nil, err
	}
	if status.inDoubt.Len() > 0 {
		return nil, g.refuseInDoubt(file, status.inDoubt)
	}
	settled := rows.clone()
	settled.minus(status.written)
	settled.minus(status.rejected)
	conflict, err := g.conflicts(rows)
	if err != nil {
		return nil, err
	}
	return &RetrySelection{Run: g[0].Path, Rows: rows, Written: status.written, Settled: settled, Conflict: conflict, Began: g[0].Began}, nil
}

// refuseInDoubt refuses to send rows of file that are in doubt. It says what settles
// them: the run, where it can look them up, or else a person.
func (g Group) refuseInDoubt(file string, rows RowSet) error {
	n := rows.Len()
	what := fmt.Errorf("%s: %d %s in doubt, row %d first: nothing shows whether they arrived", file, n, text.Plural(n, "row is", "rows are"), rows.first())
	if slices.ContainsFunc(g, (*Record).settles) {
		err := advice.Usage(what, advice.CommandMark+" looks them up; or remove them from the file")
		return advice.Then(err, g[0].resume())
	}
	return advice.Usage(what, "remove them from the file; if you checked that they did not arrive, import them as a new run: flytt import "+file)
}
