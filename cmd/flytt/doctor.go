package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/doctor"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/mappings"
)

func doctorCommand(a *app) *cobra.Command {
	d := &examination{app: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, credentials and the API, and say what to fix",
		Long: `doctor checks the settings and where each comes from, the path to the API (proxy,
DNS, TCP, TLS, HTTP), the credentials and the clock, and how the API behaves where
its reference says nothing, as far as reading shows it. It makes about 25 small
requests, only GETs, and changes nothing. No secret and no value of any
row is shown.

Exit codes: 0 all is well, warnings aside; 2 the settings are wrong; 4 the API
cannot be reached, or does not do what it should.`,
		Example: `  flytt doctor
  flytt doctor --profile prod
  flytt doctor --sandbox --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.resourceName, "resource", "", "`NAME` of the resource to look at (default: the only one there is)")
	c.Flags().StringVar(&d.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	c.Flags().BoolVar(&d.json, "json", false, "print the checks as one JSON object")
	addPlace(c, &d.place)
	return c
}

// examination is one run of doctor.
type examination struct {
	app          *app
	resourceName string
	profile      string
	json         bool
	place        run.Place

	settings *run.Settings      // nil: they cannot be used
	resource *mappings.Resource // nil: there is no such
	target   string             // what is examined, once it is known
	requests int                // that were made
	checks   []doctor.Check
	writeErr error
}

var groupTitles = map[doctor.Group]string{
	doctor.Settings:   "Settings",
	doctor.Connection: "The path to the API",
	doctor.API:        "How the API behaves where its reference says nothing",
}

var groupExits = map[doctor.Group]int{doctor.Settings: exitUsage, doctor.Connection: exitFatal, doctor.API: exitFatal}

// run examines everything that can be, from the settings outwards: what a fault
// stands in the way of is not tried.
func (d *examination) run(ctx context.Context) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	d.checkSettings()
	if d.settings != nil && d.resource != nil {
		err = d.checkConnection(ctx)
	}
	if ctx.Err() != nil {
		d.app.code = exitInterrupted
	}
	return errors.Join(d.finish(), err)
}

// note adds a check to the list, and shows it.
func (d *examination) note(c doctor.Check) {
	if c.Err != nil {
		message, hint := d.app.split(c.Err)
		c.Text, c.Fix = message, cmp.Or(hint, c.Fix)
	}
	c.Text = text.Printable(c.Text)
	d.checks = append(d.checks, c)
	if !d.json {
		d.show(&c)
	}
}

// setting notes a check of the settings.
func (d *examination) setting(name string, status doctor.Status, text, fix string) {
	d.note(doctor.Check{Group: doctor.Settings, Name: name, Status: status, Text: text, Fix: fix})
}

func (d *examination) wrongSetting(name string, err error, fix string) {
	d.note(doctor.Check{Group: doctor.Settings, Name: name, Status: doctor.Fail, Err: err, Fix: fix})
}

// checkConnection goes the way to the API, and looks at it if it gets there.
func (d *examination) checkConnection(ctx context.Context) error {
	if slices.ContainsFunc(d.checks, func(c doctor.Check) bool { return c.Status == doctor.Fail && c.Name != "run directory" }) {
		return nil
	}
	conn, err := run.Connect(d.place, d.settings, run.ConnectOptions{Version: buildVersion(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		d.wrongSetting("settings", err, "fix the setting")
		return nil
	}
	d.target = conn.Host
	d.requests = doctor.Examine(ctx, conn.Client, d.resource, d.note)
	return conn.Close()
}

// finish prints the count, or everything with --json, and sets the exit code.
func (d *examination) finish() error {
	counts := map[doctor.Status]int{}
	for _, c := range d.checks {
		counts[c.Status]++
		if c.Status == doctor.Fail {
			d.app.code = run.MoreSevere(d.app.code, groupExits[c.Group])
		}
	}
	if d.json {
		return d.printJSON(counts)
	}
	d.printf("\n%d ok, %s, %d failed, %d skipped; %s\n", counts[doctor.OK], text.Counted(counts[doctor.Warn], "warning"), counts[doctor.Fail],
		counts[doctor.Skip], text.Counted(d.requests, "request"))
	if d.app.code != exitDone && d.writeErr == nil {
		d.app.sayNext(advice.Step{Before: advice.Task{Name: advice.FixFailedChecks}, Command: advice.Command{Same: true}})
	}
	return d.writeErr
}

func (d *examination) printJSON(counts map[doctor.Status]int) error {
	report := struct {
		Verb     string                `json:"verb"`
		Resource string                `json:"resource,omitempty"`
		Target   string                `json:"target,omitempty"`
		Requests int                   `json:"requests"`
		Counts   map[doctor.Status]int `json:"counts"`
		Checks   []doctor.Check        `json:"checks"`
		Exit     int                   `json:"exit"`
	}{Verb: "doctor", Target: d.target, Requests: d.requests, Counts: counts, Checks: d.checks, Exit: d.app.code}
	if d.resource != nil {
		report.Resource = d.resource.Name
	}
	return d.app.printJSON(report)
}

// How wide the list is, and its columns: a status, a name, a text.
const (
	doctorWidth = 80
	nameWidth   = 20
	textIndent  = 2 + 4 + 2 + nameWidth + 2
)

// show prints the last of the checks.
func (d *examination) show(c *doctor.Check) {
	if n := len(d.checks); n == 1 || c.Group != d.checks[n-2].Group {
		d.printf("%s%s\n", strings.Repeat("\n", min(n-1, 1)), groupTitles[c.Group])
	}
	d.printf("  %s  %-*s  %s\n", d.colored(c.Status), nameWidth, c.Name, wrapped(c.Text, textIndent))
	if c.Fix != "" {
		d.printf("%*s%s\n", textIndent, "", wrapped("→ "+c.Fix, textIndent+2))
	}
}

func (d *examination) printf(format string, args ...any) {
	if d.writeErr == nil {
		_, err := fmt.Fprintf(d.app.stdout, format, args...)
		d.writeErr = stdoutError(err)
	}
}

// colored returns a status, four characters wide, in its color on a terminal.
func (d *examination) colored(status doctor.Status) string {
	text := fmt.Sprintf("%-4s", status)
	color := map[doctor.Status]string{doctor.OK: "32", doctor.Warn: "33", doctor.Fail: "31", doctor.Skip: "2"}[status]
	if !colorful(d.app.stdout) {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// colorful reports whether w is a terminal whose user has nothing against color.
func colorful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// wrapped breaks text at blanks so that no line is wider than doctorWidth, all
// lines but the first after an indent.
func wrapped(text string, indent int) string {
	var b strings.Builder
	column := indent
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > doctorWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
