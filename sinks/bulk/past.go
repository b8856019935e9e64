package bulk

import (
	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/journal"
	"flytt/pipeline"
)

// PriorRun is what a run that is over has on record. A *journal.Journal is one.
type PriorRun interface {
	// Find returns what is known of a chunk; nil, nil if that is nothing.
	Find(seq int64) (*journal.Entry, error)

	// Images returns what the records of a chunk held before it changed them, oldest
	// first.
	Images(seq int64) ([]journal.Image, error)
}

// priorEncoder encodes rows as the run did. The rows that it rejected are none of
// the business of who looks back: they are Skipped, and nothing is said of them.
type priorEncoder struct{ pipeline.Encoder }

// Encode appends the rows of b that were sent to e.
func (x priorEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	if err := x.Encoder.Encode(b, e); err != nil {
		return err
	}
	for i, fate := range b.Fates {
		if fate == pipeline.Rejected || fate == pipeline.Broken {
			b.Fates[i] = pipeline.Skipped
		}
	}
	b.Problems = b.Problems[:0]
	return nil
}

// wrote reports whether a row with this fate has a record that holds it.
func wrote(fate pipeline.Fate) bool {
	return fate == pipeline.Written || fate == pipeline.Updated || fate == pipeline.Unchanged
}

// current is a record as it is now.
type current struct {
	record jsontext.Value // nil: it is not there
	id     string         // of it, or of the one that was there
	many   bool           // several records have the row's key
	blind  bool           // the row has no id, and nothing is found by its key
	unread bool           // and that is because the list by key could not be read
}
