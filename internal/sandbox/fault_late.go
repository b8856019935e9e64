package sandbox

import (
	"errors"
	"sync"
	"time"
)

// errLate says that a write has been put off, and its answer with it.
var errLate = errors.New("written later")

// lateWrites are the commits that faults put off.
type lateWrites struct {
	mu      sync.Mutex
	none    *sync.Cond // told when pending is empty
	pending map[*lateWrite]bool
	closed  bool
}

func newLateWrites() *lateWrites {
	l := &lateWrites{pending: map[*lateWrite]bool{}}
	l.none = sync.NewCond(&l.mu)
	return l
}

// lateWrite is one of them.
type lateWrite struct {
	timer *time.Timer
	over  func() // called once: the write is done, or lost
}

// put runs write after d, and then over. Once stop was called it runs over alone.
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

// stop drops what has not begun, and waits for what has.
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

// WaitForLateCommits returns when every late commit is done: what a client was cut off from
// is there to be read.
func (s *Sandbox) WaitForLateCommits() { s.late.wait() }
