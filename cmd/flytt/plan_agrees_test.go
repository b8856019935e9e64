package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flytt/internal/csvtable"
	"flytt/internal/sandbox"
)

// TestPlanIsWhatImportDoes makes registers at random, against an API that has a
// part of them, and whose list may fold the case of keys. It holds what a plan says of
// each row to what an import does, and what an apply does to that.
func TestPlanIsWhatImportDoes(t *testing.T) {
	modes := [][]string{
		{}, {"--mode", "create"}, {"--mode", "update"}, {"--mode", "upsert"}, {"--mode", "upsert", "--write-nulls"},
		{"--skip-existing"}, {"--mode", "upsert", "--duplicates", "key=first"}, {"--mode", "update", "--key", "custom_id", "--write-nulls"},
	}
	seeds := 8
	if testing.Short() {
		seeds = 1
	}
	for i, mode := range modes {
		inForms := 0
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s %d", strings.Join(mode, " "), seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(seed)))
				folds, o := seed%4 > 1, sandbox.Options{}
				if folds {
					o.Lookup = sandbox.Lookup{Case: sandbox.CaseInsensitive, Space: sandbox.SpaceCollapse}
				}
				r := sandboxWith(t, o)
				exported(t, r, 14)
				write(t, "in.csv", randomRegister(rng, records(t, "contacts.csv")))
				// Of two rows about one record, one by its id and one by its key, it is the
				// first to be looked at that counts.
				flags := append([]string{"in.csv", "--chunk-rows", "7", "--concurrency", "1"}, mode...)
				code := planOf(t, flags)
				asked := r.posts
				said := actions(t, "plan")
				if r.posts != asked {
					t.Errorf("a plan sent something")
				}
				n := inAnotherForm(t, "plan")
				if inForms += n; n > 0 && !folds {
					t.Errorf("%d rows are said to have a record's key in another form", n)
				}
				if seed%2 == 0 {
					s := flytt(t, code, append([]string{"import", "--run-dir", "run"}, flags...)...)
					wantSame(t, s.Verb, said, done(t, "run"))
					return
				}
				s := flytt(t, code, "apply", "plan", "--run-dir", "run", "--concurrency", "1")
				wantSame(t, s.Verb, said, done(t, "run"))
			})
		}
		if looksUp(mode) != (inForms > 0) && seeds > 2 {
			t.Errorf("%s: %d rows were said to have a record's key in another form", mode, inForms)
		}
	}
}

// inAnotherForm returns how many rows the run in dir rejects because a record has their
// key in another form.
func inAnotherForm(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, r := range records(t, filepath.Join(dir, "rejects.csv")) {
		if strings.Contains(r[len(r)-1], "[key_form]") {
			n++
		}
	}
	return n
}

// looksUp reports whether an import in this mode looks keys up.
func looksUp(mode []string) bool {
	return slices.Contains(mode, "update") || slices.Contains(mode, "upsert") || slices.Contains(mode, "--skip-existing")
}

// planOf plans, and returns the exit code, which is 0 or 1.
func planOf(t *testing.T, flags []string) int {
	t.Helper()
	var stdout, stderr strings.Builder
	code := execute(append([]string{"plan", "--run-dir", "plan", "--json"}, flags...), strings.NewReader(""), &stdout, &stderr)
	if code != exitDone && code != exitRejects {
		t.Fatalf("plan: exit code %d\n%s\n%s", code, &stdout, &stderr)
	}
	return code
}

// records reads a CSV file of a run, without its header; there are none if the file
// is not there.
func records(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// randomRegister returns a register of which a part is in existing, records with
// id, in which much is odd.
func randomRegister(rng *rand.Rand, existing [][]string) string {
	var b strings.Builder
	b.WriteString("id,custom_id,name,title,external_client.id,ssn,org_no,email\n")
	for range 40 {
		whole := false
		pick := func(of ...string) string {
			if value := of[rng.IntN(len(of))]; value != "" || !whole {
				return value
			}
			return of[0]
		}
		n := rng.IntN(24)
		id, key := "", pick(fmt.Sprintf("A-%d", n), fmt.Sprintf("A-%d", n), fmt.Sprintf(" A-%d ", n), fmt.Sprintf("a-%d", n), "", "x,y", "X,y",
			strings.ToLower(existing[rng.IntN(len(existing))][7]), strings.ToLower(existing[rng.IntN(len(existing))][7]))
		switch rng.IntN(8) {
		case 0, 1: // with its key: what a plan finds by a key is not there any more once another row has changed it
			record := existing[rng.IntN(len(existing))]
			id, key = record[0], record[7]
		case 2:
			id = "nonsense"
		case 3: // whole, for the API alone minds that a row lacks what it needs to make a record
			id, whole = "00000000-0000-4000-8000-000000000000", true
		}
		fmt.Fprintf(&b, "%s,%q,%s,%s,%s,%s,%s,%s\n", id, key,
			pick(fmt.Sprintf("Person %d Åström", n), "Eva Ek", ""), pick("VD", "Ägare", ""),
			pick("6F9A3C1E-0000-4000-8000-000000000001", "6f9a3c1e-0000-4000-8000-000000000002", ""),
			pick("198501022399", "850102-2399", "19850102-2399", "198501022390", ""), pick("556016-0680", "5560160680", "16556016-0680", ""),
			pick(fmt.Sprintf("a%d@example.com", n), "A1@EXAMPLE.COM", "", "nobody"))
	}
	return b.String()
}

// actions returns what a plan says of each row.
func actions(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := csvtable.Each(filepath.Join(dir, "plan.csv"), func(r struct {
		Row    string `csv:"row"`
		Action string `csv:"action"`
	}) error {
		switch r.Action {
		case "duplicate_of_record":
			out[r.Row] = "create"
		case "duplicate_in_file":
			out[r.Row] = "reject"
		case "unchanged", "skipped":
		default:
			out[r.Row] = r.Action
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// done returns what a run did with each row, but for those it left alone.
func done(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := csvtable.Each(filepath.Join(dir, "written.csv"), func(r struct {
		Row    string `csv:"row"`
		Change string `csv:"change"`
	}) error {
		out[r.Row] = map[string]string{"created": "create", "updated": "update"}[r.Change]
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, r := range records(t, filepath.Join(dir, "rejects.csv")) {
		out[r[len(r)-2]] = "reject"
	}
	for _, r := range records(t, filepath.Join(dir, "in_doubt.csv")) {
		out[r[len(r)-2]] = "in doubt"
	}
	return out
}

func wantSame(t *testing.T, verb string, said, did map[string]string) {
	t.Helper()
	for row, action := range said {
		if did[row] != action {
			t.Errorf("row %s: the plan says %q, and %s did %q", row, action, verb, did[row])
		}
	}
	for row, action := range did {
		if said[row] != action {
			t.Errorf("row %s: the plan says %q, and %s did %q", row, said[row], verb, action)
		}
	}
}

// TestPlanOfAListThatIsNotProvedComplete makes a plan of all that is known, and says
// that it may not be all there is.
func TestPlanOfAListThatIsNotProvedComplete(t *testing.T) {
	r := sandboxWith(t, sandbox.Options{IgnoreOrder: true})
	exported(t, r, 14)
	write(t, "in.csv", contacts(3))
	r.Inject(sandbox.MustParseFaults("list:*:insert=3")...)
	s := flytt(t, exitUncertain, "plan", "in.csv", "-o", "copy.json")
	if s.List == nil || s.List.Complete || s.Plan == nil || s.Files["plan"] == "" || !s.Balanced {
		t.Errorf("list %+v, plan %+v, files %v", s.List, s.Plan, s.Files)
	}
	if s.Error == nil || !strings.HasPrefix(s.Error.Message, "it is not proved that all records were read: ") || s.Error.Next != "flytt plan in.csv -o copy.json --json --overwrite" {
		t.Errorf("%+v", s.Error)
	}
}
