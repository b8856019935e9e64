package api

import (
	"container/list"
	"context"
	"log/slog"
	"sync"

	"flytt/internal/drain"
)

// concurrencyLimiter bounds how many writes are under way at once, between one and what the
// client is configured for. It begins with all of them, so that a fast server
// is not kept waiting, and finds by additive increase and multiplicative
// decrease how many the server bears: a sign of overload halves the limit, and
// as many successes as the limit add about one. What waits is served in order.
//
// A write may also go alone: it waits until no other is in flight, and those that
// come after it wait until it has ended.
type concurrencyLimiter struct {
	mu        sync.Mutex
	log       *slog.Logger
	drain     *drain.Gate
	maxLimit  int
	limit     float64
	inFlight  int
	exclusive bool      // what is in flight goes alone
	granted   uint64    // slots given out so far
	queue     list.List // of *waiter, the first to come first
	// slowdown slows the growth of the limit down, after it was reduced because
	// writes were in each other's way: otherwise an API that takes one at a time
	// would be sent two again after every success.
	slowdown uint
	// permitRound counts the reductions. Answers to what was sent before the last one
	// say nothing of the limit as it is: a burst that is turned away whole
	// halves the limit once.
	round uint64
}

// permit is the right to have one write in flight.
type permit struct {
	round     uint64 // in which it was given out
	granted   uint64 // how many had been given out then, with it
	shared    bool   // other writes were in flight then
	exclusive bool
}

// queuedWrite is a write that waits for a slot.
type queuedWrite struct {
	exclusive bool
	ready     chan struct{} // closed when it has one
	permit    permit
}

// loadSignal is what an attempt tells of the server.
type loadSignal uint8

const (
	loadUnknown loadSignal = iota
	loadOK                 // it did what it was asked
	loadTooHigh            // it asks for less, or is too slow
)

// loadOf returns what o tells of the server.
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

// acquire waits for a slot. If ctx ends or the run is drained first it returns why. It is to be
// handed to release. Alone, no other write is in flight from then until that.
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

// hasRoom reports whether a write may be in flight beside those that are. The lock is
// held, as it is for enter, exit and grant.
func (s *concurrencyLimiter) hasRoom(alone bool) bool {
	if alone {
		return s.inFlight == 0
	}
	return !s.exclusive && s.inFlight < int(s.limit)
}

// admit gives out a slot that is free.
func (s *concurrencyLimiter) admit(alone bool) permit {
	s.inFlight++
	s.granted++
	s.exclusive = alone
	return permit{round: s.round, granted: s.granted, shared: s.inFlight > 1, exclusive: alone}
}

// putBack takes back a slot and gives what is free now to those who wait.
func (s *concurrencyLimiter) putBack(given permit) {
	s.inFlight--
	s.exclusive = s.exclusive && !given.exclusive
	s.admitQueued()
}

// stopWaiting takes w, which stopped waiting, out of the queue. A slot that it got in
// the meantime goes to the next.
func (s *concurrencyLimiter) stopWaiting(place *list.Element, w *queuedWrite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.ready:
		s.putBack(w.permit)
	default:
		s.queue.Remove(place)
		s.admitQueued() // it may have gone alone, and kept others waiting
	}
}

// admitQueued gives the slots that are free to those who wait.
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

// release gives back a slot, and adapts the limit to what the attempt told. It
// reports whether any other write was in flight meanwhile.
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

// adapt takes in what the attempt told that had the slot. What went alone says nothing
// of how many may go at once.
func (s *concurrencyLimiter) adapt(given permit, told loadSignal) {
	switch {
	case told == loadOK && !given.exclusive && int(s.limit) < s.maxLimit:
		s.grow()
	case told == loadTooHigh && !given.exclusive:
		s.reduce(given.round)
	}
}

// grow adds to the limit what one success is worth.
func (s *concurrencyLimiter) grow() {
	before := int(s.limit)
	s.limit = min(s.limit+1/(s.limit*float64(uint(1)<<s.slowdown)), float64(s.maxLimit))
	if int(s.limit) > before && s.slowdown > 0 {
		s.slowdown--
	}
}

// reduce halves the limit, if it was not reduced since round.
func (s *concurrencyLimiter) reduce(round uint64) {
	if round == s.round && s.limit >= 2 {
		s.limit = max(s.limit/2, 1)
		s.round++
	}
}

// maxSlowdown bounds caution: so many doublings of the successes that it takes to add
// one to the limit.
const maxSlowdown = 6

// recordConflict takes in that a write that was in flight in round, with others, was refused
// because of them.
func (s *concurrencyLimiter) recordConflict(round uint64) {
	s.mu.Lock()
	before := int(s.limit)
	s.reduce(round)
	if int(s.limit) < before {
		s.slowdown = min(s.slowdown+2, maxSlowdown) // growing to where that was has taken one away
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
