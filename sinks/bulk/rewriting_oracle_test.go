package bulk

import (
	"slices"

	"flytt/pipeline"
)

// The oracle of the property test: it holds what the server did against what is said of
// the rows.

// check holds what the server did against what is said of the rows.
func (c *campaign) check() {
	c.api.mu.Lock()
	defer c.api.mu.Unlock()
	if kind := c.madeTooOften(); kind != "" {
		c.fail("made too often: %s", kind)
		return
	}
	fates, codes := c.standing()
	known := map[string]map[pipeline.Fate]int{}
	for row, values := range c.rows {
		kind, fate := c.kindOf(values), fates[row]
		if known[kind] == nil {
			known[kind] = map[pipeline.Fate]int{}
		}
		if !c.tellsAges() && (fate == pipeline.Rejected && keyTaken(codes[row]) || fate == pipeline.Written && c.older[values[1]]) {
			fate = pipeline.InDoubt // the record that has its key may be its own, or may not
		}
		known[kind][fate]++
	}
	if slices.ContainsFunc(c.legs, func(l *leg) bool { return !l.through }) {
		return
	}
	for kind, fates := range known {
		least := fates[pipeline.Written]
		// A record that the row made itself may be found, and left, as it is, or be changed.
		most := least + fates[pipeline.InDoubt] + fates[pipeline.Updated] + fates[pipeline.Unchanged] + fates[pipeline.Existing]
		if n := c.api.made[kind]; n < least || n > most {
			c.fail("%v, and made %d times: %s", fates, n, kind)
			return
		}
	}
	c.checkIDs()
}

// madeTooOften returns a kind of which there are more records than rows; "": there is none.
func (c *campaign) madeTooOften() string {
	rows := map[string]int{}
	for _, row := range c.rows {
		rows[c.kindOf(row)]++
	}
	for kind, n := range c.api.made {
		if n > rows[kind] {
			return kind
		}
	}
	return ""
}

// tellsAges reports whether the server tells which records are older than the run.
func (c *campaign) tellsAges() bool { return c.api.dated && c.api.stamped }

// checkIDs checks that no two rows are said to have made one record, and that each of
// the records was made by a row of the register.
func (c *campaign) checkIDs() {
	seen := map[string]int{}
	for _, l := range c.legs {
		for row, id := range l.ids {
			if l.fates[row] != pipeline.Written || id == "" {
				continue
			}
			if other, twice := seen[id]; twice && other != row {
				c.fail("rows %d and %d are both said to have made %s", row, other, id)
				return
			}
			seen[id] = row
			at := slices.IndexFunc(c.api.records, func(r rewritten) bool { return r.data["id"] == id })
			if at < 0 || c.api.records[at].kind == "" && (c.tellsAges() || !c.older[c.rows[row][1]]) {
				c.fail("row %d is said to have made %s, which it did not", row, id)
				return
			}
		}
	}
}

func (c *campaign) count() {
	fates, _ := c.standing()
	for row := range c.rows {
		switch fates[row] {
		case pipeline.Written:
			c.tallied.written++
		case pipeline.Rejected:
			c.tallied.rejected++
		case pipeline.InDoubt:
			c.tallied.inDoubt++
		default:
			c.tallied.other++
		}
	}
	c.tallied.rows, c.tallied.lost = len(c.rows), c.api.lost
}
