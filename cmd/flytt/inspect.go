package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/inspect"
	"flytt/internal/run"
	"flytt/mappings"
	"flytt/pipeline"
)

// inspector is one run of inspect.
type inspector struct {
	app        *app
	spec       run.Spec
	json       bool
	noProgress bool
	count      bool
	showValues bool

	started time.Time
	input   *run.Opened
	found   *inspect.Report
}

func inspectCommand(a *app) *cobra.Command {
	v := &inspector{app: a, spec: run.Defaults()}
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a file holds: its format, its columns and what is in them",
		Long: `inspect reads FILE (- is standard input) and shows its format and encoding. For
each column it shows the field that the header matches, with a score from 0 to 1;
the kind of its values, and how many are of that kind; how many cells are empty;
how many values are distinct; the length of the longest; and the most frequent
values, masked: letters as a and A, digits as 9.

It looks into the first rows only, which is quick at any size; --count reads the
whole file. No value of a row is shown without --show-values.`,
		Example: `  flytt inspect kontakter.csv
  flytt inspect register.xlsx --sheet Kontakter
  flytt inspect register.csv.gz --count --json`,
		Args: fileArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			v.spec.File = args[0]
			return v.run(c.Context())
		},
	}
	addInputFlags(c, &v.spec.Input)
	s := c.Flags()
	s.StringVar(&v.spec.Resource, "resource", "", "`NAME` of the resource whose fields to guess (default: the only one there is)")
	s.StringVar(&v.spec.Profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	s.BoolVar(&v.count, "count", false, "read the whole file: the number of rows is exact, and columns are described over all rows")
	s.BoolVar(&v.showValues, "show-values", false, "show values as they are")
	s.BoolVar(&v.json, "json", false, "print what was found as one JSON object")
	s.BoolVar(&v.noProgress, "no-progress", false, "show no progress bar")
	return c
}

func (v *inspector) run(ctx context.Context) (err error) {
	v.started = time.Now()
	resource, err := v.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.input.Source.Close()) }()
	if err := v.inspect(ctx, resource); err != nil {
		return err
	}
	if v.json {
		return v.app.printJSON(v.found)
	}
	if err := v.print(v.app.stdout); err != nil {
		return stdoutError(err)
	}
	v.app.sayNext(v.next())
	return nil
}

// prepare opens the file, and returns the resource whose fields to guess; nil if it is not
// known.
func (v *inspector) prepare() (resource *mappings.Resource, err error) {
	if err := v.app.complete(&v.spec); err != nil {
		return nil, err
	}
	if name := cmp.Or(v.spec.Resource, v.spec.Settings.Resource); name != "" || len(mappings.Resources()) == 1 {
		if resource, err = run.ResourceCalled(name); err != nil {
			return nil, err
		}
	}
	v.input, err = run.OpenInput(&v.spec)
	return resource, err
}

// inspect looks into the file, with a bar where somebody sees it while all of it is read.
func (v *inspector) inspect(ctx context.Context, resource *mappings.Resource) (err error) {
	in := v.input
	o := inspect.Options{Source: in.Source, Info: in.Info, Resource: resource, Whole: v.count, Values: v.showValues, Today: v.started}
	var shown *bar // once there is something to show
	if isTerminal(v.app.stderr) && !v.noProgress {
		o.Progress = func(p pipeline.Progress) {
			if shown == nil {
				shown = newBar(&screen{w: v.app.stderr}, in.Info.Size)
			}
			shown.update(run.Progress{Progress: p, Started: v.started})
		}
	}
	v.found, err = inspect.Inspect(ctx, o)
	if shown != nil {
		shown.done()
	}
	if err != nil {
		return err
	}
	v.found.Verb, v.found.File = "inspect", v.spec.File
	v.found.Notes = append(v.found.Notes, in.Notes...)
	v.found.Seconds = float64(time.Since(v.started).Milliseconds()) / 1000
	return nil
}

// next says what to do next: see which rows are wrong, with a mapping of one's own where
// the headers do not tell enough.
func (v *inspector) next() advice.Step {
	only := run.Spec{Resource: v.spec.Resource, Profile: v.spec.Profile, Input: v.spec.Input}
	c := advice.Command{Verb: "validate", File: v.spec.File, Args: only.Args(run.MeaningFlag, run.InputFlag)}
	if len(v.found.Missing) == 0 {
		return advice.Step{Command: c}
	}
	c.Args = append(c.Args, "-m", "mapping.yaml")
	return advice.Step{Before: advice.Task{Name: advice.MapRequiredColumns}, Command: c}
}
