package api

import (
	"bytes"
	"strconv"
	"strings"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

func newKeyField(key string, digits bool) keyField {
	k := keyField{digits: digits}
	if key != "" {
		k.path = strings.Split(key, ".")
	}
	return k
}

// entry is one item of an answer: a record, or what it says about a row that failed.
type entry struct {
	object      []byte // the record; for a failure, the whole item
	key, id     []byte
	list        int32 // index of the list in the answer that has it
	place       int32 // index in that list
	failed      bool  // it shows no record
	saysFailed  bool  // it reports a failure: by a status, a flag or an error
	onlyMessage bool  // it has only a message, which may mean anything
	saysWritten bool  // it says that the row was written
	taken       bool  // matched with a row
	idTaken     bool  // of the first entry with an id: a row has that id
	// first is the index of the first entry with the same id that shows a
	// record, or -1 if this one shows none or has no id.
	first int32
}

// role is what a member of an entry says about the outcome of a row. Records may have
// fields with these names: see [bulkReply.isData].
type role uint8

const (
	noRole      role = iota
	roleError        // what is wrong
	roleWords        // a message, of an error or not
	roleStatus       // an HTTP status, or a word
	roleCode         // the same; in a record, it is a field
	roleFlag         // true: the row was written
	rolePayload      // the record, or its errors
	roleAction       // names the action, and holds the entry itself
	roleID           // the id of the record, under another name
)

func roleOf(name []byte) role {
	switch string(name) {
	case "errors", "error", "_errors", "non_field_errors":
		return roleError
	case "detail", "message":
		return roleWords
	case "status", "statusCode", "status_code", "httpStatus", "http_status":
		return roleStatus
	case "code":
		return roleCode
	case "success", "succeeded", "ok", "isSuccess", "is_success":
		return roleFlag
	case "data", "body", "response", "record", "item", "result", "resource", "object":
		return rolePayload
	case "index", "create", "update", "insert", "delete":
		return roleAction
	case "_id":
		return roleID
	}
	return noRole
}

// saysNothing reports whether a member of that role and value says nothing about the
// outcome.
func (r role) saysNothing(v jsontext.Value) bool {
	switch r {
	case noRole:
		return true
	case roleError, roleWords:
		return blank(v)
	case rolePayload, roleAction:
		return v.Kind() != '{'
	case roleFlag:
		return v.Kind() == 't'
	}
	return false
}

// maxWrappers is how many objects may wrap an entry.
const maxWrappers = 3

// entryOf reads object as an entry. Most are plain records, which need one pass only.
func (r *bulkReply) entryOf(object []byte, depth int) entry {
	e, plain := entry{object: object, first: -1}, true
	for name, v := range jsonscan.Members(object) {
		switch {
		case r.key.at(name):
			e.key = r.key.text(v)
			if len(r.key.path) == 1 && r.key.path[0] == "id" {
				e.id = jsonscan.Text(v)
			}
		case string(name) == "id":
			e.id = jsonscan.Text(v)
		default:
			plain = plain && roleOf(name).saysNothing(v)
		}
	}
	if depth < maxWrappers && (!plain || len(e.id) == 0 && len(e.key) == 0) {
		r.interpret(&e, depth)
	}
	return e
}

// statements is what the members of an entry say about the outcome.
type statements struct {
	wrong, words      bool
	failed, succeeded bool
	payload           []byte
	id                []byte
}

// interpret finds out the outcome of the row that e is about.
func (r *bulkReply) interpret(e *entry, depth int) {
	if inner := soleAction(e.object); inner != nil {
		*e = r.entryOf(inner, depth+1)
		return
	}
	var s statements
	for name, v := range jsonscan.Members(e.object) {
		if role := roleOf(name); role != noRole && !r.key.at(name) && !r.isData(name) {
			s.note(role, v, len(e.id) > 0)
		}
	}
	if len(e.id) == 0 {
		e.id = s.id
	}
	if s.payload != nil {
		r.unwrap(e, &s, depth)
	}
	// A status that says success comes before an error, which is a remark then.
	e.saysFailed = s.failed || !s.succeeded && (s.wrong || len(e.id) == 0 && r.listsFaults(e.object))
	e.onlyMessage = !e.saysFailed && s.words && !s.succeeded && len(e.id) == 0
	e.failed = e.saysFailed || e.onlyMessage
	e.saysWritten = s.succeeded && !e.failed
}

// soleAction returns the value of the only member of object, if that is named after an
// action: {"create": {"status": 201, …}}.
func soleAction(object []byte) (inner []byte) {
	for name, v := range jsonscan.Members(object) {
		if inner != nil || roleOf(name) != roleAction || v.Kind() != '{' {
			return nil
		}
		inner = v
	}
	return inner
}

// note records what a member with a role says. A record, which has an id, may have a
// code or a status field of its own.
func (s *statements) note(r role, v jsontext.Value, record bool) {
	switch r {
	case roleError:
		s.wrong = s.wrong || !blank(v)
	case roleWords:
		s.words = s.words || !blank(v)
	case roleStatus:
		s.noteStatus(v, record)
	case roleCode:
		if !record {
			s.noteStatus(v, false)
		}
	case roleFlag:
		s.failed, s.succeeded = s.failed || v.Kind() == 'f', s.succeeded || v.Kind() == 't'
	case rolePayload:
		if s.payload == nil && v.Kind() == '{' {
			s.payload = v
		}
	case roleID:
		s.id = jsonscan.Text(v)
	}
}

func (s *statements) noteStatus(v jsontext.Value, record bool) {
	failed, succeeded := statusSays(v, record)
	s.failed, s.succeeded = s.failed || failed, s.succeeded || succeeded
}

// statusSays reports what the value of a status means.
func statusSays(v jsontext.Value, record bool) (failed, succeeded bool) {
	text := jsonscan.Text(v)
	if n, err := strconv.Atoi(string(text)); err == nil {
		return n >= 400 && n < 600, n >= 200 && n < 300
	}
	if record || v.Kind() != '"' {
		return false, false
	}
	switch strings.ToLower(string(text)) {
	case "error", "failed", "fail", "failure", "rejected", "invalid":
		return true, false
	case "success", "succeeded", "ok", "created":
		return false, true
	}
	return false, false
}

// unwrap takes the record of e from its payload, or from a failure's payload the key
// that names its row.
func (r *bulkReply) unwrap(e *entry, s *statements, depth int) {
	inner := r.entryOf(s.payload, depth+1)
	s.failed = s.failed || inner.saysFailed
	if len(e.key) == 0 {
		e.key = inner.key
	}
	// A record with an id may refer to another one in a field called item, say.
	own := len(e.id) == 0 || bytes.Equal(inner.id, e.id) || len(inner.id) == 0 && len(inner.key) > 0
	if s.failed || !own || s.wrong && !s.succeeded {
		return
	}
	e.object = inner.object
	if len(e.id) == 0 {
		e.id = inner.id
	}
}

// listsFaults reports whether object has nothing but errors by field: {"email": ["Enter
// a valid e-mail address."]}.
func (r *bulkReply) listsFaults(object []byte) bool {
	some := false
	for name, v := range jsonscan.Members(object) {
		if v.Kind() != '[' || blank(v) || r.isList(name) {
			return false
		}
		for _, text := range jsonscan.Members(v) {
			if text.Kind() != '"' {
				return false
			}
		}
		some = true
	}
	return some
}

// isData reports whether name is a field that was sent: then it says nothing about the
// outcome.
func (r *bulkReply) isData(name []byte) bool { return r.sentValue(name) != nil }

// isList reports whether a list was sent as the field called name.
func (r *bulkReply) isList(name []byte) bool { return r.sentValue(name).Kind() == '[' }

// sentValue returns the first value that was sent as the field called name.
func (r *bulkReply) sentValue(name []byte) jsontext.Value {
	if v, known := r.values[string(name)]; known {
		return v
	}
	text := string(jsonscan.Unquote(name))
	var v jsontext.Value
	for _, item := range r.sent.Items {
		if v = jsonscan.Member(item, text); v != nil {
			break
		}
	}
	if r.values == nil {
		r.values = map[string]jsontext.Value{}
	}
	r.values[string(name)] = v
	return v
}
