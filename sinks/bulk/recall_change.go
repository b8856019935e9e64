package bulk

import (
	"bytes"
	"cmp"
	"context"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// readImages reads what records held before rows in doubt were to change them: it
// is the last image of a record that counts.
func (w *write) readImages(rows []int32) error {
	if !w.bulk.changes || len(rows) == 0 || w.changed != nil {
		return nil
	}
	w.changed = map[int32]Before{}
	images, err := w.bulk.options.Journal.BeforeImages(w.chunk.Seq)
	if err != nil {
		return err
	}
	for _, image := range images {
		list, err := ReadImage(image.Data, nil)
		if err != nil {
			return err
		}
		for _, b := range list {
			b.Record = nil
			w.changed[b.Row] = b
		}
	}
	return nil
}

// reconcileChanges settles rows whose changes an earlier pass left in doubt by
// what their records hold.
func (w *write) reconcileChanges(ctx context.Context, rows []int32) error {
	ids := make([]string, len(rows))
	var asked []string
	for i, row := range rows {
		ids[i] = cmp.Or(string(w.id(row)), w.changed[row].ID)
		if ids[i] != "" {
			asked = append(asked, ids[i])
		}
	}
	found, err := w.bulk.findIDs(ctx, asked)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if ids[i] == "" {
			w.closed[row] = true
			continue
		}
		record, err := found[ids[i]], error(nil)
		if record == nil {
			record, err = w.bulk.get(ctx, ids[i])
		}
		switch {
		case stops(ctx, err):
			return err
		case err != nil:
			w.bulk.options.Log.Warn("a row stays in doubt", "cause", "its record cannot be read", "chunk", w.chunk.Seq, "error", err)
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
		w.sendAnew([]int32{row})
		return nil
	}
	patch, err := w.patchOf(row, record)
	if err != nil {
		return err
	}
	before := w.changed[row]
	switch {
	case patch == nil:
		w.changeArrived(sentRow{row: row, sent: bytes.Clone(w.wanted(row))}, id, record)
	case before.Held != 0 && before.Held == w.held(patch, record):
		w.sendAnew([]int32{row})
	case w.fitsChange(row, patch, record):
		w.changeArrived(sentRow{row: row, sent: patch}, id, record)
	default:
		w.closed[row] = true
		w.pardon(row)
		w.claim(row)
		w.bulk.options.Log.Warn("a row stays in doubt", "cause", "its record holds neither what was sent nor what it held before", "chunk", w.chunk.Seq)
	}
	return nil
}

// changeArrived settles a row in doubt whose record shows that it was changed.
func (w *write) changeArrived(s sentRow, id string, record []byte) {
	w.chunk.Fates[s.row] = pipeline.Updated
	w.setID(s.row, []byte(id))
	w.takeStored(s, record, nil)
	w.pardon(s.row)
	w.claim(s.row)
}

// fitsChange reports whether record, which does not hold what it did before, may be what
// the API made of patch.
func (w *write) fitsChange(row int32, patch, record []byte) bool {
	for raw, want := range jsonscan.Members(patch) {
		name := string(jsonscan.Unquote(raw))
		if got := jsonscan.Member(record, name); got == nil || !w.inSomeForm(row, name, want, got) {
			return false
		}
	}
	return true
}
