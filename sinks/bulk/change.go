package bulk

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/internal/packed"
	"flytt/pipeline"
)

// changer changes records, and settles the rows by what became of the changes.
type changer struct {
	engine     *engine
	options    *ImportOptions
	delivery   *delivery
	rows       *chunkRows
	storage    *storage
	matcher    *matcher
	journal    *chunkJournal
	rejections *rejections
	plan       *planCheck
	answer     *api.Answer
	reply      *replyBuffer
}

// apply sends what compare has found to differ, once the journal has it what
// the records hold now.
func (ch *changer) apply(ctx context.Context, changes []change) error {
	changes = ch.plan.changes(changes)
	if len(changes) == 0 {
		return nil
	}
	rows := make([]int32, len(changes))
	for i := range changes {
		rows[i] = changes[i].row
	}
	if err := ch.announce(rows, changes); err != nil {
		return err
	}
	return ch.rejections.sendEach(ctx, rows, func(i int, alone bool) ([]api.Refusal, error) {
		if err := ch.delivery.waitUntilUp(ctx); err != nil {
			return nil, err
		}
		return ch.send(ctx, &changes[i], alone)
	})
}

// announce has the journal note that changes, of rows, are about to be sent.
func (ch *changer) announce(rows []int32, changes []change) error {
	if ch.engine.options.Journal == nil {
		return nil
	}
	image, err := ch.image(changes)
	if err != nil {
		return err
	}
	for i := range changes {
		ch.journal.noteChanged(&changes[i])
	}
	return ch.journal.announce(rows, image)
}

// image returns what the records hold that changes are about to change.
func (ch *changer) image(changes []change) ([]byte, error) {
	o := ch.options
	form := byte(imageBare)
	switch {
	case o.Undoable && o.SealImage != nil:
		form = imageSealed
	case o.Undoable:
		form = imagePlain
	}
	out := binary.AppendUvarint([]byte{imageVersion, form}, uint64(len(changes)))
	var records []byte
	for i := range changes {
		c := &changes[i]
		out = binary.AppendUvarint(out, uint64(c.row))
		out = packed.AppendBytes(out, c.id)
		out = binary.LittleEndian.AppendUint64(out, ch.journal.heldSum(c.patch, c.record))
		if form != imageBare {
			records = packed.AppendBytes(records, c.record)
		}
	}
	if form != imageSealed {
		return append(out, records...), nil
	}
	sealed, err := o.SealImage(records)
	if err != nil {
		return nil, fmt.Errorf("what records hold before they are changed: encrypt: %w", err)
	}
	return append(out, sealed...), nil
}

// send sends the change c and settles its row, unless another write kept it out: then
// it returns what was said. It makes attempts until one may have been processed.
func (ch *changer) send(ctx context.Context, c *change, alone bool) (kept []api.Refusal, err error) {
	path := ch.engine.options.Records
	o, kept, err := ch.delivery.deliverOne(c.patch, alone, func(via Writer) (api.Outcome, error) {
		return ch.delivery.client.Deliver(ctx, http.MethodPatch, path, func() api.Outcome {
			o := via.Update(ctx, path, c.id, c.patch, ch.reply.bytes)
			ch.reply.keep(o)
			return o
		})
	})
	if err != nil || kept != nil {
		return kept, err
	}
	return nil, ch.settle(ctx, c, o)
}

func (ch *changer) settle(ctx context.Context, c *change, o api.Outcome) error {
	if o.OK() {
		if record := recordOf(o.Body, c.id); record != nil {
			ch.updated(c, record)
			return nil
		}
		if refusals := ch.refusedInside(o.Body, c.patch); refusals != nil && !ch.arrived(ctx, c) {
			ch.delivery.doubts.Store(0)
			ch.rejections.rejectOne(c.row, refusals)
			return nil
		}
		o.Err = errNoRecord
	}
	if o.OK() || o.Class == api.InDoubt {
		return ch.readBack(ctx, c, o)
	}
	ch.delivery.doubts.Store(0)
	switch {
	case o.Status == http.StatusRequestEntityTooLarge:
		ch.rows.note(c.row, pipeline.None, codeItemTooLarge, "")
		return nil
	case api.IsRefusal(o.Status):
		ch.rejections.rejectOne(c.row, refusalsOfOne(o.Body, c.patch))
		return nil
	case o.Status == http.StatusNotFound:
		return ch.vanished(ctx, c.row, c.id)
	}
	return ch.delivery.patchStops(o.Status)
}

// refusedInside returns what body, an answer with a status of success to changes of one
// record, says is wrong, if it says that the changes were refused; nil if it does not.
func (ch *changer) refusedInside(body, changes []byte) []api.Refusal {
	if err := ch.answer.Match(body, api.Sent{Items: [][]byte{changes}}); err != nil || !ch.answer.Refused() {
		return nil
	}
	return slices.Clone(ch.answer.Refusals())
}

// arrived reports whether the change c may be there: an answer that is a part of the record
// may look like a refusal.
func (ch *changer) arrived(ctx context.Context, c *change) bool {
	record, err := ch.engine.get(ctx, c.id)
	return err != nil || record != nil && ch.matcher.shows(c, record)
}

// vanished settles a row whose record was there and is not found when it is to
// be changed: it has been deleted, unless it is there to be read, for then it is
// the address that is wrong.
func (ch *changer) vanished(ctx context.Context, row int32, id string) error {
	record, err := ch.engine.get(ctx, id)
	switch {
	case err != nil:
		return err
	case record != nil:
		return ch.delivery.patchStops(http.StatusNotFound)
	}
	ch.rows.note(row, ch.engine.field(idField), codeNotFound, "")
	return nil
}

// updated settles the row of c, which the API has answered with record. A record that
// holds something else is worth a warning: the next import would find the same
// differences.
func (ch *changer) updated(c *change, record []byte) {
	ch.delivery.doubts.Store(0)
	ch.rows.chunk.Fates[c.row] = pipeline.Updated
	ch.rows.setID(c.row, []byte(c.id))
	ch.storage.noteStored(sentRow{row: c.row, sent: c.patch}, record, nil)
}

// readBack settles the row of c by reading its record back, since there was no clear
// answer.
func (ch *changer) readBack(ctx context.Context, c *change, o api.Outcome) error {
	cause := o.Err
	waits := visible
	if ch.engine.options.Journal != nil {
		waits = waits[:1] // a later pass looks again
	}
	for _, wait := range waits {
		if err := ch.engine.options.Drain.Sleep(ctx, wait); err != nil {
			break
		}
		record, err := ch.engine.get(ctx, c.id)
		if err != nil {
			cause = err
			break
		}
		if record != nil && ch.matcher.shows(c, record) {
			ch.updated(c, record)
			return nil
		}
	}
	ch.rows.putInDoubt([]int32{c.row}, "no clear answer to a change, and it is not read back", o.Status, cause)
	return ch.delivery.noteDoubt(http.MethodPatch, ch.engine.options.Records, cause)
}
