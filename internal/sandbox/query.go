package sandbox

import (
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// query is what a list was asked for.
type query struct {
	table      *table
	conditions []condition // all of which a row meets
	order      []term
	page, size int64 // 0: not paged
	slim       bool
	statistics bool
	jsonl      bool
	lookup     Lookup
	faults     []fault
}

// parameters lists the parameters that are not filters.
var parameters = map[string]func(q *query, name, text string){
	"_page":              func(q *query, name, text string) { q.page = q.count32(name, text) },
	"_page_size":         func(q *query, name, text string) { q.size = q.count32(name, text) },
	"_order_by":          (*query).orderBy,
	"_search":            (*query).search,
	"_slim":              func(q *query, name, text string) { q.slim = q.flag(name, text) },
	"_statistics":        func(q *query, name, text string) { q.statistics = q.flag(name, text) },
	"_jsonl":             func(q *query, name, text string) { q.jsonl = q.flag(name, text) },
	"customer_columns":   (*query).objects,
	"global_realestates": (*query).objects,
	"global_segments":    (*query).objects,
	"tags":               (*query).objects,
}

// query reads the parameters of a list. A parameter given twice holds twice.
func (t *table) query(raw string, o *Options) (*query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, failf(http.StatusBadRequest, "The query string cannot be decoded.")
	}
	q := &query{table: t, lookup: o.Lookup}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		read, ok := parameters[name]
		if !ok || !slices.Contains(t.resource.Parameters, name) {
			read = (*query).filter
		}
		for _, text := range values[name] {
			read(q, name, text)
		}
	}
	q.paged(values)
	if q.faults != nil {
		return nil, invalid(q.faults)
	}
	if o.MaxPageSize > 0 {
		q.size = min(q.size, int64(o.MaxPageSize))
	}
	return q, nil
}

func (q *query) fault(name, message string) { q.faults = append(q.faults, fault{name, message}) }

// paged requires page and page size to come together.
func (q *query) paged(values url.Values) {
	switch {
	case values.Has("_page") && !values.Has("_page_size"):
		q.fault("_page", "This value must be set together with the following fields: _page_size.")
	case values.Has("_page_size") && !values.Has("_page"):
		q.fault("_page_size", "This value must be set together with the following fields: _page.")
	}
}

// count32 reads an int32 of at least 1.
func (q *query) count32(name, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		q.fault(name, "A whole number from 1 to "+strconv.Itoa(math.MaxInt32)+" is required.")
		return 0
	}
	return n
}

func (q *query) flag(name, text string) bool {
	b, err := strconv.ParseBool(text)
	if err != nil {
		q.fault(name, "Must be true or false.")
	}
	return b
}

// orderBy reads field names, separated by commas, a minus before those to go
// downwards. Rows without a value are last, downwards first.
func (q *query) orderBy(name, text string) {
	for part := range strings.SplitSeq(text, ",") {
		field, down := strings.CutPrefix(strings.TrimSpace(part), "-")
		i, ok := q.table.index[field]
		if !ok || q.table.fields[i].unordered {
			q.fault(name, "Cannot order by "+field+".")
			continue
		}
		q.order = append(q.order, term{i, down})
	}
}

// search wants every word in one of the fields the resource names for it, in
// any case.
func (q *query) search(_, text string) {
	var columns []string
	for _, name := range q.table.resource.Search {
		if i, ok := q.table.index[name]; ok {
			columns = append(columns, q.table.fields[i].column)
		}
	}
	for word := range strings.FieldsSeq(text) {
		either, args := []string{"FALSE"}, []any(nil)
		for _, c := range columns {
			either = append(either, "instr("+foldName+"("+c+"),?)>0")
			args = append(args, fold(word))
		}
		q.conditions = append(q.conditions, condition{sql: strings.Join(either, " OR "), args: args, field: -1})
	}
}

// objects reads an array of objects, of which a row has to have all. The
// reference does not say how it is encoded; it is taken as JSON. No row of the
// sandbox has any, so an array that is not empty leaves no row.
func (q *query) objects(name, text string) {
	v := jsontext.Value(text)
	if !v.IsValid() || v.Kind() != '[' {
		q.fault(name, "Expected a JSON array of objects.")
		return
	}
	if err := v.Compact(); err != nil || len(v) > len("[]") {
		q.conditions = append(q.conditions, condition{sql: "FALSE", field: -1})
	}
}
