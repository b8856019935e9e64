// Package runs reads the runs that there are. A Store is where runs are: a directory in
// which each run has its own. A Record is what such a directory tells of its run: its spec,
// its journal, its summary, the lists of its rows. A Group is a run with those that belong
// to it (retries, undo, verify), whose account has each row of the input once. What a
// person does next with a run, resume it, retry what it rejected, or delete it, follows
// from these.
//
// The package never prints, and reads no flags, no environment and no terminal. Its
// errors carry advice as data (internal/advice), with paths in full.
package runs
