package api

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errNotJSON = errors.New("the answer is not JSON")
	errTooMany = errors.New("the answer has too many objects")
)

// envelopes are the members in which an API may wrap its list.
var envelopes = []string{"results", "data", "items", "objects"}

// listOf splits body into its objects: those of an array, of JSON Lines, or of
// an array that is wrapped in an object. Any other JSON, and more than limit
// objects, are an error.
func listOf(dst [][]byte, body []byte, limit int) ([][]byte, error) {
	dst, array, err := topLevel(dst, body, limit)
	switch {
	case err != nil:
		return nil, err
	case array != nil:
		return objectsOf(dst, array, limit)
	}
	return unwrapped(dst, limit)
}

// topLevel reads the whole of body and returns either the array that it is, or
// the objects that stand in it one after another: at least one.
func topLevel(dst [][]byte, body []byte, limit int) (objects [][]byte, array []byte, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	for {
		v, err := d.ReadValue()
		switch {
		case err == io.EOF && len(dst) == 0:
			return nil, nil, errNotJSON
		case err == io.EOF:
			return dst, nil, nil
		case err != nil:
			return nil, nil, errNotJSON
		}
		// The decoder's own slice is good until the next call only; body stays.
		end := int(d.InputOffset())
		v = body[end-len(v) : end : end]
		if v[0] == '[' && len(dst) == 0 {
			if _, err := d.ReadToken(); err != io.EOF {
				return nil, nil, errNotJSON
			}
			return dst, v, nil
		}
		if dst, err = addObject(dst, v, limit); err != nil {
			return nil, nil, err
		}
	}
}

// unwrapped returns the objects within the only one of list if that is an
// envelope, and list itself otherwise.
func unwrapped(list [][]byte, limit int) ([][]byte, error) {
	if len(list) > 1 {
		return list, nil
	}
	for _, name := range envelopes {
		if v := jsonscan.Member(list[0], name); v.Kind() == '[' {
			return objectsOf(list[:0], v, limit)
		}
	}
	return list, nil
}

func objectsOf(dst [][]byte, array []byte, limit int) (_ [][]byte, err error) {
	for _, v := range jsonscan.Members(array) {
		if dst, err = addObject(dst, v, limit); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func addObject(dst [][]byte, v []byte, limit int) ([][]byte, error) {
	if v[0] != '{' {
		return nil, errNotList
	}
	if len(dst) == limit {
		return nil, errTooMany
	}
	return append(dst, v), nil
}

// blank reports whether v has no content: null, false, "", {} or [].
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

// Same reports whether the record got holds what was sent: every member of sent is
// there with the same value. A reference may come as the bare id, as an object with
// more members, or as an empty object, which says nothing. Text of digits and
// separators is compared by its digits, because an API may store identity numbers in
// another form; ids are compared without regard to case.
func Same(sent, got []byte) bool {
	var room [24]pair
	have := pairsOf(got, room[:0])
	for name, want := range jsonscan.Members(sent) {
		if !have.same(name, want) {
			return false
		}
	}
	return true
}

// pairs are the members of an object, for lookups in nearly the order in which the
// object has them.
type pairs struct {
	list []pair
	next int // the place after the one found last
}

// pairsOf returns the members of object, in room as far as it is large enough.
func pairsOf(object []byte, room []pair) pairs {
	for name, v := range jsonscan.Members(object) {
		room = append(room, pair{name, v})
	}
	return pairs{list: room}
}

type pair struct {
	name  []byte
	value jsontext.Value
}

// find returns the value of the member with the raw name given, or nil.
func (p *pairs) find(raw []byte) jsontext.Value {
	name := jsonscan.Unquote(raw)
	for range p.list {
		if p.next == len(p.list) {
			p.next = 0
		}
		m := &p.list[p.next]
		p.next++
		if bytes.Equal(m.name, name) || bytes.IndexByte(m.name, '\\') >= 0 && bytes.Equal(jsonscan.Unquote(m.name), name) {
			return m.value
		}
	}
	return nil
}

// removeFound removes the member that was found last by clearing its name.
func (p *pairs) removeFound() { p.list[p.next-1].name = nil }

// same reports whether the member with the raw name given has the value want,
// or is not there where null is wanted.
func (p *pairs) same(raw []byte, want jsontext.Value) bool {
	v := p.find(raw)
	if v == nil {
		return want.Kind() == 'n'
	}
	return SameValue(want, v)
}

// SameValue reports whether got, the value that a record shows, is want by the rules of
// Same.
func SameValue(want, got jsontext.Value) bool {
	switch want.Kind() {
	case '{':
		return sameReference(want, got)
	case '[':
		return sameArray(want, got)
	case '0':
		return sameNumber(jsonscan.Text(want), jsonscan.Text(got))
	case '"':
		return got.Kind() == '"' && sameText(jsonscan.Text(want), jsonscan.Text(got))
	}
	return want.Kind() == got.Kind()
}

func sameReference(want, got jsontext.Value) bool {
	switch got.Kind() {
	case '"', '0':
		return sameText(jsonscan.Text(jsonscan.Member(want, "id")), jsonscan.Text(got))
	case '{':
		for range jsonscan.Members(got) {
			return Same(want, got)
		}
		return true
	}
	return false
}

func sameArray(want, got jsontext.Value) bool {
	if got.Kind() != '[' {
		return false
	}
	var left []jsontext.Value
	for _, v := range jsonscan.Members(got) {
		left = append(left, v)
	}
	for _, v := range jsonscan.Members(want) {
		if len(left) == 0 || !SameValue(v, left[0]) {
			return false
		}
		left = left[1:]
	}
	return len(left) == 0
}

func sameNumber(want, got []byte) bool {
	if bytes.Equal(want, got) {
		return true
	}
	a, errA := strconv.ParseFloat(string(want), 64)
	b, errB := strconv.ParseFloat(string(got), 64)
	return errA == nil && errB == nil && a == b
}

func sameText(want, got []byte) bool {
	return bytes.Equal(want, got) || bytes.Equal(textForm(want), textForm(got))
}

// textForm returns the form in which texts are compared: ids in lower case, and
// of what looks like an identity number only the digits.
func textForm(text []byte) []byte {
	const uuidLength = 36
	if len(text) == uuidLength {
		return bytes.ToLower(text)
	}
	const shortest = 10 // of the identity numbers; a custom id of 12-3 is not 1-23
	if len(text) < shortest {
		return text
	}
	if digits, ok := digitsOf(text); ok && len(digits) >= shortest {
		return digits
	}
	return text
}

// digitsOf returns the digits of v and whether there is nothing but separators
// between them.
func digitsOf(v []byte) ([]byte, bool) {
	for _, c := range v {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != ' ' {
			return nil, false
		}
	}
	digits := make([]byte, 0, len(v))
	for _, c := range v {
		if c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return digits, true
}
