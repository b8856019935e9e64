package api

import (
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
