package sandbox

import (
	"errors"
	"sync"
	"time"
)

// errLate says that a write, and with it its answer, was postponed.
var errLate = errors.New("written later")

// lateWrites are the commits that faults have postponed.
type lateWrites struct {
	mu      sync.Mutex
	none    *sync.Cond // signalled when pending is empty
	pending map[*lateWrite]bool
	closed  bool
}

func newLateWrites() *lateWrites {
	l := &lateWrites{pending: map[*lateWrite]bool{}}
	l.none = sync.NewCond(&l.mu)
	return l
}

// lateWrite is one postponed commit.
type lateWrite struct {
	timer *time.Timer
	over  func() // called once: the write is done, or lost
}

// put calls write after d, and then over. After stop was called, it only calls over.
func (l *lateWrites) put(d time.Duration, write func(), over func()) {
	w := &lateWrite{over: over}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		over()
		return
	}
	l.pending[w] = true
	w.timer = time.AfterFunc(d, func() {
		write()
		over()
		l.done(w)
	})
	l.mu.Unlock()
}

func (l *lateWrites) done(w *lateWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, w)
	if len(l.pending) == 0 {
		l.none.Broadcast()
	}
}

// wait returns when nothing is pending.
func (l *lateWrites) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pending) > 0 {
		l.none.Wait()
	}
}

// stop drops the writes that have not started, and waits for the others.
func (l *lateWrites) stop() {
	l.mu.Lock()
	l.closed = true
	var dropped []*lateWrite
	for w := range l.pending {
		if w.timer.Stop() {
			dropped = append(dropped, w)
		}
	}
	l.mu.Unlock()
	for _, w := range dropped {
		w.over()
		l.done(w)
	}
	l.wait()
}

// WaitForLateCommits returns when every late commit is done: then the rows of requests
// that were cut off can be read.
func (s *Sandbox) WaitForLateCommits() { s.late.wait() }
