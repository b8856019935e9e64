package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// rules holds a table's records to the rules of its descriptor.
type rules struct {
	resource *mappings.Resource
	schema   *pipeline.Schema
	columns  map[string]int // position of a field by the name of its column
	now      func() time.Time
	current  atomic.Pointer[dayRules]
}

// dayRules are the rules on one day: dates that lie in the future are wrong.
type dayRules struct {
	day string
	*mappings.Validator
}

func newRules(t *table, now func() time.Time) (*rules, error) {
	r := &rules{resource: t.resource, columns: map[string]int{}, now: now}
	var written []string
	for i, f := range t.fields {
		if !t.made(i) {
			r.columns[f.Column()] = i
			written = append(written, f.Column())
		}
	}
	var err error
	if r.schema, err = t.resource.Schema(written); err != nil {
		return nil, err
	}
	_, err = r.today()
	return r, err
}

// today returns the rules of the day it is.
func (r *rules) today() (*dayRules, error) {
	now := r.now()
	day := now.Format(time.DateOnly)
	if c := r.current.Load(); c != nil && c.day == day {
		return c, nil
	}
	v, err := mappings.NewValidator(r.resource, r.schema, mappings.ValidateOptions{Identity: identity.Rules{Today: now}})
	if err != nil {
		return nil, err
	}
	c := &dayRules{day, v}
	r.current.Store(c)
	return c, nil
}

// check notes what is wrong with the items, in fields that have no fault yet.
// Items that are no objects, or name no row of theirs, are wrong enough.
func (t *table) check(items []*record) error {
	v, err := t.rules.today()
	if err != nil {
		return err
	}
	var rec *record
	get := func(name string) ([]byte, bool) {
		text := rec.values[t.rules.columns[name]].text
		return text, text != nil
	}
	note := func(name string, code pipeline.Code) { t.note(rec, name, code) }
	for _, rec = range items {
		if !named(rec.faults, "id") && !named(rec.faults, nonField) {
			v.Record(get, note)
		}
	}
	return nil
}

// note adds a fault to a field that has none.
func (t *table) note(rec *record, name string, code pipeline.Code) {
	i := t.rules.columns[name]
	f := &t.fields[i]
	switch {
	case named(rec.faults, f.Name) || t.excused(rec, i, code):
	case code == "required" && rec.values[i].text != nil:
		rec.fault(f.Name, "This field may not be blank.")
	default:
		rec.fault(f.Name, message(f.Field, code))
	}
}

// excused reports whether a fault is one of what is stored already, and not of
// what an update gives: the server may have stored a value in a form that it
// would not take.
func (t *table) excused(rec *record, i int, code pipeline.Code) bool {
	if !rec.values[i].stored {
		return false
	}
	return !slices.ContainsFunc(others(t.fields[i].Field, code), func(name string) bool {
		j, ok := t.index[name]
		return ok && !rec.values[j].stored
	})
}

// others returns the fields that a rule compares a field with.
func others(f *mappings.Field, code pipeline.Code) []string {
	switch code {
	case "together":
		return f.Together
	case "any_of":
		return f.AnyOf
	case "excludes":
		return f.Excludes
	case "requires":
		return f.Requires
	}
	return nil
}

// messages words the codes of package mappings as the server does. A field's
// bound replaces # in it.
var messages = map[pipeline.Code]string{
	"required":    isRequired,
	"too_long":    "Ensure this field has no more than # characters.",
	"too_short":   "Ensure this field has at least # characters.",
	"too_small":   "Ensure this value is greater than or equal to #.",
	"too_large":   "Ensure this value is less than or equal to #.",
	"uuid":        notUUID,
	"email":       "Enter a valid email address.",
	"phone":       "Enter a valid phone number.",
	"pattern":     "This value does not match the required pattern.",
	"enum":        "Not a valid choice.",
	"check_digit": "Invalid luhn.",
	"luhn":        "Invalid luhn.",
	"gln13":       "Invalid gln13.",
	"together":    "This value must be set together with the following fields: #.",
	"any_of":      "This value, or at least one of the following fields, must be set: #.",
	"excludes":    "This value cannot be set when one of the following fields is set: #.",
	"requires":    "This value requires the following fields: #.",
}

// message words a code for a field, without its value.
func message(f *mappings.Field, code pipeline.Code) string {
	text, ok := messages[code]
	if !ok {
		return "Not a valid value (" + string(code) + ")."
	}
	return strings.Replace(text, "#", bound(f, code), 1)
}

// bound returns what the field's descriptor says for a code.
func bound(f *mappings.Field, code pipeline.Code) string {
	switch code {
	case "too_long":
		return strconv.Itoa(f.MaxLength)
	case "too_short":
		return strconv.Itoa(f.MinLength)
	case "too_small":
		return limit(f.Minimum)
	case "too_large":
		return limit(f.Maximum)
	}
	return strings.Join(others(f, code), ", ")
}

func limit(v *float64) string {
	if v == nil {
		return "its bound"
	}
	return fmt.Sprint(*v)
}
