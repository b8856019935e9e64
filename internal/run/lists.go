package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/pipeline"
	"flytt/sources"
)

// eachRow calls visit with the number of every row in a file of a run directory,
// in its order.
func eachRow(path string, visit func(row int64) error) error {
	return eachKey(path, func(row int64, _ []byte) error { return visit(row) })
}

// eachKey calls visit with the number of every row in a file of a run directory, in
// its order: rejects.csv and in_doubt.csv, which have it in the column _row, or
// written.csv and undone.csv, whose first column it is, and the second the key. A
// file that is not there has no rows.
func eachKey(path string, visit func(row int64, key []byte) error) error {
	return eachEntry(path, func(row int64, key, _ []byte) error { return visit(row, key) })
}

// eachEntry is eachKey with the ids of the records, which written.csv and undone.csv have.
func eachEntry(path string, visit func(row int64, key, id []byte) error) error {
	o := sources.Options{OriginalNumbers: true}
	name := filepath.Base(path)
	written := name == "written.csv" || name == "undone.csv"
	if written {
		delimiter, err := delimiterOf(path)
		if err != nil || delimiter == "" {
			return err
		}
		o = sources.Options{Encoding: "utf-8", Delimiter: delimiter, HeaderRow: 1}
	} else if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return eachBatch(path, &o, func(info *sources.Info, b *pipeline.Batch) error {
		if !written && !info.IsRejectsFile {
			return advice.Errorf("%s is not as flytt wrote it: its columns %s and %s are not both there", advice.Path(path), pipeline.RowColumn, pipeline.ErrorsColumn)
		}
		for i, row := range b.Rows {
			var key, id []byte
			if written {
				row, _ = strconv.ParseInt(string(b.Input[0].Value(i)), 10, 64)
				key, id = b.Input[1].Value(i), b.Input[2].Value(i)
				if o.Delimiter != ";" { // of those the source takes the guards off
					key, id = pipeline.UnguardCell(key), pipeline.UnguardCell(id)
				}
			}
			if row <= 0 {
				return advice.Errorf("%s is not as flytt wrote it: a row has no number", advice.Path(path))
			}
			if err := visit(row, key, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// delimiterOf returns what stands between the cells of such a file: the
// character after the name of its first column. It is empty if there is no file.
func delimiterOf(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", advice.Errorf("%s: %w", advice.Path(path), osfile.Cause(err))
	}
	defer f.Close()
	const start = "\uFEFFrow"
	head := make([]byte, len(start)+1)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(start)]) != start {
		return "", advice.Errorf("%s is not as flytt wrote it: its header is another", advice.Path(path))
	}
	return string(head[len(start):]), nil
}

// eachBatch reads a file and calls visit with its rows, a batch at a time.
func eachBatch(path string, o *sources.Options, visit func(*sources.Info, *pipeline.Batch) error) error {
	s, info, err := sources.Open(path, o)
	if err != nil {
		return err
	}
	return errors.Join(sources.Each(s, func(b *pipeline.Batch) error { return visit(info, b) }), s.Close())
}

// EachWritten calls visit with every row that the run wrote: its number, its key, and the
// id of its record, of which each may be empty.
func (r *Record) EachWritten(visit func(row int64, key, id []byte) error) error {
	return eachEntry(filepath.Join(r.Path, "written.csv"), visit)
}
