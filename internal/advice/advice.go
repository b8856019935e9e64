// Package advice describes what a person can do next, as data: errors that say what to
// change, and the command to run. The caller that shows it to the person puts it into
// words, shortens paths and quotes arguments for a shell.
package advice

import (
	"errors"
	"strings"
)

// Step is what to do next. The zero Step is nothing.
type Step struct {
	Before  Task // what to do first; zero: nothing
	Command Command
}

// IsZero reports whether nothing is to be done.
func (s Step) IsZero() bool { return s.Before == Task{} && s.Command.IsZero() }

// Command is a command of flytt. Its words stand in the order of the fields. The zero
// Command is none.
type Command struct {
	Same    bool     // the command that was given, as it was given: Verb is empty then
	NewDir  bool     // of Same: with a run directory of its own
	Verb    string   // such as import, or runs show
	Run     string   // the run that it is about: its id, or the path of its directory in full
	File    string   // that it reads
	Mapping string   // file of the mapping
	Args    []string // flags and their values
}

// IsZero reports whether there is no command.
func (c Command) IsZero() bool { return !c.Same && c.Verb == "" }

// Words returns the words of c, as args of a shell. Of a command that is the Same they are
// those that are added to it.
func (c Command) Words() []string {
	var words []string
	if c.Verb != "" {
		words = append([]string{"flytt"}, strings.Fields(c.Verb)...)
	}
	for _, word := range []string{c.Run, c.File} {
		if word != "" {
			words = append(words, word)
		}
	}
	if c.Mapping != "" {
		words = append(words, "-m", c.Mapping)
	}
	return append(words, c.Args...)
}

// String returns c as a command line for a shell, with everything named in full.
func (c Command) String() string {
	if c.Same {
		return strings.TrimSpace("the same command " + Join(c.Words()))
	}
	return Join(c.Words())
}

// Join returns args as a command line for a shell.
func Join(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = Quote(a)
	}
	return strings.Join(quoted, " ")
}

// Quote returns s as a shell wants it.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,%+@åäöÅÄÖ", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// CommandMark stands in a hint for the command of the step that comes with it.
const CommandMark = "{command}"

// UsageError is something that cannot work as it was asked for, found before any row
// was read.
type UsageError struct {
	Err    error
	Advice string // what to do about it: a sentence without a full stop, or empty
}

// Usage returns err as a UsageError with a hint.
func Usage(err error, hint string) error { return &UsageError{Err: err, Advice: hint} }

// Usagef returns a UsageError with a hint, and a text as Errorf makes it.
func Usagef(hint, format string, args ...any) error {
	return &UsageError{Err: Errorf(format, args...), Advice: hint}
}

// Error returns what is wrong.
func (e *UsageError) Error() string { return e.Err.Error() }

// Hint says what to do about it.
func (e *UsageError) Hint() string { return e.Advice }

// Unwrap returns what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }

// UncertainError ends a run of which it is not known whether it is complete.
type UncertainError struct {
	Err    error
	Advice string
}

// Error returns what is not certain.
func (e *UncertainError) Error() string { return e.Err.Error() }

// Hint says what to do about it.
func (e *UncertainError) Hint() string { return e.Advice }

// Unwrap returns what is not certain.
func (e *UncertainError) Unwrap() error { return e.Err }

// NextError is an error that knows what to do next.
type NextError struct {
	Err  error
	Next Step
}

// Error returns what is wrong.
func (e *NextError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *NextError) Unwrap() error { return e.Err }

// Then returns err, which may be nil, with what to do next, unless it knows that
// already.
func Then(err error, next Step) error {
	var known *NextError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &NextError{Err: err, Next: next}
}

// HintOf returns the hint of err; empty if it has none.
func HintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
