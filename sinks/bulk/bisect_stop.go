package bulk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"flytt/pipeline"
)

// A run whose rows the API refuses one after the other is stopped: it is not the
// rows that are wrong then. Nothing that was not refused by itself, or by name, is
// rejected for that; what is left was not sent. Only what this process has seen
// counts, so that a run that is gone on with is judged anew.
const (
	suspicious = 4  // rows refused, more than went through, after which a chunk is sampled
	sampleSize = 16 // rows of the sample, from all over the chunk
	worthwhile = 32 // rows there must be left for that: fewer are sent in any case
	badChunks  = 3  // in a row that most rows of are refused
	badRows    = 48 // there must be in those
)

// outlook is how the rows of a run fare, for concurrent use.
type outlook struct {
	turn chan struct{} // has room for the one who searches while no chunk has gone well
	fine atomic.Bool   // most rows of some chunk went through
	stop atomic.Pointer[error]

	mu      sync.Mutex
	chunks  int // bad ones in a row
	refused int // rows of those
}

func (o *outlook) init() { o.turn = make(chan struct{}, 1) }

// stopped returns why nothing more is to be sent, or nil.
func (o *outlook) stopped() error {
	if e := o.stop.Load(); e != nil {
		return *e
	}
	return nil
}

// enter waits until w may search for rows that are refused. While no chunk has
// gone well, one does so at a time: what it finds out may spare the others it.
func (o *outlook) enter(ctx context.Context, w *write) error {
	if w.holdsTurn || o.fine.Load() {
		return o.stopped()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case o.turn <- struct{}{}:
		w.holdsTurn = true
	}
	return o.stopped()
}

// leave lets the next one search.
func (o *outlook) leave(w *write) {
	if w.holdsTurn {
		w.holdsTurn = false
		<-o.turn
	}
}

// judge takes in how the rows of the chunk fared. It returns an error if that of
// those before it and of this one is no good.
func (o *outlook) judge(w *write) error {
	bad, good := w.turnedAway, 0
	for _, fate := range w.chunk.Fates {
		switch fate {
		case pipeline.Written, pipeline.Updated, pipeline.Unchanged:
			good++
		}
	}
	switch {
	case good > 0 && good >= bad:
		o.well()
	case bad > 0 && !o.fine.Load():
		return o.bad(w, bad)
	}
	return nil
}

// well takes in that most rows of a chunk went through.
func (o *outlook) well() {
	o.fine.Store(true)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chunks, o.refused = 0, 0
}

// bad takes in that most rows of a chunk are refused, n so far, and returns an
// error if there were enough of those.
func (o *outlook) bad(w *write, n int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chunks++
	o.refused += n
	if o.chunks < badChunks || o.refused < badRows {
		return nil
	}
	return o.giveUp(w, o.refused)
}

// giveUp stops the run, in which n rows were refused.
func (o *outlook) giveUp(w *write, n int) error {
	var why error = &hopelessError{path: w.bulk.options.Path, rows: n}
	if w.mostlyLocked() {
		why = &lockedOutError{path: w.bulk.options.Path, rows: n}
	}
	o.stop.CompareAndSwap(nil, &why)
	return o.stopped()
}

// ErrMostRefused says that a run was stopped because the API refuses most of its
// rows.
var ErrMostRefused = errors.New("most rows are refused")

// hopelessError stops a run most of whose rows the API refuses.
type hopelessError struct {
	path string
	rows int
}

func (e *hopelessError) Error() string {
	return fmt.Sprintf("POST %s: most rows are refused, %d so far: the mapping or the permissions look wrong", e.path, e.rows)
}

// Is reports whether target is ErrMostRefused.
func (e *hopelessError) Is(target error) bool { return target == ErrMostRefused }

// Hint says what to do about it.
func (e *hopelessError) Hint() string {
	return "the rejects file has the API's own words; the other rows were not sent. If they are in the API already, --skip-existing leaves them out"
}

// consider sees, once rows were refused without a word which they are, whether
// the search is to go on.
func (w *write) consider(ctx context.Context, b *bisect) error {
	if !b.blind || len(b.rows) < 2 {
		return nil
	}
	if err := w.bulk.outlook.enter(ctx, w); err != nil {
		return err
	}
	if b.sampled || b.partial || b.found < suspicious || b.found <= b.passed || len(b.rows) < worthwhile {
		return nil
	}
	b.sampled = true
	return w.sample(ctx, b)
}

// sample sends some rows from all over the chunk, each by itself, and stops the
// run if most of them are refused, too.
func (w *write) sample(ctx context.Context, b *bisect) error {
	found, passed := b.found, b.passed
	for _, row := range spread(b.rows, sampleSize) {
		r, err := w.sendPart(ctx, b, []int32{row})
		w.setAside(&r)
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
	b.rows, b.bad = w.stillPending(b.rows), 0
	b.size = b.group()
	if b.passed-passed >= b.found-found {
		return nil
	}
	return w.bulk.outlook.sampledBad(w, b.found)
}

// sampledBad takes in that most rows of a sample were refused, n with those before
// it. Unless chunks went well before, that is enough to stop.
func (o *outlook) sampledBad(w *write, n int) error {
	if o.fine.Load() {
		return o.bad(w, n)
	}
	return o.giveUp(w, n)
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
func (w *write) stillPending(rows []int32) (out []int32) {
	for _, row := range rows {
		if w.chunk.Fates[row] == pipeline.Pending && !w.isLocked(row) {
			out = append(out, row)
		}
	}
	return out
}
