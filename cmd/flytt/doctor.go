package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api"
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

// checkSettings finds the settings and where each comes from.
func (d *examination) checkSettings() {
	file, doc, err := readSettings()
	if err != nil {
		d.wrongSetting("settings file", err, "fix the file")
		return
	}
	d.settingsFile(file)
	profile := doc.chosen(d.profile)
	d.profileCheck(doc, profile, file)
	from := origins{file: file, common: doc.Common, profile: profile, own: doc.Profiles[profile]} // before one is laid over the other
	if d.settings, err = loadSettings(d.profile); err != nil {
		d.wrongSetting("settings", err, "fix the setting")
	} else {
		d.values(&from)
		if !d.place.Sandbox {
			d.credentials(&from)
		}
	}
	d.whichResource(&from)
	d.runsDirectory()
}

// runsDirectory checks that runs can be written down.
func (d *examination) runsDirectory() {
	store, err := d.app.store()
	if err != nil {
		return // the settings cannot be read, which is noted
	}
	dir, err := store.Dir()
	if err != nil {
		d.wrongSetting("run directory", err, "set runs_dir")
		return
	}
	d.note(doctor.Directory(shorten(dir)))
}

func (d *examination) settingsFile(file string) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		d.setting("settings file", doctor.OK, "no "+file+" here: flags and environment only", "")
		return
	}
	how := ""
	if os.Getenv("FLYTT_CONFIG") != "" {
		how = " (FLYTT_CONFIG)"
	}
	d.setting("settings file", doctor.OK, file+how, "")
}

func (d *examination) profileCheck(doc *settingsDoc, profile, file string) {
	if profile == "" {
		return
	}
	how := file
	switch {
	case d.profile != "":
		how = "--profile"
	case os.Getenv("FLYTT_PROFILE") != "":
		how = "FLYTT_PROFILE"
	}
	if _, ok := doc.Profiles[profile]; ok { // what is wrong with another is told with the settings
		d.setting("profile", doctor.OK, profile+" ("+how+")", "")
	}
}

// origins know where a setting comes from.
type origins struct {
	file, profile string
	common, own   run.Settings // of the file, and of its profile
}

// of returns where the value of a setting comes from: the name of a variable, or
// the file; "" if it is not set.
func (o *origins) of(s setting) string {
	switch {
	case os.Getenv(s.variable) != "":
		return s.variable
	case os.Getenv(s.variable+"_FILE") != "":
		return s.variable + "_FILE"
	case o.profile != "" && s.value(&o.own) != "":
		return o.file + ", profile " + o.profile
	case s.value(&o.common) != "":
		return o.file
	}
	return ""
}

func (d *examination) values(from *origins) {
	for i, s := range shownSettings {
		value, origin := s.value(d.settings), from.of(s)
		if i == 0 {
			d.baseURL(value, origin)
		} else if value != "" {
			d.setting(s.name, doctor.OK, value+" ("+origin+")", "")
		}
	}
	if err := d.settings.CompleteRequests(0, 0); err != nil {
		d.wrongSetting("requests", err, "fix the setting")
		d.settings = nil
	}
}

func (d *examination) baseURL(value, origin string) {
	const name = "base URL"
	if d.place.BaseURL != "" {
		value, origin = d.place.BaseURL, "--base-url"
	}
	switch {
	case d.place.Sandbox && d.place.BaseURL != "":
		d.setting(name, doctor.Fail, "--sandbox and --base-url name two different places", "leave one of them out")
	case d.place.Sandbox:
		d.setting(name, doctor.OK, "a sandbox on this machine ("+run.SandboxDB+")", "")
	case value == "":
		d.setting(name, doctor.Fail, "not set", "FLYTT_BASE_URL=dev, or base_url: dev in flytt.yaml; --sandbox to rehearse on this machine")
	default:
		u, err := api.ParseBaseURL(value)
		if err != nil {
			d.wrongSetting(name, err, "it is prod, dev, or like https://host")
			return
		}
		d.setting(name, doctor.OK, u.String()+" ("+origin+")", "")
	}
}

// credentials checks that all seven are there and can be sent.
func (d *examination) credentials(from *origins) {
	missing := false
	for _, s := range credentialSettings {
		missing = missing || s.value(d.settings) == ""
	}
	for i, s := range credentialSettings {
		var err error
		if last := i == len(credentialSettings)-1; last && !missing {
			_, err = d.settings.Credentials.API() // reads the file of the secret
		}
		switch {
		case s.value(d.settings) == "":
			d.setting(s.name, doctor.Fail, "not set", s.remedy())
		case err != nil:
			d.wrongSetting(s.name, err, "fix the setting")
		default:
			d.setting(s.name, doctor.OK, "set ("+from.of(s)+")", "")
		}
	}
}

// remedy says how to set a credential. Secrets are better kept in files.
func (t *setting) remedy() string {
	if t.variable == secretVariable {
		return "set " + t.variable + ", or " + t.variable + "_FILE"
	}
	return "set " + t.variable
}

func (d *examination) whichResource(from *origins) {
	name, origin := d.resourceName, "--resource"
	if name == "" && d.settings != nil && d.settings.Resource != "" {
		name, origin = d.settings.Resource, from.of(resourceSetting)
	}
	if name == "" {
		origin = "the only one"
	}
	var err error
	if d.resource, err = run.ResourceCalled(name); err != nil {
		d.wrongSetting("resource", err, "flytt schema lists the resources")
		return
	}
	d.setting("resource", doctor.OK, d.resource.Name+" ("+origin+")", "")
}
