package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/runs"
	"flytt/internal/text"
)

// purge is the verb that deletes run directories.
type purge struct {
	app       *app
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
		Long: `purge deletes directories of runs that were not used for TIME: 30d, 12h, 2w. It
shows which and asks, unless --yes is given. A run and those that belong to it
(retries, undo, verify; to a plan, what applied it) are deleted together, once
the newest of them is old enough: they share one account, and none of them can
be resumed without the first.

Running and damaged runs are kept, and those that can be resumed (flytt resume),
because their rows are not settled; --all deletes the latter two as well. What
undo needs is deleted with a run. Only directories that flytt made, directly below
--dir, are deleted; links are not followed.`,
		Example: `  flytt runs purge --older-than 30d --dry-run
  flytt runs purge --older-than 2w --yes`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return p.do(time.Now()) },
	}
	s := c.Flags()
	s.StringVar(&p.olderThan, "older-than", "", "delete runs that were not used for `TIME`: 30d, 12h, 2w")
	addRunsDir(s, &p.dir)
	s.BoolVar(&p.all, "all", false, "delete runs that can be resumed, and damaged ones, too")
	s.BoolVar(&p.yes, "yes", false, "do not ask before deleting")
	s.BoolVar(&p.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	s.BoolVar(&p.json, "json", false, "print one JSON object")
	return c
}

// purgeAccount is what purge did, as --json prints it.
type purgeAccount struct {
	DryRun  bool          `json:"dry_run"`
	Deleted []runs.OldRun `json:"deleted"` // or would have been
	Kept    []runs.OldRun `json:"kept"`    // though old enough
}

func (p *purge) do(now time.Time) error {
	age, err := parseAge(p.olderThan)
	if err != nil {
		return err
	}
	store, err := p.app.store()
	if err != nil {
		return err
	}
	if p.dir == "" {
		if p.dir, err = store.Dir(); err != nil {
			return err
		}
	}
	old, err := store.Old(p.dir, now.Add(-age), p.all)
	if err != nil {
		return err
	}
	account := &purgeAccount{Deleted: old.Delete, Kept: old.Keep}
	if account.DryRun = p.dryRun; !p.dryRun && len(account.Deleted) > 0 {
		if err := p.consent(account); err != nil {
			return err
		}
		if err := store.Delete(p.dir, account.Deleted); err != nil {
			return err
		}
	}
	if p.json {
		return p.app.printJSON(account)
	}
	return stdoutError(p.print(account))
}

// parseAge reads a length of time: what time.ParseDuration reads, days (30d), and
// weeks (2w).
func parseAge(s string) (time.Duration, error) {
	hint := "give it as days, weeks or hours: 30d, 2w, 12h"
	if s == "" {
		return 0, usagef(hint, "name an age: --older-than TIME")
	}
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if n, err := strconv.Atoi(strings.TrimSuffix(s, unit)); strings.HasSuffix(s, unit) && err == nil && n >= 0 && n <= 100_000 {
			return time.Duration(n) * time.Duration(hours) * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, usagef(hint, "--older-than %s is not a duration", s)
	}
	return d, nil
}

func (p *purge) consent(account *purgeAccount) error {
	const hint = "add --yes, or --dry-run to see what would be deleted"
	switch {
	case p.yes:
		return nil
	case !p.app.canAsk():
		return usagef(hint, "nothing was deleted: no terminal to confirm on")
	}
	p.list("To be deleted", account.Deleted)
	return p.app.agreed("Delete "+text.Counted(len(account.Deleted), "run")+" for good?", "deleted", hint)
}

// list says on stderr which runs are meant.
func (p *purge) list(title string, old []runs.OldRun) {
	p.app.say("%s:\n", title)
	for _, r := range old {
		p.app.say("  %s  last used %s\n", r.Run, r.Used.Local().Format(time.DateTime))
	}
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
		fmt.Fprintf(&b, "No run in %s is older than %s.\n", shorten(p.dir), p.olderThan)
	}
	_, err := p.app.stdout.Write([]byte(b.String()))
	return err
}
