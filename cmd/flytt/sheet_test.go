package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"flytt/internal/inspect"
)

// register makes a workbook as an office keeps one, and goes to its directory:
// a title above the header of Kontakter, of whose four rows one is hidden and
// one has a wrong check digit; an archive; a hidden sheet.
func register(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	book := excelize.NewFile()
	id := "6f9a3c1e-0000-4000-8000-000000000001"
	sheets := []struct {
		name string
		rows [][]any
	}{
		{"Kontakter", [][]any{
			{"Kontaktregister 2026"},
			{},
			{"Kundnr", "Namn", "Titel", "Personnr", "KundUUID"},
			{"K-1", "Kanarie Ett", "VD", 198501022399, id},
			{"K-2", "Kanarie Två", "VD", "19850102-2390", id},
			{"K-3", "Kanarie Tre", "VD", "", id},
			{"K-4", "Kanarie Fyra", "VD", "19850102-2399", id},
		}},
		{"Arkiv åäö", [][]any{{"Namn"}, {"Kanarie Fem"}}},
		{"Dolt", [][]any{{"Namn"}}},
	}
	var errs []error
	for _, s := range sheets {
		_, err := book.NewSheet(s.name)
		errs = append(errs, err)
		for i, row := range s.rows {
			cell, err := excelize.CoordinatesToCellName(1, i+1)
			errs = append(errs, err, book.SetSheetRow(s.name, cell, &row))
		}
	}
	errs = append(errs, book.DeleteSheet("Sheet1"), book.SetRowVisible("Kontakter", 6, false),
		book.SetSheetVisible("Dolt", false), book.SaveAs("register.xlsx"), book.Close())
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// prints runs flytt, which has to exit with code, and returns what it printed on
// both streams.
func prints(t *testing.T, code int, args ...string) string {
	t.Helper()
	got, stdout, stderr := flyttIn(args...)
	if got != code {
		t.Errorf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	return stdout + stderr
}

// holds reports what of patterns text lacks.
func holds(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(text) {
			t.Errorf("this lacks %s:\n%s", p, text)
		}
	}
}

func TestInspectShowsTheSheetsOfAWorkbook(t *testing.T) {
	register(t)
	text := prints(t, exitDone, "inspect", "register.xlsx")
	holds(t, text,
		`^  format   XLSX, `, `^  sheet    Kontakter$`, `^  header   on row 3$`, `^  rows     4$`,
		`^ +1 +Kontakter +\? +is read$`, `^ +2 +Arkiv åäö +\?$`, `^ +3 +Dolt +\? +hidden$`,
		`^ +4 +Personnr +ssn 0.90 +personnummer 67 % +25 %`, `99999999-9999 · 999999999999`,
		`^  flytt validate register.xlsx$`)
	if strings.Contains(text, "Kanarie") || strings.Contains(text, "1985") {
		t.Errorf("this shows values:\n%s", text)
	}
	text = prints(t, exitDone, "inspect", "register.xlsx", "--sheet", "-2", "--count")
	holds(t, text, `^  sheet    Arkiv åäö$`, `^  rows     1$`, `--sheet -2 -m mapping.yaml$`)
	text = prints(t, exitDone, "inspect", "register.xlsx", "--skip-hidden", "--sheet", "Kontakter")
	holds(t, text, `^  rows     3$`, `^  flytt validate register.xlsx --sheet Kontakter --skip-hidden$`)

	var found inspect.Report
	if err := json.Unmarshal([]byte(prints(t, exitDone, "inspect", "register.xlsx", "--json")), &found); err != nil {
		t.Fatal(err)
	}
	if found.Sheet != "Kontakter" || len(found.Sheets) != 3 || !found.Sheets[2].Hidden || found.HeaderRow != 3 || found.Rows.Count != 4 {
		t.Errorf("found %+v", found)
	}
}

func TestSheetsAreChosenByFlagAndMapping(t *testing.T) {
	register(t)
	text := prints(t, exitUsage, "validate", "register.xlsx", "--sheet", "Kontrakt")
	holds(t, text, `^flytt: register.xlsx: .*Kontrakt`, `Kontakter`, `Arkiv åäö`, `Dolt`)
	prints(t, exitUsage, "inspect", "register.xlsx", "--sheet", "4")
	mapping := "resource: externalclientcontactperson\ninput: {sheet: Arkiv åäö}\nfields:\n  name: Namn\n  title: {const: VD}\n" +
		"  external_client.id: {const: 6f9a3c1e-0000-4000-8000-000000000001}\n"
	if err := os.WriteFile("m.yaml", []byte(mapping), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, prints(t, exitDone, "validate", "register.xlsx", "-m", "m.yaml"), `sheet Arkiv åäö, header on row 1`, `^  valid +1 `)
	holds(t, prints(t, exitDone, "validate", "register.xlsx", "-m", "m.yaml", "--sheet", "Kontakter"), `^  valid +4 `)
}

// TestRejectsNameCellsAsExcelDoes checks that whoever has the workbook open
// finds the cell, on the terminal, in rejects.csv and in the summary.
func TestRejectsNameCellsAsExcelDoes(t *testing.T) {
	register(t)
	text := prints(t, exitRejects, "validate", "register.xlsx", "--run-dir", "run")
	holds(t, text, `^register.xlsx: XLSX, sheet Kontakter, header on row 3$`, `^ +1 +ssn +check_digit +D5 +wrong check digit$`)
	rejects, err := os.ReadFile(filepath.Join("run", "rejects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, string(rejects), `K-2;.*;5;"?ssn from Personnr \(Kontakter!D5\): wrong check digit`)
	var summary struct {
		Input   struct{ Sheet string }
		Rejects []struct {
			Row   int
			Place string
		}
	}
	data, err := os.ReadFile(filepath.Join("run", "summary.json"))
	if err := errors.Join(err, json.Unmarshal(data, &summary)); err != nil {
		t.Fatal(err)
	}
	if r := summary.Rejects; summary.Input.Sheet != "Kontakter" || len(r) != 1 || r[0].Row != 5 || r[0].Place != "Kontakter!D5" {
		t.Errorf("the summary has %+v", summary)
	}
	holds(t, prints(t, exitRejects, "convert", "register.xlsx", "-o", "out.parquet", "--skip-hidden"), `^  read +3$`, `^  written +2$`)
}

// TestRejectsNameRowsOfParquet checks that what has rows and no lines says so.
func TestRejectsNameRowsOfParquet(t *testing.T) {
	register(t)
	relaxed := "resource: externalclientcontactperson\nseverity: {check_digit: warning}\nfields:\n  custom_id: Kundnr\n  name: Namn\n" +
		"  title: Titel\n  ssn: {from: Personnr, apply: [personnummer]}\n  external_client.id: KundUUID\n"
	if err := os.WriteFile("m.yaml", []byte(relaxed), 0o600); err != nil {
		t.Fatal(err)
	}
	prints(t, exitDone, "convert", "register.xlsx", "-m", "m.yaml", "-o", "out.parquet")
	holds(t, prints(t, exitRejects, "validate", "out.parquet", "--run-dir", "run"),
		`^out.parquet: Parquet$`, `^ +1 +ssn +check_digit +row 2 +wrong check digit$`)
	rejects, err := os.ReadFile(filepath.Join("run", "rejects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, string(rejects), `^K-2;.*;2;"?ssn \(row 2\): wrong check digit`)
}

// TestStampsTellSheetsApart has rows with the same number on two sheets of a workbook.
func TestStampsTellSheetsApart(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_KEY_DIR", t.TempDir())
	book := excelize.NewFile()
	_, err := book.NewSheet("Sheet2")
	for _, sheet := range []string{"Sheet1", "Sheet2"} {
		for i, cell := range []string{"Namn", "Kanarie " + sheet} {
			err = errors.Join(err, book.SetCellStr(sheet, fmt.Sprintf("A%d", i+1), cell))
		}
	}
	mapping := "resource: externalclientcontactperson\nfields:\n  name: Namn\n  title: {const: VD}\n" +
		"  external_client.id: {const: 6f9a3c1e-0000-4000-8000-000000000001}\n"
	if err := errors.Join(err, book.SaveAs("two.xlsx"), book.Close(), os.WriteFile("m.yaml", []byte(mapping), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, sheet := range []string{"Sheet1", "Sheet2"} {
		text := prints(t, exitDone, "import", "two.xlsx", "-m", "m.yaml", "--sheet", sheet, "--sandbox", "--stamp", "--skip-existing", "--key", "custom_id", "--run-dir", sheet)
		holds(t, text, `^  written +1$`)
	}
	holds(t, prints(t, exitDone, "import", "two.xlsx", "-m", "m.yaml", "--sandbox", "--stamp", "--skip-existing", "--key", "custom_id"), `^  unchanged +1`)
}
