// Command flytt moves data in bulk into and out of the Pigello Core API.
//
// One file holds one verb. Flags, environment, signals, exit codes and what a
// person sees live here and nowhere else; the work is done by the packages
// beside this one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = ""

func main() {
	// A closed pipe behind stdout is an error to report, not a reason to die
	// without a summary.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every verb needs of its surroundings.
type app struct {
	args   []string // as typed, without the program's name
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	code   int // exit code of a verb that finished
}

// run runs flytt with args and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	verb, err := root.ExecuteContextC(context.Background())
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
	next := step{command: verb.CommandPath() + " --help"}
	if slices.Contains(a.args, "--json") {
		if err := printJSONFailure(a.stdout, verb.Name(), err, next); err != nil {
			a.explain(stdoutError(err))
		}
		return exitCode(err)
	}
	a.explain(err)
	a.sayNext(next)
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "flytt",
		Short: "Move data in bulk into and out of the Pigello Core API",
		Long: `flytt moves a register into the Pigello Core API, and proves that every row
arrived exactly once, or says why not.

  validate   says which rows are wrong, and why, before anything is sent
  import     sends the valid rows, and lists the others with their reasons
  convert    writes them to a file instead

Exit codes: 0 every row went through; 1 finished, some rows rejected; 2 usage or
configuration; 3 stopped at --max-rejects; 4 fatal (credentials, API, network,
disk, unreadable input); 5 uncertain, rows in doubt; 130 interrupted.`,
		Example: `  flytt validate kontakter.csv
  flytt import kontakter.csv -m mapping.yaml --sandbox
  flytt convert kontakter.csv -m mapping.yaml -o kontakter.jsonl`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(err, fmt.Sprintf("%s --help lists the flags", c.CommandPath()))
	})
	for _, verb := range verbs {
		root.AddCommand(verb(a))
	}
	usageArgs(root)
	return root
}

// verbs is the table of verbs.
var verbs = []func(*app) *cobra.Command{
	validateCommand,
	importCommand,
	convertCommand,
	schemaCommand,
	mappingCommand,
	sandboxCommand,
	versionCommand,
}

// usageArgs makes wrong arguments of c and its verbs usage errors.
func usageArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage(err, fmt.Sprintf("%s --help shows how it is called", c.CommandPath()))
			}
			return nil
		}
	}
	for _, verb := range c.Commands() {
		usageArgs(verb)
	}
}
