package pipeline

import (
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const defaultChunkBytes = 8 << 20

// heartbeat is how often Progress is called while a chunk is written.
const heartbeat = time.Second

// maxUnsent bounds the bytes of input in a chunk that belong to rows that are not sent,
// so that a register in which every row is rejected does not fill the memory.
const maxUnsent = 1 << 20

// chunker gathers the rows of units into chunks of the size that the sink wants, and
// has several of them written at once. Chunks own copies of their rows, so that units
// go back to the cutter at once. Rejected rows stay in the chunk into which they fall,
// so that the account stays in input order.
//
// Its goroutines, one for each chunk in flight and one that accounts, belong to a
// group; finish waits for them.
type chunker struct {
	engine       *engine
	limits       ChunkLimits
	columns      int
	current      *unit // being filled
	pending      int   // rows in current that are to be sent
	size         int   // bytes of input in current
	unsent       int   // bytes of input in current of rows that are not to be sent
	seq          int64
	inputBefore  int64        // bytes of the input before the unit that is being added
	read         int64        // rows so far
	rejected     int64        // of those, before any write
	limitReached bool         // too many rows were rejected: no chunk is written any more
	refused      atomic.Int64 // rows rejected by writes
	free         chan *unit
	ordered      chan *unit
	group        errgroup.Group
}

func newChunker(e *engine) *chunker {
	k := &chunker{engine: e, limits: e.spec.Chunks, columns: len(e.spec.Source.Columns())}
	if k.limits.Bytes == 0 {
		k.limits.Bytes = defaultChunkBytes
	}
	n := 2*k.limits.InFlight + 1
	k.free, k.ordered = units(n), make(chan *unit, n)
	k.group.SetLimit(k.limits.InFlight + 1)
	k.group.Go(k.account)
	return k
}

// add copies the rows of u into chunks and sends those that are full. It blocks
// while all chunks are in flight.
func (k *chunker) add(u *unit) bool {
	src := &u.chunk
	sortProblems(src.Problems)
	problems := k.copyRowless(src.Problems)
	for from := 0; from < src.Len(); {
		k.open()
		to, full := k.fits(src, from)
		problems = k.copyRows(src, from, to, problems)
		k.current.end = k.inputBefore + (u.end-k.inputBefore)*int64(to)/int64(src.Len())
		from = to
		if full {
			k.send()
		}
	}
	k.inputBefore = u.end
	if k.exceeded() {
		k.engine.halt(ErrMaxRejects)
		return false
	}
	return true
}

// copyRowless copies the problems that belong to no row, which come first. It returns
// the others.
func (k *chunker) copyRowless(problems []Problem) []Problem {
	for len(problems) > 0 && problems[0].Row < 0 {
		k.open()
		k.current.chunk.Problems = append(k.current.chunk.Problems, problems[0])
		problems = problems[1:]
	}
	return problems
}

// open makes sure that there is a current chunk.
func (k *chunker) open() {
	if k.current != nil {
		return
	}
	u := <-k.free
	u.reset(k.columns)
	u.chunk.Seq, u.valid, u.withheld = k.seq, 0, k.exceeded()
	k.seq++
	k.current, k.pending, k.size, k.unsent = u, 0, 0, 0
}

// fits returns how many rows of src, from index from on, go into the current chunk, and
// whether that fills it.
func (k *chunker) fits(src *Chunk, from int) (to int, full bool) {
	bytes := len(k.current.chunk.Data)
	for i := from; i < src.Len(); i++ {
		input := rowSize(src, i)
		if src.Fates[i] == Pending {
			size := len(src.Item(i))
			if k.pending > 0 && bytes+size > k.limits.Bytes {
				return i, true
			}
			bytes += size
			k.pending++
		} else {
			k.unsent += input
		}
		k.size += input
		if k.pending == k.limits.Rows || k.unsent > maxUnsent || k.size > max(4*k.limits.Bytes, maxUnsent) {
			return i + 1, true
		}
	}
	return src.Len(), false
}

func rowSize(c *Chunk, i int) int {
	n := 64
	for j := range c.Input {
		n += len(c.Input[j].Value(i))
	}
	return n
}

// copyRows appends rows from to to of src to the current chunk, with their problems,
// which come first in problems. It returns the remaining problems.
func (k *chunker) copyRows(src *Chunk, from, to int, problems []Problem) []Problem {
	dst := &k.current.chunk
	shift := int32(dst.Len() - from)
	dst.Rows = append(dst.Rows, src.Rows[from:to]...)
	dst.Fates = append(dst.Fates, src.Fates[from:to]...)
	for j := range src.Input {
		dst.Input[j].appendRows(&src.Input[j], from, to)
	}
	if src.Keys.Len() > 0 {
		dst.Keys.appendRows(&src.Keys, from, to)
	}
	for i := from; i < to; i++ {
		dst.Data = append(dst.Data, src.Item(i)...)
		dst.EndRow()
	}
	for _, s := range src.Surplus {
		if int(s.Row) >= from && int(s.Row) < to {
			s.Row += shift
			dst.Surplus = append(dst.Surplus, s)
		}
	}
	k.count(src.Fates[from:to])
	for len(problems) > 0 && int(problems[0].Row) < to {
		p := problems[0]
		p.Row += shift
		dst.Problems = append(dst.Problems, p)
		problems = problems[1:]
	}
	return problems
}

func (k *chunker) count(fates []Fate) {
	k.read += int64(len(fates))
	for _, f := range fates {
		switch f {
		case Pending:
			k.current.valid++
		case Rejected:
			k.rejected++
		}
	}
}

// exceeded reports whether too many rows were rejected. Once true it stays true,
// although a percentage may fall again.
func (k *chunker) exceeded() bool {
	k.limitReached = k.limitReached || k.engine.spec.Limit.exceeded(k.rejected+k.refused.Load(), k.read)
	return k.limitReached
}

// send has the current chunk written, unless too many rows were rejected. It waits
// while the maximum number of chunks is in flight.
func (k *chunker) send() {
	u := k.current
	k.current = nil
	u.withheld = u.withheld || k.exceeded()
	k.ordered <- u // never blocks: there is room for every chunk there is
	k.group.Go(func() error { k.write(u); return nil })
}

func (k *chunker) write(u *unit) {
	if u.chunk.Pending() > 0 {
		if err := k.writeOrReplay(&u.chunk, u.withheld); err != nil {
			k.engine.fail(err)
		}
	}
	u.chunk.SetPending(NotSent)
	if r := k.engine.spec.Recorder; r != nil {
		render(r, u)
	}
	u.done <- struct{}{}
}

// writeOrReplay writes c. If chunks are not written any more, its rows get the fates of
// earlier passes from the journal.
func (k *chunker) writeOrReplay(c *Chunk, held bool) error {
	switch {
	case !held && !k.engine.stopped() && !k.drained():
		return k.engine.spec.Sink.Write(k.engine.ctx, c)
	case k.limits.Replay != nil:
		return k.limits.Replay(c)
	}
	return nil
}

// drained reports whether chunks must not be started any more because the run is
// drained; if so, it records that one was not started.
func (k *chunker) drained() bool {
	if !k.engine.drained() {
		return false
	}
	k.engine.unstarted.Store(true)
	return true
}

// account accounts for the chunks in input order.
func (k *chunker) account() error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for u := range k.ordered {
		k.await(u, beat.C)
		k.refused.Add(rejectedByWrite(u))
		k.engine.record(u)
		if k.engine.tooManyRejects() {
			k.engine.fail(ErrMaxRejects)
		}
		k.free <- u
	}
	return nil
}

// await waits until u is written. Progress is called at every heartbeat meanwhile, so
// that a slow write does not look like a stop.
func (k *chunker) await(u *unit, beat <-chan time.Time) {
	for {
		select {
		case <-u.done:
			return
		case <-beat:
			k.engine.account.reportProgress()
		}
	}
}

// rejectedByWrite returns how many rows of u the write rejected: the rejected rows,
// less those that were invalid before.
func rejectedByWrite(u *unit) int64 {
	n := u.valid - int64(u.chunk.Len())
	for _, f := range u.chunk.Fates {
		if f == Skipped || f == Rejected {
			n++
		}
	}
	return n
}

func (k *chunker) finish(partial bool) {
	if k.current != nil {
		k.current.withheld = k.current.withheld || k.limits.SkipPartial && partial
		k.send()
	}
	close(k.ordered)
	_ = k.group.Wait() // none of them returns an error
}
