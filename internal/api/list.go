package api

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Catalog knows what a list can be asked for. Its errors name the nearest name
// on a last line that begins with "hint: ".
type Catalog interface {
	// CheckFilter returns an error unless field has a filter with operator; ""
	// is the exact one.
	CheckFilter(field, operator string) error
	// CheckOrder returns an error unless the list can be ordered by field.
	CheckOrder(field string) error
	// CheckParameter returns an error unless the list takes the parameter name,
	// which is no filter: _page, tags.
	CheckParameter(name string) error
}

// List is what a list is asked for: filters, an order, a search. Everything is
// held against the Catalog as it is added, so that a List that was built without
// an error is one the API takes. It is not for concurrent use while it is
// built.
type List struct {
	path    string
	catalog Catalog // nil: anything goes
	query   url.Values
	isnull  [2]string // the literals of false and true
	filters []string
	order   []string
}

// NewList returns the list at path, which ends in a slash, as c knows it, with
// all of its records in no order.
func NewList(path string, c Catalog) *List {
	return &List{path: path, catalog: c, query: url.Values{}, isnull: [2]string{"false", "true"}}
}

// SetIsNull sets how true and false are spelt in isnull filters that are added
// later.
func (l *List) SetIsNull(trueLiteral, falseLiteral string) {
	l.isnull = [2]string{falseLiteral, trueLiteral}
}

// Path returns the path of the list.
func (l *List) Path() string { return l.path }

// Filters returns the filters and parameters, in the order they were added, as
// field__operator=value. They may hold personal data: they are for the eyes and
// files of who asked for them, not for logs.
func (l *List) Filters() []string { return slices.Clone(l.filters) }

// Order returns the fields of the order, those that descend with a minus sign.
func (l *List) Order() []string { return slices.Clone(l.order) }

// SearchText returns the text searched for, or "".
func (l *List) SearchText() string { return l.query.Get("_search") }

// Clone returns a copy that shares nothing with l.
func (l *List) Clone() *List {
	c := *l
	c.query = maps.Clone(l.query) // the slices within are never changed
	c.filters, c.order = slices.Clone(l.filters), slices.Clone(l.order)
	return &c
}

// ListError says what a list cannot be asked for. It shows names, as they were
// typed, and never a value.
type ListError struct {
	msg, hint string
}

// Error returns what is wrong.
func (e *ListError) Error() string { return e.msg }

// Hint says what to write instead; it may be empty.
func (e *ListError) Hint() string { return e.hint }

// refuse makes a ListError of an error of a Catalog.
func refuse(what string, err error) error {
	msg, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	return &ListError{msg: what + ": " + msg, hint: hint}
}

const whereForm = "it is like name=Ek, name__icontains!=ek, custom_id__in=A1,A2 or title__isnull=true"

// Where adds the filter, or the array parameter, that text stands for:
//
//	name=Ek                  exactly this
//	name__icontains=ek       with an operator
//	name__icontains!=ek      all others
//	custom_id__in=A1,A2      one of these
//	title__isnull=true
//	tags=[{"id":"…"}]        a parameter that takes an array, as JSON
//
// White space around the name goes; the value is taken as it is. A reference
// can be named with .id and without.
func (l *List) Where(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return &ListError{msg: "filter: has no = in it", hint: whereForm}
	}
	name, negated := strings.CutSuffix(strings.TrimSpace(name), "!")
	name = strings.TrimSpace(name)
	if name == "" {
		return &ListError{msg: "filter: names no field", hint: whereForm}
	}
	field, operator, has := strings.Cut(name, "__")
	if has && operator == "" {
		return &ListError{msg: "filter " + field + ": names no operator behind __", hint: whereForm}
	}
	if l.isParameter(field, operator) {
		return l.parameter(name, negated, value)
	}
	return l.Filter(field, operator, negated, value)
}

// isParameter reports whether name is a parameter rather than a filter. Some
// fields, such as tags, have no filter and a parameter of their name.
func (l *List) isParameter(name, operator string) bool {
	if operator != "" && !strings.HasPrefix(name, "_") || l.catalog == nil {
		return false
	}
	return strings.HasPrefix(name, "_") || name == "" ||
		l.catalog.CheckFilter(name, "") != nil && l.catalog.CheckParameter(name) == nil
}

// parameter adds an array parameter.
func (l *List) parameter(name string, negated bool, value string) error {
	what := "parameter " + name
	switch v := jsontext.Value(value); {
	case strings.HasPrefix(name, "_"):
		return &ListError{msg: "filter: " + name + " is no field", hint: "order and search have options of their own"}
	case negated:
		return &ListError{msg: what + ": cannot be negated"}
	case l.query.Has(name):
		return &ListError{msg: what + ": stands twice, of which the API may see one only", hint: "put all of it into one array"}
	case v.Kind() != '[' || !v.IsValid():
		return &ListError{msg: what + ": is no JSON array", hint: `it is like ` + name + `=[{"id":"…"}]`}
	}
	return l.add(what, name, value)
}

// Filter adds a filter: the value of field, compared by operator ("" is
// exactly), is value; negated: is not. For the operator in value is a list with
// commas, for isnull true or false.
func (l *List) Filter(field, operator string, negated bool, value string) error {
	field = l.own(field)
	name := field
	if operator != "" {
		name += "__" + operator
	}
	what := "filter " + name
	if l.catalog != nil {
		if err := l.catalog.CheckFilter(field, operator); err != nil {
			return refuse("filter", err)
		}
	}
	if operator == "isnull" {
		literal, ok := l.nullLiteral(value)
		if !ok {
			return &ListError{msg: what + ": is neither true nor false", hint: "write " + name + "=true or " + name + "=false"}
		}
		value = literal
	}
	if value == "" {
		return &ListError{msg: what + ": has no value", hint: field + "__isnull=true finds the records without one"}
	}
	if negated {
		name += "!"
	}
	return l.add(what, name, value)
}

// own returns the name by which the list knows a field: the column
// external_client.id is the field external_client.
func (l *List) own(field string) string {
	short, ok := strings.CutSuffix(field, ".id")
	if ok && (l.catalog == nil || l.catalog.CheckOrder(short) == nil || l.catalog.CheckFilter(short, "") == nil) {
		return short
	}
	return field
}

func (l *List) nullLiteral(value string) (string, bool) {
	switch strings.ToLower(value) {
	case "true", "1":
		return l.isnull[1], true
	case "false", "0":
		return l.isnull[0], true
	}
	return "", false
}

// add adds a filter or parameter. What is asked for twice under one name is
// refused: most servers would keep the last and drop the others.
func (l *List) add(what, name, value string) error {
	switch {
	case !utf8.ValidString(value):
		return &ListError{msg: what + ": is not UTF-8"}
	case l.query.Has(name):
		return &ListError{msg: what + ": stands twice, of which the API may see one only", hint: twiceHint(name)}
	}
	if err := l.set(what, name, value); err != nil {
		return err
	}
	l.filters = append(l.filters, name+"="+value)
	return nil
}

// twiceHint says what to do about a parameter that is asked for twice. Only of
// values that are to be equal can there be several.
func twiceHint(name string) string {
	name = strings.TrimSuffix(name, "!")
	if field, operator, _ := strings.Cut(name, "__"); operator == "" || operator == "in" {
		return "several values go into one filter " + field + "__in"
	}
	return name + " is asked for already"
}

// maxListURL is how many bytes of path and query a list may come to. Common
// servers and proxies take no more than 8 KiB with what is added for paging.
const maxListURL = 8000

// set puts a parameter into the query, unless it becomes too long.
func (l *List) set(what, name, value string) error {
	old, had := l.query[name]
	l.query[name] = []string{value}
	if size := len(l.path) + len("?") + len(l.query.Encode()); size > maxListURL {
		if delete(l.query, name); had {
			l.query[name] = old
		}
		return &ListError{
			msg:  fmt.Sprintf("%s: makes a request of %d bytes, more than the %d that servers take", what, size, maxListURL),
			hint: "ask several times, for fewer values each",
		}
	}
	return nil
}

// OrderBy appends to the order: terms are fields, those that descend with a
// minus sign, each by itself or several with commas.
func (l *List) OrderBy(terms ...string) error {
	if err := l.takes("order", "_order_by"); err != nil {
		return err
	}
	order := slices.Clone(l.order)
	for term := range strings.SplitSeq(strings.Join(terms, ","), ",") {
		field, descends := strings.CutPrefix(strings.TrimSpace(term), "-")
		if field == "" {
			return &ListError{msg: "order: a field is empty", hint: "it is like created_at,-name"}
		}
		field = l.own(field)
		if l.catalog != nil {
			if err := l.catalog.CheckOrder(field); err != nil {
				return refuse("order", err)
			}
		}
		if slices.Contains(order, field) || slices.Contains(order, "-"+field) {
			return &ListError{msg: "order: field " + field + " stands twice"}
		}
		if descends {
			field = "-" + field
		}
		order = append(order, field)
	}
	if err := l.set("order", "_order_by", strings.Join(order, ",")); err != nil {
		return err
	}
	l.order = order
	return nil
}

// Search asks for the records in which the API finds text, in fields of its own
// choice. "" is no search.
func (l *List) Search(text string) error {
	if text == "" {
		delete(l.query, "_search")
		return nil
	}
	if !utf8.ValidString(text) {
		return &ListError{msg: "search: is not UTF-8"}
	}
	if err := l.takes("search", "_search"); err != nil {
		return err
	}
	return l.set("search", "_search", text)
}

// takes returns an error unless the list takes the parameter name.
func (l *List) takes(what, name string) error {
	if l.catalog == nil {
		return nil
	}
	if err := l.catalog.CheckParameter(name); err != nil {
		return &ListError{msg: what + ": the list of this resource has none"}
	}
	return nil
}
