package record

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/advice"
	"flytt/internal/jsonscan"
	"flytt/internal/text"
	"flytt/mappings"
)

// Selection is a choice among the members of an object. Nil is all of them.
type Selection struct {
	only  []string // in this order; empty: all
	never map[string]bool
}

// ParseSelection reads the names of fields of r, separated by commas. A minus before one
// leaves it out.
func ParseSelection(r *mappings.Resource, list string) (*Selection, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	m := &Selection{never: map[string]bool{}}
	for term := range strings.SplitSeq(list, ",") {
		name, minus := strings.CutPrefix(strings.TrimSpace(term), "-")
		f := r.Field(name)
		if f == nil {
			hint := text.DidYouMean(name, r.Columns(), "flytt schema "+r.Name+" lists the fields")
			return nil, advice.Usagef(hint, "--select: unknown field %s", name)
		}
		if minus {
			m.never[f.Name] = true
		} else {
			m.only = append(m.only, f.Name)
		}
	}
	return m, nil
}

// AppendLines appends the chosen members of the objects in lines, each of which is one.
func (s *Selection) AppendLines(dst, lines []byte) []byte {
	if s == nil {
		return append(dst, lines...)
	}
	for line := range bytes.Lines(lines) {
		object := jsontext.Value(bytes.Clone(line))
		_ = object.Compact(jsontext.PreserveRawStrings(true)) // it is valid
		dst = append(s.append(dst, object), '\n')
	}
	return dst
}

// append appends the chosen members of object, as an object.
func (s *Selection) append(dst []byte, object jsontext.Value) []byte {
	dst = append(dst, '{')
	start := len(dst)
	add := func(name []byte, value jsontext.Value) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), `":`...)
		dst = append(dst, value...)
	}
	for _, name := range s.only {
		if value := jsonscan.Member(object, name); value != nil && !s.never[name] {
			add([]byte(name), value)
		}
	}
	if s.only == nil {
		for name, value := range jsonscan.Members(object) {
			if !s.never[string(jsonscan.Unquote(name))] {
				add(name, value)
			}
		}
	}
	return append(dst, '}')
}
