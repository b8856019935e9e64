package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// What a soak draws: a register whose values take forms that servers change, and an API
// that changes them.

// soakFields are the columns of the register and the fields they become.
var soakFields = [...]struct{ column, field string }{
	{"Nr", "custom_id"}, {"Namn", "name"}, {"Titel", "title"}, {"Kund", "external_client.id"}, {"E-post", "email"}, {"Telefon", "phone_number"},
}

const (
	soakKey = iota
	soakName
	soakTitle
	soakCustomer
	soakEmail
	soakPhone
)

// soakRow is a row of the register. Its number stands at the end of its name, whatever
// becomes of that: by it the record is known.
type soakRow struct {
	cells [len(soakFields)]string
	valid bool
}

const soakClient = "6f9a3c1e-0000-4000-8000-%012d"

// soakKeys are the forms of keys. The number is in each, and among its first 12 characters,
// so that no two keys become one, whatever is done to them but oneOfSeveralKeys.
var soakKeys = []string{
	"S-%05d", "s-%05d", "S  %05d", "%05d", "R&D %05d", "\u00c5-%05d", "A\u030a-%05d", "%05d-f\u00f6rteckning", "\uff2b%05d", "%05d/\"A\", B", "K%d",
}

var (
	soakNames  = []string{"Person %d", "\u00c5sa  \u00d6berg %d", "A\u030asa %d", "R&D %d", "\ufb01lip LIND %d"}
	soakTitles = []string{"Kontaktperson", "Kontakt  & person", "VD"}
	soakEmails = []string{"p%d@example.se", "P%d@Example.se", "familj@Example.se"}
)

// drawRows draws a register in which some rows break a rule, and some refer to a client
// that only the API knows not to exist.
func (s *soak) drawRows() {
	for i := range soakRows {
		row := soakRow{valid: true}
		client := i % 7
		row.cells[soakKey] = fmt.Sprintf(s.pick(soakKeys...), i)
		row.cells[soakName] = fmt.Sprintf(s.pick(soakNames...), i)
		row.cells[soakTitle] = s.pick(soakTitles...)
		row.cells[soakEmail] = strings.ReplaceAll(s.pick(soakEmails...), "%d", strconv.Itoa(i))
		row.cells[soakPhone] = fmt.Sprintf("+4670174%04d", i)
		switch {
		case s.rng.IntN(23) == 0:
			row.cells[soakEmail], row.valid = "nobody", false
		case s.rng.IntN(61) == 0:
			client, row.valid = 99, false
		}
		row.cells[soakCustomer] = fmt.Sprintf(soakClient, client)
		s.rows = append(s.rows, row)
	}
}

func (s *soak) pick(values ...string) string { return values[s.rng.IntN(len(values))] }

// writeInput writes the register, its mapping, and the clients that the API knows.
func (s *soak) writeInput() {
	var rows, clients, mapping strings.Builder
	out := csv.NewWriter(&rows)
	header := make([]string, len(soakFields))
	mapping.WriteString("resource: externalclientcontactperson\nfields:\n")
	for i, f := range soakFields {
		header[i] = f.column
		fmt.Fprintf(&mapping, "  %s: %s\n", f.field, f.column)
	}
	_ = out.Write(header) // into memory, and Flush tells
	for i := range s.rows {
		_ = out.Write(s.rows[i].cells[:])
	}
	out.Flush()
	clients.WriteString("id\n")
	for i := range 7 {
		fmt.Fprintf(&clients, soakClient+"\n", i)
	}
	for name, text := range map[string]string{"in.csv": rows.String(), "clients.csv": clients.String(), "mapping.yaml": mapping.String()} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// soakFaults are what an API may suffer, each now and then.
var soakFaults = []string{
	"bulk:4%:reset", "bulk:5%:commit-then-reset", "bulk:3%:late-commit=150ms", "bulk:5%:429=0", "bulk:3%:503=date:1",
	"bulk:3%:500", "bulk:3%:commit-then-502", "bulk:3%:truncate", "bulk:2%:html", "bulk:2%:wrong-count=-3", "bulk:3%:slow=20000",
	"bulk:2%:commit-then-504", "bulk:2%:413=4000", "list:4%:503", "list:3%:truncate", "list:3%:reset",
}

// oneOfSeveralKeys makes one key of several: only their other values tell such rows apart.
const oneOfSeveralKeys = "custom_id:truncate=6"

// soakSwitches are what an API may do otherwise than others, each with so many percent
// and one of its values.
var soakSwitches = []struct {
	percent int
	name    string
	values  []string
}{
	{45, "--rewrite", prefixed("custom_id:", "collapse", "nfc", "nfkc", "lower", "upper", "escape", "strip-zeros", "strip-dashes", "truncate=12", "truncate=6", "prefix=SE-")},
	{15, "--rewrite", prefixed("custom_id:", "trim", "collapse", "nfkc", "upper", "escape", "strip-dashes", "prefix=X")},
	{30, "--rewrite", prefixed("name:", "collapse", "trim", "nfc", "nfkc", "lower", "upper", "escape", "prefix=Kund ")},
	{25, "--rewrite", prefixed("title:", "collapse", "lower", "upper", "escape", "truncate=4")},
	{30, "--rewrite", []string{"email:lower"}},
	{30, "--rewrite", prefixed("phone_number:", "phone-national", "phone-bare")},
	{25, "--fill", []string{"first_name,last_name", "last_name"}},
	{20, "--bom", nil},
	{30, "--patch-answer", []string{"id-only", "changed"}},
	{25, "--bulk-answer", []string{"ids"}},
	{40, "--item-errors", []string{"207", "200", "success-false", "items"}},
	{50, "--error-index", []string{"1"}},
	{20, "--lookup-case", []string{"insensitive"}},
	{10, "--lookup-space", []string{"collapse"}},
	{10, "--lookup-unicode", []string{"nfc"}},
	{25, "--lock-conflicts", []string{"409", "400"}},
}

func prefixed(prefix string, values ...string) []string {
	for i := range values {
		values[i] = prefix + values[i]
	}
	return values
}

// drawAPI rolls the dice on what the API does, what it leaves open, and what it suffers.
func (s *soak) drawAPI() {
	s.api = []string{
		"--bulk", s.pick("all", "partial"), "--errors", s.pick("aligned", "indexed", "listed", "keyed", "detail", "text", "lines"),
		"--answer-order", s.pick("sent", "reversed", "shuffled"), "--fault-seed", strconv.Itoa(s.rng.IntN(1000)), "--lock-time", "3ms",
	}
	for _, each := range soakSwitches {
		switch {
		case s.rng.IntN(100) >= each.percent:
		case slices.Contains(s.api, oneOfSeveralKeys) && slices.Contains(each.values, "custom_id:collapse"):
			// A key that was cut and then changed is not recognised: rows would stay in doubt.
		case each.values == nil:
			s.api = append(s.api, each.name)
		default:
			s.api = append(s.api, each.name, s.pick(each.values...))
		}
	}
	for _, f := range soakFaults {
		if s.rng.IntN(3) > 0 {
			s.api = append(s.api, "--fault", f)
		}
	}
	if !slices.Contains(s.api, "--item-errors") && s.rng.IntN(3) == 0 { // said of requests that are refused as a whole
		s.env = append(s.env, "FLYTT_BULK_ATOMICITY="+s.api[1])
	}
}
