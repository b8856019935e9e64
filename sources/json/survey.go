package json

import (
	"bytes"
	"errors"
	"fmt"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
	"flytt/sources/textscan"
)

var (
	errNoObject  = errors.New("holds no object with a member")
	errPretty    = errors.New("an object that goes on over several lines")
	errManyNames = fmt.Errorf("its objects have more than %d members with different names", maxColumns)
	hintForm     = "one object on each line is read, or an array of objects"
	hintNames    = "write members whose names are data as an array of objects"
)

// memberSurvey is what the sample shows about a member.
type memberSurvey struct {
	names  []string // of its own members, if it is an object, in order of appearance
	byName map[string]*memberSurvey
	value  bool // it has had a value that is neither null nor an object
}

// survey collects the members of the objects in a sample. It keeps the first fault, in
// case no object is valid.
type survey struct {
	check   checker
	root    memberSurvey
	columns int // members seen: at least as many as there will be columns
	fault   error
	line    int64 // of the fault
}

// newLayout finds the columns of a text from its sample.
func newLayout(o *Options, array bool) (*Layout, []string, error) {
	var s survey
	if array {
		s.elements(o.Sample)
	} else {
		s.lines(o.Sample, o.Whole)
	}
	var names []string
	root := s.root.branch("", &names)
	switch {
	case s.columns > maxColumns:
		return nil, nil, fail(0, errManyNames, hintNames)
	case len(names) == 0 && s.fault != nil:
		return nil, nil, fail(s.line, s.fault, hintForm)
	case len(names) == 0:
		return nil, nil, fail(0, errNoObject, hintForm)
	}
	if name := firstDuplicate(names); name != "" {
		return nil, nil, fail(0, fmt.Errorf("two members would be the column %s: one has the dot in its name, one lies within an object", name),
			"rename one of them")
	}
	return &Layout{Columns: len(names), Root: root, Unknown: unknownMember}, names, nil
}

// firstDuplicate returns a name that appears twice, or nothing.
func firstDuplicate(names []string) string {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}

// lines surveys the lines of sample. The last one may be cut off, unless the sample is
// whole.
func (s *survey) lines(sample []byte, whole bool) {
	line := int64(0)
	for from, to := 0, 0; from < len(sample) && s.columns <= maxColumns; from = to + 1 {
		line++
		if n := bytes.IndexByte(sample[from:], '\n'); n >= 0 {
			to = from + n
		} else if to = len(sample); !whole {
			if s.fault == nil {
				s.fault, s.line = textscan.ErrLongRecord, line
			}
			return
		}
		text := sample[:to]
		start := SkipSpace(text, from)
		if start == to {
			continue
		}
		if f, ok := s.check.row(text, start); ok {
			s.observe(&s.root, text[start:])
		} else if s.fault == nil {
			s.fault, s.line = errors.New(f.describe(text, start)), line
			if s.spansLines(sample, start, to) {
				s.fault = errPretty
			}
		}
	}
}

// spansLines reports whether the object that starts at from ends after to, the end of
// its line.
func (s *survey) spansLines(sample []byte, from, to int) bool {
	return sample[from] == '{' && s.check.value(sample, from) > to
}

// elements surveys the elements of the array that sample starts with.
func (s *survey) elements(sample []byte) {
	for i := SkipSpace(sample, 0) + 1; s.columns <= maxColumns; {
		if i = elementStart(sample, i); i == len(sample) || sample[i] == ']' {
			return
		}
		end, fault := elementEnd(sample, i)
		if fault.err != nil || end < 0 {
			return // the cutter says what is wrong
		}
		text := sample[:end]
		if f, ok := s.check.row(text, i); ok {
			s.observe(&s.root, text[i:end])
		} else if s.fault == nil {
			s.fault, s.line = errors.New(f.describe(text, i)), 1+textscan.LineEnds(text[:i], '\n')
		}
		i = end
	}
}

// observe adds the members of an object to at.
func (s *survey) observe(at *memberSurvey, object []byte) {
	for raw, v := range jsonscan.Members(object) {
		name := string(jsonscan.Unquote(raw))
		m := at.byName[name]
		if m == nil {
			if name == "" || s.columns > maxColumns {
				continue
			}
			if at.byName == nil {
				at.byName = map[string]*memberSurvey{}
			}
			m = &memberSurvey{}
			at.byName[name] = m
			at.names = append(at.names, name)
			s.columns++
		}
		switch v[0] {
		case '{':
			s.observe(m, v)
		case 'n':
		default:
			m.value = true
		}
	}
}

// branch makes columns from the survey, and appends their names to names. The object is
// at path, which ends in a dot.
func (at *memberSurvey) branch(path string, names *[]string) *Branch {
	b := &Branch{ByName: make(map[string]Slot, len(at.names)), path: path, Column: pipeline.None}
	for _, name := range at.names {
		m, s := at.byName[name], Slot{Column: pipeline.None}
		if m.value || len(m.names) == 0 {
			s.Column = len(*names)
			*names = append(*names, path+name)
		}
		if len(m.names) > 0 {
			s.Nested = m.branch(path+name+".", names)
		}
		b.ByName[name] = s
	}
	return b
}
