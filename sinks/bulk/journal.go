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
	BeforeImages(seq int64) ([]journal.BeforeImage, error)

	// Digest returns a keyed digest of data.
	Digest(data ...[]byte) []byte

	// Sum returns a short keyed digest of data, never 0.
	Sum(data []byte) uint64
}

// journaled is what a write knows of its chunk for the sake of the journal. All
// slices but doubtful have one entry for each row.
type journaled struct {
	entry     *journal.Entry     // what the journal had of the chunk; nil: nothing
	problems  int                // how many the chunk had before the write
	announced []bool             // the journal has it that the row is being sent
	again     []bool             // in doubt from an earlier pass, and found not to have been written
	closed    []bool             // in doubt, and no other pass will tell
	excused   []bool             // its faults were pardoned
	sums      []uint64           // of a Plan: of what would be changed; nil: nothing
	stored    deviations         // how the API stored rows otherwise than they were sent
	unshown   []sentRow          // rows whose records were not shown whole
	loose     []string           // ids of records that requests made, of which rows is not known
	doubtful  []int32            // rows in doubt from earlier passes
	kept      []pipeline.Problem // what was said of those
	changed   map[int32]Before   // what the records of those held that change one

	numbers []byte  // buffer
	notes   []byte  // buffer
	rows    []int32 // buffer
}

// begin makes j ready for a chunk of n rows that has problems.
func (j *journaled) begin(n, problems int) {
	*j = journaled{
		problems:  problems,
		announced: cleared(j.announced, n), again: cleared(j.again, n), closed: cleared(j.closed, n), excused: cleared(j.excused, n),
		unshown: j.unshown[:0], doubtful: j.doubtful[:0], kept: j.kept[:0],
		numbers: j.numbers[:0], notes: j.notes[:0], rows: j.rows[:0],
	}
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
	c := w.chunk
	numbers := w.numbers[:0]
	for i, number := range c.Rows {
		numbers = binary.LittleEndian.AppendUint64(numbers, uint64(number))
		numbers = binary.LittleEndian.AppendUint32(numbers, c.Ends[i])
	}
	w.numbers = numbers
	return journal.Chunk{
		Seq: c.Seq, First: c.Rows[0], Last: c.Rows[c.Len()-1], Rows: c.Len(),
		Digest: w.bulk.options.Journal.Digest(numbers, c.Data),
	}
}

// announce has the journal note that rows are about to be sent, and image, unless
// the journal has that already.
func (w *write) announce(rows []int32, image []byte) error {
	j := w.bulk.options.Journal
	if j == nil {
		return nil
	}
	fresh := w.journaled.rows[:0]
	for _, row := range rows {
		if !w.announced[row] {
			fresh = append(fresh, row)
		}
	}
	w.journaled.rows = fresh
	if len(fresh) == 0 && image == nil {
		return nil
	}
	slices.Sort(fresh)
	if err := j.Sending(w.chunk.Seq, fresh, image); err != nil {
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
	if w.bulk.options.Journal == nil {
		return nil
	}
	w.restoreKept()
	w.keepWitness()
	w.openEnds()
	return w.record(w.chunk.Problems[w.problems:])
}

// checkpoint has the journal note what became of the rows that were sent so far, so
// that only those of the next request are in doubt if the process ends during it.
func (w *write) checkpoint() error {
	if w.bulk.options.Journal == nil || !slices.Contains(w.announced, true) {
		return nil
	}
	w.giveIDs()
	problems := w.chunk.Problems[w.problems:len(w.chunk.Problems):len(w.chunk.Problems)]
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
	c := w.chunk
	n := notes{problems: problems, excused: indicesOf(w.excused), stored: w.stored, loose: w.loose}
	for _, s := range w.unshown {
		n.unshown = append(n.unshown, s.row)
		if !s.read {
			n.unread = append(n.unread, s.row)
		}
	}
	s := journal.Settlement{Fates: c.Fates, IDs: c.IDs, Sums: w.sums}
	if w.notes = n.append(w.notes[:0]); len(w.notes) > 0 {
		s.Notes = w.notes
	}
	return w.bulk.options.Journal.Settle(c.Seq, s)
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
	if w.bulk.resolvable.Load() || !slices.Contains(w.chunk.Fates, pipeline.InDoubt) {
		return
	}
	creates, changes := w.partDoubtful(w.allDoubtful())
	if len(w.findable(creates)) > 0 || len(changes) > 0 {
		w.bulk.resolvable.Store(true)
	}
}

// keepWitness keeps the key of a row that is known to be in the API, to prove by
// that the list is not blind.
func (w *write) keepWitness() {
	s := w.bulk
	if !s.options.KeyLookup || s.witness.Load() != nil {
		return
	}
	if key := w.witness(); key != "" {
		s.witness.CompareAndSwap(nil, &anchor{key})
	}
}

// allDoubtful returns the rows in doubt, but for those that will stay so.
func (w *write) allDoubtful() (rows []int32) {
	for i, fate := range w.chunk.Fates {
		if fate == pipeline.InDoubt && !w.closed[i] {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// witness returns the key of a row that is known to be in the API, or "".
func (w *write) witness() string {
	for i, fate := range w.chunk.Fates {
		key := w.key(int32(i))
		switch fate {
		case pipeline.Written:
			if api.Lookupable(key) && !w.rekeyed(int32(i)) && w.bulk.forms.trusts(key) {
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
func (s *Import) settleLeft() time.Duration { return s.options.Settle - time.Since(s.began) }

// Resolvable reports whether rows that are in doubt could be settled by another
// pass over the input: they have a key that can be looked up, which is not that
// of other rows, or change records that can be read.
func (s *Import) Resolvable() bool { return s.resolvable.Load() }

// Settles reports whether rows in doubt can be settled at all: they have a key that
// can be looked up, or change records that can be read.
func (s *Import) Settles() bool { return s.options.KeyLookup || s.changes }
