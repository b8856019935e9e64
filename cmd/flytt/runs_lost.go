package main

import (
	"path/filepath"
	"slices"

	"flytt/internal/report"
)

// writingVerbs are those of runs that keep a journal.
var writingVerbs = []string{"import", "apply", "retry", "undo", "plan"}

// lostJournal reports whether the run at path kept a journal, which is not there any
// more.
func lostJournal(path string) bool {
	if report.HasJournal(path) {
		return false
	}
	s, err := report.ReadSummary(path)
	if err == nil && s != nil {
		return slices.Contains(writingVerbs, s.Verb)
	}
	return report.IsFile(filepath.Join(path, "written.csv"))
}

// noJournal says that the run at path has no journal to go by: it is lost, or, as
// text and hint say, there never was one.
func noJournal(path, text, hint string) error {
	if lostJournal(path) {
		return usagef("put it back from a copy: without it nothing tells what was sent, and what it wrote is seen in the API alone",
			"%s has no journal.db any more", shorten(path))
	}
	return usagef(hint, "%s %s", shorten(path), text)
}
