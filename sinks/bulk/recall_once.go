package bulk

import (
	"context"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
)

// onceTime bounds the look for rows that were in a request without a clear
// answer.
const onceTime = 10 * time.Second

// seekOnce looks rows in doubt up at once and settles those that are there as they
// were sent. Of the others nothing is known yet: the API may be working on them.
// A later pass looks them up when it cannot be any more.
func (w *write) seekOnce(ctx context.Context, rows []int32) {
	if w.bulk.options.Journal == nil || w.bulk.options.Drain.Err(ctx) != nil {
		return
	}
	rows = w.findable(w.inDoubt(rows))
	if len(rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, onceTime)
	defer cancel()
	o := &w.bulk.options
	found, err := w.bulk.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: w.keysOf(rows)})
	if err != nil {
		o.Log.Warn("rows stay in doubt for now", "cause", "looking them up failed", "chunk", w.chunk.Seq, "rows", len(rows), "error", err)
		return
	}
	there := 0
	for _, row := range rows {
		owner, record := w.ownerOf(row, found[string(w.key(row))].Records, wasSent)
		if owner == ownerRow || owner == ownerEarlier {
			w.settleBy(row, owner, record)
			there++
		}
	}
	if there == len(rows) {
		w.bulk.doubts.Store(0)
	}
	o.Log.Info("rows in doubt looked up", "chunk", w.chunk.Seq, "rows", len(rows), "there", there)
}

// inDoubt returns those of rows that are in doubt.
func (w *write) inDoubt(rows []int32) (out []int32) {
	for _, row := range rows {
		if w.chunk.Fates[row] == pipeline.InDoubt {
			out = append(out, row)
		}
	}
	return out
}

// aliveAfter is how many requests in a row may end in doubt before the API is
// asked whether it is there at all.
const aliveAfter = 3

// alive waits, once several requests in a row have ended in doubt, until the API
// answers: rows sent to an API that is down would all be in doubt.
func (w *write) alive(ctx context.Context) error {
	if w.bulk.options.Journal == nil || w.bulk.doubts.Load() < aliveAfter {
		return nil
	}
	return w.bulk.client.WaitUntilUp(ctx, w.bulk.options.Path)
}
