// Command generate writes a contact register as legacy Swedish property
// systems export it: Windows-1252, semicolons, Swedish headers, and a share of
// rows with every kind of fault such registers have. All people in it are
// synthetic. Equal flags give equal files.
//
//	go run ./samples/generate -rows 100000 -seed 7 -dir /tmp/register
//	flytt validate /tmp/register/register.csv -m /tmp/register/mapping.yaml
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"flytt/samples"
)

func main() { samples.Main("generate", run) }

// job is what the flags ask for. A file without a name is not written, but for
// the register, which goes to stdout.
type job struct {
	options                  samples.Options
	register, clients, truth string
	mapping                  string
	dir                      string
}

func run(args []string, stdout, stderr io.Writer) error {
	j, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if j.dir != "" {
		if err := j.fill(); err != nil {
			return err
		}
	}
	if err := j.writeRegister(stdout); err != nil {
		return err
	}
	if err := j.writeMapping(); err != nil {
		return err
	}
	if j.clients == "" {
		return nil
	}
	return create(j.clients, func(w io.Writer) error { return samples.WriteClients(w, j.options) })
}

func parse(args []string, stderr io.Writer) (*job, error) {
	j := &job{}
	f := flag.NewFlagSet("generate", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Int64Var(&j.options.Rows, "rows", 1000, "`number` of rows")
	f.Uint64Var(&j.options.Seed, "seed", 1, "`number` that decides everything random")
	f.Float64Var(&j.options.Faults, "faults", 0.1, "`share` of rows with a fault, 0 to 1")
	f.StringVar(&j.options.Encoding, "encoding", samples.Windows1252, "windows-1252 or utf-8")
	f.StringVar(&j.register, "o", "", "write the register to `FILE` instead of stdout")
	f.StringVar(&j.clients, "clients", "", "write the table of clients to `FILE`")
	f.StringVar(&j.truth, "truth", "", "write what must become of each row that does not simply pass to `FILE`, as JSON lines")
	f.StringVar(&j.dir, "dir", "", "write register.csv, clients.csv, truth.jsonl and mapping.yaml into `DIR`")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, samples.ErrUsage
	case f.NArg() > 0:
		return nil, fmt.Errorf("argument %s: only flags are taken", f.Arg(0))
	case j.dir != "" && (j.register != "" || j.clients != "" || j.truth != ""):
		return nil, errors.New("-dir names all files: leave out -o, -clients and -truth")
	}
	return j, nil
}

// fill names the files in the directory of -dir, which it makes.
func (j *job) fill() error {
	j.register = filepath.Join(j.dir, "register.csv")
	j.clients = filepath.Join(j.dir, "clients.csv")
	j.truth = filepath.Join(j.dir, "truth.jsonl")
	j.mapping = filepath.Join(j.dir, "mapping.yaml")
	return os.MkdirAll(j.dir, 0o755)
}

func (j *job) writeRegister(stdout io.Writer) error {
	write := func(tell func(*samples.Truth) error) error {
		if j.register == "" {
			return samples.WriteRegister(stdout, j.options, tell)
		}
		return create(j.register, func(w io.Writer) error { return samples.WriteRegister(w, j.options, tell) })
	}
	if j.truth == "" {
		return write(nil)
	}
	return create(j.truth, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		return errors.Join(write(teller(out)), out.Flush())
	})
}

// teller returns a function that writes the rows that do not simply pass to w.
func teller(w io.Writer) func(*samples.Truth) error {
	enc := json.NewEncoder(w)
	return func(t *samples.Truth) error {
		if t.Fate == samples.Valid && len(t.Problems) == 0 {
			return nil
		}
		return enc.Encode(t)
	}
}

func (j *job) writeMapping() error {
	if j.mapping == "" {
		return nil
	}
	data, err := samples.Mappings.ReadFile("externalclientcontactperson/mapping.yaml")
	if err != nil {
		return err
	}
	return os.WriteFile(j.mapping, data, 0o644)
}

// create has write fill the file called name.
func create(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}
