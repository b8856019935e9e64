package main

import (
	"os"
	"path/filepath"

	"flytt/internal/journal"
	"flytt/internal/runs"
)

// runsDir is the directory of the runs where none is set.
const runsDir = "flytt-runs"

// store returns where runs are: see findRunsDir.
func (a *app) store() (*runs.Store, error) {
	if a.runs != nil {
		return a.runs, nil
	}
	dir, err := findRunsDir()
	if err != nil {
		return nil, err
	}
	a.runs, err = runs.NewStore(dir, loadKey)
	return a.runs, err
}

// findRunsDir returns the directory of the runs: FLYTT_RUNS_DIR, or runs_dir of the
// settings file, or else flytt-runs in the working directory. It is empty where that is
// the root directory: a job of cron that was given no other must not fill it.
func findRunsDir() (string, error) {
	if dir := os.Getenv("FLYTT_RUNS_DIR"); dir != "" {
		return dir, nil
	}
	file, doc, err := readSettings()
	if err != nil {
		return "", err
	}
	if dir := doc.RunsDir; dir != "" {
		if filepath.IsAbs(dir) {
			return dir, nil
		}
		return filepath.Join(filepath.Dir(file), dir), nil
	}
	if wd, err := os.Getwd(); err == nil && wd == filepath.Dir(wd) {
		return "", nil
	}
	return runsDir, nil
}

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

// nameOfRun is what commands call the run at path by.
func (a *app) nameOfRun(path string) string {
	store, err := a.store()
	if err != nil {
		return shorten(path)
	}
	return shorten(store.Name(path))
}
