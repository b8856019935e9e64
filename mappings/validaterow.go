package mappings

import (
	"fmt"
	"slices"
	"strings"

	"flytt/pipeline"
)

// rowCheck is one rule between fields. It is reported at the field that states it: for
// excludes and requires the field that names the other, for together the one with a
// value, for any_of the first that is mapped.
type rowCheck struct {
	at     int   // index in the schema of the field it is reported at, or pipeline.None
	others []int // indices of the other fields that are mapped
	broken func(s *validation, row int, c *rowCheck) bool
	code   pipeline.Code
	shape  string // which other fields
	whole  bool   // it applies only to rows that create records
}

// run applies c to every row.
func (c *rowCheck) run(s *validation) {
	for row := range s.batch.Len() {
		if c.broken(s, row, c) && !(c.whole && s.changes(row)) {
			s.note(row, c.at, c.code, c.shape)
		}
	}
}

// given reports whether a field has a value, or had one that an earlier step rejected.
func (s *validation) given(row, field int) bool {
	return !s.batch.Fields[field].Null(row) || s.hasFailed(row, field)
}

func (s *validation) anyGiven(row int, fields []int) bool {
	for _, f := range fields {
		if s.given(row, f) {
			return true
		}
	}
	return false
}

func hasValue(s *validation, row int, c *rowCheck) bool { return s.given(row, c.at) }

// lacksOther reports whether the field has a value and the other does not.
func lacksOther(s *validation, row int, c *rowCheck) bool {
	return s.given(row, c.at) && !s.anyGiven(row, c.others)
}

// hasOther reports whether both fields have a value.
func hasOther(s *validation, row int, c *rowCheck) bool {
	return s.given(row, c.at) && s.anyGiven(row, c.others)
}

// lacksAll reports whether none of the fields has a value; all of them are among the
// others.
func lacksAll(s *validation, row int, c *rowCheck) bool {
	return !s.anyGiven(row, c.others)
}

// rowRules collects the rules between fields, each once, however many fields state it.
type rowRules struct {
	resource *Resource
	schema   *pipeline.Schema
	byID     bool // rows with an id change records
	checks   []rowCheck
	seen     map[string]bool
}

// rowChecks returns the rules between the fields of r, for batches of schema s that v
// validates. In a row that changes a record, a field without a value may have one in
// the API, so only violations of excludes can be detected.
func rowChecks(r *Resource, s *pipeline.Schema, v *Validator) ([]rowCheck, error) {
	rules := &rowRules{resource: r, schema: s, byID: v.id >= 0, seen: map[string]bool{}}
	for i := range r.Fields {
		f := &r.Fields[i]
		for _, other := range f.Excludes {
			rules.excludes(f, r.Field(other))
		}
		if v.partial {
			continue
		}
		for _, other := range f.Together {
			rules.needs(codeTogether, f, r.Field(other))
			rules.needs(codeTogether, r.Field(other), f)
		}
		for _, other := range f.Requires {
			rules.needs(codeRequires, f, r.Field(other))
		}
		if err := rules.anyOf(f); err != nil {
			return nil, err
		}
	}
	return rules.checks, nil
}

// first reports whether a rule is seen for the first time.
func (r *rowRules) first(parts ...string) bool {
	id := strings.Join(parts, " ")
	again := r.seen[id]
	r.seen[id] = true
	return !again
}

func (r *rowRules) index(f *Field) int { return r.schema.Index(f.Column()) }

func (r *rowRules) excludes(f, other *Field) {
	at, with := r.index(f), r.index(other)
	pair := []string{f.Name, other.Name}
	slices.Sort(pair)
	if at < 0 || with < 0 || !r.first("excludes", pair[0], pair[1]) {
		return
	}
	r.checks = append(r.checks, rowCheck{at: at, others: []int{with}, broken: hasOther, code: codeExcludes, shape: "along with " + other.Column()})
}

// needs adds the rule that f must not have a value without other. If other is required
// anyway, its absence is reported as that.
func (r *rowRules) needs(code pipeline.Code, f, other *Field) {
	at, with := r.index(f), r.index(other)
	if at < 0 || other.Required || !r.first("needs", f.Name, other.Name) {
		return
	}
	var others []int
	if with >= 0 {
		others = []int{with}
	}
	r.checks = append(r.checks, rowCheck{at: at, others: others, broken: lacksOther, code: code, shape: "without " + other.Column(), whole: true})
}

func (r *rowRules) anyOf(f *Field) error {
	if len(f.AnyOf) == 0 {
		return nil
	}
	names := append([]string{f.Name}, f.AnyOf...)
	slices.Sort(names)
	if !r.first(append([]string{"any_of"}, names...)...) {
		return nil
	}
	var mapped []int
	var columns []string
	for i := range r.resource.Fields {
		member := &r.resource.Fields[i]
		if !slices.Contains(names, member.Name) {
			continue
		}
		if member.Required {
			return nil // its absence is reported as that
		}
		columns = append(columns, member.Column())
		if at := r.index(member); at >= 0 {
			mapped = append(mapped, at)
		}
	}
	list := strings.Join(columns, ", ")
	at := pipeline.None
	switch {
	case len(mapped) > 0:
		at = mapped[0]
	case !r.byID:
		return fmt.Errorf("one of %s is required and none is mapped", list)
	}
	r.checks = append(r.checks, rowCheck{at: at, others: mapped, broken: lacksAll, code: codeAnyOf, shape: "one of " + list, whole: true})
	return nil
}
