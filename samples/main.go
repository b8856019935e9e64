package samples

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// ErrUsage is a flag that cannot be; what is wrong with it has been said.
var ErrUsage = errors.New("usage")

// Main runs a command, called name, and exits with 1 if it fails, or 2 for its flags.
func Main(name string, run func(args []string, stdout, stderr io.Writer) error) {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, ErrUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
