package journal

import (
	"fmt"
	"time"
)

const (
	// queued is how many calls wait for the journal's goroutine before others have
	// to wait to join them; most is how many go into one transaction.
	queued, most = 64, 128

	// linger is how long what nobody waits for stays uncommitted, so that it shares
	// the sync of something that is waited for. A crash in between leaves what was
	// settled in doubt, which costs a look.
	linger = 10 * time.Millisecond
)

// op is one call on its way to the goroutine that owns the store.
type op struct {
	act  string // what it does, to which chunk: named if it cannot be done
	seq  int64
	do   func(*store) error
	read bool       // it changes nothing
	done chan error // nil: nobody waits
}

// doing says what o does.
func (o *op) doing() string {
	if o.seq < 0 {
		return o.act
	}
	return fmt.Sprintf("%s chunk %d", o.act, o.seq)
}

// answer tells who waits, if anybody does.
func (o *op) answer(err error) {
	if o.done != nil {
		o.done <- err
	}
}

// own is the goroutine that alone uses the store, until the queue is closed and
// empty.
func (j *Journal) own() {
	defer close(j.ended)
	for o := range j.queue {
		b := batch{journal: j}
		for ; o != nil; o = b.next() {
			b.apply(o)
		}
		b.commit()
	}
}

// batch is calls that share a transaction, and its sync.
type batch struct {
	journal *Journal
	begun   bool
	ops     int
	waiting []*op
	expired <-chan time.Time // when nobody waits: the time to commit
}

// apply does what o is, but for making it durable. What is read is answered at
// once: it sees what was queued before it.
func (b *batch) apply(o *op) {
	j := b.journal
	if err := j.failure(); err != nil {
		o.answer(err)
		return
	}
	if o.read {
		o.answer(wrong(j.path, o.doing(), o.do(j.store)))
		return
	}
	err := b.begin()
	if err == nil {
		err = o.do(j.store)
	}
	b.ops++
	b.waiting = append(b.waiting, o)
	if err != nil {
		b.fail(wrong(j.path, o.doing(), err))
	}
}

// begin begins the transaction with the first call that changes something.
func (b *batch) begin() error {
	if b.begun {
		return nil
	}
	b.begun, b.expired = true, time.After(linger)
	return b.journal.store.exec("begin immediate")
}

// next returns the next call that joins the batch, nil if it is to be committed:
// as soon as nothing is queued if anybody waits for it, and soon if nobody does.
func (b *batch) next() *op {
	switch {
	case !b.begun || b.ops >= most:
		return nil
	case b.awaited():
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

// awaited reports whether anybody waits for the batch.
func (b *batch) awaited() bool {
	for _, o := range b.waiting {
		if o.done != nil {
			return true
		}
	}
	return false
}

// commit makes the batch durable and wakes who waits for it.
func (b *batch) commit() {
	if !b.begun {
		return
	}
	if err := b.journal.store.commit(); err != nil {
		b.fail(wrong(b.journal.path, "making it durable", err))
		return
	}
	b.wake(nil)
}

// fail ends the batch, and all there could be after it, with err.
func (b *batch) fail(err error) {
	j := b.journal
	j.failed.CompareAndSwap(nil, &err)
	// It may have been rolled back by SQLite itself; nothing is written after it
	// either way.
	_ = j.store.exec("rollback")
	b.begun = false
	b.wake(err)
}

func (b *batch) wake(err error) {
	for _, o := range b.waiting {
		o.answer(err)
	}
	b.waiting = nil
}
