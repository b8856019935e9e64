package bulk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
)

// reconciler looks up rows that are in doubt. It settles a row if its record is found, or
// if it is proved that there is none.
type reconciler struct {
	engine   *engine
	options  *ImportOptions
	delivery *delivery
	rows     *chunkRows
	storage  *storage
	matcher  *matcher
	journal  *chunkJournal
	own      *ownRecords
}

// reconcile waits until the API is no longer working on rows, which an earlier pass left in
// doubt, then looks them up and settles them. Rows that are proved not to be in the API are
// Pending again. It returns the rows for which a lookup proves nothing because there is no
// canary yet. Idle says that this write sends nothing: only then may the unmatched records
// be read.
func (rc *reconciler) reconcile(ctx context.Context, rows []int32, idle bool) (left []int32, err error) {
	if err := rc.journal.readImages(rows); err != nil {
		return nil, err
	}
	creates, changes := rc.journal.splitDoubtful(rows)
	creates = rc.rows.findable(creates)
	if len(creates)+len(changes) == 0 {
		return nil, nil
	}
	if left := rc.options.Settle - time.Since(rc.engine.began); left > 0 { // the API may be working on what was sent before this pass
		if err := rc.engine.options.Drain.Sleep(ctx, left); err != nil {
			return nil, err
		}
	}
	if err := rc.reconcileChanges(ctx, changes); err != nil {
		return nil, err
	}
	if creates, err = rc.matchUnmatchedIDs(ctx, creates); err != nil {
		return nil, err
	}
	return rc.reconcileCreates(ctx, creates, idle)
}

// longestGap is the longest time between the two reads that tell whether a row in
// doubt is there.
const longestGap = 3 * time.Second

// reconcileChanges settles rows whose changes an earlier pass left in doubt by
// what their records hold.
func (rc *reconciler) reconcileChanges(ctx context.Context, rows []int32) error {
	ids := make([]string, len(rows))
	var asked []string
	for i, row := range rows {
		ids[i] = cmp.Or(string(rc.rows.id(row)), rc.journal.changed[row].ID)
		if ids[i] != "" {
			asked = append(asked, ids[i])
		}
	}
	found, err := rc.engine.findIDs(ctx, asked)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if ids[i] == "" {
			rc.journal.unresolvable[row] = true
			continue
		}
		record, err := rc.engine.recordWith(ctx, ids[i], found)
		switch {
		case stops(ctx, err):
			return err
		case err != nil:
			rc.engine.options.Log.Warn("a row stays in doubt", "cause", "its record cannot be read", "chunk", rc.rows.chunk.Seq, "error", err)
		default:
			if err := rc.reconcileChange(row, ids[i], record); err != nil {
				return err
			}
		}
	}
	return nil
}

// reconcileChange settles row by its record: updated if that holds all of the
// row, to be sent again if it holds what it did before, or is gone, which the
// change will find; updated, too, if it holds other forms of the row's values. A
// record that holds something else was changed by somebody: the row stays in doubt.
func (rc *reconciler) reconcileChange(row int32, id string, record []byte) error {
	if record == nil {
		rc.journal.markForResend([]int32{row})
		return nil
	}
	patch, err := rc.matcher.lacks(row, rc.rows.wanted(row), record)
	if err != nil {
		return err
	}
	before := rc.journal.changed[row]
	switch {
	case patch == nil:
		rc.changeArrived(sentRow{row: row, sent: bytes.Clone(rc.rows.wanted(row))}, id, record)
	case before.Held != 0 && before.Held == rc.journal.heldSum(patch, record):
		rc.journal.markForResend([]int32{row})
	case rc.matcher.fitsChange(row, patch, record):
		rc.changeArrived(sentRow{row: row, sent: patch}, id, record)
	default:
		rc.journal.unresolvable[row] = true
		rc.rows.downgrade(row)
		rc.rows.claim(row)
		rc.engine.options.Log.Warn("a row stays in doubt", "cause", "its record holds neither what was sent nor what it held before", "chunk", rc.rows.chunk.Seq)
	}
	return nil
}

// changeArrived settles a row in doubt whose record shows that it was changed.
func (rc *reconciler) changeArrived(s sentRow, id string, record []byte) {
	rc.rows.chunk.Fates[s.row] = pipeline.Updated
	rc.rows.setID(s.row, []byte(id))
	rc.storage.noteStored(s, record, nil)
	rc.rows.downgrade(s.row)
	rc.rows.claim(s.row)
}

// reconcileCreates looks rows up, and those that were not shown a second time. While
// no row is known to be there it waits for those that are still to be sent.
func (rc *reconciler) reconcileCreates(ctx context.Context, rows []int32, idle bool) (left []int32, err error) {
	if len(rc.proven()) == 0 && rc.rows.chunk.Pending() > 0 {
		return rows, nil
	}
	unclear, err := rc.seekByKey(ctx, rows)
	if stops(ctx, err) {
		return nil, err
	}
	blind := errors.Is(err, api.ErrCanaryMissing)
	if !idle {
		return unclear, nil
	}
	if err := rc.matchUnmatchedRecords(ctx, unclear); err != nil || !blind {
		return nil, err
	}
	return rc.rows.withFate(unclear, pipeline.InDoubt), nil
}

// seekByKey looks rows up by their keys, and those that are not found a second time, and
// settles those of which that tells what became. It returns the others. With an error
// that is all of them.
func (rc *reconciler) seekByKey(ctx context.Context, rows []int32) (unclear []int32, err error) {
	for read := 0; len(rows) > 0 && read < 2; read++ {
		if read > 0 {
			if err := rc.engine.options.Drain.Sleep(ctx, min(rc.options.Settle/2, longestGap)); err != nil {
				return nil, err
			}
		}
		found, err := rc.look(ctx, rows)
		if err != nil {
			if !stops(ctx, err) {
				rc.engine.options.Log.Warn("rows are not found by key", "cause", "looking them up failed", "chunk", rc.rows.chunk.Seq, "rows", len(rows), "error", err)
			}
			return append(unclear, rows...), err
		}
		absent, near := rc.settleFound(rows, found)
		rows, unclear = absent, append(unclear, near...)
	}
	unmatched := len(rc.journal.unmatched()) > 0
	for _, row := range rows { // not found
		// That proves something if the API keeps keys of this form, and no request made records
		// of which it is not known whose they are.
		if !unmatched && rc.engine.forms.trusts(rc.rows.key(row)) {
			rc.journal.markForResend([]int32{row})
		} else {
			unclear = append(unclear, row)
		}
	}
	return unclear, nil
}

// look looks rows up, together with a record that is known to be there; api.ErrCanaryMissing
// says that the list does not show it.
func (rc *reconciler) look(ctx context.Context, rows []int32) (found map[string]api.Found, err error) {
	canaries, err := rc.canaries(ctx)
	if err != nil {
		return nil, err
	}
	canary, keys := "", rc.rows.keysOf(rows)
	for _, canary = range canaries {
		if found, err = rc.engine.findByKeys(ctx, keys, canary); !errors.Is(err, api.ErrCanaryMissing) {
			break
		}
	}
	if err == nil {
		rc.engine.noteListed(canary)
	}
	return found, err
}

// canaries returns keys of which the list has to show one to be believed: those of
// records that are known to be there. Where none is known, a record that the list
// shows will do: it proves less, for a list that is behind shows it too.
func (rc *reconciler) canaries(ctx context.Context) ([]string, error) {
	if keys := rc.proven(); len(keys) > 0 {
		return keys, nil
	}
	if a := rc.engine.listedKey.Load(); a != nil {
		return []string{a.key}, nil
	}
	key, err := rc.engine.reader.AnyKey(ctx, rc.engine.options.Path, rc.engine.options.Key)
	return []string{key}, err
}

// proven returns the keys of records that are known to be there.
func (rc *reconciler) proven() (keys []string) {
	add := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	add(rc.engine.canary.currentKey())
	add(rc.engine.canary.firstKey())
	add(rc.journal.provenKey())
	if a := rc.engine.knownKey.Load(); a != nil {
		add(a.key)
	}
	return keys
}

// settleFound settles those of rows, which were in doubt, that have records, and returns those
// that have none, and those of which their keys do not tell: a record has the key in
// another form, and may be their own. Where a row changes the record there is, it is compared with it once more.
func (rc *reconciler) settleFound(rows []int32, found map[string]api.Found) (absent, near []int32) {
	for _, row := range rows {
		of := found[string(rc.rows.key(row))]
		owner, record := rc.own.ownerOf(row, of.Records, wasSent)
		switch {
		case owner == ownerNone && len(of.OtherForms) == 0:
			absent = append(absent, row)
		case owner != ownerNone && rc.engine.options.Mode == Upsert && !rc.own.mayOwn(row, of.Records):
			rc.journal.markForResend([]int32{row})
		case !rc.own.settleBy(row, owner, record):
			near = append(near, row)
		}
	}
	return absent, near
}

// matchUnmatchedIDs reads the records that requests for rows, which are in doubt, are known to
// have made, and matches them. It returns the rows that are left.
func (rc *reconciler) matchUnmatchedIDs(ctx context.Context, rows []int32) ([]int32, error) {
	ids := rc.journal.unmatched()
	if len(ids) == 0 || len(rows) == 0 {
		return rows, nil
	}
	found, err := rc.engine.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	var list []unmatchedRecord
	for _, id := range ids {
		object, err := rc.engine.recordWith(ctx, id, found)
		if stops(ctx, err) {
			return nil, err
		}
		if object != nil && rc.own.ages.of(object) != olderThanRun { // the answer may show records of others
			list = append(list, unmatchedRecord{id: id, object: object})
		}
	}
	rc.markOwned(list)
	rows = rc.match(rows, list)
	rc.journal.unmatchedIDs = slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(list, func(s unmatchedRecord) bool { return s.taken && s.id == id })
	})
	return rows, nil
}

// matchUnmatchedRecords settles those of rows, which are in doubt and not found by their keys, of
// which the unmatched records tell what became.
func (rc *reconciler) matchUnmatchedRecords(ctx context.Context, rows []int32) error {
	s := rc.engine
	if rc.options.Unmatched == nil {
		return nil
	}
	s.unmatched.mu.Lock()
	defer s.unmatched.mu.Unlock()
	err := rc.loadUnmatched(ctx)
	if stops(ctx, err) {
		return err
	}
	rc.markOwned(s.unmatched.list)
	if rc.options.KeysLookedUp {
		rows = rc.match(rows, s.unmatched.list)
	}
	if err != nil && len(rows) > 0 {
		s.options.Log.Warn("rows stay in doubt", "cause", "it cannot be found out which records were created since the run began", "chunk", rc.rows.chunk.Seq, "rows", len(rows), "error", err)
		return nil
	}
	kept, unmatched := 0, len(rc.journal.unmatched()) > 0
	for _, row := range rows {
		if !unmatched && rc.matcher.ruledOut(row, s.unmatched.list) {
			rc.journal.markForResend([]int32{row})
		} else {
			kept++
		}
	}
	if kept > 0 {
		s.options.Log.Warn("rows stay in doubt", "cause", "records created since the run began may be theirs, but they cannot be matched", "chunk", rc.rows.chunk.Seq, "rows", kept)
	}
	return nil
}

// match settles rows that fit one record of list that fits no other row. It returns the
// others.
func (rc *reconciler) match(rows []int32, list []unmatchedRecord) (left []int32) {
	left = slices.Clone(rows)
	for again := true; again; {
		again = false
		fits := make(map[int32]int, len(left)) // the only record that fits the row
		times := make([]int, len(list))        // how many rows a record fits
		for _, row := range left {
			n := 0
			for i := range list {
				if !list[i].taken && rc.matcher.fits(row, list[i].object) {
					n++
					fits[row] = i
					times[i]++
				}
			}
			if n != 1 {
				delete(fits, row)
			}
		}
		left = slices.DeleteFunc(left, func(row int32) bool {
			i, only := fits[row]
			if !only || times[i] != 1 {
				return false
			}
			list[i].taken, again = true, true
			rc.engine.unmatched.owned.add(list[i].id)
			rc.own.written(row, []byte(list[i].id))
			rc.own.noteCreated(row, list[i].object)
			return true
		})
	}
	return left
}

// onceTime bounds the look for rows that were in a request without a clear
// answer.
const onceTime = 10 * time.Second

// lookOnce looks rows in doubt up at once and settles those that are there as they
// were sent. Of the others nothing is known yet: the API may be working on them.
// A later pass looks them up when it cannot be any more.
func (rc *reconciler) lookOnce(ctx context.Context, rows []int32) {
	if rc.engine.options.Journal == nil || rc.engine.options.Drain.Err(ctx) != nil {
		return
	}
	rows = rc.rows.findable(rc.rows.withFate(rows, pipeline.InDoubt))
	if len(rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, onceTime)
	defer cancel()
	o := &rc.engine.options
	found, err := rc.engine.findByKeys(ctx, rc.rows.keysOf(rows), "")
	if err != nil {
		o.Log.Warn("rows stay in doubt for now", "cause", "looking them up failed", "chunk", rc.rows.chunk.Seq, "rows", len(rows), "error", err)
		return
	}
	there := 0
	for _, row := range rows {
		owner, record := rc.own.ownerOf(row, found[string(rc.rows.key(row))].Records, wasSent)
		if owner == ownerRow || owner == ownerEarlier {
			rc.own.settleBy(row, owner, record)
			there++
		}
	}
	if there == len(rows) {
		rc.delivery.doubts.Store(0)
	}
	o.Log.Info("rows in doubt looked up", "chunk", rc.rows.chunk.Seq, "rows", len(rows), "there", there)
}

// looksFirst reports whether one of rows is to make no second record with its key.
func (rc *reconciler) looksFirst(rows []int32) bool {
	return rc.options.LookFirst != nil && slices.ContainsFunc(rows, func(row int32) bool { return rc.options.LookFirst(rc.rows.chunk.Rows[row]) })
}

// lookFirst settles those of rows that are to make no second record with their key and
// whose key is there. It returns the others.
func (rc *reconciler) lookFirst(ctx context.Context, rows []int32) ([]int32, error) {
	o := &rc.engine.options
	if rc.options.LookFirst == nil || !o.KeyLookup {
		return rows, nil
	}
	var asked, rest []int32
	for _, row := range rows {
		if rc.options.LookFirst(rc.rows.chunk.Rows[row]) && api.Lookupable(rc.rows.key(row)) {
			asked = append(asked, row)
		} else {
			rest = append(rest, row)
		}
	}
	if len(asked) == 0 {
		return rows, nil
	}
	known, err := rc.engine.findListedKey(ctx)
	switch {
	case err != nil:
		return nil, err
	case known == nil: // records had the keys of these rows: a list that is empty now is not believed
		return nil, rc.engine.cannotFind(errShowsNoRecord)
	}
	found, err := rc.engine.findByKeys(ctx, rc.rows.keysOf(asked), known.key)
	if err != nil {
		return nil, rc.engine.lookupFailed(ctx, err)
	}
	for _, row := range asked {
		owner, record := rc.own.ownerOf(row, found[string(rc.rows.key(row))].Records, wasEnded)
		if !rc.own.settleBy(row, owner, record) {
			rest = append(rest, row)
		}
	}
	slices.Sort(rest)
	return rest, nil
}
