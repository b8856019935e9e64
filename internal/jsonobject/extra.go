package jsonobject

import (
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// extraMember is the field whose value is an object of further members of the
// row.
type extraMember struct {
	field  int16
	prefix []byte          // ,"_extra":
	taken  map[string]bool // names of the row's own members
}

// newExtraMember returns the one for the field with index field, beside members
// at paths.
func newExtraMember(paths []path, field int) *extraMember {
	m := &extraMember{field: int16(field), prefix: memberPrefix(ExtraField, rawValue), taken: map[string]bool{}}
	for _, p := range paths {
		m.taken[p.names[0]] = true
	}
	return m
}

// appendTo adds the members of v to the object that dst[start:] is. If one of
// them has a name that the object has already, they stay in an object of their
// own, called ExtraField: nothing is lost, and no name appears twice. It returns
// the field if v is no object, or None.
func (m *extraMember) appendTo(dst []byte, start int, v []byte) ([]byte, int16) {
	if len(v) == 0 {
		return dst, pipeline.None
	}
	end := len(dst) - 1 // of the object without its brace
	empty := end == start+1
	if empty {
		end = start
	}
	out, ok := appendRaw(dst[:end], v)
	if !ok || out[end] != '{' {
		return dst, m.field
	}
	n, duplicate := m.look(out[end:])
	switch {
	case empty: // it becomes the object
	case n == 0:
		out = append(out[:end], '}')
	case duplicate:
		out, _ = appendRaw(append(out[:end], m.prefix...), v)
		out = append(out, '}')
	default:
		out[end] = ','
	}
	return out, pipeline.None
}

// look counts the members of object, and finds out whether one of them has the
// name of another member of the row.
func (m *extraMember) look(object []byte) (n int, duplicate bool) {
	for name := range jsonscan.Members(object) {
		n++
		duplicate = duplicate || m.taken[string(name)] || m.taken[string(jsonscan.Unquote(name))]
	}
	return n, duplicate
}
