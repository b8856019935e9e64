package samples

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/gocarina/gocsv"
	"github.com/google/uuid"
	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/encoding/charmap"

	"flytt/mappings/format"
)

// register returns a register and the truth about its rows.
func register(t testing.TB, o Options) ([]byte, []Truth) {
	t.Helper()
	var out bytes.Buffer
	var truths []Truth
	err := WriteRegister(&out, o, func(r *Truth) error {
		truths = append(truths, r.clone())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), truths
}

// clone returns a copy of t that lasts.
func (t *Truth) clone() Truth {
	c := *t
	c.Problems = append([]Problem(nil), t.Problems...)
	for i, v := range t.values {
		c.values[i] = bytes.Clone(v)
	}
	return c
}

// records reads a register in UTF-8 with the standard library, and returns the
// line each record below the header starts on.
func records(t *testing.T, data []byte) (rows [][]string, lines []int) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = ';', -1
	for i := 0; ; i++ {
		row, err := r.Read()
		if err == io.EOF {
			return rows, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 && len(row) != columns {
			t.Fatalf("header has %d cells, want %d", len(row), columns)
		}
		if i > 1 {
			line, _ := r.FieldPos(0)
			rows, lines = append(rows, row), append(lines, line)
		}
	}
}

func TestEqualOptionsGiveEqualBytes(t *testing.T) {
	o := Options{Rows: 500, Seed: 11, Faults: 0.3}
	a, _ := register(t, o)
	b, _ := register(t, o)
	if !bytes.Equal(a, b) {
		t.Error("two registers of the same options differ")
	}
	o.Seed++
	if c, _ := register(t, o); bytes.Equal(a, c) {
		t.Error("another seed gives the same register")
	}
}

func TestLongerRegisterStartsWithTheShorter(t *testing.T) {
	// Both refer to the smallest number of clients there is.
	short, _ := register(t, Options{Rows: 20, Seed: 5, Faults: 0.1})
	long, _ := register(t, Options{Rows: 32, Seed: 5, Faults: 0.1})
	if !bytes.HasPrefix(long, short) {
		t.Error("the first rows depend on how many follow")
	}
}

func TestEncodings(t *testing.T) {
	o := Options{Rows: 3000, Seed: 2}
	legacy, _ := register(t, o)
	o.Encoding = UTF8
	modern, _ := register(t, o)
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(legacy)
	if err != nil {
		t.Fatal(err)
	}
	if string(modern) != "\ufeff"+string(decoded) {
		t.Error("the two encodings do not hold the same text")
	}
}

func TestEveryWordExistsInWindows1252(t *testing.T) {
	texts := append([]string{title, headerLine()}, companies...)
	for _, list := range [][]string{trades, towns, statuses, notes, badEmails, badPhones} {
		texts = append(texts, list...)
	}
	for _, w := range append(append([]word(nil), firstNames...), lastNames...) {
		texts = append(texts, w.text)
	}
	for _, w := range titles {
		texts = append(texts, w.written)
	}
	for _, text := range texts {
		if _, err := charmap.Windows1252.NewEncoder().String(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFaultlessRegisterIsPlainCSV(t *testing.T) {
	data, truths := register(t, Options{Rows: 5000, Seed: 3, Encoding: UTF8})
	rows, lines := records(t, data)
	if len(rows) != len(truths) {
		t.Fatalf("%d records, but the truth knows %d", len(rows), len(truths))
	}
	blank, multiline := 0, 0
	for i, row := range rows {
		if len(row) != columns {
			t.Fatalf("line %d has %d cells, want %d", lines[i], len(row), columns)
		}
		if int64(lines[i]) != truths[i].Row {
			t.Fatalf("record %d starts on line %d, the truth says %d", i, lines[i], truths[i].Row)
		}
		if truths[i].Fate == Rejected {
			t.Fatalf("line %d is rejected without a fault", lines[i])
		}
		if truths[i].Fate == Blank {
			blank++
		}
		if strings.Contains(row[colNote], "\n") {
			multiline++
		}
	}
	if len(rows)-blank != 5000 {
		t.Errorf("%d rows, want 5000", len(rows)-blank)
	}
	if blank == 0 || multiline == 0 {
		t.Errorf("%d blank rows, %d notes of several lines: want some of each", blank, multiline)
	}
}

func TestShareOfFaults(t *testing.T) {
	for _, share := range []float64{0, 0.1, 1} {
		_, truths := register(t, Options{Rows: 10_000, Seed: 4, Faults: share})
		n := 0
		for _, r := range truths {
			if r.Fault != "" {
				n++
			}
		}
		if got := float64(n) / 10_000; got < share-0.02 || got > share+0.02 {
			t.Errorf("share %v asked for, got %v", share, got)
		}
	}
}

func TestFaultsComeInTurn(t *testing.T) {
	_, truths := register(t, Options{Rows: int64(2 * len(faults)), Seed: 1, Faults: 1})
	next := 0
	for _, r := range truths {
		if r.Fate == Blank {
			continue
		}
		if want := faults[next%len(faults)].name; r.Fault != want {
			t.Fatalf("line %d has the fault %q, want %q", r.Row, r.Fault, want)
		}
		next++
	}
}

func TestOnlySyntheticPeople(t *testing.T) {
	g := generatorOf(Options{Seed: 6})
	for range 20_000 {
		for _, n := range [][12]byte{g.born(1915, 2007), g.coordination(), g.undated()} {
			if b := string(n[8:11]); b != "238" && b != "239" {
				t.Fatalf("birth number %s", b)
			}
		}
		if n := g.organisation(); n[2] < '2' {
			t.Fatalf("third digit of an organisationsnummer is %c", n[2])
		}
	}
}

func TestCheckDigit(t *testing.T) {
	for _, n := range []string{"8501022399", "0002292381", "0002292399", "8501622396", "8500602381", "2001012398", "5560160680",
		"5560360793", "2120000142", "8572090606", "5599999991", "8029999995"} {
		if got := checkDigit([]byte(n[:9])); got != n[9] {
			t.Errorf("check digit of %s is %c, want %c", n[:9], got, n[9])
		}
	}
	if n := personnummer(1985, 1, 2, 239); string(n[:]) != "198501022399" {
		t.Errorf("got %s", n)
	}
}

func TestEveryPhoneInEveryStyleIsValid(t *testing.T) {
	for _, s := range append([]span{mobiles}, landlines...) {
		for local := s.first; local < s.first+s.count; local++ {
			for style := range phoneStyles {
				text := string(appendPhone(nil, s.area, local, style))
				n, err := phonenumbers.Parse(text, "SE")
				if err != nil || !phonenumbers.IsValidNumber(n) {
					t.Fatalf("%s is not valid: %v", text, err)
				}
				if got, want := phonenumbers.Format(n, phonenumbers.E164), "+46"+s.area+strconv.FormatInt(local, 10); got != want {
					t.Fatalf("%s is read as %s, want %s", text, got, want)
				}
			}
		}
	}
}

func TestBadPhonesAreBad(t *testing.T) {
	for _, text := range badPhones {
		if n, err := phonenumbers.Parse(text, "SE"); err == nil && phonenumbers.IsValidNumber(n) {
			t.Errorf("%s is valid", text)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, text := range badEmails {
		if format.Email([]byte(text)) {
			t.Errorf("%s is valid", text)
		}
	}
	for _, first := range firstNames {
		for _, last := range lastNames {
			if text := first.mail + "." + last.mail + "1@example.se"; !format.Email([]byte(text)) {
				t.Errorf("%s is not valid", text)
			}
		}
	}
}

func TestClients(t *testing.T) {
	o := Options{Rows: 1000, Seed: 9}
	var out bytes.Buffer
	if err := WriteClients(&out, o); err != nil {
		t.Fatal(err)
	}
	var clients []client
	if err := gocsv.UnmarshalCSV(csv.NewReader(&out), &clients); err != nil {
		t.Fatal(err)
	}
	if int64(len(clients)) != o.Clients() {
		t.Errorf("%d clients, want %d", len(clients), o.Clients())
	}
	seen := map[string]bool{}
	for i, c := range clients {
		id, err := uuid.Parse(c.ID)
		if err != nil || id.Version() != 4 || id.Variant() != uuid.RFC4122 || seen[c.ID] {
			t.Fatalf("client %d has the id %s (%v), want a new uuid of version 4", c.Number, c.ID, err)
		}
		seen[c.ID] = true
		if c.Number != firstClient+int64(i) || c.Name == "" {
			t.Fatalf("client %d has the number %d and the name %q", i, c.Number, c.Name)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{{Rows: -1}, {Faults: -0.1}, {Faults: 1.1}, {Encoding: "latin-1"}} {
		if err := WriteRegister(io.Discard, o, nil); err == nil {
			t.Errorf("%+v: no error", o)
		}
		if err := WriteClients(io.Discard, o); err == nil {
			t.Errorf("%+v: no error for the clients", o)
		}
	}
}

type failing struct{ after int }

var errFull = errors.New("no space left")

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteErrorsEndTheRegister(t *testing.T) {
	o := Options{Rows: 10_000, Seed: 1}
	for _, room := range []int{0, 1 << 17} {
		if err := WriteRegister(&failing{room}, o, nil); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
	err := WriteRegister(io.Discard, o, func(*Truth) error { return errFull })
	if !errors.Is(err, errFull) {
		t.Errorf("truth that cannot be told: %v", err)
	}
}

func TestMemoryDoesNotGrowWithRows(t *testing.T) {
	allocs := func(rows int64) float64 {
		return testing.AllocsPerRun(1, func() {
			if err := WriteRegister(io.Discard, Options{Rows: rows, Seed: 8, Faults: 0.1}, nil); err != nil {
				t.Fatal(err)
			}
		})
	}
	short, long := allocs(5_000), allocs(15_000)
	if perRow := (long - short) / 10_000; perRow > 0.01 {
		t.Errorf("%v allocations per row, want none", perRow)
	}
}

// generatorOf returns a generator that writes nowhere.
func generatorOf(o Options) *generator { return newGenerator(io.Discard, o, nil) }

func BenchmarkWriteRegister(b *testing.B) {
	const rows = 10_000
	for b.Loop() {
		if err := WriteRegister(io.Discard, Options{Rows: rows, Seed: 1, Faults: 0.1}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
