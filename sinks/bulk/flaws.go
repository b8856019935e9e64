package bulk

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// A record may break the rules that rows are held against: it is older than they
// are, or came another way. An export has it as it is, and to import that again
// untouched must not turn it away. So a row with an id whose every fault is one
// of a value is sent on by the encoder with its faults, and compared with its
// record first: where the record holds just that, there is nothing to send, and
// the faults are warnings. Otherwise the row is rejected for them.

// pardonable reports whether p may be pardoned if the record of its row is the
// same. With asStored that goes for what a conversion could not read, too.
func pardonable(p *pipeline.Problem, asStored bool) bool {
	return p.Field >= 0 && (p.Stage == pipeline.Validate || asStored && p.Stage == pipeline.Map)
}

// flawed returns for each row of b whether it was rejected for nothing but faults
// that may be pardoned; dst is used for that. It is empty if there is none.
func flawed(dst []bool, b *pipeline.Batch, asStored bool) []bool {
	dst = dst[:0]
	if !slices.Contains(b.Fates, pipeline.Rejected) {
		return dst
	}
	for _, fate := range b.Fates {
		dst = append(dst, fate == pipeline.Rejected)
	}
	for i := range b.Problems {
		p := &b.Problems[i]
		if p.Row >= 0 && p.Severity == pipeline.Error && !pardonable(p, asStored) {
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
