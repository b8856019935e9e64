package runs

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/pipeline"
	"flytt/sinks/bulk"
)

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
