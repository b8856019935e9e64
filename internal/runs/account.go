package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/report"
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
