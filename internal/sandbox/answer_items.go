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
func (x *exchange) bulkAnswer(items []*record) error {
	bad := slices.ContainsFunc(items, (*record).bad)
	switch {
	case x.answers.Items == MultiStatus:
		return x.answer(http.StatusMultiStatus, x.entries(items, x.statusEntry))
	case x.answers.Items == MixedArray:
		return x.answer(http.StatusOK, x.entries(items, x.mixedEntry))
	case x.answers.Items == ItemList:
		body := append(strconv.AppendBool([]byte(`{"errors":`), bad), `,"items":`...)
		return x.answer(http.StatusOK, append(append(body, x.entries(items, x.listEntry)...), '}'))
	case x.answers.Items == SuccessFlag && bad:
		listed := x.invalidItems(items).records(ListedErrors)
		return x.answer(http.StatusOK, append([]byte(`{"success":false,`), listed[len("{"):]...))
	case x.answers.Items == SuccessFlag:
		body := x.entries(items, func(dst []byte, rec *record) []byte { return append(dst, x.written(rec)...) })
		return x.answer(http.StatusOK, append(append([]byte(`{"success":true,"data":`), body...), '}'))
	case bad:
		return x.invalidItems(items)
	}
	return x.answer(http.StatusCreated, x.appendRows(nil, x.ordered(items)))
}

// entries renders an array with an entry for each item, in the order of the
// answer.
func (x *exchange) entries(items []*record, entry func(dst []byte, rec *record) []byte) []byte {
	body := []byte{'['}
	for _, rec := range x.ordered(items) {
		body = append(entry(body, rec), ',')
	}
	return append(bytes.TrimSuffix(body, []byte(",")), ']')
}

// statusEntry renders the entry of an item in a MultiStatus.
func (x *exchange) statusEntry(dst []byte, rec *record) []byte {
	dst = strconv.AppendInt(append(dst, `{"status":`...), int64(rec.status()), 10)
	if rec.bad() {
		dst = appendFaults(append(dst, `,"error":`...), rec.faults)
	} else {
		dst = append(append(dst, `,"data":`...), x.written(rec)...)
	}
	return append(x.appendPlaceUnlessInOrder(dst, rec), '}')
}

// listEntry renders the entry of an item in an ItemList.
func (x *exchange) listEntry(dst []byte, rec *record) []byte {
	if rec.bad() {
		dst = appendFaults(append(dst, `{"error":`...), rec.faults)
	} else {
		dst = append(append(dst, `{"id":`...), rec.values[x.table.id].json...)
		dst = append(append(dst, `,"data":`...), x.written(rec)...)
	}
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(rec.status()), 10)
	return append(x.appendPlaceUnlessInOrder(dst, rec), '}')
}

// mixedEntry renders the entry of an item in a MixedArray.
func (x *exchange) mixedEntry(dst []byte, rec *record) []byte {
	if !rec.bad() {
		return append(dst, x.written(rec)...)
	}
	dst = appendFaults(append(dst, `{"errors":`...), rec.faults)
	return append(x.appendPlace(dst, rec), '}')
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
func (x *exchange) appendPlaceUnlessInOrder(dst []byte, rec *record) []byte {
	if x.box.options.AnswerOrder == InOrder {
		return dst
	}
	return x.appendPlace(dst, rec)
}

// appendPlace says whose entry it is: the item's index and, if it has one, its
// key.
func (x *exchange) appendPlace(dst []byte, rec *record) []byte {
	dst = strconv.AppendInt(append(dst, `,"index":`...), int64(rec.index)+int64(x.answers.Index), 10)
	if i, ok := x.table.index[x.table.resource.Key]; ok && rec.values[i].json != nil {
		dst = append(append(dst, ','), x.table.fields[i].label...)
		dst = append(dst, rec.values[i].json...)
	}
	return dst
}
