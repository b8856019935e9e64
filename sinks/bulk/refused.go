package bulk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"flytt/internal/api"
	"flytt/pipeline"
)

// refused settles rows after the API has refused the request they were in. The
// rows it names are rejected, unless it was another write that kept them out. What
// became of the others depends on whether a request is written all or not at all:
// those that are known not to have been written are left, beside those kept out.
func (w *write) refused(ctx context.Context, rows []int32, o api.Outcome) (verdict, error) {
	sent := w.sent(rows)
	refusals := w.bulk.numbering.parse(o.Body, sent)
	return w.refusedFor(ctx, rows, &o, refusals, w.bulk.contention(&o, sent, refusals))
}

// refusedFor settles rows, whose request was refused with o for what refusals say; by c
// another write kept some out.
func (w *write) refusedFor(ctx context.Context, rows []int32, o *api.Outcome, refusals []api.Refusal, c api.Contention) (verdict, error) {
	r := verdict{ending: wasRefused, whole: refusals, contended: c.Any(), overlapped: o.Overlapped}
	if len(rows) == 1 {
		w.refusedOne(rows[0], &r)
		return r, nil
	}
	r.left, r.locked = w.rejectNamed(rows, refusals, c.Items)
	r.rejected = len(rows) - len(r.left) - len(r.locked)
	r.named = r.rejected+len(r.locked) > 0
	return r, w.settleOthers(ctx, &r, r.named && namesAll(refusals))
}

// refusedOne settles row, the only one of a request that was refused, unless another
// write kept it out.
func (w *write) refusedOne(row int32, r *verdict) {
	w.bulk.doubts.Store(0)
	if r.contended {
		r.locked = []lockedRow{{row, r.whole}}
		return
	}
	w.rejectOne(row, r.whole)
	r.rejected = 1
}

// settleOthers settles those of the rows left of a refused request that were written all
// the same. Complete says that it names all rows that were not.
func (w *write) settleOthers(ctx context.Context, r *verdict, complete bool) error {
	switch atomicity := w.bulk.options.Atomicity; {
	case atomicity == AllOrNothing:
		r.holds = !r.named
	case atomicity == PartialWrites && complete:
		w.othersWritten(r.left)
		r.left = nil
	default:
		return w.lookForOthers(ctx, r)
	}
	w.bulk.doubts.Store(0)
	return nil
}

// othersWritten settles rows that were written though others of their request were refused.
// The answer does not show their records. Where the API may have changed their keys, so
// that they cannot be looked up by them, they are in doubt until the strays tell which
// records are theirs.
func (w *write) othersWritten(rows []int32) {
	o := &w.bulk.options
	var unclear []int32
	for _, row := range rows {
		if o.Strays != nil && o.Journal != nil && o.KeyLookup && !w.bulk.forms.trusts(w.key(row)) {
			unclear = append(unclear, row)
			continue
		}
		w.written(row, nil)
		w.unshown = append(w.unshown, sentRow{row: row, sent: w.item(row)})
	}
	if len(unclear) > 0 {
		w.doubt(unclear, "others of their request were refused, and the API was not seen to keep keys of this form", 0, nil)
	}
}

// namesAll reports whether each of refusals names its row.
func namesAll(refusals []api.Refusal) bool {
	return !slices.ContainsFunc(refusals, func(r api.Refusal) bool { return r.Item < 0 })
}

// numbering is what the errors of the API so far have shown of the number from which
// they count rows. It is for concurrent use.
type numbering struct{ base atomic.Uint32 }

// parse reads body, the answer to a refused request of sent, and learns from it.
func (n *numbering) parse(body []byte, sent api.Sent) []api.Refusal {
	for {
		known := n.base.Load()
		refusals, learned := api.ParseRefusals(body, sent, api.IndexBase(known))
		if n.base.CompareAndSwap(known, uint32(learned)) {
			return refusals
		}
	}
}

// match matches body with what was sent, and learns from it.
func (n *numbering) match(a *api.Answer, body []byte, sent api.Sent) error {
	for {
		known := n.base.Load()
		a.Base = api.IndexBase(known)
		if err := a.Match(body, sent); err != nil || n.base.CompareAndSwap(known, uint32(a.Base)) {
			return err
		}
	}
}

// refusalsOfOne reads body, the answer to a refused request about one record that was sent as
// changes.
func refusalsOfOne(body, changes []byte) []api.Refusal {
	refusals, _ := api.ParseRefusals(body, api.Sent{Items: [][]byte{changes}}, api.UnknownBase)
	return refusals
}

// lookForOthers settles those of the rows left of a refused request that were
// written all the same, or of which that cannot be told.
func (w *write) lookForOthers(ctx context.Context, r *verdict) error {
	others := r.left
	var err error
	if r.left, err = w.absent(ctx, others); err != nil {
		return err
	}
	written, unclear := 0, 0
	for _, row := range others {
		switch w.chunk.Fates[row] {
		case pipeline.Written:
			written++
		case pipeline.InDoubt:
			unclear++
		}
	}
	r.partial = written > 0
	r.holds = !r.named && len(r.left)+written == len(others)
	if unclear > 0 && unclear == len(others) {
		return w.doubted(http.MethodPost, w.bulk.options.Path, errUnclear)
	}
	w.bulk.doubts.Store(0)
	return nil
}

var errUnclear = errors.New("refused, and what became of the rows that it does not mind cannot be told")

// rejectNamed rejects the rows that refusals name. It returns the others, and apart from
// them the rows that, by kept, another write kept out.
func (w *write) rejectNamed(rows []int32, refusals []api.Refusal, kept map[int]bool) (others []int32, locked []lockedRow) {
	for _, r := range refusals {
		if r.Item >= 0 && !kept[r.Item] {
			w.noteRefusal(rows[r.Item], codeRefused, r)
		}
	}
	for i, row := range rows {
		switch {
		case kept[i]:
			locked = append(locked, lockedRow{row, reasonsOf(refusals, i)})
		case w.chunk.Fates[row] == pipeline.Pending:
			others = append(others, row)
		}
	}
	return others, locked
}

// rejectOne rejects row for what was said of a request that held no other.
func (w *write) rejectOne(row int32, refusals []api.Refusal) {
	others, _ := w.rejectNamed([]int32{row}, refusals, nil)
	w.rejectAll(others, codeRefused, refusals)
}

// rejectAll rejects rows for what refusals say of the request as a whole.
func (w *write) rejectAll(rows []int32, code pipeline.Code, refusals []api.Refusal) {
	for _, row := range rows {
		for _, r := range refusals {
			if r.Item < 0 {
				w.noteRefusal(row, code, r)
			}
		}
		if w.chunk.Fates[row] == pipeline.Pending {
			w.noteRefusal(row, code, api.Refusal{Item: -1})
		}
	}
}

// noteRefusal rejects row for the reason r. A field that was not sent is named
// in the message.
func (w *write) noteRefusal(row int32, code pipeline.Code, r api.Refusal) {
	field := w.bulk.field(r.Field)
	message := r.Message
	if field == pipeline.None && r.Field != "" {
		message = r.Field + ": " + message
	}
	if code == codeRefused && w.chunk.Fates[row] == pipeline.Pending {
		w.turnedAway++
	}
	w.note(row, field, code, message)
}

// field returns the index of the field that the API calls name: its own name,
// or that of the reference it belongs to.
func (s *Import) field(name string) int16 {
	if name == "" {
		return pipeline.None
	}
	if i := s.schema.Index(name); i >= 0 {
		return int16(i)
	}
	return int16(s.schema.Index(name + ".id"))
}

// absent looks rows up and returns those that the API is known not to have.
// The others are settled: written if the API has them as they were sent,
// rejected if it has others in their place, in doubt if they cannot be looked
// up.
func (w *write) absent(ctx context.Context, rows []int32) ([]int32, error) {
	control := w.bulk.control.known()
	asked, keys := w.lookupable(rows, control)
	if len(asked) == 0 {
		return nil, nil
	}
	if err := w.bulk.options.Drain.Sleep(ctx, 2*w.bulk.control.lag); err != nil { // the list may be behind
		w.doubt(asked, "the run was interrupted before they were looked up", 0, nil)
		return nil, err
	}
	found, err := w.findBeside(ctx, keys, control)
	if err != nil {
		w.doubt(asked, "looking them up failed", 0, err)
		if interrupted(ctx, err) {
			return nil, err
		}
		return nil, nil
	}
	var absent, unclear []int32
	for i, row := range asked {
		of := found[keys[i]]
		switch owner, record := w.ownerOf(row, of.Records, maybeSent); {
		case w.settleBy(row, owner, record):
		case owner == ownerNone && len(of.OtherForms) == 0 && w.bulk.forms.trusts(w.key(row)):
			absent = append(absent, row)
		default:
			unclear = append(unclear, row)
		}
	}
	if len(unclear) > 0 {
		w.doubt(unclear, "their keys do not tell: the API was not seen to keep keys of this form, or made several records with them", 0, nil)
	}
	return absent, nil
}

// findBeside looks keys up beside control: for some time, until the list is not so
// far behind that it does not show that.
func (w *write) findBeside(ctx context.Context, keys []string, control string) (found map[string]api.Found, err error) {
	o := &w.bulk.options
	for _, wait := range visible {
		if err := o.Drain.Sleep(ctx, wait); err != nil {
			return nil, err
		}
		found, err = w.bulk.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: keys, Canary: control})
		if !errors.Is(err, api.ErrCanaryMissing) {
			break
		}
	}
	return found, err
}

// lookupable returns those of rows that can be looked up, and their keys. The
// others it puts in doubt.
func (w *write) lookupable(rows []int32, control string) (asked []int32, keys []string) {
	times := map[string]int{control: 1} // the control's record is that of a row before these
	for i, fate := range w.chunk.Fates {
		switch fate {
		case pipeline.Written, pipeline.Updated, pipeline.Unchanged, pipeline.InDoubt:
			times[string(w.key(int32(i)))]++
		}
	}
	for _, row := range rows {
		times[string(w.key(row))]++
	}
	var lost []int32
	for _, row := range rows {
		key := w.key(row)
		// Of two rows with one key a record does not tell which of them it is.
		if control == "" || !api.Lookupable(key) || times[string(key)] > 1 || w.shared(row) {
			lost = append(lost, row)
			continue
		}
		asked, keys = append(asked, row), append(keys, string(key))
	}
	if len(lost) > 0 {
		w.doubt(lost, "the request was refused and they cannot be looked up", 0, nil)
	}
	return asked, keys
}
