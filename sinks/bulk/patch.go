package bulk

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// change is a record that is to be changed.
type change struct {
	row    int32
	id     string
	patch  []byte // what it is to hold
	record []byte // what it holds
}

// compare settles row by the record it is about: unchanged if that holds all of
// the row. Otherwise what differs is to be sent, by makeChanges.
func (w *write) compare(row int32, id string, record []byte) error {
	w.rows.noteReadOnly(row, record)
	patch, err := w.matcher.patchOf(row, record)
	switch {
	case err != nil:
		return err
	case !w.excuse(row, patch, record):
		w.rows.chunk.Fates[row] = pipeline.Rejected
	case patch == nil:
		w.rows.chunk.Fates[row] = pipeline.Unchanged
	default:
		w.todo = append(w.todo, change{row, id, patch, record})
	}
	return nil
}

// makeChanges sends what compare has found to differ, once the journal has it what
// the records hold now.
func (w *write) makeChanges(ctx context.Context) error {
	changes := w.plan.changes(w.todo)
	w.todo = w.todo[:0]
	if w.engine.plans {
		w.foreseeChanges(changes)
		return nil
	}
	if len(changes) == 0 {
		return nil
	}
	if err := w.announceChanges(changes); err != nil {
		return err
	}
	rows := make([]int32, len(changes))
	for i := range changes {
		rows[i] = changes[i].row
	}
	return w.single.sendEach(ctx, rows, func(i int, alone bool) ([]api.Refusal, error) {
		if err := w.engine.alive(ctx); err != nil {
			return nil, err
		}
		return w.patch(ctx, &changes[i], alone)
	})
}

// announceChanges has the journal note that changes are about to be sent.
func (w *write) announceChanges(changes []change) error {
	if w.engine.options.Journal == nil {
		return nil
	}
	image, err := w.journal.image(changes)
	if err != nil {
		return err
	}
	rows := make([]int32, len(changes))
	for i := range changes {
		rows[i] = changes[i].row
		w.journal.noteChanged(&changes[i])
	}
	return w.journal.announce(rows, image)
}

// differences returns those members of want that record does not hold, as an
// object; nil if it holds them all. An input cannot tell no text from no value,
// and has no white space around a text: neither is a difference. A reference of
// which the record says nothing may be any: it is one. What same, unless nil,
// says of a member and what the record holds of it is none either.
func differences(want, record []byte, same func(name string, want, got jsontext.Value) bool) []byte {
	patch, _ := api.Changes(nil, want, record)
	var out []byte
	for name, value := range jsonscan.Members(want) {
		plain := string(jsonscan.Unquote(name))
		got := jsonscan.Member(record, plain)
		if !unsaid(value, got) && (jsonscan.Member(patch, plain) == nil || alike(value, got)) {
			continue
		}
		if same != nil && same(plain, value, got) {
			continue
		}
		out = appendMember(out, name, value)
	}
	return closed(out)
}

// unsaid reports whether want is a reference and got is one of which the API
// does not tell where it leads.
func unsaid(want, got jsontext.Value) bool {
	return want.Kind() == '{' && got.Kind() == '{' && empty(got) && !empty(want)
}

// empty reports whether v, a string, an object or an array, holds nothing.
func empty(v jsontext.Value) bool { return len(bytes.TrimSpace(v[1:len(v)-1])) == 0 }

// holds reports whether record shows nothing that speaks against changes.
func (e *engine) holds(changes, record []byte) bool {
	return against(differences(changes, record, e.comparesAlike), record) == nil
}

// against returns those members of patch, which record lacks, that it speaks
// against, as an object; nil if there are none. A reference of which it says nothing
// may be the one.
func against(patch, record []byte) (out []byte) {
	for name, value := range jsonscan.Members(patch) {
		if unsaid(value, jsonscan.Member(record, string(jsonscan.Unquote(name)))) {
			continue
		}
		out = appendMember(out, name, value)
	}
	return closed(out)
}

// appendMember appends a member to out, of which closed makes an object.
func appendMember(out, name, value []byte) []byte {
	out = append(out, ',', '"')
	out = append(out, name...)
	out = append(out, '"', ':')
	return append(out, value...)
}

// closed returns members as an object; nil if there are none.
func closed(members []byte) []byte {
	if members == nil {
		return nil
	}
	members[0] = '{'
	return append(members, '}')
}

// alike reports whether want and got are the same to an input.
func alike(want, got jsontext.Value) bool {
	switch want.Kind() {
	case 'n':
		return nothing(got)
	case '"':
		return got.Kind() == '"' && bytes.Equal(jsonscan.Text(want), bytes.TrimSpace(jsonscan.Text(got)))
	}
	return false
}

// nothing reports whether got, what a record holds of a field, is no value.
func nothing(got jsontext.Value) bool {
	switch got.Kind() {
	case '"', '{', '[':
		return empty(got)
	}
	return len(got) == 0 || got.Kind() == 'n'
}

// recordOf returns body if it is the record with id, as far as it tells, and nil
// otherwise.
func recordOf(body []byte, id string) []byte {
	record := jsontext.Value(bytes.TrimSpace(body))
	if len(record) == 0 || record[0] != '{' || !record.IsValid() {
		return nil
	}
	if !strings.EqualFold(string(jsonscan.Text(jsonscan.Member(record, idField))), id) {
		return nil
	}
	return record
}

// patch sends the change c and settles its row, unless another write kept it out: then
// it returns what was said. It makes attempts until one may have been processed.
func (w *write) patch(ctx context.Context, c *change, alone bool) (kept []api.Refusal, err error) {
	path := w.engine.options.Records
	o, kept, err := w.single.deliverOne(c.patch, alone, func(via Writer) (api.Outcome, error) {
		return w.engine.client.Deliver(ctx, http.MethodPatch, path, func() api.Outcome {
			o := via.Update(ctx, path, c.id, c.patch, w.reply.bytes)
			w.reply.keep(o)
			return o
		})
	})
	if err != nil || kept != nil {
		return kept, err
	}
	return nil, w.patched(ctx, c, o)
}

// patched settles the row of c by what became of the change.
func (w *write) patched(ctx context.Context, c *change, o api.Outcome) error {
	if o.OK() {
		if record := recordOf(o.Body, c.id); record != nil {
			w.updated(c, record)
			return nil
		}
		if refusals := w.refusedInside(o.Body, c.patch); refusals != nil && !w.arrived(ctx, c) {
			w.engine.doubts.Store(0)
			w.rejections.rejectOne(c.row, refusals)
			return nil
		}
		o.Err = errNoRecord
	}
	if o.OK() || o.Class == api.InDoubt {
		return w.readChange(ctx, c, o)
	}
	w.engine.doubts.Store(0)
	switch {
	case o.Status == http.StatusRequestEntityTooLarge:
		w.rows.note(c.row, pipeline.None, codeItemTooLarge, "")
		return nil
	case api.IsRefusal(o.Status):
		w.rejections.rejectOne(c.row, refusalsOfOne(o.Body, c.patch))
		return nil
	case o.Status == http.StatusNotFound:
		return w.vanished(ctx, c.row, c.id)
	}
	return w.engine.patchStops(o.Status)
}

// refusedInside returns what body, an answer with a status of success to changes of one
// record, says is wrong, if it says that the changes were refused; nil if it does not.
func (w *write) refusedInside(body, changes []byte) []api.Refusal {
	if err := w.answer.Match(body, api.Sent{Items: [][]byte{changes}}); err != nil || !w.answer.Refused() {
		return nil
	}
	return slices.Clone(w.answer.Refusals())
}

// arrived reports whether the change c may be there: an answer that is a part of the record
// may look like a refusal.
func (w *write) arrived(ctx context.Context, c *change) bool {
	record, err := w.engine.get(ctx, c.id)
	return err != nil || record != nil && w.matcher.shows(c, record)
}

func (e *engine) patchStops(status int) error {
	return &api.StatusError{Method: http.MethodPatch, Path: e.options.Records, Status: status}
}

// vanished settles a row whose record was there and is not found when it is to
// be changed: it has been deleted, unless it is there to be read, for then it is
// the address that is wrong.
func (w *write) vanished(ctx context.Context, row int32, id string) error {
	record, err := w.engine.get(ctx, id)
	switch {
	case err != nil:
		return err
	case record != nil:
		return w.engine.patchStops(http.StatusNotFound)
	}
	w.rows.note(row, w.engine.field(idField), codeNotFound, "")
	return nil
}

// updated settles the row of c, which the API has answered with record. A record that
// holds something else is worth a warning: the next import would find the same
// differences.
func (w *write) updated(c *change, record []byte) {
	w.engine.doubts.Store(0)
	w.rows.chunk.Fates[c.row] = pipeline.Updated
	w.rows.setID(c.row, []byte(c.id))
	w.storage.takeStored(sentRow{row: c.row, sent: c.patch}, record, nil)
}

// readChange settles the row of c by reading its record back, since there was no clear
// answer.
func (w *write) readChange(ctx context.Context, c *change, o api.Outcome) error {
	cause := o.Err
	waits := visible
	if w.engine.options.Journal != nil {
		waits = waits[:1] // a later pass looks again
	}
	for _, wait := range waits {
		if err := w.engine.options.Drain.Sleep(ctx, wait); err != nil {
			break
		}
		record, err := w.engine.get(ctx, c.id)
		if err != nil {
			cause = err
			break
		}
		if record != nil && w.matcher.shows(c, record) {
			w.updated(c, record)
			return nil
		}
	}
	w.rows.putInDoubt([]int32{c.row}, "no clear answer to a change, and it is not read back", o.Status, cause)
	return w.engine.doubted(http.MethodPatch, w.engine.options.Records, cause)
}
