package sinks

import (
	"flytt/internal/journal"
)

// Journal is the durable record of what was sent and what became of it. A
// *journal.Journal is one. It is for concurrent use; an error of it stops the
// run: nothing is sent that is not on record.
type Journal interface {
	// Find returns what is known of a chunk; nil, nil if that is nothing.
	Find(seq int64) (*journal.Entry, error)

	// Plan notes which rows a chunk is.
	Plan(c journal.Chunk) error

	// Sending notes, durably when it returns, that rows of a chunk, by their indices
	// in it, are about to be sent, and what the records they change hold.
	Sending(seq int64, rows []int32, image []byte) error

	// Settle notes what became of the rows of a chunk, in place of all that was known
	// of them before.
	Settle(seq int64, s journal.Settlement) error

	// Digest returns a keyed digest of data.
	Digest(data ...[]byte) []byte

	// Sum returns a short keyed digest of data, never 0.
	Sum(data []byte) uint64
}

// Resolvable reports whether rows that are in doubt could be settled by another
// pass over the input: they have a key that can be looked up, which is not that
// of other rows, or change records that can be read.
func (s *Bulk) Resolvable() bool {
	return s.options.Journal != nil && s.resolvable.Load()
}
