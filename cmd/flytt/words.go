package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/sources"
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
func (a *app) sayNext(s advice.Step) { a.sayCommand(taskText(s.Before), a.words(s.Command)) }

// taskText is a task in words; empty if there is none.
func taskText(t advice.Task) string { return text.Task(string(t.Name), t.File) }

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

// printJSONFailure prints a summary that holds nothing but err: what --json
// gives when the run could not begin.
func (a *app) printJSONFailure(verb string, err error, next string) error {
	s := report.NewSummary(verb)
	message, hint := a.split(err)
	s.Exit, s.Error, s.Next = run.ExitCode(err), &report.Failure{Message: message, Hint: hint, Next: next}, next
	data, jsonErr := s.JSON()
	return printBytes(a.stdout, data, jsonErr)
}

// The exit codes. Where several hold, the first of 2, 130, 4, 5, 3, 1, 0 counts.
const (
	exitDone        = report.ExitDone
	exitRejects     = report.ExitRejects
	exitUsage       = report.ExitUsage
	exitMaxRejects  = report.ExitMaxRejects
	exitFatal       = report.ExitFatal
	exitUncertain   = report.ExitUncertain
	exitInterrupted = report.ExitInterrupted
)

// usage returns err as an error of how flytt was asked, with a hint.
func usage(err error, hint string) error { return advice.Usage(err, hint) }

func usagef(hint, format string, args ...any) error { return advice.Usagef(hint, format, args...) }

// shownError is an error that was already shown to the user.
type shownError struct {
	err  error
	code int
}

func (e *shownError) Error() string { return e.err.Error() }
func (e *shownError) Unwrap() error { return e.err }

// thenSame returns err, which may be nil, with the command that was given as the one to
// run once the cause is fixed, unless it has another or was already shown to the user.
func thenSame(err error) error {
	var shown *shownError
	if err == nil || errors.As(err, &shown) {
		return err
	}
	next := advice.Step{Command: advice.Command{Same: true}}
	if run.ExitCode(err) == exitUsage {
		next.Before = advice.Task{Name: advice.SeeAbove}
	}
	return advice.Then(err, next)
}

// inFile reports whether err is a fault within a file that can be fixed: the
// input or the mapping.
func inFile(err error) bool {
	var (
		source *sources.Error
		file   *mappings.FileError
	)
	return errors.As(err, &source) && !source.Usage || errors.As(err, &file) && file.Line > 0
}

// split returns the message of err and its hint, as they are shown: with commands in
// words, and paths that are in full in the shortest form.
func (a *app) split(err error) (message, hint string) {
	message, hint = run.Explain(err)
	var advised *advice.NextError
	if errors.As(err, &advised) {
		hint = strings.ReplaceAll(hint, advice.CommandMark, a.words(advised.Next.Command))
	}
	return advice.ShowPaths(message, err, shorten), advice.ShowPaths(hint, err, shorten)
}

func (a *app) explain(err error) { a.tell(a.split(err)) }

// tell prints what is wrong and what to do about it.
func (a *app) tell(message, hint string) {
	a.say("flytt: %s\n", message)
	if hint != "" {
		a.say("hint: %s\n", hint)
	}
}

// say writes to stderr, where nothing can be done about a failure.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, format, args...)
}

// delimiterNames has the usual delimiters as a person calls them.
var delimiterNames = map[string]string{";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars", "": "a single column"}

// describe says how an input is read.
func describe(i *sources.Info) string {
	parts := []string{formatName(i)}
	if i.Sheet != "" {
		parts = append(parts, "sheet "+i.Sheet)
	}
	if i.Encoding != "" {
		parts = append(parts, encodingOf(i))
	}
	if delimited(i) {
		parts = append(parts, cmp.Or(delimiterNames[i.Delimiter], "delimiter "+i.Delimiter))
	}
	if i.HeaderRow > 0 {
		parts = append(parts, "header on "+headerPlace(i))
	}
	return strings.Join(parts, ", ")
}

// formatName is the format as a person calls it, and how it is compressed.
func formatName(i *sources.Info) string {
	name := run.FormatName(i)
	if i.IsRejectsFile {
		name = "rejects file of flytt"
	}
	if i.Compression != "" {
		name += " in " + i.Compression
	}
	return name
}

func encodingOf(i *sources.Info) string {
	if i.Evidence == "" {
		return i.Encoding
	}
	return i.Encoding + " (" + i.Evidence + ")"
}

// delimited reports whether something stands between the cells of the input.
func delimited(i *sources.Info) bool { return i.Format == "csv" }

// headerPlace names the row that the header is on.
func headerPlace(i *sources.Info) string {
	if i.Sheet != "" {
		return fmt.Sprintf("row %d", i.HeaderRow)
	}
	return fmt.Sprintf("line %d", i.HeaderRow)
}
