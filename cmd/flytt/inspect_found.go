package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"flytt/pipeline"
)

// inspection is what inspect found, and what --json prints. It holds no value
// of a row, unless they were asked for.
type inspection struct {
	Verb        string         `json:"verb"`
	File        string         `json:"file"`
	Format      string         `json:"format"`
	Compression string         `json:"compression,omitempty"`
	Size        *int64         `json:"size"` // bytes as it is stored; null: a stream
	Encoding    string         `json:"encoding,omitempty"`
	Evidence    string         `json:"evidence,omitempty"`
	Delimiter   string         `json:"delimiter,omitempty"`
	LineEnd     string         `json:"line_end,omitempty"`
	HeaderRow   int64          `json:"header_row,omitempty"`
	Rejects     bool           `json:"rejects_file,omitempty"`
	Sheet       string         `json:"sheet,omitempty"`
	Sheets      []sheetFound   `json:"sheets,omitempty"`
	Rows        rowsFound      `json:"rows"`
	Resource    string         `json:"resource,omitempty"` // whose fields were guessed
	Missing     []string       `json:"missing_fields"`     // required ones that no column fits
	Columns     []columnFound  `json:"columns"`
	Problems    []problemFound `json:"problems"`
	Notes       []string       `json:"notes"`
	Seconds     float64        `json:"seconds"`
	Exit        int            `json:"exit"`
}

// rowsFound is how many rows there are, and of how many of them the rest tells.
type rowsFound struct {
	Count    int64 `json:"count"` // -1: not known
	Exact    bool  `json:"exact"` // otherwise it is about as many
	LookedAt int64 `json:"looked_at"`
}

// sheetFound is a sheet of a workbook.
type sheetFound struct {
	Name   string `json:"name"`
	Hidden bool   `json:"hidden"`
	Rows   int64  `json:"rows"` // as the sheet says, header and all; -1: it does not
}

// columnFound is a column. Its numbers are of the rows that were looked at, and
// of values without the white space around them.
type columnFound struct {
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

// problemFound is what is wrong with rows that cannot be read as they stand.
type problemFound struct {
	Code     pipeline.Code `json:"code"`
	Severity string        `json:"severity"`
	Count    int64         `json:"count"`
	Row      int64         `json:"row,omitempty"` // the first row that has it
	Place    string        `json:"place,omitempty"`
}

// conclude puts together what was found.
func (v *inspector) conclude() {
	i, f := v.info, &v.found
	f.Verb, f.File, f.Resource = v.job.verb, v.job.file, v.job.summary.Resource
	f.Format, f.Compression, f.Encoding, f.Evidence = i.Format, i.Compression, i.Encoding, i.Evidence
	f.Delimiter, f.LineEnd, f.HeaderRow, f.Rejects = i.Delimiter, i.LineEnd, i.HeaderRow, i.Rejects
	if i.Size >= 0 {
		f.Size = &i.Size
	}
	f.Sheet = i.Sheet
	for _, s := range i.Sheets {
		if s.Rows <= 1 {
			s.Rows = -1 // A1 is what a sheet says whose writer did not know
		}
		f.Sheets = append(f.Sheets, sheetFound(s))
	}
	f.Missing, f.Notes = append([]string{}, v.missing...), append([]string{}, v.job.summary.Notes...)
	f.Columns = []columnFound{}
	for at, name := range v.source.Columns() {
		f.Columns = append(f.Columns, v.column(at, name))
	}
	f.Problems = v.problems()
	f.Seconds = float64(time.Since(v.job.started).Milliseconds()) / 1000
}

func (v *inspector) column(at int, name string) columnFound {
	c := &v.look.survey.columns[at]
	kind, fits := c.kind(v.look.survey.kinds)
	found := columnFound{
		Name: name, Kind: kind, Fits: share(fits, c.values), Empty: share(c.empty, c.empty+c.values), Values: c.values,
		Distinct: int64(len(c.hashes)), MoreDistinct: c.overflow, Longest: c.longest, Samples: append([]string{}, c.usual()...),
	}
	if kind == uuidKind && len(found.Samples) > 1 {
		found.Samples = found.Samples[:1] // they all look different, and the same
	}
	if v.guesses != nil {
		g := v.guesses[at]
		found.Field, found.Score, found.Used, found.Reason = g.Field, g.Score, g.Used, g.Reason
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
func (v *inspector) problems() []problemFound {
	list := []problemFound{}
	for code, p := range v.look.survey.problems {
		found := problemFound{Code: code, Severity: p.severity.String(), Count: p.count, Row: p.row}
		if v.info.Place != nil && p.row > 0 {
			found.Place = v.info.Place(p.row, pipeline.None)
		}
		list = append(list, found)
	}
	slices.SortFunc(list, func(a, b problemFound) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// first names the first row that has the problem.
func (p *problemFound) first() string {
	switch {
	case p.Row == 0:
		return ""
	case p.Place != "":
		return ", first in " + p.Place
	}
	return fmt.Sprintf(", first on line %d", p.Row)
}
