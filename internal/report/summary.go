package report

import (
	"bytes"
	"encoding/json"
	"time"

	"flytt/pipeline"
)

// Summary is a run in numbers: summary.json of the run directory, and what
// --json prints.
type Summary struct {
	Run      string            `json:"run"`
	Parent   string            `json:"parent,omitempty"` // path of the run this one belongs to
	Verb     string            `json:"verb"`
	Resource string            `json:"resource"`
	Target   string            `json:"target,omitempty"` // host the rows went to
	Input    *Input            `json:"input,omitempty"`
	Rows     pipeline.Counts   `json:"rows"`
	Rejects  []Reason          `json:"rejects"`
	Warnings []Reason          `json:"warnings"`
	Repairs  []Reason          `json:"repairs"`
	Notes    []string          `json:"notes,omitempty"` // what was remarkable about the input as a whole
	Files    map[string]string `json:"files"`
	Sums     map[string]string `json:"sums,omitempty"` // of files that a person may fix, as the run left them: SHA-256 in hexadecimal
	List     *List             `json:"list,omitempty"` // of an export, and what a plan read
	Plan     *Plan             `json:"plan,omitempty"` // of plan
	Seconds  float64           `json:"seconds"`
	Balanced bool              `json:"balanced"`
	Exit     int               `json:"exit"`
	Error    *Failure          `json:"error,omitempty"`
	Next     string            `json:"next,omitempty"` // the command to run next
}

// Input is what was found out about the input.
type Input struct {
	File      string `json:"file"`
	Format    string `json:"format"`
	Encoding  string `json:"encoding"`
	Evidence  string `json:"evidence,omitempty"`
	Delimiter string `json:"delimiter,omitempty"`
	HeaderRow int64  `json:"header_row"`
	Sheet     string `json:"sheet,omitempty"`
}

// List is what was found out about a list while it was read.
type List struct {
	Complete   bool   `json:"complete"`        // proved: no record that stood still is missing
	Doubt      string `json:"doubt,omitempty"` // why not
	Requests   int64  `json:"requests"`
	Duplicates int64  `json:"duplicates_dropped"`
	Drifts     int64  `json:"drifts"`
}

// Plan is what an import would do, in rows.
type Plan struct {
	Create    int64 `json:"create"`
	Update    int64 `json:"update"`
	Unchanged int64 `json:"unchanged"`
	Skip      int64 `json:"skip"`
	Reject    int64 `json:"reject"`

	DuplicateInFile   int64 `json:"duplicate_in_file"`   // of those rejected: like another row of the file
	DuplicateOfRecord int64 `json:"duplicate_of_record"` // of those created: like a record that is there

	Fields  []Reason `json:"fields"`  // that would change, with how many rows
	Records int64    `json:"records"` // that there were
}

// Reason counts one kind of problem in one field.
type Reason struct {
	Stage string        `json:"stage"`
	Field string        `json:"field"` // empty: the row as a whole
	Code  pipeline.Code `json:"code"`
	Count int64         `json:"count"`
	Row   int64         `json:"row,omitempty"`   // the first row that has it
	Place string        `json:"place,omitempty"` // what that row, or its cell, is called where it is no line: Kontakter!F17
}

// Failure is why a run ended before its input did, or could not begin.
type Failure struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Next    string `json:"next,omitempty"` // the command to run next
}

// NewSummary returns the summary of a run of verb, without a result.
func NewSummary(verb string) *Summary {
	return &Summary{Verb: verb, Rejects: []Reason{}, Warnings: []Reason{}, Repairs: []Reason{}, Files: map[string]string{}, Balanced: true}
}

// SetResult fills in what the engine reported.
func (s *Summary) SetResult(r *pipeline.Report, took time.Duration) {
	s.Rows = r.Rows
	s.Rejects, s.Warnings, s.Repairs = reasons(r.Rejects), reasons(r.Warnings), reasons(r.Repairs)
	s.Seconds = float64(took.Milliseconds()) / 1000
	s.Balanced = r.Balanced()
}

func reasons(tallies []pipeline.Tally) []Reason {
	out := make([]Reason, len(tallies))
	for i, t := range tallies {
		out[i] = Reason{Stage: t.Stage.String(), Field: t.Field, Code: t.Code, Count: t.Count, Row: t.Row}
	}
	return out
}

// NamePlaces sets the place of the first row of every reason to what place returns.
func (s *Summary) NamePlaces(place func(field string, row int64) string) {
	for _, list := range [][]Reason{s.Rejects, s.Warnings, s.Repairs} {
		for i := range list {
			if r := &list[i]; r.Row > 0 {
				r.Place = place(r.Field, r.Row)
			}
		}
	}
}

// JSON returns the summary as one indented JSON object and a line end.
func (s *Summary) JSON() ([]byte, error) { return indented(s) }

// indented returns v as indented JSON and a line end.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
