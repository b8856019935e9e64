package pipeline

import (
	"sync"
	"sync/atomic"
	"time"
)

const defaultChunkBytes = 8 << 20

// heartbeat is how often Progress is told while a chunk is being written.
const heartbeat = time.Second

// maxAside is how many bytes of input a chunk holds of rows that are not sent,
// so that a register in which every row is rejected does not gather in memory.
const maxAside = 1 << 20

// chunker gathers the rows of units into chunks of the size the sink wants and
// has several of them written at once. Chunks own copies of their rows, so the
// units go back to the cutter at once; rejected rows travel in the chunk they
// fall into, so that the account stays in input order.
//
// It starts one goroutine for each chunk in flight and one that accounts; close
// waits for them.
type chunker struct {
	*engine
	limits   ChunkLimits
	columns  int
	current  *unit // being filled
	pending  int   // rows in current that are to be sent
	held     int   // bytes of input in current
	aside    int   // bytes of input in current of rows that are not to be sent
	seq      int64
	came     int64        // bytes of the input before the unit that is being added
	read     int64        // rows so far
	rejected int64        // of those, before any write
	over     bool         // too much has been rejected: no chunk is written any more
	refused  atomic.Int64 // rows rejected by writes

	free    chan *unit
	queue   chan *unit
	ordered chan *unit
	wg      sync.WaitGroup
}

func newChunker(e *engine) *chunker {
	k := &chunker{engine: e, limits: e.Chunks, columns: len(e.Source.Columns())}
	if k.limits.Bytes == 0 {
		k.limits.Bytes = defaultChunkBytes
	}
	n := 2*k.limits.InFlight + 1
	k.free, k.queue, k.ordered = make(chan *unit, n), make(chan *unit, n), make(chan *unit, n)
	for range n {
		k.free <- newUnit()
	}
	for range k.limits.InFlight {
		k.wg.Go(k.write)
	}
	k.wg.Go(k.settle)
	return k
}

// add copies the rows of u into chunks and sends those that are full. It blocks
// while all chunks are in flight.
func (k *chunker) add(u *unit) bool {
	src := &u.chunk
	sortProblems(src.Problems)
	problems := k.copyLoose(src.Problems)
	for from := 0; from < src.Len(); {
		k.open()
		to, full := k.fits(src, from)
		problems = k.copyRows(src, from, to, problems)
		k.current.end = k.came + (u.end-k.came)*int64(to)/int64(src.Len())
		from = to
		if full {
			k.send()
		}
	}
	k.came = u.end
	if k.exceeded() {
		k.halt(ErrMaxRejects)
		return false
	}
	return true
}

// copyLoose copies the problems that belong to no row, which come first, and
// returns the others.
func (k *chunker) copyLoose(problems []Problem) []Problem {
	for len(problems) > 0 && problems[0].Row < 0 {
		k.open()
		k.current.chunk.Problems = append(k.current.chunk.Problems, problems[0])
		problems = problems[1:]
	}
	return problems
}

// open makes sure that there is a chunk to fill.
func (k *chunker) open() {
	if k.current != nil {
		return
	}
	u := <-k.free
	u.chunk.Batch.Reset(k.columns)
	u.chunk.Encoded.Reset()
	u.chunk.IDs.Reset()
	u.rec.reset()
	u.chunk.Seq, u.valid, u.err, u.hold = k.seq, 0, nil, k.exceeded()
	k.seq++
	k.current, k.pending, k.held, k.aside = u, 0, 0, 0
}

// fits returns how far the rows of src from from go into the current chunk, and
// whether that fills it.
func (k *chunker) fits(src *Chunk, from int) (to int, full bool) {
	bytes := len(k.current.chunk.Data)
	for i := from; i < src.Len(); i++ {
		input := rowBytes(src, i)
		if src.Fates[i] == Pending {
			size := len(src.Item(i))
			if k.pending > 0 && bytes+size > k.limits.Bytes {
				return i, true
			}
			bytes += size
			k.pending++
		} else {
			k.aside += input
		}
		k.held += input
		if k.pending == k.limits.Rows || k.aside > maxAside || k.held > max(4*k.limits.Bytes, maxAside) {
			return i + 1, true
		}
	}
	return src.Len(), false
}

func rowBytes(c *Chunk, i int) int {
	n := 64
	for j := range c.Input {
		n += len(c.Input[j].Value(i))
	}
	return n
}

// copyRows appends rows from to to of src, with their problems, which are the
// first of problems; it returns the rest of those.
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

// exceeded reports whether too much has been rejected. Once it has it stays so,
// though a percentage may fall again.
func (k *chunker) exceeded() bool {
	k.over = k.over || k.Limit.exceeded(k.rejected+k.refused.Load(), k.read)
	return k.over
}

// send hands the current chunk to the writers, to be written unless too much
// has been rejected. There is room for it: the channels hold every chunk there
// is.
func (k *chunker) send() {
	k.current.hold = k.current.hold || k.exceeded()
	k.ordered <- k.current
	k.queue <- k.current
	k.current = nil
}

// write is one writer: it writes chunks as they come.
func (k *chunker) write() {
	for u := range k.queue {
		if u.chunk.Pending() > 0 {
			if u.err = k.put(u); u.err != nil {
				k.fail(u.err)
			}
		}
		u.chunk.Settle(NotSent)
		if k.Recorder != nil {
			render(k.Recorder, u)
		}
		u.done <- struct{}{}
	}
}

// put writes u; if it is not to be written any more, what became of its rows before
// is recalled.
func (k *chunker) put(u *unit) error {
	switch {
	case !u.hold && !k.stopped() && !k.drained():
		return k.Sink.Write(k.ctx, &u.chunk)
	case k.limits.Recall != nil:
		return k.limits.Recall(&u.chunk)
	}
	return nil
}

// drained reports whether a chunk that is to be written must not be begun any
// more, and takes note that there was one.
func (k *chunker) drained() bool {
	if !k.draining() {
		return false
	}
	k.unbegun.Store(true)
	return true
}

// settle accounts for the chunks in input order.
func (k *chunker) settle() {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for u := range k.ordered {
		k.await(u, beat.C)
		k.refused.Add(refused(u))
		k.take(u)
		if k.Limit.exceeded(k.account.counts.Rejected, k.account.counts.Read) {
			k.fail(ErrMaxRejects)
		}
		k.free <- u
	}
}

// await waits until u is written. A slow write is no reason for Progress to be silent:
// it is told of at every beat that nothing has changed.
func (k *chunker) await(u *unit, beat <-chan time.Time) {
	for {
		select {
		case <-u.done:
			return
		case <-beat:
			k.account.tell()
		}
	}
}

// refused returns how many rows of u the write rejected: those that were valid
// before it are as many fewer as there are rejected ones.
func refused(u *unit) int64 {
	n := u.valid - int64(u.chunk.Len())
	for _, f := range u.chunk.Fates {
		if f == Skipped || f == Rejected {
			n++
		}
	}
	return n
}

func (k *chunker) close() {
	if k.current != nil {
		k.current.hold = k.current.hold || k.limits.Whole && k.cutShort()
		k.send()
	}
	close(k.queue)
	close(k.ordered)
	k.wg.Wait()
}

// cutShort reports whether the input was not read to its end. It is only asked
// when no more is to come.
func (k *chunker) cutShort() bool {
	return k.interrupted || k.readErr != nil || k.reading.Err() != nil
}
