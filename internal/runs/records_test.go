package runs_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/internal/runs"
	"flytt/pipeline"
)

// fate is what became of some rows.
type fate = map[int64]pipeline.Fate

func TestListTellsHowRunsEnded(t *testing.T) {
	d := newDirectory(t)
	rows := fate{2: pipeline.Written, 3: pipeline.Rejected, 4: pipeline.InDoubt, 5: pipeline.Pending}
	d.add(made{outcome: report.StateDone, fates: rows})
	d.add(made{outcome: report.StateInterrupted, fates: rows})
	d.add(made{outcome: report.StateFailed, fates: rows})
	d.add(made{fates: rows}) // killed: its journal tells
	broken := d.add(made{outcome: report.StateDone})
	d.check(os.WriteFile(filepath.Join(broken, "summary.json"), []byte("{"), 0o600))
	running, err := d.NewDir("", time.Now())
	d.check(err)
	defer running.Close()
	d.check(os.Mkdir(filepath.Join(d.path, "no run"), 0o700))

	runs, damaged, err := d.List(d.path)
	d.check(err)
	var states []string
	for _, r := range runs {
		states = append(states, r.State)
		if want := (pipeline.Counts{Read: 4, Written: 1, Rejected: 1, InDoubt: 1, NotSent: 1}); !r.Running && r.Rows != want {
			t.Errorf("%s: %+v, want %+v", r.State, r.Rows, want)
		}
	}
	if diff := cmp.Diff([]string{report.StateRunning, report.StateKilled, report.StateFailed, report.StateInterrupted, report.StateDone}, states); diff != "" {
		t.Error(diff)
	}
	if len(damaged) != 1 || damaged[0].Path != broken {
		t.Fatalf("damaged: %+v", damaged)
	}
	wantUsage(t, damaged[0].Err, "not the summary of a run", advice.Command{Verb: "resume", Run: d.Name(broken)})
	_, err = d.Group(broken)
	wantUsage(t, err, filepath.Base(broken), advice.Command{Verb: "resume", Run: d.Name(broken)})
}

// TestAccountOfAGroup adds up a run, a retry that lies elsewhere, an undo of the run, and
// a run that has nothing to do with them.
func TestAccountOfAGroup(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Written, 3: pipeline.Rejected, 4: pipeline.Rejected}})
	elsewhere := filepath.Join(t.TempDir(), "retry")
	selection, err := d.group(first).SelectRetry(d.rejects(3), false)
	d.check(err)
	d.addAt(elsewhere, made{verb: "retry", parent: first, outcome: report.StateDone, fates: fate{3: pipeline.Written}, retry: selection})
	if len(d.group(first)) != 1 {
		t.Error("a retry elsewhere is found before the run names it")
	}
	d.check(runs.LinkChild(first, elsewhere))
	d.add(made{verb: "undo", parent: first, outcome: report.StateDone, fates: fate{2: pipeline.Written}})
	d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Written}})

	g := d.group(first)
	w, err := g.Whole()
	d.check(err)
	if len(g) != 3 || len(g.Retries()) != 1 || g.Retries()[0].Path != elsewhere || len(g.Without(elsewhere)) != 2 {
		t.Errorf("%d runs, retries %v", len(g), g.Retries())
	}
	want := pipeline.Counts{Read: 3, Written: 2, Rejected: 1}
	if w.Account.Rows != want || !w.Account.Balanced || w.Account.Undone != 1 {
		t.Errorf("%+v", w.Account)
	}
	if w.Files["retry_1"] != elsewhere || w.Files["rejects"] != filepath.Join(first, "rejects.csv") {
		t.Errorf("files %v", w.Files)
	}
	next := advice.Command{Verb: "retry", Run: d.Name(first), File: filepath.Join(first, "rejects.csv")}
	if diff := cmp.Diff(next, g.Next(w.Account).Command); diff != "" {
		t.Error(diff)
	}
}

func TestNextOfARun(t *testing.T) {
	spec := runs.RecordedSpec{Input: "/in.csv", Mapping: "/m.yaml", Flags: map[string][]string{"key": {"custom_id"}, "quiet": {"true"}}}
	anew := advice.Command{Verb: "import", File: "/in.csv", Mapping: "/m.yaml", Args: []string{"--key=custom_id"}}
	tests := map[string]struct {
		run  made
		next advice.Command // about the run
	}{
		"all written":      {made{outcome: report.StateDone, fates: fate{2: pipeline.Written}}, advice.Command{}},
		"in doubt":         {made{outcome: report.StateDone, fates: fate{2: pipeline.InDoubt}}, advice.Command{Verb: "resume"}},
		"killed":           {made{fates: fate{2: pipeline.Written}}, advice.Command{Verb: "resume"}},
		"interrupted":      {made{outcome: report.StateInterrupted}, advice.Command{Verb: "resume"}},
		"killed plan":      {made{verb: "plan"}, advice.Command{}},
		"too many rejects": {made{outcome: report.StateFailed, exit: report.ExitMaxRejects, spec: spec, fates: fate{2: pipeline.Rejected}}, anew},
		"too many rejects after some were written": {
			made{outcome: report.StateFailed, exit: report.ExitMaxRejects, spec: spec, fates: fate{2: pipeline.Rejected, 3: pipeline.Written}},
			advice.Command{Verb: "resume", Args: []string{"--max-rejects", "100%"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDirectory(t)
			g := d.group(d.add(test.run))
			w, err := g.Whole()
			d.check(err)
			if test.next.Verb == "resume" {
				test.next.Run = g[0].Name()
			}
			if diff := cmp.Diff(test.next, g.Next(w.Account).Command); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARunThatWasUndoneIsNotResumed(t *testing.T) {
	d := newDirectory(t)
	spec := runs.RecordedSpec{Input: "/in.csv"}
	undone := d.add(made{outcome: report.StateInterrupted, fates: fate{2: pipeline.Written, 3: pipeline.Pending}, spec: spec})
	d.check(d.RefuseUndone(undone))
	if path, err := d.NewestUnfinished(); err != nil || path != undone {
		t.Errorf("%s, %v", path, err)
	}
	undo := d.add(made{verb: "undo", parent: undone, outcome: report.StateInterrupted, fates: fate{2: pipeline.Written}})
	wantUsage(t, d.RefuseUndone(undone), "was taken back by", advice.Command{Verb: "resume", Run: d.Name(undo)})
	d.add(made{verb: "undo", parent: undone, outcome: report.StateDone, fates: fate{2: pipeline.Written}})
	d.check(os.RemoveAll(undo))
	wantUsage(t, d.RefuseUndone(undone), "was taken back by", advice.Command{Verb: "import", File: "/in.csv"})
	if path, err := d.NewestUnfinished(); err == nil {
		t.Errorf("%s is to be resumed", path)
	}
}

func TestALostJournalIsToldOf(t *testing.T) {
	d := newDirectory(t)
	path := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Written}})
	d.check(os.Remove(filepath.Join(path, "journal.db")))
	w, err := d.group(path).Whole()
	if err != nil || w.Account.Balanced {
		t.Errorf("%v, %+v", err, w)
	}
	wantUsage(t, runs.NoJournal(path, "never had one", ""), "has no journal.db any more", advice.Command{})
	wantUsage(t, runs.NoJournal(t.TempDir(), "never had one", ""), "never had one", advice.Command{})
}

// TestOldRunsGoTogether deletes a run and its retry, and keeps what is needed or damaged.
func TestOldRunsGoTogether(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected}})
	selection, err := d.group(first).SelectRetry(d.rejects(2), false)
	d.check(err)
	retry := d.add(made{verb: "retry", parent: first, outcome: report.StateDone, fates: fate{2: pipeline.Written}, retry: selection})
	interrupted := d.add(made{outcome: report.StateInterrupted})
	damaged := d.add(made{outcome: report.StateDone})
	d.check(os.WriteFile(filepath.Join(damaged, "summary.json"), []byte("{"), 0o600))
	foreign := d.add(made{outcome: report.StateDone})
	d.check(os.Mkdir(filepath.Join(foreign, "photos"), 0o700))

	young := d.old(time.Now().Add(-time.Hour), false)
	if len(young.Delete)+len(young.Keep) > 0 {
		t.Errorf("runs of now are old: %+v", young)
	}
	old := d.old(time.Now().Add(time.Hour), false)
	if diff := cmp.Diff([]string{first, retry}, pathsOf(old.Delete)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]bool{interrupted: true, damaged: true, foreign: true}, setOf(pathsOf(old.Keep))); diff != "" {
		t.Error(diff)
	}
	old = d.old(time.Now().Add(time.Hour), true)
	if diff := cmp.Diff([]string{foreign}, pathsOf(old.Keep)); diff != "" {
		t.Error(diff)
	}
	d.check(d.Delete(d.path, old.Delete))
	for path, want := range map[string]bool{first: false, retry: false, interrupted: false, damaged: false, foreign: true} {
		if report.IsRun(path) != want {
			t.Errorf("%s: there is %v, want %v", d.Name(path), !want, want)
		}
	}
}

func (d *directory) old(before time.Time, all bool) *runs.OldRuns {
	d.t.Helper()
	old, err := d.Old(d.path, before, all)
	d.check(err)
	return old
}

func pathsOf(runs []runs.OldRun) (paths []string) {
	for _, r := range runs {
		paths = append(paths, r.Path)
	}
	return paths
}

func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}

// TestRunsMovedTogether finds the retries of a run after all were moved.
func TestRunsMovedTogether(t *testing.T) {
	d := newDirectory(t)
	first := d.add(made{outcome: report.StateDone, fates: fate{2: pipeline.Rejected}})
	selection, err := d.group(first).SelectRetry(d.rejects(2), false)
	d.check(err)
	retry := d.add(made{verb: "retry", parent: first, outcome: report.StateDone, fates: fate{2: pipeline.Written}, retry: selection})
	moved := filepath.Join(t.TempDir(), "archive")
	d.check(os.Rename(d.path, moved))
	first, retry = filepath.Join(moved, filepath.Base(first)), filepath.Join(moved, filepath.Base(retry))
	if g := d.group(first); len(g) != 2 || g[1].Path != retry {
		t.Errorf("%d runs", len(g))
	}
	if root, err := runs.RetryRoot(retry); err != nil || root != first {
		t.Errorf("the retry is of %s, %v", root, err)
	}
}
