package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"flytt/internal/report"
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
	Run     string  `json:"run"`  // path of the run that the rows are of
	Rows    []int64 `json:"rows"` // of the file, in its order
	Written []int64 `json:"already_written,omitempty"`
	Settled []int64 `json:"not_rejected,omitempty"`
	Clash   []int64 `json:"key_written,omitempty"` // rejected still: another row with its key arrived
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
func (r *retryRecord) sent() map[int64]bool {
	rows := make(map[int64]bool, len(r.Rows))
	for _, row := range r.Rows {
		rows[row] = true
	}
	for _, list := range [][]int64{r.Written, r.Settled} {
		for _, row := range list {
			delete(rows, row)
		}
	}
	return rows
}

// refused counts the rows that the retry rejected because they were not its to
// send.
func (r *pastRun) refused() (n int64) {
	if r.summary == nil {
		return min(r.rows.Rejected, int64(len(r.retry.Written)+len(r.retry.Settled)))
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
	sent  map[int64]bool
	codes map[int64]pipeline.Code // of those that are not; notRejected if there is none
}

func (r *retryRecord) step() *retrying {
	s := &retrying{sent: r.sent(), codes: map[int64]pipeline.Code{}}
	for _, row := range r.Written {
		s.codes[row] = alreadyWritten
	}
	for _, row := range r.Clash {
		s.codes[row] = keyWritten
		delete(s.sent, row)
	}
	return s
}

// Apply implements pipeline.Step.
func (s *retrying) Apply(b *pipeline.Batch) error {
	for i, row := range b.Rows {
		if s.sent[row] {
			continue
		}
		b.Note(pipeline.Problem{
			Row: int32(i), Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Error, Stage: pipeline.Read,
			Code: cmp.Or(s.codes[row], notRejected),
		})
	}
	return nil
}

// rowsOfFile returns the numbers of the rows of a mended rejects file, in its
// order. Each is to have one, and its own.
func rowsOfFile(file string) ([]int64, error) {
	var rows []int64
	seen := map[int64]int{}
	err := eachBatch(file, &sources.Options{Origin: true}, func(info *sources.Info, b *pipeline.Batch) error {
		if !info.Rejects {
			return notRejects(file)
		}
		for _, row := range b.Rows {
			rows = append(rows, row)
			n := len(rows)
			if row == 0 {
				return usagef("rows that are new are for an import of their own: take them out", "%s: row %d below the header has no number in the column %s", file, n, pipeline.RowColumn)
			}
			if at := seen[row]; at > 0 {
				return usagef("leave one of them", "%s: rows %d and %d below the header are both row %d of the run", file, at, n, row)
			}
			seen[row] = n
		}
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = usagef("rejects.csv of the run has the rows it rejected", "%s holds no rows of a run", file)
	}
	return rows, err
}

func notRejects(file string) error {
	return usagef("mend a copy of rejects.csv, whose columns "+pipeline.RowColumn+" and "+pipeline.ErrorsColumn+" tell its rows; a file of another form is for flytt import",
		"%s is not a rejects file", file)
}

// standing is how a row stands with a run and its retries.
type standing uint8

const (
	unknown  standing = iota // not listed: unchanged, skipped, or no row of the input
	rejected                 // turned away: a retry may send it
	written
	inDoubt
)

// stand returns how each of rows stands with the family.
func (f family) stand(rows []int64) (map[int64]standing, error) {
	now := make(map[int64]standing, len(rows))
	for _, row := range rows {
		now[row] = unknown
	}
	for _, r := range f {
		sent := map[int64]bool(nil)
		switch {
		case r.retry != nil:
			sent = r.retry.sent()
			for row := range sent {
				if _, asked := now[row]; asked {
					now[row] = unknown // unless a file says more
				}
			}
		case r != f[0]:
			continue
		}
		if err := r.overlay(now, sent); err != nil {
			return nil, err
		}
	}
	return now, nil
}

// overlay lays what the files of r say of rows over now. Of a retry only the rows
// sent count.
func (r *pastRun) overlay(now map[int64]standing, sent map[int64]bool) error {
	for _, each := range []struct {
		name string
		is   standing
	}{{"rejects.csv", rejected}, {"in_doubt.csv", inDoubt}, {"written.csv", written}} {
		err := eachRow(filepath.Join(r.path, each.name), func(row int64) error {
			if _, asked := now[row]; asked && (sent == nil || sent[row]) {
				now[row] = each.is
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// plan says which rows of file may be sent. It is an error if some of them are in
// doubt.
func (f family) plan(file string, rows []int64) (*retryRecord, error) {
	now, err := f.stand(rows)
	if err != nil {
		return nil, err
	}
	record := &retryRecord{Run: f[0].path, Rows: rows}
	doubtful := slices.DeleteFunc(slices.Clone(rows), func(row int64) bool { return now[row] != inDoubt })
	if len(doubtful) > 0 {
		return nil, usagef(join([]string{"flytt", "resume", f[0].name()})+" looks them up; or take them out of the file",
			"%s: %s in doubt, row %d first: nothing shows whether they arrived", file, fmt.Sprintf("%d %s", len(doubtful), plural(len(doubtful), "row is", "rows are")), doubtful[0])
	}
	for _, row := range rows {
		switch now[row] {
		case written:
			record.Written = append(record.Written, row)
		case unknown:
			record.Settled = append(record.Settled, row)
		}
	}
	return record, nil
}
