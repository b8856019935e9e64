package bulk

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonobject"
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
	w.noteReadOnly(row, record)
	patch, err := w.patchOf(row, record)
	switch {
	case err != nil:
		return err
	case !w.excuse(row, patch, record):
		w.chunk.Fates[row] = pipeline.Rejected
	case patch == nil:
		w.chunk.Fates[row] = pipeline.Unchanged
	default:
		w.todo = append(w.todo, change{row, id, patch, record})
	}
	return nil
}

// patchOf returns what record lacks of row, as an object; nil if that is nothing.
func (w *write) patchOf(row int32, record []byte) ([]byte, error) {
	return w.lacks(row, w.wanted(row), record)
}

// patchSince returns what record lacks of row, but for what it holds as the API stored it
// in the run that is looked back at.
func (w *write) patchSince(row int32, record []byte) []byte {
	return differences(w.wanted(row), record, w.sameSince(row))
}

// sameSince returns a function that reports whether got, what a record holds in a member,
// is want in another form, or what the API stored for it in the run that is looked back at.
func (w *write) sameSince(row int32) func(name string, want, got jsontext.Value) bool {
	return func(name string, want, got jsontext.Value) bool {
		return w.sameForm(row, name, want, got) || w.storedSo(row, name, want, got)
	}
}

// makeChanges sends what compare has found to differ, once the journal has it what
// the records hold now.
func (w *write) makeChanges(ctx context.Context) error {
	changes := w.changesAsPlanned(w.todo)
	w.todo = w.todo[:0]
	if w.bulk.plans {
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
	return w.sendEach(ctx, rows, func(i int, alone bool) ([]api.Refusal, error) {
		if err := w.alive(ctx); err != nil {
			return nil, err
		}
		return w.patch(ctx, &changes[i], alone)
	})
}

// announceChanges has the journal note that changes are about to be sent.
func (w *write) announceChanges(changes []change) error {
	if w.bulk.options.Journal == nil {
		return nil
	}
	image, err := w.image(changes)
	if err != nil {
		return err
	}
	rows := make([]int32, len(changes))
	for i := range changes {
		rows[i] = changes[i].row
		w.noteChanged(&changes[i])
	}
	return w.announce(rows, image)
}

// wanted returns what a record is to hold of row: its fields, and nulls for those
// that are to be cleared.
func (w *write) wanted(row int32) []byte {
	object := w.item(row)
	if len(w.bulk.options.Nulls) == 0 {
		return object
	}
	w.full = append(w.full[:0], object[:len(object)-1]...)
	for _, name := range w.bulk.options.Nulls {
		name, _, _ = strings.Cut(name, ".")
		if jsonscan.Member(object, name) != nil {
			continue
		}
		if len(w.full) > 1 {
			w.full = append(w.full, ',')
		}
		w.full = append(w.full, '"')
		w.full = jsonobject.AppendText(w.full, []byte(name))
		w.full = append(w.full, `":null`...)
	}
	w.full = append(w.full, '}')
	return w.full
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
func (s *Import) holds(changes, record []byte) bool {
	return against(differences(changes, record, s.comparesAlike), record) == nil
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
	path := w.bulk.options.Records
	o, kept, err := w.deliverOne(c.patch, alone, func(via sender) (api.Outcome, error) {
		return w.bulk.client.Deliver(ctx, http.MethodPatch, path, func() api.Outcome {
			o := via.Update(ctx, path, c.id, c.patch, w.reply)
			w.keepReply(o)
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
			w.bulk.doubts.Store(0)
			w.rejectOne(c.row, refusals)
			return nil
		}
		o.Err = errNoRecord
	}
	if o.OK() || o.Class == api.InDoubt {
		return w.readChange(ctx, c, o)
	}
	w.bulk.doubts.Store(0)
	switch {
	case o.Status == http.StatusRequestEntityTooLarge:
		w.note(c.row, pipeline.None, codeItemTooLarge, "")
		return nil
	case api.IsRefusal(o.Status):
		w.rejectOne(c.row, refusalsOfOne(o.Body, c.patch))
		return nil
	case o.Status == http.StatusNotFound:
		return w.vanished(ctx, c.row, c.id)
	}
	return w.bulk.patchStops(o.Status)
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
	record, err := w.bulk.get(ctx, c.id)
	return err != nil || record != nil && w.shows(c, record)
}

func (s *Import) patchStops(status int) error {
	return &api.StatusError{Method: http.MethodPatch, Path: s.options.Records, Status: status}
}

// vanished settles a row whose record was there and is not found when it is to
// be changed: it has been deleted, unless it is there to be read, for then it is
// the address that is wrong.
func (w *write) vanished(ctx context.Context, row int32, id string) error {
	record, err := w.bulk.get(ctx, id)
	switch {
	case err != nil:
		return err
	case record != nil:
		return w.bulk.patchStops(http.StatusNotFound)
	}
	w.note(row, w.bulk.field(idField), codeNotFound, "")
	return nil
}

// updated settles the row of c, which the API has answered with record. A record that
// holds something else is worth a warning: the next import would find the same
// differences.
func (w *write) updated(c *change, record []byte) {
	w.bulk.doubts.Store(0)
	w.chunk.Fates[c.row] = pipeline.Updated
	w.setID(c.row, []byte(c.id))
	w.takeStored(sentRow{row: c.row, sent: c.patch}, record, nil)
}

// readChange settles the row of c by reading its record back, since there was no clear
// answer.
func (w *write) readChange(ctx context.Context, c *change, o api.Outcome) error {
	cause := o.Err
	waits := visible
	if w.bulk.options.Journal != nil {
		waits = waits[:1] // a later pass looks again
	}
	for _, wait := range waits {
		if err := w.bulk.options.Drain.Sleep(ctx, wait); err != nil {
			break
		}
		record, err := w.bulk.get(ctx, c.id)
		if err != nil {
			cause = err
			break
		}
		if record != nil && w.shows(c, record) {
			w.updated(c, record)
			return nil
		}
	}
	w.doubt([]int32{c.row}, "no clear answer to a change, and it is not read back", o.Status, cause)
	return w.doubted(http.MethodPatch, w.bulk.options.Records, cause)
}

// shows reports whether record shows that c was carried out.
func (w *write) shows(c *change, record []byte) bool {
	return w.bulk.holds(c.patch, record) || w.madeOf(c, record)
}

// madeOf reports whether record shows what the API made of the change c: each member in
// some form, and none that is not as it was sent as it was before.
func (w *write) madeOf(c *change, record []byte) bool {
	for raw, want := range jsonscan.Members(c.patch) {
		name := string(jsonscan.Unquote(raw))
		got := jsonscan.Member(record, name)
		switch {
		case got != nil && w.sameValue(c.row, name, want, got):
		case got == nil, !w.inSomeForm(c.row, name, want, got), bytes.Equal(got, jsonscan.Member(c.record, name)):
			return false
		}
	}
	return true
}
