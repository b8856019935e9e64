package csvtable_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"flytt/internal/csvtable"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type row struct {
	Row int64  `csv:"row"`
	Key string `csv:"key"`
	ID  string `csv:"id"`
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "written.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func all(path string) (rows []row, err error) {
	err = csvtable.Each(path, func(r row) error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// TestReadsRowsOfAnyDelimiter holds that cells come back as they were: with their line
// breaks, and without their guards.
func TestReadsRowsOfAnyDelimiter(t *testing.T) {
	const text = "\uFEFFrow;change;key;id\r\n2;created;\"a\r\n7\";x\r\n3;updated;'=b;'007\r\n4;created;;\r\n\"5\";created;'';y\r\n"
	want := []row{{2, "a\r\n7", "x"}, {3, "=b", "007"}, {4, "", ""}, {5, "''", "y"}}
	for _, d := range []string{";", ",", "\t", "|"} {
		got, err := all(write(t, strings.ReplaceAll(text, ";", d)))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", d, err, diff)
		}
	}
}

func TestReadsATableWithoutRows(t *testing.T) {
	if rows, err := all(write(t, "\uFEFFrow;key;id\r\n")); err != nil || len(rows) != 0 {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestRefusesOtherFiles(t *testing.T) {
	for name, text := range map[string]string{
		"another header":  "\uFEFFnr;key;id\r\n1;a;b\r\n",
		"no mark":         "row;key;id\r\n1;a;b\r\n",
		"a column less":   "\uFEFFrow;key\r\n1;a\r\n",
		"nothing":         "",
		"no number":       "\uFEFFrow;key;id\r\n1;a;b\r\nsecret;a;b\r\n",
		"a larger number": "\uFEFFrow;key;id\r\n99999999999999999999;a;b\r\n",
	} {
		_, err := all(write(t, text))
		if !errors.Is(err, csvtable.ErrFormat) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "999") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := all(filepath.Join(t.TempDir(), "none.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestStopsWithTheFirstError(t *testing.T) {
	path, stop, calls := write(t, table(200_000)), errors.New("stop"), 0
	err := csvtable.Each(path, func(r row) error {
		if calls++; r.Row == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || calls != 3 {
		t.Errorf("%v after %d rows", err, calls)
	}
}

// TestMemoryDoesNotGrow reads a table of 30 MB.
func TestMemoryDoesNotGrow(t *testing.T) {
	if peak := heapWhileReading(t, 400_000); peak > 16<<20 {
		t.Errorf("%d MiB of heap in use", peak>>20)
	}
}

func heapWhileReading(t *testing.T, rows int) (peak uint64) {
	path := write(t, table(rows))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	err := csvtable.Each(path, func(row) error {
		if n++; n%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		}
		return nil
	})
	if err != nil || n != rows {
		t.Fatalf("%d rows, %v", n, err)
	}
	return peak
}

func table(rows int) string {
	var b strings.Builder
	b.WriteString("\uFEFFrow;key;id;change\r\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d;HYRA-K%07d;0b8ef0d7-0d9e-4a32-a2c3-%012d;created\r\n", i+1, i, i)
	}
	return b.String()
}

func BenchmarkEach(b *testing.B) {
	const rows = 100_000
	path := write(b, table(rows))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := csvtable.Each(path, func(row) error { n++; return nil }); err != nil || n != rows {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
