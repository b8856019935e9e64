package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

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
