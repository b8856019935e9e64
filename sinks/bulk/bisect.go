package bulk

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"flytt/internal/api"
)

// If the API refuses a request and does not say which rows are the reason, they are
// found by sending parts of it (bisecting). The rules:
//
//   - Only rows that are known not to have been written are sent again: either refused
//     requests are known to be atomic, or a lookup has shown that the rows are not in
//     the API. This lookup is made after every refusal, even if many lookups before
//     found nothing: an API that checks all rows before it writes any can still write
//     some of them if its database refuses one, so a hundred refusals that wrote
//     nothing prove nothing about the next one.
//   - A row is rejected only for the answer to a request that had no other row.
//   - Only what was refused is split. A part without a clear answer is in doubt, and
//     is not split.
//   - Parts are sent with nothing else in flight, so that another write cannot be the
//     reason for a refusal.
//
// The first refused row is found by halving: the first half of a refused part is sent.
// If it goes through, the row is in the second half, which is not sent as a whole but
// halved in turn. Nothing is then known about the rows after the refused one. They are
// sent as a whole while few rows have been refused; otherwise in groups. A group is as
// long as the stretch in which, by the rate so far, one refused row is expected, and
// groups grow while they go through. Finding k rows of n takes at most
// 2k·log2(n/k) + 1 requests while k is at most √n/3, or a twelfth of 500 or more rows,
// and 2.5k more otherwise.

// few is how many rows are refused before the length of groups is worked out by
// their share.
const few = 4

// bisect is the search for the rows of one request that the API refuses.
type bisect struct {
	rows            []int32 // not settled, in input order; once begun, known not to have been written
	bad             int     // so many of rows, from the first on, hold one that is refused; 0: that is not known
	size            int     // how many are sent at once where that is not known
	begun           bool    // a request was refused
	blind           bool    // the API did not say for which rows
	partial         bool    // rows of a refused request were written
	found           int     // rows refused
	passed          int     // rows that went through since it began
	sampled         bool    // whether most rows are refused has been looked into
	requestRefusals []api.Refusal

	alone   bool          // nothing else is in flight when a part is sent
	repeats int           // times that a part was sent once more, because another write kept it out
	wait    time.Duration // before the next part is sent
}

// ending is how a request ended.
type ending uint8

const (
	wentThrough ending = iota
	cameInDoubt
	wasTooLarge
	wasRefused
)

// verdict is what became of the rows of a request. Unless it was too large, all but
// those that are left are settled.
type verdict struct {
	ending          ending
	left            []int32       // of a refused request: not written, and to be sent again
	rejected        int           // how many rows it was refused for, as far as is known
	named           bool          // the API said which those are
	holds           bool          // there is such a row among those that are left
	partial         bool          // rows of it were written
	requestRefusals []api.Refusal // what was said of the request as a whole

	contended  bool        // it was refused because of another write
	overlapped bool        // others were in flight at the same time
	locked     []lockedRow // not written, because of another write, and not among those left
}

// search sends rows and finds those that the API refuses without a word which they are.
type search struct {
	engine     *engine
	options    *ImportOptions
	delivery   *delivery
	rows       *chunkRows
	journal    *chunkJournal
	rejections *rejections
	sender     *sender

	extra     int         // requests left to find out which rows are refused
	locked    []lockedRow // rows that other writes keep out, to be sent again
	holdsTurn bool        // to search while others wait: see refusalBreaker
}

// send sends rows and whatever that leads to, until the fate of each is known
// or the run has to stop.
func (se *search) send(ctx context.Context, rows []int32) error {
	for len(rows) > 0 {
		n := se.sender.fit(rows)
		sent, err := se.sendGroup(ctx, rows[:n:n])
		if err != nil {
			return err
		}
		rows = rows[sent:]
	}
	return se.sendLocked(ctx)
}

// sendGroup sends rows in one request, and what is refused of it in parts. It
// returns how many of rows are settled: all, or none if they are too many for one
// request.
func (se *search) sendGroup(ctx context.Context, rows []int32) (int, error) {
	b := bisect{rows: rows, size: len(rows)}
	defer se.delivery.breaker.releaseTurn(&se.holdsTurn)
	for len(b.rows) > 0 {
		part := b.rows[:b.next()]
		part = part[:se.sender.fit(part)]
		r, err := se.sendPart(ctx, &b, part)
		if err != nil {
			return 0, err
		}
		if r.ending == wasTooLarge && len(part) > 1 && !b.begun {
			return 0, nil
		}
		if b.again(len(part), &r) {
			continue
		}
		se.setAside(&r)
		b.take(len(part), &r)
		if err := se.consider(ctx, &b); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// sendPart sends part, within what the search may cost. When that is used up, all
// rows that are left are rejected.
func (se *search) sendPart(ctx context.Context, b *bisect, part []int32) (verdict, error) {
	if !b.begun {
		return se.sender.post(ctx, part, false)
	}
	if se.extra == 0 {
		se.rejections.rejectAll(se.stillPending(b.rows), codeRefusedChunk, b.requestRefusals)
		b.rows = nil
		return verdict{}, nil
	}
	se.extra--
	wait := b.wait
	b.wait = 0
	if err := pauseAbout(ctx, se.engine.options.Drain, wait); err != nil {
		return verdict{}, err
	}
	return se.sender.post(ctx, part, b.alone)
}

func (b *bisect) next() int {
	if b.bad > 0 {
		return max(b.bad/2, 1)
	}
	return min(b.size, len(b.rows))
}

// take takes in what became of the first n rows.
func (b *bisect) take(n int, r *verdict) {
	switch {
	case len(b.rows) == 0: // the search was given up
	case r.ending == wentThrough:
		b.pass(n)
	case r.ending == wasRefused:
		b.refuse(n, r)
	case r.ending == cameInDoubt, n == 1:
		b.rows, b.bad = b.rows[n:], 0
	}
}

// pass takes in that the first n rows went through: the one that is refused is
// behind them.
func (b *bisect) pass(n int) {
	b.rows, b.passed = b.rows[n:], b.passed+n
	if b.bad > 0 {
		b.bad -= n
		return
	}
	b.size *= 2
}

// refuse takes in that the first n rows were refused together. Where the API says
// which rows are the reason, the others are sent as before.
func (b *bisect) refuse(n int, r *verdict) {
	b.begun, b.partial = true, b.partial || r.partial
	b.rows, b.bad = append(r.left, b.rows[n:]...), 0
	if r.named {
		b.size = len(b.rows)
		return
	}
	b.blind, b.alone = true, true
	if n > 1 { // what the API says of one row does not hold for others
		b.requestRefusals = r.requestRefusals
	}
	b.found += r.rejected
	b.size = b.group()
	if r.holds && !r.partial {
		b.bad = len(r.left)
	}
}

// group returns how many rows to send next, where nothing is known of them. If
// the API writes rows of a request that it refuses, those it has not written may
// well be refused, every one of them.
func (b *bisect) group() int {
	switch {
	case b.partial:
		return 1
	case b.found < few:
		return len(b.rows)
	}
	return 1 << max(bits.Len(uint(b.passed/b.found))-1, 0)
}

// sendUnproven sends rows, and behind the others those that were in doubt and whose keys
// a look-up does not find: one by one, as far as MaxExtra goes. If one request with all of
// them is refused because of one, all are in doubt again.
func (se *search) sendUnproven(ctx context.Context, rows []int32) error {
	o := se.options
	if o.Atomicity == AllOrNothing || !slices.Contains(se.journal.resend, true) {
		return se.send(ctx, rows)
	}
	var rest, unproven []int32
	for _, row := range rows {
		if se.journal.resend[row] && !se.engine.forms.trusts(se.rows.key(row)) {
			unproven = append(unproven, row)
		} else {
			rest = append(rest, row)
		}
	}
	if err := se.send(ctx, rest); err != nil {
		return err
	}
	size := (len(unproven) + o.MaxExtra - 1) / o.MaxExtra
	for len(unproven) > 0 {
		n := min(size, len(unproven))
		if err := se.send(ctx, unproven[:n:n]); err != nil {
			return err
		}
		unproven = unproven[n:]
	}
	return nil
}

// begin forgets the rows of the chunk before.
func (se *search) begin() { se.extra, se.locked = se.options.MaxExtra, nil }
