package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"flytt/internal/report"
	"flytt/internal/text"
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
	o := sources.Options{Origin: true}
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
		if !written && !info.Rejects {
			return fmt.Errorf("%s is not as flytt wrote it: its columns %s and %s are not both there", shorten(path), pipeline.RowColumn, pipeline.ErrorsColumn)
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
				return fmt.Errorf("%s is not as flytt wrote it: a row has no number", shorten(path))
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
		return "", fmt.Errorf("%s: %w", shorten(path), pathCause(err))
	}
	defer f.Close()
	const start = "\uFEFFrow"
	head := make([]byte, len(start)+1)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(start)]) != start {
		return "", fmt.Errorf("%s is not as flytt wrote it: its header is another", shorten(path))
	}
	return string(head[len(start):]), nil
}

// eachBatch reads a file and calls visit with its rows. It starts no goroutine.
func eachBatch(path string, o *sources.Options, visit func(*sources.Info, *pipeline.Batch) error) error {
	s, info, err := sources.Open(path, o)
	if err != nil {
		return err
	}
	return errors.Join(decodeAll(s, func(b *pipeline.Batch) error { return visit(info, b) }), s.Close())
}

func decodeAll(s pipeline.Source, visit func(*pipeline.Batch) error) error {
	d := s.Decoder()
	var block pipeline.Block
	var b pipeline.Batch
	for {
		switch err := s.Next(context.Background(), &block); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := d.Decode(&block, &b); err != nil {
			return err
		}
		if err := visit(&b); err != nil {
			return err
		}
	}
}

// checkRows holds the account a of the family against the rows that its files
// list: each file has as many as its run counted, a retry sent none but rows that
// the run rejected, and no row arrived twice. Runs that did not end in order are
// left out: their files may lag behind.
func (f family) checkRows(a *report.Account) error {
	for _, r := range f {
		if r.recorded() {
			if err := r.checkFiles(a, f.mended(r)); err != nil {
				return err
			}
		}
	}
	if retries := f.retries(); len(retries) > 0 {
		return f.checkRetries(a, retries)
	}
	return nil
}

// recorded reports whether the files of the run hold what its numbers count.
func (r *pastRun) recorded() bool {
	return r.summary != nil && r.state != report.StateRunning && (r.header == nil || r.outcome != "") && r.sends()
}

// mended reports whether the rejects.csv of r itself was mended and sent as a retry:
// then it holds what a person left in it.
func (f family) mended(r *pastRun) bool {
	return slices.ContainsFunc(f.retries(), func(retry *pastRun) bool {
		if retry.header == nil { // it is running, and does not tell
			return true
		}
		sent := retry.header.Input.Path
		return filepath.Base(sent) == "rejects.csv" && filepath.Base(filepath.Dir(sent)) == r.id
	})
}

// checkFiles counts the rows of the run's files, unless its rejects were mended:
// then of the others.
func (r *pastRun) checkFiles(a *report.Account, mended bool) error {
	for _, each := range []struct {
		name, fate string
		want       int64
	}{
		{"written.csv", "written", r.rows.Written}, {"rejects.csv", "rejected", r.rows.Rejected}, {"in_doubt.csv", "in doubt", r.rows.InDoubt},
	} {
		if r.header == nil && each.name == "written.csv" || mended && each.name == "rejects.csv" {
			continue // rows that went to a file have no list of their own
		}
		var n int64
		if err := eachRow(filepath.Join(r.path, each.name), func(int64) error { n++; return nil }); err != nil {
			return err
		}
		if n != each.want {
			a.AddDiscrepancy("%s counted %s %s, and its %s has %s", r.id, text.Counted(each.want, "row"), each.fate, each.name, text.Number(n))
		}
	}
	return nil
}

// undoneAgain returns how many of the rows that an undo took back an earlier one
// had, by its path: a record that was changed once more can be restored once more.
func (f family) undoneAgain() (map[string]int64, error) {
	undos := slices.DeleteFunc(slices.Clone(f), func(r *pastRun) bool { return r.verb() != "undo" || r.rows.Written == 0 })
	if len(undos) < 2 {
		return nil, nil
	}
	again, seen := map[string]int64{}, map[int64]bool{}
	for _, r := range undos {
		err := eachRow(filepath.Join(r.path, "undone.csv"), func(row int64) error {
			if seen[row] {
				again[r.path]++
			}
			seen[row] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return again, nil
}

// checkRetries looks for rows that a retry sent and should not have. It holds the
// numbers of the rows that retries sent, not those of the run.
func (f family) checkRetries(a *report.Account, retries []*pastRun) error {
	taken, written := rowSet{}, rowSet{}
	for _, r := range retries {
		taken.join(r.retry.sent())
		var twice int64
		err := eachRow(filepath.Join(r.path, "written.csv"), func(row int64) error {
			if !written.add(row) {
				twice++
			}
			return nil
		})
		if err != nil {
			return err
		}
		if twice > 0 {
			a.AddDiscrepancy("%s wrote %s rows that another retry had written", r.id, text.Number(twice))
		}
	}
	return f.checkFirst(a, taken, written)
}

// checkFirst holds the rows that retries took and wrote against those of the run.
func (f family) checkFirst(a *report.Account, taken, written rowSet) error {
	first := f[0]
	var twice int64
	err := eachRow(filepath.Join(first.path, "written.csv"), func(row int64) error {
		if written.has(row) {
			twice++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if twice > 0 {
		a.AddDiscrepancy("%s rows were written by the run, and again by a retry", text.Number(twice))
	}
	if f.mended(first) {
		return nil
	}
	err = eachRow(filepath.Join(first.path, "rejects.csv"), func(row int64) error {
		taken.remove(row)
		return nil
	})
	if n := taken.len(); n > 0 && err == nil {
		a.AddDiscrepancy("%s rows were retried that the run had not rejected", text.Number(n))
	}
	return err
}
