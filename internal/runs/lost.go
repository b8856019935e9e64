package runs

import (
	"path/filepath"
	"slices"

	"flytt/internal/advice"
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

// NoJournal is the error that the run at path has no journal: it is lost, or, as text
// and hint say, there never was one.
func NoJournal(path, text, hint string) error {
	if lostJournal(path) {
		return advice.Usagef("put it back from a copy: without it nothing tells what was sent, and what it wrote is seen in the API alone",
			"%s has no journal.db any more", advice.Path(path))
	}
	return advice.Usagef(hint, "%s %s", advice.Path(path), text)
}
