package pipeline

import "context"

// Fate is what became of a row.
type Fate uint8

const (
	Pending   Fate = iota // in progress: valid so far and not yet sent
	Skipped               // left out by the mapping's where, or because the user wanted it
	Rejected              // not accepted, with at least one Problem of severity Error
	Written               // the sink has it: the API's answer, or a later read, showed it
	Unchanged             // the sink already had an equal one
	InDoubt               // sent, and it is not known whether it arrived
	NotSent               // never sent, because the run stopped first
	Broken                // could not be decoded completely; Rejected after the steps
	Updated               // the sink had it before and holds the changed one now; counts as Written
	Existing              // the sink has one with its key and other values, which must not be changed; counts as Skipped
)

var fateNames = [...]string{"pending", "skipped", "rejected", "written", "unchanged", "in_doubt", "not_sent", "broken", "updated", "existing"}

// String returns the fate as the summary names it.
func (f Fate) String() string { return fateNames[f] }

// Encoded is rows in the form of a sink, one after another in Data. Row i of the batch
// is Data[Ends[i-1]:Ends[i]], which is empty for rows that are not Pending.
type Encoded struct {
	Data []byte
	Ends []uint32
}

// Reset empties e and keeps its buffers.
func (e *Encoded) Reset() { e.Data, e.Ends = e.Data[:0], e.Ends[:0] }

// EndRow marks the end of the next row at the end of Data.
func (e *Encoded) EndRow() { e.Ends = append(e.Ends, uint32(len(e.Data))) }

// AppendPending appends the pending rows of b, each as appendRow encodes it.
func (e *Encoded) AppendPending(b *Batch, appendRow func(dst []byte, b *Batch, row int) []byte) {
	for row, fate := range b.Fates {
		if fate == Pending {
			e.Data = appendRow(e.Data, b, row)
		}
		e.EndRow()
	}
}

// Item returns the encoded form of row i, empty if it has none.
func (e *Encoded) Item(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = e.Ends[i-1]
	}
	return e.Data[start:e.Ends[i]]
}

// Chunk is rows on their way to a sink, in input order: the pending ones with their
// encoded form, and the rejected or skipped ones between them, so that a chunk is an
// unbroken stretch of the input. If rows are gathered from several blocks, Fields is
// empty: only their encoded form is left.
type Chunk struct {
	Seq int64 // 0, 1, 2, … in input order; the same input and limits give the same chunks
	Batch
	Encoded
	IDs Column // the API's id of each written row; empty, or one entry per row
}

// SetPending gives every row that is still Pending the given fate and returns how many
// rows that were.
func (c *Chunk) SetPending(fate Fate) int {
	n := 0
	for i, f := range c.Fates {
		if f == Pending {
			c.Fates[i] = fate
			n++
		}
	}
	return n
}

// Pending returns how many rows are still Pending.
func (c *Chunk) Pending() int {
	n := 0
	for _, f := range c.Fates {
		if f == Pending {
			n++
		}
	}
	return n
}

// Sink is where rows go. Where one Chunk at a time is in flight (files), Write
// is called in input order from one goroutine; where more are (the API), it is
// called concurrently with different chunks and in no order.
//
// A sink with a write-ahead journal records what it is about to send before it
// does, and the fates after it. On a replay it settles the rows that the journal
// knows, resolves those that it has in doubt, and sends only what is still Pending.
type Sink interface {
	// Encoder returns an encoder for the use of one goroutine.
	Encoder() Encoder

	// Write sends the Pending rows of c and returns when the fate of each is
	// known: it sets Fates to Written, Updated, Unchanged, Skipped, Existing, Rejected (with Note),
	// InDoubt or NotSent. Rows that are not Pending stay as they are. An error means
	// that the run cannot continue (credentials, disk); the fates that are set stay
	// valid, and rows left Pending were not sent. When ctx ends, Write returns soon,
	// with the rows that may have arrived InDoubt; a sink that only waits, before
	// it sends something, stops waiting when the run is drained (it is given what
	// Run.Drain is) and returns ErrInterrupted.
	Write(ctx context.Context, c *Chunk) error

	// Commit makes what was written final. It is called once, after the last
	// Write, and only if the whole input went through.
	Commit(ctx context.Context) error

	// Abort removes what can be removed and releases the sink. It reports
	// whether the rows written are gone (a file that never got its name) or stand
	// (the API). It is called once if Commit was not, or failed.
	Abort() (undone bool, err error)
}

// Encoder turns the Pending rows of a batch into the sink's form.
type Encoder interface {
	// Encode appends to the empty e one entry for each row of b, empty for rows
	// that are not Pending. It may turn a row away that the sink cannot hold, with
	// b.Note and an empty entry. An error is one of the sink as a whole.
	Encode(b *Batch, e *Encoded) error
}
