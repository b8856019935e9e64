package journal

import (
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"flytt/internal/osfile"
)

// Journal is the durable record of one run. It is safe for concurrent use.
//
// The first error of a write is final: every later call returns it, so that nothing is
// sent after the disk has failed.
type Journal struct {
	path     string
	key      *Key
	store    *store
	lock     *os.File
	readOnly bool

	queue  chan *op
	owner  errgroup.Group // of the goroutine that owns the store; it returns no error
	failed atomic.Pointer[error]
	known  seqs

	closing  sync.RWMutex // held for reading while something is queued
	closed   bool
	closeErr error
}

// seqs is a set of numbers of chunks.
type seqs struct {
	mu   sync.Mutex
	bits map[int64]uint64
}

func (s *seqs) add(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bits == nil {
		s.bits = map[int64]uint64{}
	}
	s.bits[seq>>6] |= 1 << (seq & 63)
}

func (s *seqs) has(seq int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bits[seq>>6]&(1<<(seq&63)) != 0
}

// Header returns what the run is.
func (j *Journal) Header() Header {
	h := j.store.header
	h.Files, h.Spec = slices.Clone(h.Files), slices.Clone(h.Spec)
	return h
}

// Digest returns 32 bytes that stand for data, made with the key: see Key.Digest.
func (j *Journal) Digest(data ...[]byte) []byte { return j.key.Digest(data...) }

// Sum returns a short keyed digest of data, never 0: see Key.Sum.
func (j *Journal) Sum(data []byte) uint64 { return j.key.Sum(data) }

// Find returns what is known about a chunk, including all calls queued before; nil, nil
// if nothing is.
func (j *Journal) Find(seq int64) (*Entry, error) {
	if !j.readOnly && !j.known.has(seq) {
		return nil, j.failure()
	}
	var r *row
	err := j.read("reading", seq, func(s *store) (err error) {
		r, err = s.read(seq)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case r != nil:
		e, err := j.store.entry(r)
		return e, wrapError(j.path, "", err)
	case j.known.has(seq):
		return nil, wrapError(j.path, "", damaged("the record of a chunk is missing"))
	}
	return nil, nil
}

// Plan records which rows a chunk has. It does not wait for the disk. A chunk that is
// already known stays as it is; it is an error to plan other rows for a chunk that may
// have been sent.
func (j *Journal) Plan(c Chunk) error {
	c.Digest = slices.Clone(c.Digest)
	if !j.readOnly {
		j.known.add(c.Seq)
	}
	return j.queueOp(&op{act: "planning", seq: c.Seq, do: func(s *store) error { return s.plan(&c) }})
}

// Sending records that requests are about to be made for rows of a planned chunk, given
// by their indices in it, and, if image is not nil, what the records to be changed hold
// now. When it returns nil, that is on the disk.
func (j *Journal) Sending(seq int64, rows []int32, image []byte) error {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	if image != nil {
		image = j.store.seal(imageKind, seq, image)
	}
	return j.wait(&op{act: "noting before it is sent", seq: seq, do: func(s *store) error { return s.sending(seq, rows, image) }})
}

// Settle records what became of the rows of a planned chunk, and replaces what was
// known about them; none of them counts as sent any more. It does not wait for the
// disk: a crash within milliseconds leaves the chunk as it was before.
func (j *Journal) Settle(seq int64, s Settlement) error {
	var notes []byte
	if len(s.Notes) > 0 {
		notes = j.store.seal(notesKind, seq, s.Notes)
	}
	settled, err := encodeSettlement(&s, notes)
	if err != nil {
		return j.fail(wrapError(j.path, (&op{act: "settling", seq: seq}).doing(), err))
	}
	rows := len(s.Fates)
	return j.queueOp(&op{act: "settling", seq: seq, do: func(s *store) error { return s.settle(seq, settled, rows) }})
}

// pageSize is how many chunks are read at once.
const pageSize = 32

// Entries yields what is known about every chunk, in order of their numbers. The
// journal may be written meanwhile: a chunk is as it is at the time of its turn. An
// error is the last thing it yields.
func (j *Journal) Entries(yield func(*Entry, error) bool) {
	for next := int64(0); ; {
		var rows []row
		err := j.read("reading from", next, func(s *store) (err error) {
			rows, err = s.page(next, pageSize)
			return err
		})
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range rows {
			e, err := j.store.entry(&rows[i])
			if err != nil {
				yield(nil, wrapError(j.path, "", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if len(rows) < pageSize {
			return
		}
		next = rows[len(rows)-1].seq + 1
	}
}

// BeforeImages returns what records held before the rows of a chunk changed them, in
// the order in which that was recorded.
func (j *Journal) BeforeImages(seq int64) (images []BeforeImage, err error) {
	err = j.read("reading the images of", seq, func(s *store) (err error) {
		images, err = s.images(seq)
		return err
	})
	return images, err
}

// Finish records how the run ended: done, interrupted or failed. That is durable when
// it returns. A later Plan, Sending or Settle that changes something revokes it.
func (j *Journal) Finish(state string) error {
	return j.wait(&op{act: "noting how the run ended", seq: -1, do: func(s *store) error {
		s.ledger.Outcome = state
		return nil
	}})
}

// Outcome returns how the run ended; "" if it did not.
func (j *Journal) Outcome() (outcome string) {
	err := j.read("reading how the run ended", -1, func(s *store) error {
		outcome = s.ledger.Outcome
		return nil
	})
	if errors.Is(err, ErrClosed) {
		_ = j.owner.Wait() // nobody else looks into it any more
		outcome = j.store.ledger.Outcome
	}
	return outcome
}

// Close makes everything durable that was queued and closes the journal. It returns the
// first error of a write, and returns it again when called again.
func (j *Journal) Close() error {
	j.closing.Lock()
	defer j.closing.Unlock()
	if j.closed {
		return j.closeErr
	}
	j.closed = true
	close(j.queue)
	_ = j.owner.Wait()
	j.closeErr = j.release()
	return j.closeErr
}

// release closes the database and releases the lock. The log is removed only if the
// journal is in order.
func (j *Journal) release() error {
	failure := j.failure()
	var left error
	if failure == nil && !j.readOnly {
		left = j.store.setOpen(false)
	}
	left = errors.Join(left, j.store.close())
	if failure == nil && left == nil && !j.readOnly {
		left = errors.Join(osfile.Discard(j.path+walSuffix), osfile.Discard(j.path+"-shm")) // the index of a log, made by who reads one
	}
	return errors.Join(failure, wrapError(j.path, "closing it", errors.Join(left, unlock(j.lock, j.readOnly))))
}

// failure returns the first error of a write.
func (j *Journal) failure() error {
	if err := j.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// fail makes err the error of all later calls, unless there was one before.
func (j *Journal) fail(err error) error {
	j.failed.CompareAndSwap(nil, &err)
	return j.failure()
}

// queueOp passes o to the goroutine that owns the store.
func (j *Journal) queueOp(o *op) error {
	j.closing.RLock()
	defer j.closing.RUnlock()
	switch {
	case j.closed:
		return wrapError(j.path, o.doing(), ErrClosed)
	case j.readOnly && !o.read:
		return wrapError(j.path, o.doing(), errors.New("it is open to be read only"))
	}
	if err := j.failure(); err != nil {
		return err
	}
	j.queue <- o
	return nil
}

// wait queues o and waits until it is done.
func (j *Journal) wait(o *op) error {
	o.done = make(chan error, 1)
	if err := j.queueOp(o); err != nil {
		return err
	}
	return <-o.done
}

// read runs f while nothing else uses the store. A journal that is opened for reading
// is verified before the first read.
func (j *Journal) read(act string, seq int64, f func(*store) error) error {
	return j.wait(&op{act: act, seq: seq, read: true, do: func(s *store) error {
		if j.readOnly && !s.verified && seq >= 0 {
			if err := s.verify(j.known.add); err != nil {
				return err
			}
		}
		return f(s)
	}})
}
