package sources

import (
	"errors"
	"io"
	"sync"
)

var errInterrupted = errors.New("interrupted")

// waiter reads a stream that may block for ever (a pipe, a terminal) so that
// a read of it can be given up. It owns one goroutine, which ends with the
// stream or with the first read that returns after interrupt; nothing can end
// a read of a standard input that nobody writes to, so nobody waits for it.
type waiter struct {
	chunks chan chunk
	stop   chan struct{}
	once   sync.Once
	left   chunk // received, not yet handed on
}

type chunk struct {
	data []byte
	err  error
}

// newWaiter starts to read r.
func newWaiter(r io.Reader) *waiter {
	w := &waiter{chunks: make(chan chunk), stop: make(chan struct{})}
	go w.run(r)
	return w
}

// run hands on two buffers in turn: while the reader empties one, the other
// is filled. A send waits until the one before is empty.
func (w *waiter) run(r io.Reader) {
	const size = 128 << 10
	full, next := make([]byte, size), make([]byte, size)
	for {
		n, err := r.Read(full)
		select {
		case w.chunks <- chunk{full[:n], err}:
		case <-w.stop:
			return
		}
		if err != nil {
			return
		}
		full, next = next, full
	}
}

// Read reads on, or fails once interrupt was called.
func (w *waiter) Read(p []byte) (int, error) {
	if len(w.left.data) == 0 && w.left.err == nil {
		select {
		case w.left = <-w.chunks:
		case <-w.stop:
			return 0, errInterrupted
		}
	}
	n := copy(p, w.left.data)
	w.left.data = w.left.data[n:]
	if len(w.left.data) > 0 {
		return n, nil
	}
	return n, w.left.err
}

// interrupt makes this and every later Read fail. It may be called more than
// once and from any goroutine.
func (w *waiter) interrupt() { w.once.Do(func() { close(w.stop) }) }
