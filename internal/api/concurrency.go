package api

import (
	"container/list"
	"context"
	"log/slog"
	"sync"

	"flytt/internal/drain"
)

// concurrencyLimiter bounds how many writes are in flight at once, between one and the
// configured maximum. It starts at the maximum, so that a fast server is not kept
// waiting, and finds the server's capacity by additive increase and multiplicative
// decrease: a sign of overload halves the limit, and as many successes as the limit
// raise it by about one. Waiting writes are served in order.
//
// A write may also be exclusive: it waits until no other is in flight, and later ones
// wait until it has ended.
type concurrencyLimiter struct {
	mu        sync.Mutex
	log       *slog.Logger
	drain     *drain.Gate
	maxLimit  int
	limit     float64
	inFlight  int
	exclusive bool      // the write in flight is exclusive
	granted   uint64    // permits granted so far
	queue     list.List // of *queuedWrite, in order of arrival
	// slowdown makes the limit grow more slowly after it was reduced because writes
	// were in each other's way. Otherwise an API that takes one write at a time would
	// be sent two again after every success.
	slowdown uint
	// round counts the reductions. Answers to requests sent before the last reduction
	// say nothing about the new limit: a burst that fails as a whole halves the limit
	// once.
	round uint64
}

// permit is the right to have one write in flight.
type permit struct {
	round     uint64 // in which it was granted
	granted   uint64 // how many permits had been granted, this one included
	shared    bool   // other writes were in flight when it was granted
	exclusive bool
}

// queuedWrite is a write that waits for a permit.
type queuedWrite struct {
	exclusive bool
	ready     chan struct{} // closed when it has its permit
	permit    permit
}

// loadSignal is what an attempt says about the load of the server.
type loadSignal uint8

const (
	loadUnknown loadSignal = iota
	loadOK                 // the server did what it was asked
	loadTooHigh            // the server asks for less, or is too slow
)

func loadOf(o *Outcome) loadSignal {
	switch {
	case o.Class == Answered:
		return loadOK
	case o.Class == NotProcessed, o.Class == InDoubt && timedOut(o.Err):
		return loadTooHigh
	}
	return loadUnknown
}

func newConcurrencyLimiter(most int, gate *drain.Gate, log *slog.Logger) *concurrencyLimiter {
	most = max(most, 1)
	return &concurrencyLimiter{log: log, drain: gate, maxLimit: most, limit: float64(most)}
}

// acquire waits for a permit, which the caller has to release. While an exclusive
// permit is held, no other write is in flight. It returns why, if ctx ends or the run
// is drained first.
func (s *concurrencyLimiter) acquire(ctx context.Context, alone bool) (permit, error) {
	s.mu.Lock()
	if s.queue.Len() == 0 && s.hasRoom(alone) {
		defer s.mu.Unlock()
		return s.admit(alone), nil
	}
	w := &queuedWrite{exclusive: alone, ready: make(chan struct{})}
	place := s.queue.PushBack(w)
	s.mu.Unlock()
	select {
	case <-w.ready:
		return w.permit, nil
	case <-ctx.Done():
	case <-s.drain.Done():
	}
	s.stopWaiting(place, w)
	return permit{}, s.drain.Err(ctx)
}

// hasRoom reports whether another write may be in flight now. The lock is held, as it
// is for admit, putBack and admitQueued.
func (s *concurrencyLimiter) hasRoom(alone bool) bool {
	if alone {
		return s.inFlight == 0
	}
	return !s.exclusive && s.inFlight < int(s.limit)
}

// admit grants a permit; there has to be room.
func (s *concurrencyLimiter) admit(alone bool) permit {
	s.inFlight++
	s.granted++
	s.exclusive = alone
	return permit{round: s.round, granted: s.granted, shared: s.inFlight > 1, exclusive: alone}
}

// putBack returns a permit and admits writes that wait.
func (s *concurrencyLimiter) putBack(given permit) {
	s.inFlight--
	s.exclusive = s.exclusive && !given.exclusive
	s.admitQueued()
}

// stopWaiting removes w, which no longer waits, from the queue. A permit that it got in
// the meantime goes to the next.
func (s *concurrencyLimiter) stopWaiting(place *list.Element, w *queuedWrite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.ready:
		s.putBack(w.permit)
	default:
		s.queue.Remove(place)
		s.admitQueued() // an exclusive write keeps others waiting
	}
}

// admitQueued grants permits to the writes that wait, as far as there is room.
func (s *concurrencyLimiter) admitQueued() {
	for first := s.queue.Front(); first != nil; first = s.queue.Front() {
		w := first.Value.(*queuedWrite)
		if !s.hasRoom(w.exclusive) {
			return
		}
		s.queue.Remove(first)
		w.permit = s.admit(w.exclusive)
		close(w.ready)
	}
}

// release puts back a permit and adapts the limit to the load signal of the attempt. It
// reports whether another write was in flight at any time meanwhile.
func (s *concurrencyLimiter) release(given permit, told loadSignal) (overlapped bool) {
	s.mu.Lock()
	before := int(s.limit)
	overlapped = given.shared || s.granted != given.granted
	s.adapt(given, told)
	s.putBack(given)
	after, reductions := int(s.limit), s.round
	s.mu.Unlock()
	s.logChange(before, after, reductions)
	return overlapped
}

// adapt adapts the limit to the load signal of the write that had the permit. An
// exclusive write says nothing about how many may be in flight at once.
func (s *concurrencyLimiter) adapt(given permit, told loadSignal) {
	switch {
	case told == loadOK && !given.exclusive && int(s.limit) < s.maxLimit:
		s.grow()
	case told == loadTooHigh && !given.exclusive:
		s.reduce(given.round)
	}
}

// grow raises the limit by what one success is worth.
func (s *concurrencyLimiter) grow() {
	before := int(s.limit)
	s.limit = min(s.limit+1/(s.limit*float64(uint(1)<<s.slowdown)), float64(s.maxLimit))
	if int(s.limit) > before && s.slowdown > 0 {
		s.slowdown--
	}
}

// reduce halves the limit, unless it was already reduced since round.
func (s *concurrencyLimiter) reduce(round uint64) {
	if round == s.round && s.limit >= 2 {
		s.limit = max(s.limit/2, 1)
		s.round++
	}
}

// maxSlowdown bounds slowdown: each step doubles the number of successes that it takes
// to raise the limit by one.
const maxSlowdown = 6

// recordConflict reduces the limit because a write that was in flight in round was
// refused because of other writes.
func (s *concurrencyLimiter) recordConflict(round uint64) {
	s.mu.Lock()
	before := int(s.limit)
	s.reduce(round)
	if int(s.limit) < before {
		s.slowdown = min(s.slowdown+2, maxSlowdown) // reaching the old limit has taken one step off
	}
	after, reductions := int(s.limit), s.round
	s.mu.Unlock()
	s.logChange(before, after, reductions)
}

// logChange logs that the limit has changed.
func (s *concurrencyLimiter) logChange(before, after int, reductions uint64) {
	switch {
	case after < before && reductions == 1:
		s.log.Info("the API is busy, sending fewer requests at once", "requests", after, "before", before)
	case after != before:
		s.log.Debug("limit of requests at once", "requests", after, "before", before)
	}
}
