package runs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/report"
)

// NamesHint says where the names of runs are found.
const NamesHint = "flytt runs list shows the runs there are"

// Find returns the path of the directory of the run called name: one in the store by
// its id, or by the beginning of one that no other has, or any by its path.
func (s *Store) Find(name string) (path string, err error) {
	places := []string{name}
	if s.dir != "" {
		places = []string{filepath.Join(s.dir, name), name}
	}
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.IsDir() && (path == name || filepath.Base(path) == name) {
			return At(path)
		}
	}
	return s.findByPrefix(name)
}

// At returns the absolute path of the run in the directory path, which has to be one.
func At(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", advice.Usage(err, NamesHint)
	}
	if !report.IsRun(abs) {
		return "", advice.Usagef(NamesHint, "%s is not the directory of a run", advice.Path(abs))
	}
	return abs, nil
}

// findByPrefix returns the path of the one run in the store whose id begins with
// prefix.
func (s *Store) findByPrefix(prefix string) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) })
	switch len(ids) {
	case 0:
		return "", advice.Usagef(NamesHint, "there is no run %s", prefix)
	case 1:
		return At(filepath.Join(s.dir, ids[0]))
	}
	return "", advice.Usagef("say more of the id: "+ids[0]+" is the newest of them", "%d runs begin with %s", len(ids), prefix)
}

// ids returns the names of the directories in the store, the newest run first.
func (s *Store) ids() ([]string, error) {
	dir, err := s.Dir()
	if err != nil {
		return nil, err
	}
	return runIDs(dir)
}

// Newest returns the path of the newest run in the store that can be read.
func (s *Store) Newest() (string, error) {
	return s.newest("that can be told of", func(path string) bool {
		_, err := s.Read(path)
		return err == nil
	})
}

// NewestUnfinished returns the path of the newest run in the store that can be resumed.
func (s *Store) NewestUnfinished() (string, error) {
	return s.newest("that can be gone on with", s.unfinished)
}

// newest returns the path of the newest run in the store that is fit, which what
// says in words.
func (s *Store) newest(what string, fit func(path string) bool) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		return beganAt(filepath.Join(s.dir, b), b).Compare(beganAt(filepath.Join(s.dir, a), a))
	})
	for _, id := range ids {
		if path := filepath.Join(s.dir, id); report.IsRun(path) && fit(path) {
			return path, nil
		}
	}
	return "", advice.Usagef("name it by its id or its directory; "+NamesHint, "there is no run in %s %s", advice.Path(s.dir), what)
}

// unfinished reports whether the run at path wrote to the API, did not get through,
// nobody works on it, and no undo took it back.
func (s *Store) unfinished(path string) bool {
	if !report.HasJournal(path) {
		return false
	}
	r, err := s.Read(path)
	if err != nil || r.Running || r.Verb() == "plan" {
		return false
	}
	sum := r.Summary
	if sum != nil && sum.Error == nil && sum.Rows.InDoubt == 0 && sum.Rows.NotSent == 0 {
		return false
	}
	g := s.readableGroup(path)
	return len(g) > 0 && (g.undoOf(g[0]) == nil || r.State == report.StateDone)
}

// Moved returns where the run is now that was at path: there, or beside another run,
// if they were moved together.
func Moved(path, other string) string {
	if beside := filepath.Join(filepath.Dir(other), filepath.Base(path)); !report.IsRun(path) && report.IsRun(beside) {
		return beside
	}
	return path
}
