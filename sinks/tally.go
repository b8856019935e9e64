package sinks

import (
	"crypto/sha256"
	"hash"
	"io"
	"sync/atomic"
)

// Summed is a sink that knows what it wrote. Those that Create returns are.
type Summed interface {
	// Sum returns how many bytes were written and, if FileOptions.Sum asked for
	// it, their SHA-256, zero otherwise: of the file as it lies on disk,
	// compressed if it is. It is to be called once Commit has returned.
	Sum() (sha256 [sha256.Size]byte, bytes int64)
}

// tally passes on what is written to it and adds it up.
type tally struct {
	to      io.Writer
	bytes   int64
	hash    hash.Hash   // nil: not asked for
	stopped atomic.Bool // nothing more goes through
}

// Write passes p on. It fails once the tally is stopped, so that compression
// under way ends soon and does not end the stream as if it were whole.
func (t *tally) Write(p []byte) (int, error) {
	if t.stopped.Load() {
		return 0, io.ErrClosedPipe
	}
	n, err := t.to.Write(p)
	t.bytes += int64(n)
	if t.hash != nil {
		t.hash.Write(p[:n])
	}
	return n, err
}

// sum returns the hash and the number of the bytes so far.
func (t *tally) sum() (sum [sha256.Size]byte, bytes int64) {
	if t.hash != nil {
		t.hash.Sum(sum[:0])
	}
	return sum, t.bytes
}
