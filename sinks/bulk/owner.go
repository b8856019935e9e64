package bulk

import (
	"slices"
	"time"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// owner says who created the record that the list shows for the key of a row.
type owner uint8

const (
	ownerNone    owner = iota // there is no record
	ownerRow                  // the row created it
	ownerEarlier              // it is older than the run, and holds the values of the row
	ownerOther                // somebody else created it
	ownerSeveral              // there are several: the key is not unique
	ownerUnclear              // it is not known
)

// sending says what is known of the requests of a row whose record is looked for.
type sending uint8

const (
	wasSent   sending = iota // a request of this run with it had no clear answer
	maybeSent                // its request was refused, perhaps because of other rows
	wasEnded                 // an earlier run ended with it rejected; this run has not sent it
)

// ownRecords finds which records the rows of the chunk created, and settles the rows by them.
type ownRecords struct {
	engine    *engine
	rows      *chunkRows
	storage   *storage
	matcher   *matcher
	ages      *ages
	unmatched bool // the unmatched records can be read
}

// ownerOf returns who created the records that the list shows for the key of row, and the
// record if there is only one. It decides by when they were created, and by their values:
//
//   - A record that is older than the run was created by somebody else. If the API may
//     store the row's key in another form, the row's own record may exist beside it.
//   - A record that was created since the run began belongs to a row that was sent, in
//     whatever form the API stored its values. If the API changes keys, it may belong to a
//     row with another key; it does if it has values that the API would not store for row.
//   - A row that may not have been written at all owns only a record that fits it.
//   - If no request with the row is under way any more, the answer is never ownerUnclear.
//   - If the API does not say when records were created, only their values count.
func (ow *ownRecords) ownerOf(row int32, records []api.Record, requests sending) (owner, api.Record) {
	records = ow.candidates(row, records)
	if len(records) == 0 {
		return ownerNone, api.Record{}
	}
	record := records[0]
	age, ended := ow.ages.of(record.Object), requests == wasEnded
	switch {
	case age == olderThanRun && !ended && !ow.engine.forms.trusts(ow.rows.key(row)):
		return ownerUnclear, record
	case age == ofRun && !ended && len(records) > 1:
		return ownerUnclear, record
	case len(records) > 1:
		return ownerSeveral, record
	case age == ofRun:
		return ow.ownerOfNew(row, record.Object, requests), record
	case !api.Same(ow.rows.item(row), record.Object):
		return ownerOther, record
	case age == olderThanRun:
		return ownerEarlier, record
	}
	return ownerRow, record
}

// ownerOfNew is ownerOf for the only record, which was created since the run began.
func (ow *ownRecords) ownerOfNew(row int32, record []byte, requests sending) owner {
	fits, contradicts := ow.matcher.fits(row, record), ow.matcher.rulesOut(row, record)
	unmatched, changesKeys := ow.unmatched, ow.engine.forms.altered.Load()
	switch {
	case requests == wasEnded && fits:
		return ownerRow
	case requests == wasEnded:
		return ownerOther
	case requests == maybeSent && !fits && !contradicts:
		return ownerUnclear
	case requests == maybeSent && contradicts && (!unmatched || ow.engine.forms.trusts(ow.rows.key(row)) && !changesKeys):
		return ownerOther
	case unmatched && (contradicts || changesKeys):
		return ownerUnclear // the unmatched records will show it
	}
	return ownerRow
}

// mayOwn reports whether row may have created the only candidate among records, which have
// its key, while it is not known whether the API changes keys.
func (ow *ownRecords) mayOwn(row int32, records []api.Record) bool {
	records = ow.candidates(row, records)
	if len(records) != 1 {
		return false
	}
	record := records[0].Object
	return ow.ages.of(record) == ofRun || api.Same(ow.rows.item(row), record)
}

// candidates returns those of records, which have the key of row, that the row may have
// created. It leaves out records that are older than the run, unless all are. If exactly one
// of the rest holds what was sent, it returns only that one.
func (ow *ownRecords) candidates(row int32, records []api.Record) []api.Record {
	if len(records) < 2 {
		return records
	}
	older := func(r api.Record) bool { return ow.ages.of(r.Object) == olderThanRun }
	young := slices.DeleteFunc(slices.Clone(records), older)
	if len(young) == 0 {
		return records
	}
	differs := func(r api.Record) bool { return !api.Same(ow.rows.item(row), r.Object) }
	if same := slices.DeleteFunc(slices.Clone(young), differs); len(same) == 1 {
		return same
	}
	return young
}

// settleBy settles row by the owner of record, which has its key. It returns false if the
// owner does not settle the row. An undo must not delete a record that is older than the run.
func (ow *ownRecords) settleBy(row int32, of owner, record api.Record) bool {
	key := ow.engine.field(ow.engine.options.Key)
	switch of {
	case ownerRow:
		ow.engine.unmatched.owned.add(record.ID)
		ow.written(row, []byte(record.ID))
		ow.noteCreated(row, record.Object)
	case ownerEarlier:
		ow.rows.chunk.Fates[row] = pipeline.Unchanged
		ow.rows.setID(row, []byte(record.ID))
	case ownerOther:
		ow.rows.note(row, key, CodeKeyConflict, "")
	case ownerSeveral:
		ow.rows.note(row, key, CodeKeyNotUnique, "")
	default:
		return false
	}
	return true
}

// noteCreated notes that the API has shown record, which row created. An API may treat a row
// as a change of the record that has its key. If record is older than the run, it was
// changed, and an undo must not delete it.
func (ow *ownRecords) noteCreated(row int32, record []byte) {
	delete(ow.storage.stored, row)
	if item := ow.rows.item(row); len(item) > 2 && api.Echoes(item, record) {
		ow.engine.fields.learn(item, nil)
		if key := ow.rows.key(row); ow.engine.options.KeyLookup && len(key) > 0 {
			ow.engine.forms.kept(key)
		}
		return
	}
	ow.storage.noteStored(sentRow{row: row, sent: ow.rows.item(row)}, record, ow.engine.options.Texts)
	ow.storage.learnKey(row, record)
	if ow.ages.existed(record) {
		ow.rows.chunk.Fates[row] = pipeline.Updated
	}
}

func (ow *ownRecords) written(row int32, id []byte) {
	ow.rows.chunk.Fates[row] = pipeline.Written
	ow.rows.setID(row, id)
	ow.rows.claimCreated(row)
}

// clockSlack is how much the server's clock for records may be behind its clock for
// answers.
const clockSlack = time.Second

// age says when a record was created, as far as that is known.
type age uint8

const (
	ageUnknown   age = iota
	olderThanRun     // before the run began
	ofRun            // since the run began
)

// certainlyOlder is how much older than the run a record in an answer must be to count as
// older. It is more than the server's clocks for answers and records may differ.
const certainlyOlder = time.Minute

// ages finds out when records were created.
type ages struct {
	clock interface {
		ServerTime(local time.Time) (time.Time, bool)
	}
	began  time.Time // of the run, by this machine's clock; zero: the age of records is not used
	member string    // of a record that says when it was created; empty: there is none
}

// existed reports whether record, from the answer to a row that creates a record, existed
// before the run.
func (a *ages) existed(record []byte) bool {
	began, made, known := a.moments(record)
	return known && made.Before(began.Add(-certainlyOlder))
}

// of returns the age of record, by the server's clock.
func (a *ages) of(record []byte) age {
	switch began, made, known := a.moments(record); {
	case !known:
		return ageUnknown
	case made.Before(began.Add(-clockSlack)):
		return olderThanRun
	}
	return ofRun
}

// moments returns when the run began and when record was created, if both are known.
func (a *ages) moments(record []byte) (began, made time.Time, known bool) {
	if a.member == "" || a.began.IsZero() {
		return began, made, false
	}
	began, known = a.clock.ServerTime(a.began)
	made, dated := api.Moment(jsonscan.Text(jsonscan.Member(record, a.member)))
	return began, made, known && dated
}
