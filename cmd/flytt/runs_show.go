package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/report"
	"flytt/mappings"
)

func runsShowCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show the whole account of a run and its retries",
		Long: `show tells what a run was asked to do, what it and the runs that belong to it
(retries, undo, verify) did, and what became of the rows of its input: each row
stands once, where the last run that had it left it. A row that the run rejected
and a retry wrote is written. The numbers are held against each other, against
the journal, and against the rows in the files of the run directories; what does
not add up is named, and the exit code is 4 then.

RUN is the id of a run or its directory; left out, it is the newest in ` + runsDir + `.`,
		Example: `  flytt runs show
  flytt runs show 20261124-021500-3fa9c1
  flytt runs show ./run --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			run := ""
			if len(args) > 0 {
				run = args[0]
			}
			return a.showRun(run, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// showRun prints the account of a run: the newest, if it is not named.
func (a *app) showRun(run string, asJSON bool) error {
	path, err := a.findAnyRun(run)
	if err != nil {
		return err
	}
	f, err := readFamily(path)
	if err != nil {
		return err
	}
	w, err := f.whole()
	if err != nil {
		return err
	}
	if asJSON {
		data, err := w.JSON()
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(data)
		return a.shown(w, stdoutError(err))
	}
	if err := w.Print(a.stdout); err != nil {
		return stdoutError(err)
	}
	err = a.shown(w, nil)
	if w.Next != "" {
		a.sayNext(step{command: w.Next})
	}
	return err
}

// shown sets the exit code of an account that was printed.
func (a *app) shown(w *report.GroupReport, err error) error {
	if err == nil && !w.Account.Balanced {
		a.say("flytt: the account of %s does not add up\n", w.Run)
		a.code = exitFatal
	}
	return err
}

// findAnyRun is findRun, but for the newest run of all where none is named.
func (a *app) findAnyRun(run string) (string, error) {
	if run != "" {
		return a.findRun(run)
	}
	return newestRun("that can be told of", func(path string) bool {
		_, err := readRun(path)
		return err == nil
	})
}

// whole tells everything of the family.
func (f family) whole() (*report.GroupReport, error) {
	first := f[0]
	account, err := f.account()
	if err != nil {
		return nil, err
	}
	w := &report.GroupReport{
		Run: first.id, Path: first.path, Parent: first.parent(), Spec: first.asked(),
		Account: account, Files: f.files(), Next: f.next(account),
	}
	for _, r := range f {
		if lostJournal(r.path) && !r.running {
			account.AddDiscrepancy("%s has no journal.db any more: nothing shows what it sent", r.id)
		}
	}
	return w, f.checkRows(w.Account)
}

// asked is what the run was told to do.
func (r *pastRun) asked() report.SpecSummary {
	q := report.SpecSummary{Verb: r.verb(), File: r.file(), Began: r.began}
	if s := r.summary; s != nil {
		q.Resource, q.Address = s.Resource, s.Target
	}
	if h := r.header; h != nil {
		q.Resource, q.Tenant, q.Address, q.Tool = h.Resource, h.Customer, h.BaseURL, h.Tool
	}
	if o := r.order(); o != nil {
		q.Mapping = shorten(o.Mapping)
		if o.Guessed {
			q.Mapping = "guessed from the headers"
		}
	}
	return q
}

// files returns the files of the run, and of the others their directories.
func (f family) files() map[string]string {
	files := keptFiles(f[0].path)
	for _, name := range []string{"rejects.csv", "in_doubt.csv", "written.csv", "mapping.yaml", "summary.json", "log.jsonl"} {
		if path := filepath.Join(f[0].path, name); report.IsFile(path) {
			files[strings.TrimSuffix(name, filepath.Ext(name))] = path
		}
	}
	count := map[string]int{}
	for _, r := range f[1:] {
		count[r.verb()]++
		files[fmt.Sprintf("%s_%d", r.verb(), count[r.verb()])] = r.path
	}
	return files
}

// next returns the command that brings the family, whose account is a, further; it
// is empty if there is none.
func (f family) next(a *report.Account) string {
	for _, r := range f {
		if f.goesOn(r) && (r.state != report.StateDone || r.settles()) {
			return r.goOn()
		}
	}
	if !f[0].sends() || f[0].state != report.StateDone && f.undoOf(f[0]) != nil {
		return ""
	}
	for i := len(f) - 1; i >= 0; i-- {
		rejects := filepath.Join(f[i].path, "rejects.csv")
		if f[i].header == nil || !report.IsFile(rejects) || i > 0 && f[i].retry == nil {
			continue
		}
		if a.Rows.Rejected == 0 {
			return ""
		}
		return join([]string{"flytt", "retry", f[0].name(), shorten(rejects)})
	}
	return ""
}

// goOn returns the command that goes on with the run, or begins it anew where it was
// stopped by its rejects before it wrote anything: it would stop there again.
func (r *pastRun) goOn() string {
	resume := join([]string{"flytt", "resume", r.name()})
	switch o := r.order(); {
	case r.summary == nil || r.summary.Exit != exitMaxRejects:
		return resume
	case r.verb() == "import" && o != nil && r.rows.Written+r.rows.InDoubt == 0:
		return o.command("import")
	}
	return resume + " --max-rejects 100%"
}

// settles reports whether what the run left in doubt can be settled by going on with
// it, as far as its mapping tells: its rows have a key, or name their records.
func (r *pastRun) settles() bool {
	if o := r.order(); o != nil && (o.Flags["key"] != nil || o.Flags["stamp"] != nil) {
		return true
	}
	path := filepath.Join(r.path, "mapping.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		return true // nobody knows
	}
	m, err := mappings.ParseMapping(path, data)
	return err != nil || m.Key != "" || slices.ContainsFunc(m.Fields, func(rule mappings.Rule) bool { return rule.Field == "id" })
}
