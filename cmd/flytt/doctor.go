package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"flytt/internal/text"
	"flytt/mappings"
)

func doctorCommand(a *app) *cobra.Command {
	d := &doctor{app: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, credentials and the API, and say what to mend",
		Long: `doctor looks at the settings and where each comes from, at the way to the API
(proxy, DNS, TCP, TLS, HTTP), at the credentials and the clock, and at what the
API does where its reference is silent, as far as reading can tell. It makes some
25 small requests, only GETs, and changes nothing. No secret and no value of any
row is shown.

Exit codes: 0 all is well, warnings aside; 2 the settings are wrong; 4 the API
cannot be reached, or does not do what it should.`,
		Example: `  flytt doctor
  flytt doctor --profile prod
  flytt doctor --sandbox --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.resourceName, "resource", "", "`NAME` of the resource to look at (default: the only one there is)")
	c.Flags().StringVar(&d.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	c.Flags().BoolVar(&d.json, "json", false, "print the checks as one JSON object")
	d.connection.addFlags(c)
	return c
}

// doctor is one examination.
type doctor struct {
	*app
	resourceName string
	profile      string
	json         bool
	connection   connection

	settings *settings          // nil: they cannot be used
	resource *mappings.Resource // nil: there is no such
	target   string             // what is examined, once it is known
	requests int                // that were made
	checks   []check
	shown    int // of checks
	writeErr error
}

// check is one line of the list.
type check struct {
	Group  string `json:"group"`
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn, fail or skip
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"` // what to do; on every check that failed
}

const (
	statusOK   = "ok"
	statusWarn = "warn"
	statusFail = "fail"
	statusSkip = "skip"
)

// The groups of checks, and the exit code of one that fails.
const (
	groupSettings   = "settings"
	groupConnection = "connection"
	groupAPI        = "api"
)

var groupTitles = map[string]string{
	groupSettings:   "Settings",
	groupConnection: "The way to the API",
	groupAPI:        "What the API does where its reference is silent",
}

var groupExits = map[string]int{groupSettings: exitUsage, groupConnection: exitFatal, groupAPI: exitFatal}

// execute examines everything that can be, from the settings outwards: what a fault
// stands in the way of is not tried.
func (d *doctor) run(ctx context.Context) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer func() { err = errors.Join(err, d.connection.close()) }()
	d.checkSettings()
	d.show()
	if d.settings != nil && d.resource != nil {
		d.checkConnection(ctx)
	}
	d.show()
	if ctx.Err() != nil {
		d.code = exitInterrupted
	}
	return d.finish()
}

func (d *doctor) note(group, name, status, text, fix string) {
	d.checks = append(d.checks, check{group, name, status, printable(text), fix})
}

// printable returns s without what could steer a terminal: the server has a say
// in some texts.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, s)
}

// finish prints the count, or everything with --json, and sets the exit code.
func (d *doctor) finish() error {
	counts := map[string]int{}
	for _, c := range d.checks {
		counts[c.Status]++
		if c.Status == statusFail {
			d.code = moreSevere(d.code, groupExits[c.Group])
		}
	}
	if d.json {
		return d.printJSON(counts)
	}
	d.printf("\n%d ok, %s, %d failed, %d skipped; %s\n", counts[statusOK], text.Counted(counts[statusWarn], "warning"), counts[statusFail],
		counts[statusSkip], text.Counted(d.requests, "request"))
	if d.code != exitDone && d.writeErr == nil {
		d.sayNext(step{"do what the lines that failed say", d.again()})
	}
	return d.writeErr
}

// printJSON prints the whole examination as one object.
func (d *doctor) printJSON(counts map[string]int) error {
	report := struct {
		Verb     string         `json:"verb"`
		Resource string         `json:"resource,omitempty"`
		Target   string         `json:"target,omitempty"`
		Requests int            `json:"requests"`
		Counts   map[string]int `json:"counts"`
		Checks   []check        `json:"checks"`
		Exit     int            `json:"exit"`
	}{Verb: "doctor", Target: d.target, Requests: d.requests, Counts: counts, Checks: d.checks, Exit: d.code}
	if d.resource != nil {
		report.Resource = d.resource.Name
	}
	enc := json.NewEncoder(d.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return stdoutError(enc.Encode(report))
}

// How wide the list is, and its columns: a status, a name, a text.
const (
	doctorWidth = 80
	nameWidth   = 20
	textIndent  = 2 + 4 + 2 + nameWidth + 2
)

// show prints the checks that were not printed yet.
func (d *doctor) show() {
	if d.json {
		return
	}
	for ; d.shown < len(d.checks); d.shown++ {
		c := &d.checks[d.shown]
		if d.shown == 0 || c.Group != d.checks[d.shown-1].Group {
			d.printf("%s%s\n", strings.Repeat("\n", min(d.shown, 1)), groupTitles[c.Group])
		}
		d.printf("  %s  %-*s  %s\n", d.colored(c.Status), nameWidth, c.Name, wrapped(c.Text, textIndent))
		if c.Fix != "" {
			d.printf("%*s%s\n", textIndent, "", wrapped("→ "+c.Fix, textIndent+2))
		}
	}
}

func (d *doctor) printf(format string, args ...any) {
	if d.writeErr == nil {
		_, err := fmt.Fprintf(d.stdout, format, args...)
		d.writeErr = stdoutError(err)
	}
}

// colored returns a status, four characters wide, in its color on a terminal.
func (d *doctor) colored(status string) string {
	text := fmt.Sprintf("%-4s", status)
	color := map[string]string{statusOK: "32", statusWarn: "33", statusFail: "31", statusSkip: "2"}[status]
	if !colorful(d.stdout) {
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

// failed notes a check that failed with err. The hint of err comes before fix.
func (d *doctor) failed(group, name string, err error, fix string) {
	message, hint := split(err)
	d.note(group, name, statusFail, message, cmp.Or(hint, fix))
}
