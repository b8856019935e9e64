package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flytt/internal/journal"
)

// addMoved adds the flag that says where the input of an earlier run is now.
func (f *runFlags) addMoved(c *cobra.Command) {
	c.Flags().StringVar(&f.moved, "input", "", "`PATH` of the input of the run, if it was moved or renamed; its content has to be the same")
}

// relocate makes h and o name the input that is at path now; an empty path says that it
// is where it was. It has to be, byte for byte, what the run read. Formats without a
// mark of their own are told by the extension: it has to be the same, too.
func relocate(h *journal.Header, o *order, path string) error {
	if path == "" {
		return nil
	}
	const hint = "name the file that the run read; it can be moved, but not changed"
	path, err := filepath.Abs(path)
	if err != nil {
		return usage(err, hint)
	}
	is, err := describeFile("--input", path)
	if err != nil {
		return usage(err, hint)
	}
	if is.SHA256 != h.Input.SHA256 || is.Size != h.Input.Size {
		return usagef(hint, "--input %s is not what the run read: %s", path, changed(&h.Input, &is))
	}
	was, now := filepath.Ext(h.Input.Path), filepath.Ext(path)
	if !strings.EqualFold(was, now) {
		return usagef("give the file the extension back that it had", "--input %s: its extension was %q when the run began, and is %q", path, was, now)
	}
	h.Input.Path, o.Input = path, path
	return nil
}

// missingHint says what to do about err, which is why was, a file that a run depends
// on, cannot be read.
func missingHint(was *journal.File, err error) string {
	if was.Name == "input" && errors.Is(err, fs.ErrNotExist) {
		return "if it was moved, say where it is now: --input PATH"
	}
	return "put it back, then run this again"
}

// resume returns the command that resumes the run that is called name, with more
// arguments.
func (j *job) resume(name string, more ...string) string {
	args := []string{"flytt", "resume", name}
	if j.flags.moved != "" {
		args = append(args, "--input", j.flags.moved)
	}
	return join(append(args, more...))
}
