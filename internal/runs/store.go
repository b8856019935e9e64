package runs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/osfile"
	"flytt/internal/report"
)

// Store is where runs are: a directory in which each run has its own, by its id. Runs
// elsewhere are known by the paths of their directories.
type Store struct {
	dir string // in full; empty: there is none
	key func() (*journal.Key, error)
}

// NewStore returns the store of the runs in dir, which need not be there yet. With an
// empty dir no run is known by an id, and a run needs a directory of its own. Key
// returns the key of the digests in journals; it is called when a journal is opened.
func NewStore(dir string, key func() (*journal.Key, error)) (*Store, error) {
	if dir == "" {
		return &Store{key: key}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, advice.Usage(fmt.Errorf("directory of the runs: %w", err), "runs_dir in the settings names it")
	}
	return &Store{abs, key}, nil
}

// Dir returns the directory of the runs, in full. It is an error if there is none.
func (s *Store) Dir() (string, error) {
	if s.dir != "" {
		return s.dir, nil
	}
	return "", advice.Usagef("set runs_dir in flytt.yaml, or FLYTT_RUNS_DIR, to the directory for runs; or give the run its own with --run-dir",
		"runs_dir is not set, and the working directory is the root directory, where no run is put")
}

// NewDir makes the directory of a run that starts now: path, which must be new or
// empty, or, if path is empty, a new one in the store.
func (s *Store) NewDir(path string, now time.Time) (*report.Dir, error) {
	if path == "" {
		parent, err := s.Dir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(parent, report.NewID(now))
	}
	dir, err := report.NewDir(path)
	if err != nil {
		return nil, Unusable(err)
	}
	return dir, nil
}

// Name returns what commands call the run at path by: its id if it is in the store,
// else its path.
func (s *Store) Name(path string) string {
	if s.dir != "" && filepath.Dir(path) == s.dir {
		return filepath.Base(path)
	}
	return path
}

// Journal opens the journal of the run in the directory path, to resume the run. As
// long as it is open nobody else resumes or retries it.
func (s *Store) Journal(path string) (*journal.Journal, error) {
	return s.openJournal(path, journal.Open)
}

// ReadJournal opens the journal of the run in the directory path to read it.
func (s *Store) ReadJournal(path string) (*journal.Journal, error) {
	return s.openJournal(path, journal.Read)
}

// CreateJournal creates the journal with the header h of the run in the directory path.
func (s *Store) CreateJournal(path string, h journal.Header) (*journal.Journal, error) {
	return s.openJournal(path, func(path string, key *journal.Key) (*journal.Journal, error) {
		return journal.Create(path, h, key)
	})
}

// openJournal calls open with the path of a journal, and the key.
func (s *Store) openJournal(path string, open func(path string, key *journal.Key) (*journal.Journal, error)) (*journal.Journal, error) {
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	jr, err := open(filepath.Join(path, journalFile), key)
	if err != nil {
		return nil, Unusable(err)
	}
	return jr, nil
}

// Unusable returns err as one that says that what it is about cannot be used as it was
// asked for, unless the disk is to blame.
func Unusable(err error) error {
	if journal.DiskFailed(err) {
		return err
	}
	return advice.Usage(err, advice.HintOf(err))
}

// Damaged is a directory that was a run's and cannot be read any more.
type Damaged struct {
	Path  string
	Began time.Time // as far as its name and its files tell
	Err   error
}

// List reads the runs in dirs, the newest first, and finds out which are damaged.
func (s *Store) List(dirs ...string) (runs []*Record, damaged []Damaged, err error) {
	paths, err := runPaths(dirs)
	if err != nil {
		return nil, nil, err
	}
	for _, path := range paths {
		if r, err := s.Read(path); err != nil {
			damaged = append(damaged, Damaged{path, beganAt(path, filepath.Base(path)), err})
		} else {
			runs = append(runs, r)
		}
	}
	slices.SortStableFunc(runs, func(a, b *Record) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	return runs, damaged, nil
}

// runPaths returns the paths of the runs in dirs, each once; an empty one has none.
func runPaths(dirs []string) (paths []string, err error) {
	seen := map[string]bool{"": true}
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, advice.Usage(err, NamesHint)
		}
		if seen[abs] {
			continue
		}
		seen[abs] = true
		ids, err := runIDs(abs)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if path := filepath.Join(abs, id); report.IsRun(path) {
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// runIDs returns the names of the directories in dir, the newest run first. There
// are none if dir is not there.
func runIDs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, advice.Usagef("name the run by its directory", "%s: %w", advice.Path(dir), osfile.Cause(err))
	}
	var ids []string
	for _, e := range slices.Backward(entries) {
		if e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}
