package main

import (
	"os"
	"path/filepath"

	"flytt/internal/journal"
	"flytt/internal/run"
)

// runsDir is the directory of the runs where none is set.
const runsDir = "flytt-runs"

// store returns where runs are.
func (a *app) store() (*run.Store, error) { return run.NewStore(runsDir, loadKey) }

// keyDir returns the directory of the key that digests in journals are made
// with: FLYTT_KEY_DIR, or flytt in the user's configuration directory.
func keyDir() (string, error) {
	if dir := os.Getenv("FLYTT_KEY_DIR"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", usagef("FLYTT_KEY_DIR names a directory for it, which only you can read", "the key for the journal has no place: %w", err)
	}
	return filepath.Join(dir, "flytt"), nil
}

// loadKey reads the key, or makes one.
func loadKey() (*journal.Key, error) {
	dir, err := keyDir()
	if err != nil {
		return nil, err
	}
	return journal.LoadKey(dir)
}

// findRun returns the path of the run called name: by its id, the beginning of that, or
// its directory. An empty name is the newest run that can be resumed.
func (a *app) findRun(name string) (string, error) {
	store, err := a.store()
	if err != nil {
		return "", err
	}
	if name == "" {
		return store.NewestUnfinished()
	}
	return store.Find(name)
}

// openRun opens the journal of the run at path, to resume the run.
func (a *app) openRun(path string) (*journal.Journal, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Journal(path)
}

// nameOfRun is what commands call the run at path by.
func (a *app) nameOfRun(path string) string {
	store, err := a.store()
	if err != nil {
		return shorten(path)
	}
	return shorten(store.Name(path))
}
