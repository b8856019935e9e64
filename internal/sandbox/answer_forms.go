package sandbox

import (
	"bytes"
	"slices"
)

// Answers says in which form writes are answered. The zero value answers with complete
// records, and refuses a bulk write that has a bad item.
type Answers struct {
	Items ItemErrors  // where a bulk write reports its bad items
	Bulk  BulkAnswer  // what a bulk write answers for a row
	Patch PatchAnswer // what an update answers
	Index ErrorIndex  // the index of the first item
	BOM   bool        // JSON starts with a byte order mark
}

// ItemErrors says where a bulk write reports its bad items. With any value but
// InRefusal the status says success, and Options.Atomicity and Options.Errors have no
// effect.
type ItemErrors uint8

const (
	InRefusal   ItemErrors = iota // in a 400, according to Options.Atomicity and Options.Errors
	MultiStatus                   // 207, {"status":201,"data":{…}} or {"status":400,"error":{…}} for each item; good ones are stored
	MixedArray                    // 200, the record or {"errors":{…},"index":3} for each item; good ones are stored
	SuccessFlag                   // 200, {"success":false,"errors":[…]}, nothing is stored; or {"success":true,"data":[…]}
	ItemList                      // 200, {"errors":true,"items":[…]}, {"id":…,"data":{…}} or {"error":{…}} for each item; good ones are stored
)

// BulkAnswer is what a bulk write answers for each row.
type BulkAnswer uint8

const (
	WholeRows BulkAnswer = iota // the whole record
	RowIDs                      // {"id":"…"}
)

// PatchAnswer is what an update answers.
type PatchAnswer uint8

const (
	WholeRecord PatchAnswer = iota // the whole record
	IDOnly                         // {"id":"…"}
	ChangedOnly                    // the id and the fields whose value has changed
)

// ErrorIndex is the number of the first item of a bulk write in answers that have an
// index.
type ErrorIndex uint8

const (
	FromZero ErrorIndex = iota
	FromOne
)

func (ItemErrors) names() []string {
	return []string{"refusal", "207", "200", "success-false", "items"}
}
func (BulkAnswer) names() []string  { return []string{"whole", "ids"} }
func (PatchAnswer) names() []string { return []string{"whole", "id-only", "changed"} }
func (ErrorIndex) names() []string  { return []string{"0", "1"} }

// byteOrderMark is U+FEFF in UTF-8.
const byteOrderMark = "\ufeff"

// answerForm is the part of an exchange that renders rows in the form of its answers.
type answerForm struct{ x *exchange }

func (x *exchange) form() answerForm { return answerForm{x} }

func (a answerForm) updated(rec *record) []byte {
	switch a.x.answers.Patch {
	case IDOnly:
		return a.x.table.renderID(rec)
	case ChangedOnly:
		return a.changed(rec)
	}
	return a.shaped(rec.doc)
}

// changed renders the id and the fields of an updated record that are not what
// they were.
func (a answerForm) changed(rec *record) []byte {
	differs := make([]bool, len(rec.values))
	for i := range rec.values {
		differs[i] = !bytes.Equal(rec.values[i].json, rec.before.values[i].json)
	}
	after := &record{values: slices.Clone(rec.values)}
	a.shape(after)
	return a.x.table.renderFields(after, func(i int) bool { return i == a.x.table.id || differs[i] })
}

// written returns what a bulk write answers of a row.
func (a answerForm) written(rec *record) []byte {
	if a.x.answers.Bulk == RowIDs {
		return a.x.table.renderID(rec)
	}
	return a.shaped(rec.doc)
}

// renderID renders {"id":"…"}.
func (t *table) renderID(rec *record) []byte {
	return t.renderFields(rec, func(i int) bool { return i == t.id })
}

// renderFields renders an object of some of the fields, in their order.
func (t *table) renderFields(rec *record, some func(i int) bool) []byte {
	object := []byte{'{'}
	for i := range rec.values {
		if !some(i) {
			continue
		}
		object = append(object, t.fields[i].label...)
		if v := &rec.values[i]; v.json != nil {
			object = append(object, v.json...)
		} else {
			object = append(object, "null"...)
		}
		object = append(object, ',')
	}
	return append(bytes.TrimSuffix(object, []byte(",")), '}')
}
