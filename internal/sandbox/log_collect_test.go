package sandbox

import (
	"slices"
	"sync"
)

// Log keeps the record of requests: its Add goes to Options.Log. It is safe for
// concurrent use. The zero value is empty.
type Log struct {
	mu       sync.Mutex
	requests []Request
}

// Add appends a request.
func (l *Log) Add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
}

// Requests returns the completed requests in order of arrival. A request is in it as
// soon as its client has read the answer to the end.
func (l *Log) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.requests)
	slices.SortFunc(all, func(a, b Request) int { return int(a.Number - b.Number) })
	return all
}

// Count returns the number of requests for which is returns true; nil: of all.
func (l *Log) Count(is func(Request) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if is == nil {
		return len(l.requests)
	}
	n := 0
	for _, r := range l.requests {
		if is(r) {
			n++
		}
	}
	return n
}

// Committed returns how many rows were written, changed or deleted permanently.
func (l *Log) Committed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.requests {
		n += r.Committed
	}
	return n
}

// MaxInFlight returns the largest number of requests that were in flight at once.
func (l *Log) MaxInFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.requests {
		n = max(n, r.InFlight)
	}
	return n
}

// InFlight returns how many requests are in flight.
func (s *Sandbox) InFlight() int { return int(s.inFlight.Load()) }
