package samples

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	"flytt/sources"
)

// TestRejectsGiveBackWhatStoodInTheInput reads the rejects of the sample the
// way an import of them does: each cell is again what it was in the register,
// and a row whose bytes were no text is turned away again.
func TestRejectsGiveBackWhatStoodInTheInput(t *testing.T) {
	columns, register := cells(t, filepath.Join(contacts, "register.csv"))
	again, rejects := cells(t, filepath.Join(contacts, "expected_rejects.csv"))
	if diff := cmp.Diff(columns, again); diff != "" {
		t.Fatalf("the columns (-register +rejects):\n%s", diff)
	}
	broken := 0
	for _, r := range rejects {
		original, ok := register[r.row]
		if !ok {
			t.Fatalf("the register has no row %d", r.row)
		}
		if r.fate == pipeline.Broken {
			broken++
			continue
		}
		// A row with too few cells has been filled up with empty ones.
		for len(original.cells) > 0 && original.fate == pipeline.Broken && len(original.cells) < len(r.cells) {
			original.cells = append(original.cells, "")
		}
		if diff := cmp.Diff(original.cells, r.cells); diff != "" {
			t.Errorf("row %d (-register +rejects):\n%s", r.row, diff)
		}
	}
	if broken == 0 {
		t.Error("the row whose bytes are no text passes now")
	}
}

// decoded is a row as it was read.
type decoded struct {
	row   int64 // its number in the register
	cells []string
	fate  pipeline.Fate
}

// cells reads a file. Its rows come by their number in the register, which in
// a rejects file stands in _row.
func cells(t *testing.T, file string) ([]string, map[int64]decoded) {
	t.Helper()
	src, info, err := sources.Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	numbers := rowNumbers(t, file, info.IsRejectsFile)
	rows := map[int64]decoded{}
	var block pipeline.Block
	var batch pipeline.Batch
	decoder := src.Decoder()
	for {
		if err := src.Next(context.Background(), &block); errors.Is(err, io.EOF) {
			return src.Columns(), rows
		} else if err != nil {
			t.Fatal(err)
		}
		batch.Reset(len(src.Columns()))
		if err := decoder.Decode(&block, &batch); err != nil {
			t.Fatal(err)
		}
		for i, line := range batch.Rows {
			d := decoded{row: line, fate: batch.Fates[i]}
			if info.IsRejectsFile {
				d.row = numbers[len(rows)]
			}
			for j := range batch.Input {
				d.cells = append(d.cells, string(batch.Input[j].Value(i)))
			}
			rows[d.row] = d
		}
	}
}

// rowNumbers returns what stands in _row of a rejects file, in order.
func rowNumbers(t *testing.T, file string, rejects bool) []int64 {
	t.Helper()
	if !rejects {
		return nil
	}
	var numbers []int64
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(read(t, file), []byte("\uFEFF"))))
	reader.Comma, reader.FieldsPerRecord = ';', -1
	records, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, name := range records[0] {
		if name == pipeline.RowColumn {
			at = i
		}
	}
	for _, r := range records[1:] {
		n, err := strconv.ParseInt(r[at], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}
