package dedup

import (
	"strconv"
	"strings"

	"flytt/internal/text"
	"flytt/pipeline"
)

// CodeDuplicate is the code of duplicate rows.
const CodeDuplicate pipeline.Code = "duplicate_in_file"

// Codes documents the codes of this package.
var Codes = pipeline.ErrorCodes(pipeline.Validate, CodeDuplicate)

// MemoryRecords is how many records of 32 bytes a sorter holds in memory by default.
const MemoryRecords = 1 << 20

// tableRecords is the same for the making of a table: few rows are duplicates.
const tableRecords = 1 << 17

// Reader reads from rows the texts that they are compared by. It is for one goroutine.
type Reader interface {
	// Read calls yield with each text that row i of b is compared by, and its kind. The text
	// is valid until yield returns.
	Read(b *pipeline.Batch, i int, yield func(kind uint8, text []byte))

	// Field returns the index of the field that row i of b has its text of a kind in,
	// pipeline.None if there is none.
	Field(b *pipeline.Batch, i int, kind uint8) int
}

// Search finds the duplicate rows of an input: the batches of one pass over the input go
// through its steps; then Table returns what was found. It compares digests, not values.
type Search struct {
	dir    string
	hasher *Hasher
	sorter *Sorter
}

// NewSearch returns a search that has its files in dir, until it is closed.
func NewSearch(dir string) *Search {
	return &Search{dir: dir, hasher: NewHasher(), sorter: NewSorter(dir, MemoryRecords)}
}

// Step returns a step, for one worker, that collects what r reads from rows: from all rows
// that can be read, or with onlyPending from rows that are not rejected.
func (s *Search) Step(r Reader, onlyPending bool) pipeline.Step {
	return &collector{hasher: s.hasher.Clone(), sorter: s.sorter, reader: r, onlyPending: onlyPending}
}

// Table returns the table of the duplicate rows.
func (s *Search) Table() (*Table, error) { return Find(s.sorter, s.dir, tableRecords) }

// Close removes the files of the search. Those of its table stay.
func (s *Search) Close() error { return s.sorter.Close() }

// collector is the step that collects what rows are compared by.
type collector struct {
	hasher      *Hasher
	sorter      *Sorter
	reader      Reader
	onlyPending bool

	records []Record // buffer
}

// Apply collects the rows of b.
func (c *collector) Apply(b *pipeline.Batch) error {
	c.records = c.records[:0]
	for i, fate := range b.Fates {
		if unread(fate) || c.onlyPending && fate != pipeline.Pending {
			continue
		}
		c.reader.Read(b, i, func(kind uint8, text []byte) {
			r := c.hasher.Record(kind, text)
			r.Row, r.Tag = b.Rows[i], uint64(kind)
			c.records = append(c.records, r)
		})
	}
	return c.sorter.Add(c.records)
}

// unread reports whether a row with fate has no values that could be compared.
func unread(fate pipeline.Fate) bool { return fate == pipeline.Skipped || fate == pipeline.Broken }

// Step returns a step, for one worker, that notes a problem on each row of the table that
// its policy rejects or warns about. Columns has the input column of each field.
func (t *Table) Step(r Reader, policies Policies, columns []int16) pipeline.Step {
	return &marker{table: t, reader: r, policies: policies, columns: columns}
}

// marker is the step that notes which rows are duplicates.
type marker struct {
	table    *Table
	reader   Reader
	policies Policies
	columns  []int16
}

// Apply notes the duplicates of b.
func (m *marker) Apply(b *pipeline.Batch) error {
	return m.table.Of(b.Rows, func(i int, d Duplicate) error {
		if unread(b.Fates[i]) {
			return nil
		}
		p, err := m.problem(b.Rows[i], d)
		if p == nil || err != nil {
			return err
		}
		p.Row, p.Field, p.Column = int32(i), pipeline.None, pipeline.None
		if field := m.reader.Field(b, i, d.Kind); field >= 0 {
			p.Field, p.Column = int16(field), m.columns[field]
		}
		b.Note(*p)
		return nil
	})
}

// problem returns what is wrong with row, which has duplicates; nil if it is the row that
// the policy lets through.
func (m *marker) problem(row int64, d Duplicate) (*pipeline.Problem, error) {
	p := &pipeline.Problem{Stage: pipeline.Validate, Code: CodeDuplicate}
	policy := m.policies[d.Kind]
	if policy == Allow {
		p.Severity = pipeline.Warning
		return p, nil
	}
	g, err := d.Group()
	if err != nil || policy == First && row == g.First || policy == Last && row == g.Last {
		return nil, err
	}
	p.Shape = g.others(row)
	return p, nil
}

// others names the rows of the group except row.
func (g *Group) others(row int64) string {
	var names []string
	for _, other := range g.Some {
		if other != row {
			names = append(names, strconv.FormatInt(other, 10))
		}
	}
	more := g.Count - 1 - int64(len(names))
	switch {
	case len(names) == 1 && more == 0:
		return "as row " + names[0]
	case more == 0:
		return "as rows " + text.AllOf(names)
	}
	return "as rows " + strings.Join(names, ", ") + " and " + text.Number(more) + " more"
}

// Has reports whether another row has the same text of a kind as row.
func (t *Table) Has(row int64, kind uint8) (has bool, err error) {
	err = t.Of([]int64{row}, func(_ int, d Duplicate) error {
		has = has || d.Kind == kind
		return nil
	})
	return has, err
}
