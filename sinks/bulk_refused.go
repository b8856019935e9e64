package sinks

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/pipeline"
)

// refused settles rows after the API has refused the request they were in. The
// rows it names are rejected. What became of the others depends on whether a
// request is written all or not at all: those that are known not to have been
// written are left.
func (w *write) refused(ctx context.Context, rows []int32, o api.Outcome) (verdict, error) {
	return w.refusedFor(ctx, rows, api.ParseRefusals(o.Body, w.sent(rows)))
}

// refusedFor settles rows that were refused for what refusals say.
func (w *write) refusedFor(ctx context.Context, rows []int32, refusals []api.Refusal) (verdict, error) {
	others := w.rejectNamed(rows, refusals)
	r := verdict{ending: wasRefused, left: others, rejected: len(rows) - len(others), whole: refusals}
	r.named = r.rejected > 0 && len(rows) > 1
	atomicity := w.bulk.options.Atomicity
	if len(rows) > 1 && atomicity != AllOrNothing && !(r.named && atomicity == PartialWrites) {
		return w.lookForOthers(ctx, r)
	}
	w.bulk.doubts.Store(0)
	switch {
	case len(rows) == 1:
		w.rejectAll(others, codeRefused, refusals)
		r.rejected, r.left = 1, nil
	case atomicity == PartialWrites:
		for _, row := range others {
			w.written(row, nil)
		}
		r.left = nil
	default:
		r.holds = !r.named
	}
	return r, nil
}

// lookForOthers settles those of the rows left of a refused request that were
// written all the same, or of which that cannot be told.
func (w *write) lookForOthers(ctx context.Context, r verdict) (verdict, error) {
	others := r.left
	var err error
	if r.left, err = w.absent(ctx, others); err != nil {
		return r, err
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
		return r, w.doubted(http.MethodPost, w.bulk.options.Path, errUnclear)
	}
	w.bulk.doubts.Store(0)
	return r, nil
}

var errUnclear = errors.New("refused, and what became of the rows that it does not mind cannot be told")

// rejectNamed rejects the rows that refusals name and returns the others.
func (w *write) rejectNamed(rows []int32, refusals []api.Refusal) (others []int32) {
	for _, r := range refusals {
		if r.Item >= 0 {
			w.noteRefusal(rows[r.Item], codeRefused, r)
		}
	}
	for _, row := range rows {
		if w.chunk.Fates[row] == pipeline.Pending {
			others = append(others, row)
		}
	}
	return others
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
func (s *Bulk) field(name string) int16 {
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
	if err := pauseFor(ctx, 2*w.bulk.control.lag); err != nil { // the list may be behind
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
		switch records := w.perhapsOwn(row, of.Records); {
		case len(records) > 0 && w.leavesDoubt(row, records):
			unclear = append(unclear, row)
		case len(records) > 0:
			w.found(row, records)
		case len(of.Near) == 0 && w.bulk.forms.trusts(w.key(row)):
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
		if err := pauseFor(ctx, wait); err != nil {
			return nil, err
		}
		found, err = w.bulk.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: keys, Control: control})
		if !errors.Is(err, api.ErrBlind) {
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

// isOwn reports whether record, which has the key of row, may be taken for the one that
// row made.
func (w *write) isOwn(row int32, record []byte) bool {
	return w.bulk.ageOf(record) == ofRun || api.Same(w.item(row), record)
}

// perhapsOwn returns those of records, which have the key of row, that the row may have
// made: none that is older than the run, unless all are, and if only one of them holds
// what was sent, that one.
func (w *write) perhapsOwn(row int32, records []api.Record) []api.Record {
	if len(records) < 2 {
		return records
	}
	older := func(r api.Record) bool { return w.bulk.ageOf(r.Object) == olderThanRun }
	young := slices.DeleteFunc(slices.Clone(records), older)
	if len(young) == 0 {
		return records
	}
	differs := func(r api.Record) bool { return !api.Same(w.item(row), r.Object) }
	if same := slices.DeleteFunc(slices.Clone(young), differs); len(same) == 1 {
		return same
	}
	return young
}

// leavesDoubt reports whether records, which have the key of row, do not tell what became
// of it: several were made since the run began, or none was, and the row's own may have
// another key, which the API made of it.
func (w *write) leavesDoubt(row int32, records []api.Record) bool {
	switch w.bulk.ageOf(records[0].Object) {
	case ofRun:
		return len(records) > 1
	case olderThanRun:
		return !w.bulk.forms.trusts(w.key(row))
	}
	return false
}

// found settles a row that was sent by the records that have its key. One that was made
// since the run began is the row's, whatever the API made of its values. One that is
// older was made by somebody else: an undo is not to delete it.
func (w *write) found(row int32, records []api.Record) {
	record := records[0].Object
	same := api.Same(w.item(row), record)
	age := w.bulk.ageOf(record)
	switch {
	case len(records) > 1:
		w.note(row, w.bulk.field(w.bulk.options.Key), CodeKeyNotUnique, "")
	case same && age == olderThanRun:
		w.chunk.Fates[row] = pipeline.Unchanged
		w.setID(row, []byte(records[0].ID))
	case same || age == ofRun:
		w.written(row, []byte(records[0].ID))
		w.takeCreated(row, record)
	default:
		w.note(row, w.bulk.field(w.bulk.options.Key), CodeKeyConflict, "")
	}
}
