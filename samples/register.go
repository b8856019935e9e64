// Package samples holds small, realistic inputs with their expected outputs,
// one folder per resource, and generates more of the same: contact registers
// as legacy Swedish property systems export them, of any length, with a stated
// share of faulty rows and the truth about each.
//
// All people in them are synthetic. Birth numbers are 238 and 239, which
// Skatteverket keeps for test data; telephone numbers come from the ranges PTS
// keeps for fiction; domains are those of RFC 2606 and Internetstiftelsen's
// example.se; organisation numbers lie ahead of the series in use.
package samples

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/gocarina/gocsv"
	"golang.org/x/text/encoding/charmap"
)

// Mappings holds the mapping file of each sample, as RESOURCE/mapping.yaml.
//
//go:embed */mapping.yaml
var Mappings embed.FS

// Encodings a register can be written in.
const (
	Windows1252 = "windows-1252"
	UTF8        = "utf-8" // with a byte order mark, as spreadsheets write it
)

// Options says which register to make. Equal options give equal bytes.
type Options struct {
	Rows     int64   // records; lines of empty cells come on top
	Seed     uint64  // another seed, other people
	Faults   float64 // share of rows with a fault, 0 to 1
	Encoding string  // Windows1252, which the empty string means too, or UTF8
}

// Fates a Truth can name, in the words of the summary. A line of empty cells is
// no row: it is counted as a warning and has the fate Blank here.
const (
	Valid    = "valid"
	Skipped  = "skipped"
	Rejected = "rejected"
	Blank    = "blank"
)

// Truth is what must become of one row under the sample's mapping. It comes
// from what the generator did to the row, not from reading it.
type Truth struct {
	Row      int64     `json:"row"` // the physical line the row starts on
	Fate     string    `json:"fate"`
	Fault    string    `json:"fault,omitempty"` // what was done to it, for people
	Problems []Problem `json:"problems,omitempty"`

	values [fields][]byte // of a row that passes
}

// Record returns the fields that a row whose fate is Valid must arrive with, by
// name; what is not among them is null. Fields that the mapping fills without
// regard to the register are left out.
func (t *Truth) Record() map[string]string {
	record := make(map[string]string, fields)
	for i, v := range t.values {
		if len(v) > 0 {
			record[fieldNames[i]] = string(v)
		}
	}
	return record
}

// Problem is one error, warning or repair that a row must be reported with.
type Problem struct {
	Field    string `json:"field,omitempty"` // empty: of the row as a whole
	Code     string `json:"code"`
	Severity string `json:"severity"`
}

// title stands above the header, with a blank line after it, as print-outs of
// such systems have it.
const title = "Kontaktregister – hyresgäster och leverantörer, utskrivet 2026-11-20 08:14"

// Columns of the register.
const (
	colContact = iota
	colClient
	colName
	colFirst
	colLast
	colTitle
	colSSN
	colOrg
	colEmail
	colPhone
	colMobile
	colCompany
	colObject
	colStatus
	colChanged
	colNote
	columns
)

var header = [columns]string{
	"Kontaktnr", "Kundnr", "Namn", "Förnamn", "Efternamn", "Titel", "Personnr", "Orgnr", "E-post",
	"Telefon", "Mobil", "Företag", "Objekt", "Status", "Ändrad", "Anteckning",
}

// WriteRegister writes a register to w and tells truth, which may be nil, about
// every row, in order. The Truth is reused for the next row. Memory does not
// depend on the number of rows. An error is one of w, of truth or of the
// options.
func WriteRegister(w io.Writer, o Options, truth func(*Truth) error) error {
	if err := o.check(); err != nil {
		return err
	}
	if truth == nil {
		truth = func(*Truth) error { return nil }
	}
	g := newGenerator(w, o, truth)
	if err := g.run(); err != nil {
		return err
	}
	return g.w.Flush()
}

func (o *Options) check() error {
	switch {
	case o.Rows < 0:
		return fmt.Errorf("%d rows: want 0 or more", o.Rows)
	case !(o.Faults >= 0 && o.Faults <= 1):
		return fmt.Errorf("share of faults %v: want 0 to 1", o.Faults)
	case o.Encoding != "" && o.Encoding != Windows1252 && o.Encoding != UTF8:
		return fmt.Errorf("encoding %s: want %s or %s", o.Encoding, Windows1252, UTF8)
	}
	return nil
}

// generator holds what one register needs; its buffers are reused row by row.
type generator struct {
	o     Options
	rng   *rand.Rand
	w     *bufio.Writer
	truth func(*Truth) error

	line int64 // physical line of the next record
	turn int   // which fault is next
	row  row
	text []byte // the record being written, in UTF-8
	raw  []byte // the same, in Windows-1252
}

func newGenerator(w io.Writer, o Options, truth func(*Truth) error) *generator {
	return &generator{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1)), w: bufio.NewWriterSize(w, 1<<16), truth: truth}
}

func (g *generator) run() error {
	g.line = 1
	if g.o.Encoding == UTF8 {
		if _, err := g.w.WriteString("\ufeff"); err != nil {
			return err
		}
	}
	for _, text := range []string{title, "", headerLine()} {
		g.text = append(append(g.text[:0], text...), "\r\n"...)
		if err := g.emit(); err != nil {
			return err
		}
	}
	for n := int64(1); n <= g.o.Rows; n++ {
		if g.rng.IntN(250) == 0 {
			if err := g.blank(); err != nil {
				return err
			}
		}
		if err := g.record(n); err != nil {
			return err
		}
	}
	return nil
}

func headerLine() string {
	var b []byte
	for i, name := range header {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return string(b)
}

// record writes row n and tells the truth about it.
func (g *generator) record(n int64) error {
	r := &g.row
	r.reset()
	g.fill(n)
	if g.rng.Float64() < g.o.Faults {
		f := &faults[g.turn%len(faults)]
		g.turn++
		r.truth.Fault = f.name
		f.inject(g, r)
	}
	r.truth.Row = g.line
	r.settle()
	g.text = r.append(g.text[:0])
	if err := g.emit(); err != nil {
		return err
	}
	return g.truth(&r.truth)
}

// blank writes a line of empty cells, which is no row.
func (g *generator) blank() error {
	r := &g.row
	r.reset()
	r.truth.Row, r.truth.Fate = g.line, Blank
	r.truth.Problems = append(r.truth.Problems, Problem{Code: "blank_row", Severity: warning})
	g.text = r.append(g.text[:0])
	if err := g.emit(); err != nil {
		return err
	}
	return g.truth(&r.truth)
}

// emit writes the text in the register's encoding and counts its lines.
func (g *generator) emit() error {
	g.line += int64(bytes.Count(g.text, []byte{'\n'}))
	out := g.text
	if g.o.Encoding != UTF8 {
		g.raw = appendWindows1252(g.raw[:0], g.text)
		out = g.raw
	}
	_, err := g.w.Write(out)
	return err
}

// appendWindows1252 encodes text, whose every character exists there. A byte
// that is no UTF-8 stays as it is.
func appendWindows1252(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		b, ok := charmap.Windows1252.EncodeRune(r)
		if size == 1 {
			b, ok = text[i], true
		}
		if !ok {
			panic(fmt.Sprintf("samples: no %U in windows-1252", r))
		}
		dst = append(dst, b)
		i += size
	}
	return dst
}

// firstClient is the lowest legacy client number.
const firstClient = 1000

// Clients returns how many clients a register of o.Rows rows refers to.
func (o Options) Clients() int64 { return min(max(o.Rows/4, 8), 50_000) }

// client is a row of the table that resolves the register's client numbers.
type client struct {
	Number int64  `csv:"legacy_id"`
	Name   string `csv:"name"`
	ID     string `csv:"id"` // the API's uuid
}

// WriteClients writes the table of clients: UTF-8, commas. There are no more than
// 50,000 of them.
func WriteClients(w io.Writer, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	g := &generator{o: o, rng: rand.New(rand.NewPCG(o.Seed, 2))}
	clients := make([]client, o.Clients())
	for i := range clients {
		trade, town := pick(g, trades), pick(g, towns)
		clients[i] = client{firstClient + int64(i), trade + " i " + town + " AB", string(appendUUID(nil, o.Seed, uint64(i)))}
	}
	return gocsv.MarshalCSV(clients, gocsv.NewSafeCSVWriter(csv.NewWriter(w)))
}

// appendUUID appends the version 4 uuid that seed gives to client i.
func appendUUID(dst []byte, seed, i uint64) []byte {
	const hex = "0123456789abcdef"
	p := rand.NewPCG(seed, i<<8|3)
	words := [2]uint64{p.Uint64()&^0xf000 | 0x4000, p.Uint64()&^(3<<62) | 2<<62}
	for n := range 32 {
		if n == 8 || n == 12 || n == 16 || n == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[words[n/16]>>(60-n%16*4)&15])
	}
	return dst
}
