package bulk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/internal/packed"
	"flytt/pipeline"
)

// A sink with a journal follows these rules, in addition to those of the package:
//
//   - Before the first byte of a row is sent, the journal has durably recorded that the
//     row is about to be sent.
//   - If the journal has the fate of a row, the row is not processed again: its fate, its
//     id and its problems are taken from the journal. So all passes write the same about
//     a row as the pass that settled it.
//   - A row that is in doubt in the journal is looked up when the API is no longer working
//     on it: see reconcile.go. It is sent again only if two reads show the canary, and do
//     not show the row.
//   - What cannot be looked up stays in doubt for ever.

// Journal is the durable record of what was sent and what became of it. A
// *journal.Journal is one. It is for concurrent use and keeps nothing it is
// given. An error of it stops the run: nothing is sent that is not on record.
type Journal interface {
	PriorRun
	Noter
	Digester
}

// PriorRun is what is on record of a run: one that is over, or earlier passes of this one.
type PriorRun interface {
	// Find returns what is known of a chunk; nil, nil if that is nothing.
	Find(seq int64) (*journal.Entry, error)

	// BeforeImages returns what was noted that the records of a chunk held before it
	// changed them, oldest first.
	BeforeImages(seq int64) ([]journal.BeforeImage, error)
}

// Noter puts on record what is done.
type Noter interface {
	// Plan notes which rows a chunk is.
	Plan(c journal.Chunk) error

	// Sending notes, durably when it returns, that rows of a chunk, by their indices
	// in it, are about to be sent, and what the records they change hold.
	Sending(seq int64, rows []int32, image []byte) error

	// Settle notes what became of the rows of a chunk, in place of all that was known
	// of them before.
	Settle(seq int64, s journal.Settlement) error
}

// Digester makes digests with the key of a journal, so that what is on record of rows
// tells nothing of them.
type Digester interface {
	// Digest returns a keyed digest of data.
	Digest(data ...[]byte) []byte

	// Sum returns a short keyed digest of data, never 0.
	Sum(data []byte) uint64
}

// chunkJournal keeps what is known of the rows of the chunk for the journal, and has it
// noted.
type chunkJournal struct {
	engine  *engine
	rows    *chunkRows
	storage *storage

	entry            *journal.Entry     // what the journal had of the chunk; nil: nothing
	announced        []bool             // by row: the journal has it that the row is being sent
	resend           []bool             // by row: in doubt from an earlier pass, and found not to have been written
	unresolvable     []bool             // by row: in doubt, and no other pass will tell
	sums             []uint64           // of a Plan, by row: of what would be changed; nil: nothing
	unmatchedIDs     []string           // ids of records that requests made, of which rows is not known
	doubtful         []int32            // rows in doubt from earlier passes
	doubtfulProblems []pipeline.Problem // what was said of those
	changed          map[int32]Before   // what the records of those held that change one
	numbers          []byte             // buffer
	notes            []byte             // buffer
	fresh            []int32            // buffer
}

// begin forgets what the journal had of the chunk before, and what is kept for it.
func (cj *chunkJournal) begin() {
	n := cj.rows.chunk.Len()
	cj.entry, cj.sums, cj.storage.stored, cj.unmatchedIDs, cj.changed = nil, nil, nil, nil, nil
	cj.announced, cj.resend, cj.unresolvable = cleared(cj.announced, n), cleared(cj.resend, n), cleared(cj.unresolvable, n)
	cj.storage.unshown, cj.doubtful, cj.doubtfulProblems = cj.storage.unshown[:0], cj.doubtful[:0], cj.doubtfulProblems[:0]
	cj.rows.downgraded = cleared(cj.rows.downgraded, n)
}

// identity returns which rows the chunk is.
func (cj *chunkJournal) identity() journal.Chunk {
	c := cj.rows.chunk
	numbers := cj.numbers[:0]
	for i, number := range c.Rows {
		numbers = binary.LittleEndian.AppendUint64(numbers, uint64(number))
		numbers = binary.LittleEndian.AppendUint32(numbers, c.Ends[i])
	}
	cj.numbers = numbers
	return journal.Chunk{
		Seq: c.Seq, First: c.Rows[0], Last: c.Rows[c.Len()-1], Rows: c.Len(),
		Digest: cj.engine.options.Digester.Digest(numbers, c.Data),
	}
}

// find returns which rows the chunk is, and what r has on record of it; nil if that is
// nothing. It is an error if r has other rows there.
func (cj *chunkJournal) find(r Planned) (*journal.Entry, journal.Chunk, error) {
	id := cj.identity()
	e, err := r.Find(id.Seq)
	if err == nil && e != nil && (e.First != id.First || e.Last != id.Last || e.Rows != id.Rows || !bytes.Equal(e.Digest, id.Digest)) {
		err = changedInput(id)
	}
	return e, id, err
}

// changedInput returns the error that stops a run over another input than it had before.
func changedInput(c journal.Chunk) error {
	return &stopError{
		reason: errChangedInput,
		what:   fmt.Sprintf("chunk %d, rows %d to %d: not what the journal of the run has: the input or the mapping has changed", c.Seq, c.First, c.Last),
		hint:   "resume with the files that the run started with; nothing of the chunk was sent",
	}
}

// announce has the journal note that rows are about to be sent, and image, unless
// the journal has that already.
func (cj *chunkJournal) announce(rows []int32, image []byte) error {
	j := cj.engine.options.Journal
	if j == nil {
		return nil
	}
	fresh := cj.fresh[:0]
	for _, row := range rows {
		if !cj.announced[row] {
			fresh = append(fresh, row)
		}
	}
	cj.fresh = fresh
	if len(fresh) == 0 && image == nil {
		return nil
	}
	slices.Sort(fresh)
	if err := j.Sending(cj.rows.chunk.Seq, fresh, image); err != nil {
		return err
	}
	for _, row := range fresh {
		cj.announced[row] = true
	}
	return nil
}

// checkpoint has the journal note what became of the rows that were sent so far, so
// that only those of the next request are in doubt if the process ends during it.
func (cj *chunkJournal) checkpoint() error {
	if cj.engine.options.Journal == nil || !slices.Contains(cj.announced, true) {
		return nil
	}
	cj.rows.giveIDs()
	problems := cj.rows.chunk.Problems[cj.rows.before:len(cj.rows.chunk.Problems):len(cj.rows.chunk.Problems)]
	clear(cj.announced)
	return cj.record(cj.appendDoubtful(problems))
}

// recordOutcome has the journal note what became of the rows. Those that are Pending
// are known not to have been written.
func (cj *chunkJournal) recordOutcome() error {
	if cj.engine.options.Journal == nil {
		return nil
	}
	cj.restoreProblems()
	cj.keepKnownKey()
	cj.noteResolvable()
	return cj.record(cj.rows.chunk.Problems[cj.rows.before:])
}

// record has the journal note what became of the rows, and problems, which were said of
// them.
func (cj *chunkJournal) record(problems []pipeline.Problem) error {
	n := notes{problems: problems, stored: cj.storage.stored, unmatchedIDs: cj.unmatchedIDs}
	for row, is := range cj.rows.downgraded {
		if is {
			n.downgraded = append(n.downgraded, int32(row))
		}
	}
	for _, s := range cj.storage.unshown {
		n.unshown = append(n.unshown, s.row)
		if !s.read {
			n.unread = append(n.unread, s.row)
		}
	}
	cj.notes = n.append(cj.notes[:0])
	return cj.recordFates(cj.notes)
}

// recordFates has the journal note the fates of the rows, with what else is to be kept of them.
func (cj *chunkJournal) recordFates(notes []byte) error {
	if cj.engine.options.Journal == nil {
		return nil
	}
	if len(notes) == 0 {
		notes = nil
	}
	c := cj.rows.chunk
	return cj.engine.options.Journal.Settle(c.Seq, journal.Settlement{Fates: c.Fates, IDs: c.IDs, Sums: cj.sums, Notes: notes})
}

// keepProblems notes again what was said of rows; of those in doubt it is kept until
// it is known whether they are sent again, for then it will be said anew.
func (cj *chunkJournal) keepProblems(problems []pipeline.Problem) {
	for i := range problems {
		if cj.rows.final(problems[i].Row) {
			cj.rows.chunk.Problems = append(cj.rows.chunk.Problems, problems[i])
		} else {
			cj.doubtfulProblems = append(cj.doubtfulProblems, problems[i])
		}
	}
}

// restoreProblems notes again what was said of rows in doubt that were not sent again.
func (cj *chunkJournal) restoreProblems() {
	cj.rows.chunk.Problems = cj.appendDoubtful(cj.rows.chunk.Problems)
	cj.doubtfulProblems = cj.doubtfulProblems[:0]
	for _, row := range cj.doubtful {
		if cj.rows.downgraded[row] && !cj.resend[row] {
			cj.rows.downgrade(row)
		}
	}
}

// appendDoubtful appends to dst what is still to be said of rows in doubt.
func (cj *chunkJournal) appendDoubtful(dst []pipeline.Problem) []pipeline.Problem {
	for _, p := range cj.doubtfulProblems {
		if !cj.resend[p.Row] && (p.Severity != pipeline.Error || cj.rows.chunk.Fates[p.Row] == pipeline.InDoubt) {
			dst = append(dst, p)
		}
	}
	return dst
}

// markForResend makes rows, which were in doubt and are known not to have been written,
// Pending.
func (cj *chunkJournal) markForResend(rows []int32) {
	for _, row := range rows {
		cj.rows.chunk.Fates[row] = pipeline.Pending
		cj.resend[row] = true
	}
}

// splitDoubtful parts rows in doubt into those that would make records and those
// that change one.
func (cj *chunkJournal) splitDoubtful(rows []int32) (creates, changes []int32) {
	for _, row := range rows {
		_, image := cj.changed[row]
		switch mode := cj.engine.options.Mode; {
		case image, mode == UpdateOnly, mode != Upsert && len(cj.rows.id(row)) > 0:
			changes = append(changes, row)
		default:
			creates = append(creates, row)
		}
	}
	return creates, changes
}

// noteResolvable sees whether another pass may settle what is in doubt.
func (cj *chunkJournal) noteResolvable() {
	if cj.engine.resolvable.Load() {
		return
	}
	var doubtful []int32
	for i, fate := range cj.rows.chunk.Fates {
		if fate == pipeline.InDoubt && !cj.unresolvable[i] {
			doubtful = append(doubtful, int32(i))
		}
	}
	creates, changes := cj.splitDoubtful(doubtful)
	if len(cj.rows.findable(creates)) > 0 || len(changes) > 0 {
		cj.engine.resolvable.Store(true)
	}
}

// keepKnownKey keeps the key of a row that is known to be in the API, to prove by
// that the list is not blind.
func (cj *chunkJournal) keepKnownKey() {
	s := cj.engine
	if !s.options.KeyLookup || s.knownKey.Load() != nil {
		return
	}
	if key := cj.provenKey(); key != "" {
		s.knownKey.CompareAndSwap(nil, &canaryKey{key})
	}
}

// provenKey returns the key of a row that is known to be in the API, or "".
func (cj *chunkJournal) provenKey() string {
	for i, fate := range cj.rows.chunk.Fates {
		row := int32(i)
		key := cj.rows.key(row)
		if !hasRecord(fate) || !api.Lookupable(key) {
			continue
		}
		if fate != pipeline.Written || !cj.storage.rekeyed(row) && cj.engine.forms.trusts(key) {
			return string(key)
		}
	}
	return ""
}

// readImages reads what records held before rows in doubt were to change them: it
// is the last image of a record that counts.
func (cj *chunkJournal) readImages(rows []int32) error {
	if !cj.engine.changesRecords || len(rows) == 0 || cj.changed != nil {
		return nil
	}
	cj.changed = map[int32]Before{}
	return eachBefore(cj.engine.options.Journal, cj.rows.chunk.Seq, nil, func(b Before) {
		b.Record = nil
		cj.changed[b.Row] = b
	})
}

// noteChanged keeps it that the record of a row is being changed.
func (cj *chunkJournal) noteChanged(c *change) {
	if cj.changed == nil {
		cj.changed = map[int32]Before{}
	}
	cj.changed[c.row] = Before{Row: c.row, ID: c.id}
}

// heldSum returns the sum of what record holds in the members of patch.
func (cj *chunkJournal) heldSum(patch, record []byte) uint64 {
	var text []byte
	for name := range jsonscan.Members(patch) {
		text = packed.AppendBytes(text, name)
		text = packed.AppendBytes(text, []byte(jsonscan.Member(record, string(jsonscan.Unquote(name)))))
	}
	return cj.engine.options.Digester.Sum(text)
}

// planSum keeps the sum of what c would change.
func (cj *chunkJournal) planSum(c *change) {
	if cj.engine.options.Journal == nil {
		return
	}
	if cj.sums == nil {
		cj.sums = make([]uint64, cj.rows.chunk.Len())
	}
	cj.sums[c.row] = cj.engine.options.Digester.Sum(c.patch)
}

// cleared returns a slice of n zeros, in s if there is room.
func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
