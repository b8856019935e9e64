// Command flytt moves data in bulk into and out of the Pigello Core API.
//
// One file holds one verb. Flags, environment, signals, exit codes and what a
// person sees live here and nowhere else; the work is done by the packages
// beside this one.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/run"
	"flytt/internal/runs"
	"flytt/sources"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = ""

func main() {
	// A closed pipe behind stdout is an error to report, not a reason to die
	// without a summary.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every verb needs of its surroundings.
type app struct {
	args   []string // as typed, without the program's name
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	began  bool // the command line was understood, and a verb began its work
	code   int  // exit code of a verb that finished

	runs *runs.Store // where runs are, once it is known

	asking atomic.Bool // a person is asked; stays so if that was interrupted
}

// execute runs flytt with args and returns its exit code.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr}
	out := &firstFailure{w: stdout}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	verb, err := root.ExecuteContextC(context.Background())
	var used *advice.UsageError
	if err != nil && !a.began && !errors.As(err, &used) {
		err = wrongCall(verb, err)
	}
	if err == nil && a.code == exitDone {
		err = stdoutError(out.err) // help and completion drop it
	}
	if readerGone(err) && verb.Name() != "sandbox" {
		return a.code // it has what it wanted
	}
	if err != nil {
		return a.failed(verb, err)
	}
	return a.code
}

// failed tells the user that verb could not do its work, unless it has done so
// itself.
func (a *app) failed(verb *cobra.Command, err error) int {
	var shown *shownError
	if errors.As(err, &shown) {
		return shown.code
	}
	before, command := a.nextAfter(verb, err)
	if slices.Contains(a.args, "--json") || slices.Contains(a.args, "--json=true") {
		if err := a.printJSONFailure(verb.Name(), err, command); err != nil {
			a.explain(err)
		}
	}
	a.explain(err)
	a.sayCommand(before, command)
	return run.ExitCode(err)
}

// nextAfter returns what to do after verb could not do its work because of err, and
// left nothing of a run.
func (a *app) nextAfter(verb *cobra.Command, err error) (before, command string) {
	var advised *advice.NextError
	switch {
	case errors.As(err, &advised):
		return taskText(advised.Next.Before), a.words(advised.Next.Command)
	case errors.Is(err, sources.ErrChanged):
		return taskText(advice.Task{Name: advice.LeaveInputAlone}), a.typed(false)
	case inFile(err):
		return taskText(advice.Task{Name: advice.FixAbove}), a.typed(false)
	case run.ExitCode(err) != exitUsage:
		return "", a.typed(false)
	}
	return "", verb.CommandPath() + " --help"
}

// firstFailure remembers the first error of a writer.
type firstFailure struct {
	w   io.Writer
	err error
}

func (f *firstFailure) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if f.err == nil {
		f.err = err
	}
	return n, err
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "flytt",
		Short: "Move data in bulk into and out of the Pigello Core API",
		Long: `flytt moves a register into the Pigello Core API, and proves that every row
arrived exactly once, or says why not.

  inspect    shows what a file holds: its columns, and what is in them
  validate   says which rows are wrong, and why, before anything is sent
  plan       says what an import would do to the existing records; apply
             does exactly that
  import     sends the valid rows, and lists the others with their reasons
  resume     resumes an import that did not finish
  retry      sends the fixed rejects of an import
  runs       lists and shows the runs there are, and removes old ones
  verify     compares what an import wrote with the API; undo reverts it
  export     writes the records of the API to a file
  convert    writes rows to a file instead of the API
  record     gets, lists, creates, updates and deletes single records
  doctor     checks settings, credentials and the API, and says what to fix

Exit codes: 0 every row went through; 1 finished, some rows rejected; 2 usage or
configuration; 3 stopped at --max-rejects; 4 fatal (credentials, API, network,
disk, unreadable input); 5 uncertain, rows in doubt; 130 interrupted, resumable
with flytt resume.`,
		Example: `  flytt validate kontakter.csv
  flytt import kontakter.csv -m mapping.yaml --sandbox
  flytt convert kontakter.csv -m mapping.yaml -o kontakter.jsonl`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	root.SetIn(a.stdin)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(wrongFlag)
	for _, verb := range verbs {
		root.AddCommand(verb(a))
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	checkArguments(root)
	a.supervise(root)
	return root
}

var verbs = []func(*app) *cobra.Command{
	inspectCommand,
	validateCommand,
	planCommand,
	applyCommand,
	importCommand,
	resumeCommand,
	retryCommand,
	runsCommand,
	verifyCommand,
	undoCommand,
	exportCommand,
	convertCommand,
	schemaCommand,
	mappingCommand,
	recordCommand,
	doctorCommand,
	sandboxCommand,
	versionCommand,
}

// aboveZero refuses a number that was given and is 0, which stands for the default
// where nothing is given.
func aboveZero(c *cobra.Command) error {
	for _, name := range []string{"chunk-rows", "concurrency"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "0" {
			return usagef("leave it out for the default", "--%s 0 is out of range", name)
		}
	}
	return nil
}

// supervise notes when c or one of its verbs begins its work: what fails before
// is a matter of how flytt was called.
func (a *app) supervise(c *cobra.Command) {
	work := c.RunE
	switch {
	case work == nil && c.Run != nil:
		run := c.Run
		work = func(c *cobra.Command, args []string) error { run(c, args); return nil }
	case work == nil:
		work = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	c.Run, c.RunE = nil, func(c *cobra.Command, args []string) error {
		a.began = true
		if err := aboveZero(c); err != nil {
			return err
		}
		return work(c, args)
	}
	for _, verb := range c.Commands() {
		a.supervise(verb)
	}
}
