package sandbox

import (
	"slices"
	"strings"
)

// comparison is an operator in SQL, the column in place of @ and the operand,
// as often as it is needed, in place of each question mark.
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
	condition, args, message := f.condition(operator, text)
	if message != "" {
		q.fault(name, message)
		return
	}
	if negated {
		condition = "(" + condition + ") IS NOT TRUE"
	}
	q.conditions = append(q.conditions, "("+condition+")")
	q.args = append(q.args, args...)
}

// condition writes one filter of the field.
func (f *field) condition(operator, text string) (sql string, args []any, message string) {
	switch operator {
	case "isnull":
		return f.isNull(text)
	case "in":
		return f.in(text)
	}
	operand, ok := f.operand(text)
	if !ok {
		return "", nil, f.badOperand()
	}
	c := comparisons[operator]
	if s, isText := operand.(string); isText && c.fold {
		operand = fold(s)
	}
	for range strings.Count(c.sql, "?") {
		args = append(args, operand)
	}
	return f.compare(c.sql), args, ""
}

func (f *field) isNull(text string) (sql string, args []any, message string) {
	null, err := parseBool(text)
	switch {
	case err != nil:
		return "", nil, "Must be true or false."
	case null:
		return f.column + " IS NULL", nil, ""
	}
	return f.column + " IS NOT NULL", nil, ""
}

// maxList bounds a list of alternatives, below what SQLite takes.
const maxList = 10_000

// in reads alternatives separated by commas; none at all hold for no row.
func (f *field) in(text string) (sql string, args []any, message string) {
	if text != "" {
		for part := range strings.SplitSeq(text, ",") {
			operand, ok := f.operand(part)
			if !ok {
				return "", nil, f.badOperand()
			}
			args = append(args, operand)
		}
	}
	if len(args) > maxList {
		return "", nil, "Too many values."
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(args)), ",")
	return f.compare("@ IN (" + marks + ")"), args, ""
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
