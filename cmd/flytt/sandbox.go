package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flytt/internal/osfile"
	"flytt/internal/sandbox"
	"flytt/mappings"
)

func sandboxCommand(a *app) *cobra.Command {
	f := &sandboxFlags{}
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve the API on this machine, to learn and rehearse",
		Long: `sandbox serves the API on this machine, with its operations, rules and answers,
and real storage in SQLite: in memory, or in the file given with --db. It accepts
the value sandbox for all seven credentials; with --own-credentials it accepts
those of the environment or flytt.yaml instead. GET /openapi.json describes it.
It runs until it is interrupted.

What the API's reference leaves open is a flag; without it the sandbox does what
is friendliest. --fault WHO:WHEN:WHAT makes things go wrong, and can be repeated:
  WHO   get, post, patch, delete, list, bulk, create, record (GET one row), any
  WHEN  3, 3- (from the third on), 3-5, * (every request), 5% (a share); each
        fault counts the requests of its WHO
  WHAT  one of the following; those with a * can follow commit-then-, and strike
        once the request is served and only its answer is missing
` + sandbox.FaultHelp() + `
--rewrite FIELD:WHAT has the API store a text field in another form than it was
sent in, and can be repeated; for one field the first is applied first. WHAT is
one of
` + sandbox.RewriteHelp(),
		Example: `  flytt sandbox
  flytt sandbox --db rehearsal.db --addr 127.0.0.1:9000
  flytt sandbox --seed-rows 10000 --log
  flytt sandbox --bulk partial --errors indexed --answer-order reversed
  flytt sandbox --rewrite custom_id:upper --rewrite name:collapse --fill first_name
  flytt sandbox --fault post:3:commit-then-reset --fault list:5%:503=2`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return a.sandbox(c, f) },
	}
	f.add(c)
	return c
}

// sandbox serves what the flags say, until a signal comes.
func (a *app) sandbox(c *cobra.Command, f *sandboxFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if f.own {
		s, err := loadSettings(f.profile)
		if err != nil {
			return err
		}
		credentials, err := s.Credentials.API()
		if err != nil {
			return err
		}
		f.options.Credentials = sandbox.Credentials(credentials)
	}
	if f.log {
		f.options.Log = a.requestLog()
	}
	related, err := readRelated(f.related)
	if err != nil {
		return err
	}
	s, err := sandbox.New(f.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, r := range related {
		if err := s.AddRelated(r.resource, r.ids); err != nil {
			return usage(fmt.Errorf("--related %s: %w", r.file, err), "--related RESOURCE=FILE names a resource and a CSV file of ids")
		}
	}
	if err := f.seedRows(s); err != nil {
		return err
	}
	return a.serve(c, s, f)
}

// seedRows fills the tables.
func (f *sandboxFlags) seedRows(s *sandbox.Sandbox) error {
	if f.rows == 0 {
		return nil
	}
	for _, name := range mappings.Resources() {
		if err := s.Seed(name, f.rows, f.seed); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) serve(c *cobra.Command, s *sandbox.Sandbox, f *sandboxFlags) (err error) {
	url, stop, err := s.Start(f.addr)
	if err != nil {
		return usage(err, "--addr chooses another address")
	}
	defer func() { err = errors.Join(err, stop()) }()
	ctx, i := a.interrupts(c.Context(), "the sandbox ends")
	i.begin()
	defer i.stop()
	if err := a.greet(url, f.own); err != nil {
		return err
	}
	select {
	case <-i.gate.Done():
	case <-ctx.Done():
	}
	return nil
}

// greet prints the lines to paste into a shell.
func (a *app) greet(url string, own bool) error {
	_, err := fmt.Fprintf(a.stdout, "# The sandbox listens. Paste this into another shell; Ctrl-C here ends it.\nexport FLYTT_BASE_URL=%s\n", url)
	if err != nil || own {
		return stdoutError(err)
	}
	for _, name := range []string{"CUSTOMER_ID", "APPLICATION_ID", "SERVICE_ID", "SERVICE_VERSION_ID", "CLIENT_CT", "CLIENT_ENTITY", "CLIENT_SECRET"} {
		if _, err := fmt.Fprintf(a.stdout, "export FLYTT_%s=%s\n", name, sandbox.DefaultCredential); err != nil {
			return stdoutError(err)
		}
	}
	return nil
}

// requestLog returns a function that prints a line for each request.
func (a *app) requestLog() func(sandbox.Request) {
	var mu sync.Mutex
	return func(r sandbox.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(a.stderr, requestLine(r)) // nobody to tell
	}
}

// requestLine says what became of a request, without any value of it: of the
// query it has the names.
func requestLine(r sandbox.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s", r.Number, r.Method, (&url.URL{Path: r.Path}).EscapedPath())
	for i, name := range r.Query {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(strings.ReplaceAll(url.QueryEscape(name), "%21", "!"))
	}
	if r.Status == 0 {
		b.WriteString(" cut")
	} else {
		fmt.Fprintf(&b, " %d", r.Status)
	}
	fmt.Fprintf(&b, " rows=%d committed=%d took=%s", r.Rows, r.Committed, r.Took.Round(time.Millisecond))
	if r.Late {
		b.WriteString(" late")
	}
	for _, fault := range r.Faults {
		b.WriteString(" fault=" + fault)
	}
	return b.String()
}

type sandboxFlags struct {
	options sandbox.Options
	addr    string
	profile string
	own     bool
	log     bool
	rows    int
	seed    uint64
	related []string // RESOURCE=FILE
}

// flagGroup is a part of a verb's flags, under a title in the help.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// add gives the verb its flags, in groups.
func (f *sandboxFlags) add(c *cobra.Command) {
	var groups []flagGroup
	for _, each := range []struct {
		title string
		add   func(*pflag.FlagSet)
	}{
		{"Flags", f.server}, {"Rows", f.contents}, {"What the API leaves open", f.unknowns}, {"How the API stores and finds rows", f.storage},
		{"How the API answers", f.answers}, {"Faults", f.faults},
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.SortFlags = false
		each.add(flags)
		c.Flags().AddFlagSet(flags)
		groups = append(groups, flagGroup{each.title, flags})
	}
	c.SetUsageFunc(func(c *cobra.Command) error { return printGroups(c.OutOrStderr(), c, groups) })
}

func (f *sandboxFlags) server(s *pflag.FlagSet) {
	s.StringVar(&f.addr, "addr", "127.0.0.1:8787", "`HOST:PORT` to listen on")
	s.StringVar(&f.options.DB, "db", "", "database `FILE` (default: in memory)")
	s.BoolVar(&f.own, "own-credentials", false, "accept the credentials of the settings only")
	s.StringVar(&f.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	s.BoolVar(&f.log, "log", false, "one line for each request on standard error, without values")
}

func (f *sandboxFlags) contents(s *pflag.FlagSet) {
	s.IntVar(&f.rows, "seed-rows", 0, "make `N` rows for each resource (default: none)")
	s.Uint64Var(&f.seed, "seed", 1, "`S` decides which rows those are")
	s.StringArrayVar(&f.related, "related", nil, "`RESOURCE=FILE` of ids there are: CSV, the column id or the only one")
	s.BoolVar(&f.options.StrictRelations, "strict-relations", false, "references have to name rows there are, or ids of --related")
}

// how adds a switch of the sandbox, whose type names its values, to the flags.
func how(s *pflag.FlagSet, v pflag.Value, name, about string) {
	s.Var(v, name, "`HOW` "+about+": "+v.Type())
}

func (f *sandboxFlags) unknowns(s *pflag.FlagSet) {
	o := &f.options
	how(s, sandbox.SwitchOf(&o.Atomicity), "bulk", "a bulk write with a bad item ends")
	how(s, sandbox.SwitchOf(&o.ItemID), "item-id", "an id in an item of a bulk write is taken")
	how(s, sandbox.SwitchOf(&o.AnswerOrder), "answer-order", "a bulk write's answer is ordered")
	s.IntVar(&o.MaxItems, "max-items", 0, "more than `N` items in a bulk write are 413 (default: no limit)")
	s.BoolVar(&o.UniqueKey, "unique-key", false, "two rows cannot have the same custom_id")
	how(s, sandbox.SwitchOf(&o.Errors), "errors", "errors are worded")
	how(s, sandbox.SwitchOf(&o.StoredIDs), "stored-ids", "ssn and org_no are kept")
	how(s, sandbox.SwitchOf(&o.Relations), "relations", "references are answered")
	how(s, sandbox.SwitchOf(&o.Framing), "framing", "lists are framed")
	how(s, sandbox.SwitchOf(&o.PastEnd), "past-end", "a page past the end is answered")
	how(s, sandbox.SwitchOf(&o.Paging), "ignore-page", "_page is ignored, every page being")
	s.Lookup("ignore-page").NoOptDefVal = sandbox.FirstPage.String()
	s.BoolVar(&o.IgnoreOrder, "ignore-order", false, "_order_by changes nothing")
	s.IntVar(&o.MaxPageSize, "page-size-max", 0, "larger pages are cut down to `N` rows (default: no limit)")
}

func (f *sandboxFlags) storage(s *pflag.FlagSet) {
	o := &f.options
	s.Var(listFlag[sandbox.Rewrite]{&o.Storage.Rewrites, sandbox.ParseRewrite, "FIELD:WHAT"}, "rewrite", "store a text field in another form, see above; repeatable")
	s.StringSliceVar(&o.Storage.Fill, "fill", nil, "fill `FIELDS` that a new row leaves empty: first_name,last_name")
	how(s, sandbox.SwitchOf(&o.Locks.Conflicts), "lock-conflicts", "a write ends that arrives while another is under way; the sandbox writes slowly then")
	s.DurationVar(&o.Locks.Hold, "lock-time", 0, "with --lock-conflicts a write takes at least `TIME` (default 20ms)")
	how(s, sandbox.SwitchOf(&o.Lookup.Case), "lookup-case", "filters for equality regard case")
	how(s, sandbox.SwitchOf(&o.Lookup.Space), "lookup-space", "filters for equality compare white space")
	how(s, sandbox.SwitchOf(&o.Lookup.Unicode), "lookup-unicode", "filters for equality compare Unicode forms")
}

func (f *sandboxFlags) answers(s *pflag.FlagSet) {
	o := &f.options.Answers
	how(s, sandbox.SwitchOf(&o.Items), "item-errors", "a bulk write tells of bad items; all but refusal answer success, and all but success-false store the good ones")
	how(s, sandbox.SwitchOf(&o.Index), "error-index", "the first item is numbered in errors that name an index")
	s.Lookup("error-index").Usage += " (default 0)" // pflag does not show a default of 0
	how(s, sandbox.SwitchOf(&o.Bulk), "bulk-answer", "much of each row a bulk write answers")
	how(s, sandbox.SwitchOf(&o.Patch), "patch-answer", "much of the row an update answers")
	s.BoolVar(&o.BOM, "bom", false, "JSON begins with a byte order mark")
}

func (f *sandboxFlags) faults(s *pflag.FlagSet) {
	s.Var(listFlag[sandbox.Fault]{&f.options.Faults, sandbox.ParseFault, "WHO:WHEN:WHAT"}, "fault", "what goes wrong, see above; repeatable")
	s.Uint64Var(&f.options.FaultSeed, "fault-seed", 0, "`S` decides which requests a share strikes, and how answers are shuffled (default 0)")
}

// check refuses what means nothing: numbers, fields that are not there.
func (f *sandboxFlags) check() error {
	for _, each := range []struct {
		name string
		n    int
	}{{"seed-rows", f.rows}, {"max-items", f.options.MaxItems}, {"page-size-max", f.options.MaxPageSize}} {
		if each.n < 0 {
			return usage(fmt.Errorf("--%s %d: below zero", each.name, each.n), "flytt sandbox --help explains the flags")
		}
	}
	if f.profile != "" && !f.own {
		return usage(errors.New("--profile: without --own-credentials nothing is read from it"), "add --own-credentials")
	}
	if err := f.options.Check(); err != nil {
		return usage(err, "flytt sandbox --help explains the flags")
	}
	return nil
}

// listFlag is a flag that can be repeated, each time with something to parse.
type listFlag[T any] struct {
	to    *[]T
	parse func(text string) (T, error)
	kind  string // what the help calls the argument
}

// String is what the help shows as the default.
func (f listFlag[T]) String() string { return "" }

// Type is what the help calls the argument.
func (f listFlag[T]) Type() string { return f.kind }

// Set adds one.
func (f listFlag[T]) Set(text string) error {
	v, err := f.parse(text)
	if err == nil {
		*f.to = append(*f.to, v)
	}
	return err
}

// printGroups prints how c is used, its flags in groups.
func printGroups(w io.Writer, c *cobra.Command, groups []flagGroup) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n\nExamples:\n%s\n", c.UseLine(), c.Example)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.flags.FlagUsages())
	}
	if h := c.Flags().Lookup("help"); h != nil {
		fmt.Fprintf(&b, "\n  -h, --help   %s\n", h.Usage)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// related are ids of rows of a resource that references may name.
type related struct {
	resource string
	file     string
	ids      []string
}

func readRelated(flags []string) ([]related, error) {
	const hint = "--related RESOURCE=FILE names a resource and a CSV file of ids"
	var all []related
	for _, flag := range flags {
		resource, file, ok := strings.Cut(flag, "=")
		if !ok || resource == "" || file == "" {
			return nil, usage(errors.New("--related: not of the form RESOURCE=FILE"), hint)
		}
		ids, err := readIDs(file)
		if err != nil {
			return nil, usage(fmt.Errorf("--related %s: %w", file, err), hint)
		}
		all = append(all, related{resource, file, ids})
	}
	return all, nil
}

func readIDs(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, osfile.Cause(err)
	}
	defer f.Close()
	ids, err := sandbox.ReadIDs(f)
	return ids, osfile.Cause(err)
}
