package bulk

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"flytt/internal/api"
	"flytt/internal/drain"
)

// The API may refuse a request because another write is under way, and not because of its
// rows: that write "keeps it out". The rules for this, in addition to those of bisecting:
//
//   - From then on fewer requests are sent at once, and the refused request is sent once
//     more with nothing else in flight, before it is split or any row of it is rejected.
//     Only rows that are known not to have been written are sent again.
//   - While a request is split, its parts are sent with nothing else in flight, too.
//   - A row that is kept out even then, by writes of somebody else, is set aside. It is
//     rejected only after it was sent alone a few more times, with pauses between.

// Writer makes one attempt of a write: an [api.Client], or an [api.Exclusive], which waits
// until nothing else is in flight.
type Writer interface {
	BulkWrite(ctx context.Context, path string, body, into []byte) api.Outcome
	Update(ctx context.Context, path, id string, body, into []byte) api.Outcome
	Delete(ctx context.Context, path, id string) api.Outcome
}

// lockedRow is a row that another write kept out, and what the API said of it.
type lockedRow struct {
	row      int32
	refusals []api.Refusal
}

// reasonsOf returns what refusals say of one item, as of the only one of a request.
func reasonsOf(refusals []api.Refusal, item int) (out []api.Refusal) {
	for _, r := range refusals {
		if r.Item == item {
			r.Item = 0
			out = append(out, r)
		}
	}
	return out
}

// aloneWaits is how long to wait before each time that a request which another write
// kept out is sent once more as it was, alone.
var aloneWaits = []time.Duration{0, 500 * time.Millisecond}

// again reports whether the first n rows, which ended in r, are to be sent once more as
// they were, and prepares that.
func (b *bisect) again(n int, r *verdict) bool {
	if !r.contended {
		return false
	}
	if (b.alone || !r.overlapped) && b.repeats == 0 {
		b.repeats = 1 // nothing else was in flight: sending it at once would not be different
	}
	b.begun, b.alone = true, true
	if b.repeats == len(aloneWaits) || n == 1 && b.repeats > 0 {
		return false
	}
	b.wait = aloneWaits[b.repeats]
	b.repeats++
	left := slices.Clone(r.left)
	for i := range r.locked {
		left = append(left, r.locked[i].row)
	}
	slices.Sort(left)
	b.rows, b.bad = append(left, b.rows[n:]...), 0
	b.size = cmp.Or(len(left), len(b.rows))
	if n > 1 || len(b.rows) == 1 { // what the API says of one row does not hold for others
		b.requestRefusals = r.requestRefusals
	}
	return true
}

// setAside takes the rows that another write kept out from the search: they are sent
// again in the end.
func (se *search) setAside(r *verdict) {
	se.locked = append(se.locked, r.locked...)
	r.rejected += len(r.locked)
	r.locked = nil
}

// lastWaits is how long to wait, at most, before each round in which what other writes
// kept out is sent for the last times.
var lastWaits = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

// lastRounds has send make the writes that others kept out once more, until none is kept
// out any more or that was done often enough. It returns those that still are.
func lastRounds[T any](ctx context.Context, gate *drain.Gate, kept []T, send func(T) ([]T, error)) ([]T, error) {
	for _, wait := range lastWaits {
		if len(kept) == 0 {
			break
		}
		err := pauseAbout(ctx, gate, wait)
		if err == nil {
			kept, err = sendRound(kept, send)
		}
		if err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// sendRound has send make each of writes. Send returns the write if another one kept it
// out. SendRound returns all of those.
func sendRound[T any](writes []T, send func(T) ([]T, error)) (kept []T, err error) {
	for _, w := range writes {
		still, err := send(w)
		if err != nil {
			return nil, err
		}
		kept = append(kept, still...)
	}
	return kept, nil
}

// pauseAbout waits for d or somewhat less, so that those who were in each other's way do
// not come back together.
func pauseAbout(ctx context.Context, gate *drain.Gate, d time.Duration) error {
	if d == 0 {
		return nil
	}
	return gate.Sleep(ctx, d/2+rand.N(d/2))
}

// sendLocked sends the rows that were set aside, one by one and alone. Those that are
// kept out to the end are rejected.
func (se *search) sendLocked(ctx context.Context) (err error) {
	if se.extra > 0 {
		se.locked, err = lastRounds(ctx, se.engine.options.Drain, se.locked, func(l lockedRow) ([]lockedRow, error) {
			if se.extra == 0 {
				return []lockedRow{l}, nil
			}
			se.extra--
			r, err := se.sender.post(ctx, []int32{l.row}, true)
			return r.locked, err
		})
	}
	if err != nil {
		return err
	}
	for _, l := range se.locked {
		se.rejections.rejectOne(l.row, l.refusals)
	}
	se.rejections.lockedOut += len(se.locked)
	se.locked = nil
	return nil
}

// keptWrite is a write of one record that another write kept out.
type keptWrite struct {
	index    int
	refusals []api.Refusal
}

// mostlyLocked reports whether most of the rows of the chunk that were refused so far
// were kept out by other writes.
func (se *search) mostlyLocked() bool {
	return 2*(len(se.locked)+se.rejections.lockedOut) > len(se.locked)+se.rejections.refused
}

// sendEach makes the writes of rows, each of which is about one record. Send makes that
// of rows[i], alone or not, and returns what was said of it if another write kept it out.
// Those that are kept out are sent again in the end, and rejected if that does not help.
func (rj *rejections) sendEach(ctx context.Context, rows []int32, send func(i int, alone bool) ([]api.Refusal, error)) error {
	all := make([]keptWrite, len(rows))
	for i := range all {
		all[i].index = i
	}
	alone := false // the first time others may be in flight
	sendOne := func(k keptWrite) ([]keptWrite, error) {
		refusals, err := send(k.index, alone)
		if err != nil || refusals == nil {
			return nil, err
		}
		return []keptWrite{{k.index, refusals}}, nil
	}
	kept, err := sendRound(all, sendOne)
	if err == nil {
		alone = true
		kept, err = lastRounds(ctx, rj.engine.options.Drain, kept, sendOne)
	}
	for _, k := range kept {
		rj.rejectOne(rows[k.index], k.refusals)
	}
	rj.lockedOut += len(kept)
	return err
}

// deliverOne has deliver make a write of one record, which is sent, until it may have been
// processed; once more and alone if others were in flight and kept it out. Kept is what
// was said if it is kept out in the end.
func (d *delivery) deliverOne(sent []byte, alone bool, deliver func(via Writer) (api.Outcome, error)) (o api.Outcome, kept []api.Refusal, err error) {
	for {
		if o, err = deliver(d.writer(alone)); err != nil {
			return o, nil, err
		}
		if kept = d.keptOut(&o, sent); kept == nil || alone || !o.Overlapped {
			return o, kept, nil
		}
		alone = true
	}
}
