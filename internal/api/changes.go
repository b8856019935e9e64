package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// Changes appends to dst the JSON object of those members of sent that got does
// not hold, by the rules of Same, and reports whether there are any. A member
// called id is left out: it names the record and is never changed. Both are
// valid JSON objects.
func Changes(dst, sent, got []byte) (patch []byte, changed bool) {
	var room [24]pair
	have := pairs{list: room[:0]}
	for name, v := range jsonscan.Members(got) {
		have.list = append(have.list, pair{name, v})
	}
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

// Stored compares the record got with what was sent, by the rules of Same, and calls
// visit with each member that got shows and that is not as sent: with want nil for one
// that was not sent and has a value. It reports whether got shows all members of sent:
// of the others nothing is known. Both are valid JSON objects.
func Stored(sent, got []byte, visit func(name []byte, want, got jsontext.Value)) (whole bool) {
	var room [24]pair
	have := pairs{list: room[:0]}
	for name, v := range jsonscan.Members(got) {
		have.list = append(have.list, pair{name, v})
	}
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
		have.take()
	}
	for _, m := range have.list {
		if m.name != nil && !blank(m.value) {
			visit(m.name, nil, m.value)
		}
	}
	return whole
}
