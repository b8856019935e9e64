package sandbox_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"flytt/internal/sandbox"
)

// row is a row as the unpaged list answers it.
type row map[string]any

// text returns the value a filter looks at, "" and false if there is none.
func (r row) text(field string) (string, bool) {
	switch v := r[field].(type) {
	case string:
		return v, true
	case map[string]any:
		return v["id"].(string), true
	}
	return "", false
}

// swedishLower is lower case, written out for the letters the tests use.
var swedishLower = strings.NewReplacer(func() (pairs []string) {
	for c := 'A'; c <= 'Z'; c++ {
		pairs = append(pairs, string(c), string(c+'a'-'A'))
	}
	return append(pairs, "Å", "å", "Ä", "ä", "Ö", "ö", "É", "é", "Ü", "ü", "Ø", "ø")
}()...).Replace

// filter is a filter of a list, and what it means.
type filter struct {
	field, operator, operand string
	negated                  bool
}

// name returns the parameter's name.
func (f filter) name() string {
	name := f.field
	if f.operator != "" {
		name += "__" + f.operator
	}
	if f.negated {
		name += "!"
	}
	return name
}

// holds tells whether a row belongs to the answer. It shares no code with the
// sandbox.
func (f filter) holds(r row) bool {
	value, there := r.text(f.field)
	return f.plain(value, there) != f.negated
}

func (f filter) plain(value string, there bool) bool {
	if f.operator == "isnull" {
		return there == (f.operand == "false" || f.operand == "0")
	}
	if !there {
		return false
	}
	switch f.field {
	case "created_at":
		return f.compareTimes(value)
	case "id", "external_client", "organization":
		return slices.Contains(strings.Split(strings.ToLower(f.operand), ","), value)
	}
	return f.compareTexts(value)
}

func (f filter) compareTexts(value string) bool {
	operand := f.operand
	if f.operator != "isnull" && f.operator != "in" && strings.HasPrefix(f.operator, "i") {
		value, operand = swedishLower(value), swedishLower(operand)
	}
	switch strings.TrimPrefix(f.operator, "i") {
	case "", "exact":
		return value == operand
	case "contains":
		return strings.Contains(value, operand)
	case "startswith":
		return strings.HasPrefix(value, operand)
	case "endswith":
		return strings.HasSuffix(value, operand)
	}
	return operand != "" && slices.Contains(strings.Split(operand, ","), value) // in
}

func (f filter) compareTimes(value string) bool {
	at := instant(value)
	if f.operator == "in" {
		return slices.ContainsFunc(strings.Split(f.operand, ","), func(o string) bool { return o != "" && at.Equal(instant(o)) })
	}
	c := at.Compare(instant(f.operand))
	return map[string]bool{"": c == 0, "gt": c > 0, "gte": c >= 0, "lt": c < 0, "lte": c <= 0}[f.operator]
}

func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	panic("not a time: " + text)
}

// ordered returns rows by the terms, those that are equal in their order.
func ordered(rows []row, terms []string) []row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, term := range terms {
			field, down := strings.CutPrefix(term, "-")
			x, xThere := a.text(field)
			y, yThere := b.text(field)
			c := cmp.Compare(x, y)
			if xThere != yThere {
				c = map[bool]int{true: -1, false: 1}[xThere]
			}
			if down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

// ids returns the ids of the rows that all filters hold for.
func ids(rows []row, filters ...filter) []string {
	var ids []string
	for _, r := range rows {
		if !slices.ContainsFunc(filters, func(f filter) bool { return !f.holds(r) }) {
			ids = append(ids, r["id"].(string))
		}
	}
	return ids
}

// values of the text fields, by field: in several spellings, some null.
var spellings = map[string][]string{
	"":             {"Åsa Öberg", "ÅSA ÖBERG", "åsa öberg", "Bo Berg", "bo BERG", "100% _x", "Ärla,Eve", "Éva Ärlig", "x", "", ""},
	"name":         {"Åsa Öberg", "ÅSA ÖBERG", "åsa öberg", "Bo Berg", "bo BERG", "100% _x", "Ärla,Eve", "Éva Ärlig", "x"},
	"title":        {"Chef", "CHEF", "chef för ö", "Ägare", "ägare"},
	"email":        {"asa@example.com", "ASA@example.com", "bo@example.org", ""},
	"ssn":          {"198501022399", "19850102-2399", "200002292381", ""},
	"org_no":       {"5560160680", "556016-0680", "5560360793", ""},
	"phone_number": {"+46701740605", "46701740605", "0701740606", ""},
	"custom_id":    {"K-1", "k-1", "K-10", "Ö,1", "ö,1", ""},
}

// modelled returns a sandbox with n rows made for comparing and as many seeded
// ones, and the rows as its unpaged list answers them.
func modelled(t testing.TB, n int) (*sandbox.Sandbox, []row) {
	s := open(t, sandbox.Options{})
	seed(t, s, contacts, n, 5)
	random := rand.New(rand.NewPCG(3, 4))
	items := make([]string, n)
	for i := range items {
		items[i] = spelt(random)
	}
	wantStatus(t, do(s, "POST", base+"list/", bulk(items...)), 201)
	return s, listed(t, s)
}

// spelt draws an item.
func spelt(random *rand.Rand) string {
	members := []string{fmt.Sprintf(`"external_client":{"id":%q}`, clients[random.IntN(2)])}
	if random.IntN(3) == 0 {
		members = append(members, fmt.Sprintf(`"organization":{"id":%q}`, clients[random.IntN(2)]))
	}
	for _, field := range strings.Fields(textFields) {
		from := spellings[field]
		if from == nil {
			from = spellings[""]
		}
		if v := from[random.IntN(len(from))]; v != "" {
			members = append(members, fmt.Sprintf("%q:%q", field, v))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

var clients = []string{client, "00000000-0000-4000-8000-00000000000a"}

// listed reads the whole list.
func listed(t testing.TB, s *sandbox.Sandbox) []row {
	t.Helper()
	var rows []row
	for _, o := range do(s, "GET", base+"list/", "").array(t) {
		rows = append(rows, o)
	}
	return rows
}

// operands draws texts to compare a field with: values that are there, in whole
// and in part, and others.
func operands(random *rand.Rand, rows []row, field, operator string) []string {
	if operator == "isnull" {
		return []string{"true", "false", "1", "0"}
	}
	value := func() string {
		for {
			if v, there := rows[random.IntN(len(rows))].text(field); there {
				return v
			}
		}
	}
	var out []string
	switch field {
	case "created_at":
		t := instant(value())
		out = []string{value(), value(), t.Add(time.Microsecond).Format(time.RFC3339Nano),
			t.In(time.FixedZone("", 3600)).Format(time.RFC3339Nano), "2026-03-01", "2012-01-03"}
	case "id", "external_client", "organization":
		out = []string{value(), strings.ToUpper(value()), clients[0]}
	default:
		v := []rune(value())
		i := random.IntN(len(v))
		j := i + 1 + random.IntN(len(v)-i)
		out = []string{string(v), value(), string(v[i:j]), string(v[:j]), string(v[i:]), strings.ToUpper(string(v[:j])),
			strings.ToLower(string(v[i:])), "", "%", "_", "nobody", "öb", "ÖBERG"}
	}
	if operator == "in" {
		whole := strings.Join(out[:2], ",")
		return []string{"", out[0], whole, whole + "," + out[0]}
	}
	return out
}
