package bulk

import (
	"bytes"
	"cmp"
	"context"

	"flytt/pipeline"
)

// reconcileChanges settles rows whose changes an earlier pass left in doubt by
// what their records hold.
func (w *write) reconcileChanges(ctx context.Context, rows []int32) error {
	ids := make([]string, len(rows))
	var asked []string
	for i, row := range rows {
		ids[i] = cmp.Or(string(w.rows.id(row)), w.journal.changed[row].ID)
		if ids[i] != "" {
			asked = append(asked, ids[i])
		}
	}
	found, err := w.engine.findIDs(ctx, asked)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if ids[i] == "" {
			w.journal.closed[row] = true
			continue
		}
		record, err := found[ids[i]], error(nil)
		if record == nil {
			record, err = w.engine.get(ctx, ids[i])
		}
		switch {
		case stops(ctx, err):
			return err
		case err != nil:
			w.engine.options.Log.Warn("a row stays in doubt", "cause", "its record cannot be read", "chunk", w.rows.chunk.Seq, "error", err)
		default:
			if err := w.reconcileChange(row, ids[i], record); err != nil {
				return err
			}
		}
	}
	return nil
}

// reconcileChange settles row by its record: updated if that holds all of the
// row, to be sent again if it holds what it did before, or is gone, which the
// change will find; updated, too, if it holds other forms of the row's values. A
// record that holds something else was changed by somebody: the row stays in doubt.
func (w *write) reconcileChange(row int32, id string, record []byte) error {
	if record == nil {
		w.journal.sendAnew([]int32{row})
		return nil
	}
	patch, err := w.matcher.patchOf(row, record)
	if err != nil {
		return err
	}
	before := w.journal.changed[row]
	switch {
	case patch == nil:
		w.changeArrived(sentRow{row: row, sent: bytes.Clone(w.rows.wanted(row))}, id, record)
	case before.Held != 0 && before.Held == w.journal.heldSum(patch, record):
		w.journal.sendAnew([]int32{row})
	case w.matcher.fitsChange(row, patch, record):
		w.changeArrived(sentRow{row: row, sent: patch}, id, record)
	default:
		w.journal.closed[row] = true
		w.rows.downgrade(row)
		w.rows.claim(row)
		w.engine.options.Log.Warn("a row stays in doubt", "cause", "its record holds neither what was sent nor what it held before", "chunk", w.rows.chunk.Seq)
	}
	return nil
}

// changeArrived settles a row in doubt whose record shows that it was changed.
func (w *write) changeArrived(s sentRow, id string, record []byte) {
	w.rows.chunk.Fates[s.row] = pipeline.Updated
	w.rows.setID(s.row, []byte(id))
	w.storage.takeStored(s, record, nil)
	w.rows.downgrade(s.row)
	w.rows.claim(s.row)
}
