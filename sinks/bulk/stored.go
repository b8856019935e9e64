package bulk

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// An API may store something else than it was sent: it trims, lower-cases addresses,
// reformats phone numbers, fills fields in. The row is written all the same, with a
// warning. The journal keeps a deviation for each member that was stored otherwise, and
// nothing for all others: they hold what the row holds. By that a later look at the
// record (Verify, Undo, an upsert of the same rows) tells what the API made of the row
// from what somebody changed since.

// deviation is a member of a record that the API stored not as it was sent.
type deviation struct {
	name string // of the member
	pair uint64 // keyed sum of the name, what was sent, and what was stored: see write.pair
	edge uint64 // keyed sum of what was added or cut at an end: see write.edge; 0: nothing
}

// deviations are those of the records of a chunk, by the indices of their rows.
type deviations map[int32][]deviation

// sentRow is a row, and the object that was sent of it.
type sentRow struct {
	row  int32
	sent []byte // nil: an earlier pass sent it

	placed bool // the answer showed nothing of the row but an id, which may be that of another row
	read   bool // what the record shows has been read since
}

// takeCreated takes in that the API has shown record, which row made. An API may take a row
// for a change of the record that has its key: one that is older than the run was changed,
// and an undo is not to delete it.
func (w *write) takeCreated(row int32, record []byte) {
	if item := w.item(row); len(item) > 2 && api.Echoes(item, record) {
		w.takeEchoed(row, item)
		return
	}
	delete(w.stored, row)
	w.takeStored(sentRow{row: row, sent: w.item(row)}, record, w.bulk.options.Texts)
	w.learnKey(row, record)
	if w.bulk.existed(record) {
		w.chunk.Fates[row] = pipeline.Updated
	}
}

// takeEchoed takes in that the API has shown row just as it was sent.
func (w *write) takeEchoed(row int32, item []byte) {
	delete(w.stored, row)
	w.bulk.fields.learn(item, nil)
	if key := w.key(row); w.bulk.options.KeyLookup && len(key) > 0 {
		w.bulk.forms.kept(key)
	}
}

// takeStored takes in that the API has shown record for a row. What it does not show it
// says nothing of. Texts are the members that the API is seen to have filled in if they
// were not sent and have a value.
func (w *write) takeStored(s sentRow, record []byte, texts []string) {
	w.forgetStored(s)
	filled := false
	whole := w.eachDeviation(s, record, texts, func(name string, want, got jsontext.Value) {
		if want == nil {
			filled = true
		} else {
			w.warn(s.row, w.bulk.field(name), codeStoredOtherwise)
		}
		w.keepDeviation(s.row, name, want, got)
	})
	if filled {
		w.warn(s.row, pipeline.None, codeFilledIn)
	}
	if !whole {
		s.placed = !showsAny(s.sent, record)
		w.unshown = append(w.unshown, s)
		return
	}
	w.bulk.fields.learn(s.sent, w.stored[s.row])
}

// showsAny reports whether record has any of the members that were sent.
func showsAny(sent, record []byte) bool {
	for name := range jsonscan.Members(sent) {
		if jsonscan.Member(record, string(jsonscan.Unquote(name))) != nil {
			return true
		}
	}
	return false
}

// forgetStored drops what is known of how the members that s sent are stored, for that is
// about to be seen anew. What is known of others stays.
func (w *write) forgetStored(s sentRow) {
	list := slices.DeleteFunc(w.stored[s.row], func(d deviation) bool { return jsonscan.Member(s.sent, d.name) != nil })
	if len(list) == 0 {
		delete(w.stored, s.row)
	} else {
		w.stored[s.row] = list
	}
}

// eachDeviation calls visit with each member that record shows and that is not as it was
// sent, and, with want nil, each of texts that was filled in. It reports whether record
// shows all that was sent.
func (w *write) eachDeviation(s sentRow, record []byte, texts []string, visit func(name string, want, got jsontext.Value)) (whole bool) {
	return api.CompareStored(s.sent, record, func(raw []byte, want, got jsontext.Value) {
		switch name := string(jsonscan.Unquote(raw)); {
		case want == nil && !slices.Contains(texts, name):
		case want != nil && (unsaid(want, got) || alike(want, got) || w.sameForm(s.row, name, want, got)):
		default:
			visit(name, want, got)
		}
	})
}

// sameForm reports whether want and got are two forms of one value: got is the very text
// of the row's cell, or the field is compared in a form of its own.
func (w *write) sameForm(row int32, name string, want, got jsontext.Value) bool {
	return w.bulk.comparesAlike(name, want, got) || w.asStored(row, name, got)
}

// comparesAlike reports whether want and got, values of the member name, are one value in
// the form in which the field is compared.
func (s *Import) comparesAlike(name string, want, got jsontext.Value) bool {
	form := s.options.Compare[name]
	if form == nil || want.Kind() != '"' || got.Kind() != '"' {
		return false
	}
	return form(string(jsonscan.Text(want))) == form(string(jsonscan.Text(got)))
}

// warn notes a warning of row.
func (w *write) warn(row int32, field int16, code pipeline.Code) {
	w.chunk.Note(pipeline.Problem{
		Row: row, Field: field, Column: w.bulk.column(field),
		Severity: pipeline.Warning, Stage: pipeline.Write, Code: code,
	})
}

// keepDeviation keeps that got is stored in the member name of row, where want was sent.
func (w *write) keepDeviation(row int32, name string, want, got jsontext.Value) {
	if w.stored == nil {
		w.stored = deviations{}
	}
	list := slices.DeleteFunc(w.stored[row], func(d deviation) bool { return d.name == name })
	w.stored[row] = append(list, deviation{name, w.pair(name, want, got), w.edge(name, want, got)})
}

// pair returns a keyed sum of the member name, what was sent of it, nil if nothing,
// and what was stored.
func (w *write) pair(name string, sent, stored jsontext.Value) uint64 {
	if w.bulk.options.Journal == nil {
		return 0
	}
	text := appendSized([]byte(nil), name)
	text = appendSized(text, plainValue(sent))
	return w.bulk.options.Journal.Sum(appendSized(text, plainValue(stored)))
}

// plainValue returns what tells values of a member apart however they are written: of
// a text its characters, of a reference the id that it leads to.
func plainValue(v jsontext.Value) []byte {
	if v.Kind() == '{' {
		if id := jsonscan.Member(v, idField); id != nil {
			v = id
		}
	}
	switch v.Kind() {
	case '"':
		return jsonscan.Text(v)
	case 'n':
		return nil
	}
	plain := slices.Clone(v)
	if err := plain.Canonicalize(); err != nil {
		return v
	}
	return plain
}

// learnKey learns from record, which row made, whether the API keeps keys of this form.
func (w *write) learnKey(row int32, record []byte) {
	o := &w.bulk.options
	shown := jsonscan.Member(record, o.Key)
	switch key := w.key(row); {
	case !o.KeyLookup || len(key) == 0 || shown == nil:
	case bytes.Equal(jsonscan.Text(shown), key):
		w.bulk.forms.kept(key)
	default:
		w.bulk.forms.changed(key)
		w.otherKey = string(jsonscan.Text(shown))
		if !w.rekeyed(row) { // the same by the rules of Same, which are not those of a look-up
			w.keepDeviation(row, o.Key, jsonscan.Member(w.item(row), o.Key), shown)
			w.warn(row, w.bulk.field(o.Key), codeStoredOtherwise)
		}
	}
}

// rekeyed reports whether the key of row is stored in another form than it was sent.
func (w *write) rekeyed(row int32) bool {
	key := w.bulk.options.Key
	return slices.ContainsFunc(w.stored[row], func(d deviation) bool { return d.name == key })
}

// readUnshown reads the records of rows that the API's answers did not show whole, so
// that it is known how they are stored. What cannot be read now says nothing.
func (w *write) readUnshown(ctx context.Context) error {
	if !w.unread() || w.bulk.options.Journal == nil {
		return nil
	}
	if err := w.findUnnamed(ctx); err != nil {
		return err
	}
	rows := w.unshown
	w.unshown = nil
	found, err := w.findUnshown(ctx, rows)
	if err != nil {
		w.unshown = rows
		return err
	}
	var created []sentRow
	for _, s := range rows {
		record := found[string(w.idOf(s.row))]
		switch {
		case w.chunk.Fates[s.row] == pipeline.Written && len(w.idOf(s.row)) > 0:
			created = append(created, s)
		case record != nil:
			w.takeChanged(s, record)
		default:
			w.unshown = append(w.unshown, s)
		}
	}
	w.matchRead(created, found)
	for i := range w.unshown {
		w.unshown[i].read = true
	}
	return nil
}

// unread reports whether there are records to be read that answers did not show whole.
func (w *write) unread() bool {
	return slices.ContainsFunc(w.unshown, func(s sentRow) bool { return !s.read })
}

// findUnshown returns the records of rows that can be read now, by their ids. Where an id
// may be that of another row the list, which may be behind, is not all that is asked.
func (w *write) findUnshown(ctx context.Context, rows []sentRow) (map[string][]byte, error) {
	ids := make([]string, 0, len(rows))
	for _, s := range rows {
		if id := w.idOf(s.row); len(id) > 0 {
			ids = append(ids, string(id))
		}
	}
	listed, err := w.bulk.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := maps.Clone(listed)
	if found == nil {
		found = map[string][]byte{}
	}
	for _, s := range rows {
		id := string(w.idOf(s.row))
		if !s.placed || w.chunk.Fates[s.row] != pipeline.Written || id == "" || found[id] != nil {
			continue
		}
		record, err := w.bulk.get(ctx, id)
		if stops(ctx, err) {
			return nil, err
		}
		if record == nil {
			break // without one of them nothing is told of the others
		}
		found[id] = record
	}
	return found, nil
}

// takeChanged takes in that record, which row s changed, was read. Which members an earlier
// pass sent is not kept; it compares all that the row wants, since the record held the
// others already.
func (w *write) takeChanged(s sentRow, record []byte) {
	if s.sent == nil {
		s.sent = bytes.Clone(w.wanted(s.row))
	}
	w.unwarn([]sentRow{s})
	w.takeStored(s, record, nil)
}

// unwarn takes back what was said of how rows are stored, for that is about to be seen
// anew.
func (w *write) unwarn(rows []sentRow) {
	seen := make(map[int32]bool, len(rows))
	for _, s := range rows {
		seen[s.row] = true
	}
	c := w.chunk
	c.Problems = append(c.Problems[:w.problems], slices.DeleteFunc(c.Problems[w.problems:], func(p pipeline.Problem) bool {
		return seen[p.Row] && (p.Code == codeStoredOtherwise || p.Code == codeFilledIn)
	})...)
}

// findUnnamed looks for the records of unshown rows that are written and of which the API
// gave no id: those that it did not name when it refused others of their request.
func (w *write) findUnnamed(ctx context.Context) error {
	var rows []int32
	for _, s := range w.unshown {
		if w.chunk.Fates[s.row] == pipeline.Written && len(w.idOf(s.row)) == 0 {
			rows = append(rows, s.row)
		}
	}
	rows = w.findable(rows)
	if len(rows) == 0 {
		return nil
	}
	o := &w.bulk.options
	found, err := w.bulk.client.FindByKeys(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: w.keysOf(rows)})
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return err
		}
		o.Log.Warn("ids of rows are not known", "cause", "looking them up failed", "chunk", w.chunk.Seq, "rows", len(rows), "error", err)
		return nil
	}
	for _, row := range rows {
		records := found[string(w.key(row))].Records
		owner, record := w.ownerOf(row, records, wasSent)
		// The row is written: if its key is kept, the only record that has it is its own.
		if w.mayOwn(row, records) && (owner != ownerUnclear || w.bulk.forms.trusts(w.key(row))) {
			w.setID(row, []byte(record.ID))
		}
	}
	return nil
}

// matchRead matches rows, which made records, with the records that were found by the ids
// that they were given. Where an answer showed nothing but ids these went to rows by their
// places: the records themselves tell better whose they are. If some are not found, which
// may be those of other rows, nothing is told.
func (w *write) matchRead(rows []sentRow, found map[string][]byte) {
	body := []byte{'['}
	indices := make([]int32, len(rows))
	for i, s := range rows {
		record := found[string(w.idOf(s.row))]
		if record == nil {
			w.unshown = append(w.unshown, rows...)
			return
		}
		if i > 0 {
			body = append(body, ',')
		}
		body, indices[i] = append(body, record...), s.row
	}
	if len(rows) == 0 || w.answer.Match(append(body, ']'), w.sent(indices)) != nil {
		return
	}
	w.unwarn(rows)
	for i, row := range indices {
		if w.answer.Written(i) && len(w.answer.ID(i)) > 0 {
			w.setID(row, w.answer.ID(i))
			w.takeCreated(row, w.answer.Object(i))
		}
	}
}

// storedSo reports whether got, what a record holds in the member name, is what the API
// made of row in the run that is looked back at.
func (w *write) storedSo(row int32, name string, want, got jsontext.Value) bool {
	for _, d := range w.past[row] {
		if d.name == name && got != nil {
			return d.pair == w.pair(name, want, got)
		}
	}
	return false
}
