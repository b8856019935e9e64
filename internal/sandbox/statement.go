package sandbox

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// rowNumber is the column that numbers rows as they are made.
const rowNumber = "_row"

// condition is one filter in SQL.
type condition struct {
	sql   string // for a bound with the column in place of each @
	args  []any
	field int  // its field if an index may serve the condition, else -1
	bound side // what it says of that field
}

// side is a kind of condition that an index serves.
type side uint8

const (
	values side = iota // the field is one of some values, or nothing an index knows
	lower              // it is not below one
	upper              // it is not above one
)

// term is one field to order by.
type term struct {
	field int
	down  bool
}

// ordering returns the terms as SQL, without those that cannot matter: after
// the id, which no two rows share, nothing is equal. The last resort is the
// order in which rows were made.
func (q *query) ordering() []string {
	var terms []string
	for _, o := range q.order {
		f := &q.table.fields[o.field]
		never := o.field == q.table.id || o.field == q.table.created // null: an index may serve the plain form
		switch {
		case never && o.down:
			terms = append(terms, f.column+" DESC")
		case never:
			terms = append(terms, f.column)
		case o.down:
			terms = append(terms, f.column+" DESC NULLS FIRST")
		default:
			terms = append(terms, f.column+" ASC NULLS LAST")
		}
		if o.field == q.table.id {
			return terms
		}
	}
	return append(terms, rowNumber)
}

// seek is how to continue after a row without reading the rows before it: by an index
// in the order of the list.
type seek struct {
	columns []string // by which the list is ordered, all in one direction
	down    bool
}

// seek returns how to continue after a row of the list; nil if no index has the
// requested order, or if conditions make another index better.
func (q *query) seek() *seek {
	s, lead := q.table.seek(q.order)
	if s == nil {
		return nil
	}
	for _, c := range q.conditions {
		if c.field >= 0 && (c.field != lead || c.bound == values) {
			return nil
		}
	}
	return s
}

// seek returns the order if there is an index in it, and its first field.
func (t *table) seek(order []term) (s *seek, lead int) {
	if i := slices.IndexFunc(order, func(o term) bool { return o.field == t.id }); i >= 0 {
		order = order[:i+1] // nothing is equal in the id
	}
	fields := make([]int, len(order))
	down := len(order) > 0 && order[0].down
	for i, o := range order {
		if o.down != down {
			return nil, -1
		}
		fields[i] = o.field
	}
	byCreated := t.created >= 0 && len(fields) > 0 && fields[0] == t.created
	switch {
	case len(fields) == 0:
		return &seek{columns: []string{rowNumber}}, -1
	case fields[0] == t.id:
		return &seek{columns: []string{"id"}, down: down}, t.id
	case byCreated && len(fields) == 1 && !down:
		return &seek{columns: []string{"created_at", rowNumber}}, t.created
	case byCreated && len(fields) > 1 && fields[1] == t.id:
		return &seek{columns: []string{"created_at", "id"}, down: down}, t.created
	}
	return nil, -1
}

// after returns the condition for the rows after one, whose columns are parameters.
func (s *seek) after() string {
	marks := strings.TrimSuffix(strings.Repeat("?,", len(s.columns)), ",")
	comparison := ">"
	if s.down {
		comparison = "<"
	}
	return "(" + strings.Join(s.columns, ",") + ")" + comparison + "(" + marks + ")"
}

// implied reports whether every row after one that meets c also meets it.
func (s *seek) implied(c condition) bool {
	return c.bound == lower && !s.down || c.bound == upper && s.down
}

// from writes the part that all queries share. The unary plus keeps the planner
// from preferring the tenant to an index or to the order of the rows.
func (q *query) from(tenant int64) (string, []any) { return q.fromAfter(tenant, nil, nil) }

// fromAfter is from for the rows after one, if key names that row by the columns of s.
// Conditions that this implies are hidden from the planner by a unary plus, so that it
// enters the index at the key.
func (q *query) fromAfter(tenant int64, s *seek, key []any) (string, []any) {
	text := strings.Builder{}
	text.WriteString(" FROM " + q.table.sql.name + " WHERE +_tenant=?")
	args := []any{tenant}
	for _, c := range q.conditions {
		sql := c.sql
		if c.bound != values {
			column := q.table.fields[c.field].column
			if key != nil && s.implied(c) {
				column = "+" + column
			}
			sql = strings.ReplaceAll(sql, "@", column)
		}
		text.WriteString(" AND (" + sql + ")")
		args = append(args, c.args...)
	}
	if key != nil {
		text.WriteString(" AND " + s.after())
		args = append(args, key...)
	}
	return text.String(), args
}

// column is what is read of a row.
func (q *query) column() string {
	if q.slim {
		return "id"
	}
	return "_doc"
}

// orderedBy writes the end of a query for rows.
func (q *query) orderedBy() string { return " ORDER BY " + strings.Join(q.ordering(), ",") }

// whole writes the query for all rows.
func (q *query) whole(tenant int64) (string, []any) {
	from, args := q.from(tenant)
	return "SELECT " + q.column() + from + q.orderedBy(), args
}

// part writes the query for count rows and their numbers, after skipping some.
func (q *query) part(tenant int64, s *seek, key []any, skip, count int64) (string, []any) {
	from, args := q.fromAfter(tenant, s, key)
	text := "SELECT " + q.column() + "," + rowNumber + from + q.orderedBy() + " LIMIT ? OFFSET ?"
	return text, append(args, count, skip)
}

// numbers writes the query for the numbers of all rows.
func (q *query) numbers(tenant int64) (string, []any) {
	from, args := q.from(tenant)
	return "SELECT " + rowNumber + from + q.orderedBy(), args
}

// count writes the query for how many rows there are.
func (q *query) count(tenant int64) (string, []any) {
	from, args := q.from(tenant)
	return "SELECT count(*)" + from, args
}

// listKey identifies a list: the same rows in the same order. It does not contain the
// values of the filters.
type listKey [sha256.Size]byte

// key returns the key of the list that q is a page of.
func (q *query) key(tenant int64) listKey {
	text, args := q.numbers(tenant)
	h := sha256.New()
	fmt.Fprintf(h, "%q", text)
	for _, a := range args {
		fmt.Fprintf(h, "%T%q", a, fmt.Sprint(a))
	}
	return listKey(h.Sum(nil))
}

// appendOnly reports whether new rows come at the end of the list, so that
// they move no page.
func (s *seek) appendOnly() bool { return slices.Equal(s.columns, []string{rowNumber}) && !s.down }
