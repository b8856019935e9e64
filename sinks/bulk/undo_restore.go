package bulk

import (
	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// restoration returns the members of patch with what before, a record, holds of
// them, as an object; nil if there are none. A member of which the record does
// not tell what it was, a reference that the API does not show, is unknown then.
func restoration(patch, before []byte) (out []byte, unknown string) {
	for name, value := range jsonscan.Members(patch) {
		plain := string(jsonscan.Unquote(name))
		was := jsonscan.Member(before, plain)
		if unsaid(value, was) {
			return nil, plain
		}
		out = appendMember(out, name, settable(was))
	}
	return closed(out), ""
}

// settable returns what sets a member to was, which a record shows: of a record
// that is referred to its id, and null where there was nothing.
func settable(was jsontext.Value) jsontext.Value {
	switch {
	case len(was) == 0:
		return jsontext.Value("null")
	case was.Kind() != '{':
		return was
	}
	id := jsonscan.Member(was, idField)
	if id == nil {
		return was
	}
	return append(append(jsontext.Value(`{"id":`), id...), '}')
}
