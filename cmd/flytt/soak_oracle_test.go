package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flytt/internal/sandbox"
	"flytt/pipeline"
)

// The oracle of the soak. It knows a record by the number at the end of its name, and
// nothing of what the API does to rows but what the records show.

// soakRecord is a record as the API has it.
type soakRecord struct {
	ID        string
	Key       string `json:"custom_id"`
	Name      string
	Title     string
	Client    struct{ ID string } `json:"external_client"`
	Email     string
	Phone     string `json:"phone_number"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// row returns the number of the row that made the record.
func (r *soakRecord) row() (int, error) {
	return strconv.Atoi(r.Name[strings.LastIndexByte(r.Name, ' ')+1:])
}

// cells returns what the record holds, in the order of the cells of a row.
func (r *soakRecord) cells() [len(soakFields)]string {
	return [...]string{soakKey: r.Key, soakName: r.Name, soakTitle: r.Title, soakCustomer: r.Client.ID, soakEmail: r.Email, soakPhone: r.Phone}
}

// records returns what the API has.
func (s *soak) records() []soakRecord {
	s.t.Helper()
	var all []soakRecord
	for page := 1; ; page++ {
		records := s.page(page)
		if all = append(all, records...); len(records) == 0 {
			return all
		}
	}
}

// page reads a page of the list, as often as it takes.
func (s *soak) page(page int) []soakRecord {
	s.t.Helper()
	var err error
	for range 50 {
		var body []byte
		if body, err = s.get(page); err == nil {
			var records []soakRecord
			if err = json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &records); err == nil {
				return records
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("%s\nthe list cannot be read: %v", s, err)
	return nil
}

func (s *soak) get(page int) ([]byte, error) {
	address := fmt.Sprintf("%s/organization/externalclientcontactperson/list/?_page=%d&_page_size=500&_order_by=id", s.address(), page)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range credentialNames {
		r.Header.Set("X-PIGELLO-"+strings.ReplaceAll(strings.TrimPrefix(name, "FLYTT_"), "_", "-"), sandbox.DefaultCredential)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}

// address returns where the sandbox is.
func (s *soak) address() string {
	for _, setting := range slices.Backward(s.env) {
		if url, ok := strings.CutPrefix(setting, "FLYTT_BASE_URL="); ok {
			return strings.Trim(url, "'")
		}
	}
	s.t.Fatal("the sandbox did not say where it is")
	return ""
}

// check holds the API, the files and the account against the register.
func (s *soak) check(records []soakRecord) {
	s.t.Helper()
	made := map[int]*soakRecord{}
	for i := range records {
		n, err := records[i].row()
		switch {
		case err != nil || n < 0 || n >= soakRows:
			s.t.Errorf("a record that no row made")
		case !s.rows[n].valid:
			s.t.Errorf("row %d breaks a rule and is there", n)
		case made[n] != nil:
			s.t.Errorf("row %d appears twice", n)
		}
		made[n] = &records[i]
	}
	for n := range s.rows {
		if s.rows[n].valid && made[n] == nil {
			s.t.Errorf("row %d is not there", n)
		}
	}
	s.checkSummary(made)
	s.checkWritten(made)
	s.checkRejects(len(made))
	if s.t.Failed() {
		s.t.Fatalf("%s\n%s", s, &s.output)
	}
}

// soakSummary is what the soak reads of a summary.
type soakSummary struct {
	Rows     map[string]int64
	Warnings []soakWarning
	Balanced bool
}

type soakWarning struct {
	Stage, Field, Code string
	Count              int
}

// checkSummary holds the account and its warnings against the records that rows made.
func (s *soak) checkSummary(made map[int]*soakRecord) {
	data, err := os.ReadFile(s.path("run/summary.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var summary soakSummary
	if err := json.Unmarshal(data, &summary); err != nil {
		s.t.Fatal(err)
	}
	written := int64(len(made))
	expected := map[string]int64{"read": soakRows, "written": written, "rejected": soakRows - written, "in_doubt": 0, "not_sent": 0, "skipped": 0, "unchanged": 0}
	got := maps.Clone(summary.Rows)
	maps.DeleteFunc(got, func(name string, _ int64) bool { _, known := expected[name]; return !known })
	if !maps.Equal(got, expected) || !summary.Balanced {
		s.t.Errorf("summary: %v, balanced %v; want %v", summary.Rows, summary.Balanced, expected)
	}
	told := map[string]int{}
	for _, w := range summary.Warnings {
		if w.Stage == "write" {
			told[w.Code+" "+w.Field] += w.Count
		}
	}
	if want := s.warnings(made); !maps.Equal(told, want) {
		s.t.Errorf("warnings: %v; want %v", told, want)
	}
}

// warnings counts what is to be told of the records: the fields that the API stores
// otherwise than they were sent, and rows of which it filled in something.
func (s *soak) warnings(made map[int]*soakRecord) map[string]int {
	want := map[string]int{}
	for n, record := range made {
		for i, stored := range record.cells() {
			if otherwise(s.rows[n].cells[i], stored) {
				want["stored_otherwise "+soakFields[i].field]++
			}
		}
		if record.FirstName+record.LastName != "" {
			want["filled_in "]++
		}
	}
	return want
}

// otherwise reports whether stored is another value than sent: two long numbers with the
// same digits are one.
func otherwise(sent, stored string) bool {
	if sent == stored {
		return false
	}
	number := strings.TrimPrefix(sent, "+")
	return number != strings.TrimPrefix(stored, "+") || len(number) < 10 || strings.Trim(number, "0123456789") != ""
}

// checkWritten holds written.csv against the records: each row has its own.
func (s *soak) checkWritten(made map[int]*soakRecord) {
	const headers = 1
	seen := 0
	for _, line := range s.table("run/written.csv") {
		n, err := strconv.Atoi(line[0])
		n -= 1 + headers
		if err != nil || made[n] == nil {
			s.t.Errorf("written.csv has line %s, which is not there", line[0])
			continue
		}
		seen++
		if id := string(pipeline.UnguardCell([]byte(line[2]))); id != made[n].ID { // an id such as 98582535-943e-… reads as a number
			s.t.Errorf("written.csv has another id for row %d", n)
		}
	}
	if seen != len(made) {
		s.t.Errorf("written.csv has %d rows, the API %d", seen, len(made))
	}
}

// checkRejects checks that rejects.csv has the rows that break a rule, and no others.
func (s *soak) checkRejects(written int) {
	lines := s.table("run/rejects.csv")
	valid := map[string]bool{}
	for i := range s.rows {
		valid[s.rows[i].cells[soakKey]] = s.rows[i].valid
	}
	for _, line := range lines {
		if is, known := valid[string(pipeline.UnguardCell([]byte(line[0])))]; is || !known {
			s.t.Errorf("a valid row stands in rejects.csv: %s", line[len(line)-1])
		}
	}
	if n, want := len(lines), soakRows-written; n != want {
		s.t.Errorf("rejects.csv has %d rows, want %d", n, want)
	}
}

// idsOf returns the ids of the records that box has, by their keys.
func idsOf(t *testing.T, box *sandbox.Sandbox) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for page := 1; ; page++ {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/organization/externalclientcontactperson/list/?_page=%d&_page_size=1000&_order_by=id", page), nil)
		for _, name := range credentialNames {
			r.Header.Set("X-PIGELLO-"+strings.ReplaceAll(strings.TrimPrefix(name, "FLYTT_"), "_", "-"), sandbox.DefaultCredential)
		}
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		var records []struct {
			ID  string `json:"id"`
			Key string `json:"custom_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &records); err != nil {
			t.Fatalf("list: %d: %v", w.Code, err)
		}
		if len(records) == 0 {
			return ids
		}
		for _, record := range records {
			ids[record.Key] = append(ids[record.Key], record.ID)
		}
	}
}
