package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// comparison is an operator in SQL. @ stands for the column, and each question mark for
// the operand.
type comparison struct {
	sql  string
	fold bool // the operand is folded, as the column is
}

const folded = foldName + "(@)"

var comparisons = map[string]comparison{
	"":            {sql: "@=?"},
	"contains":    {sql: "instr(@,?)>0"},
	"startswith":  {sql: "substr(@,1,length(?))=?"},
	"endswith":    {sql: "substr(@,length(@)-length(?)+1)=?"},
	"iexact":      {sql: folded + "=?", fold: true},
	"icontains":   {sql: "instr(" + folded + ",?)>0", fold: true},
	"istartswith": {sql: "substr(" + folded + ",1,length(?))=?", fold: true},
	"iendswith":   {sql: "substr(" + folded + ",length(" + folded + ")-length(?)+1)=?", fold: true},
	"gt":          {sql: "@>?"},
	"gte":         {sql: "@>=?"},
	"lt":          {sql: "@<?"},
	"lte":         {sql: "@<=?"},
}

// filter reads field=value, field__operator=value and either with an
// exclamation mark after the name, which turns it round: every row for which it
// does not hold, those without a value included.
func (q *query) filter(name, text string) {
	bare, negated := strings.CutSuffix(name, "!")
	fieldName, operator, with := strings.Cut(bare, "__")
	i, ok := q.table.index[fieldName]
	if !ok {
		q.fault(name, "Unknown query parameter.")
		return
	}
	f := &q.table.fields[i]
	if f.Filters == "" || with && !slices.Contains(f.Operators(), operator) {
		q.fault(name, "This field has no such filter.")
		return
	}
	fold, operator := q.lookup.filter(f, operator)
	c, message := f.condition(operator, text)
	if fold != nil {
		c = c.folded(f, fold)
	}
	switch {
	case message != "":
		q.fault(name, message)
	case negated:
		c.sql = "(" + c.sql + ") IS NOT TRUE"
		q.conditions = append(q.conditions, c)
	case fold != nil:
		q.conditions = append(q.conditions, c)
	default:
		q.conditions = append(q.conditions, q.table.served(i, operator, c)...)
	}
}

// bounds are the operators that limit an index on one side.
var bounds = map[string]side{"gt": lower, "gte": lower, "lt": upper, "lte": upper}

// served returns condition c on field i as an index of the field may serve it;
// if there is no index, as it is. For created_at, which lists are ordered by,
// being equal is two bounds.
func (t *table) served(i int, operator string, c condition) []condition {
	limit, limits := bounds[operator]
	bounded := func(operator string, b side) condition {
		return condition{sql: comparisons[operator].sql, args: c.args, field: i, bound: b}
	}
	switch {
	case !t.indexed(i):
	case limits:
		return []condition{bounded(operator, limit)}
	case operator == "" && i == t.created:
		return []condition{bounded("gte", lower), bounded("lte", upper)}
	case operator == "" || operator == "in":
		c.field = i
	}
	return []condition{c}
}

// condition writes one filter of the field, which no index serves.
func (f *field) condition(operator, text string) (c condition, message string) {
	c.field = -1
	switch operator {
	case "isnull":
		c.sql, message = f.isNull(text)
		return c, message
	case "in":
		c.args, message = f.list(text)
		c.sql = f.compare("@ IN (" + strings.TrimSuffix(strings.Repeat("?,", len(c.args)), ",") + ")")
		return c, message
	}
	operand, ok := f.operand(text)
	if !ok {
		return c, f.badOperand()
	}
	how := comparisons[operator]
	if s, isText := operand.(string); isText && how.fold {
		operand = fold(s)
	}
	c.sql = f.compare(how.sql)
	for range strings.Count(how.sql, "?") {
		c.args = append(c.args, operand)
	}
	return c, ""
}

// isNull asks for rows without a value, or with one. The unary plus keeps the
// planner from an index: half the table may have no value.
func (f *field) isNull(text string) (sql, message string) {
	null, err := strconv.ParseBool(text)
	switch {
	case err != nil:
		return "", "Must be true or false."
	case null:
		return "+" + f.column + " IS NULL", ""
	}
	return f.column + " IS NOT NULL", ""
}

// maxList bounds a list of alternatives, below what SQLite takes.
const maxList = 10_000

// list reads alternatives separated by commas; none at all hold for no row.
func (f *field) list(text string) (args []any, message string) {
	if text == "" {
		return nil, ""
	}
	for part := range strings.SplitSeq(text, ",") {
		operand, ok := f.operand(part)
		switch {
		case !ok:
			return nil, f.badOperand()
		case len(args) == maxList:
			return nil, "Too many values."
		}
		args = append(args, operand)
	}
	return args, ""
}

// compare puts the field in its place. For a list of references it is enough
// that one of them fits.
func (f *field) compare(sql string) string {
	if f.Type != "references" {
		return strings.ReplaceAll(sql, "@", f.column)
	}
	return "EXISTS (SELECT 1 FROM json_each(" + f.column + ") AS item WHERE " + strings.ReplaceAll(sql, "@", "item.value") + ")"
}

func (f *field) badOperand() string { return "Not a valid " + f.Type + " to compare with." }
