package api

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// Changes appends to dst the JSON object of those members of sent that got does not
// hold, by the rules of Same. It reports whether there are any. A member called id is
// left out: it names the record and is never changed. Both are valid JSON objects.
func Changes(dst, sent, got []byte) (patch []byte, changed bool) {
	var room [24]pair
	have := pairsOf(got, room[:0])
	dst = append(dst, '{')
	for name, want := range jsonscan.Members(sent) {
		if jsonscan.NameIs(name, "id") || have.same(name, want) {
			continue
		}
		if changed {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), '"', ':')
		dst = append(dst, want...)
		changed = true
	}
	return append(dst, '}'), changed
}

// Echoes reports whether got, a record, has the members of sent exactly as they were
// sent and in the same order, and at most one other member, such as its id, before
// them. Many APIs answer like that, and it is cheap to check. Both are valid JSON
// objects.
func Echoes(sent, got []byte) bool {
	if bytes.HasPrefix(got, sent[:len(sent)-1]) && len(got) == len(sent) {
		return true
	}
	if len(got) <= len(sent) || !bytes.HasSuffix(got, sent[1:]) {
		return false
	}
	front := len(got) - len(sent) + 1 // where the members of sent begin
	at := jsonscan.Skip(got, 1)
	at = jsonscan.Skip(got, jsonscan.ValueEnd(got, at)) // its name
	return jsonscan.Skip(got, jsonscan.ValueEnd(got, at)) == front
}

// CompareStored compares the record got with what was sent, by the rules of Same. It
// calls visit with each member of got that is not as sent; want is nil for a member
// that was not sent and has a value. It reports whether got shows all members of sent:
// nothing is known about the others. Both are valid JSON objects.
func CompareStored(sent, got []byte, visit func(name []byte, want, got jsontext.Value)) (whole bool) {
	var room [24]pair
	have := pairsOf(got, room[:0])
	whole = true
	for name, want := range jsonscan.Members(sent) {
		v := have.find(name)
		switch {
		case v == nil:
			whole = false
			continue
		case !SameValue(want, v):
			visit(name, want, v)
		}
		have.removeFound()
	}
	for _, m := range have.list {
		if m.name != nil && !blank(m.value) {
			visit(m.name, nil, m.value)
		}
	}
	return whole
}
