package runs

import (
	"fmt"
	"path/filepath"
	"slices"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sources"
)

// FindRejects returns the path of the run whose rejects are in file: the one in whose
// directory file is, or else the newest in the store that rejected rows.
func (s *Store) FindRejects(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", advice.Usage(err, NamesHint)
	}
	if dir := filepath.Dir(abs); report.IsRun(dir) {
		return dir, nil
	}
	return s.newest("that rejected rows", func(path string) bool {
		sum, err := report.ReadSummary(path)
		return err == nil && sum != nil && report.HasJournal(path) && sum.Rows.Rejected > 0
	})
}

// RetryRoot returns the path of the run whose rows the one at path sent: its own, or,
// if it is a retry, those of another.
func RetryRoot(path string) (string, error) {
	if !report.HasJournal(path) {
		return "", NoJournal(path, "did not write to the API: there is nothing to retry", "start a run of validate or convert again")
	}
	r, err := ReadRetry(path)
	if err != nil || r == nil {
		return path, err
	}
	return At(Moved(r.Run, path))
}

// SelectRetry returns which rows of file, rejects of the group that were fixed, a retry
// sends. With again the file may have been sent before. It is an error if a run of the
// group has to be resumed first, or rows are in doubt.
func (g Group) SelectRetry(file string, again bool) (*RetrySelection, error) {
	if err := g.retryable(file, again); err != nil {
		return nil, err
	}
	rows, err := rowsOfFile(file)
	if err != nil {
		return nil, err
	}
	return g.selectRows(file, rows)
}

// retryable returns why file cannot be sent now.
func (g Group) retryable(file string, again bool) error {
	if !g[0].SendsRows() {
		return advice.Usagef(NamesHint, "%s is a run of %s, which has no rows to send", g[0].ID, g[0].Verb())
	}
	if err := g.refuseUndone(g[0]); err != nil && g[0].State != report.StateDone {
		return err
	}
	for _, r := range g {
		switch {
		case r != g[0] && r.retry == nil, r.State == report.StateDone:
		case r.State == report.StateRunning:
			return advice.Usagef("wait until it has finished", "%s is running", r.ID)
		default:
			err := advice.Usagef(advice.CommandMark+" resumes it", "%s did not finish (%s) and has rows left to send", r.ID, r.State)
			return advice.Then(err, r.resume())
		}
	}
	return g.refuseSent(file, again)
}

// refuseSent refuses to send file if a retry of the group sent it, unless again says
// otherwise.
func (g Group) refuseSent(file string, again bool) error {
	is, err := DescribeFile("file", file)
	if err != nil {
		return advice.Usage(err, "FILE is the rejects.csv of the run with the rows fixed")
	}
	for _, r := range g.Retries() {
		if r.Header != nil && r.Header.Input.SHA256 == is.SHA256 && !again {
			return advice.Usagef("--again sends those of its rows that are still rejected", "%s was sent already, as %s", file, r.ID)
		}
	}
	return nil
}

// rowsOfFile returns the numbers of the rows of a rejects file that was fixed. Each has to
// have one, and its own.
func rowsOfFile(file string) (RowSet, error) {
	rows, n := RowSet{}, 0
	err := eachBatch(file, &sources.Options{OriginalNumbers: true}, func(info *sources.Info, b *pipeline.Batch) error {
		if !info.IsRejectsFile {
			return notRejects(file)
		}
		for _, row := range b.Rows {
			n++
			if row == 0 {
				return advice.Usagef("remove new rows from the file, and import them as a file of their own", "%s: row %d below the header has no number in the column %s", file, n, pipeline.RowColumn)
			}
			if !rows.Add(row) {
				return twiceInFile(file, row, n)
			}
		}
		return nil
	})
	if err == nil && n == 0 {
		err = advice.Usagef("rejects.csv of the run has the rows it rejected", "%s holds no rows of a run", file)
	}
	return rows, err
}

// twiceInFile says where in file, below its header, row stands for the first time,
// that stands there again in place n.
func twiceInFile(file string, row int64, n int) error {
	first, at := 0, 0
	err := eachRow(file, func(r int64) error {
		if at++; r == row && first == 0 {
			first = at
		}
		return nil
	})
	if err != nil {
		return err
	}
	return advice.Usagef("remove one of them", "%s: rows %d and %d below the header are both row %d of the run", file, first, n, row)
}

func notRejects(file string) error {
	return advice.Usagef("fix the rows in a copy of rejects.csv, whose columns "+pipeline.RowColumn+" and "+pipeline.ErrorsColumn+" identify its rows; import other files with flytt import",
		"%s is not a rejects file", file)
}

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
