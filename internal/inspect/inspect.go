// Package inspect describes an input: how many rows it has, which field each column is
// mapped to, and what kinds of values the columns have. It returns no value of a row, unless
// the caller asks for values.
package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// Options say which input is inspected, and how much of it.
type Options struct {
	Source   pipeline.Source
	Info     *sources.Info      // of the source
	Resource *mappings.Resource // that the rows are of; nil: no fields are guessed
	Whole    bool               // read the input to its end: it is quick not to
	Values   bool               // show values as they are
	Today    time.Time

	// Progress is called while the input is read to its end; nil: it is not.
	Progress func(pipeline.Progress)
}

// Inspect describes an input. It reads from the source, and does not close it.
func Inspect(ctx context.Context, o Options) (*Report, error) {
	r := describe(o.Info)
	guesses, err := r.guess(o.Resource, o.Source.Columns())
	if err != nil {
		return nil, err
	}
	form := mask
	if o.Values {
		form = unmasked
	}
	plan := newSurveyPlan(len(o.Source.Columns()), kinds(o.Today), form)
	sampler := &sampler{source: o.Source, info: o.Info, survey: plan.newSurvey(true)}
	if r.Rows, err = sampler.read(ctx, o.Whole, o.Progress); err != nil {
		return nil, err
	}
	for i, name := range o.Source.Columns() {
		c := sampler.survey.column(i, name)
		if guesses != nil {
			g := guesses[i]
			c.Field, c.Score, c.Used, c.Reason = g.Field, g.Score, g.Used, g.Reason
		}
		r.Columns = append(r.Columns, c)
	}
	r.Problems = sampler.problems()
	return r, nil
}

// Report is what was found. It holds no value of a row, unless they were asked for. Verb,
// File, Notes, Seconds and Exit are the caller's.
type Report struct {
	Verb        string    `json:"verb"`
	File        string    `json:"file"`
	Format      string    `json:"format"`
	Compression string    `json:"compression,omitempty"`
	Size        *int64    `json:"size"` // bytes as it is stored; null: a stream
	Encoding    string    `json:"encoding,omitempty"`
	Evidence    string    `json:"evidence,omitempty"`
	Delimiter   string    `json:"delimiter,omitempty"`
	LineEnd     string    `json:"line_end,omitempty"`
	HeaderRow   int64     `json:"header_row,omitempty"`
	Rejects     bool      `json:"rejects_file,omitempty"`
	Sheet       string    `json:"sheet,omitempty"`
	Sheets      []Sheet   `json:"sheets,omitempty"`
	Rows        Rows      `json:"rows"`
	Resource    string    `json:"resource,omitempty"` // whose fields were guessed
	Missing     []string  `json:"missing_fields"`     // required ones that no column fits
	Columns     []Column  `json:"columns"`
	Problems    []Problem `json:"problems"`
	Notes       []string  `json:"notes"`
	Seconds     float64   `json:"seconds"`
	Exit        int       `json:"exit"`
}

// Rows is how many rows there are, and how many of them the rest of the report describes.
type Rows struct {
	Count    int64 `json:"count"` // -1: not known
	Exact    bool  `json:"exact"` // otherwise it is about as many
	LookedAt int64 `json:"looked_at"`
	Stated   bool  `json:"-"` // Count is what the sheet says
}

// Sheet is a sheet of a workbook.
type Sheet struct {
	Name   string `json:"name"`
	Hidden bool   `json:"hidden"`
	Rows   int64  `json:"rows"` // as the sheet says, header and all; -1: it does not
}

// Column is a column. Its numbers are of the rows that were looked at, and
// of values without the white space around them.
type Column struct {
	Name         string   `json:"name"`
	Field        string   `json:"field"` // the field its header is taken for, or empty
	Score        float64  `json:"score"` // how sure that is, from 0 to 1
	Used         bool     `json:"used"`  // a mapping guessed from the headers has it
	Reason       string   `json:"reason"`
	Kind         string   `json:"kind"` // of its values; empty without any
	Fits         float64  `json:"fits"` // share of the values that are of that kind
	Empty        float64  `json:"empty"`
	Values       int64    `json:"values"` // that are not empty
	Distinct     int64    `json:"distinct"`
	MoreDistinct bool     `json:"more_distinct"` // there are more different values than that
	Longest      int      `json:"longest"`       // in characters
	Samples      []string `json:"samples"`       // what the most usual values look like
}

// Problem is what is wrong with rows that cannot be read as they stand.
type Problem struct {
	Code     pipeline.Code `json:"code"`
	Severity string        `json:"severity"`
	Count    int64         `json:"count"`
	Row      int64         `json:"row,omitempty"` // the first row that has it
	Place    string        `json:"place,omitempty"`
}

// describe returns a report of what was found out when the input was opened.
func describe(i *sources.Info) *Report {
	r := &Report{
		Format: i.Format, Compression: i.Compression, Encoding: i.Encoding, Evidence: i.Evidence,
		Delimiter: i.Delimiter, LineEnd: i.LineEnd, HeaderRow: i.HeaderRow, Rejects: i.IsRejectsFile, Sheet: i.Sheet,
		Missing: []string{}, Columns: []Column{}, Notes: []string{},
	}
	if i.Size >= 0 {
		r.Size = &i.Size
	}
	for _, s := range i.Sheets {
		if s.Rows <= 1 {
			s.Rows = -1 // A1 is what a sheet says whose writer did not know
		}
		r.Sheets = append(r.Sheets, Sheet(s))
	}
	return r
}

// guess finds the fields that columns stand for, and notes which required ones none stands
// for. Without a resource there are no guesses.
func (r *Report) guess(of *mappings.Resource, columns []string) ([]mappings.Guess, error) {
	if of == nil {
		return nil, nil
	}
	r.Resource = of.Name
	m, guesses, err := mappings.PartialMapping(of, columns)
	if err != nil {
		return nil, err
	}
	mapped := map[string]bool{}
	for _, rule := range m.Fields {
		mapped[rule.Field] = true
	}
	for i := range of.Fields {
		f := &of.Fields[i]
		if f.Required && !f.ReadOnly && !mapped[f.Column()] && !mapped["id"] {
			r.Missing = append(r.Missing, f.Column())
		}
	}
	return guesses, nil
}

// column returns what was found out about the values of a column.
func (s *survey) column(at int, name string) Column {
	c := &s.columns[at]
	kind, fits := c.kind(s.plan.kinds)
	found := Column{
		Name: name, Kind: kind, Fits: share(fits, c.values), Empty: share(c.empty, c.empty+c.values), Values: c.values,
		Distinct: int64(len(c.hashes)), MoreDistinct: c.overflow, Longest: c.longest, Samples: append([]string{}, c.usual()...),
	}
	if kind == uuidKind && len(found.Samples) > 1 {
		found.Samples = found.Samples[:1] // they all look different, and the same
	}
	return found
}

// share returns the part that n is of all, to four digits.
func share(n, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(int64(float64(n)/float64(all)*1e4)) / 1e4
}

// problems returns what is wrong with rows, the most frequent first.
func (s *sampler) problems() []Problem {
	list := []Problem{}
	for code, p := range s.survey.problems {
		found := Problem{Code: code, Severity: p.severity.String(), Count: p.count, Row: p.row}
		if s.info.CellName != nil && p.row > 0 {
			found.Place = s.info.CellName(p.row, pipeline.None)
		}
		list = append(list, found)
	}
	slices.SortFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// First names the first row that has the problem, after a comma; empty if none is known.
func (p *Problem) First() string {
	switch {
	case p.Row == 0:
		return ""
	case p.Place != "":
		return ", first in " + p.Place
	}
	return fmt.Sprintf(", first on line %d", p.Row)
}
