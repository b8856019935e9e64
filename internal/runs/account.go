package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/mappings"
)

// Whole returns the whole account of the group, checked against the lists of its rows.
// Its Next is empty: Next returns the command. Paths are in full.
func (g Group) Whole() (*report.GroupReport, error) {
	first := g[0]
	account, err := g.Account()
	if err != nil {
		return nil, err
	}
	w := &report.GroupReport{
		Run: first.ID, Path: first.Path, Parent: first.Parent(), Spec: first.asked(),
		Account: account, Files: g.files(),
	}
	for _, r := range g {
		if lostJournal(r.Path) && !r.Running {
			account.AddDiscrepancy("%s has lost its journal.db: nothing shows what it sent", r.ID)
		}
	}
	return w, g.checkRows(w.Account)
}

func (r *Record) asked() report.SpecSummary {
	q := report.SpecSummary{Verb: r.Verb(), File: r.File(), Began: r.Began}
	if s := r.Summary; s != nil {
		q.Resource, q.Address = s.Resource, s.Target
	}
	if h := r.Header; h != nil {
		q.Resource, q.Tenant, q.Address, q.Tool = h.Resource, h.Customer, h.BaseURL, h.Tool
	}
	if spec := r.Spec(); spec != nil {
		q.Mapping = spec.Mapping
		if spec.Guessed {
			q.Mapping = "guessed from the headers"
		}
	}
	return q
}

// files returns the files of the run, and of the others their directories.
func (g Group) files() map[string]string {
	files := backupsIn(g[0].Path)
	for _, name := range []string{"rejects.csv", "in_doubt.csv", "written.csv", "mapping.yaml", "summary.json", "log.jsonl"} {
		if path := filepath.Join(g[0].Path, name); report.IsFile(path) {
			files[strings.TrimSuffix(name, filepath.Ext(name))] = path
		}
	}
	count := map[string]int{}
	for _, r := range g[1:] {
		count[r.Verb()]++
		files[fmt.Sprintf("%s_%d", r.Verb(), count[r.Verb()])] = r.Path
	}
	return files
}

// Next returns what to do next about the rows of the group, whose account is a.
func (g Group) Next(a *report.Account) advice.Step {
	for _, r := range g {
		if g.resumable(r) && (r.State != report.StateDone || r.settles()) {
			return advice.Step{Command: r.resumeOrRepeat()}
		}
	}
	if !g[0].SendsRows() || g[0].State != report.StateDone && g.undoOf(g[0]) != nil {
		return advice.Step{}
	}
	for i, r := range slices.Backward(g) {
		rejects := filepath.Join(r.Path, "rejects.csv")
		if r.Header == nil || !report.IsFile(rejects) || i > 0 && r.retry == nil {
			continue
		}
		if a.Rows.Rejected == 0 {
			break
		}
		return advice.Step{Command: advice.Command{Verb: "retry", Run: g[0].Name(), File: rejects}}
	}
	return advice.Step{}
}

// resumeOrRepeat returns the command that resumes the run, or repeats it where it was
// stopped by its rejects before it wrote anything: it would stop there again.
func (r *Record) resumeOrRepeat() advice.Command {
	resume := r.resume().Command
	switch spec := r.Spec(); {
	case r.Summary == nil || r.Summary.Exit != report.ExitMaxRejects:
		return resume
	case r.Verb() == "import" && spec != nil && r.Rows.Written+r.Rows.InDoubt == 0:
		return spec.Command("import")
	}
	resume.Args = []string{"--max-rejects", "100%"}
	return resume
}

// settles reports whether what the run left in doubt can be settled by resuming it, as
// far as its mapping tells: its rows have a key, or name their records.
func (r *Record) settles() bool {
	if spec := r.Spec(); spec != nil && (spec.Flags["key"] != nil || spec.Flags["stamp"] != nil) {
		return true
	}
	path := filepath.Join(r.Path, "mapping.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		return true // nobody knows
	}
	m, err := mappings.ParseMapping(path, data)
	return err != nil || m.Key != "" || slices.ContainsFunc(m.Fields, func(rule mappings.Rule) bool { return rule.Field == "id" })
}

// LeftDoubts reports whether the run in the directory path left rows in doubt, or did
// not get so far as to say so.
func LeftDoubts(path string) bool {
	s, err := report.ReadSummary(path)
	return err == nil && (s == nil || s.Rows.InDoubt > 0)
}

// checkRows compares the account a of the group with the rows that its files list: each
// file has as many as its run counted, a retry sent only rows that the run rejected,
// and no row arrived twice. Runs that did not end in order are left out: their files
// may lag behind.
func (g Group) checkRows(a *report.Account) error {
	for _, r := range g {
		if r.recorded() {
			if err := r.checkFiles(a, g.edited(r)); err != nil {
				return err
			}
		}
	}
	if retries := g.Retries(); len(retries) > 0 {
		return g.checkRetries(a, retries)
	}
	return nil
}

// recorded reports whether the files of the run hold what its numbers count.
func (r *Record) recorded() bool {
	return r.Summary != nil && r.State != report.StateRunning && (r.Header == nil || r.outcome != "") && r.SendsRows()
}

// edited reports whether the rejects.csv in the directory of r was edited there and sent as
// a retry: then it may no longer have all rows that r rejected.
func (g Group) edited(r *Record) bool {
	return slices.ContainsFunc(g.Retries(), func(retry *Record) bool {
		if retry.Header == nil { // it is running: nobody knows
			return true
		}
		sent := retry.Header.Input.Path
		return filepath.Base(sent) == "rejects.csv" && filepath.Base(filepath.Dir(sent)) == r.ID
	})
}

// checkFiles counts the rows of the run's files, unless its rejects were edited:
// then of the other files.
func (r *Record) checkFiles(a *report.Account, edited bool) error {
	for _, each := range []struct {
		name, fate string
		want       int64
	}{
		{"written.csv", "written", r.Rows.Written}, {"rejects.csv", "rejected", r.Rows.Rejected}, {"in_doubt.csv", "in doubt", r.Rows.InDoubt},
	} {
		if r.Header == nil && each.name == "written.csv" || edited && each.name == "rejects.csv" {
			continue // rows that went to a file have no list of their own
		}
		var n int64
		if err := eachRow(filepath.Join(r.Path, each.name), func(int64) error { n++; return nil }); err != nil {
			return err
		}
		if n != each.want {
			a.AddDiscrepancy("%s counted %s %s, and its %s has %s", r.ID, text.Counted(each.want, "row"), each.fate, each.name, text.Number(n))
		}
	}
	return nil
}

// undoneAgain returns, by the path of each undo, how many of its rows an earlier undo had
// undone already: a record that was changed once more can be restored once more.
func (g Group) undoneAgain() (map[string]int64, error) {
	undos := slices.DeleteFunc(slices.Clone(g), func(r *Record) bool { return r.Verb() != "undo" || r.Rows.Written == 0 })
	if len(undos) < 2 {
		return nil, nil
	}
	again, seen := map[string]int64{}, map[int64]bool{}
	for _, r := range undos {
		err := eachRow(filepath.Join(r.Path, "undone.csv"), func(row int64) error {
			if seen[row] {
				again[r.Path]++
			}
			seen[row] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return again, nil
}

// checkRetries looks for rows that a retry sent and should not have. It holds the
// numbers of the rows that retries sent, not those of the run.
func (g Group) checkRetries(a *report.Account, retries []*Record) error {
	taken, written := RowSet{}, RowSet{}
	for _, r := range retries {
		taken.join(r.retry.Sent())
		var twice int64
		err := eachRow(filepath.Join(r.Path, "written.csv"), func(row int64) error {
			if !written.Add(row) {
				twice++
			}
			return nil
		})
		if err != nil {
			return err
		}
		if twice > 0 {
			a.AddDiscrepancy("%s wrote %s rows that another retry had written", r.ID, text.Number(twice))
		}
	}
	return g.checkFirst(a, taken, written)
}

// checkFirst compares the rows that retries took and wrote with those of the run.
func (g Group) checkFirst(a *report.Account, taken, written RowSet) error {
	first := g[0]
	var twice int64
	err := eachRow(filepath.Join(first.Path, "written.csv"), func(row int64) error {
		if written.Has(row) {
			twice++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if twice > 0 {
		a.AddDiscrepancy("%s rows were written by the run, and again by a retry", text.Number(twice))
	}
	if g.edited(first) {
		return nil
	}
	err = eachRow(filepath.Join(first.Path, "rejects.csv"), func(row int64) error {
		taken.remove(row)
		return nil
	})
	if n := taken.Len(); n > 0 && err == nil {
		a.AddDiscrepancy("%s rows were retried that the run had not rejected", text.Number(n))
	}
	return err
}
