package bulk

import (
	"slices"

	"flytt/internal/api"
	"flytt/pipeline"
)

// owner says whose the record is that the list shows for the key of a row.
type owner uint8

const (
	ownerNone    owner = iota // there is no record
	ownerRow                  // the row made it
	ownerEarlier              // it is older than the run, and holds what the row holds
	ownerOther                // somebody else made it
	ownerSeveral              // there are several: the key is not unique
	ownerUnclear              // it cannot be told
)

// sending says what is known of the requests of a row whose record is looked for.
type sending uint8

const (
	wasSent   sending = iota // a request of this run with it had no clear answer
	maybeSent                // its request was refused, because of others perhaps
	wasEnded                 // an earlier run ended with it rejected; this run has not sent it
)

// ownerOf tells whose the records are that the list shows for the key of row, and returns
// the one record that there is then. What counts is when they were made, and what they
// hold:
//
//   - A record that is older than the run was made by somebody else. Where the API may
//     store the row's key in another form, the row's own record may be there beside it.
//   - A record made since the run began is that of a row that was sent, whatever the API
//     made of its values. If the API changes keys, it may be that of a row with another
//     key; if it holds what the API would not have made of the row, it is.
//   - A row that may not have been written at all owns only a record that fits it.
//   - Of a row that no request holds any more nothing is left unclear.
//   - Where the API does not date its records, only what they hold counts.
func (w *write) ownerOf(row int32, records []api.Record, requests sending) (owner, api.Record) {
	records = w.candidates(row, records)
	if len(records) == 0 {
		return ownerNone, api.Record{}
	}
	record := records[0]
	age, ended := w.bulk.ageOf(record.Object), requests == wasEnded
	switch {
	case age == olderThanRun && !ended && !w.bulk.forms.trusts(w.key(row)):
		return ownerUnclear, record
	case age == ofRun && !ended && len(records) > 1:
		return ownerUnclear, record
	case len(records) > 1:
		return ownerSeveral, record
	case age == ofRun:
		return w.ownerOfNew(row, record.Object, requests), record
	case !api.Same(w.item(row), record.Object):
		return ownerOther, record
	case age == olderThanRun:
		return ownerEarlier, record
	}
	return ownerRow, record
}

// ownerOfNew is ownerOf for the only record, which was made since the run began.
func (w *write) ownerOfNew(row int32, record []byte, requests sending) owner {
	fits, contradicts := w.fits(row, record), w.rulesOut(row, record)
	strays, changesKeys := w.bulk.options.Strays != nil, w.bulk.forms.alters()
	switch {
	case requests == wasEnded && fits:
		return ownerRow
	case requests == wasEnded:
		return ownerOther
	case requests == maybeSent && !fits && !contradicts:
		return ownerUnclear
	case requests == maybeSent && contradicts && (!strays || w.bulk.forms.trusts(w.key(row)) && !changesKeys):
		return ownerOther
	case strays && (contradicts || changesKeys):
		return ownerUnclear // the strays tell more
	}
	return ownerRow
}

// mayOwn reports whether row may have made the only record among records, which have its
// key, if it is not known whether the API changes keys.
func (w *write) mayOwn(row int32, records []api.Record) bool {
	records = w.candidates(row, records)
	if len(records) != 1 {
		return false
	}
	record := records[0].Object
	return w.bulk.ageOf(record) == ofRun || api.Same(w.item(row), record)
}

// candidates returns those of records, which have the key of row, that the row may have
// made: none that is older than the run, unless all are, and if only one of them holds
// what was sent, that one.
func (w *write) candidates(row int32, records []api.Record) []api.Record {
	if len(records) < 2 {
		return records
	}
	older := func(r api.Record) bool { return w.bulk.ageOf(r.Object) == olderThanRun }
	young := slices.DeleteFunc(slices.Clone(records), older)
	if len(young) == 0 {
		return records
	}
	differs := func(r api.Record) bool { return !api.Same(w.item(row), r.Object) }
	if same := slices.DeleteFunc(slices.Clone(young), differs); len(same) == 1 {
		return same
	}
	return young
}

// settleBy settles row by the owner of record, which has its key. It reports false if that
// does not tell what became of the row. An undo is not to delete a record that is older
// than the run.
func (w *write) settleBy(row int32, of owner, record api.Record) bool {
	key := w.bulk.field(w.bulk.options.Key)
	switch of {
	case ownerRow:
		w.bulk.strays.held.add(record.ID)
		w.written(row, []byte(record.ID))
		w.takeCreated(row, record.Object)
	case ownerEarlier:
		w.chunk.Fates[row] = pipeline.Unchanged
		w.setID(row, []byte(record.ID))
	case ownerOther:
		w.note(row, key, CodeKeyConflict, "")
	case ownerSeveral:
		w.note(row, key, CodeKeyNotUnique, "")
	default:
		return false
	}
	return true
}
