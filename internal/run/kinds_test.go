package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/pipeline"
)

// about returns the spec of a run of verb that is about the one at path.
func (p *place) about(t *testing.T, verb, path string) run.Spec {
	t.Helper()
	spec, err := run.SpecOf(p.store, verb, path)
	if err != nil {
		t.Fatal(err)
	}
	spec.Settings = p.settings()
	return spec
}

// count returns how many records the API has.
func (p *place) count(t *testing.T) int64 {
	t.Helper()
	all := run.Defaults()
	all.Store, all.Settings, all.Output = p.store, p.settings(), run.Output{Path: filepath.Join(p.dir, "all.csv"), Overwrite: true}
	r, err := run.Export(t.Context(), all, run.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Summary.Rows.Written
}

// TestPlanApplyUndo plans an import, applies the plan, and takes that back.
func TestPlanApplyUndo(t *testing.T) {
	p := newPlace(t)
	spec := p.spec(t, "row", 30)
	spec.Change = run.Change{Mode: run.ModeUpsert, Key: "custom_id"}
	plan, err := run.Plan(t.Context(), spec, run.Observer{})
	if err != nil || plan.Summary.Plan.Create != 30 || plan.Next.Command.Verb != "apply" || p.count(t) != 0 {
		t.Fatalf("%v: %+v, next %+v", err, plan.Summary.Plan, plan.Next)
	}
	path, err := run.FindPlan(p.store, plan.Next.Command.File)
	if err != nil || path != plan.Dir {
		t.Fatalf("%s, %v", path, err)
	}
	apply := p.about(t, "apply", path)
	if diff := cmp.Diff(spec.Change, apply.Change); diff != "" {
		t.Errorf("the plan has (-want +got):\n%s", diff)
	}
	applied, err := run.Apply(t.Context(), apply, run.Observer{})
	if err != nil || applied.Summary.Rows.Written != 30 || p.count(t) != 30 {
		t.Fatalf("%v: %+v", err, applied)
	}
	if _, err := run.Apply(t.Context(), p.about(t, "apply", path), run.Observer{}); run.ExitCode(err) != report.ExitUsage || !strings.Contains(err.Error(), "records have changed") {
		t.Errorf("applied twice: %v", err)
	}
	undone, err := run.Undo(t.Context(), p.about(t, "undo", applied.Dir), run.Observer{})
	if err != nil || p.count(t) != 0 || undone.Summary.Parent != applied.Dir || !undone.Next.IsZero() {
		t.Errorf("%v: %+v", err, undone)
	}
	if _, err := run.SpecOf(p.store, "verify", plan.Dir); run.ExitCode(err) != report.ExitUsage {
		t.Errorf("a plan is compared: %v", err)
	}
}

// TestRetrySendsWhatWasFixed imports a row without a title, gives it one, and sends it
// again: the group has each row once.
func TestRetrySendsWhatWasFixed(t *testing.T) {
	p := newPlace(t)
	spec := p.spec(t, "row", 3)
	data, err := os.ReadFile(spec.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spec.File, []byte(strings.Replace(string(data), "Person 1,VD", "Person 1,", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := run.Import(t.Context(), spec, run.Observer{})
	if err != nil || first.Summary.Rows.Written != 2 || first.Summary.Exit != report.ExitRejects {
		t.Fatalf("%v: %+v", err, first)
	}
	rejects := first.Next.Command.File
	want := advice.Command{Verb: "retry", Run: filepath.Base(first.Dir), File: filepath.Join(first.Dir, "rejects.csv")}
	if diff := cmp.Diff(want, first.Next.Command); diff != "" {
		t.Fatalf("next (-want +got):\n%s", diff)
	}
	data, err = os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	fixed := filepath.Join(p.dir, "fixed.csv")
	if err := os.WriteFile(fixed, []byte(strings.Replace(string(data), "Person 1,", "Person 1,VD", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	retry := p.about(t, "retry", first.Dir)
	retry.File = fixed
	r, err := run.Retry(t.Context(), retry, run.Observer{})
	if err != nil || r.Summary.Rows.Written != 1 || p.count(t) != 3 {
		t.Fatalf("%v: %+v", err, r)
	}
	again := p.about(t, "retry", first.Dir)
	again.File = fixed
	if _, err := run.Retry(t.Context(), again, run.Observer{}); run.ExitCode(err) != report.ExitUsage {
		t.Errorf("sent twice: %v", err)
	}
	again.Earlier.Again = true
	if r, err := run.Retry(t.Context(), again, run.Observer{}); err != nil || r.Summary.Rows.Written != 0 || p.count(t) != 3 {
		t.Errorf("%v: %+v", err, r)
	}
}

// TestAnExportOfTooFewRowsWritesNothing holds what --min-rows is for.
func TestAnExportOfTooFewRowsWritesNothing(t *testing.T) {
	p := newPlace(t)
	spec := run.Defaults()
	spec.Store, spec.Settings = p.store, p.settings()
	spec.Output.Path, spec.Export.MinRows = filepath.Join(p.dir, "out.csv"), 1
	r, err := run.Export(t.Context(), spec, run.Observer{})
	var uncertain *advice.UncertainError
	if !errors.As(err, &uncertain) || r == nil || r.Summary.Exit != report.ExitUncertain || r.Summary.Error.Hint == "" {
		t.Errorf("%+v, %v", r, err)
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, "out*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestAConvertThatRejectsTooMuchWritesNothing stops at MaxRejects.
func TestAConvertThatRejectsTooMuchWritesNothing(t *testing.T) {
	p := newPlace(t)
	spec := p.spec(t, "row", 3)
	if err := os.WriteFile(spec.File, []byte("custom_id,name,title,external_client.id\nA-1,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec.MaxRejects, spec.Output.Path = "0", filepath.Join(p.dir, "out.jsonl")
	r, err := run.Convert(t.Context(), spec, run.Observer{})
	if !errors.Is(err, pipeline.ErrMaxRejects) || r.Summary.Exit != report.ExitMaxRejects || !r.Next.Command.Same {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(spec.Output.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output is there: %v", err)
	}
}
