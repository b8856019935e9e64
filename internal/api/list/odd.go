package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// One answer in many may be wrong: a gateway, a cache or a server in trouble
// gives an empty list, half of one, or rows twice. Nothing follows from a single
// answer like that. What shows in an answer itself is asked for again here; that
// a list has ended is believed only when something else confirms it.

// oddTries is how often a request is made whose answer is odd.
const oddTries = 3

// run carries out j. seen is room for ids.
func (c *crew) run(ctx context.Context, j *job, from Fetcher, created string, seen *idSet) {
	if j.emit != nil {
		c.requests.Add(1)
		j.err = from.Stream(ctx, j.ask.request(), created, func(p *api.Page) error { return j.emit(ctx, p) })
		return
	}
	r := j.ask.request()
	for try := 1; ; try++ {
		c.requests.Add(1)
		j.err = from.Fetch(ctx, r, &j.page, created)
		long := errors.Is(j.err, api.ErrOversized) || len(j.page.Objects) > j.ask.size
		odd := long && !c.unpaged.Load() || repeats(&j.page, seen) || c.lost(j.err)
		if !odd || try == oddTries || ctx.Err() != nil {
			break
		}
	}
	c.answered.CompareAndSwap(false, j.err == nil)
	j.repeated = 0
	if repeats(&j.page, seen) {
		j.repeated = dropRepeated(&j.page, seen)
	}
	if errors.Is(j.err, api.ErrOversized) || len(j.page.Objects) > j.ask.size {
		c.unpaged.Store(true)
	}
}

// lost reports whether err says that there is no list, although it was read
// before.
func (c *crew) lost(err error) bool { return errors.Is(err, api.ErrNotFound) && c.answered.Load() }

// repeats reports whether an id stands twice in p.
func repeats(p *api.Page, seen *idSet) bool {
	if len(p.Objects) < 2 {
		return false
	}
	seen.clear()
	for i := range p.Objects {
		if id := p.ID(i); len(id) > 0 && !seen.add(keyOfID(id)) {
			return true
		}
	}
	return false
}

// dropRepeated leaves in p the first object of each id, and returns how many it
// took out.
func dropRepeated(p *api.Page, seen *idSet) int {
	seen.clear()
	kept := p.Objects[:0]
	for i := range p.Objects {
		if id := p.ID(i); len(id) == 0 || seen.add(keyOfID(id)) {
			kept = append(kept, p.Objects[i])
		}
	}
	dropped := len(p.Objects) - len(kept)
	p.Objects = kept
	return dropped
}

// twice takes note of rows that came again within the answer of j, however often
// it was asked for. Rows that are missing may have had their places.
func (r *Rows) twice(j *job) {
	if j.repeated == 0 {
		return
	}
	r.count(int64(j.repeated), 0)
	r.doubt(doubtTwice)
}

// looks is how often a request has to bring nothing before there is nothing.
const looks = 3

// nothing asks again what brought no row, and reports whether it brings none
// once more, each time.
func (r *Rows) nothing(ctx context.Context, a ask) (bool, error) {
	for range looks - 1 {
		j := r.crew.hand(a)
		err := r.crew.waitFor(ctx, j)
		none := len(j.page.Objects) == 0
		r.crew.release(j)
		if errors.Is(err, api.ErrOversized) {
			err = nil
		}
		if err != nil || !none {
			return false, err
		}
	}
	return true, nil
}

// doubt is why a reading is not proved complete, and what to do about it.
type doubt struct{ why, hint string }

const (
	hintLarger  = "ask for larger pages (--page-size)"
	hintCalm    = "try again when less is being changed"
	hintRetry   = "the server, or something on the way to it, gives wrong answers; try again, and tell who runs it if that goes on"
	hintSmaller = "the server gives fewer rows than it is asked for; ask for no more than it gives (--page-size)"
)

var (
	doubtTwice    = doubt{"rows came twice in one answer", hintRetry}
	doubtEnd      = doubt{"the newest row never came, so rows may be missing at the end", hintRetry}
	doubtHole     = doubt{"pages came empty, and those behind them did not", hintRetry}
	doubtTail     = doubt{"the last page came with more rows when it was asked for again", hintRetry}
	doubtLengths  = doubt{"pages came in different lengths", hintSmaller}
	doubtOrder    = doubt{"a second reading came in another order: the list changed while it was read", hintCalm}
	doubtGrowth   = doubt{"rows were made faster than they were read, so the reading was ended", "leave --order-by out, or " + hintCalm}
	doubtStale    = doubt{"many pages in a row brought nothing new, so the reading was ended", "leave --order-by out, or " + hintCalm}
	doubtTie      = doubt{"more rows were made at one moment than a page holds, and the server ignores _page", hintLarger}
	doubtPageless = doubt{"the server ignores _page, and gave fewer rows than a page holds", hintLarger}
	doubtNoID     = doubt{"rows without an id cannot be told apart", "an export without an id in its rows can be no better"}
	doubtWhole    = doubt{"two answers did not hold the same rows", hintRetry}
)
