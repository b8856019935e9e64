package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/inspect"
	"flytt/internal/report"
	"flytt/mappings"
	"flytt/pipeline"
)

// inspector is one run of inspect.
type inspector struct {
	*app
	job        *job // what is shared with verbs that move rows: settings, resource, next command
	count      bool
	showValues bool

	found *inspect.Report
}

func inspectCommand(a *app) *cobra.Command {
	v := &inspector{app: a, job: &job{app: a, verb: "inspect"}}
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a file holds: its format, its columns and what is in them",
		Long: `inspect looks into FILE (- is standard input) and shows how it is written, and of
each column the field its header stands for, with a score from 0 to 1, what kind
of values it has and how many of them are of that kind, how many cells are empty,
how many values differ, the longest, and what the most usual values look like:
letters as a and A, digits as 9.

It looks into the first rows only, which is quick at any size; --count reads the
whole file. No value of a row is shown without --show-values.`,
		Example: `  flytt inspect kontakter.csv
  flytt inspect register.xlsx --sheet Kontakter
  flytt inspect register.csv.gz --count --json`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error {
			v.job.file = args[0]
			return v.run(c.Context())
		},
	}
	v.job.flags.verb = c
	v.job.flags.inputOptions.addFlags(c)
	s := c.Flags()
	s.StringVar(&v.job.flags.resource, "resource", "", "`NAME` of the resource whose fields to guess (default: the only one there is)")
	s.StringVar(&v.job.flags.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	s.BoolVar(&v.count, "count", false, "read the whole file: the number of rows is exact, and what is told of columns is of all rows")
	s.BoolVar(&v.showValues, "show-values", false, "show values as they are")
	s.BoolVar(&v.job.flags.json, "json", false, "print what was found as one JSON object")
	s.BoolVar(&v.job.flags.noProgress, "no-progress", false, "show no progress bar")
	return c
}

func (v *inspector) run(ctx context.Context) (err error) {
	v.job.started = time.Now()
	v.job.summary = report.NewSummary(v.job.verb)
	defer func() { err = v.job.closed(err) }()
	if err := v.prepare(); err != nil {
		return err
	}
	if err := v.inspect(ctx); err != nil {
		return err
	}
	if v.job.flags.json {
		return v.printJSON()
	}
	if err := v.print(v.stdout); err != nil {
		return stdoutError(err)
	}
	v.sayNext(v.next())
	return nil
}

// prepare opens the file.
func (v *inspector) prepare() (err error) {
	if err := v.job.flags.inputOptions.check(); err != nil {
		return err
	}
	if v.job.settings, err = loadSettings(v.job.flags.profile); err != nil {
		return err
	}
	if v.job.flags.resource != "" || v.job.settings.Resource != "" || len(mappings.Resources()) == 1 {
		if err := v.job.chooseResource(); err != nil {
			return err
		}
	}
	return v.job.openSource()
}

// inspect looks into the file, with a bar where somebody sees it while all of it is read.
func (v *inspector) inspect(ctx context.Context) (err error) {
	j := v.job
	o := inspect.Options{Source: j.source, Info: j.info, Resource: j.resource, Whole: v.count, Values: v.showValues, Today: j.started}
	var bar *progress // once there is something to show
	if isTerminal(v.stderr) && !j.flags.noProgress {
		o.Progress = func(p pipeline.Progress) {
			if bar == nil {
				begun := j.bar()
				bar = &begun
			}
			bar.update(p)
		}
	}
	v.found, err = inspect.Inspect(ctx, o)
	if bar != nil {
		bar.done()
	}
	if err != nil {
		return err
	}
	v.found.Verb, v.found.File = j.verb, j.file
	v.found.Notes = append(v.found.Notes, j.summary.Notes...)
	v.found.Seconds = float64(time.Since(j.started).Milliseconds()) / 1000
	return nil
}

func (v *inspector) printJSON() error {
	enc := json.NewEncoder(v.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return stdoutError(enc.Encode(v.found))
}

// next returns what to do next: see which rows are wrong, with a mapping of
// one's own where the headers do not tell enough.
func (v *inspector) next() step {
	args := append([]string{"flytt", "validate", v.job.file}, v.job.carried([]string{"resource", "profile"}, inputFlags)...)
	if len(v.found.Missing) == 0 {
		return step{command: join(args)}
	}
	return step{"say in a mapping file where the required fields come from", join(append(args, "-m", "mapping.yaml"))}
}
