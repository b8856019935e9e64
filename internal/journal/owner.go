package journal

import (
	"fmt"
	"slices"
	"time"
)

const (
	// queueSize is how many calls the queue of the journal's goroutine holds;
	// maxBatch is how many calls go into one transaction.
	queueSize, maxBatch = 64, 128

	// maxCommitDelay is how long a call that nobody waits for stays uncommitted, so
	// that it shares the sync of a call that somebody waits for. A crash in between
	// leaves the rows of a settled chunk in doubt, and they are looked up.
	maxCommitDelay = 10 * time.Millisecond
)

// op is one call for the goroutine that owns the store.
type op struct {
	act  string // what it does, for the error message
	seq  int64
	do   func(*store) error
	read bool       // it changes nothing
	done chan error // nil: nobody waits
}

// doing describes o for an error message.
func (o *op) doing() string {
	if o.seq < 0 {
		return o.act
	}
	return fmt.Sprintf("%s chunk %d", o.act, o.seq)
}

// answer passes err to the caller, if it waits.
func (o *op) answer(err error) {
	if o.done != nil {
		o.done <- err
	}
}

// serveQueue carries out the calls in the queue until it is closed and empty. Its
// goroutine is the only one that uses the store.
func (j *Journal) serveQueue() error {
	for o := range j.queue {
		b := batch{journal: j}
		for ; o != nil; o = b.next() {
			b.apply(o)
		}
		b.commit()
	}
	return nil
}

// batch is a number of calls that share a transaction and its sync.
type batch struct {
	journal       *Journal
	inTransaction bool
	ops           int
	waiting       []*op
	expired       <-chan time.Time // fires when it is time to commit although nobody waits
}

// apply carries out o, without making it durable. Reads are answered at once: they see
// all calls queued before.
func (b *batch) apply(o *op) {
	j := b.journal
	if err := j.failure(); err != nil {
		o.answer(err)
		return
	}
	if o.read {
		o.answer(wrapError(j.path, o.doing(), o.do(j.store)))
		return
	}
	err := b.begin()
	if err == nil {
		err = o.do(j.store)
	}
	b.ops++
	b.waiting = append(b.waiting, o)
	if err != nil {
		b.fail(wrapError(j.path, o.doing(), err))
	}
}

// begin starts the transaction at the first call that changes something.
func (b *batch) begin() error {
	if b.inTransaction {
		return nil
	}
	b.inTransaction, b.expired = true, time.After(maxCommitDelay)
	return b.journal.store.exec("begin immediate")
}

// next returns the next call that joins the batch; nil if it is time to commit: as soon
// as the queue is empty if somebody waits, otherwise after a short delay.
func (b *batch) next() *op {
	switch {
	case !b.inTransaction || b.ops >= maxBatch:
		return nil
	case b.hasWaiters():
		select {
		case o := <-b.journal.queue:
			return o
		default:
			return nil
		}
	}
	select {
	case o := <-b.journal.queue:
		return o
	case <-b.expired:
		return nil
	}
}

func (b *batch) hasWaiters() bool {
	return slices.ContainsFunc(b.waiting, func(o *op) bool { return o.done != nil })
}

// commit makes the batch durable and answers its callers.
func (b *batch) commit() {
	if !b.inTransaction {
		return
	}
	if err := b.journal.store.commit(); err != nil {
		b.fail(wrapError(b.journal.path, "making it durable", err))
		return
	}
	b.wake(nil)
}

// fail fails the batch, and all later calls, with err.
func (b *batch) fail(err error) {
	j := b.journal
	j.failed.CompareAndSwap(nil, &err)
	// It may have been rolled back by SQLite itself; nothing is written after it
	// either way.
	_ = j.store.exec("rollback")
	b.inTransaction = false
	b.wake(err)
}

func (b *batch) wake(err error) {
	for _, o := range b.waiting {
		o.answer(err)
	}
	b.waiting = nil
}
