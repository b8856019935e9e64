package main

import (
	"path/filepath"

	"flytt/internal/run"
)

// makeBackups moves aside what a person may have edited of a run that is resumed, before
// it is written anew.
func (j *job) makeBackups() (err error) {
	if j.pass > 1 || j.recorded == nil {
		return nil
	}
	j.backups, err = run.MakeBackups(j.dir, j.writing.journal.Outcome() != "")
	for _, n := range j.backups.EditedNotes() {
		j.summary.Notes = append(j.summary.Notes, noteText(n))
	}
	return err
}

// finishBackups removes the backups of what nobody edited. It notes what the run leaves,
// for a process that resumes it.
func (j *job) finishBackups() error {
	if j.writing == nil {
		return nil // it cannot be resumed
	}
	notes, err := j.backups.Finish(j.summary.Files)
	for _, n := range notes {
		j.summary.Notes = append(j.summary.Notes, noteText(n))
		j.notice(noteText(n))
	}
	if err != nil {
		return err
	}
	j.summary.Sums, err = run.Sums(j.summary.Files)
	return err
}

// noteText says what became of a file that a person may have edited.
func noteText(n run.BackupNote) string {
	if n.Edited {
		return n.File + " is not what the run wrote, and is kept as " + shorten(n.Backup)
	}
	return n.File + " may have been changed since the run was killed, and is kept as " + shorten(n.Backup)
}

// fixRejects says what to do about the rows that the run rejected.
func (j *job) fixRejects() string {
	if backup, edited := j.backups.Edited("rejects"); edited {
		return "mend the rows in rejects.csv, where " + filepath.Base(backup) + " has what was mended before"
	}
	return "mend the rows in rejects.csv"
}

// linkTo notes in the run at path that j, which begins, belongs to it.
func (j *job) linkTo(path string) error {
	if j.pass > 1 || j.recorded != nil {
		return nil
	}
	return run.LinkChild(path, j.dir.Path)
}
