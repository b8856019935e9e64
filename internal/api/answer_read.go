package api

import (
	"slices"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// bulkReply is the body of an answer, before rows are matched with it.
type bulkReply struct {
	key     keyField
	sent    *Sent
	objects [][]byte
	entries []entry
	sizes   []int            // of the lists that the entries stand in
	faults  []jsontext.Value // errors that are not in entries
	failure bool             // it reports a failure
	denied  bool             // it says that the request as a whole failed
	values  map[string]jsontext.Value
}

// The members in which an answer lists the rows that went through, besides
// envelopes, and those that did not.
var (
	shownNames = []string{"success", "succeeded", "successes", "successful", "created", "updated", "inserted", "saved", "written", "records"}
	faultNames = []string{"errors", "error", "_errors", "non_field_errors", "failed", "failures", "failure", "rejected", "invalid"}
)

func (r *bulkReply) read(body []byte, sent *Sent) error {
	r.sent, r.values, r.failure, r.denied = sent, nil, false, false
	r.entries, r.sizes, r.faults = r.entries[:0], r.sizes[:0], r.faults[:0]
	objects, array, err := topLevel(r.objects[:0], body, r.limit())
	switch {
	case err != nil:
		return err
	case array != nil:
		err = r.list(array)
	case len(objects) == 1:
		err = r.lone(objects[0], 0)
	default:
		for _, o := range objects {
			r.place(r.entryOf(o, 0))
		}
		r.sizes = append(r.sizes, len(objects))
	}
	r.objects = objects
	r.classifyEchoes()
	r.classifyMessages()
	return err
}

// limit is how many entries an answer may have.
func (r *bulkReply) limit() int { return 2*len(r.sent.Items) + 100 }

// place adds e to the list that is being read.
func (r *bulkReply) place(e entry) {
	e.list, e.place = int32(len(r.sizes)), 0
	if n := len(r.entries); n > 0 && r.entries[n-1].list == e.list {
		e.place = r.entries[n-1].place + 1
	}
	r.failure = r.failure || e.saysFailed
	r.entries = append(r.entries, e)
}

var emptyObject = []byte("{}")

// list reads the entries of an array. An API may put null in the place of a row about
// which it says something elsewhere.
func (r *bulkReply) list(array []byte) error {
	n := 0
	for _, v := range jsonscan.Members(array) {
		switch k := v.Kind(); {
		case len(r.entries) == r.limit():
			return errTooMany
		case k == 'n':
			v = emptyObject
		case k != '{':
			return errNotList
		}
		r.place(r.entryOf(v, 0))
		n++
	}
	r.sizes = append(r.sizes, n)
	return nil
}

// faultList reads an array of errors. Empty entries stand for rows without errors.
func (r *bulkReply) faultList(array []byte) error {
	n := 0
	for _, v := range jsonscan.Members(array) {
		if len(r.entries) == r.limit() {
			return errTooMany
		}
		e := entry{object: v, first: -1}
		if v.Kind() == '{' {
			e = r.entryOf(v, 0)
			e.object = v
		}
		e.id, e.saysWritten, e.failed, e.saysFailed = nil, false, true, !blank(v)
		r.place(e)
		n++
	}
	r.sizes = append(r.sizes, n)
	return nil
}

// lone reads the only object of an answer: a record, an envelope, or an object that
// says what became of the request.
func (r *bulkReply) lone(object []byte, depth int) error {
	e := r.entryOf(object, 0)
	if len(e.key) > 0 || len(e.id) > 0 && r.hasData(object) {
		r.placeAlone(e)
		return nil
	}
	told := len(r.sizes) // lists
	for name, v := range jsonscan.Members(object) {
		if err := r.member(name, v, depth); err != nil {
			return err
		}
	}
	if len(r.sizes) == told && !r.failure {
		r.placeAlone(e)
	}
	if r.failure && len(r.faults) == 0 && !slices.ContainsFunc(r.entries, func(e entry) bool { return e.saysFailed }) {
		r.placeAlone(entry{object: object, first: -1, failed: true, saysFailed: true})
	}
	return nil
}

func (r *bulkReply) placeAlone(e entry) {
	r.place(e)
	r.sizes = append(r.sizes, 1)
}

// hasData reports whether object has a member that was sent.
func (r *bulkReply) hasData(object []byte) bool {
	for name := range jsonscan.Members(object) {
		if r.isData(name) {
			return true
		}
	}
	return false
}

// member reads one member of an object that is not a record.
func (r *bulkReply) member(raw []byte, v jsontext.Value, depth int) error {
	name, kind := string(raw), v.Kind()
	switch shown := slices.Contains(envelopes, name) || slices.Contains(shownNames, name); {
	case shown && kind == '[':
		return r.list(v)
	case (shown || roleOf(raw) == rolePayload) && kind == '{' && depth < maxWrappers:
		return r.lone(v, depth+1)
	case slices.Contains(faultNames, name):
		return r.fault(v)
	case roleOf(raw) == roleFlag && kind == 'f':
		r.denied = true
	case roleOf(raw) == roleStatus, roleOf(raw) == roleCode:
		failed, _ := statusSays(v, false)
		r.denied = r.denied || failed
	}
	r.failure = r.failure || r.denied
	return nil
}

// fault reads a member that reports failures: a list, an object, a message, a flag or a
// number.
func (r *bulkReply) fault(v jsontext.Value) error {
	switch k := v.Kind(); {
	case k == '[':
		return r.faultList(v)
	case blank(v) || k == '0' && string(v) == "0":
		return nil
	case k == '{' || k == '"':
		r.faults = append(r.faults, v)
	}
	r.failure = true
	return nil
}

// classifyEchoes decides about entries without an id if the answer says that the
// request failed: they only repeat what was sent.
func (r *bulkReply) classifyEchoes() {
	for j := range r.entries {
		if e := &r.entries[j]; r.denied && len(e.id) == 0 {
			e.failed, e.saysWritten = true, false
		}
	}
}

// classifyMessages decides about entries that have only a message: "queued", or an
// error. They report a failure if other entries have records.
func (r *bulkReply) classifyMessages() {
	shows := slices.ContainsFunc(r.entries, func(e entry) bool { return !e.failed && len(e.id) > 0 })
	if !shows {
		return
	}
	for j := range r.entries {
		e := &r.entries[j]
		if e.failed && e.onlyMessage {
			e.saysFailed, r.failure = true, true
		}
	}
}
