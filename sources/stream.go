package sources

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

var errInterrupted = errors.New("interrupted")

// streamReader reads a stream that may block for ever (a pipe, a terminal), so that
// a read of it can be given up. It reads ahead in one goroutine.
type streamReader struct {
	chunks chan chunk
	stop   chan struct{}
	once   sync.Once
	group  errgroup.Group // of the goroutine that reads ahead
	ended  atomic.Bool    // the last read of the stream has returned
	left   chunk          // received, not yet handed on
}

type chunk struct {
	data []byte
	err  error
}

// newStreamReader starts to read r. The result is to be closed.
func newStreamReader(r io.Reader) *streamReader {
	s := &streamReader{chunks: make(chan chunk), stop: make(chan struct{})}
	s.group.Go(func() error { s.readAhead(r); return nil })
	return s
}

// readAhead hands on two buffers in turn: while the reader empties one, the other
// is filled. A send waits until the one before is empty.
func (s *streamReader) readAhead(r io.Reader) {
	const size = 128 << 10
	full, next := make([]byte, size), make([]byte, size)
	for {
		n, err := r.Read(full)
		if err != nil {
			s.ended.Store(true)
		}
		select {
		case s.chunks <- chunk{full[:n], err}:
		case <-s.stop:
			return
		}
		if err != nil {
			return
		}
		full, next = next, full
	}
}

// Read reads on, or fails once interrupt was called.
func (s *streamReader) Read(p []byte) (int, error) {
	if len(s.left.data) == 0 && s.left.err == nil {
		select {
		case s.left = <-s.chunks:
		case <-s.stop:
			return 0, errInterrupted
		}
	}
	n := copy(p, s.left.data)
	s.left.data = s.left.data[n:]
	if len(s.left.data) > 0 {
		return n, nil
	}
	return n, s.left.err
}

// interrupt makes this and every later Read fail. It may be called more than
// once and from any goroutine.
func (s *streamReader) interrupt() { s.once.Do(func() { close(s.stop) }) }

// close interrupts the reading, and waits for the goroutine if the stream was read to
// its end. Otherwise it may be blocked in a read that nothing can end, of a standard
// input that nobody writes to: it ends, unwaited for, with the first read that returns.
func (s *streamReader) close() {
	s.interrupt()
	if s.ended.Load() {
		_ = s.group.Wait() // returns no error: the last chunk has it
	}
}
