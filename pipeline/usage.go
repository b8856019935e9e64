package pipeline

import "fmt"

// UsageError is an input or an output that cannot be what is asked of it. It is found
// before any row is read.
type UsageError struct {
	Place string // the path as it was given, or stdout
	Cause string
	Hint  string // what to do about it; may be empty
	Err   error  // what the system said; may be nil
}

// Error returns place and cause, and the hint on a line of its own.
func (e *UsageError) Error() string {
	msg := e.Place + ": " + e.Cause
	if e.Err != nil {
		msg = fmt.Sprintf("%s: %v", msg, e.Err)
	}
	if e.Hint != "" {
		msg += "\nhint: " + e.Hint
	}
	return msg
}

// Unwrap returns what the system said.
func (e *UsageError) Unwrap() error { return e.Err }
