package runs

import (
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/report"
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
		return "", NoJournal(path, "did not write to the API: there is nothing to retry", "a run of validate or convert is begun again")
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
			return advice.Usagef("wait until it is through", "%s is running", r.ID)
		default:
			err := advice.Usagef(advice.CommandMark+" goes on with it", "%s did not get through (%s), and has rows to send yet", r.ID, r.State)
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
		return advice.Usage(err, "FILE is a rejects.csv of the run, mended")
	}
	for _, r := range g.Retries() {
		if r.Header != nil && r.Header.Input.SHA256 == is.SHA256 && !again {
			return advice.Usagef("--again sends the rows of it that are rejected still", "%s was sent already, as %s", file, r.ID)
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
				return advice.Usagef("rows that are new are for an import of their own: take them out", "%s: row %d below the header has no number in the column %s", file, n, pipeline.RowColumn)
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
	return advice.Usagef("leave one of them", "%s: rows %d and %d below the header are both row %d of the run", file, first, n, row)
}

func notRejects(file string) error {
	return advice.Usagef("mend a copy of rejects.csv, whose columns "+pipeline.RowColumn+" and "+pipeline.ErrorsColumn+" tell its rows; a file of another form is for flytt import",
		"%s is not a rejects file", file)
}
