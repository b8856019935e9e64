package sources

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"flytt/pipeline"
)

// The library that most programs write workbooks with is asked what they hold,
// and has to say what this package does, where it is right: it hands out
// numbers, which it rounds to fifteen digits only when it formats them, the
// serial numbers of dates, and text.

// randomBook writes a workbook and returns it with what its cells are to be.
func randomBook(t *testing.T, seed uint64, streamed bool) (file []byte, want [][]string) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	random := rand.New(rand.NewPCG(seed, 1))
	columns := 1 + random.IntN(8)
	format := "yyyy-mm-dd"
	date, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		t.Fatal(err)
	}
	head := make([]any, columns)
	for i := range head {
		head[i] = fmt.Sprintf("Kolumn %c", 'A'+i)
	}
	rows := [][]any{head}
	for range 50 + random.IntN(100) {
		row, texts := make([]any, columns), make([]string, columns)
		for i := range row {
			row[i], texts[i] = randomCell(random, date)
		}
		row[0], texts[0] = "x", "x" // no row is empty
		rows, want = append(rows, row), append(want, texts)
	}
	if streamed {
		streamRows(t, f, rows)
	} else {
		setRows(t, f, rows)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), want
}

// randomCell returns a cell as excelize takes it, and the text it stands for.
func randomCell(random *rand.Rand, date int) (any, string) {
	const letters = "abcåäöÅÄÖ <>&\"'\n\t_x000D_😀é"
	switch random.IntN(7) {
	case 0:
		return nil, ""
	case 1:
		n := random.Int64N(1e12)
		return n, strconv.FormatInt(n, 10)
	case 2:
		n := float64(random.IntN(1e6)) / 64
		return n, strconv.FormatFloat(n, 'f', -1, 64)
	case 3:
		b := random.IntN(2) == 0
		return b, strconv.FormatBool(b)
	case 4:
		day := time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(60_000))
		return excelize.Cell{StyleID: date, Value: day}, day.Format(time.DateOnly)
	case 5:
		return "198501022399", "198501022399"
	}
	text := []rune{'t'}
	for range random.IntN(12) {
		r := []rune(letters)
		text = append(text, r[random.IntN(len(r))])
	}
	return string(text) + ".", string(text) + "."
}

// streamRows writes rows with inline strings.
func streamRows(t *testing.T, f *excelize.File, rows [][]any) {
	w, err := f.NewStreamWriter("Sheet1")
	for i := 0; i < len(rows) && err == nil; i++ {
		err = w.SetRow("A"+strconv.Itoa(i+1), rows[i])
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// setRows writes rows with shared strings.
func setRows(t *testing.T, f *excelize.File, rows [][]any) {
	for i, row := range rows {
		for j, v := range row {
			name, err := excelize.CoordinatesToCellName(j+1, i+1)
			if c, ok := v.(excelize.Cell); ok && err == nil {
				v = c.Value
				defer func() {
					if err := f.SetCellStyle("Sheet1", name, name, c.StyleID); err != nil {
						t.Fatal(err)
					}
				}()
			}
			if err == nil && v != nil {
				err = f.SetCellValue("Sheet1", name, v)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestWorkbooksReadAsExcelizeReadsThem(t *testing.T) {
	for seed := range uint64(24) {
		file, want := randomBook(t, seed, seed%2 == 0)
		got := cellsOf(t, file)
		theirs := excelizeCells(t, file)
		if len(got) != len(want) || len(theirs) != len(want) {
			t.Fatalf("seed %d: %d rows, excelize has %d, want %d", seed, len(got), len(theirs), len(want))
		}
		for i := range want {
			for j := range want[i] {
				if got[i][j] != want[i][j] {
					t.Errorf("seed %d row %d column %d: %q, want %q", seed, i+2, j, got[i][j], want[i][j])
				}
				if theirs[i][j] != got[i][j] {
					t.Errorf("seed %d row %d column %d: %q, excelize has %q", seed, i+2, j, got[i][j], theirs[i][j])
				}
			}
		}
	}
}

// cellsOf returns the rows of a workbook, a null as the empty text.
func cellsOf(t *testing.T, file []byte) (rows [][]string) {
	t.Helper()
	s, _ := open(t, string(file), Options{BlockSize: 2000})
	d := s.Decoder()
	var block pipeline.Block
	var batch pipeline.Batch
	for {
		err := s.Next(context.Background(), &block)
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		batch.Reset(len(s.Columns()))
		if err := d.Decode(&block, &batch); err != nil {
			t.Fatal(err)
		}
		for _, p := range batch.Problems {
			t.Errorf("row %d: %s", p.Row, p.Code)
		}
		for i := range batch.Rows {
			row := make([]string, len(batch.Input))
			for j := range batch.Input {
				row[j] = string(batch.Input[j].Value(i))
			}
			rows = append(rows, row)
		}
	}
}

// excelizeCells returns what excelize reads below the header, booleans and dates
// in our words.
func excelizeCells(t *testing.T, file []byte) (rows [][]string) {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(all); i++ {
		row := make([]string, len(all[0]))
		for j := range all[i] {
			row[j] = excelizeCell(t, f, i, j, all[i][j])
		}
		rows = append(rows, row)
	}
	return rows
}

func excelizeCell(t *testing.T, f *excelize.File, row, column int, raw string) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column+1, row+1)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := f.GetCellType("Sheet1", name)
	if err != nil {
		t.Fatal(err)
	}
	style, err := f.GetCellStyle("Sheet1", name)
	if err != nil {
		t.Fatal(err)
	}
	serial, notNumber := strconv.ParseFloat(raw, 64)
	switch {
	case kind == excelize.CellTypeBool:
		return strconv.FormatBool(raw == "1" || raw == "TRUE")
	case style == 0 || notNumber != nil || kind == excelize.CellTypeInlineString || kind == excelize.CellTypeSharedString:
		return raw
	}
	day, err := excelize.ExcelDateToTime(serial, false)
	if err != nil {
		t.Fatal(err)
	}
	return day.Format(time.DateOnly)
}
