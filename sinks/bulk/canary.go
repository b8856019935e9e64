package bulk

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
)

// canary is a row that is known to be in the API, and that lookups are known to find.
// Each lookup asks for the canary too. If the answer shows it, the lookup works: the
// scope of the credentials, a replica that lags, or a filter without effect do not hide
// records. Only then do rows that the answer does not show count as absent.
//
// The first row of a run is sent alone to become the canary, while all other writes
// wait. After that the canary is always a row of the newest answer: a list that shows
// this row is up to date, as far as that can be known.
type canary struct {
	turn    chan struct{} // holds one token: who may learn
	done    chan struct{} // closed when there is a key, or there will be none
	key     string        // set before done is closed; empty: nothing can be looked up
	lag     time.Duration // likewise: how long it took at most until the list showed the canary
	tries   int           // rows sent alone so far that were not refused; for the holder of the turn
	refused int           // rows sent alone that were; likewise

	latest atomic.Pointer[canaryKey] // a row that was written since

	crowded bool // the API has several records with the key of one row
}

// maxCanaryTries is how many rows are sent alone at most, and maxCanaryRefused
// how many of those that are refused.
const (
	maxCanaryTries   = 25
	maxCanaryRefused = 60
)

// visible is how long to wait before each look for the first row written.
var visible = []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond}

// init says that there will be no canary.
func (c *canary) init() {
	c.done = make(chan struct{})
	close(c.done)
}

// open lets a canary be found.
func (c *canary) open() {
	c.turn, c.done = make(chan struct{}, 1), make(chan struct{})
}

// currentKey returns the key of the canary; empty if there is none.
func (c *canary) currentKey() string {
	if a := c.latest.Load(); a != nil && c.firstKey() != "" {
		return a.key
	}
	return c.firstKey()
}

// firstKey returns the key of the first row that became the canary.
func (c *canary) firstKey() string {
	if !c.decided() {
		return ""
	}
	return c.key
}

// noteWritten takes in that a row with this key was written. One that a query cannot hold
// as it is proves nothing by not being shown.
func (c *canary) noteWritten(key []byte) {
	if api.Lookupable(key) && url.QueryEscape(string(key)) == string(key) {
		c.latest.Store(&canaryKey{string(key)})
	}
}

func (c *canary) decided() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *canary) decide(key string) {
	c.key = key
	close(c.done)
}

// takeTurn waits for the turn to find a canary, and returns what ends the turn. It returns nil
// if there is a canary, or will be none.
func (c *canary) takeTurn(ctx context.Context) (release func(), err error) {
	if c.decided() {
		return nil, nil
	}
	select {
	case <-c.done:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case c.turn <- struct{}{}:
		release = func() { <-c.turn }
	}
	if c.decided() {
		release()
		return nil, nil
	}
	return release, nil
}

// canaryKey is a key that the list has shown in this run. A lookup that asks for it
// too proves by showing it that it is not blind.
type canaryKey struct{ key string }

// noteListed notes that the list has shown key, unless it has shown another before.
func (e *engine) noteListed(key string) { e.listedKey.CompareAndSwap(nil, &canaryKey{key}) }

// noteFirstListed makes the key of one of the records, which the list has shown, the listed key if
// there is none.
func (e *engine) noteFirstListed(lists ...[]api.Record) {
	for _, records := range lists {
		for i := range records {
			if key := records[i].Key; api.Lookupable([]byte(key)) {
				e.noteListed(key)
				return
			}
		}
	}
}

// findListedKey returns a key that the list has shown in this run, or shows now; nil if
// it shows none.
func (e *engine) findListedKey(ctx context.Context) (*canaryKey, error) {
	if known := e.listedKey.Load(); known != nil {
		return known, nil
	}
	key, err := e.reader.AnyKey(ctx, e.options.Path, e.options.Key)
	switch {
	case errors.Is(err, api.ErrCanaryMissing):
		return nil, nil
	case err != nil:
		return nil, e.lookupFailed(ctx, err)
	}
	e.noteListed(key)
	return e.listedKey.Load(), nil
}

// canaryFinder finds the canary of the run with rows of the chunk.
type canaryFinder struct {
	engine   *engine
	delivery *delivery
	rows     *chunkRows
	storage  *storage
	search   *search
	readback *readback
}

// find finds a canary with the first of rows, if there is none yet, or waits
// until another write has found one. It returns the rows still to be sent.
func (cf *canaryFinder) find(ctx context.Context, rows []int32) ([]int32, error) {
	release, err := cf.engine.canary.takeTurn(ctx)
	if release == nil {
		return rows, err
	}
	defer release()
	return cf.tryRows(ctx, rows)
}

// tryRows sends rows that have a usable key one by one until one of them serves
// as the canary. It returns the rows it has not sent.
func (cf *canaryFinder) tryRows(ctx context.Context, rows []int32) ([]int32, error) {
	refused := 0
	for _, row := range inTryingOrder(rows) {
		if !api.Lookupable(cf.rows.key(row)) {
			continue
		}
		if err := cf.search.send(ctx, []int32{row}); err != nil {
			return cf.rows.withFate(rows, pipeline.Pending), err
		}
		if err := cf.noteTried(ctx, row); err != nil {
			return cf.rows.withFate(rows, pipeline.Pending), err
		}
		if cf.engine.canary.decided() {
			break
		}
		if cf.rows.chunk.Fates[row] != pipeline.Rejected {
			continue
		}
		refused++
		if left := cf.rows.withFate(rows, pipeline.Pending); refused == triedFirst+sampleSize && len(left) >= worthwhile {
			if err := cf.delivery.breaker.noteBadSample(refused, cf.search.mostlyLocked()); err != nil {
				return left, err
			}
		}
	}
	return cf.rows.withFate(rows, pipeline.Pending), nil
}

// triedFirst is how many rows are tried in their order before others from all over
// the chunk are.
const triedFirst = 3

// inTryingOrder returns rows in the order in which they are tried: should the
// first ones be refused, the others show whether all are.
func inTryingOrder(rows []int32) []int32 {
	if len(rows) <= triedFirst+sampleSize {
		return rows
	}
	out := append([]int32(nil), rows[:triedFirst]...)
	out = append(out, spread(rows[triedFirst:], sampleSize)...)
	for _, row := range rows {
		if !slices.Contains(out[:triedFirst+sampleSize], row) {
			out = append(out, row)
		}
	}
	return out
}

// noteTried takes in what became of row, which was sent alone.
func (cf *canaryFinder) noteTried(ctx context.Context, row int32) error {
	c := &cf.engine.canary
	switch cf.rows.chunk.Fates[row] {
	case pipeline.Written, pipeline.Updated:
		c.tries++
		if err := cf.readBack(ctx, row); err != nil {
			return err
		}
	case pipeline.Rejected:
		c.refused++
	default:
		c.tries++
	}
	if !c.decided() && (c.tries == maxCanaryTries || c.refused == maxCanaryRefused) {
		why := "none of the first rows was written and found"
		if c.crowded {
			why = "the API has several records with the keys of the first rows: has this file been imported before?"
		}
		cf.goWithout(why, nil)
	}
	return nil
}

// readBack looks for the record of row, which was written, and makes its key the canary
// if it is found. If it is not found there will be no canary; if there are several of
// its key, another row has to serve.
func (cf *canaryFinder) readBack(ctx context.Context, row int32) error {
	if err := cf.readback.read(ctx); err != nil { // the answer may not have shown the key
		return err
	}
	key := cf.storage.storedKey(row)
	if !api.Lookupable([]byte(key)) {
		return nil // another row has to serve
	}
	var err error
	written := time.Now()
	for i, wait := range visible {
		if err := cf.engine.options.Drain.Sleep(ctx, wait); err != nil {
			return err
		}
		var found map[string]api.Found
		found, err = cf.engine.findByKeys(ctx, []string{key}, key)
		if interrupted(ctx, err) {
			return err
		}
		if err == nil {
			if i > 0 {
				cf.engine.canary.lag = time.Since(written)
			}
			cf.takeCanary(row, key, found[key].Records)
			return nil
		}
	}
	cf.goWithout("the first row written cannot be read back", err)
	return nil
}

// takeCanary makes key, which the record of row has, the canary if records has that record
// and no other. Whether its other fields are as they were sent does not matter. A record
// that is known by its id to be the row's shows whether the key is kept in its form,
// which the answer to the row may not have shown.
func (cf *canaryFinder) takeCanary(row int32, key string, records []api.Record) {
	if len(records) == 1 {
		cf.engine.noteListed(key)
	}
	id := string(cf.rows.idOf(row))
	switch {
	case len(records) == 1 && (id == "" || strings.EqualFold(records[0].ID, id)):
		if id != "" {
			cf.storage.learnKey(row, records[0].Object)
		}
		cf.engine.canary.decide(key)
	default:
		cf.engine.canary.crowded = cf.engine.canary.crowded || len(records) > 0
	}
}

// goWithout does without a canary: rows cannot be looked up.
func (cf *canaryFinder) goWithout(why string, err error) {
	args := []any{"cause", why}
	if err != nil {
		args = append(args, "error", err)
	}
	cf.engine.options.Log.Warn("rows cannot be looked up by key; after a refusal the rows not named will be in doubt", args...)
	cf.engine.canary.decide("")
}
