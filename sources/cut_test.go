package sources

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"flytt/pipeline"
	"flytt/sources/textscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecordsThatTakeTooMuch(t *testing.T) {
	many := strings.Repeat("x\n", 2000)
	tests := []struct {
		name, body string
		rows       int
		want       string
	}{
		{"quote open at the end", "1,2\n3,\"x\ny\n", 1, "line 3: quote opened here is not closed before the end of the file"},
		{"quote open in a later line of its record", "1,2\n\"a\nb\",\"x\ny\n", 1, "line 4: quote opened here is not closed before the end of the file"},
		{"quote open over many lines", "1,2\n3,\"x\n" + many, 1, "line 3: quote opened here is not closed within 1,000 lines"},
		{"quote closed after many lines", "1,2\n3,\"" + many + "\"\n4,5\n", 1, "line 3: quote opened here is not closed within 1,000 lines"},
		{"cells of many lines together", "1,2\n\"" + strings.Repeat("\n", 600) + "\",\"" + strings.Repeat("\n", 600) + "\"\n", 1, "line 3: record is longer than 1,000 lines"},
		{"quote open over a megabyte", "1,2\n3,\"" + strings.Repeat("x", 2<<20), 1, "line 3: quote opened here is not closed within the 1 MiB a record may take"},
		{"long record", "1,2\n" + strings.Repeat("x", 2<<20) + "\n", 1, "line 3: record is longer than 1 MiB"},
		{"long record at the end", "1,2\n" + strings.Repeat("x", textscan.MaxRecordBytes+1), 1, "line 3: record is longer than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 100, 5000, 0, 1 << 20} {
				s, _ := open(t, "a,b\n"+tt.body, Options{BlockSize: size})
				rows, err := dumpRows(t, s)
				var e *Error
				if !errors.As(err, &e) || e.Error() != "standard input "+tt.want || e.Hint == "" {
					t.Errorf("blocks of %d: error %v, want %q", size, err, tt.want)
				}
				if len(rows) != tt.rows {
					t.Errorf("blocks of %d: %d rows before the error, want %d", size, len(rows), tt.rows)
				}
				var block pipeline.Block
				if again := s.Next(context.Background(), &block); again != err {
					t.Errorf("blocks of %d: next time %v", size, again)
				}
			}
		})
	}
}

func TestRecordsThatTakeJustEnough(t *testing.T) {
	for _, body := range []string{
		"\"" + strings.Repeat("\n", maxRecordLines-1) + "\",2\n3,4\n",
		"1," + strings.Repeat("x", textscan.MaxRecordBytes-3) + "\n3,4\n",
		"3,4\n1," + strings.Repeat("x", textscan.MaxRecordBytes-2),
	} {
		for _, size := range []int{1, 5000, 0, 1 << 20} {
			if rows := rowsOf(t, "a,b\n"+body, Options{BlockSize: size}); len(rows) != 2 {
				t.Errorf("%d rows, want 2", len(rows))
			}
		}
	}
}

// endless gives out head and then tail over and over, n bytes in all.
type endless struct {
	head, tail []byte
	n, given   int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.given >= e.n {
		return 0, io.EOF
	}
	from := e.head
	if len(from) == 0 {
		from = e.tail
	}
	m := copy(p, from)
	if len(e.head) > 0 {
		e.head = e.head[m:]
	}
	e.given += m
	return m, nil
}

func TestUnclosedQuoteInAGigabyteTakesLittleMemory(t *testing.T) {
	for _, tail := range []string{"K1;Anna Ek;08-123 45 67\n", "K1;Anna Ek;08-123 45 67 "} {
		e := &endless{head: []byte("a;b;c\n1;\"open;3\n"), tail: []byte(strings.Repeat(tail, 1000)), n: 1 << 30}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, _, err := Open("-", &Options{Stdin: e})
		if err != nil {
			t.Fatal(err)
		}
		_, err = dumpRows(t, s)
		runtime.ReadMemStats(&after)
		s.Close()
		if err == nil || !strings.HasPrefix(err.Error(), "standard input line 2: quote opened here is not closed within") {
			t.Errorf("error %v", err)
		}
		if total := after.TotalAlloc - before.TotalAlloc; total > 32<<20 {
			t.Errorf("%d MiB allocated, want at most 32", total>>20)
		}
	}
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	content := []byte("Namn;Ort\nÅsa;Lund\nBo;Umeå\n")
	want := lines("2: Åsa|Lund", "3: Bo|Umeå")
	twice := append(gzipped(t, content[:12]), gzipped(t, content[12:])...)
	for name, data := range map[string][]byte{
		"contacts.csv.gz": gzipped(t, content),
		"contacts.csv":    gzipped(t, content), // content wins
		"plain.csv.gz":    content,
		"twice.csv.gz":    twice,
	} {
		s, info, err := Open(write(t, name, data), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows, err := dumpRows(t, s)
		if diff := cmp.Diff(want, rows); diff != "" || err != nil {
			t.Errorf("%s: error %v, rows:\n%s", name, err, diff)
		}
		if (info.Compression == "gzip") != (name != "plain.csv.gz") || info.Size != int64(len(data)) {
			t.Errorf("%s: %+v", name, *info)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestGzipThatIsBroken(t *testing.T) {
	content := sampleCSV(20_000)
	whole := gzipped(t, content)
	spoilt := bytes.Clone(whole)
	spoilt[len(spoilt)-5] ^= 1 // the checksum
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"cut.csv.gz":    {whole[:len(whole)*3/4], "the compressed data ends too early: unexpected EOF"},
		"spoilt.csv.gz": {spoilt, "reading compressed data: gzip: invalid checksum"},
	} {
		path := write(t, name, tt.data)
		s, _, err := Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := dumpRows(t, s)
		var e *Error
		if !errors.As(err, &e) || e.Error() != path+": "+tt.want || e.Hint == "" {
			t.Errorf("%s: error %v, want %s", name, err, tt.want)
		}
		if len(rows) < 10_000 || strings.Contains(strings.Join(rows, ""), "!") {
			t.Errorf("%s: %d rows before the error", name, len(rows))
		}
		s.Close()
	}
	if _, _, err := Open(write(t, "stump.csv.gz", whole[:5]), nil); err == nil || !strings.Contains(err.Error(), "compressed data ends too early") {
		t.Errorf("stump: error %v", err)
	}
	if _, _, err := Open(write(t, "empty.csv.gz", gzipped(t, nil)), nil); err == nil || !strings.Contains(err.Error(), "empty file") {
		t.Errorf("empty: error %v", err)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, path string
		content    string
		want       string
		usage      bool
	}{
		{"missing", filepath.Join(dir, "no.csv"), "", "no such file or directory", true},
		{"directory", dir, "", "is a directory", true},
		{"empty", "contacts.csv", "", "empty file", false},
		{"XLSX", "contacts.xlsx", "PK\x03\x04\x14\x00", "the archive is damaged or cut short: it has no directory of its parts", false},
		{"XLSX by another name", "contacts.csv", "PK\x03\x04\x14\x00", "the archive is damaged or cut short: it has no directory of its parts", false},
		{"XLS", "contacts.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "it is an old Excel workbook (XLS) or another document of that time", false},
		{"Parquet", "contacts.parquet", "PAR1PAR1", "a file of 8 bytes, which is too short for Parquet", false},
		{"login page", "contacts.csv", "\n<!DOCTYPE html><html>", "it is a web page (HTML); this version reads " + names(), false},
		{"binary", "contacts.csv", strings.Repeat("\x00\x01\x02abcdef", 100), "it is binary data, not text; this version reads " + names(), false},
		{"gzip of gzip", "contacts.csv.gz", string(gzipped(t, gzipped(t, []byte("a\n")))), "it is gzip within another compression; this version reads " + names(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.path
			if !filepath.IsAbs(path) {
				path = write(t, path, []byte(tt.content))
			}
			s, _, err := Open(path, nil)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			var e *Error
			if !errors.As(err, &e) || e.Error() != path+": "+tt.want || e.Usage != tt.usage || e.Hint == "" {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if errors.Is(err, fs.ErrNotExist) != (tt.name == "missing") {
				t.Error("not, or wrongly, fs.ErrNotExist")
			}
		})
	}
	if _, _, err := Open("", nil); err == nil || err.Error() != "input: no file name given" {
		t.Errorf("no name: %v", err)
	}
}

func TestNoPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	path := write(t, "contacts.csv", []byte("a\n"))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(path, nil)
	var e *Error
	if !errors.As(err, &e) || e.Error() != path+": permission denied" || e.Usage {
		t.Errorf("%v", err)
	}
}

// failing gives out content and then err.
type failing struct {
	io.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

func TestReadErrorComesAfterTheRowsBefore(t *testing.T) {
	gone := &os.PathError{Op: "read", Path: "contacts.csv", Err: errors.New("stale file handle")}
	s, _, err := Open("-", &Options{Stdin: failing{strings.NewReader("a,b\n1,2\n3,4\n5,"), gone}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := dumpRows(t, s)
	if diff := cmp.Diff(lines("2: 1|2", "3: 3|4"), rows); diff != "" {
		t.Error(diff)
	}
	if want := "standard input: reading: stale file handle"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestHalfACharacterOfUTF16AtTheEnd(t *testing.T) {
	s, _ := open(t, "\xFF\xFEa\x00\n\x001\x00\n\x002", Options{})
	rows, err := dumpRows(t, s)
	if len(rows) != 1 || err == nil || err.Error() != "standard input: ends in the middle of a UTF-16 character" {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

// TestNextGivesUpOnAPipe blocks on a writer that never writes.
func TestNextGivesUpOnAPipe(t *testing.T) {
	r, w := io.Pipe()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		fmt.Fprint(w, "a,b\n"+strings.Repeat("1,2\n", sampleSize/4))
	}()
	s, _, err := Open("-", &Options{Stdin: r})
	if err != nil {
		t.Fatal(err)
	}
	<-wrote
	ctx, cancel := context.WithCancel(context.Background())
	var block pipeline.Block
	for range 3 {
		if err := s.Next(ctx, &block); err != nil {
			t.Fatal(err)
		}
	}
	go cancel()
	for err == nil {
		err = s.Next(ctx, &block)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	w.Close() // lets the read end that nothing else can end
}

func TestStandardInputIsAFile(t *testing.T) {
	f, err := os.Open(write(t, "contacts.csv", []byte("a,b\n1,2\n")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, info, err := Open("-", &Options{Stdin: f})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := dumpRows(t, s)
	if len(rows) != 1 || err != nil || info.Size != 8 {
		t.Errorf("%d rows, error %v, size %d", len(rows), err, info.Size)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Stat(); err != nil {
		t.Errorf("standard input was closed: %v", err)
	}
}
