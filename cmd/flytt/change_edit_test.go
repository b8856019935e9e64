package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"flytt/internal/sandbox"
	"flytt/mappings"
)

// put makes records at the API by itself, past all rules of ours.
func (r *recorded) put(t *testing.T, items ...map[string]any) {
	t.Helper()
	for _, item := range items {
		for field, value := range map[string]any{"title": "VD", "external_client": map[string]string{"id": "6f9a3c1e-0000-4000-8000-000000000001"}} {
			if _, ok := item[field]; !ok {
				item[field] = value
			}
		}
	}
	body, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, os.Getenv("FLYTT_BASE_URL")+"/organization/externalclientcontactperson/list/", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, name := range []string{"Application-Id", "Client-Ct", "Client-Entity", "Client-Secret", "Customer-Id", "Service-Id", "Service-Version-Id"} {
		req.Header.Set("X-Pigello-"+name, sandbox.DefaultCredential)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s\n%s", res.Status, text)
	}
}

// wantUntouched imports file, which holds n rows, and checks that nothing is
// changed.
func (r *recorded) wantUntouched(t *testing.T, n int64, args ...string) {
	t.Helper()
	s := flytt(t, exitDone, append([]string{"import"}, args...)...)
	if patches, posts := r.sent(); s.Rows.Unchanged != n || len(patches)+posts > 0 {
		t.Errorf("import %v: %+v, %d writes and the changes %q", args, s.Rows, posts, patches)
	}
}

// nastyValues are values that spreadsheets and apostrophes can spoil.
var nastyValues = []string{
	"'apos", "''x", "'=1", "=1", "=cmd|' /C calc'!A0", "+46701740605", "0701740605", "198501022399", "2011-09-24", "'2011-09-24",
	"'0701740605", "-1", "@x", "SANT", "1-2", "12,5", "Åsa; \"Kulan\"\nEk", "'", "1E5", "plain",
}

// TestExcelExportImportsAsNoChange exports values that are guarded against
// spreadsheets, and imports them again.
func TestExcelExportImportsAsNoChange(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	for i, v := range nastyValues {
		r.put(t, map[string]any{"name": v, "custom_id": fmt.Sprintf("0%d", i), "corporate_name": v, "ssn": "198501022399", "phone_number": "+46701740605"})
	}
	r.sent()
	n := int64(len(nastyValues))
	flytt(t, exitDone, "export", "-o", "xl.csv", "--excel")
	r.wantUntouched(t, n, "xl.csv")
	r.wantUntouched(t, n, "xl.csv", "--write-nulls")
	flytt(t, exitDone, "export", "-o", "plain.csv")
	r.wantUntouched(t, n, "plain.csv")
	edit(t, "xl.csv", ";plain;", ";=2;")
	s := flytt(t, exitDone, "import", "xl.csv")
	if patches, _ := r.sent(); s.Rows.Updated != 1 || len(patches) != 1 || !strings.Contains(patches[0], `"=2"`) {
		t.Errorf("%+v %q", s.Rows, patches)
	}
	if !slices.ContainsFunc(s.Notes, func(note string) bool { return strings.Contains(note, "apostrophes") }) {
		t.Errorf("notes: %q", s.Notes)
	}
}

// rewritten writes file as LibreOffice saves it, to a file of another name: lines end
// in LF, and every cell is in quotes.
func rewritten(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("\uFEFF")
	for _, row := range rows {
		for i, cell := range row {
			row[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		b.WriteString(strings.Join(row, ";") + "\n")
	}
	name := "rewritten-" + file
	write(t, name, b.String())
	return name
}

// TestExcelExportOfSomeColumnsImportsAsNoChange exports values that are guarded
// against spreadsheets, without the ids, and imports them by their key.
func TestExcelExportOfSomeColumnsImportsAsNoChange(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	for i, v := range append(nastyValues, "'t Hooft") {
		r.put(t, map[string]any{"name": v, "custom_id": fmt.Sprintf("0%d", i), "title": v})
	}
	r.sent()
	n := int64(len(nastyValues) + 1)
	flytt(t, exitDone, "export", "-o", "e.csv", "--excel", "--select", "custom_id,name,title,external_client.id")
	for _, file := range []string{"e.csv", rewritten(t, "e.csv")} {
		r.wantUntouched(t, n, file, "--mode", "upsert", "--key", "custom_id")
		s := flytt(t, exitDone, "validate", file, "--key", "custom_id", "--mode", "upsert")
		if !slices.ContainsFunc(s.Notes, func(note string) bool { return strings.Contains(note, "apostrophes") }) {
			t.Errorf("%s: notes: %q", file, s.Notes)
		}
	}
}

// TestExcelConvertComesBack converts values that are guarded against spreadsheets
// for Excel, and back.
func TestExcelConvertComesBack(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_CONFIG", "")
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"custom_id", "name", "title", "external_client.id"}}
	for i, v := range append(nastyValues, "'t Hooft") {
		rows = append(rows, []string{fmt.Sprintf("0%d", i), v, v, "5d3c1c2e-6d0e-4a53-9a5f-0d2f6f0b7a11"})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	write(t, "in.csv", b.String())
	flytt(t, exitDone, "convert", "in.csv", "-o", "want.csv")
	flytt(t, exitDone, "convert", "in.csv", "-o", "x.csv", "--excel")
	want, err := os.ReadFile("want.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"x.csv", rewritten(t, "x.csv")} {
		flytt(t, exitDone, "convert", file, "-o", "back.csv", "--overwrite")
		if back, err := os.ReadFile("back.csv"); err != nil || !bytes.Equal(back, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", file, err, back, want)
		}
	}
}

// TestKeyIsForRowsWithoutAnID changes the key of a record that its row names by
// id.
func TestKeyIsForRowsWithoutAnID(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	exported(t, r, 12)
	r.wantUntouched(t, 12, "contacts.csv", "--mode", "upsert", "--key", "custom_id")
	edit(t, "contacts.csv", "A-3,", "B-3,")
	s := flytt(t, exitDone, "import", "contacts.csv", "--mode", "upsert", "--key", "custom_id")
	patches, posts := r.sent()
	if s.Rows.Updated != 1 || s.Rows.Unchanged != 11 || posts > 0 || !slices.Equal(patches, []string{`{"custom_id":"B-3"}`}) {
		t.Errorf("%+v, %d writes, %q", s.Rows, posts, patches)
	}
	text := withoutIDs(t, "contacts.csv", 5)
	write(t, "mixed.csv", strings.Replace(text, "Person 2 Åström", "Person 2 Öberg", 1))
	s = flytt(t, exitDone, "import", "mixed.csv", "--mode", "upsert", "--key", "custom_id")
	if patches, posts := r.sent(); s.Rows.Updated != 1 || s.Rows.Unchanged != 11 || posts > 0 || len(patches) != 1 {
		t.Errorf("some without an id: %+v, %d writes, %q", s.Rows, posts, patches)
	}
}

// withoutIDs returns the text of a CSV file with the ids of the first n rows
// taken out.
func withoutIDs(t *testing.T, file string, n int) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "id")
	for i := range n {
		rows[i+1][at] = ""
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPlanWhereKeysHaveWhiteSpace plans and imports rows whose keys are stored with
// white space around them, with lists that regard it and that do not.
func TestPlanWhereKeysHaveWhiteSpace(t *testing.T) {
	for _, space := range []sandbox.LookupSpace{sandbox.SpaceExact, sandbox.SpaceCollapse} {
		r := sandboxWith(t, sandbox.Options{Lookup: sandbox.Lookup{Space: space}})
		r.put(t, map[string]any{"name": "a", "custom_id": " lead"}, map[string]any{"name": "b", "custom_id": "trail  "},
			map[string]any{"name": "c", "custom_id": "plain"}, map[string]any{"name": "d", "custom_id": "in side"})
		flytt(t, exitDone, "export", "-o", "all.csv")
		write(t, "keys.csv", withoutIDs(t, "all.csv", 4))
		if s := flytt(t, exitDone, "plan", "keys.csv", "--mode", "upsert"); s.Plan.Unchanged != 4 {
			t.Errorf("%v: plan: %+v", space, s.Plan)
		}
		if s := flytt(t, exitDone, "import", "keys.csv", "--mode", "upsert"); s.Rows.Unchanged != 4 {
			t.Errorf("%v: import: %+v", space, s.Rows)
		}
	}
}

// TestUpsertWhereKeysHaveWhiteSpace looks up keys that are stored with white
// space around them: none is made twice.
func TestUpsertWhereKeysHaveWhiteSpace(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	r.put(t, map[string]any{"name": "a", "custom_id": " lead"}, map[string]any{"name": "b", "custom_id": "\ttab"},
		map[string]any{"name": "c", "custom_id": "trail  "}, map[string]any{"name": "d", "custom_id": "plain"})
	flytt(t, exitDone, "export", "-o", "all.csv")
	write(t, "keys.csv", withoutIDs(t, "all.csv", 4))
	r.sent()
	s := flytt(t, exitRejects, "import", "keys.csv", "--mode", "upsert", "--key", "custom_id")
	if patches, posts := r.sent(); s.Rows.Unchanged != 3 || s.Rows.Rejected != 1 || s.Rejects[0].Code != "key_unusable" || len(patches)+posts > 0 {
		t.Errorf("%+v %+v, %d writes, %q", s.Rows, s.Rejects, posts, patches)
	}
	write(t, "new.csv", "custom_id,name,title,external_client.id\n  K-9  ,new,VD,6f9a3c1e-0000-4000-8000-000000000001\n")
	for _, want := range []int64{0, 1} {
		if s := flytt(t, exitDone, "import", "new.csv", "--mode", "upsert"); s.Rows.Unchanged != want {
			t.Errorf("a padded cell: %+v", s.Rows)
		}
	}
}

// TestUpsertByKeyWithoutPages asks a list that shows everything on every page.
func TestUpsertByKeyWithoutPages(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{Paging: sandbox.OnePage})
	exported(t, r, 12)
	write(t, "register.csv", contacts(30))
	s := flytt(t, exitDone, "import", "register.csv", "--mode", "upsert", "--key", "custom_id")
	if s.Rows.Written != 19 || s.Rows.Updated != 1 || s.Rows.Unchanged != 11 {
		t.Errorf("%+v", s.Rows)
	}
}

// TestSilentReferencesAreNoReason has an API that tells nothing of references.
func TestSilentReferencesAreNoReason(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{Relations: sandbox.EmptyObject})
	exported(t, r, 8)
	for _, args := range [][]string{{"--write-nulls"}, {"--mode", "upsert"}, {"--mode", "upsert", "--write-nulls", "--key", "custom_id"}, {"--mode", "update", "--write-nulls"}} {
		r.wantUntouched(t, 8, append([]string{"contacts.csv"}, args...)...)
	}
	edit(t, "contacts.csv", "a2@example.com", "")
	s := flytt(t, exitDone, "import", "contacts.csv", "--write-nulls")
	if patches, _ := r.sent(); s.Rows.Updated != 1 || !slices.Equal(patches, []string{`{"email":null}`}) {
		t.Errorf("%+v %q", s.Rows, patches)
	}
}

// TestARequiredCellIsNotCleared clears what a record has and must have.
func TestARequiredCellIsNotCleared(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	exported(t, r, 3)
	edit(t, "contacts.csv", "Person 1 Åström", "")
	s := flytt(t, exitRejects, "import", "contacts.csv", "--write-nulls")
	if patches, posts := r.sent(); s.Rows.Rejected != 1 || s.Rejects[0].Code != "required" || len(patches)+posts > 0 {
		t.Errorf("%+v %+v %q", s.Rows, s.Rejects, patches)
	}
}

// TestOnlyEditedCellsAreConverted has records in forms that conversions would
// change.
func TestOnlyEditedCellsAreConverted(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{Resources: []*mappings.Resource{lax(t)}})
	r.put(t,
		map[string]any{"name": "national", "custom_id": "1", "phone_number": "070-174 06 05", "ssn": "19850102-2399", "org_no": "556016-0680"},
		map[string]any{"name": "stored", "custom_id": "2", "phone_number": "+46701740605", "ssn": "198501022399", "org_no": "5560160680"})
	for _, flag := range []string{"contacts.csv", "xl.csv"} {
		args := []string{"export", "-o", flag}
		if flag == "xl.csv" {
			args = append(args, "--excel")
		}
		flytt(t, exitDone, args...)
		r.sent()
		r.wantUntouched(t, 2, flag)
		r.wantUntouched(t, 2, flag, "--write-nulls")
	}
	edit(t, "contacts.csv", "national", "renamed")
	edit(t, "contacts.csv", "+46701740605", "08-123 456 78")
	edit(t, "contacts.csv", "198501022399", "850102-2399")
	flytt(t, exitDone, "import", "contacts.csv")
	patches, _ := r.sent()
	if want := []string{`{"name":"renamed"}`, `{"phone_number":"+46812345678"}`}; !slices.Equal(patches, want) {
		t.Errorf("sent %q, want %q", patches, want)
	}
}

// TestEditedReadOnlyCellsAreToldOf edits what only the API sets.
func TestEditedReadOnlyCellsAreToldOf(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{})
	exported(t, r, 4)
	if s := flytt(t, exitDone, "import", "contacts.csv"); len(s.Warnings) > 0 {
		t.Errorf("untouched: %+v", s.Warnings)
	}
	edit(t, "contacts.csv", "T", "t0") // in the first created_at
	s := flytt(t, exitDone, "import", "contacts.csv")
	if len(s.Warnings) != 1 || s.Warnings[0].Code != "read_only_cell" || s.Warnings[0].Count != 1 || s.Rows.Unchanged != 4 {
		t.Errorf("%+v %+v", s.Rows, s.Warnings)
	}
}

// lax returns the resource without rules for the form of values.
func lax(t *testing.T) *mappings.Resource {
	t.Helper()
	strict, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	r := *strict
	r.Fields = slices.Clone(r.Fields)
	for i := range r.Fields {
		r.Fields[i].Format, r.Fields[i].Pattern = "", ""
		r.Fields[i].MinLength, r.Fields[i].MaxLength = 0, 0
	}
	return &r
}

// TestARecordThatBreaksRulesIsComparedFirst has records that no rule would let
// through.
func TestARecordThatBreaksRulesIsComparedFirst(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{Resources: []*mappings.Resource{lax(t)}})
	exported(t, r, 3)
	r.put(t, map[string]any{"name": "wrong", "custom_id": "W", "phone_number": "call me", "ssn": "850102-2399", "email": "at home", "org_no": "165560160680"})
	flytt(t, exitDone, "export", "-o", "contacts.csv", "--overwrite")
	r.sent()
	r.wantUntouched(t, 4, "contacts.csv")
	r.wantUntouched(t, 4, "contacts.csv", "--mode", "upsert", "--write-nulls")
	edit(t, "contacts.csv", "call me", "call her")
	s := flytt(t, exitRejects, "import", "contacts.csv")
	if patches, posts := r.sent(); s.Rows.Rejected != 1 || s.Rows.Unchanged != 3 || len(patches)+posts > 0 {
		t.Errorf("an edit that is no better: %+v %q", s.Rows, patches)
	}
}
