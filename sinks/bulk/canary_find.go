package bulk

import (
	"context"
	"slices"
	"strings"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
)

// canaryFinder finds the canary of the run with rows of the chunk.
type canaryFinder struct {
	engine   *engine
	delivery *delivery
	rows     *chunkRows
	storage  *storage
	search   *search
	readback *readback
}

// find finds a control with the first of rows, if there is none yet, or waits
// until another write has found one. It returns the rows still to be sent.
func (cf *canaryFinder) find(ctx context.Context, rows []int32) ([]int32, error) {
	release, err := cf.engine.control.takeTurn(ctx)
	if release == nil {
		return rows, err
	}
	defer release()
	return cf.tryRows(ctx, rows)
}

// takeTurn waits for the turn to find a control, and returns what ends it. It returns nil
// if there is a control, or will be none.
func (c *control) takeTurn(ctx context.Context) (release func(), err error) {
	if c.settled() {
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
	if c.settled() {
		release()
		return nil, nil
	}
	return release, nil
}

// tryRows sends rows that have a usable key one by one until one of them serves
// as the control. It returns the rows it has not sent.
func (cf *canaryFinder) tryRows(ctx context.Context, rows []int32) ([]int32, error) {
	refused := 0
	for _, row := range inTryingOrder(rows) {
		if !api.Lookupable(cf.rows.key(row)) {
			continue
		}
		if err := cf.search.send(ctx, []int32{row}); err != nil {
			return cf.rows.stillPending(rows), err
		}
		if err := cf.tried(ctx, row); err != nil {
			return cf.rows.stillPending(rows), err
		}
		if cf.engine.control.settled() {
			break
		}
		if cf.rows.chunk.Fates[row] != pipeline.Rejected {
			continue
		}
		refused++
		if left := cf.rows.stillPending(rows); refused == triedFirst+sampleSize && len(left) >= worthwhile {
			if err := cf.delivery.breaker.sampledBad(refused, cf.search.mostlyLocked()); err != nil {
				return left, err
			}
		}
	}
	return cf.rows.stillPending(rows), nil
}

// triedFirst is how many rows are tried in their order before others from all over
// the chunk are.
const triedFirst = 3

// inTryingOrder returns rows in the order in which they are tried: should the
// first ones be refused, it is of interest whether all are.
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

// tried takes in what became of row, which was sent alone.
func (cf *canaryFinder) tried(ctx context.Context, row int32) error {
	c := &cf.engine.control
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
	if !c.settled() && (c.tries == maxControlTries || c.refused == maxControlRefused) {
		cf.withoutControl(c.cause(), nil)
	}
	return nil
}

// readBack looks for the record of row, which was written, and makes its key the control
// if it is found. If it is not found there will be no control; if there are several of
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
		found, err = cf.engine.reader.FindByKeys(ctx, api.Lookup{
			Path: cf.engine.options.Path, Field: cf.engine.options.Key, Keys: []string{key}, Canary: key,
		})
		if interrupted(ctx, err) {
			return err
		}
		if err == nil {
			if i > 0 {
				cf.engine.control.lag = time.Since(written)
			}
			cf.judge(row, key, found[key].Records)
			return nil
		}
	}
	cf.withoutControl("the first row written cannot be read back", err)
	return nil
}

// judge makes key, which the record of row has, the control if records has that record
// and no other. Whether its other fields are as they were sent does not matter. A record
// that is known by its id to be the row's shows whether the key is kept in its form,
// which the answer to the row may not have shown.
func (cf *canaryFinder) judge(row int32, key string, records []api.Record) {
	if len(records) == 1 {
		cf.engine.shown(key)
	}
	id := string(cf.rows.idOf(row))
	switch {
	case len(records) == 1 && (id == "" || strings.EqualFold(records[0].ID, id)):
		if id != "" {
			cf.storage.learnKey(row, records[0].Object)
		}
		cf.engine.control.settle(key)
	default:
		cf.engine.control.crowded = cf.engine.control.crowded || len(records) > 0
	}
}

// withoutControl goes on with no way to look rows up.
func (cf *canaryFinder) withoutControl(why string, err error) {
	args := []any{"cause", why}
	if err != nil {
		args = append(args, "error", err)
	}
	cf.engine.options.Log.Warn("rows cannot be looked up by key; after a refusal the rows not named will be in doubt", args...)
	cf.engine.control.settle("")
}
