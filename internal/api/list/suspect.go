package list

import (
	"context"
	"errors"

	"flytt/internal/api"
)

// Some answers are wrong: a gateway, a cache or a failing server returns an empty list,
// half of one, or rows twice. A single answer like that proves nothing. Answers that look
// wrong are requested again here; the end of a list is trusted only if something else
// confirms it.

// suspectTries is how often a request is made whose answer looks wrong.
const suspectTries = 3

// run carries out j. seen is room for ids.
func (w *workerPool) run(ctx context.Context, j *job, from Fetcher, created string, seen *idSet) {
	if j.emit != nil {
		w.requests.Add(1)
		j.err = from.Stream(ctx, j.request.pageRequest(), created, func(p *api.Page) error { return j.emit(ctx, p) })
		return
	}
	r := j.request.pageRequest()
	for try := 1; ; try++ {
		w.requests.Add(1)
		j.err = from.Fetch(ctx, r, &j.page, created)
		long := errors.Is(j.err, api.ErrOversized) || len(j.page.Objects) > j.request.size
		odd := long && !w.ignoresPaging.Load() || hasDuplicateIDs(&j.page, seen) || w.listVanished(j.err)
		if !odd || try == suspectTries || ctx.Err() != nil {
			break
		}
	}
	w.answered.CompareAndSwap(false, j.err == nil)
	j.duplicates = 0
	if hasDuplicateIDs(&j.page, seen) {
		j.duplicates = dropDuplicateIDs(&j.page, seen)
	}
	if errors.Is(j.err, api.ErrOversized) || len(j.page.Objects) > j.request.size {
		w.ignoresPaging.Store(true)
	}
}

// listVanished reports whether err says that the list does not exist, although it was
// read before.
func (w *workerPool) listVanished(err error) bool {
	return errors.Is(err, api.ErrNotFound) && w.answered.Load()
}

// hasDuplicateIDs reports whether an id occurs twice in p.
func hasDuplicateIDs(p *api.Page, seen *idSet) bool {
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

// dropDuplicateIDs keeps the first object of each id in p, and returns how many it
// removed.
func dropDuplicateIDs(p *api.Page, seen *idSet) int {
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

// countDuplicates counts the duplicates in the answer of j, which stayed when it was
// requested again. Rows may be missing in their place.
func (r *Rows) countDuplicates(j *job) {
	if j.duplicates == 0 {
		return
	}
	r.addCounts(int64(j.duplicates), 0)
	r.setDoubt(doubtDuplicates)
}

// confirmations is how many requests have to bring nothing before that is trusted.
const confirmations = 3

// staysEmpty repeats a request that brought no row, and reports whether it brings none
// each time.
func (r *Rows) staysEmpty(ctx context.Context, a listRequest) (bool, error) {
	for range confirmations - 1 {
		j := r.pool.submit(a)
		err := r.pool.waitFor(ctx, j)
		none := len(j.page.Objects) == 0
		r.pool.release(j)
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
	hintLarger       = "ask for larger pages (--page-size)"
	hintFewerChanges = "try again when less is being changed"
	hintRetry        = "the server, or a proxy before it, gives wrong answers; try again, and tell its operator if that continues"
	hintSmaller      = "the server gives fewer rows than it is asked for; ask for no more than it gives (--page-size)"
)

var (
	doubtDuplicates = doubt{"rows came twice in one answer", hintRetry}
	doubtEnd        = doubt{"the newest row never came, so rows may be missing at the end", hintRetry}
	doubtEmptyPages = doubt{"pages came empty, and those behind them did not", hintRetry}
	doubtLastPage   = doubt{"the last page came with more rows when it was asked for again", hintRetry}
	doubtLengths    = doubt{"pages came in different lengths", hintSmaller}
	doubtOrder      = doubt{"a second reading came in another order: the list changed while it was read", hintFewerChanges}
	doubtGrowth     = doubt{"rows were made faster than they were read, so the reading was ended", "leave --order-by out, or " + hintFewerChanges}
	doubtStale      = doubt{"many pages in a row brought nothing new, so the reading was ended", "leave --order-by out, or " + hintFewerChanges}
	doubtSameTime   = doubt{"more rows were made at one moment than a page holds, and the server ignores _page", hintLarger}
	doubtNoPaging   = doubt{"the server ignores _page, and gave fewer rows than a page holds", hintLarger}
	doubtNoID       = doubt{"rows without an id cannot be told apart", "an export without an id in its rows can be no better"}
	doubtDiffers    = doubt{"two answers did not hold the same rows", hintRetry}
)
