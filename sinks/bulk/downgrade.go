package bulk

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// A record may break the rules that rows are checked against: it may be older than the
// rules, or have been created by another program. An export writes it as it is, and
// importing that row again unchanged must not reject it. So if a row has an id and all its
// problems are about values, the encoder encodes it all the same, and the row is compared
// with its record first. If the record holds the same values, nothing is sent and the
// problems become warnings. Otherwise the row is rejected for them.

// onlyDowngradable returns for each row of b whether it was rejected for nothing but faults
// that can be downgraded to warnings if its record is the same: those of a rule, and with
// asStored what a conversion could not read. It uses dst, and is empty if there is none.
func onlyDowngradable(dst []bool, b *pipeline.Batch, asStored bool) []bool {
	dst = dst[:0]
	if !slices.Contains(b.Fates, pipeline.Rejected) {
		return dst
	}
	for _, fate := range b.Fates {
		dst = append(dst, fate == pipeline.Rejected)
	}
	for i := range b.Problems {
		p := &b.Problems[i]
		downgradable := p.Field >= 0 && (p.Stage == pipeline.Validate || asStored && p.Stage == pipeline.Map)
		if p.Row >= 0 && p.Severity == pipeline.Error && !downgradable {
			dst[p.Row] = false
		}
	}
	return dst
}

// errorsOf returns the indices of the errors of row among the problems.
func (r *chunkRows) errorsOf(row int32) (at []int) {
	for i := range r.chunk.Problems {
		if p := &r.chunk.Problems[i]; p.Row == row && p.Severity == pipeline.Error {
			at = append(at, i)
		}
	}
	return at
}

// withoutErrors returns those of rows, which have no record, that have no faults; the
// others are rejected for theirs.
func (r *chunkRows) withoutErrors(rows []int32) []int32 {
	return slices.DeleteFunc(rows, func(row int32) bool {
		bad := len(r.errorsOf(row)) > 0
		if bad {
			r.chunk.Fates[row] = pipeline.Rejected
		}
		return bad
	})
}

// asStored reports whether the cell of row for the field called name is the text
// that its record holds, got, which the mapping may have given another form.
func (r *chunkRows) asStored(row int32, name string, got jsontext.Value) bool {
	at := r.engine.schema.Index(name)
	if !r.engine.options.AsStored || at < 0 || got.Kind() != '"' {
		return false
	}
	cell := r.cell(row, at)
	return cell != nil && bytes.Equal(bytes.TrimSpace(cell), bytes.TrimSpace(jsonscan.Text(got)))
}

// cell returns what stands in the input where row has its value for the field
// with the index at; nil if that is no single column.
func (r *chunkRows) cell(row int32, at int) []byte {
	columns := r.engine.options.Columns
	if at < 0 || at >= len(columns) || columns[at] < 0 || int(columns[at]) >= len(r.chunk.Input) {
		return nil
	}
	return r.chunk.Input[columns[at]].Value(int(row))
}

// memberOf returns the member of an object that has the field called name:
// external_client of external_client.id.
func memberOf(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return name
}

// noteReadOnly warns if row has cells under the names of fields that only the API
// sets and they are not what record holds: somebody edited them, which changes nothing. An
// empty cell says nothing.
func (r *chunkRows) noteReadOnly(row int32, record []byte) {
	for _, c := range r.engine.options.ReadOnly {
		if c.Column >= len(r.chunk.Input) {
			continue
		}
		cell := bytes.TrimSpace(r.chunk.Input[c.Column].Value(int(row)))
		if len(cell) == 0 || shows(jsonscan.Member(record, c.Field), cell) {
			continue
		}
		r.chunk.Note(pipeline.Problem{
			Row: row, Field: pipeline.None, Column: int16(min(c.Column, math.MaxInt16)),
			Severity: pipeline.Warning, Stage: pipeline.Write, Code: codeReadOnlyCell,
		})
		return // once for each row
	}
}

// shows reports whether cell is how an export writes v: a text or a moment as it
// is, all else as JSON.
func shows(v jsontext.Value, cell []byte) bool {
	if len(v) == 0 || bytes.Equal(v, cell) {
		return true
	}
	if v.Kind() == '"' {
		text := bytes.TrimSpace(jsonscan.Text(v))
		if bytes.Equal(text, cell) || sameMoment(text, cell) {
			return true
		}
	}
	a, b := slices.Clone(v), jsontext.Value(bytes.Clone(cell))
	return a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}

func sameMoment(a, b []byte) bool {
	x, err := time.Parse(time.RFC3339Nano, string(a))
	if err != nil {
		return false
	}
	y, err := time.Parse(time.RFC3339Nano, string(b))
	return err == nil && x.Equal(y)
}
