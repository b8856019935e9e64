package advice

import (
	"fmt"
	"slices"
	"strings"
)

// Path is a file or directory that a message names, in full.
type Path string

// Errorf is fmt.Errorf that remembers which of args are a Path: ShowPaths changes them.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	var paths []string
	for _, arg := range args {
		if path, ok := arg.(Path); ok {
			paths = append(paths, string(path))
		}
	}
	if len(paths) == 0 {
		return err
	}
	return &pathError{err, paths}
}

// pathError is an error whose message names paths.
type pathError struct {
	err   error
	paths []string
}

func (e *pathError) Error() string { return e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

// NamedPaths returns the paths that the message names.
func (e *pathError) NamedPaths() []string { return e.paths }

// ShowPaths returns text, the message of err or its hint, with the paths that err names
// as show has them. An error names paths by a method NamedPaths.
func ShowPaths(text string, err error, show func(path string) string) string {
	paths := namedBy(err)
	slices.SortFunc(paths, func(a, b string) int { return len(b) - len(a) }) // the one within another first
	for _, path := range paths {
		if shown := show(path); shown != path {
			text = strings.ReplaceAll(text, path, shown)
		}
	}
	return text
}

// namedBy returns the paths that err and what it wraps name.
func namedBy(err error) (paths []string) {
	if e, ok := err.(interface{ NamedPaths() []string }); ok {
		paths = append(paths, e.NamedPaths()...)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		paths = append(paths, namedBy(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			paths = append(paths, namedBy(inner)...)
		}
	}
	return paths
}
