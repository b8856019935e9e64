// Package run does runs. A Spec is what a run is asked to do, as plain data. Each kind of
// run (Validate, Import, Convert, Export, Plan, Apply, Verify, Undo, Resume, Retry) is a
// function that takes a context, a Spec and an Observer, and returns a Result. What runs
// left behind is read by internal/runs.
//
// The package never prints, and reads no flags, no environment and no terminal: notes,
// progress and questions go through the Observer. Its errors carry advice as data
// (internal/advice), with paths in full. Two runs with directories of their own can be
// done at once in one process.
package run
