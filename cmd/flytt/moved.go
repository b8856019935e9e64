package main

import (
	"github.com/spf13/cobra"
)

// addMoved adds the flag that says where the input of an earlier run is now.
func (f *runFlags) addMoved(c *cobra.Command) {
	c.Flags().StringVar(&f.moved, "input", "", "`PATH` of the input of the run, if it was moved or renamed; its content has to be the same")
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
