package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/run"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// The exit codes. Where several hold, the first of 2, 130, 4, 5, 3, 1, 0 counts.
const (
	exitDone        = 0
	exitRejects     = 1
	exitUsage       = 2
	exitMaxRejects  = 3
	exitFatal       = 4
	exitUncertain   = 5
	exitInterrupted = 130
)

// usage returns err as an error of how flytt was asked, with a hint.
func usage(err error, hint string) error { return advice.Usage(err, hint) }

// usagef is usage with a formatted text.
func usagef(hint, format string, args ...any) error { return advice.Usagef(hint, format, args...) }

// unusable says that what err is about cannot be used as it was asked for, unless
// the disk is to blame for that: then it is err.
func unusable(err error) error { return run.Unusable(err) }

// shownError is an error that was told to the user already.
type shownError struct {
	err  error
	code int
}

func (e *shownError) Error() string { return e.err.Error() }
func (e *shownError) Unwrap() error { return e.err }

// nextError is an error that knows the command to run next.
type nextError struct {
	err  error
	next step
}

func (e *nextError) Error() string { return e.err.Error() }
func (e *nextError) Unwrap() error { return e.err }

// then returns err, which may be nil, with the command to run once it is seen to,
// unless it has one or was told to the user already.
func then(err error, command string) error {
	var shown *shownError
	var told *nextError
	var advised *advice.NextError
	if err == nil || errors.As(err, &shown) || errors.As(err, &told) || errors.As(err, &advised) {
		return err
	}
	next := step{command: command}
	if joinedExit(err) == exitUsage {
		next.before = "see to what is named above"
	}
	return &nextError{err, next}
}

// exitCode returns the exit code that err alone asks for.
func exitCode(err error) int {
	var (
		used   *advice.UsageError
		unsure *advice.UncertainError
		source *sources.Error
		sink   *pipeline.UsageError
		file   *mappings.FileError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &used), errors.As(err, &sink), errors.As(err, &file):
		return exitUsage
	case errors.Is(err, pipeline.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &source) && source.Usage:
		return exitUsage
	case errors.As(err, &unsure):
		return exitUncertain
	case errors.Is(err, pipeline.ErrMaxRejects):
		return exitMaxRejects
	}
	return exitFatal
}

// severity has the exit codes in the order in which they count.
var severity = []int{exitUsage, exitInterrupted, exitFatal, exitUncertain, exitMaxRejects, exitRejects, exitDone}

// joinedExit returns the exit code that counts of all the errors joined in err.
func joinedExit(err error) int {
	if told, ok := err.(*nextError); ok {
		return joinedExit(told.err)
	}
	if advised, ok := err.(*advice.NextError); ok {
		return joinedExit(advised.Err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return exitCode(err)
	}
	code := exitDone
	for _, each := range joined.Unwrap() {
		code = moreSevere(code, joinedExit(each))
	}
	return code
}

func moreSevere(a, b int) int {
	if slices.Index(severity, a) < slices.Index(severity, b) {
		return a
	}
	return b
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

// runExit returns the exit code of a run that ended with err after counts.
func runExit(err error, counts pipeline.Counts) int {
	code := joinedExit(err)
	if counts.InDoubt > 0 {
		code = moreSevere(code, exitUncertain)
	}
	if counts.Rejected > 0 {
		code = moreSevere(code, exitRejects)
	}
	return code
}

// hinter is an error that knows what to do about it.
type hinter interface{ Hint() string }

// split returns the message of err and its hint, as they are shown: with commands in
// words, and paths that are in full in the shortest form.
func split(err error) (message, hint string) {
	message, hint = unshown(err)
	var advised *advice.NextError
	if errors.As(err, &advised) {
		hint = strings.ReplaceAll(hint, advice.CommandMark, commandText(advised.Next.Command))
	}
	return advice.ShowPaths(message, err, shorten), advice.ShowPaths(hint, err, shorten)
}

// commandText returns c, which is not the command that was given, as a shell wants it.
func commandText(c advice.Command) string {
	args := append([]string{"flytt"}, strings.Fields(c.Verb)...)
	for _, path := range []string{c.Run, c.File} {
		if path != "" {
			args = append(args, shorten(path))
		}
	}
	if c.Mapping != "" {
		args = append(args, "-m", shorten(c.Mapping))
	}
	return join(append(args, c.Args...))
}

// unshown returns the text of err without its hint, and the hint. Errors of some
// packages carry the hint in their text, on a line of its own.
func unshown(err error) (message, hint string) {
	message = err.Error()
	if before, after, ok := strings.Cut(message, "\nhint: "); ok && !strings.Contains(after, "\n") {
		return before, after
	}
	var source *sources.Error
	if errors.As(err, &source) {
		return message, source.Hint
	}
	var h hinter
	if errors.As(err, &h) {
		return message, h.Hint()
	}
	return message, ""
}

// hintOf returns the hint of err; empty if it has none.
func hintOf(err error) string {
	if err == nil {
		return ""
	}
	_, hint := split(err)
	return hint
}

// explain tells the user of err.
func (a *app) explain(err error) { a.tell(split(err)) }

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
