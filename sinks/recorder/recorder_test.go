package recorder

import (
	"bytes"
	"encoding/csv"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/guardedcsv"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// inputChunk makes a chunk of rows as they stand in the input, with the fates
// given; rows are numbered from 2.
func inputChunk(fates []pipeline.Fate, rows ...[]string) *pipeline.Chunk {
	c := &pipeline.Chunk{}
	c.Batch.Reset(len(rows[0]))
	for i, row := range rows {
		c.AddRow(int64(i + 2))
		for j, v := range row {
			if v == pipelinetest.Null {
				c.Input[j].AppendNull()
			} else {
				c.Input[j].Append([]byte(v))
			}
		}
	}
	copy(c.Fates, fates)
	return c
}

func newRecorder(t testing.TB, o Options) (*Recorder, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := New(dir, o)
	must(t, err)
	return r, dir
}

// record renders and appends the chunks and closes the recorder.
func record(t testing.TB, r *Recorder, chunks ...*pipeline.Chunk) {
	t.Helper()
	for _, c := range chunks {
		var out pipeline.Record
		r.Render(c, &out)
		must(t, r.Append(&out))
	}
	must(t, r.Close())
}

func readFile(t testing.TB, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(data)
}

var meanings = map[pipeline.Code]string{
	"check_digit": "wrong check digit", "email": "not an e-mail address", "ragged_row": "wrong number of cells",
	"refused": "refused by the API", "lookup_missing": "not in the lookup table",
}

func meaningOf(code pipeline.Code) string { return meanings[code] }

func contactOptions() Options {
	return Options{
		Columns: []string{"Namn", "Personnr", "email", "Kundnr"},
		Fields:  []pipeline.Field{{Name: "name"}, {Name: "ssn"}, {Name: "email"}, {Name: "external_client.id"}},
		Tables:  []string{"", "", "", "tables/clients.csv"},
		Meaning: meaningOf,
	}
}

func TestRecorderWritesRejectsAsTheyStoodInTheInput(t *testing.T) {
	r, dir := newRecorder(t, contactOptions())
	c := inputChunk(
		[]pipeline.Fate{pipeline.Rejected, pipeline.Pending, pipeline.Rejected, pipeline.Skipped, pipeline.Rejected},
		[]string{" Anna; Å", "198501022398", "=anna", "0017"},
		[]string{"Bo", "", "", ""},
		[]string{"C\r\nD", pipelinetest.Null, "", "'1"},
		[]string{"E", "", "", ""},
		[]string{"F", "", "", ""},
	)
	c.Rows[2] = 17
	c.Surplus = []pipeline.Surplus{{Row: 2, Cell: "-more"}, {Row: 2, Cell: ""}, {Row: 3, Cell: "lost"}}
	c.Problems = []pipeline.Problem{
		{Row: pipeline.None, Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Warning, Code: "blank_row"},
		{Row: 0, Field: 1, Column: 1, Stage: pipeline.Validate, Code: "check_digit", Shape: "12 digits"},
		{Row: 0, Field: 2, Column: 2, Stage: pipeline.Validate, Code: "email", Private: "=anna"},
		{Row: 0, Field: 0, Column: 0, Stage: pipeline.Map, Severity: pipeline.Repair, Code: "prefix_16"},
		{Row: 1, Field: 1, Column: 1, Stage: pipeline.Validate, Severity: pipeline.Warning, Code: "coordination_date"},
		{Row: 2, Field: pipeline.None, Column: pipeline.None, Stage: pipeline.Read, Code: "ragged_row", Shape: "6 of 4"},
		{Row: 2, Field: pipeline.None, Column: 0, Stage: pipeline.Read, Code: "bare_quote"},
		{Row: 4, Field: 2, Column: pipeline.None, Stage: pipeline.Write, Code: "refused", Private: "bad; [really]\n=x"},
	}
	record(t, r, c)
	want := "\uFEFFNamn;Personnr;email;Kundnr;_row;_errors\r\n" +
		"\" Anna; Å\";'198501022398;'=anna;'0017;2;\"ssn from Personnr: wrong check digit (12 digits) [check_digit]; email: not an e-mail address [email]\"\r\n" +
		"\"C\r\nD\";;;'1;17;\"wrong number of cells (6 of 4) [ragged_row]; Namn: bare quote [bare_quote]\";'-more;\r\n" +
		"F;;;;6;email: refused by the API: bad, (really) =x [refused]\r\n"
	if diff := cmp.Diff(want, readFile(t, dir, "rejects.csv")); diff != "" {
		t.Errorf("rejects.csv (-want +got):\n%s", diff)
	}
	if got := namesIn(t, dir); got != "rejects.csv" {
		t.Errorf("the directory holds %s", got)
	}
}

func TestRecorderWritesWhatWasWrittenAndWhatIsInDoubt(t *testing.T) {
	o := contactOptions()
	o.Delimiter = ','
	r, dir := newRecorder(t, o)
	c := inputChunk(
		[]pipeline.Fate{pipeline.Written, pipeline.InDoubt, pipeline.Unchanged, pipeline.NotSent, pipeline.Updated},
		[]string{"A", "", "", ""}, []string{"B", "", "", ""}, []string{"C", "", "", ""}, []string{"D", "", "", ""}, []string{"E", "", "", ""},
	)
	for _, key := range []string{"K1", "K2", "K3", "K4", "00,5"} {
		c.Keys.Append([]byte(key))
	}
	for _, id := range []string{"id-1", pipelinetest.Null, "id-3", pipelinetest.Null, "id-5"} {
		if id == pipelinetest.Null {
			c.IDs.AppendNull()
		} else {
			c.IDs.Append([]byte(id))
		}
	}
	bare := inputChunk([]pipeline.Fate{pipeline.Written}, []string{"F", "", "", ""})
	record(t, r, c, bare)
	if want, got := "\uFEFFrow,key,id,change\r\n2,K1,id-1,created\r\n6,\"'00,5\",id-5,updated\r\n2,,,created\r\n", readFile(t, dir, "written.csv"); got != want {
		t.Errorf("written.csv:\n got %q\nwant %q", got, want)
	}
	want := "\uFEFFNamn,Personnr,email,Kundnr,_row,_errors\r\n" +
		"B,,,,3,\"sent, no answer that shows it arrived [in_doubt]\"\r\n"
	if got := readFile(t, dir, "in_doubt.csv"); got != want {
		t.Errorf("in_doubt.csv:\n got %q\nwant %q", got, want)
	}
}

func TestRecorderListsEachMissingKeyOnce(t *testing.T) {
	o := contactOptions()
	o.Fields = append(o.Fields, pipeline.Field{Name: "organization.id"}, pipeline.Field{Name: "manager.id"})
	o.Tables = append(o.Tables, "other/clients.csv", "tables/clients.csv")
	r, dir := newRecorder(t, o)
	chunk := func(from int64, fields []int16, keys ...string) *pipeline.Chunk {
		var fates []pipeline.Fate
		var rows [][]string
		for range keys {
			fates, rows = append(fates, pipeline.Rejected), append(rows, []string{"", "", "", ""})
		}
		c := inputChunk(fates, rows...)
		for i, key := range keys {
			c.Rows[i] = from + int64(i)
			c.Note(pipeline.Problem{Row: int32(i), Field: fields[i], Column: 3, Stage: pipeline.Map, Code: "lookup_missing", Private: key})
		}
		return c
	}
	record(t, r,
		chunk(2, []int16{3, 3, 5, 4, 0}, "K1", "=K2", "K1", "K1", "elsewhere"),
		chunk(7, []int16{3, 4}, "K1", "K3"))
	if want, got := "\uFEFFkey;row\r\nK1;2\r\n'=K2;3\r\n", readFile(t, dir, "missing_clients.csv"); got != want {
		t.Errorf("missing_clients.csv:\n got %q\nwant %q", got, want)
	}
	if want, got := "\uFEFFkey;row\r\nK1;5\r\nK3;8\r\n", readFile(t, dir, "missing_clients_2.csv"); got != want {
		t.Errorf("missing_clients_2.csv:\n got %q\nwant %q", got, want)
	}
	if strings.Contains(readFile(t, dir, "rejects.csv"), "K1") {
		t.Error("rejects.csv shows a key that the mapping kept private")
	}
	want := map[string]string{
		"rejects":           filepath.Join(dir, "rejects.csv"),
		"missing_clients":   filepath.Join(dir, "missing_clients.csv"),
		"missing_clients_2": filepath.Join(dir, "missing_clients_2.csv"),
	}
	if got := r.Files(); !maps.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestMissingKeysAreRememberedUpToALimitAndTheFileSaysSo(t *testing.T) {
	r, dir := newRecorder(t, contactOptions())
	r.missing.limit = 2
	for i, key := range []string{"a", "b", "a", "c", "c", "b"} {
		c := inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{"", "", "", ""})
		c.Rows[0] = int64(i + 2)
		c.Note(pipeline.Problem{Field: 3, Column: 3, Stage: pipeline.Map, Code: "lookup_missing", Private: key})
		var out pipeline.Record
		r.Render(c, &out)
		must(t, r.Append(&out))
	}
	must(t, r.Close())
	if want, got := "\uFEFFkey;row\r\na;2\r\nb;3\r\nc;5\r\nc;6\r\n;from row 5 on keys may repeat\r\n", readFile(t, dir, "missing_clients.csv"); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestMissingFilesAreNamedSafely(t *testing.T) {
	taken := map[string]bool{}
	for _, test := range [][2]string{
		{"clients.csv", "missing_clients"}, {"../../etc/clients", "missing_clients_2"}, {`c:\x\åäö kund.csv`, "missing_åäö_kund"},
		{"..", "missing__"}, {".csv", "missing_table"}, {"/", "missing___2"}, {strings.Repeat("x", 300), "missing_table_2"},
	} {
		if got := missingName(test[0], taken); got != test[1] {
			t.Errorf("%q: %q, want %q", test[0], got, test[1])
		}
	}
}

func TestRecorderWithoutAnythingToSayLeavesNoFiles(t *testing.T) {
	r, dir := newRecorder(t, contactOptions())
	record(t, r, inputChunk([]pipeline.Fate{pipeline.Pending, pipeline.Skipped}, []string{"a", "", "", ""}, []string{"b", "", "", ""}))
	if got := namesIn(t, dir); got != "" || len(r.Files()) != 0 {
		t.Errorf("the directory holds %s, the files are %v", got, r.Files())
	}
}

func TestRecorderSaysThatACellIsTooLongForASpreadsheet(t *testing.T) {
	r, dir := newRecorder(t, contactOptions())
	long := strings.Repeat("å", guardedcsv.MaxCell)
	c := inputChunk([]pipeline.Fate{pipeline.Rejected, pipeline.Rejected}, []string{long, "", "", ""}, []string{long + "ö", "", "", ""})
	c.Note(pipeline.Problem{Row: 1, Field: pipeline.None, Column: pipeline.None, Code: "ragged_row"})
	record(t, r, c)
	rows := readCSV(t, strings.TrimPrefix(readFile(t, dir, "rejects.csv"), guardedcsv.ByteOrderMark), ';')
	if rows[1][0] != long || rows[1][5] != "" || rows[2][0] != long+"ö" {
		t.Errorf("the cells did not stay whole, or %q", rows[1][5])
	}
	if want := "wrong number of cells [ragged_row]; Namn: longer than a spreadsheet keeps (32768 characters, of which it would cut all beyond 32767), fix this row in a text editor [long_cell]"; rows[2][5] != want {
		t.Errorf("got %q\nwant %q", rows[2][5], want)
	}
}

func TestRecorderGuardsHeadersAndErrors(t *testing.T) {
	r, dir := newRecorder(t, Options{Columns: []string{"=cmd", "a;b", "007"}, Fields: []pipeline.Field{{Name: "x"}}})
	c := inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{"1", "2", "3"})
	c.Note(pipeline.Problem{Row: 0, Field: pipeline.None, Column: 0, Code: "nul_byte"})
	record(t, r, c)
	want := "\uFEFF'=cmd;\"a;b\";'007;_row;_errors\r\n1;2;3;2;'=cmd: nul byte [nul_byte]\r\n"
	if got := readFile(t, dir, "rejects.csv"); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestRecorderRefusesReservedColumnsAndMissingDirectories(t *testing.T) {
	for _, name := range []string{"_row", "_errors"} {
		if _, err := New(t.TempDir(), Options{Columns: []string{"a", name}}); !isUsage(err) || !strings.HasPrefix(err.Error(), "column "+name+": the name is reserved\nhint: ") {
			t.Error(err)
		}
	}
	if _, err := New(filepath.Join(t.TempDir(), "gone"), Options{}); !isUsage(err) {
		t.Error(err)
	}
}

func TestRecorderFilesAreTheOwnersAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	r, dir := newRecorder(t, contactOptions())
	record(t, r, inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{"a", "", "", ""}))
	info, err := os.Stat(filepath.Join(dir, "rejects.csv"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestRecorderFollowsNoPlantedLinkAndSaysWhatFailed(t *testing.T) {
	r, dir := newRecorder(t, contactOptions())
	victim := filepath.Join(t.TempDir(), "victim")
	must(t, os.Symlink(victim, filepath.Join(dir, "rejects.csv")))
	var out pipeline.Record
	r.Render(inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{"a", "", "", ""}), &out)
	err := r.Append(&out)
	if err == nil || err.Error() != filepath.Join(dir, "rejects.csv")+": create: file exists" {
		t.Error(err)
	}
	if _, err := os.Lstat(victim); !os.IsNotExist(err) {
		t.Error("the link was followed")
	}
	must(t, r.Close())
}

func TestRecorderReportsAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full")
	}
	r, dir := newRecorder(t, contactOptions())
	r.rejects.file = full
	err = r.Append(&pipeline.Record{Rejects: []byte("a\r\n")})
	if want := filepath.Join(dir, "rejects.csv") + ": write: no space left on device"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), ": sync: ") {
		t.Errorf("closing what cannot be synced: %v", err)
	}
}

func TestRecorderRendersConcurrently(t *testing.T) {
	r, _ := newRecorder(t, registerOptions())
	c := rejectsChunk(50)
	var want pipeline.Record
	r.Render(c, &want)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var got pipeline.Record
			r.Render(c, &got)
			if !bytes.Equal(got.Rejects, want.Rejects) || !bytes.Equal(got.Missing, want.Missing) {
				t.Error("two renderings of one chunk differ")
			}
		})
	}
	wg.Wait()
	must(t, r.Close())
}

// FuzzRejectsGiveBackTheOriginalCells holds that a rejects file, read as CSV
// and unguarded, gives every cell as it stood in the input.
func FuzzRejectsGiveBackTheOriginalCells(f *testing.F) {
	for _, s := range []string{"", "=cmd|' /C calc'!A0", "+46701234567", "\ta", "\r\n=1", `"quo"ted"`, "'", "''=1", "0123", "198501022399", "1.98501E+11", "a;b,c\td|e", "5 mars", "\uFEFF=1", "\xff\x00"} {
		f.Add(s, s, "extra"+s, uint8(len(s)))
	}
	f.Fuzz(func(t *testing.T, a, b, extra string, delimiter uint8) {
		d := ";,\t|"[delimiter%4]
		r := &Recorder{dialect: guardedcsv.New(d, "\r\n"), labels: labels{columns: []string{"a", "b"}}}
		c := inputChunk([]pipeline.Fate{pipeline.Rejected}, []string{a, b})
		c.Surplus = []pipeline.Surplus{{Cell: extra}}
		c.Problems = []pipeline.Problem{{Field: pipeline.None, Column: 0, Stage: pipeline.Write, Code: "refused", Private: extra}}
		var out pipeline.Record
		r.Render(c, &out)
		rows := readCSV(t, string(out.Rejects), rune(d))
		if len(rows) != 1 || len(rows[0]) != 5 || rows[0][2] != "2" {
			t.Fatalf("%q is read as %q", out.Rejects, rows)
		}
		for i, want := range map[int]string{0: a, 1: b, 4: extra} {
			got := string(pipeline.UnguardCell([]byte(rows[0][i])))
			if got != linesAsCSVReadsThem(want) {
				t.Fatalf("%q came back as %q", want, got)
			}
		}
		if problem := rows[0][3]; strings.Contains(problem, ";") || strings.Count(problem, "[") != 1 || !strings.HasSuffix(problem, " [refused]") {
			t.Fatalf("_errors %q cannot be taken apart", problem)
		}
	})
}

// rejectsChunk is n rejected rows of 11 columns, as a contact register has
// them, with one or two problems each.
func rejectsChunk(n int) *pipeline.Chunk {
	row := []string{"Anna-Karin Åström", "Kundnr 1001", "198501022398", "556016-0680", "K-100234", "Anna-Karin", "Åström", "anna-karin.astrom@example,com", "070-123 45 67", "", "5"}
	var fates []pipeline.Fate
	var rows [][]string
	for range n {
		fates, rows = append(fates, pipeline.Rejected), append(rows, row)
	}
	c := inputChunk(fates, rows...)
	for i := range n {
		c.Note(pipeline.Problem{Row: int32(i), Field: 1, Column: 2, Stage: pipeline.Validate, Code: "check_digit", Shape: "12 digits"})
		if i%2 == 0 {
			c.Note(pipeline.Problem{Row: int32(i), Field: 2, Column: 7, Stage: pipeline.Validate, Code: "email"})
		}
		if i%4 == 0 {
			c.Note(pipeline.Problem{Row: int32(i), Field: 3, Column: 1, Stage: pipeline.Map, Code: "lookup_missing", Private: strconv.Itoa(i)})
		}
	}
	return c
}

func registerOptions() Options {
	o := contactOptions()
	o.Columns = []string{"Namn", "Kundnr", "Personnr", "Orgnr", "Nr", "Förnamn", "Efternamn", "E-post", "Telefon", "Organisation", "Vån"}
	return o
}

func BenchmarkRenderRejects(b *testing.B) {
	r, _ := newRecorder(b, registerOptions())
	c := rejectsChunk(1000)
	var out pipeline.Record
	b.ReportAllocs()
	for b.Loop() {
		out.Rejects, out.Missing = out.Rejects[:0], out.Missing[:0]
		r.Render(c, &out)
	}
	b.SetBytes(int64(len(out.Rejects)))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isUsage(err error) bool {
	var usage *pipeline.UsageError
	return errors.As(err, &usage)
}

// namesIn returns the names of what is in dir.
func namesIn(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func readCSV(t testing.TB, text string, comma rune) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	rows, err := r.ReadAll()
	must(t, err)
	return rows
}

// linesAsCSVReadsThem is what encoding/csv makes of s: it takes CRLF for LF.
func linesAsCSVReadsThem(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
