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

// loadKey reads the key that digests in journals are made with, or makes one. It is in
// FLYTT_KEY_DIR, or in flytt in the user's configuration directory.
func loadKey() (*journal.Key, error) {
	if dir := os.Getenv("FLYTT_KEY_DIR"); dir != "" {
		return journal.LoadKey(dir)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return nil, usagef("FLYTT_KEY_DIR names a directory for it, that only you can read", "no directory for the key of the journal: %w", err)
	}
	return journal.LoadKey(filepath.Join(dir, "flytt"))
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
