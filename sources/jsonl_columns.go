package sources

import (
	"bytes"
	"errors"
	"fmt"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// sight is what was seen of a member in the sample.
type sight struct {
	names  []string // of its own members, where it is an object, in the order they came
	byName map[string]*sight
	value  bool // it has had a value that is neither null nor an object
}

// survey looks at the objects of a sample. It keeps the first thing wrong with
// it, for the case that no object is right.
type survey struct {
	check   checker
	root    sight
	columns int // members seen, at least as many as there will be columns
	fault   error
	line    int64 // of the fault
}

// surveyJSON finds the columns of a text by its sample.
func surveyJSON(in *input, t *text, array bool) (*objectLayout, []string, error) {
	var s survey
	if array {
		s.elements(t.sample)
	} else {
		s.lines(t.sample, t.whole)
	}
	var names []string
	root := s.root.branch("", &names)
	switch {
	case s.columns > maxJSONColumns:
		return nil, nil, in.fail(0, errManyNames, hintJSONNames)
	case len(names) == 0 && s.fault != nil:
		return nil, nil, in.fail(s.line, s.fault, hintJSON)
	case len(names) == 0:
		return nil, nil, in.fail(0, errNoObject, hintJSON)
	}
	if name := doubled(names); name != "" {
		return nil, nil, in.fail(0, fmt.Errorf("two members would be the column %s: one has the dot in its name, one lies within an object", name),
			"rename one of them")
	}
	return &objectLayout{columns: len(names), root: root, unknown: unknownMember}, names, nil
}

// doubled returns a name that is there twice, or nothing.
func doubled(names []string) string {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}

// lines looks at the lines of sample. The last may be cut off, unless the sample
// is whole.
func (s *survey) lines(sample []byte, whole bool) {
	line := int64(0)
	for from, to := 0, 0; from < len(sample) && s.columns <= maxJSONColumns; from = to + 1 {
		line++
		if n := bytes.IndexByte(sample[from:], '\n'); n >= 0 {
			to = from + n
		} else if to = len(sample); !whole {
			if s.fault == nil {
				s.fault, s.line = errLongBytes, line
			}
			return
		}
		text := sample[:to]
		start := jsonSpace(text, from)
		if start == to {
			continue
		}
		if f, ok := s.check.row(text, start); ok {
			s.see(&s.root, text[start:])
		} else if s.fault == nil {
			s.fault, s.line = errors.New(f.describe(text, start)), line
			if s.spread(sample, start, to) {
				s.fault = errPretty
			}
		}
	}
}

// spread reports whether the object that starts at from ends beyond to, the end
// of its line.
func (s *survey) spread(sample []byte, from, to int) bool {
	return sample[from] == '{' && s.check.value(sample, from) > to
}

// elements looks at the elements of the array that sample starts with.
func (s *survey) elements(sample []byte) {
	for i := jsonSpace(sample, 0) + 1; s.columns <= maxJSONColumns; {
		if i = elementStart(sample, i); i == len(sample) || sample[i] == ']' {
			return
		}
		end, fault := elementEnd(sample, i)
		if fault.err != nil || end < 0 {
			return // the cutter says what is wrong
		}
		text := sample[:end]
		if f, ok := s.check.row(text, i); ok {
			s.see(&s.root, text[i:end])
		} else if s.fault == nil {
			s.fault, s.line = errors.New(f.describe(text, i)), 1+lineEnds(text[:i], '\n')
		}
		i = end
	}
}

// see adds the members of an object to at.
func (s *survey) see(at *sight, object []byte) {
	for raw, v := range jsonscan.Members(object) {
		name := string(jsonscan.Unquote(raw))
		m := at.byName[name]
		if m == nil {
			if name == "" || s.columns > maxJSONColumns {
				continue
			}
			if at.byName == nil {
				at.byName = map[string]*sight{}
			}
			m = &sight{}
			at.byName[name] = m
			at.names = append(at.names, name)
			s.columns++
		}
		switch v[0] {
		case '{':
			s.see(m, v)
		case 'n':
		default:
			m.value = true
		}
	}
}

// branch makes columns of what was seen, and appends their names to names. The
// object lies at path, which ends in a dot.
func (at *sight) branch(path string, names *[]string) *branch {
	b := &branch{byName: make(map[string]slot, len(at.names)), path: path, column: pipeline.None}
	for _, name := range at.names {
		m, s := at.byName[name], slot{column: pipeline.None}
		if m.value || len(m.names) == 0 {
			s.column = len(*names)
			*names = append(*names, path+name)
		}
		if len(m.names) > 0 {
			s.within = m.branch(path+name+".", names)
		}
		b.byName[name] = s
	}
	return b
}
