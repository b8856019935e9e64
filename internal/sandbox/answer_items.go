package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
)

// atomicity returns what becomes of the good items beside a bad one.
func (v ItemErrors) atomicity(otherwise Atomicity) Atomicity {
	switch v {
	case MultiStatus, MixedArray, ItemList:
		return Partial
	case SuccessFlag:
		return All
	}
	return otherwise
}

// bulkAnswer answers a bulk write whose items were stored, or found bad.
func (a answerForm) bulkAnswer(items []*record) error {
	bad := slices.ContainsFunc(items, (*record).bad)
	switch {
	case a.x.answers.Items == MultiStatus:
		return a.x.answer(http.StatusMultiStatus, a.entries(items, a.statusEntry))
	case a.x.answers.Items == MixedArray:
		return a.x.answer(http.StatusOK, a.entries(items, a.mixedEntry))
	case a.x.answers.Items == ItemList:
		body := append(strconv.AppendBool([]byte(`{"errors":`), bad), `,"items":`...)
		return a.x.answer(http.StatusOK, append(append(body, a.entries(items, a.listEntry)...), '}'))
	case a.x.answers.Items == SuccessFlag && bad:
		listed := a.invalidItems(items).records(ListedErrors)
		return a.x.answer(http.StatusOK, append([]byte(`{"success":false,`), listed[len("{"):]...))
	case a.x.answers.Items == SuccessFlag:
		body := a.entries(items, func(dst []byte, rec *record) []byte { return append(dst, a.written(rec)...) })
		return a.x.answer(http.StatusOK, append(append([]byte(`{"success":true,"data":`), body...), '}'))
	case bad:
		return a.invalidItems(items)
	}
	return a.x.answer(http.StatusCreated, a.appendRows(nil, a.ordered(items)))
}

// entries renders an array with an entry for each item, in the order of the
// answer.
func (a answerForm) entries(items []*record, entry func(dst []byte, rec *record) []byte) []byte {
	body := []byte{'['}
	for _, rec := range a.ordered(items) {
		body = append(entry(body, rec), ',')
	}
	return append(bytes.TrimSuffix(body, []byte(",")), ']')
}

// statusEntry renders the entry of an item in a MultiStatus.
func (a answerForm) statusEntry(dst []byte, rec *record) []byte {
	dst = strconv.AppendInt(append(dst, `{"status":`...), int64(rec.status()), 10)
	if rec.bad() {
		dst = appendFaults(append(dst, `,"error":`...), rec.faults)
	} else {
		dst = append(append(dst, `,"data":`...), a.written(rec)...)
	}
	return append(a.appendPlaceUnlessInOrder(dst, rec), '}')
}

// listEntry renders the entry of an item in an ItemList.
func (a answerForm) listEntry(dst []byte, rec *record) []byte {
	if rec.bad() {
		dst = appendFaults(append(dst, `{"error":`...), rec.faults)
	} else {
		dst = append(append(dst, `{"id":`...), rec.values[a.x.table.id].json...)
		dst = append(append(dst, `,"data":`...), a.written(rec)...)
	}
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(rec.status()), 10)
	return append(a.appendPlaceUnlessInOrder(dst, rec), '}')
}

// mixedEntry renders the entry of an item in a MixedArray.
func (a answerForm) mixedEntry(dst []byte, rec *record) []byte {
	if !rec.bad() {
		return append(dst, a.written(rec)...)
	}
	dst = appendFaults(append(dst, `{"errors":`...), rec.faults)
	return append(a.appendPlace(dst, rec), '}')
}

// status is the status of an item that has its own.
func (r *record) status() int {
	switch {
	case r.gone:
		return http.StatusNotFound
	case r.bad():
		return http.StatusBadRequest
	case r.update:
		return http.StatusOK
	}
	return http.StatusCreated
}

// appendPlaceUnlessInOrder says of an entry whose item it is, where its place
// in the answer does not.
func (a answerForm) appendPlaceUnlessInOrder(dst []byte, rec *record) []byte {
	if a.x.box.options.AnswerOrder == InOrder {
		return dst
	}
	return a.appendPlace(dst, rec)
}

// appendPlace says whose entry it is: the item's index and, if it has one, its
// key.
func (a answerForm) appendPlace(dst []byte, rec *record) []byte {
	dst = strconv.AppendInt(append(dst, `,"index":`...), int64(rec.index)+int64(a.x.answers.Index), 10)
	if i, ok := a.x.table.index[a.x.table.resource.Key]; ok && rec.values[i].json != nil {
		dst = append(append(dst, ','), a.x.table.fields[i].label...)
		dst = append(dst, rec.values[i].json...)
	}
	return dst
}
