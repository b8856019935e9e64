package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/text"
	"flytt/pipeline"
)

func applyCommand(a *app) *cobra.Command {
	var own runFlags
	var w writing
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do exactly what a plan says",
		Long: `apply does what PLAN says, which flytt plan made: it is the import with the
mapping and the flags that were planned. PLAN is a plan.json, or the id or the
directory of the run that made it.

It is refused if the input, the mapping, a lookup table, the tenant, the address
or the records are not what they were. Each row is held against the plan once
more when it is sent: one that would do something else now is rejected
(not_as_planned). An apply is a run like an import: flytt resume goes on with it,
and verify, retry and undo are about it as about any other.`,
		Example: `  flytt apply flytt-runs/20261124-021500-3fa9c1/plan.json
  flytt apply plan.json --yes --concurrency 8`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("one plan is applied at a time")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.readPlan(args[0])
			if err != nil {
				return err
			}
			j, plan, err := a.lookBack(path, "apply", own.moved)
			if err != nil {
				return err
			}
			if plan.Outcome() != "done" {
				return errors.Join(usagef("flytt plan makes another", "%s was not made to its end", args[0]), j.close())
			}
			j.target = func(ctx context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
				return j.applySink(ctx, plan)
			}
			return then(j.runLike(c), a.typed())
		},
	}
	own.addWatching(c)
	own.addMoved(c)
	w.addFlags(c)
	w.connection.addYes(c)
	c.Flags().StringVar(&own.runDir, "run-dir", "", "new or empty `DIR` for the files of the run (default: flytt-runs/<id>)")
	return c
}

// applies makes j, which goes on with an apply, hold to the plan in the directory
// path.
func (j *job) applies(path string) error {
	plan, err := j.openRun(path)
	if err != nil {
		return err
	}
	j.closers = append(j.closers, plan.Close)
	j.writing.plan = path
	j.target = func(ctx context.Context, j *job) (pipeline.Sink, pipeline.ChunkLimits, error) {
		return j.applySink(ctx, plan)
	}
	return nil
}

// applySink makes the sink that does what plan says. Before the first pass of a
// run that begins it sees whether the records are what they were, and asks.
func (j *job) applySink(ctx context.Context, plan *journal.Journal) (pipeline.Sink, pipeline.ChunkLimits, error) {
	var none pipeline.ChunkLimits
	if j.pass == 1 {
		h := plan.Header()
		if err := j.reachAgain(&h); err != nil {
			return nil, none, err
		}
		if err := j.openLike(); err != nil {
			return nil, none, err
		}
		if j.recorded == nil {
			if err := j.sameRecords(ctx, &h); err != nil {
				return nil, none, err
			}
		}
		if err := j.consent(); err != nil {
			return nil, none, err
		}
		if err := j.linkTo(j.writing.plan); err != nil {
			return nil, none, err
		}
	}
	o, err := j.bulkOptions()
	if err != nil {
		return nil, none, err
	}
	o.Planned = plan
	return j.importSink(o)
}

// sameRecords refuses to apply a plan, whose journal has the header h, to records
// that are not those it was made for.
func (j *job) sameRecords(ctx context.Context, h *journal.Header) error {
	o, err := readSpec(j.writing.plan, h)
	if err != nil {
		return err
	}
	if o.Live == nil {
		return usagef("flytt plan makes another", "the plan does not tell which records there were")
	}
	now, err := j.readSnapshot(ctx, "")
	if err != nil {
		return err
	}
	if is := now.Mark(); *is != *o.Live {
		what := fmt.Sprintf("%s then, %s now", text.Counted(o.Live.Records, "record"), text.Number(is.Records))
		if is.Records == o.Live.Records {
			what = "as many records, and not the same"
		}
		return usagef("flytt plan makes another: see what is different", "the records have changed since the plan was made: %s", what)
	}
	return nil
}

// applyQuestion is what is asked before the plan in the directory path is applied.
func applyQuestion(path, place string) string {
	what := "Do what the plan of " + filepath.Base(path) + " says"
	if s, err := report.ReadSummary(path); err == nil && s != nil && s.Plan != nil {
		what = fmt.Sprintf("Make %s and change %s", text.Counted(s.Plan.Create, "record"), text.Number(s.Plan.Update))
	}
	return fmt.Sprintf("%s at %s?", what, place)
}
