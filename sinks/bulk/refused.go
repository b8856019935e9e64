package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/pipeline"
)

// refusal settles rows after the API has refused the request they were in.
type refusal struct {
	engine     *engine
	options    *ImportOptions
	delivery   *delivery
	rows       *chunkRows
	storage    *storage
	own        *ownRecords
	rejections *rejections
}

// settle settles rows after the API has refused the request they were in. The rows that the
// API names are rejected, unless another write kept them out. What became of the others
// depends on whether requests are atomic. The rows that are known not to have been written,
// and those that were kept out, are left in the verdict.
func (rf *refusal) settle(ctx context.Context, rows []int32, o api.Outcome) (verdict, error) {
	sent := rf.rows.sent(rows)
	refusals := rf.delivery.indexBase.parse(o.Body, sent)
	return rf.settleFor(ctx, rows, &o, refusals, rf.delivery.contention(&o, sent, refusals))
}

// settleFor settles rows, whose request was refused with o and with the reasons in refusals;
// c says which rows another write kept out.
func (rf *refusal) settleFor(ctx context.Context, rows []int32, o *api.Outcome, refusals []api.Refusal, c api.Contention) (verdict, error) {
	r := verdict{ending: wasRefused, requestRefusals: refusals, contended: c.Any(), overlapped: o.Overlapped}
	if len(rows) == 1 {
		rf.settleOne(rows[0], &r)
		return r, nil
	}
	r.left, r.locked = rf.rejections.rejectNamed(rows, refusals, c.Items)
	r.rejected = len(rows) - len(r.left) - len(r.locked)
	r.named = r.rejected+len(r.locked) > 0
	return r, rf.settleOthers(ctx, &r, r.named && !slices.ContainsFunc(refusals, func(r api.Refusal) bool { return r.Item < 0 }))
}

// settleOne settles row, the only one of a request that was refused, unless another
// write kept it out.
func (rf *refusal) settleOne(row int32, r *verdict) {
	rf.delivery.doubts.Store(0)
	if r.contended {
		r.locked = []lockedRow{{row, r.requestRefusals}}
		return
	}
	rf.rejections.rejectOne(row, r.requestRefusals)
	r.rejected = 1
}

// settleOthers settles those of the rows left of a refused request that were written all
// the same. Complete says that it names all rows that were not.
func (rf *refusal) settleOthers(ctx context.Context, r *verdict, complete bool) error {
	switch atomicity := rf.options.Atomicity; {
	case atomicity == AllOrNothing:
		r.holds = !r.named
	case atomicity == PartialWrites && complete:
		rf.othersWritten(r.left)
		r.left = nil
	default:
		return rf.lookForOthers(ctx, r)
	}
	rf.delivery.doubts.Store(0)
	return nil
}

// othersWritten settles rows that were written although others of their request were
// refused. The answer does not show their records. If the API may have changed their keys,
// so that they cannot be looked up, they are in doubt until the unmatched records show which
// records are theirs.
func (rf *refusal) othersWritten(rows []int32) {
	o := &rf.engine.options
	var unclear []int32
	for _, row := range rows {
		if rf.options.Unmatched != nil && o.Journal != nil && o.KeyLookup && !rf.engine.forms.trusts(rf.rows.key(row)) {
			unclear = append(unclear, row)
			continue
		}
		rf.own.written(row, nil)
		rf.storage.unshown = append(rf.storage.unshown, sentRow{row: row, sent: rf.rows.item(row)})
	}
	if len(unclear) > 0 {
		rf.rows.putInDoubt(unclear, "others of their request were refused, and the API was not seen to keep keys of this form", 0, nil)
	}
}

// refusalsOfOne reads body, the answer to a refused request about one record that was sent as
// changes.
func refusalsOfOne(body, changes []byte) []api.Refusal {
	refusals, _ := api.ParseRefusals(body, api.Sent{Items: [][]byte{changes}}, api.UnknownBase)
	return refusals
}

// lookForOthers settles those of the rows left of a refused request that were
// written all the same, or may have been.
func (rf *refusal) lookForOthers(ctx context.Context, r *verdict) error {
	others := r.left
	var err error
	if r.left, err = rf.absent(ctx, others); err != nil {
		return err
	}
	written, unclear := len(rf.rows.withFate(others, pipeline.Written)), len(rf.rows.withFate(others, pipeline.InDoubt))
	r.partial = written > 0
	r.holds = !r.named && len(r.left)+written == len(others)
	if unclear > 0 && unclear == len(others) {
		return rf.delivery.noteDoubt(http.MethodPost, rf.engine.options.Path, errUnclear)
	}
	rf.delivery.doubts.Store(0)
	return nil
}

var errUnclear = errors.New("refused, and the results of the rows that it does not name are not known")

// absent looks rows up and returns those that the API is known not to have.
// The others are settled: written if the API has them as they were sent,
// rejected if it has others in their place, in doubt if they cannot be looked
// up.
func (rf *refusal) absent(ctx context.Context, rows []int32) ([]int32, error) {
	canary := rf.engine.canary.currentKey()
	asked, keys := rf.lookupable(rows, canary)
	if len(asked) == 0 {
		return nil, nil
	}
	if err := rf.engine.options.Drain.Sleep(ctx, 2*rf.engine.canary.lag); err != nil { // the list may be behind
		rf.rows.putInDoubt(asked, "the run was interrupted before they were looked up", 0, nil)
		return nil, err
	}
	found, err := rf.findBeside(ctx, keys, canary)
	if err != nil {
		rf.rows.putInDoubt(asked, "looking them up failed", 0, err)
		if interrupted(ctx, err) {
			return nil, err
		}
		return nil, nil
	}
	var absent, unclear []int32
	for i, row := range asked {
		of := found[keys[i]]
		switch owner, record := rf.own.ownerOf(row, of.Records, maybeSent); {
		case rf.own.settleBy(row, owner, record):
		case owner == ownerNone && len(of.OtherForms) == 0 && rf.engine.forms.trusts(rf.rows.key(row)):
			absent = append(absent, row)
		default:
			unclear = append(unclear, row)
		}
	}
	if len(unclear) > 0 {
		rf.rows.putInDoubt(unclear, "their keys do not tell: the API was not seen to keep keys of this form, or made several records with them", 0, nil)
	}
	return absent, nil
}

// findBeside looks keys up beside the canary: for some time, until the list is not so
// far behind that it does not show that.
func (rf *refusal) findBeside(ctx context.Context, keys []string, canary string) (found map[string]api.Found, err error) {
	for _, wait := range visible {
		if err := rf.engine.options.Drain.Sleep(ctx, wait); err != nil {
			return nil, err
		}
		if found, err = rf.engine.findByKeys(ctx, keys, canary); !errors.Is(err, api.ErrCanaryMissing) {
			break
		}
	}
	return found, err
}

// lookupable returns those of rows that can be looked up, and their keys. The
// others it puts in doubt.
func (rf *refusal) lookupable(rows []int32, canary string) (asked []int32, keys []string) {
	times := map[string]int{canary: 1} // the canary's record is that of a row before these
	for i, fate := range rf.rows.chunk.Fates {
		if hasRecord(fate) || fate == pipeline.InDoubt {
			times[string(rf.rows.key(int32(i)))]++
		}
	}
	for _, row := range rows {
		times[string(rf.rows.key(row))]++
	}
	var lost []int32
	for _, row := range rows {
		key := rf.rows.key(row)
		// Of two rows with one key a record does not tell which of them it is.
		if canary == "" || !api.Lookupable(key) || times[string(key)] > 1 || rf.rows.shared(row) {
			lost = append(lost, row)
			continue
		}
		asked, keys = append(asked, row), append(keys, string(key))
	}
	if len(lost) > 0 {
		rf.rows.putInDoubt(lost, "the request was refused and they cannot be looked up", 0, nil)
	}
	return asked, keys
}

// rejections rejects rows for what the API said of them, and counts them.
type rejections struct {
	engine *engine
	rows   *chunkRows

	refused   int // rows that the API has refused
	lockedOut int // of those, rows that other writes kept out
}

// rejectNamed rejects the rows that refusals name. It returns the others, and apart from
// them the rows that, by kept, another write kept out.
func (rj *rejections) rejectNamed(rows []int32, refusals []api.Refusal, kept map[int]bool) (others []int32, locked []lockedRow) {
	for _, r := range refusals {
		if r.Item >= 0 && !kept[r.Item] {
			rj.noteRefusal(rows[r.Item], codeRefused, r)
		}
	}
	for i, row := range rows {
		switch {
		case kept[i]:
			locked = append(locked, lockedRow{row, reasonsOf(refusals, i)})
		case rj.rows.chunk.Fates[row] == pipeline.Pending:
			others = append(others, row)
		}
	}
	return others, locked
}

// rejectOne rejects row for what was said of a request that held no other.
func (rj *rejections) rejectOne(row int32, refusals []api.Refusal) {
	others, _ := rj.rejectNamed([]int32{row}, refusals, nil)
	rj.rejectAll(others, codeRefused, refusals)
}

// rejectAll rejects rows for what refusals say of the request as a whole.
func (rj *rejections) rejectAll(rows []int32, code pipeline.Code, refusals []api.Refusal) {
	for _, row := range rows {
		for _, r := range refusals {
			if r.Item < 0 {
				rj.noteRefusal(row, code, r)
			}
		}
		if rj.rows.chunk.Fates[row] == pipeline.Pending {
			rj.noteRefusal(row, code, api.Refusal{Item: -1})
		}
	}
}

// noteRefusal rejects row for the reason r. A field that was not sent is named
// in the message.
func (rj *rejections) noteRefusal(row int32, code pipeline.Code, r api.Refusal) {
	field := rj.engine.field(r.Field)
	message := r.Message
	if field == pipeline.None && r.Field != "" {
		message = r.Field + ": " + message
	}
	if code == codeRefused && rj.rows.chunk.Fates[row] == pipeline.Pending {
		rj.refused++
	}
	rj.rows.note(row, field, code, message)
}

// begin forgets the rows of the chunk before.
func (rj *rejections) begin() { rj.refused, rj.lockedOut = 0, 0 }
