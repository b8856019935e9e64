package api

import (
	"flytt/internal/jsonscan"
)

// Sent is the content of a bulk request. Keys has one entry for each item, empty for an
// item without a key, or is nil.
type Sent struct {
	Items [][]byte // each one JSON object
	Keys  [][]byte // the value of the key field of each, as text
}

func (s *Sent) key(i int) []byte {
	if s.Keys == nil {
		return nil
	}
	return s.Keys[i]
}

// MatchMethod says how a row was matched with the item of the answer that shows it.
type MatchMethod uint8

const (
	NotShown   MatchMethod = iota // no item of the answer shows the row
	ByKey                         // the item has the key of the row
	ByFields                      // the key differs or is missing; the other fields identify the row
	ByPosition                    // the counts agree, and nothing else tells which item belongs to which row
)

// Answer reads the answer to a bulk write that came with a status of success. It says
// for each row that was sent whether the answer shows its record, says that it failed,
// or says nothing about it. It reuses its buffers and belongs to one goroutine.
//
// # Invariant
//
// If an answer shows as many distinct ids of records as rows were sent, then every row
// was created, and Match gives every row an item, whatever the items look like: no row
// of that request may be sent again. An API may store a key, or any other field, in
// another form than it was sent in.
//
// An id in several items of one answer is the id of one record: only one row gets it.
// An item that reports a failure shows no record.
type Answer struct {
	// Base says from which number the API counts rows, as far as it is known. Match
	// adds what it learns.
	Base IndexBase

	key      keyField
	reply    bulkReply
	match    matching
	refusals []Refusal
}

// NewAnswer returns an Answer for records whose key field is called key; "" if they
// have none. If digits is set, keys are compared by their digits alone, for fields such
// as ssn that an API may store in another form.
func NewAnswer(key string, digits bool) *Answer {
	k := newKeyField(key, digits)
	return &Answer{key: k, reply: bulkReply{key: k}}
}

// Match reads body, the answer to a write of sent with a status of success. It
// understands
//
//	[{record}, …]   {record} on each line   {"results": [{record}, …]}
//	[{"status": 201, "data": {record}}, {"status": 400, "error": …}, …]
//	[{record}, {"errors": …, "index": 1}, …]
//	{"errors": true, "items": [{"create": {"status": 201, "_id": "…"}}, …]}
//	{"created": [{record}, …], "failed": [{"key": "…", "message": "…"}, …]}
//	{"success": false, "errors": [{"index": 1, "field": "…", "message": "…"}, …]}
//
// and the mixtures of these that are seen in the field. Rows are matched with
// the records that the answer shows, in this order:
//
//   - by key; where several have the same one, their other fields decide; an item
//     that differs in other fields is left, if another row has these fields and the
//     answer does not show a record for each;
//   - by other values that they share, if these identify them;
//   - by position, where as many ids are left as rows.
//
// An item that has exactly the key of another row is matched with a row only if
// the answer shows as many ids as rows were sent. An item without an id shows a
// row only if it has its key, or all its fields.
//
// A row has failed if an entry that reports a failure names it, by its key or its
// index, or has its position in a list with an entry for each row. Indices are not
// trusted if one of them names a row whose record the answer shows.
//
// Match returns an error if the body is no JSON of that kind: nothing is known of
// any row then.
func (a *Answer) Match(body []byte, sent Sent) error {
	a.refusals = a.refusals[:0]
	a.match.reset(&a.key, &sent, nil)
	if err := a.reply.read(body, &sent); err != nil {
		return err
	}
	a.match.reset(&a.key, &sent, a.reply.entries)
	if a.match.inOrder() {
		return nil
	}
	a.match.byKey()
	f := newFailures(&a.reply, &a.match, a.Base)
	f.byKey()
	a.match.inPlace()
	a.match.byFields()
	f.others()
	a.match.byFields()
	a.match.byPosition()
	a.match.bySuccess(a.reply.sizes)
	a.refusals = f.refusals(a.refusals)
	a.Base = f.parser.base
	return nil
}

// Written reports whether the answer shows sent item i.
func (a *Answer) Written(i int) bool { return a.match.rows[i].item >= 0 }

// MatchedBy returns how item i that was sent was matched.
func (a *Answer) MatchedBy(i int) MatchMethod { return a.match.rows[i].method }

// ID returns the id that the API gave to item i that was sent; empty if the answer does
// not show it. It is valid as long as the body.
func (a *Answer) ID(i int) []byte {
	if e := a.match.shownBy(i); e != nil {
		return e.id
	}
	return nil
}

// Object returns the item of the answer that shows item i that was sent; nil if none
// does. It is valid as long as the body.
func (a *Answer) Object(i int) []byte {
	if e := a.match.shownBy(i); e != nil {
		return e.object
	}
	return nil
}

// UnmatchedIDs returns the ids of records that the answer shows and that were matched
// with no row. They may belong to the rows that are not Written. They are valid as long
// as the body.
func (a *Answer) UnmatchedIDs() [][]byte {
	var ids [][]byte
	for j := range a.match.entries {
		if a.match.unclaimed(int32(j)) && a.match.isFirst(int32(j)) {
			ids = append(ids, a.match.entries[j].id)
		}
	}
	return ids
}

// Refusals returns the errors in the answer, sorted by item: those of rows that failed,
// and with Item -1 those of the request as a whole or of rows that it does not name. No
// row that is Written is among them. They are valid until the next Match.
func (a *Answer) Refusals() []Refusal { return a.refusals }

// Refused reports whether the answer is a refusal of the whole request in spite of its
// status: it reports a failure and shows no record at all. Its Refusals may then name
// no row.
func (a *Answer) Refused() bool {
	if !a.reply.failure {
		return false
	}
	for i := range a.match.rows {
		if a.Written(i) {
			return false
		}
	}
	return a.match.distinct == 0
}

// keyField says where the key of a record is, and how keys are compared.
type keyField struct {
	path   []string // the names that lead to it; empty: records have no key
	digits bool     // compare by digits alone
}

// text returns the key within v, the value of the first name of the path.
func (k *keyField) text(v []byte) []byte {
	for _, name := range k.path[1:] {
		if len(v) == 0 || v[0] != '{' {
			break // a bare id in place of the object
		}
		v = jsonscan.Member(v, name)
	}
	return k.normal(jsonscan.Text(v))
}

// normal returns the form in which keys are compared.
func (k *keyField) normal(key []byte) []byte {
	if !k.digits {
		return key
	}
	if digits, ok := digitsOf(key); ok {
		return digits
	}
	return key
}

// at reports whether the raw name is that of the member that holds the key.
func (k *keyField) at(name []byte) bool { return len(k.path) > 0 && jsonscan.NameIs(name, k.path[0]) }
