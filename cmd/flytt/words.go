package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/record"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/pipeline"
)

// words returns c as a shell wants it: paths in the shortest form, and as it was typed
// where it is the command that was given.
func (a *app) words(c advice.Command) string {
	if c.Same {
		return a.typed(c.NewDir, c.Args...)
	}
	c.Run, c.File, c.Mapping = shorten(c.Run), shorten(c.File), shorten(c.Mapping)
	return c.String()
}

// typed is the command as it was typed, with more arguments. A run directory cannot be
// used twice: with newDir it is left out.
func (a *app) typed(newDir bool, more ...string) string {
	args := []string{"flytt"}
	for i := 0; i < len(a.args); i++ {
		switch {
		case newDir && a.args[i] == "--run-dir":
			i++
		case newDir && strings.HasPrefix(a.args[i], "--run-dir="):
		default:
			args = append(args, a.args[i])
		}
	}
	return advice.Join(append(args, more...))
}

// sayNext prints what to do and the command for it, which is the last line.
func (a *app) sayNext(s advice.Step) { a.sayCommand(s.Before, a.words(s.Command)) }

// sayCommand is sayNext for a command in words.
func (a *app) sayCommand(before, command string) {
	if before != "" {
		a.say("\nnext: %s, then\n", before)
	} else {
		a.say("\nnext:\n")
	}
	a.say("  %s\n", command)
}

// shorten returns path relative to the working directory where that is shorter.
func shorten(path string) string {
	if !filepath.IsAbs(path) {
		return path
	}
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err == nil && strings.HasPrefix(rel, "-") {
		rel = "." + string(filepath.Separator) + rel // or it would be taken for a flag
	}
	if err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// errReaderGone says that whoever read stdout has had enough.
var errReaderGone = errors.New("broken pipe")

func readerGone(err error) bool { return errors.Is(err, errReaderGone) }

func stdoutError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("stdout: %w", errReaderGone)
	}
	return fmt.Errorf("stdout: %w", osfile.Cause(err))
}

// codes returns every code there is, in the order of the stages.
func codes() []pipeline.CodeInfo { return slices.Concat(run.Codes(), record.Codes) }

// meaning returns what a code stands for, as a short phrase.
func meaning(code pipeline.Code) string {
	for _, c := range record.Codes {
		if c.Code == code {
			return c.Meaning
		}
	}
	return run.Meaning(code)
}

// printJSONFailure prints a summary that holds nothing but err: what --json
// gives when the run could not begin.
func (a *app) printJSONFailure(w io.Writer, verb string, err error, next string) error {
	s := report.NewSummary(verb)
	message, hint := a.split(err)
	s.Exit, s.Error, s.Next = run.ExitCode(err), &report.Failure{Message: message, Hint: hint, Next: next}, next
	data, jsonErr := s.JSON()
	if jsonErr != nil {
		return jsonErr
	}
	_, writeErr := w.Write(data)
	return writeErr
}
