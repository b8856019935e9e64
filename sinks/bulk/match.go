package bulk

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// matcher compares the rows of the chunk with records. A value that the API may have
// stored in another form than it was sent is no difference.
type matcher struct {
	engine  *engine
	rows    *chunkRows
	storage *storage
}

// lacks returns those members of want, which is what row wants, that record does not hold,
// as an object; nil if it holds them all. It holds a value also in another form of it, and
// in the form that the API made of it before.
func (m *matcher) lacks(row int32, want, record []byte) (patch []byte, err error) {
	patch = differences(want, record, func(name string, want, got jsontext.Value) bool {
		if err != nil || m.rows.sameForm(row, name, want, got) {
			return true
		}
		var known bool
		known, err = m.storedBefore(row, name, want, got)
		return known
	})
	return patch, err
}

// storedBefore reports whether the API stored got for want, of the member name, in the run
// that this one is like. The journal of this run keeps that as if the API had done so now,
// so that verify and undo need no other journal.
func (m *matcher) storedBefore(row int32, name string, want, got jsontext.Value) (bool, error) {
	like := m.engine.options.Like
	if like == nil || got == nil {
		return false, nil
	}
	known, err := like.Has(m.storage.pair(name, want, got))
	if known {
		m.storage.keepDeviation(row, name, want, got)
	}
	return known, err
}

// patchSince returns what record lacks of row, but for what it holds as the API stored it
// in the earlier run.
func (m *matcher) patchSince(row int32, record []byte) []byte {
	return differences(m.rows.wanted(row), record, m.sameSince(row))
}

// sameSince returns a function that reports whether got, what a record holds in a member,
// is want in another form, or what the API stored for it in the earlier run.
func (m *matcher) sameSince(row int32) func(name string, want, got jsontext.Value) bool {
	return func(name string, want, got jsontext.Value) bool {
		return m.rows.sameForm(row, name, want, got) || m.storage.storedSo(row, name, want, got)
	}
}

// shows reports whether record shows that c was carried out.
func (m *matcher) shows(c *change, record []byte) bool {
	return m.engine.holds(c.patch, record) || m.madeOf(c, record)
}

// madeOf reports whether record shows what the API made of the change c: each member in
// some form, and none that is not as it was sent as it was before.
func (m *matcher) madeOf(c *change, record []byte) bool {
	return every(c.patch, record, func(name string, want, got jsontext.Value) bool {
		return got != nil && (m.sameValue(c.row, name, want, got) ||
			m.inSomeForm(c.row, name, want, got) && !bytes.Equal(got, jsonscan.Member(c.record, name)))
	})
}

// looksLike reports whether record has all values of row in some form, its key cut or with
// something in front of it, too.
func (m *matcher) looksLike(row int32, record []byte) bool {
	return every(m.rows.item(row), record, func(name string, want, got jsontext.Value) bool {
		return m.inSomeForm(row, name, want, got) || name == m.engine.options.Key && edgeOf(want, got) != nil
	})
}

// fitsChange reports whether record, which does not hold what it did before, may be what
// the API made of patch.
func (m *matcher) fitsChange(row int32, patch, record []byte) bool {
	return every(patch, record, func(name string, want, got jsontext.Value) bool {
		return got != nil && m.inSomeForm(row, name, want, got)
	})
}

// fits reports whether record may be the one that row made: it holds each of its values
// in some form.
func (m *matcher) fits(row int32, record []byte) bool {
	return every(m.rows.item(row), record, func(name string, want, got jsontext.Value) bool {
		return m.inSomeForm(row, name, want, got)
	})
}

// inSomeForm reports whether got, what a record shows of the member name, may be what the
// API made of want.
func (m *matcher) inSomeForm(row int32, name string, want, got jsontext.Value) bool {
	return m.sameValue(row, name, want, got) || sameLetters(want, got) || m.engine.fields.adds(m.storage.edge(name, want, got))
}

// sameValue reports whether got, what a record shows of the member name, is want, or
// says nothing of it.
func (m *matcher) sameValue(row int32, name string, want, got jsontext.Value) bool {
	if got == nil {
		return want.Kind() == 'n'
	}
	return api.SameValue(want, got) || sameToAnInput(want, got) || isHiddenReference(want, got) || m.rows.sameForm(row, name, want, got)
}

// ruledOut reports whether none of the records of list that are left can be the one that
// row made.
func (m *matcher) ruledOut(row int32, list []unmatchedRecord) bool {
	return !slices.ContainsFunc(list, func(r unmatchedRecord) bool { return !r.taken && !m.rulesOut(row, r.object) })
}

// rulesOut reports whether record holds another value than row, and not another form of
// it, in a field that the API keeps as it is sent.
func (m *matcher) rulesOut(row int32, record []byte) bool {
	return !every(m.rows.item(row), record, func(name string, want, got jsontext.Value) bool {
		return got == nil || name == m.engine.options.Key || !m.engine.fields.keeps(name, want) ||
			m.sameValue(row, name, want, got) || sharesLetters(want, got)
	})
}

// every reports whether holds is true of all members of object, with the value that
// record has for each; nil if it has none.
func every(object, record []byte, holds func(name string, want, got jsontext.Value) bool) bool {
	for raw, want := range jsonscan.Members(object) {
		name := string(jsonscan.Unquote(raw))
		if !holds(name, want, jsonscan.Member(record, name)) {
			return false
		}
	}
	return true
}
