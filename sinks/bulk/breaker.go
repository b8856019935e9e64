package bulk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"flytt/pipeline"
)

// A run is stopped if the API refuses one row after the other: then the rows are not
// the cause. Only rows that were refused alone, or by name, are rejected; the others
// count as not sent. Only what this process has seen counts, so that a resumed run
// starts its count at zero.
const (
	suspicious = 4  // rows refused, more than went through, after which a chunk is sampled
	sampleSize = 16 // rows of the sample, from all over the chunk
	worthwhile = 32 // rows there must be left for that: fewer are sent in any case
	badChunks  = 3  // in a row that most rows of are refused
	badRows    = 48 // there must be in those
)

// refusalBreaker is how the rows of a run fare, for concurrent use.
type refusalBreaker struct {
	path    string        // that rows are sent to
	turn    chan struct{} // has room for the one who searches while no chunk has gone well
	healthy atomic.Bool   // most rows of some chunk went through
	stop    atomic.Pointer[stopError]

	mu      sync.Mutex
	chunks  int // bad ones in a row
	refused int // rows of those
}

// tripped returns why nothing more is to be sent, or nil.
func (o *refusalBreaker) tripped() error {
	if e := o.stop.Load(); e != nil {
		return e
	}
	return nil
}

// takeTurn waits until the caller, who may hold the turn, may search for rows that are refused. While no chunk has
// gone well, one does so at a time: what it finds out may spare the others it.
func (o *refusalBreaker) takeTurn(ctx context.Context, holdsTurn *bool) error {
	if *holdsTurn || o.healthy.Load() {
		return o.tripped()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case o.turn <- struct{}{}:
		*holdsTurn = true
	}
	return o.tripped()
}

func (o *refusalBreaker) releaseTurn(holdsTurn *bool) {
	if *holdsTurn {
		*holdsTurn = false
		<-o.turn
	}
}

// noteChunk takes in how the rows of the chunk fared. It returns an error if that of
// those before it and of this one is no good.
func (o *refusalBreaker) noteChunk(fates []pipeline.Fate, bad int, locked bool) error {
	good := 0
	for _, fate := range fates {
		if hasRecord(fate) {
			good++
		}
	}
	switch {
	case good > 0 && good >= bad:
		o.noteGood()
	case bad > 0 && !o.healthy.Load():
		return o.noteBad(bad, locked)
	}
	return nil
}

// noteGood takes in that most rows of a chunk went through.
func (o *refusalBreaker) noteGood() {
	o.healthy.Store(true)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chunks, o.refused = 0, 0
}

// noteBad takes in that most rows of a chunk are refused, n so far, and returns an
// error if there were enough of those.
func (o *refusalBreaker) noteBad(n int, locked bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chunks++
	o.refused += n
	if o.chunks < badChunks || o.refused < badRows {
		return nil
	}
	return o.trip(o.refused, locked)
}

// trip stops the run, in which n rows were refused.
func (o *refusalBreaker) trip(n int, locked bool) error {
	why := &stopError{
		reason: ErrMostRefused,
		what:   fmt.Sprintf("POST %s: most rows are refused, %d so far: check the mapping and the permissions", o.path, n),
		hint:   "the rejects file has the API's own words; the other rows were not sent. If they are in the API already, --skip-existing leaves them out",
	}
	if locked {
		why = &stopError{
			reason: errLockedOut,
			what:   fmt.Sprintf("POST %s: most rows are refused because of other writes to the same records, %d so far", o.path, n),
			hint:   "nothing else was sent at the same time, so other programs or people are writing there; resume the run when they have finished",
		}
	}
	o.stop.CompareAndSwap(nil, why)
	return o.tripped()
}

// ErrMostRefused says that a run was stopped because the API refuses most of its
// rows.
var ErrMostRefused = errors.New("most rows are refused")

// These are the other reasons for which a run is stopped.
var (
	errLockedOut    = errors.New("other writes keep most rows out")
	errDoubts       = errors.New("the last requests all ended in doubt")
	errCannotFind   = errors.New("existing records cannot be found")
	errChangedInput = errors.New("the input is not that of the journal")
)

// stopError stops a run. Its reason, one of those above, is for errors.Is.
type stopError struct {
	reason error
	what   string
	hint   string
	cause  error // nil: there is none but the reason
}

func (e *stopError) Error() string { return e.what }

// Is reports whether target is the reason.
func (e *stopError) Is(target error) bool { return target == e.reason }

func (e *stopError) Unwrap() error { return e.cause }

// Hint says what to do about it.
func (e *stopError) Hint() string { return e.hint }

// consider sees, once rows were refused without a word which they are, whether
// the search continues.
func (se *search) consider(ctx context.Context, b *bisect) error {
	if !b.blind || len(b.rows) < 2 {
		return nil
	}
	if err := se.delivery.breaker.takeTurn(ctx, &se.holdsTurn); err != nil {
		return err
	}
	if b.sampled || b.partial || b.found < suspicious || b.found <= b.passed || len(b.rows) < worthwhile {
		return nil
	}
	b.sampled = true
	return se.sample(ctx, b)
}

// sample sends some rows from all over the chunk, each by itself, and stops the
// run if most of them are refused, too.
func (se *search) sample(ctx context.Context, b *bisect) error {
	found, passed := b.found, b.passed
	for _, row := range spread(b.rows, sampleSize) {
		r, err := se.sendPart(ctx, b, []int32{row})
		se.setAside(&r)
		switch {
		case err != nil:
			return err
		case len(b.rows) == 0:
			return nil
		case r.ending == wasRefused:
			b.found++
		case r.ending == wentThrough:
			b.passed++
		}
	}
	b.rows, b.bad = se.stillPending(b.rows), 0
	b.size = b.group()
	if b.passed-passed >= b.found-found {
		return nil
	}
	return se.delivery.breaker.noteBadSample(b.found, se.mostlyLocked())
}

// noteBadSample takes in that most rows of a sample were refused, n with those before
// it. Unless chunks went well before, that is enough to stop.
func (o *refusalBreaker) noteBadSample(n int, locked bool) error {
	if o.healthy.Load() {
		return o.noteBad(n, locked)
	}
	return o.trip(n, locked)
}

// spread returns n of rows from all over them, or all if they are no more.
func spread(rows []int32, n int) []int32 {
	if len(rows) <= n {
		return append([]int32(nil), rows...)
	}
	out := make([]int32, n)
	for i := range out {
		out[i] = rows[(2*i+1)*len(rows)/(2*n)]
	}
	return out
}

// stillPending returns those of rows that are Pending and not set aside.
func (se *search) stillPending(rows []int32) []int32 {
	return slices.DeleteFunc(se.rows.withFate(rows, pipeline.Pending), func(row int32) bool {
		return slices.ContainsFunc(se.locked, func(l lockedRow) bool { return l.row == row })
	})
}
