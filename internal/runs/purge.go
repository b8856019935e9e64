package runs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/report"
)

// OldRun is the directory of a run that nothing was done with for some time.
type OldRun struct {
	Run    string    `json:"run"` // id
	Path   string    `json:"path"`
	Used   time.Time `json:"last_used"`        // when something was last done with it, or those that belong to it
	Reason string    `json:"reason,omitempty"` // why it is kept
}

// OldRuns are the old runs of a directory.
type OldRuns struct {
	Delete []OldRun
	Keep   []OldRun // though they are old enough
}

// Old finds the runs in dir that nothing was done with since before. Runs that need each
// other are removed together. It keeps runs that a process works on and, unless all are to
// be removed, damaged runs and those that can be resumed.
func (s *Store) Old(dir string, before time.Time, all bool) (*OldRuns, error) {
	runs, damaged, err := s.List(dir)
	if err != nil {
		return nil, err
	}
	old := &OldRuns{Delete: []OldRun{}, Keep: []OldRun{}}
	for _, g := range groupsOf(runs) {
		whole, err := s.gatherLinked(g[0], runs, (*Record).needs)
		switch {
		case err != nil && !all:
			old.add(g.oldRuns(), err.Error())
			continue
		case err != nil:
			whole = g
		}
		if whole.lastUsed().Before(before) {
			old.add(g.oldRuns(), cmp.Or(whole.reasonToKeep(all), g.foreign()))
		}
	}
	for _, d := range damaged {
		old.addDamaged(d, before, all)
	}
	return old, nil
}

// add adds runs that go together: to those kept, if there is a reason.
func (o *OldRuns) add(runs []OldRun, reason string) {
	if reason == "" {
		o.Delete = append(o.Delete, runs...)
		return
	}
	for _, r := range runs {
		r.Reason = reason
		o.Keep = append(o.Keep, r)
	}
}

// addDamaged adds d if it was last used before some time.
func (o *OldRuns) addDamaged(d Damaged, before time.Time, all bool) {
	used := lastUsed(d.Path)
	if !used.Before(before) {
		return
	}
	reason := "damaged: " + d.Err.Error()
	if all {
		reason = foreign(d.Path)
	}
	o.add([]OldRun{{Run: filepath.Base(d.Path), Path: d.Path, Used: used}}, reason)
}

// groupsOf groups runs with those that need them.
func groupsOf(runs []*Record) []Group {
	var out []Group
	for _, r := range runs {
		if !slices.ContainsFunc(runs, r.needs) {
			out = append(out, gather(r, runs, (*Record).needs))
		}
	}
	return out
}

// needs reports whether r cannot be resumed, verified or undone without p.
func (r *Record) needs(p *Record) bool {
	if r.belongsTo(p) {
		return true
	}
	spec := r.Spec()
	return spec != nil && spec.Plan != "" && Moved(spec.Plan, r.Path) == p.Path
}

// lastUsed returns when something was last done with the group.
func (g Group) lastUsed() (last time.Time) {
	for _, r := range g {
		if t := lastUsed(r.Path); t.After(last) {
			last = t
		}
	}
	return last
}

// lastUsed returns when a run last wrote to its directory.
func lastUsed(path string) (last time.Time) {
	for _, name := range []string{"log.jsonl", "summary.json"} {
		if info, err := os.Lstat(filepath.Join(path, name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	if info, err := os.Lstat(path); last.IsZero() && err == nil {
		last = info.ModTime()
	}
	return last
}

func (g Group) oldRuns() []OldRun {
	var out []OldRun
	for _, r := range g {
		out = append(out, OldRun{Run: r.ID, Path: r.Path, Used: g.lastUsed()})
	}
	return out
}

// reasonToKeep returns why the group is kept because of the state of one of its runs; it
// is empty if it is not.
func (g Group) reasonToKeep(all bool) string {
	for _, r := range g {
		switch {
		case r.State == report.StateRunning:
			return r.ID + " is running"
		case r.Resumable() && g.undone(r) == nil && !all:
			return r.ID + " can be resumed"
		}
	}
	return ""
}

// foreign returns why a directory of the group holds something that is not flytt's.
func (g Group) foreign() string {
	for _, r := range g {
		if reason := foreign(r.Path); reason != "" {
			return reason
		}
	}
	return ""
}

// foreign returns why the directory of a run holds something that is not flytt's: there
// is a directory in it, which flytt does not make. It is empty if there is none.
func foreign(path string) string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return "it cannot be read: " + osfile.Cause(err).Error()
	}
	for _, e := range entries {
		if e.IsDir() {
			return "there is a directory in it, which is not flytt's"
		}
	}
	return ""
}

// Delete deletes the directories of runs, which are in dir. It never deletes anything
// outside that directory, even if somebody puts links there meanwhile. A run that a process
// has begun to work on is left alone.
func (s *Store) Delete(dir string, runs []OldRun) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return advice.Errorf("%s: %w", advice.Path(dir), osfile.Cause(err))
	}
	var errs []error
	for _, r := range runs {
		switch {
		case s.isRunning(r.Path):
			errs = append(errs, fmt.Errorf("%s: it was begun again meanwhile", r.Run))
		case !report.IsRun(r.Path):
			errs = append(errs, fmt.Errorf("%s: no longer the directory of a run", r.Run))
		default:
			if err := root.RemoveAll(r.Run); err != nil {
				errs = append(errs, fmt.Errorf("%s: delete: %w", r.Run, osfile.Cause(err)))
			}
		}
	}
	return errors.Join(errors.Join(errs...), root.Close())
}
