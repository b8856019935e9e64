package bulk

import (
	"bytes"
	"context"

	"flytt/internal/api"
	"flytt/pipeline"
)

// readback reads the records of rows that the API's answers did not show completely.
type readback struct {
	engine  *engine
	rows    *chunkRows
	storage *storage
	own     *ownRecords
	answer  *api.Answer
}

// read reads the records of rows that the API's answers did not show completely, to learn
// how they are stored. A record that cannot be read now proves nothing.
func (rb *readback) read(ctx context.Context) error {
	if !rb.storage.unread() || rb.engine.options.Journal == nil {
		return nil
	}
	if err := rb.findUnnamed(ctx); err != nil {
		return err
	}
	rows := rb.storage.unshown
	rb.storage.unshown = nil
	found, err := rb.findUnshown(ctx, rows)
	if err != nil {
		rb.storage.unshown = rows
		return err
	}
	var created []sentRow
	for _, s := range rows {
		record := found[string(rb.rows.idOf(s.row))]
		switch {
		case rb.rows.chunk.Fates[s.row] == pipeline.Written && len(rb.rows.idOf(s.row)) > 0:
			created = append(created, s)
		case record != nil:
			rb.noteChanged(s, record)
		default:
			rb.storage.unshown = append(rb.storage.unshown, s)
		}
	}
	rb.matchRead(created, found)
	for i := range rb.storage.unshown {
		rb.storage.unshown[i].read = true
	}
	return nil
}

// findUnshown returns the records of rows that can be read now, by their ids. Where an id
// may be that of another row the list, which may be behind, is not all that is asked.
func (rb *readback) findUnshown(ctx context.Context, rows []sentRow) (map[string][]byte, error) {
	ids := make([]string, 0, len(rows))
	for _, s := range rows {
		if id := rb.rows.idOf(s.row); len(id) > 0 {
			ids = append(ids, string(id))
		}
	}
	found, err := rb.engine.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, s := range rows {
		id := string(rb.rows.idOf(s.row))
		if !s.placed || rb.rows.chunk.Fates[s.row] != pipeline.Written || id == "" || found[id] != nil {
			continue
		}
		record, err := rb.engine.get(ctx, id)
		if stops(ctx, err) {
			return nil, err
		}
		if record == nil {
			break // without one of them nothing is known of the others
		}
		found[id] = record
	}
	return found, nil
}

// noteChanged notes that record, which row s changed, was read. The journal does not keep
// which members an earlier pass sent, so all members of the row are compared; the record
// held the others already.
func (rb *readback) noteChanged(s sentRow, record []byte) {
	if s.sent == nil {
		s.sent = bytes.Clone(rb.rows.wanted(s.row))
	}
	rb.rows.unwarn([]sentRow{s})
	rb.storage.noteStored(s, record, nil)
}

// findUnnamed looks for the records of unshown rows that are written and of which the API
// gave no id: those that it did not name when it refused others of their request.
func (rb *readback) findUnnamed(ctx context.Context) error {
	var rows []int32
	for _, s := range rb.storage.unshown {
		if rb.rows.chunk.Fates[s.row] == pipeline.Written && len(rb.rows.idOf(s.row)) == 0 {
			rows = append(rows, s.row)
		}
	}
	rows = rb.rows.findable(rows)
	if len(rows) == 0 {
		return nil
	}
	found, err := rb.engine.findByKeys(ctx, rb.rows.keysOf(rows), "")
	if err != nil {
		if stops(ctx, err) {
			return err
		}
		rb.engine.options.Log.Warn("ids of rows are not known", "cause", "looking them up failed", "chunk", rb.rows.chunk.Seq, "rows", len(rows), "error", err)
		return nil
	}
	for _, row := range rows {
		records := found[string(rb.rows.key(row))].Records
		owner, record := rb.own.ownerOf(row, records, wasSent)
		// The row is written: if its key is kept, the only record that has it is its own.
		if rb.own.mayOwn(row, records) && (owner != ownerUnclear || rb.engine.forms.trusts(rb.rows.key(row))) {
			rb.rows.setID(row, []byte(record.ID))
		}
	}
	return nil
}

// matchRead matches rows, which created records, with the records that were found by the ids
// of the rows. If an answer showed only ids, rows got their ids by position; the records
// themselves show better which row each belongs to. If some records are not found, nothing
// is settled, because they may belong to other rows.
func (rb *readback) matchRead(rows []sentRow, found map[string][]byte) {
	body := []byte{'['}
	indices := make([]int32, len(rows))
	for i, s := range rows {
		record := found[string(rb.rows.idOf(s.row))]
		if record == nil {
			rb.storage.unshown = append(rb.storage.unshown, rows...)
			return
		}
		if i > 0 {
			body = append(body, ',')
		}
		body, indices[i] = append(body, record...), s.row
	}
	if len(rows) == 0 || rb.answer.Match(append(body, ']'), rb.rows.sent(indices)) != nil {
		return
	}
	rb.rows.unwarn(rows)
	for i, row := range indices {
		if rb.answer.Written(i) && len(rb.answer.ID(i)) > 0 {
			rb.rows.setID(row, rb.answer.ID(i))
			rb.own.noteCreated(row, rb.answer.Object(i))
		}
	}
}
