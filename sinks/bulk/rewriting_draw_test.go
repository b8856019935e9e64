package bulk

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"flytt/pipeline/pipelinetest"
)

// drawMode draws what a row does.
func (c *campaign) drawMode() {
	c.o = ImportOptions{Target: Target{Path: bulkPath, Key: "custom_id", Shared: func(row int64) bool { return c.shared[c.rows[row][1]] }}, Comparison: Comparison{Texts: []string{"first_name", "title"}}, Settle: 30 * time.Second, Undoable: true}
	c.o.Mode = pick(c, CreateOnly, CreateOnly, CreateOnly, Upsert)
	c.o.SkipExisting = c.o.Mode == CreateOnly && c.chance(15)
	c.relatedToo = c.o.Mode == CreateOnly && !c.o.SkipExisting && c.chance(60)
}

// drawServer draws what the server does.
func (c *campaign) drawServer() {
	g := &rewriter{
		random: rand.New(rand.NewPCG(c.seed, 31)), pass: func(string) {}, forms: map[string]string{},
		made: map[string]int{}, bad: map[string]bool{},
		shape:    pick(c, slices.Sorted(maps.Keys(answerShapes))...),
		shuffled: c.chance(50), partial: c.chance(50), prefix: c.chance(30), names: pick(c, "", "aligned", "index", "key"), unique: c.chance(15),
		dated: c.chance(85), stamped: c.chance(85), skew: pick(c, 0, 0, time.Hour, -time.Hour),
	}
	names := slices.Sorted(maps.Keys(storedForms))
	for _, field := range []string{"custom_id", "name", "email", "title"} {
		if c.chance(map[bool]int{true: 75, false: 35}[field == "custom_id"]) {
			g.forms[field] = pick(c, names...)
		}
	}
	if c.chance(25) {
		g.fills = []string{"title", "first_name"}
	}
	if c.chance(20) {
		g.fold = pick(c, strings.ToLower, func(s string) string { return strings.Join(strings.Fields(s), " ") })
	}
	if c.chance(20) && c.o.Mode == CreateOnly && !c.o.SkipExisting { // others stop where the list is behind
		g.lag = time.Duration(c.random.IntN(12)) * time.Second
	}
	some := func(most int) int { return c.random.IntN(most) * c.random.IntN(2) }
	g.trouble = trouble{before: some(10), after: some(25), late: some(10), fails: some(8), cut: some(8), busy: some(8), short: some(8), silent: some(6), unread: some(12)}
	c.api = g
}

// registerKeys are forms of the keys of registers.
var registerKeys = []string{
	"K-%d", "K-%03d", "%04d", "%d", "AB %d", "AB  %d", "ab %d", "Ab-%d", "R&D %d", "Å%d", "A\u030a%d", "\u212b%d", "\uff2b%d", "%d, %d", "'%d'", "FÖRTECKNING %d", "k-%d",
}

// drawRows draws a register: keys of one form, or of several, and values that tell the
// rows apart or do not. In a few of them a row appears twice, or with one key.
func (c *campaign) drawRows() {
	forms := []string{pick(c, registerKeys...)}
	for c.chance(60) {
		forms = append(forms, pick(c, registerKeys...))
	}
	named, addressed := c.chance(60), c.relatedToo || c.chance(60)
	numbers := c.random.Perm(300)
	for i := range 1 + c.random.IntN(18) {
		c.drawRow(i, numbers, pick(c, forms...), named, addressed)
	}
	if c.chance(10) {
		twin := slices.Clone(c.rows[0])
		if c.chance(50) {
			twin[3] = "twin@example.se"
		}
		c.rows = append(c.rows, twin)
	}
	c.countRows()
}

// drawRow draws row i, unless it has the key of another, or one that the server takes for
// it where that is not wanted. Named and addressed say if its name and its address are
// its own.
func (c *campaign) drawRow(i int, numbers []int, form string, named, addressed bool) {
	n := 1 + numbers[i]
	alike := c.relatedToo && c.chance(40) // to the key of a row before
	if alike {
		n = 1 + numbers[c.random.IntN(i+1)]
	}
	key := fmt.Sprintf(form, []any{n, n}[:strings.Count(form, "%")]...)
	row := []string{pick(c, "Åsa  Öberg", "R&D bo", "ANNA"), key, clientID, "Asa@Example.se", pipelinetest.Null}
	if !c.relatedToo && c.related(key) || slices.ContainsFunc(c.rows, func(r []string) bool { return r[1] == key }) {
		return
	}
	if named || !addressed && c.chance(50) {
		row[0] += fmt.Sprintf(" %d", n)
	}
	if addressed {
		row[3] = fmt.Sprintf("Asa.%d@Example.se", n)
	}
	if alike {
		c.drawAlike(i, row)
	}
	c.rows = append(c.rows, row)
}

// drawAlike draws what row i, whose key is like that of a row before, holds beside it: an
// address of its own, or what the other row holds.
func (c *campaign) drawAlike(i int, row []string) {
	other := slices.IndexFunc(c.rows, func(r []string) bool { return r[3] == row[3] })
	if other < 0 || c.chance(50) {
		row[3] = fmt.Sprintf("other.%d@example.se", i)
		return
	}
	if c.chance(70) {
		row[0] = c.rows[other][0]
	}
}

// countRows counts the rows that are alike, and draws which ones the server refuses.
func (c *campaign) countRows() {
	times := map[string]int{}
	for _, row := range c.rows {
		times[row[1]]++
	}
	for _, row := range c.rows {
		sent := c.sentOf(row)
		c.shared[row[1]] = times[row[1]] > 1
		if c.chance(8) && !c.shared[row[1]] && !c.relatedToo {
			c.api.bad[sent] = true
		}
	}
}

// related reports whether the server makes one key of key and that of another row, or
// makes one of the other: look-ups cannot tell those apart.
func (c *campaign) related(key string) bool {
	fold := c.api.fold
	if fold == nil {
		fold = func(key string) string { return key }
	}
	unkeyed := c.api.forms["custom_id"] == "constant" || c.api.forms["custom_id"] == "null" // no key is that of a row
	stored := func(key string) string { return fold(fmt.Sprint(c.api.stored("custom_id", key))) }
	for _, row := range c.rows {
		if other := row[1]; stored(other) == fold(key) || stored(key) == fold(other) || stored(key) == stored(other) && !unkeyed {
			return true
		}
	}
	return false
}

// sentOf returns what is sent of row.
func (c *campaign) sentOf(row []string) string { return canonical(c.item(row)) }

// kindOf returns the kind of row.
func (c *campaign) kindOf(row []string) string { return c.api.kind(c.item(row)) }

func (c *campaign) item(row []string) map[string]any {
	item := map[string]any{}
	for i, name := range c.fields {
		switch {
		case row[i] == pipelinetest.Null:
		case name == "external_client.id":
			item["external_client"] = map[string]any{"id": row[i]}
		default:
			item[name] = row[i]
		}
	}
	return item
}

// drawOlder draws records that are there before the run: of other rows, and of keys of
// rows, as the server would store them or as somebody else did before it had its rules.
func (c *campaign) drawOlder() {
	g := c.api
	for i := range c.random.IntN(4) {
		g.keep("", map[string]any{"name": fmt.Sprintf("Before %d", i), "custom_id": fmt.Sprintf("OLD-%d", i), "external_client": map[string]any{"id": clientID}})
	}
	for _, row := range c.rows {
		if !c.chance(6) {
			continue
		}
		item := c.item(row)
		if c.chance(70) {
			item["name"] = "Somebody else"
		}
		data := g.keep("", item)
		c.older[row[1]] = true
		if c.tellsAges() && c.chance(30) { // if it does not, the record is taken for one that the server made of a row
			data["custom_id"] = row[1]
		}
	}
	time.Sleep(time.Hour) // they are older
}

// drawOptions draws what the sink is told of the server, which is true.
func (c *campaign) drawOptions() {
	g := c.api
	c.o.KeyLookup = c.o.Mode == Upsert || c.o.SkipExisting || c.chance(90)
	if g.stamped {
		c.o.Created = "created_at"
	}
	if c.chance(40) && !answerShapes[g.shape].each { // which is neither the one nor the other
		c.o.Atomicity = AllOrNothing
		if g.partial && g.shape != "success false" {
			c.o.Atomicity = map[bool]Atomicity{true: UnknownAtomicity, false: PartialWrites}[g.prefix]
		}
	}
}
