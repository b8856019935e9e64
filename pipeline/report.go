package pipeline

import (
	"cmp"
	"slices"
)

// Counts says what became of the rows. Read is the sum of the others, except Valid,
// Updated and Existing, which are parts of others.
type Counts struct {
	Read      int64 `json:"read"`
	Valid     int64 `json:"valid"` // rows that passed every rule; without a sink, they count in place of Written
	Written   int64 `json:"written"`
	Updated   int64 `json:"updated,omitempty"` // rows of Written whose record existed before
	Unchanged int64 `json:"unchanged"`
	Skipped   int64 `json:"skipped"`
	Existing  int64 `json:"existing,omitempty"` // rows of Skipped whose key existed, with other values
	Rejected  int64 `json:"rejected"`
	InDoubt   int64 `json:"in_doubt"`
	NotSent   int64 `json:"not_sent"`
}

// Add counts a row for each of fates. Rows that are Pending or Broken are in none of the
// counts.
func (c *Counts) Add(fates ...Fate) {
	for _, f := range fates {
		switch f {
		case Skipped:
			c.Skipped++
		case Existing:
			c.Skipped++
			c.Existing++
		case Rejected:
			c.Rejected++
		case Written:
			c.Written++
		case Updated:
			c.Written++
			c.Updated++
		case Unchanged:
			c.Unchanged++
		case InDoubt:
			c.InDoubt++
		case NotSent:
			c.NotSent++
		}
	}
}

// Tally counts one kind of problem in one field.
type Tally struct {
	Stage Stage
	Field string // empty: of the row as a whole
	Code  Code
	Count int64
	Row   int64 // number of the first row that has it; 0: not of a row
}

// Report is what a run did, in numbers. The rows themselves went to the
// Recorder.
type Report struct {
	Rows     Counts
	Rejects  []Tally // by count, largest first; a row with two problems counts in both
	Warnings []Tally
	Repairs  []Tally
	checked  bool // there was no sink: valid rows are final
}

// Balanced reports whether every row read has exactly one fate.
func (r *Report) Balanced() bool {
	c := r.Rows
	arrived := c.Written
	if r.checked {
		arrived = c.Valid
	}
	return c.Read == arrived+c.Unchanged+c.Skipped+c.Rejected+c.InDoubt+c.NotSent
}

// Record is the row-by-row account of one chunk, rendered: what a Recorder
// appends to its files.
type Record struct {
	Rejects, Written, InDoubt, Missing []byte
}

func (r *Record) reset() {
	r.Rejects, r.Written, r.InDoubt, r.Missing = r.Rejects[:0], r.Written[:0], r.InDoubt[:0], r.Missing[:0]
}

// Recorder keeps the row-by-row account of a run: every rejected row with all its
// reasons, every written row with its id. It writes as it goes and collects nothing.
type Recorder interface {
	// Render appends the settled rows of c to r. It is called concurrently, on
	// different chunks, and its problems come sorted by row. c.Fates holds Pending
	// where there is no sink, and where blocks are written in input order: there
	// the workers render before the write, and c is rendered again, into the
	// emptied r, if the write says more than that its rows are written.
	Render(c *Chunk, r *Record)

	// Append writes r. It is called in input order by one goroutine. An error
	// ends the run, and Append is not called again.
	Append(r *Record) error
}

// tallies counts problems as they come, in input order.
type tallies map[tallyKey]*Tally

type tallyKey struct {
	severity Severity
	stage    Stage
	field    int16
	code     Code
}

func (t tallies) add(schema *Schema, b *Batch) {
	for i := range b.Problems {
		p := &b.Problems[i]
		k := tallyKey{p.Severity, p.Stage, p.Field, p.Code}
		e := t[k]
		if e == nil {
			e = &Tally{Stage: p.Stage, Code: p.Code}
			if p.Field >= 0 {
				e.Field = schema.Fields[p.Field].Name
			}
			t[k] = e
		}
		e.Count++
		if p.Row >= 0 && (e.Row == 0 || b.Rows[p.Row] < e.Row) {
			e.Row = b.Rows[p.Row]
		}
	}
}

func (t tallies) list(severity Severity) []Tally {
	out := []Tally{}
	for k, e := range t {
		if k.severity == severity {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code))
	})
	return out
}
