package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/report"
	"flytt/internal/text"
)

// purge is the verb that deletes run directories.
type purge struct {
	*app
	olderThan string
	dir       string
	all       bool
	yes       bool
	dryRun    bool
	json      bool
}

func runsPurgeCommand(a *app) *cobra.Command {
	p := &purge{app: a}
	c := &cobra.Command{
		Use:   "purge --older-than TIME",
		Short: "Delete the directories of old runs, which hold personal data",
		Long: `purge deletes directories of runs that nothing was done with for TIME: 30d, 12h,
2w. It shows which and asks, unless --yes is given. A run and those that belong
to it (retries, undo, verify; to a plan, what applied it) go together, once the
youngest of them is old enough, for the account is that of all, and none of them
can be gone on with without the first.

Kept is what is running, what is damaged, and what can be gone on with (flytt
resume), for its rows are not settled; --all deletes the latter two as well. With
a run goes what undo needs. Only directories that flytt made, directly below
--dir, are deleted; links are not followed.`,
		Example: `  flytt runs purge --older-than 30d --dry-run
  flytt runs purge --older-than 2w --yes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.do(time.Now()) },
	}
	s := c.Flags()
	s.StringVar(&p.olderThan, "older-than", "", "delete runs that nothing was done with for `TIME`: 30d, 12h, 2w")
	s.StringVar(&p.dir, "dir", runsDir, "`DIR` that the runs are in")
	s.BoolVar(&p.all, "all", false, "delete runs that can be gone on with, and damaged ones, too")
	s.BoolVar(&p.yes, "yes", false, "do not ask before deleting")
	s.BoolVar(&p.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	s.BoolVar(&p.json, "json", false, "print one JSON object")
	return c
}

// purged is what purge says of the directory of a run.
type purged struct {
	Run    string    `json:"run"`
	Path   string    `json:"path"`
	Used   time.Time `json:"last_used"`
	Reason string    `json:"reason,omitempty"` // why it is kept
}

// purgeAccount is what purge did, as --json prints it.
type purgeAccount struct {
	DryRun  bool     `json:"dry_run"`
	Deleted []purged `json:"deleted"` // or would have been
	Kept    []purged `json:"kept"`    // though old enough
}

func (p *purge) do(now time.Time) error {
	age, err := parseAge(p.olderThan)
	if err != nil {
		return err
	}
	account, err := p.choose(now.Add(-age))
	if err != nil {
		return err
	}
	if account.DryRun = p.dryRun; !p.dryRun && len(account.Deleted) > 0 {
		if err := p.consent(account); err != nil {
			return err
		}
		if err := p.remove(account.Deleted); err != nil {
			return err
		}
	}
	if p.json {
		return p.printJSON(account)
	}
	return stdoutError(p.print(account))
}

// parseAge reads a length of time: what time.ParseDuration reads, days (30d), and
// weeks (2w).
func parseAge(s string) (time.Duration, error) {
	hint := "give it as days, weeks or hours: 30d, 2w, 12h"
	if s == "" {
		return 0, usagef(hint, "how old runs have to be is not said; --older-than TIME says it")
	}
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if n, err := strconv.Atoi(strings.TrimSuffix(s, unit)); strings.HasSuffix(s, unit) && err == nil && n >= 0 && n <= 100_000 {
			return time.Duration(n) * time.Duration(hours) * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, usagef(hint, "--older-than %s is no length of time", s)
	}
	return d, nil
}

// choose finds the runs that nothing was done with since before, and which of them
// are kept all the same.
func (p *purge) choose(before time.Time) (*purgeAccount, error) {
	runs, damaged, err := readRuns(p.dir)
	if err != nil {
		return nil, err
	}
	account := &purgeAccount{Deleted: []purged{}, Kept: []purged{}}
	for _, f := range families(runs) {
		whole, err := gatherFar(f[0], runs, (*pastRun).needs)
		switch {
		case err != nil && !p.all:
			account.add(f.purged(), err.Error())
			continue
		case err != nil:
			whole = f
		}
		if whole.used().Before(before) {
			account.add(f.purged(), cmp.Or(p.reason(whole), f.foreign()))
		}
	}
	for _, d := range damaged {
		if used := lastUsed(d.path); used.Before(before) {
			reason := "damaged: " + d.err.Error()
			if p.all {
				reason = foreign(d.path)
			}
			account.add([]purged{{Run: filepath.Base(d.path), Path: d.path, Used: used}}, reason)
		}
	}
	return account, nil
}

// add adds runs that go together: to those kept, if there is a reason.
func (a *purgeAccount) add(runs []purged, reason string) {
	if reason == "" {
		a.Deleted = append(a.Deleted, runs...)
		return
	}
	for _, r := range runs {
		r.Reason = reason
		a.Kept = append(a.Kept, r)
	}
}

// families groups runs with those that need them.
func families(runs []*pastRun) []family {
	var out []family
	for _, r := range runs {
		if !slices.ContainsFunc(runs, r.needs) {
			out = append(out, gather(r, runs, (*pastRun).needs))
		}
	}
	return out
}

// needs reports whether r cannot be gone on with, nor looked back at, without p.
func (r *pastRun) needs(p *pastRun) bool {
	if r.belongsTo(p) {
		return true
	}
	o := r.order()
	return o != nil && o.Plan != "" && nowAt(o.Plan, r.path) == p.path
}

// used returns when something was last done with the youngest of f.
func (f family) used() (last time.Time) {
	for _, r := range f {
		if t := lastUsed(r.path); t.After(last) {
			last = t
		}
	}
	return last
}

// lastUsed returns when a run last wrote to its directory.
func lastUsed(path string) (last time.Time) {
	for _, name := range []string{"log.jsonl", "summary.json"} {
		if info, err := os.Lstat(filepath.Join(path, name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	if info, err := os.Lstat(path); last.IsZero() && err == nil {
		last = info.ModTime()
	}
	return last
}

func (f family) purged() []purged {
	var out []purged
	for _, r := range f {
		out = append(out, purged{Run: r.id, Path: r.path, Used: f.used()})
	}
	return out
}

// reason returns why f is kept because of what one of it does; it is empty if it is
// not.
func (p *purge) reason(f family) string {
	for _, r := range f {
		switch {
		case r.state == report.StateRunning:
			return r.id + " is running"
		case r.resumable() && f.undone(r) == nil && !p.all:
			return r.id + " can be gone on with"
		}
	}
	return ""
}

// foreign returns why a directory of f is not all its own.
func (f family) foreign() string {
	for _, r := range f {
		if reason := foreign(r.path); reason != "" {
			return reason
		}
	}
	return ""
}

// foreign returns why the directory of a run is not all its own: there is a
// directory in it, which flytt does not make. It is empty if there is none.
func foreign(path string) string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return "it cannot be read: " + pathCause(err).Error()
	}
	for _, e := range entries {
		if e.IsDir() {
			return "there is a directory in it, which is not flytt's"
		}
	}
	return ""
}

// consent asks whether the runs may be deleted.
func (p *purge) consent(account *purgeAccount) error {
	const hint = "--yes deletes without asking, --dry-run shows what would be deleted"
	switch {
	case p.yes:
		return nil
	case !p.canAsk():
		return usagef(hint, "nothing was deleted: there is nobody to ask")
	}
	p.list("To be deleted", account.Deleted)
	return p.agreed("Delete "+text.Counted(len(account.Deleted), "run")+" for good?", "deleted", hint)
}

// list says on stderr which runs are meant.
func (p *purge) list(title string, runs []purged) {
	p.say("%s:\n", title)
	for _, r := range runs {
		p.say("  %s  last used %s\n", r.Run, r.Used.Local().Format(time.DateTime))
	}
}

// remove deletes the directories of runs. It works below p.dir, whatever links are
// put there meanwhile.
func (p *purge) remove(runs []purged) error {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", p.dir, pathCause(err))
	}
	var errs []error
	for _, r := range runs {
		switch {
		case isRunning(r.Path):
			errs = append(errs, fmt.Errorf("%s: it was begun again meanwhile", r.Run))
		case !report.IsRun(r.Path):
			errs = append(errs, fmt.Errorf("%s: it is not the directory of a run any more", r.Run))
		default:
			if err := root.RemoveAll(r.Run); err != nil {
				errs = append(errs, fmt.Errorf("%s: delete: %w", r.Run, pathCause(err)))
			}
		}
	}
	return errors.Join(errors.Join(errs...), root.Close())
}

// print says what was deleted, and what is kept though it is old.
func (p *purge) print(account *purgeAccount) error {
	var b strings.Builder
	verb := "deleted"
	if account.DryRun {
		verb = "would be deleted"
	}
	for _, r := range account.Deleted {
		fmt.Fprintf(&b, "%s  %s, last used %s\n", r.Run, verb, r.Used.Local().Format(time.DateTime))
	}
	for _, r := range account.Kept {
		fmt.Fprintf(&b, "%s  kept: %s\n", r.Run, r.Reason)
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "No run in %s is older than %s.\n", p.dir, p.olderThan)
	}
	_, err := p.stdout.Write([]byte(b.String()))
	return err
}
