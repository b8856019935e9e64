package main

import (
	"errors"
	"fmt"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/run"
	"flytt/mappings"
	"flytt/sources"
)

// The exit codes. Where several hold, the first of 2, 130, 4, 5, 3, 1, 0 counts.
const (
	exitDone        = run.ExitDone
	exitRejects     = run.ExitRejects
	exitUsage       = run.ExitUsage
	exitMaxRejects  = run.ExitMaxRejects
	exitFatal       = run.ExitFatal
	exitUncertain   = run.ExitUncertain
	exitInterrupted = run.ExitInterrupted
)

// usage returns err as an error of how flytt was asked, with a hint.
func usage(err error, hint string) error { return advice.Usage(err, hint) }

// usagef is usage with a formatted text.
func usagef(hint, format string, args ...any) error { return advice.Usagef(hint, format, args...) }

// shownError is an error that was told to the user already.
type shownError struct {
	err  error
	code int
}

func (e *shownError) Error() string { return e.err.Error() }
func (e *shownError) Unwrap() error { return e.err }

// thenSame returns err, which may be nil, with the command that was given as the one to
// run once it is seen to, unless it has another or was told to the user already.
func thenSame(err error) error {
	var shown *shownError
	if err == nil || errors.As(err, &shown) {
		return err
	}
	next := advice.Step{Command: advice.Command{Same: true}}
	if run.ExitCode(err) == exitUsage {
		next.Before = "see to what is named above"
	}
	return advice.Then(err, next)
}

// inFile reports whether err is a fault within a file that can be mended: the
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

// explain tells the user of err.
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
