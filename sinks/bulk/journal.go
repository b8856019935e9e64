package bulk

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/pipeline"
)

// A sink with a journal keeps to these terms, besides those of the bulk sink:
//
//   - No byte of a row is sent before the journal has it, durably, that it is.
//   - A row whose fate the journal knows is not looked at again: its fate, its id
//     and what was said of it come from there. What is written of a row by a pass
//     that finds it in the journal is what was written by the pass that settled it.
//   - A row that the journal leaves in doubt is looked up, once the API cannot be
//     working on it any more: see bulk_recall_lookup.go. It is sent again only if two reads
//     that show a record known to be there do not show it.
//   - What cannot be looked up stays in doubt for ever.

// Journal is the durable record of what was sent and what became of it. A
// *journal.Journal is one. It is for concurrent use and keeps nothing it is
// given. An error of it stops the run: nothing is sent that is not on record.
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

	// Images returns what was noted that the records of a chunk held, oldest first.
	Images(seq int64) ([]journal.Image, error)

	// Digest returns a keyed digest of data.
	Digest(data ...[]byte) []byte

	// Sum returns a short keyed digest of data, never 0.
	Sum(data []byte) uint64
}

// cleared returns a slice of n zeros, in s if there is room.
func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// changedInputError stops a run that goes over another input than it did before.
type changedInputError struct {
	seq         int64
	first, last int64
}

func (e *changedInputError) Error() string {
	return fmt.Sprintf("chunk %d, rows %d to %d: not what the journal of the run has: the input or the mapping has changed", e.seq, e.first, e.last)
}

// Hint says what to do about it.
func (e *changedInputError) Hint() string {
	return "go on with the files that the run began with; nothing of the chunk was sent"
}

// plan returns which rows the chunk is.
func (w *write) plan() journal.Chunk {
	c := w.rows.chunk
	numbers := w.numbers[:0]
	for i, number := range c.Rows {
		numbers = binary.LittleEndian.AppendUint64(numbers, uint64(number))
		numbers = binary.LittleEndian.AppendUint32(numbers, c.Ends[i])
	}
	w.numbers = numbers
	return journal.Chunk{
		Seq: c.Seq, First: c.Rows[0], Last: c.Rows[c.Len()-1], Rows: c.Len(),
		Digest: w.engine.options.Journal.Digest(numbers, c.Data),
	}
}

// announce has the journal note that rows are about to be sent, and image, unless
// the journal has that already.
func (w *write) announce(rows []int32, image []byte) error {
	j := w.engine.options.Journal
	if j == nil {
		return nil
	}
	fresh := w.fresh[:0]
	for _, row := range rows {
		if !w.announced[row] {
			fresh = append(fresh, row)
		}
	}
	w.fresh = fresh
	if len(fresh) == 0 && image == nil {
		return nil
	}
	slices.Sort(fresh)
	if err := j.Sending(w.rows.chunk.Seq, fresh, image); err != nil {
		return err
	}
	for _, row := range fresh {
		w.announced[row] = true
	}
	return nil
}

// settle has the journal note what became of the rows. Those that are Pending
// are known not to have been written.
func (w *write) settle() error {
	if w.engine.options.Journal == nil {
		return nil
	}
	w.restoreKept()
	w.keepWitness()
	w.openEnds()
	return w.record(w.rows.chunk.Problems[w.rows.before:])
}

// checkpoint has the journal note what became of the rows that were sent so far, so
// that only those of the next request are in doubt if the process ends during it.
func (w *write) checkpoint() error {
	if w.engine.options.Journal == nil || !slices.Contains(w.announced, true) {
		return nil
	}
	w.rows.giveIDs()
	problems := w.rows.chunk.Problems[w.rows.before:len(w.rows.chunk.Problems):len(w.rows.chunk.Problems)]
	for i := range w.kept {
		if w.stillSaid(&w.kept[i]) {
			problems = append(problems, w.kept[i])
		}
	}
	clear(w.announced)
	return w.record(problems)
}

// record has the journal note what became of the rows, and problems, which were said of
// them.
func (w *write) record(problems []pipeline.Problem) error {
	c := w.rows.chunk
	n := notes{problems: problems, excused: indicesOf(w.rows.downgraded), stored: w.storage.stored, loose: w.loose}
	for _, s := range w.storage.unshown {
		n.unshown = append(n.unshown, s.row)
		if !s.read {
			n.unread = append(n.unread, s.row)
		}
	}
	s := journal.Settlement{Fates: c.Fates, IDs: c.IDs, Sums: w.sums}
	if w.notes = n.append(w.notes[:0]); len(w.notes) > 0 {
		s.Notes = w.notes
	}
	return w.engine.options.Journal.Settle(c.Seq, s)
}

// indicesOf returns where set is true.
func indicesOf(set []bool) (out []int32) {
	for i, is := range set {
		if is {
			out = append(out, int32(i))
		}
	}
	return out
}

// openEnds sees whether another pass may settle what is in doubt.
func (w *write) openEnds() {
	if w.engine.resolvable.Load() || !slices.Contains(w.rows.chunk.Fates, pipeline.InDoubt) {
		return
	}
	creates, changes := w.partDoubtful(w.allDoubtful())
	if len(w.rows.findable(creates)) > 0 || len(changes) > 0 {
		w.engine.resolvable.Store(true)
	}
}

// keepWitness keeps the key of a row that is known to be in the API, to prove by
// that the list is not blind.
func (w *write) keepWitness() {
	s := w.engine
	if !s.options.KeyLookup || s.witness.Load() != nil {
		return
	}
	if key := w.witness(); key != "" {
		s.witness.CompareAndSwap(nil, &anchor{key})
	}
}

// allDoubtful returns the rows in doubt, but for those that will stay so.
func (w *write) allDoubtful() (rows []int32) {
	for i, fate := range w.rows.chunk.Fates {
		if fate == pipeline.InDoubt && !w.closed[i] {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// witness returns the key of a row that is known to be in the API, or "".
func (w *write) witness() string {
	for i, fate := range w.rows.chunk.Fates {
		key := w.rows.key(int32(i))
		switch fate {
		case pipeline.Written:
			if api.Lookupable(key) && !w.storage.rekeyed(int32(i)) && w.engine.forms.trusts(key) {
				return string(key)
			}
		case pipeline.Updated, pipeline.Unchanged:
			if api.Lookupable(key) {
				return string(key)
			}
		}
	}
	return ""
}

// noteChanged keeps it that the record of a row is being changed.
func (w *write) noteChanged(c *change) {
	if w.changed == nil {
		w.changed = map[int32]Before{}
	}
	w.changed[c.row] = Before{Row: c.row, ID: c.id}
}

// settleLeft returns how long the API may still be working on what an earlier
// pass sent.
func (e *engine) settleLeft() time.Duration { return e.options.Settle - time.Since(e.began) }

// Resolvable reports whether rows that are in doubt could be settled by another
// pass over the input: they have a key that can be looked up, which is not that
// of other rows, or change records that can be read.
func (s *Import) Resolvable() bool { return s.engine.resolvable.Load() }

// Settles reports whether rows in doubt can be settled at all: they have a key that
// can be looked up, or change records that can be read.
func (s *Import) Settles() bool { return s.engine.settles() }

func (e *engine) settles() bool { return e.options.KeyLookup || e.changes }
