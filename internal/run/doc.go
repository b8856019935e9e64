// Package run carries out runs. A Spec is what a run is asked to do, as plain data. Each
// kind of run (Validate, Import, Convert, Export, Plan, Apply, Verify, Undo, Resume, Retry)
// is a function that takes a context, a Spec and an Observer, and returns a Result. The
// files that runs leave on disk are read by internal/runs.
//
// The package never prints, and reads no flags, no environment and no terminal: notes,
// progress and questions go through the Observer. Its errors carry advice as data
// (internal/advice), with paths in full. One process can carry out several runs at the
// same time, each in a run directory of its own.
package run
