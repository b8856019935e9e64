package bulk

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/journal"
	"flytt/internal/jsonscan"
	"flytt/internal/packed"
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
	pair uint64 // keyed sum of the name, what was sent, and what was stored: see storage.pair
	edge uint64 // keyed sum of what was added or cut at an end: see storage.edge; 0: nothing
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

// storage is how the API stored the rows of the chunk, as far as it has shown their records.
type storage struct {
	engine *engine
	rows   *chunkRows

	otherKey string     // of the record that was last shown with another key than was sent
	prior    deviations // how the API stored the rows of the earlier run
	stored   deviations // how the API stored rows otherwise than they were sent
	unshown  []sentRow  // rows whose records were not shown whole
}

// noteStored takes in that the API has shown record for a row. What it does not show it
// says nothing of. Texts are the members that the API is seen to have filled in if they
// were not sent and have a value.
func (st *storage) noteStored(s sentRow, record []byte, texts []string) {
	st.forgetStored(s)
	filled := false
	whole := st.eachDeviation(s, record, texts, func(name string, want, got jsontext.Value) {
		if want == nil {
			filled = true
		} else {
			st.rows.warn(s.row, st.engine.field(name), codeStoredOtherwise)
		}
		st.keepDeviation(s.row, name, want, got)
	})
	if filled {
		st.rows.warn(s.row, pipeline.None, codeFilledIn)
	}
	if !whole {
		s.placed = every(s.sent, record, func(_ string, _, got jsontext.Value) bool { return got == nil })
		st.unshown = append(st.unshown, s)
		return
	}
	st.engine.fields.learn(s.sent, st.stored[s.row])
}

// forgetStored drops what is known of how the members that s sent are stored, for that is
// about to be seen anew. What is known of others stays.
func (st *storage) forgetStored(s sentRow) {
	list := slices.DeleteFunc(st.stored[s.row], func(d deviation) bool { return jsonscan.Member(s.sent, d.name) != nil })
	if len(list) == 0 {
		delete(st.stored, s.row)
	} else {
		st.stored[s.row] = list
	}
}

// eachDeviation calls visit with each member that record shows and that is not as it was
// sent, and, with want nil, each of texts that was filled in. It reports whether record
// shows all that was sent.
func (st *storage) eachDeviation(s sentRow, record []byte, texts []string, visit func(name string, want, got jsontext.Value)) (whole bool) {
	return api.CompareStored(s.sent, record, func(raw []byte, want, got jsontext.Value) {
		switch name := string(jsonscan.Unquote(raw)); {
		case want == nil && !slices.Contains(texts, name):
		case want != nil && (isHiddenReference(want, got) || sameToAnInput(want, got) || st.rows.sameForm(s.row, name, want, got)):
		default:
			visit(name, want, got)
		}
	})
}

// comparesAlike reports whether want and got, values of the member name, are one value in
// the form in which the field is compared.
func (e *engine) comparesAlike(name string, want, got jsontext.Value) bool {
	form := e.options.Compare[name]
	if form == nil || want.Kind() != '"' || got.Kind() != '"' {
		return false
	}
	return form(string(jsonscan.Text(want))) == form(string(jsonscan.Text(got)))
}

// keepDeviation keeps that got is stored in the member name of row, where want was sent.
func (st *storage) keepDeviation(row int32, name string, want, got jsontext.Value) {
	if st.stored == nil {
		st.stored = deviations{}
	}
	list := slices.DeleteFunc(st.stored[row], func(d deviation) bool { return d.name == name })
	st.stored[row] = append(list, deviation{name, st.pair(name, want, got), st.edge(name, want, got)})
}

// pair returns a keyed sum of the member name, what was sent of it, nil if nothing,
// and what was stored.
func (st *storage) pair(name string, sent, stored jsontext.Value) uint64 {
	if st.engine.options.Digester == nil {
		return 0
	}
	text := packed.AppendBytes([]byte(nil), name)
	text = packed.AppendBytes(text, plainValue(sent))
	return st.engine.options.Digester.Sum(packed.AppendBytes(text, plainValue(stored)))
}

// edge returns a keyed sum of what was added to want, sent in the member name, or cut off,
// to make got; 0 if that is not how they differ.
func (st *storage) edge(name string, want, got jsontext.Value) uint64 {
	edge := edgeOf(want, got)
	if edge == nil || st.engine.options.Digester == nil {
		return 0
	}
	return st.engine.options.Digester.Sum(append(packed.AppendBytes([]byte(nil), name), edge...))
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

// learnStored learns from the rows that earlier passes wrote how the API stores what it
// is sent, but for those of which it was not shown.
func (st *storage) learnStored(unshown, unread []int32) {
	skip := cleared[bool](nil, st.rows.chunk.Len())
	for _, row := range unshown {
		skip[row] = true
		read := !slices.Contains(unread, row)
		st.unshown = append(st.unshown, sentRow{row: row, placed: !read, read: read})
	}
	for i, fate := range st.rows.chunk.Fates {
		row := int32(i)
		if fate != pipeline.Written || skip[i] {
			continue
		}
		st.engine.fields.learn(st.rows.item(row), st.stored[row])
		switch key := st.rows.key(row); {
		case !st.engine.options.KeyLookup || len(key) == 0:
		case st.rekeyed(row):
			st.engine.forms.changed(key)
		default:
			st.engine.forms.kept(key)
		}
	}
}

// learnKey learns from record, which row made, whether the API keeps keys of this form.
func (st *storage) learnKey(row int32, record []byte) {
	o := &st.engine.options
	shown := jsonscan.Member(record, o.Key)
	switch key := st.rows.key(row); {
	case !o.KeyLookup || len(key) == 0 || shown == nil:
	case bytes.Equal(jsonscan.Text(shown), key):
		st.engine.forms.kept(key)
	default:
		st.engine.forms.changed(key)
		st.otherKey = string(jsonscan.Text(shown))
		if !st.rekeyed(row) { // the same by the rules of Same, which are not those of a look-up
			st.keepDeviation(row, o.Key, jsonscan.Member(st.rows.item(row), o.Key), shown)
			st.rows.warn(row, st.engine.field(o.Key), codeStoredOtherwise)
		}
	}
}

// rekeyed reports whether the key of row is stored in another form than it was sent.
func (st *storage) rekeyed(row int32) bool {
	key := st.engine.options.Key
	return slices.ContainsFunc(st.stored[row], func(d deviation) bool { return d.name == key })
}

// storedKey returns the key that the record of row has, as the API last showed it.
func (st *storage) storedKey(row int32) string {
	if st.rekeyed(row) {
		return st.otherKey
	}
	return string(st.rows.key(row))
}

// storedSo reports whether got, what a record holds in the member name, is what the API
// made of row in the earlier run.
func (st *storage) storedSo(row int32, name string, want, got jsontext.Value) bool {
	for _, d := range st.prior[row] {
		if d.name == name && got != nil {
			return d.pair == st.pair(name, want, got)
		}
	}
	return false
}

// unread reports whether there are records to be read that answers did not show whole.
func (st *storage) unread() bool {
	return slices.ContainsFunc(st.unshown, func(s sentRow) bool { return !s.read })
}

// An earlier run has on record how the API stored what it was sent. With that a later run
// of the same rows does not send what the API would store the same way again: see
// Comparison.Like.

// StoredPairs returns what e, of a run that is over, has of values that the API stored
// otherwise than they were sent: a keyed sum for each, of the field, the value that was
// sent, and the one that was stored. The sums of all journals of one key can be compared.
func StoredPairs(e *journal.Entry) ([]uint64, error) {
	n, err := readNotes(e.Notes, e.Rows)
	if err != nil {
		return nil, err
	}
	var pairs []uint64
	for _, row := range n.stored {
		for _, d := range row {
			pairs = append(pairs, d.pair)
		}
	}
	return pairs, nil
}
