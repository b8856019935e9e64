package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/pipeline"
	"flytt/sources"
)

// The codes of rows that a retry does not send.
const (
	alreadyWritten pipeline.Code = "already_written"
	notRejected    pipeline.Code = "not_rejected"
	keyWritten     pipeline.Code = "key_written"
)

// retryCodes documents them.
var retryCodes = []pipeline.CodeInfo{
	{Code: alreadyWritten, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "the run, or a retry of it, wrote the row already",
		Fix:     "Take the row out of the file; to change its record, import it by its id."},
	{Code: notRejected, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "a row that the run does not have among those rejected",
		Fix:     "A retry sends rows of rejects.csv; rows that are new are for an import of their own."},
	{Code: keyWritten, Stage: pipeline.Read, Severity: pipeline.Error,
		Meaning: "another row with the same key was written by the run, or a retry of it",
		Fix:     "Give the row a key of its own, or take it out of the file."},
}

// retryFile is the file of a run directory that says which rows a retry sends.
const retryFile = "retry.json"

// retryRecord says which rows of a file a retry sends, by their numbers in the
// input of the run that rejected them. It is made before the first is sent, and
// whoever goes on with the retry holds to it.
type retryRecord struct {
	Run        string `json:"run"`  // path of the run that the rows are of
	Rows       rowSet `json:"rows"` // of the file
	Written    rowSet `json:"already_written,omitempty"`
	Settled    rowSet `json:"not_rejected,omitempty"`
	KeyWritten rowSet `json:"key_written,omitempty"` // rejected still: another row with its key arrived

	// Conflict has the rows that were rejected because records had their key: they are
	// looked up before they are sent, and make no second one.
	Conflict rowSet    `json:"key_conflict,omitempty"`
	Began    time.Time `json:"began,omitzero"` // when the run did that the rows are of
}

// readRetry reads the record of a retry; it is nil if the run at path is none.
func readRetry(path string) (*retryRecord, error) {
	data, err := os.ReadFile(filepath.Join(path, retryFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", retryFile, pathCause(err))
	}
	r := &retryRecord{}
	if err := json.Unmarshal(data, r); err != nil || r.Run == "" {
		return nil, fmt.Errorf("%s: not the record of a retry", retryFile)
	}
	return r, nil
}

// write puts the record into the directory of its run.
func (r *retryRecord) write(dir *report.Dir) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := dir.Write(retryFile, append(data, '\n')); err != nil {
		return fmt.Errorf("%s: %w", retryFile, pathCause(err))
	}
	return nil
}

// sent returns the rows that are the retry's to send, those among them that it
// rejects because of their key.
func (r *retryRecord) sent() rowSet {
	rows := r.Rows.clone()
	rows.minus(r.Written)
	rows.minus(r.Settled)
	return rows
}

// refused counts the rows that the retry rejected because they were not its to
// send.
func (r *pastRun) refused() (n int64) {
	if r.summary == nil {
		return min(r.rows.Rejected, r.retry.Written.len()+r.retry.Settled.len())
	}
	for _, reason := range r.summary.Rejects {
		if reason.Code == alreadyWritten || reason.Code == notRejected {
			n += reason.Count
		}
	}
	return n
}

// retrying is the step that turns away the rows a retry does not send. It comes
// before all others, which leave such rows alone. It is shared, and only read.
type retrying struct {
	record *retryRecord
	sent   rowSet
}

func (r *retryRecord) step() *retrying {
	s := &retrying{record: r, sent: r.sent()}
	s.sent.minus(r.KeyWritten)
	return s
}

// Apply implements pipeline.Step.
func (s *retrying) Apply(b *pipeline.Batch) error {
	for i, row := range b.Rows {
		if s.sent.has(row) {
			continue
		}
		b.Note(pipeline.Problem{
			Row: int32(i), Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Error, Stage: pipeline.Read, Code: s.code(row),
		})
	}
	return nil
}

// code returns why row is not sent.
func (s *retrying) code(row int64) pipeline.Code {
	switch {
	case s.record.Written.has(row):
		return alreadyWritten
	case s.record.KeyWritten.has(row):
		return keyWritten
	}
	return notRejected
}

// rowsOfFile returns the numbers of the rows of a mended rejects file. Each is to
// have one, and its own.
func rowsOfFile(file string) (rowSet, error) {
	rows, n := rowSet{}, 0
	err := eachBatch(file, &sources.Options{OriginalNumbers: true}, func(info *sources.Info, b *pipeline.Batch) error {
		if !info.IsRejectsFile {
			return notRejects(file)
		}
		for _, row := range b.Rows {
			n++
			if row == 0 {
				return usagef("rows that are new are for an import of their own: take them out", "%s: row %d below the header has no number in the column %s", file, n, pipeline.RowColumn)
			}
			if !rows.add(row) {
				return twiceInFile(file, row, n)
			}
		}
		return nil
	})
	if err == nil && n == 0 {
		err = usagef("rejects.csv of the run has the rows it rejected", "%s holds no rows of a run", file)
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
	return usagef("leave one of them", "%s: rows %d and %d below the header are both row %d of the run", file, first, n, row)
}

func notRejects(file string) error {
	return usagef("mend a copy of rejects.csv, whose columns "+pipeline.RowColumn+" and "+pipeline.ErrorsColumn+" tell its rows; a file of another form is for flytt import",
		"%s is not a rejects file", file)
}

// standing is how the rows of a file stand with a run and its retries. A row that
// is in none of the sets is not listed: unchanged, skipped, or no row of the input.
type standing struct {
	rejected, written, inDoubt rowSet // a retry may send those that were turned away
}

// forget takes what is known of rows back.
func (s *standing) forget(rows rowSet) {
	for _, set := range []rowSet{s.rejected, s.written, s.inDoubt} {
		set.minus(rows)
	}
}

// stand returns how each of rows stands with the family.
func (f family) stand(rows rowSet) (*standing, error) {
	now := &standing{rejected: rowSet{}, written: rowSet{}, inDoubt: rowSet{}}
	for _, r := range f {
		asked := rows
		switch {
		case r.retry != nil:
			asked = rows.and(r.retry.sent())
			now.forget(asked) // unless a file says more
		case r != f[0]:
			continue
		}
		if err := r.overlay(now, asked); err != nil {
			return nil, err
		}
	}
	return now, nil
}

// overlay lays what the files of r say of the rows asked for over now.
func (r *pastRun) overlay(now *standing, asked rowSet) error {
	for _, each := range []struct {
		name string
		is   rowSet
	}{{"rejects.csv", now.rejected}, {"in_doubt.csv", now.inDoubt}, {"written.csv", now.written}} {
		listed := rowSet{}
		err := eachRow(filepath.Join(r.path, each.name), func(row int64) error {
			if asked.has(row) {
				listed.add(row)
			}
			return nil
		})
		if err != nil {
			return err
		}
		now.forget(listed)
		each.is.join(listed)
	}
	return nil
}

// stillInDoubt refuses to send rows of file that are in doubt, and says what settles
// them: the run, where it can look them up, or a person who has.
func (f family) stillInDoubt(file string, rows rowSet) error {
	n := rows.len()
	what := fmt.Errorf("%s: %d %s in doubt, row %d first: nothing shows whether they arrived", file, n, text.Plural(n, "row is", "rows are"), rows.first())
	if !slices.ContainsFunc(f, (*pastRun).settles) {
		return usage(what, "take them out of the file; those that you know not to have arrived, for you looked, can be imported as a run of their own: flytt import "+quote(file))
	}
	resume := join([]string{"flytt", "resume", f[0].name()})
	return &nextError{usage(what, resume+" looks them up; or take them out of the file"), step{command: resume}}
}

// plan says which rows of file may be sent. It is an error if some of them are in
// doubt.
func (f family) plan(file string, rows rowSet) (*retryRecord, error) {
	now, err := f.stand(rows)
	if err != nil {
		return nil, err
	}
	if now.inDoubt.len() > 0 {
		return nil, f.stillInDoubt(file, now.inDoubt)
	}
	settled := rows.clone()
	settled.minus(now.written)
	settled.minus(now.rejected)
	conflict, err := f.conflicts(rows)
	if err != nil {
		return nil, err
	}
	return &retryRecord{Run: f[0].path, Rows: rows, Written: now.written, Settled: settled, Conflict: conflict, Began: f[0].began}, nil
}
