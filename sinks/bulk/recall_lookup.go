package bulk

import (
	"context"
	"errors"
	"slices"
	"time"

	"flytt/internal/api"
	"flytt/pipeline"
)

// partDoubtful parts rows in doubt into those that would make records and those
// that change one.
func (w *write) partDoubtful(rows []int32) (creates, changes []int32) {
	for _, row := range rows {
		_, image := w.changed[row]
		switch mode := w.bulk.options.Mode; {
		case image, mode == UpdateOnly, mode != Upsert && len(w.id(row)) > 0:
			changes = append(changes, row)
		default:
			creates = append(creates, row)
		}
	}
	return creates, changes
}

// findable returns those of rows that can be looked up: their keys can be asked
// for, and no other row has them.
func (w *write) findable(rows []int32) (out []int32) {
	o := &w.bulk.options
	if !o.KeyLookup || len(rows) == 0 {
		return nil
	}
	times := map[string]int{}
	for i, fate := range w.chunk.Fates {
		if fate != pipeline.Rejected && fate != pipeline.Skipped && fate != pipeline.Existing {
			times[string(w.key(int32(i)))]++
		}
	}
	for _, row := range rows {
		if key := w.key(row); api.Lookupable(key) && times[string(key)] == 1 && !w.shared(row) {
			out = append(out, row)
		}
	}
	return out
}

// shared reports whether the key of row is also that of a row elsewhere in the
// input.
func (w *write) shared(row int32) bool {
	f := w.bulk.options.Shared
	return f != nil && f(w.chunk.Rows[row])
}

// longestGap is the longest time between the two reads that tell whether a row in
// doubt is there.
const longestGap = 3 * time.Second

// reconcile looks up rows that an earlier pass left in doubt, once the API cannot
// be working on them any more, and settles them: those that are there, and those
// that are not, which are Pending again. It returns those of which nothing can be
// believed because no record is known to be there: there may be one later. Idle says
// that this write sends nothing: only then may strays be read.
func (w *write) reconcile(ctx context.Context, rows []int32, idle bool) (left []int32, err error) {
	if err := w.readImages(rows); err != nil {
		return nil, err
	}
	creates, changes := w.partDoubtful(rows)
	creates = w.findable(creates)
	if len(creates)+len(changes) == 0 {
		return nil, nil
	}
	if err := w.bulk.untilSettled(ctx); err != nil {
		return nil, err
	}
	if err := w.reconcileChanges(ctx, changes); err != nil {
		return nil, err
	}
	if creates, err = w.matchLoose(ctx, creates); err != nil {
		return nil, err
	}
	return w.reconcileCreates(ctx, creates, idle)
}

// untilSettled waits until the API cannot be working any more on what was sent
// before this pass.
func (s *Import) untilSettled(ctx context.Context) error {
	if left := s.settleLeft(); left > 0 {
		return s.options.Drain.Sleep(ctx, left)
	}
	return nil
}

// reconcileCreates looks rows up, and those that were not shown a second time. While
// no row is known to be there it waits for those that are still to be sent.
func (w *write) reconcileCreates(ctx context.Context, rows []int32, idle bool) (left []int32, err error) {
	if len(w.proven()) == 0 && w.chunk.Pending() > 0 {
		return rows, nil
	}
	unclear, err := w.seekByKey(ctx, rows)
	if stops(ctx, err) || interrupted(ctx, err) {
		return nil, err
	}
	blind := errors.Is(err, api.ErrCanaryMissing)
	if !idle {
		return unclear, nil
	}
	if err := w.matchStrays(ctx, unclear); err != nil || !blind {
		return nil, err
	}
	return w.inDoubt(unclear), nil
}

// seekByKey looks rows up by their keys, and those that are not found a second time, and
// settles those of which that tells what became. It returns the others. With an error
// that is all of them.
func (w *write) seekByKey(ctx context.Context, rows []int32) (unclear []int32, err error) {
	for read := 0; len(rows) > 0 && read < 2; read++ {
		if read > 0 {
			if err := w.bulk.options.Drain.Sleep(ctx, min(w.bulk.options.Settle/2, longestGap)); err != nil {
				return nil, err
			}
		}
		found, err := w.look(ctx, rows)
		if err != nil {
			if !stops(ctx, err) {
				w.bulk.options.Log.Warn("rows are not found by key", "cause", "looking them up failed", "chunk", w.chunk.Seq, "rows", len(rows), "error", err)
			}
			return append(unclear, rows...), err
		}
		absent, near := w.adopt(rows, found)
		rows, unclear = absent, append(unclear, near...)
	}
	return append(unclear, w.believe(rows)...), nil
}

// believe makes those of rows, which are not found by their keys, Pending of which that
// proves that they are not there: the API keeps keys of their form, and no request made
// records of which it is not known whose they are. It returns the others.
func (w *write) believe(rows []int32) (unclear []int32) {
	for _, row := range rows {
		if len(w.loose) == 0 && w.bulk.forms.trusts(w.key(row)) {
			w.sendAnew([]int32{row})
		} else {
			unclear = append(unclear, row)
		}
	}
	return unclear
}

// sendAnew makes rows, which were in doubt and are known not to have been written,
// Pending.
func (w *write) sendAnew(rows []int32) {
	for _, row := range rows {
		w.chunk.Fates[row] = pipeline.Pending
		w.again[row] = true
	}
}

// adopt settles those of rows, which were in doubt, that have records, and returns those
// that have none, and those of which their keys do not tell: a record has the key in
// another form, and may be their own. Where a row changes the record there is, it is compared with it once more.
func (w *write) adopt(rows []int32, found map[string]api.Found) (absent, near []int32) {
	for _, row := range rows {
		of := found[string(w.key(row))]
		owner, record := w.ownerOf(row, of.Records, wasSent)
		switch {
		case owner == ownerNone && len(of.OtherForms) == 0:
			absent = append(absent, row)
		case owner != ownerNone && w.bulk.options.Mode == Upsert && !w.mayOwn(row, of.Records):
			w.sendAnew([]int32{row})
		case !w.settleBy(row, owner, record):
			near = append(near, row)
		}
	}
	return absent, near
}

// look looks rows up, together with a record that is known to be there; api.ErrCanaryMissing
// says that the list does not show it.
func (w *write) look(ctx context.Context, rows []int32) (found map[string]api.Found, err error) {
	controls, err := w.controls(ctx)
	if err != nil {
		return nil, err
	}
	o := &w.bulk.options
	l := api.Lookup{Path: o.Path, Field: o.Key, Keys: w.keysOf(rows)}
	for _, l.Canary = range controls {
		if found, err = w.bulk.client.FindByKeys(ctx, l); !errors.Is(err, api.ErrCanaryMissing) {
			break
		}
	}
	if err == nil {
		w.bulk.shown(l.Canary)
	}
	return found, err
}

// keysOf returns the keys of rows.
func (w *write) keysOf(rows []int32) []string {
	keys := make([]string, len(rows))
	for i, row := range rows {
		keys[i] = string(w.key(row))
	}
	return keys
}

// proven returns the keys of records that are known to be there.
func (w *write) proven() (keys []string) {
	add := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	add(w.bulk.control.known())
	add(w.bulk.control.first())
	add(w.witness())
	if a := w.bulk.witness.Load(); a != nil {
		add(a.key)
	}
	return keys
}

// controls returns keys of which the list has to show one to be believed: those of
// records that are known to be there. Where none is known, a record that the list
// shows will do: it proves less, for a list that is behind shows it too.
func (w *write) controls(ctx context.Context) ([]string, error) {
	if keys := w.proven(); len(keys) > 0 {
		return keys, nil
	}
	if a := w.bulk.anchor.Load(); a != nil {
		return []string{a.key}, nil
	}
	key, err := w.bulk.client.AnyKey(ctx, w.bulk.options.Path, w.bulk.options.Key)
	return []string{key}, err
}
