package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/internal/text"
)

func runsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "List runs, show the whole account of one, delete old ones",
		Example: `  flytt runs list
  flytt runs show 20261124-021500-3fa9c1
  flytt runs purge --older-than 30d`,
		Args: noArguments,
	}
	c.AddCommand(runsListCommand(a), runsShowCommand(a), runsPurgeCommand(a))
	return c
}

func runsListCommand(a *app) *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the runs there are, the newest first",
		Long: `list shows the runs in ` + runsDir + `, or in runs_dir of the settings, with the results
of their rows. The state of a run is done, interrupted (by a signal, and stopped in order), failed (it stopped before
the end of its input, and said why), killed (it stopped without a message), running, or
damaged (its directory cannot be read; the reason follows).`,
		Example: `  flytt runs list
  flytt runs list --json
  flytt runs list --dir /srv/migration/flytt-runs`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.listRuns(dir, asJSON) },
	}
	addRunsDir(c.Flags(), &dir)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// addRunsDir adds the flag that says where runs are.
func addRunsDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "dir", "", "`DIR` that the runs are in (default: runs_dir of the settings, or "+runsDir+")")
}

// listedRun is a run as --json lists it.
type listedRun struct {
	Run      string    `json:"run"`
	Path     string    `json:"path"`
	Began    time.Time `json:"began"`
	Verb     string    `json:"verb"`
	File     string    `json:"file"`
	State    string    `json:"state"`
	Read     int64     `json:"read"`
	Written  int64     `json:"written"`
	Rejected int64     `json:"rejected"`
	InDoubt  int64     `json:"in_doubt"`
	Parent   string    `json:"parent,omitempty"` // id
	Error    string    `json:"error,omitempty"`  // why the directory is damaged
}

// stateDamaged is the state of a run whose directory cannot be read.
const stateDamaged = "damaged"

func listedOf(r *runs.Record) listedRun {
	l := listedRun{
		Run: r.ID, Path: r.Path, Began: r.Began, Verb: r.Verb(), File: r.File(), State: r.State,
		Read: r.Rows.Read, Written: r.Rows.Written, Rejected: r.Rows.Rejected, InDoubt: r.Rows.InDoubt,
	}
	if p := r.Parent(); p != "" {
		l.Parent = filepath.Base(p)
	}
	return l
}

func (a *app) listRuns(dir string, asJSON bool) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	if dir == "" {
		if dir, err = store.Dir(); err != nil {
			return err
		}
	}
	runs, damaged, err := store.List(dir)
	if err != nil {
		return err
	}
	list := []listedRun{}
	for _, r := range runs {
		list = append(list, listedOf(r))
	}
	for _, d := range damaged {
		message, _ := a.split(d.Err)
		list = append(list, listedRun{Run: filepath.Base(d.Path), Path: d.Path, Began: d.Began, State: stateDamaged, Error: message})
	}
	if asJSON {
		return a.printJSON(struct {
			Runs []listedRun `json:"runs"`
		}{list})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintf(a.stdout, "No runs in %s.\n", shorten(dir))
		return stdoutError(err)
	}
	return stdoutError(printRuns(a.stdout, list))
}

// printRuns prints each run on a line of a table, and below it when it began, what
// it read, and which run it belongs to.
func printRuns(w io.Writer, list []listedRun) error {
	table := [][]string{{"run", "verb", "state", "read", "written", "rejected", "in doubt"}}
	for i := range list {
		table = append(table, list[i].cells())
	}
	lines := text.Columns(table, 3)
	out := &strings.Builder{}
	fmt.Fprintln(out, lines[0])
	for i := range list {
		fmt.Fprintf(out, "%s\n  %s\n", lines[i+1], list[i].more())
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *listedRun) cells() []string {
	if r.State == stateDamaged {
		return []string{r.Run, "-", r.State, "-", "-", "-", "-"}
	}
	return []string{
		r.Run, r.Verb, r.State,
		text.Number(r.Read), text.Number(r.Written), text.Number(r.Rejected), text.Number(r.InDoubt),
	}
}

// more is what the second line of a run says.
func (r *listedRun) more() string {
	if r.State == stateDamaged {
		return r.Error
	}
	more := r.Began.Local().Format(time.DateTime)
	if r.File != "" {
		more += "  " + r.File
	}
	if r.Parent != "" {
		more += "  (" + r.Verb + " of " + r.Parent + ")"
	}
	return more
}

// printJSON prints v as one indented JSON object.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return stdoutError(enc.Encode(v))
}

func runsShowCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show the whole account of a run and its retries",
		Long: `show says what a run was asked to do, what it and the runs that belong to it
(retries, undo, verify) did, and the result of each row of its input: each row is
counted once, as the last run that had it left it. A row that the run rejected
and a retry wrote is written. The numbers are checked against each other, against
the journal, and against the rows in the files of the run directories; what does
not add up is named, and the exit code is 4 then.

RUN is the id of a run or its directory; left out, it is the newest there is.`,
		Example: `  flytt runs show
  flytt runs show 20261124-021500-3fa9c1
  flytt runs show ./run --json`,
		Args: runArgument.optional,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.showRun(append(args, "")[0], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// showRun prints the account of a run: the newest, if it is not named.
func (a *app) showRun(name string, asJSON bool) error {
	w, err := a.wholeAccount(name)
	if err != nil {
		return err
	}
	if asJSON {
		data, err := w.JSON()
		return a.shown(w, printBytes(a.stdout, data, err))
	}
	if err := w.Print(a.stdout); err != nil {
		return stdoutError(err)
	}
	err = a.shown(w, nil)
	if w.Next != "" {
		a.sayCommand("", w.Next)
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

// wholeAccount returns the whole account of the run called name, or of the newest of all if
// that is empty, and of those that belong to it, in words.
func (a *app) wholeAccount(name string) (*report.GroupReport, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	find := func() (string, error) { return store.Find(name) }
	if name == "" {
		find = store.Newest
	}
	path, err := find()
	if err != nil {
		return nil, err
	}
	g, err := store.Group(path)
	if err != nil {
		return nil, err
	}
	w, err := g.Whole()
	if err != nil {
		return nil, err
	}
	w.Spec.Mapping = shorten(w.Spec.Mapping)
	if next := g.Next(w.Account); !next.IsZero() {
		w.Next = a.words(next.Command)
	}
	return w, nil
}
