package run

import (
	"fmt"
	"log/slog"
	"time"

	"flytt/internal/advice"
	"flytt/internal/drain"
	"flytt/internal/report"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// Observer receives what a run reports, and answers its questions. Each field can be left
// out. A run calls its functions from one goroutine at a time; runs that share an Observer
// may call them at the same time.
type Observer struct {
	Started  func() // all is prepared: from here on an end in order makes sense
	Progress func(Progress)
	Note     func(Note)

	// Ask answers a question with yes or no. Its error ends the run before anything is
	// written. Without it the answer is yes.
	Ask func(Question) (yes bool, err error)

	// Command puts a command into words, and Path a path. Without them a command names
	// everything in full, and a path is as it is.
	Command func(advice.Command) string
	Path    func(string) string

	// Log gets the lines of the log of the run, which has them all itself.
	Log slog.Handler
	// LogEvery is how often progress is logged; 0: never.
	LogEvery time.Duration

	// Drain is closed to end the run in an orderly way: what is under way is finished.
	// The end of the context ends it at once.
	Drain *drain.Gate
}

// Progress is how far a pass over the input has got.
type Progress struct {
	pipeline.Progress
	Size    int64 // of the input, in bytes; below 0: not known
	Started time.Time
	Verb    string
	Over    bool // the pass is: nothing more is told of it
}

// Note is something a person may want to know while a run goes on. It is one of
// MappingGuessed, InputOpened, Remark and DoubtsLookedUp.
type Note interface{ note() }

type (
	// MappingGuessed has the mapping that was guessed from the headers.
	MappingGuessed struct {
		Mapping []byte // as a file
		Guesses []mappings.Guess
	}
	// InputOpened says how the input is read.
	InputOpened struct {
		File string
		Info *sources.Info
	}
	// Remark is a sentence about the run.
	Remark string
	// DoubtsLookedUp says that rows in doubt will be looked up when the API no longer works
	// on them.
	DoubtsLookedUp struct {
		Rows   int64
		Settle time.Duration
	}
)

func (MappingGuessed) note() {}
func (InputOpened) note()    {}
func (Remark) note()         {}
func (DoubtsLookedUp) note() {}

// Question is what is asked before rows are written to an API that is not on this
// machine.
type Question struct {
	Verb    string       // of the run
	Changes bool         // records are changed, and none is made
	File    string       // of the rows
	Run     string       // path of the run that an undo reverts, or of the plan that is applied
	Plan    *report.Plan // of apply: what it does; nil: it does not say
	Tenant  string
	Host    string
}

// withDefaults returns o with functions that do nothing, or as little as they can, where it
// has none.
func (o Observer) withDefaults() *Observer {
	if o.Started == nil {
		o.Started = func() {}
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Note == nil {
		o.Note = func(Note) {}
	}
	if o.Ask == nil {
		o.Ask = func(Question) (bool, error) { return true, nil }
	}
	if o.Command == nil {
		o.Command = advice.Command.String
	}
	if o.Path == nil {
		o.Path = func(path string) string { return path }
	}
	return &o
}

// agreed asks q, and returns an error unless it was answered with yes.
func (o *Observer) agreed(q Question) error {
	yes, err := o.Ask(q)
	switch {
	case err != nil:
		return fmt.Errorf("%w: nothing was written", err)
	case !yes:
		return advice.Usagef("add --yes", "nothing was written: the answer was not yes")
	}
	return nil
}
