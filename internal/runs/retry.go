package runs

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/internal/report"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

// The codes of rows that a retry does not send.
const (
	alreadyWritten pipeline.Code = "already_written"
	notRejected    pipeline.Code = "not_rejected"
	keyWritten     pipeline.Code = "key_written"
)

// RetryCodes documents them.
var RetryCodes = pipeline.ErrorCodes(pipeline.Read, alreadyWritten, notRejected, keyWritten)

// retryFile is the file of a run directory that says which rows a retry sends.
const retryFile = "retry.json"

// RetrySelection says which rows of a file a retry sends, by their numbers in the
// input of the run that rejected them. It is made before the first row is sent, and
// a process that resumes the retry keeps to it.
type RetrySelection struct {
	Run        string `json:"run"`  // path of the run that the rows are of
	Rows       RowSet `json:"rows"` // of the file
	Written    RowSet `json:"already_written,omitempty"`
	Settled    RowSet `json:"not_rejected,omitempty"`
	KeyWritten RowSet `json:"key_written,omitempty"` // rejected still: another row with its key arrived

	// Conflict has the rows that were rejected because records had their key: they are
	// looked up before they are sent, so that they make no second record.
	Conflict RowSet    `json:"key_conflict,omitempty"`
	Began    time.Time `json:"began,omitzero"` // when the run began that the rows are of
}

// ReadRetry reads which rows the retry at path sends; it is nil if the run is no retry.
func ReadRetry(path string) (*RetrySelection, error) {
	valid := func(s *RetrySelection) bool { return s.Run != "" }
	return osfile.ReadJSON(filepath.Join(path, retryFile), retryFile, "the record of a retry", valid)
}

// Write writes the selection into the directory of its run.
func (s *RetrySelection) Write(dir *report.Dir) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := dir.Write(retryFile, append(data, '\n')); err != nil {
		return fmt.Errorf("%s: %w", retryFile, osfile.Cause(err))
	}
	return nil
}

// Sent returns the rows that are the retry's to send, among them those that it
// rejects because of their key.
func (s *RetrySelection) Sent() RowSet {
	rows := s.Rows.clone()
	rows.minus(s.Written)
	rows.minus(s.Settled)
	return rows
}

// refused counts the rows that the retry rejected because they were not its to
// send.
func (r *Record) refused() (n int64) {
	if r.Summary == nil {
		return min(r.Rows.Rejected, r.retry.Written.Len()+r.retry.Settled.Len())
	}
	for _, reason := range r.Summary.Rejects {
		if reason.Code == alreadyWritten || reason.Code == notRejected {
			n += reason.Count
		}
	}
	return n
}

// Step returns the step that rejects the rows a retry does not send. It comes before
// all others, which leave such rows alone. Workers share it: it is only read.
func (s *RetrySelection) Step() pipeline.Step {
	sent := s.Sent()
	sent.minus(s.KeyWritten)
	return &retryStep{s, sent}
}

type retryStep struct {
	selection *RetrySelection
	sent      RowSet
}

// Apply implements pipeline.Step.
func (s *retryStep) Apply(b *pipeline.Batch) error {
	for i, row := range b.Rows {
		if s.sent.Has(row) {
			continue
		}
		b.Note(pipeline.Problem{
			Row: int32(i), Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Error, Stage: pipeline.Read, Code: s.selection.codeOf(row),
		})
	}
	return nil
}

// codeOf returns why row is not sent.
func (s *RetrySelection) codeOf(row int64) pipeline.Code {
	switch {
	case s.Written.Has(row):
		return alreadyWritten
	case s.KeyWritten.Has(row):
		return keyWritten
	}
	return notRejected
}

// keyTaken are the codes of rows that were rejected because records had their key. One of
// the records may be that of the row itself.
var keyTaken = []pipeline.Code{bulk.CodeKeyConflict, bulk.CodeKeyNotUnique}

// conflicts returns those of rows that the group rejected because records had their
// key: in rejects.csv their reasons name the code. Where that file cannot be read any
// more, because somebody saved it in another form, it is all of them.
func (g Group) conflicts(rows RowSet) (RowSet, error) {
	found := RowSet{}
	for _, r := range g {
		if r != g[0] && r.retry == nil || !r.rejectedFor(keyTaken...) {
			continue
		}
		err := eachReason(filepath.Join(r.Path, "rejects.csv"), func(row int64, reasons string) {
			if slices.ContainsFunc(keyTaken, func(code pipeline.Code) bool { return strings.Contains(reasons, "["+string(code)+"]") }) {
				found.Add(row)
			}
		})
		switch {
		case journal.DiskFailed(err):
			return nil, err
		case err != nil:
			return rows.clone(), nil
		}
	}
	return found.and(rows), nil
}

// rejectedFor reports whether the run rejected rows for one of codes.
func (r *Record) rejectedFor(codes ...pipeline.Code) bool {
	if r.Summary == nil {
		return true // as far as is known
	}
	for _, reason := range r.Summary.Rejects {
		if slices.Contains(codes, reason.Code) {
			return true
		}
	}
	return false
}

// eachReason calls visit with the number of every row of a rejects file, and what was
// wrong with it.
func eachReason(path string, visit func(row int64, reasons string)) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return advice.Errorf("%s: %w", advice.Path(path), osfile.Cause(err))
	}
	defer file.Close()
	in := bufio.NewReader(file)
	r := csv.NewReader(in)
	if r.Comma, err = rejectsDelimiter(in); err != nil {
		return err
	}
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return err
	}
	rowAt, reasonsAt := slices.Index(header, pipeline.RowColumn), slices.Index(header, pipeline.ErrorsColumn)
	if rowAt < 0 || reasonsAt < 0 {
		return errNoReasons
	}
	for {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		row, err := strconv.ParseInt(record[rowAt], 10, 64)
		if err != nil {
			return errNoReasons
		}
		visit(row, record[reasonsAt])
	}
}

var errNoReasons = errors.New("rejects.csv is not as flytt wrote it")

// rejectsDelimiter returns what stands between the last two columns of a rejects file,
// and skips its byte order mark.
func rejectsDelimiter(in *bufio.Reader) (rune, error) {
	const mark = "\uFEFF"
	if head, _ := in.Peek(len(mark)); string(head) == mark {
		_, _ = in.Discard(len(mark))
	}
	for size := 512; ; size *= 2 {
		head, err := in.Peek(min(size, in.Size()))
		if line, _, whole := strings.Cut(string(head), "\n"); whole || err != nil || size >= in.Size() {
			before, found := strings.CutSuffix(strings.TrimSpace(line), pipeline.ErrorsColumn)
			if !found || before == "" {
				return 0, errNoReasons
			}
			return rune(before[len(before)-1]), nil
		}
	}
}
