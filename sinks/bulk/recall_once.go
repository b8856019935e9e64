package bulk

import (
	"context"
	"time"

	"flytt/internal/api"
)

// onceTime bounds the look for rows that were in a request without a clear
// answer.
const onceTime = 10 * time.Second

// seekOnce looks rows in doubt up at once and settles those that are there as they
// were sent. Of the others nothing is known yet: the API may be working on them.
// A later pass looks them up when it cannot be any more.
func (w *write) seekOnce(ctx context.Context, rows []int32) {
	if w.engine.options.Journal == nil || w.engine.options.Drain.Err(ctx) != nil {
		return
	}
	rows = w.rows.findable(w.rows.inDoubt(rows))
	if len(rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, onceTime)
	defer cancel()
	o := &w.engine.options
	found, err := w.engine.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: w.rows.keysOf(rows)})
	if err != nil {
		o.Log.Warn("rows stay in doubt for now", "cause", "looking them up failed", "chunk", w.rows.chunk.Seq, "rows", len(rows), "error", err)
		return
	}
	there := 0
	for _, row := range rows {
		owner, record := w.own.ownerOf(row, found[string(w.rows.key(row))].Records, wasSent)
		if owner == ownerRow || owner == ownerEarlier {
			w.own.settleBy(row, owner, record)
			there++
		}
	}
	if there == len(rows) {
		w.engine.doubts.Store(0)
	}
	o.Log.Info("rows in doubt looked up", "chunk", w.rows.chunk.Seq, "rows", len(rows), "there", there)
}

// aliveAfter is how many requests in a row may end in doubt before the API is
// asked whether it is there at all.
const aliveAfter = 3

// alive waits, once several requests in a row have ended in doubt, until the API
// answers: rows sent to an API that is down would all be in doubt.
func (w *write) alive(ctx context.Context) error {
	if w.engine.options.Journal == nil || w.engine.doubts.Load() < aliveAfter {
		return nil
	}
	return w.engine.client.WaitUntilUp(ctx, w.engine.options.Path)
}
