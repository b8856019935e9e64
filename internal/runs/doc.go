// Package runs reads the runs that exist on disk. A Store is a directory that holds the
// directories of runs. A Record is what such a run directory says about its run: its spec,
// its journal, its summary, the lists of its rows. A Group is a run with the runs that
// belong to it (retries, undo, verify); its account counts each row of the input once. From
// these the package finds what a person can do next with a run: resume it, retry its
// rejects, or delete it.
//
// The package never prints, and reads no flags, no environment and no terminal. Its
// errors carry advice as data (internal/advice), with paths in full.
package runs
