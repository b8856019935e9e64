package api

import (
	"container/list"
	"context"
	"log/slog"
	"sync"

	"flytt/internal/drain"
)

// slots bounds how many writes are under way at once, between one and what the
// client is configured for. It begins with all of them, so that a fast server
// is not kept waiting, and finds by additive increase and multiplicative
// decrease how many the server bears: a sign of overload halves the limit, and
// as many successes as the limit add about one. What waits is served in order.
//
// A write may also go alone: it waits until no other is in flight, and those that
// come after it wait until it has ended.
type slots struct {
	mu       sync.Mutex
	log      *slog.Logger
	drain    *drain.Gate
	most     int
	limit    float64
	inFlight int
	alone    bool      // what is in flight goes alone
	entered  uint64    // slots given out so far
	waiting  list.List // of *waiter, the first to come first
	// caution slows the growth of the limit down, after it was reduced because
	// writes were in each other's way: otherwise an API that takes one at a time
	// would be sent two again after every success.
	caution uint
	// round counts the reductions. Answers to what was sent before the last one
	// say nothing of the limit as it is: a burst that is turned away whole
	// halves the limit once.
	round uint64
}

// slot is the right to have one write in flight.
type slot struct {
	round   uint64 // in which it was given out
	entered uint64 // how many had been given out then, with it
	company bool   // other writes were in flight then
	alone   bool
}

// waiter is a write that waits for a slot.
type waiter struct {
	alone bool
	ready chan struct{} // closed when it has one
	slot  slot
}

// load is what an attempt tells of the server.
type load uint8

const (
	loadUnknown load = iota
	loadRoom         // it did what it was asked
	loadTooHigh      // it asks for less, or is too slow
)

// loadOf returns what o tells of the server.
func loadOf(o *Outcome) load {
	switch {
	case o.Class == Answered:
		return loadRoom
	case o.Class == NotProcessed, o.Class == InDoubt && timedOut(o.Err):
		return loadTooHigh
	}
	return loadUnknown
}

func newSlots(most int, gate *drain.Gate, log *slog.Logger) *slots {
	most = max(most, 1)
	return &slots{log: log, drain: gate, most: most, limit: float64(most)}
}

// acquire waits for a slot. If ctx ends or the run is drained first it returns why. It is to be
// handed to release. Alone, no other write is in flight from then until that.
func (s *slots) acquire(ctx context.Context, alone bool) (slot, error) {
	s.mu.Lock()
	if s.waiting.Len() == 0 && s.free(alone) {
		defer s.mu.Unlock()
		return s.enter(alone), nil
	}
	w := &waiter{alone: alone, ready: make(chan struct{})}
	place := s.waiting.PushBack(w)
	s.mu.Unlock()
	select {
	case <-w.ready:
		return w.slot, nil
	case <-ctx.Done():
	case <-s.drain.Done():
	}
	s.leave(place, w)
	return slot{}, s.drain.Err(ctx)
}

// free reports whether a write may be in flight beside those that are. The lock is
// held, as it is for enter, exit and grant.
func (s *slots) free(alone bool) bool {
	if alone {
		return s.inFlight == 0
	}
	return !s.alone && s.inFlight < int(s.limit)
}

// enter gives out a slot that is free.
func (s *slots) enter(alone bool) slot {
	s.inFlight++
	s.entered++
	s.alone = alone
	return slot{round: s.round, entered: s.entered, company: s.inFlight > 1, alone: alone}
}

// exit takes back a slot and gives what is free now to those who wait.
func (s *slots) exit(given slot) {
	s.inFlight--
	s.alone = s.alone && !given.alone
	s.grant()
}

// leave takes w, which stopped waiting, out of the queue. A slot that it got in
// the meantime goes to the next.
func (s *slots) leave(place *list.Element, w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.ready:
		s.exit(w.slot)
	default:
		s.waiting.Remove(place)
		s.grant() // it may have gone alone, and kept others waiting
	}
}

// grant gives the slots that are free to those who wait.
func (s *slots) grant() {
	for first := s.waiting.Front(); first != nil; first = s.waiting.Front() {
		w := first.Value.(*waiter)
		if !s.free(w.alone) {
			return
		}
		s.waiting.Remove(first)
		w.slot = s.enter(w.alone)
		close(w.ready)
	}
}

// release gives back a slot, and adapts the limit to what the attempt told. It
// reports whether any other write was in flight meanwhile.
func (s *slots) release(given slot, told load) (overlapped bool) {
	s.mu.Lock()
	before := int(s.limit)
	overlapped = given.company || s.entered != given.entered
	s.adapt(given, told)
	s.exit(given)
	after, reductions := int(s.limit), s.round
	s.mu.Unlock()
	s.report(before, after, reductions)
	return overlapped
}

// adapt takes in what the attempt told that had the slot. What went alone says nothing
// of how many may go at once.
func (s *slots) adapt(given slot, told load) {
	switch {
	case told == loadRoom && !given.alone && int(s.limit) < s.most:
		s.grow()
	case told == loadTooHigh && !given.alone:
		s.reduce(given.round)
	}
}

// grow adds to the limit what one success is worth.
func (s *slots) grow() {
	before := int(s.limit)
	s.limit = min(s.limit+1/(s.limit*float64(uint(1)<<s.caution)), float64(s.most))
	if int(s.limit) > before && s.caution > 0 {
		s.caution--
	}
}

// reduce halves the limit, if it was not reduced since round.
func (s *slots) reduce(round uint64) {
	if round == s.round && s.limit >= 2 {
		s.limit = max(s.limit/2, 1)
		s.round++
	}
}

// maxCaution bounds caution: so many doublings of the successes that it takes to add
// one to the limit.
const maxCaution = 6

// conflict takes in that a write that was in flight in round, with others, was refused
// because of them.
func (s *slots) conflict(round uint64) {
	s.mu.Lock()
	before := int(s.limit)
	s.reduce(round)
	if int(s.limit) < before {
		s.caution = min(s.caution+2, maxCaution) // growing to where that was has taken one away
	}
	after, reductions := int(s.limit), s.round
	s.mu.Unlock()
	s.report(before, after, reductions)
}

// report logs that the limit has changed.
func (s *slots) report(before, after int, reductions uint64) {
	switch {
	case after < before && reductions == 1:
		s.log.Info("the API is busy, sending fewer requests at once", "requests", after, "before", before)
	case after != before:
		s.log.Debug("limit of requests at once", "requests", after, "before", before)
	}
}
