package list

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Catalog knows what a list can be asked for. Its errors have the nearest name on a
// last line that starts with "hint: ".
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

// Query is what a list is asked for: filters, an order, a search. Everything is checked
// against the Catalog when it is added, so the API accepts a Query that was built
// without an error. It is not safe for concurrent use while it is built.
type Query struct {
	path    string
	catalog Catalog // nil: anything goes
	values  url.Values
	isnull  [2]string // the literals of false and true
	filters []string
	order   []string
}

// NewQuery asks the list at path, which ends in a slash and is as c knows it, for
// all of its records in no order.
func NewQuery(path string, c Catalog) *Query {
	return &Query{path: path, catalog: c, values: url.Values{}, isnull: [2]string{"false", "true"}}
}

// SetIsNull sets how true and false are spelt in isnull filters that are added
// later.
func (q *Query) SetIsNull(trueLiteral, falseLiteral string) {
	q.isnull = [2]string{falseLiteral, trueLiteral}
}

// Filters returns the filters and parameters, in the order they were added, as
// field__operator=value. They may hold personal data: they are for the eyes and files
// of the person who asked for them, not for logs.
func (q *Query) Filters() []string { return slices.Clone(q.filters) }

// Order returns the fields of the order, those that descend with a minus sign.
func (q *Query) Order() []string { return slices.Clone(q.order) }

// SearchText returns the text searched for, or "".
func (q *Query) SearchText() string { return q.values.Get("_search") }

// QueryError says what a list cannot be asked for. It shows names, as they were typed,
// and never a value.
type QueryError struct {
	msg, hint string
}

// Error returns what is wrong.
func (e *QueryError) Error() string { return e.msg }

// Hint says what to write instead; it may be empty.
func (e *QueryError) Hint() string { return e.hint }

// catalogError makes a QueryError of an error of a Catalog.
func catalogError(what string, err error) error {
	msg, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	return &QueryError{msg: what + ": " + msg, hint: hint}
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
func (q *Query) Where(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return &QueryError{msg: "filter: has no = in it", hint: whereForm}
	}
	name, negated := strings.CutSuffix(strings.TrimSpace(name), "!")
	name = strings.TrimSpace(name)
	if name == "" {
		return &QueryError{msg: "filter: names no field", hint: whereForm}
	}
	field, operator, has := strings.Cut(name, "__")
	if has && operator == "" {
		return &QueryError{msg: "filter " + field + ": names no operator behind __", hint: whereForm}
	}
	if q.isParameter(field, operator) {
		return q.parameter(name, negated, value)
	}
	return q.Filter(field, operator, negated, value)
}

// isParameter reports whether name is a parameter rather than a filter. Some
// fields, such as tags, have no filter and a parameter of their name.
func (q *Query) isParameter(name, operator string) bool {
	if operator != "" && !strings.HasPrefix(name, "_") || q.catalog == nil {
		return false
	}
	return strings.HasPrefix(name, "_") || name == "" ||
		q.catalog.CheckFilter(name, "") != nil && q.catalog.CheckParameter(name) == nil
}

// parameter adds an array parameter.
func (q *Query) parameter(name string, negated bool, value string) error {
	what := "parameter " + name
	switch v := jsontext.Value(value); {
	case strings.HasPrefix(name, "_"):
		return &QueryError{msg: "filter: " + name + " is no field", hint: "order and search have options of their own"}
	case negated:
		return &QueryError{msg: what + ": cannot be negated"}
	case q.values.Has(name):
		return &QueryError{msg: what + ": appears twice, of which the API may see one only", hint: "put all of it into one array"}
	case v.Kind() != '[' || !v.IsValid():
		return &QueryError{msg: what + ": is no JSON array", hint: `it is like ` + name + `=[{"id":"…"}]`}
	}
	return q.add(what, name, value)
}

// Filter adds a filter: the value of field, compared by operator ("" is
// exactly), is value; negated: is not. For the operator in value is a list with
// commas, for isnull true or false.
func (q *Query) Filter(field, operator string, negated bool, value string) error {
	field = q.own(field)
	name := field
	if operator != "" {
		name += "__" + operator
	}
	what := "filter " + name
	if q.catalog != nil {
		if err := q.catalog.CheckFilter(field, operator); err != nil {
			return catalogError("filter", err)
		}
	}
	if operator == "isnull" {
		literal, ok := q.nullLiteral(value)
		if !ok {
			return &QueryError{msg: what + ": is neither true nor false", hint: "write " + name + "=true or " + name + "=false"}
		}
		value = literal
	}
	if value == "" {
		return &QueryError{msg: what + ": has no value", hint: field + "__isnull=true finds the records without one"}
	}
	if negated {
		name += "!"
	}
	return q.add(what, name, value)
}

// own returns the name by which the list knows a field: the column external_client.id
// belongs to the field external_client.
func (q *Query) own(field string) string {
	short, ok := strings.CutSuffix(field, ".id")
	if ok && (q.catalog == nil || q.catalog.CheckOrder(short) == nil || q.catalog.CheckFilter(short, "") == nil) {
		return short
	}
	return field
}

func (q *Query) nullLiteral(value string) (string, bool) {
	switch strings.ToLower(value) {
	case "true", "1":
		return q.isnull[1], true
	case "false", "0":
		return q.isnull[0], true
	}
	return "", false
}

// add adds a filter or parameter. The same name twice is an error: most servers would
// keep only the last.
func (q *Query) add(what, name, value string) error {
	switch {
	case !utf8.ValidString(value):
		return &QueryError{msg: what + ": is not UTF-8"}
	case q.values.Has(name):
		return &QueryError{msg: what + ": appears twice, of which the API may see one only", hint: twiceHint(name)}
	}
	if err := q.set(what, name, value); err != nil {
		return err
	}
	q.filters = append(q.filters, name+"="+value)
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
func (q *Query) set(what, name, value string) error {
	old, had := q.values[name]
	q.values[name] = []string{value}
	if size := len(q.path) + len("?") + len(q.values.Encode()); size > maxListURL {
		if delete(q.values, name); had {
			q.values[name] = old
		}
		return &QueryError{
			msg:  fmt.Sprintf("%s: makes a request of %d bytes, more than the %d that servers take", what, size, maxListURL),
			hint: "ask several times, for fewer values each",
		}
	}
	return nil
}

// OrderBy appends to the order: terms are fields, those that descend with a
// minus sign, each by itself or several with commas.
func (q *Query) OrderBy(terms ...string) error {
	if err := q.takes("order", "_order_by"); err != nil {
		return err
	}
	order := slices.Clone(q.order)
	for term := range strings.SplitSeq(strings.Join(terms, ","), ",") {
		field, descends := strings.CutPrefix(strings.TrimSpace(term), "-")
		if field == "" {
			return &QueryError{msg: "order: a field is empty", hint: "it is like created_at,-name"}
		}
		field = q.own(field)
		if q.catalog != nil {
			if err := q.catalog.CheckOrder(field); err != nil {
				return catalogError("order", err)
			}
		}
		if slices.Contains(order, field) || slices.Contains(order, "-"+field) {
			return &QueryError{msg: "order: field " + field + " appears twice"}
		}
		if descends {
			field = "-" + field
		}
		order = append(order, field)
	}
	if err := q.set("order", "_order_by", strings.Join(order, ",")); err != nil {
		return err
	}
	q.order = order
	return nil
}

// Search asks for the records in which the API finds text, in fields of its own
// choice. "" is no search.
func (q *Query) Search(text string) error {
	if text == "" {
		delete(q.values, "_search")
		return nil
	}
	if !utf8.ValidString(text) {
		return &QueryError{msg: "search: is not UTF-8"}
	}
	if err := q.takes("search", "_search"); err != nil {
		return err
	}
	return q.set("search", "_search", text)
}

// takes returns an error unless the list takes the parameter name.
func (q *Query) takes(what, name string) error {
	if q.catalog == nil {
		return nil
	}
	if err := q.catalog.CheckParameter(name); err != nil {
		return &QueryError{msg: what + ": the list of this resource has none"}
	}
	return nil
}
