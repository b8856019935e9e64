package api

import (
	"container/list"
	"context"
	"log/slog"
	"sync"

	"flytt/pipeline"
)

// slots bounds how many writes are under way at once, between one and what the
// client is configured for. It begins with all of them, so that a fast server
// is not kept waiting, and finds by additive increase and multiplicative
// decrease how many the server bears: a sign of overload halves the limit, and
// as many successes as the limit add about one. What waits is served in order.
type slots struct {
	mu       sync.Mutex
	log      *slog.Logger
	most     int
	limit    float64
	inFlight int
	waiting  list.List // of *waiter, the first to come first
	// round counts the reductions. Answers to what was sent before the last one
	// say nothing of the limit as it is: a burst that is turned away whole
	// halves the limit once.
	round uint64
}

// waiter is a write that waits for a slot.
type waiter struct {
	ready chan struct{} // closed when it has one
	round uint64        // in which it got it
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

func newSlots(most int, log *slog.Logger) *slots {
	most = max(most, 1)
	return &slots{log: log, most: most, limit: float64(most)}
}

// acquire waits for a slot, or until ctx ends, and then returns why. The round
// is to be handed to release.
func (s *slots) acquire(ctx context.Context) (round uint64, err error) {
	s.mu.Lock()
	if s.inFlight < int(s.limit) && s.waiting.Len() == 0 {
		defer s.mu.Unlock()
		s.inFlight++
		return s.round, nil
	}
	w := &waiter{ready: make(chan struct{})}
	place := s.waiting.PushBack(w)
	s.mu.Unlock()
	select {
	case <-w.ready:
		return w.round, nil
	case <-ctx.Done():
	case <-pipeline.Waiting(ctx).Done():
	}
	s.leave(place, w)
	return 0, ceased(ctx)
}

// leave takes w, which stopped waiting, out of the queue. A slot that it got in
// the meantime goes to the next.
func (s *slots) leave(place *list.Element, w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.ready:
		s.inFlight--
		s.grant()
	default:
		s.waiting.Remove(place)
	}
}

// grant gives the slots that are free to those who wait. The lock is held.
func (s *slots) grant() {
	for s.inFlight < int(s.limit) {
		first := s.waiting.Front()
		if first == nil {
			return
		}
		w := s.waiting.Remove(first).(*waiter)
		s.inFlight++
		w.round = s.round
		close(w.ready)
	}
}

// release gives back a slot that was acquired in round, and adapts the limit to
// what the attempt told.
func (s *slots) release(round uint64, told load) {
	before, after, reductions := s.adapt(round, told)
	switch {
	case after < before && reductions == 1:
		s.log.Info("the API is busy, sending fewer requests at once", "requests", after, "before", before)
	case after != before:
		s.log.Debug("limit of requests at once", "requests", after, "before", before)
	}
}

// adapt does what release says and returns the limit before and after it, and
// how often it was reduced so far.
func (s *slots) adapt(round uint64, told load) (before, after int, reductions uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = int(s.limit)
	switch {
	case told == loadRoom && before < s.most:
		s.limit = min(s.limit+1/s.limit, float64(s.most))
	case told == loadTooHigh && round == s.round && before > 1:
		s.limit = max(s.limit/2, 1)
		s.round++
	}
	s.inFlight--
	s.grant()
	return before, int(s.limit), s.round
}
