package api

import (
	"bytes"
	"strings"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// Sent is what a bulk request carried. Keys has one entry for each item, empty
// where the item has none, or is nil.
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

// Answer matches the answer to a bulk write with what was sent. It keeps its
// buffers between calls and belongs to one goroutine.
type Answer struct {
	key     []string // the names that lead to the key field; empty: there is none
	digits  bool
	objects [][]byte
	items   []answerItem
	matched []int32 // for each sent item, the index of its answer, or -1
}

type answerItem struct {
	object  []byte
	key, id []byte
	failed  bool // it tells of an error
	taken   bool
}

// NewAnswer returns an Answer for records whose key field is called key; ""
// if there is none. With digits, keys are compared by their digits alone, for
// fields such as ssn that an API may store in another form.
func NewAnswer(key string, digits bool) *Answer {
	a := &Answer{digits: digits}
	if key != "" {
		a.key = strings.Split(key, ".")
	}
	return a
}

// Match reads body, the answer to a write of sent with a status of success. An
// item that was sent counts as written if an item of the answer has its key.
// Where neither side has a key, items are matched by the fields that were sent,
// and what is left by position, if there are as many items as were sent. An
// item of the answer that tells of an error matches nothing. The order of the
// answer means nothing otherwise.
//
// It returns an error if the body is no list of objects: nothing is known of
// any item then.
func (a *Answer) Match(body []byte, sent Sent) (err error) {
	a.items = a.items[:0]
	a.matched = a.matched[:0]
	for range sent.Items {
		a.matched = append(a.matched, -1)
	}
	a.objects, err = listOf(a.objects[:0], body, 2*len(sent.Items)+100)
	if err != nil {
		return err
	}
	for _, object := range a.objects {
		a.items = append(a.items, a.read(object))
	}
	if a.matchInOrder(&sent) {
		return nil
	}
	a.matchByKey(&sent)
	if len(a.items) == len(sent.Items) && a.matchByFields(&sent) {
		a.matchByPosition(&sent)
	}
	return nil
}

// Written reports whether the answer shows sent item i.
func (a *Answer) Written(i int) bool { return a.matched[i] >= 0 }

// ID returns the id the API gave to sent item i; empty if the answer does not
// tell. It is valid as long as the body.
func (a *Answer) ID(i int) []byte {
	if a.matched[i] < 0 {
		return nil
	}
	return a.items[a.matched[i]].id
}

// Object returns the item of the answer that shows sent item i; nil if none does.
// It is valid as long as the body.
func (a *Answer) Object(i int) []byte {
	if a.matched[i] < 0 {
		return nil
	}
	return a.items[a.matched[i]].object
}

// failures are the members by which an item tells that it was not taken.
var failures = [...]string{"errors", "error", "_errors", "non_field_errors"}

// read finds in object what matching needs. What only says something, and has no
// id, is no record but says why there is none.
func (a *Answer) read(object []byte) answerItem {
	item, why := answerItem{object: object}, false
	for name, v := range jsonscan.Members(object) {
		switch {
		case len(a.key) > 0 && jsonscan.NameIs(name, a.key[0]):
			item.key = a.keyText(v)
			if len(a.key) == 1 && a.key[0] == "id" {
				item.id = jsonscan.Text(v)
			}
		case string(name) == "id":
			item.id = jsonscan.Text(v)
		case len(name) > 4 && isFailure(name) && !blank(v):
			item.failed = true
		case (string(name) == "detail" || string(name) == "message") && !blank(v):
			why = true
		}
	}
	item.failed = item.failed || why && len(item.id) == 0
	return item
}

func (a *Answer) keyText(v jsontext.Value) []byte {
	for _, name := range a.key[1:] {
		if v.Kind() != '{' {
			break // a bare id in place of the object
		}
		v = jsonscan.Member(v, name)
	}
	return a.normal(jsonscan.Text(v))
}

// normal returns the form in which keys are compared.
func (a *Answer) normal(key []byte) []byte {
	if !a.digits {
		return key
	}
	if digits, ok := digitsOf(key); ok {
		return digits
	}
	return key
}

func isFailure(name []byte) bool {
	for _, f := range failures {
		if string(name) == f {
			return true
		}
	}
	return false
}

// blank reports whether v says nothing: null, false, "", {} or [].
func blank(v jsontext.Value) bool {
	switch v.Kind() {
	case 'n', 'f':
		return true
	case '"':
		return len(v) == 2
	case '{', '[':
		for range jsonscan.Members(v) {
			return false
		}
		return true
	}
	return false
}

// matchInOrder matches everything at one go if the answer has the keys that
// were sent in the order they were sent in, and every row has one. It is what
// most answers are like.
func (a *Answer) matchInOrder(sent *Sent) bool {
	if len(a.items) != len(sent.Items) {
		return false
	}
	for i := range a.items {
		key := a.normal(sent.key(i))
		if len(key) == 0 || a.items[i].failed || !bytes.Equal(key, a.items[i].key) {
			return false
		}
	}
	for i := range a.matched {
		a.matched[i] = int32(i)
	}
	return true
}

// matchByKey matches the items that have a key. Where several were sent with
// the same one, their other fields decide which is which.
func (a *Answer) matchByKey(sent *Sent) {
	open := map[string][]int32{} // by key: what was sent and is not matched yet
	for i := range sent.Items {
		if key := a.normal(sent.key(i)); len(key) > 0 {
			open[string(key)] = append(open[string(key)], int32(i))
		}
	}
	for j := range a.items {
		item := &a.items[j]
		candidates := open[string(item.key)]
		if len(candidates) == 0 || len(item.key) == 0 || item.failed {
			continue
		}
		n := 0
		for k, i := range candidates {
			if len(candidates) > 1 && Same(sent.Items[i], item.object) {
				n = k
				break
			}
		}
		a.take(int(candidates[n]), j)
		open[string(item.key)] = append(candidates[:n:n], candidates[n+1:]...)
	}
}

func (a *Answer) take(i, j int) {
	a.matched[i] = int32(j)
	a.items[j].taken = true
}

// loose reports whether sent item i and item j of the answer are still to be
// matched and have no keys that tell them apart.
func (a *Answer) loose(sent *Sent, i, j int) bool {
	item := &a.items[j]
	return a.matched[i] < 0 && !item.taken && !item.failed &&
		(len(sent.key(i)) == 0 || len(item.key) == 0)
}

// maxComparisons bounds the search for items that do not stand where they were
// sent: an API that stores every value in another form would make it quadratic.
const maxComparisons = 250_000

// matchByFields matches the items that have no key and hold the same. Most of
// them stand where they were sent; what does not is searched for, within
// maxComparisons. It reports whether positions may still be believed: not if
// the search ended early and items were found out of their places.
func (a *Answer) matchByFields(sent *Sent) (ordered bool) {
	for i := range sent.Items {
		if a.loose(sent, i, i) && Same(sent.Items[i], a.items[i].object) {
			a.take(i, i)
		}
	}
	compared, moved := 0, false
	for i := range sent.Items {
		for j := 0; a.matched[i] < 0 && j < len(a.items); j++ {
			if !a.loose(sent, i, j) {
				continue
			}
			if compared++; compared > maxComparisons {
				return !moved
			}
			if Same(sent.Items[i], a.items[j].object) {
				a.take(i, j)
				moved = true
			}
		}
	}
	return true
}

// matchByPosition matches what is left where both sides of a position are, if
// the item of the answer is a record: has an id.
func (a *Answer) matchByPosition(sent *Sent) {
	for i := range sent.Items {
		if a.loose(sent, i, i) && len(a.items[i].id) > 0 {
			a.take(i, i)
		}
	}
}
