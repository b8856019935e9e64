package runs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/csvtable"
	"flytt/internal/osfile"
	"flytt/pipeline"
	"flytt/sources"
)

// WrittenRow is a row of written.csv or undone.csv. Key and ID may be empty.
type WrittenRow struct {
	Row int64  `csv:"row"`
	Key string `csv:"key"`
	ID  string `csv:"id"` // of the record
}

// EachWritten calls visit with every row that the run wrote.
func (r *Record) EachWritten(visit func(WrittenRow) error) error {
	return eachWritten(filepath.Join(r.Path, "written.csv"), visit)
}

// eachWritten calls visit with the rows of written.csv or undone.csv, in their order.
// A file that is not there has none.
func eachWritten(path string, visit func(WrittenRow) error) error {
	var failed error // of visit, or of a row
	err := csvtable.Each(path, func(w WrittenRow) error {
		if w.Row <= 0 {
			failed = noRowNumber(path)
		} else {
			failed = visit(w)
		}
		return failed
	})
	var file *fs.PathError
	switch {
	case failed != nil:
		return failed
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, csvtable.ErrFormat):
		return advice.Errorf("%s is %w", advice.Path(path), err)
	case errors.As(err, &file):
		return advice.Errorf("%s: %w", advice.Path(path), osfile.Cause(err))
	}
	return err
}

func noRowNumber(path string) error {
	return advice.Errorf("%s is not as flytt wrote it: a row has no number", advice.Path(path))
}

// eachRow calls visit with the number of every row in a file of a run directory, in
// its order: written.csv and undone.csv, or rejects.csv and in_doubt.csv, which have it
// in the column _row. A file that is not there has no rows.
func eachRow(path string, visit func(row int64) error) error {
	if name := filepath.Base(path); name == "written.csv" || name == "undone.csv" {
		return eachWritten(path, func(w WrittenRow) error { return visit(w.Row) })
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return eachBatch(path, &sources.Options{OriginalNumbers: true}, func(info *sources.Info, b *pipeline.Batch) error {
		if !info.IsRejectsFile {
			return advice.Errorf("%s is not as flytt wrote it: its columns %s and %s are not both there", advice.Path(path), pipeline.RowColumn, pipeline.ErrorsColumn)
		}
		for _, row := range b.Rows {
			if row <= 0 {
				return noRowNumber(path)
			}
			if err := visit(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachBatch reads a file and calls visit with its rows, a batch at a time.
func eachBatch(path string, o *sources.Options, visit func(*sources.Info, *pipeline.Batch) error) error {
	s, info, err := sources.Open(path, o)
	if err != nil {
		return err
	}
	return errors.Join(sources.Each(s, func(b *pipeline.Batch) error { return visit(info, b) }), s.Close())
}
