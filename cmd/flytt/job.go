package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/drain"
	"flytt/internal/osfile"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/internal/snapshot"
	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
	"flytt/sinks/bulk"
	"flytt/sources"
)

// job is one run of validate, import, convert or export: from a file or a list,
// through a mapping and the rules of a resource, to wherever target leads.
type job struct {
	*app
	verb  string
	file  string // that is read; empty: the list of the API
	flags runFlags

	// prepare finds out everything that can be known before a row is read.
	prepare func() error

	// change is what rows do to records that exist; nil: nothing.
	change *change

	// writing is how rows get to the API; nil: they do not.
	writing *writing

	// duplicates is the search for rows that are alike; nil: there is none.
	duplicates *duplicates

	// recorded is what a run was told that is gone on with; nil: it begins.
	recorded *run.RecordedSpec

	// snapshot is a copy of the records that there are; nil: there is none.
	snapshot *snapshot.Snapshot

	// first is the step before all others; nil: there is none.
	first pipeline.Step

	// settle is called when all rows went through, or did not, with how that
	// ended; its error is the run's. Nil: there is nothing to settle.
	settle func(result *pipeline.Report, err error) error

	// target makes the sink once everything else is known to work; nil: there is
	// none. What it opens is closed by closers.
	target  func(ctx context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error)
	closers []func() error

	input     string // path that is read: file, or a copy of standard input
	settings  *settings
	resource  *mappings.Resource
	mapping   *mappings.Mapping
	source    pipeline.Source
	info      *sources.Info // of a file
	plan      *mappings.Plan
	validator *mappings.Validator // nil: rows are taken as they are
	host      string              // of the API, if there is one
	output    string              // of a file, if there is one
	files     map[string]string   // that the run made besides those of its directory, by what they are
	counts    pipeline.Counts     // of the rows accounted for so far
	pass      int                 // over the input, from 1

	drain   *drain.Gate // closed once what is under way is to be finished, and nothing begun
	dir     *report.Dir
	kept    *report.Dir // of the run that is gone on with
	backups run.Backups // of files that are written anew
	log     *slog.Logger
	screen  screen // stderr, for the log and the bar
	summary *report.Summary
	limit   pipeline.RejectLimit
	started time.Time
	clock   time.Time // for the rules about dates: when the run began, in whatever process
}

// runFlags are the flags that validate, import and convert share.
type runFlags struct {
	inputOptions
	mapping    string
	resource   string
	maxRejects string
	runDir     string
	moved      string // where the input of an earlier run is now; empty: where it was
	profile    string
	json       bool
	quiet      bool
	verbose    bool
	logFormat  string
	noProgress bool
	verb       *cobra.Command // the flags are of
}

// add adds the flags of a verb that reads a file.
func (f *runFlags) add(c *cobra.Command) {
	f.addCommon(c)
	s := c.Flags()
	s.StringVarP(&f.mapping, "mapping", "m", "", "mapping `FILE`: how columns become fields (default: guessed from the headers)")
	f.inputOptions.addFlags(c)
	s.StringVar(&f.maxRejects, "max-rejects", "", "stop when more than `N` rows, or N% of them, are rejected (default: never)")
}

// addCommon adds the flags of every verb that moves rows.
func (f *runFlags) addCommon(c *cobra.Command) {
	f.addWatching(c)
	s := c.Flags()
	s.StringVar(&f.resource, "resource", "", "`NAME` of the resource (default: the mapping's, or the only one there is)")
	s.StringVar(&f.runDir, "run-dir", "", "new or empty `DIR` for the files of the run (default: flytt-runs/<id>)")
	s.StringVar(&f.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
}

// addWatching adds the flags that say what is told of a run.
func (f *runFlags) addWatching(c *cobra.Command) {
	f.verb = c
	s := c.Flags()
	s.BoolVar(&f.json, "json", false, "print the summary as one JSON object")
	s.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but errors")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "log what is being done")
	s.StringVar(&f.logFormat, "log-format", "text", "`FORMAT` of log lines: text or json")
	s.BoolVar(&f.noProgress, "no-progress", false, "show no progress bar")
}

// execute does the job and tells the user how it ended.
func (j *job) run(ctx context.Context) (err error) {
	j.started = time.Now()
	if j.clock.IsZero() {
		j.clock = j.started
	}
	j.summary = report.NewSummary(j.verb)
	defer func() { err = j.closed(err) }()
	if j.prepare == nil {
		j.prepare = j.prepareFile
	}
	if err := j.prepare(); err != nil {
		return j.unbegun(err)
	}
	ctx, gate, stop := j.signals(ctx, drainingText)
	defer stop()
	j.drain = gate
	if err := j.makeDir(); err != nil {
		return err
	}
	if err := j.findDuplicates(ctx); err != nil {
		return j.unbegun(err)
	}
	result, recorder, err := j.passes(ctx)
	if result == nil {
		return j.unbegun(err)
	}
	if j.settle != nil {
		err = j.settle(result, err)
	}
	return j.finish(result, recorder, err)
}

// unbegun removes what was made of a run that could not begin because of err. A
// run that is gone on with stays as it was.
func (j *job) unbegun(err error) error {
	if j.dir == nil {
		return err
	}
	err = errors.Join(err, j.close())
	switch {
	case j.recorded != nil:
		return errors.Join(err, j.dir.Close())
	case j.pass > 1:
		return then(errors.Join(err, j.dir.Close()), j.resume(j.runName()))
	}
	return errors.Join(err, j.dir.Discard())
}

// steps makes the steps of one worker.
func (j *job) steps() (steps []pipeline.Step) {
	if j.first != nil {
		steps = append(steps, j.first)
	}
	steps = append(steps, j.plan.Step())
	if step := j.stampStep(); step != nil {
		steps = append(steps, step)
	}
	if j.validator != nil {
		steps = append(steps, j.validator.Step())
	}
	if step := j.duplicates.step(j.plan.Columns()); step != nil {
		steps = append(steps, step)
	}
	if j.snapshot != nil {
		reader := j.plan.MatchReader(j.resource, j.change.byRecord())
		steps = append(steps, j.snapshot.Step(reader, j.plan.Columns(), bulk.CodeDuplicateOfRecord))
	}
	return steps
}

// prepareFile prepares a run that reads a file.
func (j *job) prepareFile() (err error) {
	if err := j.checkFlags(); err != nil {
		return err
	}
	if j.settings, err = loadSettings(j.flags.profile); err != nil {
		return err
	}
	if err := j.readMapping(); err != nil {
		return err
	}
	if err := j.chooseResource(); err != nil {
		return err
	}
	j.overlayRecorded()
	if err := j.openSource(); err != nil {
		return err
	}
	if err := j.bind(); err != nil {
		return err
	}
	return j.decideForms()
}

func (j *job) checkFlags() (err error) {
	if f := j.flags.logFormat; f != "text" && f != "json" {
		return usagef("it is text or json", "--log-format %s is not known", f)
	}
	if err := j.flags.inputOptions.check(); err != nil {
		return err
	}
	if err := j.change.check(); err != nil {
		return err
	}
	if err := j.duplicates.parse(); err != nil {
		return err
	}
	j.limit, err = parseRejectLimit(j.flags.maxRejects)
	return err
}

// parseRejectLimit reads N or N%.
func parseRejectLimit(s string) (pipeline.RejectLimit, error) {
	if s == "" {
		return pipeline.RejectLimit{}, nil
	}
	hint := "give a number of rows, or a percentage above 0 and up to 100: --max-rejects 50, --max-rejects 2%"
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return pipeline.RejectLimit{}, usagef(hint, "--max-rejects %s is no limit", s)
		}
		return pipeline.RejectLimit{Set: true, Percent: p}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return pipeline.RejectLimit{}, usagef(hint, "--max-rejects %s is no limit", s)
	}
	return pipeline.RejectLimit{Set: true, Rows: n}, nil
}

func (j *job) readMapping() error {
	if j.flags.mapping == "" {
		return nil
	}
	data, err := os.ReadFile(j.flags.mapping)
	if err != nil {
		return usage(fmt.Errorf("mapping %s: %w", j.flags.mapping, osfile.Cause(err)), "without -m the mapping is guessed from the headers")
	}
	j.mapping, err = mappings.ParseMapping(j.flags.mapping, data)
	return err
}

func (j *job) chooseResource() (err error) {
	names := mappings.Resources()
	name := cmp.Or(j.flags.resource, j.settings.Resource)
	if j.mapping != nil && j.mapping.Resource != "" {
		if name != "" && name != j.mapping.Resource && j.flags.resource != "" {
			return usagef("leave --resource out, or use another mapping", "%s is for %s, not for %s", j.flags.mapping, j.mapping.Resource, name)
		}
		name = j.mapping.Resource
	}
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if name == "" {
		return usagef("the resources are "+strings.Join(names, ", "), "which resource the rows are is not said; --resource NAME says it")
	}
	if j.resource, err = mappings.Lookup(name); err != nil {
		return usage(err, "flytt schema lists the resources")
	}
	j.summary.Resource = name
	return nil
}

// bind makes the plan and the validator, guessing the mapping if there is none.
func (j *job) bind() (err error) {
	columns := j.source.Columns()
	if j.mapping == nil {
		if err = j.guess(columns); err != nil {
			return err
		}
	}
	m, err := j.stampable()
	if err != nil {
		return err
	}
	o := j.compileOptions()
	v := mappings.ValidateOptions{Identity: m.IdentityRules(o.Identity), Severity: m.Severity}
	if err := j.change.bind(j.resource, m, &o, &v); err != nil {
		return err
	}
	if j.plan, err = m.Compile(j.resource, columns, o); err != nil {
		return err
	}
	v.Columns = j.plan.Columns()
	if j.validator, err = mappings.NewValidator(j.resource, j.plan.Schema(), v); err != nil {
		return usage(err, "flytt schema "+j.resource.Name+" lists the fields")
	}
	j.narrow()
	return nil
}

// compileOptions are what the mapping is bound with.
func (j *job) compileOptions() mappings.CompileOptions {
	o := mappings.CompileOptions{Identity: identity.Rules{Today: j.clock}}
	if j.flags.mapping != "" {
		o.Dir = filepath.Dir(j.flags.mapping)
	}
	return o
}

// guess makes a mapping from the headers and shows it.
func (j *job) guess(columns []string) error {
	m, guesses, err := j.change.guess(j.resource, columns)
	if err != nil {
		return usage(err, "write a mapping file and give it with -m; flytt schema "+j.resource.Name+" lists the fields")
	}
	j.mapping = m
	if j.flags.quiet || j.flags.json {
		return nil
	}
	text, err := m.YAML()
	if err != nil {
		return err
	}
	j.say("mapping guessed from the headers:\n\n%s\n", indent(string(text)))
	for _, g := range guesses {
		if !g.Used {
			j.say("note: column %s is not used: %s\n", g.Column, g.Reason)
		}
	}
	return nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

// closed closes what was opened, after a run that ended with err.
func (j *job) closed(err error) error {
	failed := j.close()
	if failed == nil {
		return err
	}
	if j.summary.Run == "" || err != nil {
		return errors.Join(err, failed)
	}
	j.explain(failed) // the summary has been shown
	return &shownError{failed, exitFatal}
}

// close closes what was opened, the last first.
func (j *job) close() error {
	var errs []error
	for _, f := range slices.Backward(j.closers) {
		errs = append(errs, f())
	}
	j.closers = nil
	return errors.Join(errs...)
}
