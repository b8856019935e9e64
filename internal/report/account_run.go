package report

import (
	"os"
	"path/filepath"

	"flytt/internal/journal"
	"flytt/internal/osfile"
)

// The files that a run directory is known by.
const (
	summaryFile = "summary.json"
	journalFile = "journal.db"
	logFile     = "log.jsonl"
)

// IsRun reports whether path is a directory, not a link to one, in which a run
// left its files.
func IsRun(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	for _, name := range []string{logFile, summaryFile, journalFile} {
		if IsFile(filepath.Join(path, name)) {
			return true
		}
	}
	return false
}

// IsRunning reports whether a process has the directory of the run at path open.
func IsRunning(path string) bool { return journal.IsLocked(filepath.Join(path, logFile)) }

// HasJournal reports whether the run at path wrote to the API.
func HasJournal(path string) bool { return IsFile(filepath.Join(path, journalFile)) }

// IsFile reports whether path is a file, and no link to one.
func IsFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// ReadSummary reads the summary of the run at path. It is nil if there is none:
// the run is still running, or was killed.
func ReadSummary(path string) (*Summary, error) {
	valid := func(s *Summary) bool { return s.Run != "" && s.Verb != "" }
	return osfile.ReadJSON(filepath.Join(path, summaryFile), summaryFile, "the summary of a run", valid)
}
